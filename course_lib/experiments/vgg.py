"""The experiments of lesson 06 on VGG: one large filter against three small ones, depth, and how a deep column starts.

Recipes were chosen on validation images.
"""

import keras
from keras import layers

from course_lib import datasets
from course_lib.experiments.data import FLIPPED, centered_parts, flipped_32, some_digits
from course_lib.experiments.experiment import Experiment, Parts, Setting, data_id
from course_lib.training import Recipe

DEPTHS = {"A": 11, "B": 13, "D": 16, "E": 19}

SIDE_32 = {"image_shape": (32, 32, 3)}


def three_convolutions(
    *, image_shape: tuple[int, int, int], num_classes: int, kernel_sizes: tuple[int, ...], filters: int
) -> keras.Model:
    """Two stages of convolutions of `kernel_sizes` behind a common first one, all `filters` wide, with logits."""
    inputs = x = keras.Input(image_shape)
    x = _convolution(x, filters, 3, "conv1")  # 32×32
    for stage in (2, 3):
        x = layers.MaxPooling2D(2, name=f"pool{stage - 1}")(x)  # 16×16, 8×8
        for number, kernel_size in enumerate(kernel_sizes, start=1):
            x = _convolution(x, filters, kernel_size, f"conv{stage}_{number}")
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    return keras.Model(inputs, layers.Dense(num_classes, name="predictions")(x), name="three_convolutions")


def _convolution(x, filters: int, kernel_size: int, name: str):
    kernels = {"kernel_initializer": "he_normal", "padding": "same"}
    return layers.Conv2D(filters, kernel_size, activation="relu", **kernels, name=name)(x)


def _kernels() -> dict[str, Setting]:
    """One 7×7 against three 3×3: as wide, and as wide as makes the parameters of a stage equal (49·20² ≈ 27·27²)."""
    common = {
        "recipe": Recipe("adam", 2e-3, "cosine", weight_decay=1e-4, batch_size=64),
        "epochs": 40,
        "data": flipped_32,
    }
    kinds = {
        "one 7×7": {"kernel_sizes": (7,), "filters": 20},
        "three 3×3": {"kernel_sizes": (3, 3, 3), "filters": 20},
        "three 3×3, equal parameters": {"kernel_sizes": (3, 3, 3), "filters": 27},
    }
    shape = SIDE_32 | {"num_classes": 10}
    return {name: Setting(three_convolutions, options=shape | options, **common) for name, options in kinds.items()}


def digit_reader(
    *, image_shape: tuple[int, int, int], num_classes: int, kernel_sizes: tuple[int, ...], filters: int
) -> keras.Model:
    """A convolution with stride 2, a stage of convolutions of `kernel_sizes`, pooling, and logits."""
    inputs = keras.Input(image_shape)  # 32×32
    strided = {"kernel_initializer": "he_normal", "padding": "same", "strides": 2}
    x = layers.Conv2D(filters, 3, activation="relu", **strided, name="conv1")(inputs)  # 16×16
    for number, kernel_size in enumerate(kernel_sizes, start=1):
        x = _convolution(x, filters, kernel_size, f"conv2_{number}")
    x = layers.Flatten(name="flatten")(layers.MaxPooling2D(4, name="pool")(x))  # 4×4
    return keras.Model(inputs, layers.Dense(num_classes, name="predictions")(x), name="digit_reader")


def _pairs() -> dict[str, Setting]:
    """One 5×5 against two 3×3 of the same width, one epoch."""
    recipe = Recipe("adam", 3e-3, "cosine", batch_size=64)
    shape = {"image_shape": (32, 32, 1), "num_classes": 10, "filters": 16}
    kinds = {"one 5×5": (5,), "two 3×3": (3, 3)}
    return {
        name: Setting(digit_reader, recipe, 1, some_digits, shape | {"kernel_sizes": sizes})
        for name, sizes in kinds.items()
    }


@data_id("toy_scenes/32, flipped and shifted")
def all_flipped_32() -> Parts:
    """Toy scenes, 32×32, from -2 to 2.

    Trained on 12,000, each epoch newly flipped and cropped out of a frame of 4 pixels, validated on 2,000, tested on
    2,000.
    """
    data = datasets.load("toy_scenes/32")
    return centered_parts(data.train, data.validation, data.test, *FLIPPED)


def from_column_a(source: keras.Model, model: keras.Model) -> None:
    """The paper's start (section 3.1): the first four convolutions and the dense layers are those of the trained A."""
    convolutions = [layer for layer in source.layers if isinstance(layer, layers.Conv2D)]
    for layer in [*convolutions[:4], *(source.get_layer(name) for name in ("fc1", "fc2", "predictions"))]:
        model.get_layer(layer.name).set_weights(layer.get_weights())


def _columns() -> dict[str, Setting]:
    """Columns with batch normalization; without it; and two remedies for those that do not learn without it."""
    recipe = Recipe("adam", 1e-3, "cosine", weight_decay=1e-4, batch_size=64)

    def column(name: str, start=None, **options) -> Setting:
        options = SIDE_32 | {"depth": DEPTHS[name]} | options
        return Setting("vgg_small", recipe, 30, all_flipped_32, options, measure_every=5, start=start)

    settings = {f"{name}, normalized": column(name, normalization="batch") for name in DEPTHS}
    settings |= {name: column(name) for name in DEPTHS}
    for name in "DE":
        settings[f"{name}, no dropout"] = column(name, dropout=0.0)
        settings[f"{name}, from A"] = column(name, start=("A", from_column_a))
    return settings


@data_id("mnist/framed, first 3000")
def few_digits() -> Parts:
    """MNIST in the 32×32 frame; trained on the first 3,000, validated on 2,000 of validation, tested on 10,000."""
    mnist = datasets.load("mnist")
    parts = (mnist.train.take(3_000), mnist.validation.take(2_000), mnist.test)
    return tuple(part.with_transform(datasets.paper_frame) for part in parts)


def _starts() -> dict[str, Setting]:
    """Column E without normalization and dropout, three starts: all of them see as many images, with A's counted."""
    recipe = Recipe("adam", 1e-3, batch_size=50)
    shape = {"image_shape": (32, 32, 1), "num_classes": 10, "dropout": 0.0}

    def column(name: str, rule: str, epochs: int, start=None) -> Setting:
        options = shape | {"depth": DEPTHS[name], "initialization": rule}
        return Setting("vgg_small", recipe, epochs, few_digits, options, measure_every=2, start=start)

    return {
        "A, Glorot": column("A", "glorot", 6),
        "E, Glorot": column("E", "glorot", 12),
        "E, He": column("E", "he", 12),
        "E, from A": column("E", "glorot", 6, ("A, Glorot", from_column_a)),
    }


def _short_columns() -> dict[str, Setting]:
    """VGG's columns at an eighth of their width."""
    common = {
        "recipe": Recipe("adam", 1e-3, "cosine", weight_decay=1e-4, batch_size=64),
        "epochs": 30,
        "data": flipped_32,
    }
    columns = {"A": "vgg11", "B": "vgg13", "C": "vgg16_1x1", "D": "vgg16", "E": "vgg19"}
    options = SIDE_32 | {"num_classes": 10, "width": 1 / 8, "initialization": "he"}
    return {column: Setting(name, options=options, **common) for column, name in columns.items()}


EXPERIMENTS = {
    "vgg_kernels": Experiment(
        "One convolution of 7×7 against three of 3×3",
        "five 5×5 layers for ten 3×3 cost 7 points of top-1 error (Simonyan and Zisserman 2015, section 4.1)",
        _kernels(),
    ),
    "vgg_pairs": Experiment(
        "One convolution of 5×5 against two of 3×3, on digits",
        "five 5×5 layers for ten 3×3 cost 7 points of top-1 error (Simonyan and Zisserman 2015, section 4.1)",
        _pairs(),
    ),
    "vgg_depth": Experiment(
        "VGG's columns A, B, D and E, an eighth as wide, on 12,000 toy scenes: with a good start, and without",
        "top-5 error 10.4, 9.9, 8.8 and 9.0 % (Simonyan and Zisserman 2015, Table 3)",
        _columns(),
    ),
    "vgg_starts": Experiment(
        "VGG's column E on digits: all weights after Glorot, all after He, or seven layers of a trained column A",
        "deep columns start from A; Glorot's initialization does without (Simonyan and Zisserman 2015, section 3.1)",
        _starts(),
    ),
    "vgg_depth_short": Experiment(
        "VGG's columns A to E, an eighth as wide, on toy scenes",
        "top-5 error 10.4, 9.9, 9.4, 8.8 and 9.0 % (Simonyan and Zisserman 2015, Table 3)",
        _short_columns(),
    ),
}

"""The experiments behind AlexNet, VGG and ResNet: each trick taken away, filters compared, depth tried.

Recipes were chosen on validation images; no network was tuned apart from the one that it is compared with.
"""

import dataclasses

import keras
from keras import layers

from course_lib import datasets
from course_lib.batching import Split
from course_lib.experiments.digits import Parts
from course_lib.experiments.experiment import Experiment, Setting, data_id
from course_lib.training import Recipe

SIDE_32 = {"image_shape": (32, 32, 3)}
SIDE_56 = {"image_shape": (56, 56, 3)}
FLIPPED = (datasets.RandomCrop(32, padding=4), datasets.RandomFlip())


@data_id("toy_scenes/32, first 3000, flipped and shifted")
def flipped_32() -> Parts:
    """Toy scenes, 32×32, from -2 to 2; trained on the first 3,000, each pass newly flipped and cropped out of a frame
    of 4 pixels, watched on 2,000 of validation, tested on 2,000."""
    return _flipped(datasets.load("toy_scenes/32"), 3_000)


@data_id("cifar10, flipped and shifted")
def cifar10() -> Parts:
    """CIFAR-10, from -2 to 2; trained on 45,000, each pass newly flipped and cropped out of a frame of 4 pixels,
    watched on 5,000 of validation, tested on 10,000 (in the course's own copy after JPEG, quality about 75)."""
    return _flipped(datasets.load("cifar10"), 45_000)


@data_id("toy_scenes/56, first 3000")
def cropped() -> Parts:
    """Toy scenes, of 64×64 the middle 56×56, from -2 to 2; trained on the first 3,000, watched on 2,000 of
    validation, tested on 2,000."""
    data = datasets.load("toy_scenes")
    parts = (data.train.take(3_000), data.validation, data.test)
    return prepared(*(part.with_transform(_middle) for part in parts))


@data_id("toy_scenes/56, first 3000, augmented as AlexNet")
def augmented() -> Parts:
    """Toy scenes, 64×64, from -2 to 2; trained on the first 3,000, each pass newly cropped to 56×56, flipped and
    shifted in color, watched on 2,000 of validation, tested on 2,000, of which the middle 56×56."""
    train = datasets.load("toy_scenes").train.take(3_000)
    color = datasets.PCAColor.of(train.arrays()[0])
    for transform in (datasets.RandomCrop(56), datasets.RandomFlip(), color, centered):
        train = train.with_transform(transform)
    return train, *cropped()[1:]


def _flipped(data: datasets.ImageDataset, examples: int) -> Parts:
    return prepared(data.train.take(examples), data.validation, data.test, *FLIPPED)


def _middle(images):
    return datasets.RandomCrop(56)(images, None)


def prepared(train: Split, validation: Split, test: Split, *transforms) -> Parts:
    """The three parts from -2 to 2, that to train on changed by `transforms` before."""
    for transform in transforms:
        train = train.with_transform(transform)
    return tuple(part.with_transform(centered) for part in (train, validation, test))


def centered(images):
    """From 0…1 to −2…2."""
    return 4 * images - 2


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


def _depth(families: tuple[str, ...], depths: tuple[int, ...], options: dict, **common) -> dict[str, Setting]:
    return {
        f"{family.removesuffix('_small')}{depth}": Setting(family, options=options | {"depth": depth}, **common)
        for family in families
        for depth in depths
    }


def _lasting(common: dict, epochs: int, schedule: tuple) -> dict:
    """What settings have in common, for another number of epochs."""
    return common | {"recipe": dataclasses.replace(common["recipe"], schedule=schedule), "epochs": epochs}


def _ablation() -> dict[str, Setting]:
    """AlexNet's tricks, all of them and then each taken away in turn."""
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


def _columns() -> dict[str, Setting]:
    """VGG's columns at an eighth of their width."""
    common = {
        "recipe": Recipe("adam", 1e-3, "cosine", weight_decay=1e-4, batch_size=64),
        "epochs": 30,
        "data": flipped_32,
    }
    columns = {"A": "vgg11", "B": "vgg13", "C": "vgg16_1x1", "D": "vgg16", "E": "vgg19"}
    options = SIDE_32 | {"num_classes": 10, "width": 1 / 8, "initialization": "he"}
    return {column: Setting(name, options=options, **common) for column, name in columns.items()}


TOY_DEPTH = {
    "recipe": Recipe(learning_rate=0.05, schedule=((20, 0.005), (30, 0.0005)), weight_decay=1e-4, batch_size=64),
    "epochs": 40,
    "data": flipped_32,
}

CIFAR10 = {  # 64,000 steps of 128 images, as in the paper's section 4.2, on 45,000 of the 50,000 training images
    "recipe": Recipe(learning_rate=0.1, schedule=((91, 0.01), (136, 0.001)), weight_decay=1e-4, batch_size=128),
    "epochs": 182,
    "data": cifar10,
}

EXPERIMENTS = {
    "depth_toy_scenes": Experiment(
        "Plain and residual networks of three depths on toy scenes",
        "on CIFAR-10 the plain network of 56 layers ends above that of 20, in training too (He et al. 2016, Figure 6)",
        _depth(("plain_small", "resnet_small"), (8, 20, 32), SIDE_32, **TOY_DEPTH),
    ),
    "depth_thrice": Experiment(
        "Plain networks on toy scenes, trained three times as long: is the deeper one only slow?",
        "three times the iterations do not remove the degradation (He et al. 2016, section 4.1, footnote)",
        _depth(("plain_small",), (8, 32), SIDE_32, **_lasting(TOY_DEPTH, 120, ((60, 0.005), (90, 0.0005)))),
        seeds=1,
    ),
    "depth_cifar10": Experiment(
        "Plain and residual networks of two depths on CIFAR-10, by the paper's recipe",
        "test error of ResNet-20 8.75 %, of ResNet-56 6.97 % (He et al. 2016, Table 6)",
        {name: Setting(name, **CIFAR10) for name in ("plain20", "plain56", "resnet20", "resnet56")},
    ),
    "resnet20_cifar10": Experiment(
        "ResNet-20 on CIFAR-10, by the paper's recipe",
        "test error 8.75 % (He et al. 2016, Table 6)",
        {"resnet20": Setting("resnet20", **CIFAR10)},
    ),
    "resnet20_cifar10_short": Experiment(
        "ResNet-20 on CIFAR-10, 1,408 of the paper's 64,000 iterations: what two CPU cores can do",
        "with all 64,000 iterations a test error of 8.75 % (He et al. 2016, Table 6)",
        {"resnet20": Setting("resnet20", **_lasting(CIFAR10, 4, ((2, 0.01), (3, 0.001))))},
        seeds=1,
    ),
    "alexnet_ablation": Experiment(
        "A small AlexNet on toy scenes, with each of its tricks taken away in turn",
        "top-1 error: normalization 1.4 points, overlapping pooling 0.4 points, PCA color over 1 point "
        "(Krizhevsky et al. 2012, sections 3.3, 3.4 and 4.1)",
        _ablation(),
    ),
    "vgg_kernels": Experiment(
        "One convolution of 7×7 against three of 3×3",
        "five 5×5 layers for ten 3×3 cost 7 points of top-1 error (Simonyan and Zisserman 2015, section 4.1)",
        _kernels(),
    ),
    "vgg_depth": Experiment(
        "VGG's columns A to E, an eighth as wide, on toy scenes",
        "top-5 error 10.4, 9.9, 9.4, 8.8 and 9.0 % (Simonyan and Zisserman 2015, Table 3)",
        _columns(),
    ),
}

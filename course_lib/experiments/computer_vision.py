"""The experiments of lesson 01, on toy scenes: what shuffling the pixels costs, and what each difficulty costs.

Recipes were chosen on the 2,000 validation images; the test images are looked at once, after the last epoch.
"""

import dataclasses
import functools
from collections.abc import Callable

import keras
import numpy as np
from keras import layers

from course_lib import datasets
from course_lib.batching import Split
from course_lib.datasets import toy_scenes
from course_lib.experiments.data import centered_parts
from course_lib.experiments.experiment import Experiment, Parts, Setting, data_id
from course_lib.training import Recipe


@data_id("toy_scenes/64")
def scenes() -> tuple[Split, Split, Split]:
    """Toy scenes, 64×64; trained on 12,000, watched on 2,000 of validation, tested on 2,000."""
    data = datasets.load("toy_scenes")
    return data.train, data.validation, data.test


@functools.cache
def hard_ends() -> dict[str, Split]:
    """The first 1,000 test scenes again, as they are and with one knob after the other turned to its hard end."""
    count = 1_000
    seed = toy_scenes.SEEDS["test"]
    ends = {"none": {}} | toy_scenes.HARD_ENDS
    rendered = {name: toy_scenes.render(toy_scenes.sample(count, seed, **end)) for name, end in ends.items()}
    return {name: Split(each.images, each.labels) for name, each in rendered.items()}


@dataclasses.dataclass(frozen=True)
class Linear(Setting):
    """A linear classifier: one dense layer on the pixels."""

    def build(self) -> Callable:
        """The builder that `train` takes."""
        return lambda: keras.Sequential([keras.Input((64, 64, 3)), layers.Flatten(), layers.Dense(10)])


@data_id("toy_scenes/32, first 4000")
def as_they_are() -> Parts:
    """Toy scenes, 32×32, from -2 to 2; trained on the first 4,000, validated on 2,000, tested on 2,000."""
    data = datasets.load("toy_scenes/32")
    return centered_parts(data.train.take(4_000), data.validation, data.test)


@data_id("toy_scenes/32, first 4000, pixels shuffled")
def shuffled() -> Parts:
    """As they are, but the pixels of every picture are in one new order, the same for all pictures."""
    order = np.random.default_rng(0).permutation(32 * 32)
    data = datasets.load("toy_scenes/32")
    parts = []
    for part in (data.train.take(4_000), data.validation, data.test):
        images, labels = part.arrays()
        parts.append(Split(images.reshape(-1, 32 * 32, 3)[:, order].reshape(images.shape), labels))
    return centered_parts(*parts)


@data_id("toy_scenes/32, first 2000, left or right of the middle")
def sides() -> Parts:
    """Toy scenes, 32×32, from -2 to 2, labeled by whether the object is right of the middle.

    Trained on the first 2,000, validated on 2,000, tested on 2,000.
    """
    return centered_parts(*_with_sides())


@data_id("toy_scenes/32, first 2000, left or right of the middle, with coordinates")
def sides_with_coordinates() -> Parts:
    """As sides, with two more channels: the column and the row of each pixel, from -1 to 1."""
    return tuple(part.with_transform(_add_coordinates) for part in sides())


def _with_sides() -> list[Split]:
    data = datasets.load("toy_scenes/32")
    parts = {"train": data.train.take(2_000), "validation": data.validation, "test": data.test}
    labeled = []
    for name, part in parts.items():
        scenes_of_part = toy_scenes.scenes_of(name)[: len(part)]
        labeled.append(Split(part.arrays()[0], np.array([scene.shift_x > 0 for scene in scenes_of_part], int)))
    return labeled


def _add_coordinates(images):
    """Images of `sides`, and behind their channels the column and the row."""
    line = keras.ops.linspace(-1.0, 1.0, 32)
    shape = (*keras.ops.shape(images)[:-1], 1)
    columns = keras.ops.broadcast_to(keras.ops.reshape(line, (1, 1, 32, 1)), shape)
    rows = keras.ops.broadcast_to(keras.ops.reshape(line, (1, 32, 1, 1)), shape)
    return keras.ops.concatenate([images, columns, rows], axis=-1)


def side_net(*, average: bool, channels: int = 3) -> keras.Model:
    """Two convolutions and a dense layer that says left or right; `average` takes each map's mean before it."""
    reading = layers.GlobalAveragePooling2D() if average else layers.Flatten()
    maps = []
    for filters in (16, 32):
        maps += [layers.Conv2D(filters, 3, activation="relu", kernel_initializer="he_normal"), layers.MaxPooling2D(2)]
    return keras.Sequential([keras.Input((32, 32, channels)), *maps, reading, layers.Dense(2)])


def _left_or_right() -> dict[str, Setting]:
    recipe = Recipe("adam", 2e-3, "cosine", batch_size=32, steps_per_execution=8)
    return {
        "keeps places": Setting(side_net, recipe, 10, sides, {"average": False}),
        "averages": Setting(side_net, recipe, 10, sides, {"average": True}),
        "averages, with coordinates": Setting(
            side_net, recipe, 10, sides_with_coordinates, {"average": True, "channels": 5}
        ),
    }


def dense_net() -> keras.Model:
    """A dense network with one hidden layer of 128 units."""
    hidden = layers.Dense(128, activation="relu", kernel_initializer="he_normal")
    return keras.Sequential([keras.Input((32, 32, 3)), layers.Flatten(), hidden, layers.Dense(10)])


def last_validation_accuracy(run: dict[str, object]) -> float:
    """To choose a learning rate by: minus the validation accuracy after the last epoch."""
    return -run["history"]["val_accuracy"][-1]


def _shuffled_pixels() -> dict[str, Setting]:
    """Each network on the pictures as they are and shuffled, with each of several learning rates."""
    small = {"image_shape": (32, 32, 3), "num_classes": 10, "dropout": 0}
    networks = {
        "dense": (dense_net, {}, (1e-4, 3e-4, 1e-3, 3e-3)),
        "convolutional": ("cnn_small", small, (3e-4, 1e-3, 3e-3, 1e-2)),
    }
    return {
        f"{name}, {order}, rate {rate:g}": Setting(
            network,
            Recipe("adam", rate, "cosine", batch_size=32, steps_per_execution=8),
            epochs=10,
            data=data,
            options=options,
            group=f"{name}, {order}",
        )
        for name, (network, options, rates) in networks.items()
        for order, data in {"as they are": as_they_are, "shuffled": shuffled}.items()
        for rate in rates
    }


OPEN_PLACES = ("beach", "lake", "meadow")
BUILT_PLACES = ("room", "yard")
CALM = {"tilt": 0.0, "distractors": 0, "occlusion": 0.0}  # so that little else than the place differs


@data_id("toy_scenes/32, 2000 calm ones on beach, lake and meadow")
def open_places() -> Parts:
    """Calm toy scenes on beach, lake and meadow, 32×32, from -2 to 2.

    2,000 to train on, 1,000 for validation, 1,000 for the test. Calm: upright, uncovered, without other objects.
    """
    return _in_places(OPEN_PLACES)


@data_id("toy_scenes/32, 2000 calm ones in room and yard")
def built_places() -> Parts:
    """As open_places, in room and yard: the same objects, light and cameras."""
    return _in_places(BUILT_PLACES)


@functools.cache
def both_places() -> dict[str, Split]:
    """The test images in both kinds of place: they differ in nothing but the background."""
    return {"in the open": open_places()[2], "between walls": built_places()[2]}


@functools.cache
def _in_places(places: tuple[str, ...]) -> Parts:
    counts = {31: 2_000, 32: 1_000, 33: 1_000}  # seed of the scenes → how many
    rendered = [
        toy_scenes.render(toy_scenes.sample(count, seed, background=list(places), **CALM), 32)
        for seed, count in counts.items()
    ]
    return centered_parts(*(Split(each.images, each.labels) for each in rendered))


SMALL = {"image_shape": (32, 32, 3), "num_classes": 10, "dropout": 0}
CNN = Recipe("adam", 2e-3, "cosine", batch_size=32, steps_per_execution=8)
SGD = Recipe(learning_rate=0.1, schedule="cosine", weight_decay=1e-4, batch_size=128)
COMMON = {"data": scenes, "also": hard_ends}
EXPERIMENTS = {
    "shuffled_pixels": Experiment(
        "A dense and a convolutional network on pictures as they are and with their pixels shuffled",
        "to a fully connected network the order of its inputs does not matter (LeCun et al. 1998, section II)",
        _shuffled_pixels(),
        best=last_validation_accuracy,
    ),
    "left_or_right": Experiment(
        "Left or right of the middle? Networks that keep places, average over them, or average with coordinates",
        "a convolutional network learns coordinates badly unless it is given them (Liu et al. 2018, arXiv 1807.03247)",
        _left_or_right(),
    ),
    "places": Experiment(
        "A small convolutional network trained in one kind of place, and tested in both",
        "networks trained on ImageNet do worse on photographs from other countries (Shankar et al. 2017)",
        {
            "in the open": Setting("cnn_small", CNN, 12, open_places, SMALL, also=both_places),
            "between walls": Setting("cnn_small", CNN, 12, built_places, SMALL, also=both_places),
        },
    ),
    "toy_scenes_baselines": Experiment(
        "A linear classifier, a small convolutional network and a small residual one on toy scenes",
        "none: the pictures are this course's own",
        {
            "linear": Linear("linear", Recipe("adam", 1e-4, "cosine", batch_size=128), epochs=20, **COMMON),
            "cnn_small": Setting("cnn_small", Recipe("adam", 1e-3, "cosine", batch_size=64), epochs=15, **COMMON),
            "resnet_small": Setting("resnet_small", SGD, epochs=20, **COMMON),
        },
    ),
}

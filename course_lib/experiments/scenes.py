"""The experiments on toy scenes: how far a linear classifier and two networks get, and what each knob costs.

Recipes were chosen on the 2,000 validation images; the test images are looked at once, after the last epoch.
"""

import dataclasses
import functools
from collections.abc import Callable

import keras
from keras import layers

from course_lib import datasets
from course_lib.batching import Split
from course_lib.datasets import toy_scenes
from course_lib.experiments.experiment import Experiment, Setting, data_id
from course_lib.training import Recipe


@data_id("toy_scenes/64")
def scenes() -> tuple[Split, Split, Split]:
    """Toy scenes, 64×64; trained on 12,000, watched on 2,000 of validation, tested on 2,000."""
    data = datasets.load("toy_scenes")
    return data.train, data.validation, data.test


@functools.cache
def hard_ends() -> dict[str, Split]:
    """The first 1,000 test scenes again, as they are and with one knob after the other turned to its hard end."""
    count, seed = 1_000, toy_scenes.SEEDS["test"]
    ends = {"none": {}} | toy_scenes.HARD_ENDS
    rendered = {name: toy_scenes.render(toy_scenes.sample(count, seed, **end)) for name, end in ends.items()}
    return {name: Split(each.images, each.labels) for name, each in rendered.items()}


@dataclasses.dataclass(frozen=True)
class Linear(Setting):
    """A linear classifier: one dense layer on the pixels."""

    def build(self) -> Callable:
        return lambda: keras.Sequential([keras.Input((64, 64, 3)), layers.Flatten(), layers.Dense(10)])


SGD = Recipe(learning_rate=0.1, schedule="cosine", weight_decay=1e-4, batch_size=128)
COMMON = {"data": scenes, "also": hard_ends}
EXPERIMENTS = {
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

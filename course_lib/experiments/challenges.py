"""The experiments of lesson 02: what more training images bring, and digits against scenes, with as many steps for all.

The recipe was chosen on the 2,000 validation images; the test images are looked at once, after the last epoch.
"""

import numpy as np

from course_lib import datasets
from course_lib.batching import Split
from course_lib.experiments.data import centered_parts
from course_lib.experiments.experiment import Experiment, Parts, Setting, data_id
from course_lib.training import Recipe

SHOWN = 8_000  # images per epoch: the different ones, repeated as often as needed


@data_id("toy_scenes/32, 125 repeated to 8000")
def first_125() -> Parts:
    """Toy scenes, 32×32, from -2 to 2.

    Trained on the first 125, repeated to 8,000 per epoch, validated on 2,000, tested on 2,000.
    """
    return _repeated(125)


@data_id("toy_scenes/32, 500 repeated to 8000")
def first_500() -> Parts:
    """As first_125, but trained on the first 500."""
    return _repeated(500)


@data_id("toy_scenes/32, 2000 repeated to 8000")
def first_2000() -> Parts:
    """As first_125, but trained on the first 2,000."""
    return _repeated(2_000)


@data_id("toy_scenes/32, first 8000")
def first_8000() -> Parts:
    """As first_125, but trained on the first 8,000, each once per epoch."""
    return _repeated(8_000)


@data_id("toy_scenes/32, 2000 repeated to 8000, random labels")
def random_labels() -> Parts:
    """As first_2000, but each training image has a label drawn at random."""
    return _repeated(2_000, labels=np.random.default_rng(0).integers(10, size=2_000))


@data_id("mnist/32 gray in three channels, 2000 repeated to 8000")
def digits_2000() -> Parts:
    """MNIST in a frame of 32×32, gray in three channels, from -2 to 2.

    Trained on the first 2,000, repeated to 8,000 per epoch, validated on 2,000, tested on 2,000.
    """
    data = datasets.load("mnist")
    parts = []
    for part in (data.train, data.validation, data.test):
        images, labels = (each[:2_000] for each in part.arrays())
        framed = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)))
        parts.append((np.repeat(framed, 3, axis=-1), labels))
    shown = np.resize(np.arange(2_000), SHOWN)
    train = Split(parts[0][0][shown], parts[0][1][shown])
    return centered_parts(train, Split(*parts[1]), Split(*parts[2]))


def _repeated(count: int, labels: np.ndarray | None = None) -> Parts:
    data = datasets.load("toy_scenes/32")
    images, given = (part[:count] for part in data.train.arrays())
    shown = np.resize(np.arange(count), SHOWN)
    train = Split(images[shown], (given if labels is None else labels)[shown])
    return centered_parts(train, data.validation, data.test)


SMALL = {"image_shape": (32, 32, 3), "num_classes": 10, "dropout": 0}
RECIPE = Recipe("adam", 2e-3, "cosine", batch_size=32, steps_per_execution=8)


def _settings() -> dict[str, Setting]:
    data = {
        "125": first_125,
        "500": first_500,
        "2000": first_2000,
        "8000": first_8000,
        "2000, random labels": random_labels,
    }
    return {name: Setting("cnn_small", RECIPE, epochs=6, data=each, options=SMALL) for name, each in data.items()}


EXPERIMENTS = {
    "training_set_size": Experiment(
        "A small convolutional network trained on 125 to 8,000 toy scenes, 1,500 steps each",
        "networks fit random labels (Zhang et al. 2017, arXiv 1611.03530, section 2)",
        _settings(),
    ),
    "digits_or_scenes": Experiment(
        "The same small network on 2,000 digits, with as many training steps as on 2,000 toy scenes",
        "none: the comparison is this course's own",
        {"digits": Setting("cnn_small", RECIPE, epochs=6, data=digits_2000, options=SMALL)},
    ),
}

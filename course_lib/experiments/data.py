"""The data that several experiments train on, each with the name by which records know it."""

import numpy as np

from course_lib import datasets
from course_lib.batching import Split
from course_lib.experiments.experiment import Parts, data_id

FLIPPED = (datasets.RandomCrop(32, padding=4), datasets.RandomFlip())


@data_id("mnist/framed, first 20000")
def some_digits() -> Parts:
    """MNIST in the 32×32 frame; trained on the first 20,000, watched on 10,000 of validation, tested on 10,000."""
    mnist = datasets.load("mnist")
    parts = (mnist.train.take(20_000), mnist.validation, mnist.test)
    return tuple(part.with_transform(datasets.paper_frame) for part in parts)


@data_id("toy_scenes/32, first 3000, flipped and shifted")
def flipped_32() -> Parts:
    """Toy scenes, 32×32, from -2 to 2.

    Trained on the first 3,000, each pass newly flipped and cropped out of a frame of 4 pixels, watched on 2,000 of
    validation, tested on 2,000.
    """
    return _flipped(datasets.load("toy_scenes/32"), 3_000)


@data_id("cifar10, flipped and shifted")
def cifar10() -> Parts:
    """CIFAR-10, from -2 to 2.

    Trained on 45,000, each pass newly flipped and cropped out of a frame of 4 pixels, watched on 5,000 of validation,
    tested on 10,000 (in the course's own copy after JPEG, quality about 75).
    """
    return _flipped(datasets.load("cifar10"), 45_000)


@data_id("toy_scenes/56, first 3000")
def cropped() -> Parts:
    """Toy scenes, of 64×64 the middle 56×56, from -2 to 2.

    Trained on the first 3,000, watched on 2,000 of validation, tested on 2,000.
    """
    data = datasets.load("toy_scenes")
    parts = (data.train.take(3_000), data.validation, data.test)
    return centered_parts(*(part.with_transform(middle) for part in parts))


@data_id("toy_scenes/56, first 3000, augmented as AlexNet")
def augmented() -> Parts:
    """Toy scenes, 64×64, from -2 to 2.

    Trained on the first 3,000, each pass newly cropped to 56×56, flipped and shifted in color, watched on 2,000 of
    validation, tested on 2,000, of which the middle 56×56.
    """
    train = datasets.load("toy_scenes").train.take(3_000)
    color = datasets.PCAColor.of(train.arrays()[0])
    for transform in (datasets.RandomCrop(56), datasets.RandomFlip(), color, centered):
        train = train.with_transform(transform)
    return train, *cropped()[1:]


def _flipped(data: datasets.ImageDataset, examples: int) -> Parts:
    return centered_parts(data.train.take(examples), data.validation, data.test, *FLIPPED)


def middle(images):
    """The middle 56×56 pixels."""
    return datasets.RandomCrop(56)(images, None)


def centered_parts(train: Split, validation: Split, test: Split, *transforms) -> Parts:
    """The three parts from -2 to 2, that to train on changed by `transforms` before."""
    for transform in transforms:
        train = train.with_transform(transform)
    return tuple(part.with_transform(centered) for part in (train, validation, test))


def centered(images):
    """From 0…1 to −2…2."""
    return 4 * images - 2


@data_id("toy_scenes/16, first 3000")
def scenes_16() -> Parts:
    """Toy scenes, 16×16 (means of 2×2 pixels of those of 32×32), from -2 to 2.

    Trained on the first 3,000 without augmentation, validated on 2,000, tested on 2,000.
    """
    data = datasets.load("toy_scenes/32")
    return centered_parts(*(_halved(part) for part in (data.train.take(3_000), data.validation, data.test)))


def _halved(split: Split) -> Split:
    images, labels = split.arrays()
    count, height, width, channels = images.shape
    blocks = images.reshape(count, height // 2, 2, width // 2, 2, channels)
    return Split(np.rint(blocks.mean(axis=(2, 4))).astype(np.uint8), labels)

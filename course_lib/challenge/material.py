"""The images of a challenge: rendered in secret, from a data set, or from a folder of the instructor's own."""

import csv
import dataclasses
import pathlib
import secrets

import numpy as np

QUICK, FULL = ("toy_scenes/quick32", 500), ("toy_scenes/32", 2_000)  # what is trained on, number of test images
SIDE = 64  # pixels, which pictures from a folder are scaled and cut to
FEWEST = 200  # images in a folder

Arrays = tuple[np.ndarray, np.ndarray]  # images (n, height, width, channels) uint8, labels (n,) int64


@dataclasses.dataclass(frozen=True)
class Material:
    """What a challenge is made of."""

    class_names: tuple[str, ...]
    train: Arrays
    validation: Arrays
    test: Arrays
    warning: str = ""  # for all to read


def gather(name: str, quick: bool, test_images: int | None) -> Material:
    """The material of the challenge `name`; see `making.make`."""
    if pathlib.Path(name).is_dir():
        return _from_folder(pathlib.Path(name), test_images)
    from course_lib import datasets
    from course_lib.datasets import toy_scenes

    if name != "toy_scenes":
        data = datasets.load(name)
        test = shuffled(data.test.arrays(), test_images)
        warning = f"The test labels of {name} are public: this challenge rests on nobody looking them up."
        return Material(data.class_names, data.train.arrays(), data.validation.arrays(), test, warning)
    training, usual = QUICK if quick else FULL
    data = datasets.load(training)
    seed = [secrets.randbits(32) for _ in range(8)]  # too many to try them all and render the answers
    rendered = toy_scenes.render(toy_scenes.sample(test_images or usual, seed), data.image_shape[0])
    return Material(data.class_names, data.train.arrays(), data.validation.arrays(), (rendered.images, rendered.labels))


def _from_folder(folder: pathlib.Path, test_images: int | None) -> Material:
    """A fifth or `test_images` for the test, a tenth for validation, drawn in secret; classes in alphabetical order."""
    from PIL import Image, ImageOps

    with (folder / "labels.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if len(rows) < FEWEST or not {"file", "label"} <= set(rows[0]):
        raise ValueError(
            f"labels.csv must begin with the line file,label and name {FEWEST} images or more, one a line."
        )
    class_names = tuple(sorted({row["label"] for row in rows}))
    images = []
    for row in rows:
        with Image.open(folder / row["file"]) as image:  # the error names the file
            images.append(np.asarray(ImageOps.fit(ImageOps.exif_transpose(image).convert("RGB"), (SIDE, SIDE))))
    labels = np.array([class_names.index(row["label"]) for row in rows])
    images, labels = shuffled((np.stack(images), labels), None)
    test = test_images or max(100, len(rows) // 5)
    if test > len(rows) // 2:
        raise ValueError(f"Of {len(rows)} images at most half can be test images, not {test}.")
    bounds = ((test + len(rows) // 10, None), (test, test + len(rows) // 10), (0, test))
    return Material(class_names, *((images[start:stop], labels[start:stop]) for start, stop in bounds))


def shuffled(pair: Arrays, count: int | None) -> Arrays:
    """The first `count`, or all, in an order that nobody can know."""
    if count is not None and count > len(pair[1]):
        raise ValueError(f"There are {len(pair[1])} test images, not {count}.")
    order = secret().permutation(len(pair[1]))[:count]
    return pair[0][order], pair[1][order]


def secret() -> np.random.Generator:
    """Random numbers that start from 256 bits of the operating system's."""
    return np.random.default_rng(secrets.randbits(256))

"""The images of a challenge: rendered in secret, from a data set, or from a folder of the instructor's own."""

import collections
import csv
import dataclasses
import os
import pathlib
import secrets

import numpy as np

from course_lib import common

QUICK, FULL = ("toy_scenes/quick32", 500), ("toy_scenes/32", 2_000)  # what is trained on, number of test images
SIDE = 64  # pixels, which pictures from a folder are scaled and cut to
FEWEST, FEWEST_OF_CLASS = 200, 10  # images in a folder
FORM = (
    f"A folder for a challenge holds pictures and labels.csv: the first line is file,label, and {FEWEST} or more "
    "others name a picture's file and its class, for example 17.png,cat."
)

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
        data = _public_set(name)
        test = shuffled(data.test.arrays(), test_images)
        warning = f"The test labels of {name} are public: this challenge rests on nobody looking them up."
        return Material(data.class_names, data.train.arrays(), data.validation.arrays(), test, warning)
    training, usual = QUICK if quick else FULL
    data = datasets.load(training)
    seed = [secrets.randbits(32) for _ in range(8)]  # too many to try them all and render the answers
    rendered = toy_scenes.render(toy_scenes.sample(test_images or usual, seed), data.image_shape[0])
    return Material(data.class_names, data.train.arrays(), data.validation.arrays(), (rendered.images, rendered.labels))


def _public_set(name: str):
    """The data set `name`, whose test labels anybody can have."""
    from course_lib import datasets
    from course_lib.datasets import builders, errors

    wanted = builders.parsed(name)
    if wanted and wanted.set == "toy_scenes":  # its known test labels are not meant: a challenge renders new ones
        raise common.unknown("challenge", name, ["toy_scenes"])
    try:
        return datasets.load(name)
    except errors.UnknownSetError:
        known = common.unknown("challenge", name, datasets.CATALOG)
        raise ValueError(f"{known} There is no folder {name!r} here either.") from None


def _from_folder(folder: pathlib.Path, test_images: int | None) -> Material:
    """A fifth or `test_images` for the test, a tenth for validation, drawn in secret; classes in alphabetical order."""
    pictures, named = zip(*_labels(folder), strict=True)
    class_names = tuple(sorted(set(named)))
    images = [_picture(folder, picture) for picture in pictures]
    labels = np.array([class_names.index(label) for label in named])
    images, labels = shuffled((np.stack(images), labels), None)
    test = test_images or max(100, len(labels) // 5)
    if test > len(labels) // 2:
        raise ValueError(f"Of {len(labels)} images at most half can be test images, not {test}.")
    bounds = ((test + len(labels) // 10, None), (test, test + len(labels) // 10), (0, test))
    return Material(class_names, *((images[start:stop], labels[start:stop]) for start, stop in bounds))


def _labels(folder: pathlib.Path) -> list[tuple[str, str]]:
    """The rows of `labels.csv`, each a picture's file and its class, once it is clear that a challenge can be made."""
    path = folder / "labels.csv"
    if not path.is_file():
        raise FileNotFoundError(f"{folder.absolute()} holds no labels.csv. {FORM}")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = [(reader.line_num, row.get("file"), row.get("label")) for row in reader]
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text. Save it as CSV UTF-8.") from None
    except csv.Error as error:
        raise ValueError(f"{path} is no CSV file ({error}). {FORM}") from None
    if len(rows) < FEWEST or not {"file", "label"} <= set(reader.fieldnames):
        raise ValueError(f"{path} has {len(rows)} rows below the line {','.join(reader.fieldnames or ())!r}. {FORM}")
    for line, *cells in rows:
        if not all(cell and cell.strip() for cell in cells):
            raise ValueError(f"Line {line} of {path} lacks a file or a label. {FORM}")
    pairs = [(os.path.normpath(picture.strip()), label.strip()) for _, picture, label in rows]
    _check_counts(path, pairs)
    return pairs


def _check_counts(path: pathlib.Path, pairs: list[tuple[str, str]]) -> None:
    """Refuses pictures that are named twice, a single class, and classes too small to be divided."""
    from course_lib.datasets.files import some

    files, classes = (collections.Counter(each) for each in zip(*pairs, strict=True))
    twice = [file for file, count in files.items() if count > 1]
    few = [f"{label} has {count}" for label, count in classes.items() if count < FEWEST_OF_CLASS]
    faults = []
    if twice:
        faults.append(f"Pictures are named more than once, so that training and test would share them: {some(twice)}.")
    if len(classes) < 2:
        faults.append(f"All pictures are of one class, {some([*classes])}: a challenge needs two or more.")
    if few:
        faults.append(f"A class needs {FEWEST_OF_CLASS} pictures, to train on and to test: {some(few)}.")
    if faults:
        raise ValueError(f"{path} makes no challenge. {' '.join(faults)}")


def _picture(folder: pathlib.Path, name: str) -> np.ndarray:
    from course_lib.datasets.folder import square

    try:
        return np.asarray(square(folder / name, SIDE)[0])
    except FileNotFoundError:
        raise FileNotFoundError(f"labels.csv names {name}, but {folder.absolute()} holds no such file.") from None
    except Exception as error:  # Pillow raises many kinds for a file that is damaged or too large
        raise ValueError(f"the picture {folder / name} cannot be read: {error}") from error


def shuffled(pair: Arrays, count: int | None) -> Arrays:
    """The first `count`, or all, in an order that nobody can know."""
    if count is not None and count > len(pair[1]):
        raise ValueError(f"There are {len(pair[1])} test images, not {count}.")
    order = secret().permutation(len(pair[1]))[:count]
    return pair[0][order], pair[1][order]


def secret() -> np.random.Generator:
    """Random numbers that start from 256 bits of the operating system's."""
    return np.random.default_rng(secrets.randbits(256))

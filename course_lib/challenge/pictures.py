"""A challenge from a folder of pictures and a `labels.csv`: read, checked, and divided."""

import collections
import csv
import os
import pathlib
import secrets

import numpy as np

from course_lib.challenge.near_copies import SIDE, near_copies

FEWEST = 400  # images in a folder
FEWEST_OF_CLASS = 10
FEWEST_TEST = 200
FORM = (
    f"A folder for a challenge holds pictures and labels.csv: the first line is file,label, and {FEWEST} or more "
    "others name a picture's file and its class, for example 17.png,cat."
)

Arrays = tuple[np.ndarray, np.ndarray]  # images (n, height, width, channels) uint8, labels (n,) int64


def secret() -> np.random.Generator:
    """Random numbers that start from 256 bits of the operating system's."""
    return np.random.default_rng(secrets.randbits(256))


def divided(folder: pathlib.Path, test_images: int | None) -> tuple[tuple[str, ...], Arrays, Arrays, Arrays, str]:
    """Class names in alphabetical order; training, validation and test pictures, drawn in secret; a remark for all.

    A fifth of the pictures or `test_images` are for the test, a tenth for validation. Copies and near copies stay on
    the same side; `near_copies` says which are found.

    Raises:
        ValueError, FileNotFoundError: pictures or labels that make no challenge; the message says why.
    """
    pairs = _labels(folder)
    class_names = tuple(sorted({label for _, label in pairs}))
    images = np.stack([_picture(folder, picture) for picture, _ in pairs])
    labels = np.array([class_names.index(label) for _, label in pairs])
    _check_copies(images, pairs)
    test = test_images or max(FEWEST_TEST, len(labels) // 5)
    if test > len(labels) // 2:
        raise ValueError(f"Of {len(labels)} images at most half can be test images, not {test}.")
    groups = near_copies(images)
    places = _deal(groups, (test, len(labels) // 10))
    if len(places[0]) < test:
        raise ValueError(
            f"Too many of these pictures are near copies of one another: only {len(places[0])} of {test} test pictures "
            "could be drawn without dividing a group of copies. Add pictures of other objects."
        )
    parts = [(images[part], labels[part]) for part in (places[2], places[1], places[0])]
    copies = len(groups) - len(set(groups))
    remark = (
        f"{copies} images are near copies of others: saved again, brighter, gray, mirrored, turned by quarters, or "
        "mostly also where they are moved by up to 3% or cut by up to 5%. Copies are in the same part: training, "
        "validation or test."
    )
    return class_names, *parts, remark if copies else ""


def _deal(groups: np.ndarray, sizes: tuple[int, int]) -> list[np.ndarray]:
    """The numbers of the pictures for the test, for validation and the rest: whole groups, drawn in secret."""
    members = collections.defaultdict(list)
    for number, group in enumerate(groups):
        members[group].append(number)
    drawn = [[], [], []]
    for group in secret().permutation(list(members)):
        for part, size in enumerate((*sizes, len(groups))):
            if len(drawn[part]) + len(members[group]) <= size:
                drawn[part] += members[group]
                break
    return [secret().permutation(np.array(part, np.int64)) for part in drawn]


def _check_copies(images: np.ndarray, pairs: list[tuple[str, str]]) -> None:
    """Refuses a picture that is there under two labels."""
    from course_lib.datasets.files import some

    seen: dict[bytes, tuple[str, str]] = {}
    contrary = []
    for image, (name, label) in zip(images, pairs, strict=True):
        first, other = seen.setdefault(image.tobytes(), (name, label))
        if other != label:
            contrary.append(f"{first} is {other} and {name} is {label}")
    if contrary:
        raise ValueError(f"The same picture has two labels: {some(contrary)}. Correct labels.csv.")


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

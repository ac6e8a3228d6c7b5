"""The challenge folder: `public/` for the teams, `private/` with the labels, which only the server reads.

`challenge.json` is written last: without it there is no challenge.
"""

import contextlib
import hashlib
import json
import numbers
import os
import pathlib
import secrets

import numpy as np

from course_lib import common
from course_lib.challenge import material
from course_lib.challenge.store import Store

ABOUT, DATABASE = "public/challenge.json", "challenge.sqlite"
FEWEST = 100  # test images: of fewer, the scores would soon give away the labels


def make(
    folder: pathlib.Path,
    name: str,
    *,
    quick: bool = False,
    test_images: int | None = None,
    human: float | None = None,
    daily_limit: int = 10,
) -> None:
    """Makes the folder of the challenge `name`, unless it is there.

    Args:
        name: "toy_scenes", another set that `datasets.load` knows, or a folder of images with a `labels.csv`.
        quick: 2,000 training images and 500 test images of toy scenes, not 12,000 and 2,000.
        test_images: another number of test images; half of them count for the public score.
        human: a person's accuracy, from 0 to 1, for a line of its own.
        daily_limit: submissions a team may make a day.

    Raises:
        ValueError: an unknown name, a folder that holds something else, or images or labels that do not fit.
        FileNotFoundError: a data set or an image that is not here.
    """
    if not isinstance(name, (str, os.PathLike)) or not str(name):
        raise ValueError(f'name must be "toy_scenes", a data set or a folder of images, not {name!r}')
    short = os.path.basename(os.path.abspath(name))
    _check_place(folder)
    if (folder / ABOUT).is_file():
        if (present := describe(folder)["name"]) != short:
            raise ValueError(f"{folder} holds the challenge {present!r}, not {short!r}. Name another folder.")
        return
    if folder.is_dir() and any(folder.iterdir()):
        raise ValueError(f"{folder} holds other files, or half of a challenge. Name a new folder, or delete that one.")
    common.at_least(1, daily_limit=daily_limit)
    common.at_least(FEWEST, test_images=FEWEST if test_images is None else test_images)
    if human is not None and not (_is_number(human) and 0 <= human <= 1):
        raise ValueError(f"a person's accuracy must be a share from 0 to 1, not {human!r}")
    _write(folder, material.gather(str(name), quick, test_images), {"name": short, "daily_limit": daily_limit}, human)


def describe(folder: pathlib.Path) -> dict[str, object]:
    """What everybody may know of the challenge in `folder`. Raises FileNotFoundError where there is none."""
    if not (folder / ABOUT).is_file():
        raise FileNotFoundError(f"{folder} holds no challenge. `python -m course_lib challenge serve` makes one.")
    return json.loads((folder / ABOUT).read_text(encoding="utf-8"))


def opened(folder: pathlib.Path) -> contextlib.closing[Store]:
    """The memory of the challenge in `folder`, for a `with` block; it serves the thread that opened it."""
    about, private = describe(folder), folder / "private"
    with np.load(private / "labels.npz") as kept:
        labels, public = kept["labels"], kept["public"]
    return contextlib.closing(Store(private / DATABASE, labels, public, about["daily_limit"]))


def halves(labels: np.ndarray) -> np.ndarray:
    """Which test images make the public half: drawn in secret, half of every class, `(n,)` bool."""
    random, public = material.secret(), np.zeros(len(labels), bool)
    shuffled = random.permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    public[by_class[random.integers(2) :: 2]] = True
    return public


def _check_place(folder: pathlib.Path) -> None:
    present = next((place for place in (folder, *folder.absolute().parents) if place.exists()), folder)
    if not present.is_dir():
        raise ValueError(f"{present} is a file; a challenge is kept in a folder. Name a new one.")


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _write(folder: pathlib.Path, made: material.Material, rules: dict[str, object], human: float | None) -> None:
    private = folder / "private"
    (folder / "public").mkdir(parents=True)
    private.mkdir(mode=0o700)
    images, labels = made.test
    files, public = {}, halves(labels)
    for part, arrays in {"train": made.train, "validation": made.validation, "test": [images]}.items():
        path = folder / "public" / f"{part}.npz"
        np.savez_compressed(path, **dict(zip(("images", "labels"), arrays, strict=False)))  # no labels of the test
        files[part] = hashlib.sha256(path.read_bytes()).hexdigest()
    np.savez(private / "labels.npz", labels=labels, public=public)
    about = {"id": secrets.token_hex(8), "class_names": made.class_names, "image_shape": images.shape[1:]}
    about |= {"test_images": len(labels), "public_images": int(public.sum()), "warning": made.warning, "files": files}
    with contextlib.closing(Store(private / DATABASE, labels, public, rules["daily_limit"])) as store:
        constant = np.full((len(labels), 1), np.bincount(made.train[1]).argmax())
        store.enter("Constant (one class)", "baseline", store.score(constant))  # no team may use parentheses
        store.enter("Nearest mean (of pixels)", "baseline", store.score(_nearest_mean(made.train, images)))
        if human is not None:
            store.enter("Human (measured)", "human", {"public": human, "private": human})
    common.write_json(folder / ABOUT, rules | about)


def _nearest_mean(train: material.Arrays, test: np.ndarray) -> np.ndarray:
    """The class whose mean training image is nearest, a linear classifier: `(n, 1)` int64."""
    means = np.stack([train[0][train[1] == label].mean(0).ravel() for label in np.unique(train[1])])
    return (test.reshape(len(test), -1) @ means.T - (means**2).sum(1) / 2).argmax(1)[:, None]

"""The challenge folder: `public/` for the teams, `private/` with the labels, which only the server reads.

`challenge.json` is written last: without it there is no challenge.
"""

import contextlib
import hashlib
import json
import math
import numbers
import os
import pathlib
import secrets
import shutil
import zipfile

import numpy as np

from course_lib import common
from course_lib.challenge import database, material, teams
from course_lib.challenge.pictures import Arrays, secret
from course_lib.challenge.store import PATIENCE, Store

ABOUT = "public/challenge.json"
DATABASE = "challenge.sqlite"
UNREADABLE = "{path} may not be read. Give yourself the right to read it."
FEWEST = 200  # test images, half of them public: of fewer, the scores would soon give away the labels
DAYS = 3  # the limit in all, in daily limits, unless the public half is too small for that
LEVELS = (100, 50, 25)  # a public score is a multiple of 1/100, or of a coarser step where a picture weighs more
FEWEST_PER_LEVEL = 2.4  # pictures: one right label more is mostly not seen
DESCRIBED = {"id": str, "name": str, "daily_limit": int, "class_names": list, "image_shape": list, "test_images": int}
DESCRIBED |= {"public_images": int, "warning": str, "files": dict}
# What challenges of the first edition had, whose description does not say so.
FIRST_EDITION = {"total_limit": None, "score_levels": 100, "entry": teams.OPEN, "pseudonyms": False}


def make(
    folder: pathlib.Path,
    name: str,
    *,
    quick: bool = False,
    test_images: int | None = None,
    human: float | None = None,
    daily_limit: int = 10,
    total_limit: int | None = None,
    codes: int = 0,
    roster: list[str] | None = None,
    pseudonyms: bool = False,
) -> None:
    """Makes the folder of the challenge `name`, unless it is there.

    Args:
        folder: where it is made.
        name: "toy_scenes", another set that `datasets.load` knows, or a folder of images with a `labels.csv`.
        quick: 2,000 training images and 500 test images of toy scenes, not 12,000 and 2,000.
        test_images: another number of test images; half of them count for the public score.
        human: a person's accuracy, from 0 to 1, for a line of its own.
        daily_limit: submissions per team and day.
        total_limit: submissions per team in all; None: three daily limits, or fewer: see `most_submissions`.
        codes: how many teams may enter, each with a code on paper; 0: entry is open, unless there is a roster.
        roster: names of the teams that may enter, each with a code on paper.
        pseudonyms: whether the board shows a pseudonym for each team.

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
        _check_description(folder)
        raise ValueError(f"{folder} holds other files, or half of a challenge. Name a new folder.")
    common.at_least(1, daily_limit=daily_limit, total_limit=1 if total_limit is None else total_limit)
    common.at_least(FEWEST, test_images=FEWEST if test_images is None else test_images)
    common.at_least(0, codes=codes)
    for what, count in {"codes": codes, "teams of a roster": len(roster or [])}.items():
        if count > teams.MOST_CODES:
            raise ValueError(f"{what} must be at most {teams.MOST_CODES:,}, not {count:,}")
    if human is not None and not (_is_number(human) and 0 <= human <= 1):
        raise ValueError(f"a person's accuracy must be a share from 0 to 1, not {human!r}")
    entry = teams.CODES if codes or roster else teams.OPEN
    rules = {"name": short, "daily_limit": daily_limit, "total_limit": total_limit, "entry": entry}
    made = material.gather(str(name), quick, test_images)
    try:
        _write(folder, made, rules | {"pseudonyms": pseudonyms}, human, roster or [None] * codes)
    except BaseException:
        for part in ("public", "private"):  # nothing was there before
            shutil.rmtree(folder / part, ignore_errors=True)
        raise


def describe(folder: pathlib.Path) -> dict[str, object]:
    """What everybody may know of the challenge in `folder`.

    Raises:
        FileNotFoundError: there is none.
        ValueError: its description is damaged, or alone is missing.
    """
    if not (folder / ABOUT).is_file():
        _check_description(folder)
        raise FileNotFoundError(f"{folder} holds no challenge. `python -m course_lib challenge serve` makes one.")
    try:
        about = FIRST_EDITION | json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if all(isinstance(about[name], kind) for name, kind in DESCRIBED.items()):
            return about
    except PermissionError:
        raise ValueError(UNREADABLE.format(path=folder / ABOUT)) from None
    except (ValueError, TypeError, KeyError):
        pass
    raise ValueError(f"{folder / ABOUT} is damaged. Put it back from the newest folder of `backup`.")


def opened(folder: pathlib.Path, patience: float = PATIENCE, reading: bool = False) -> contextlib.closing[Store]:
    """The memory of the challenge in `folder`, for a `with` block; it serves the thread that opened it.

    Args:
        folder: where the challenge is.
        patience: seconds to wait while another program writes.
        reading: whether nothing will be written, so that a folder that may only be read will do.

    Raises:
        FileNotFoundError, ValueError: there is no challenge, or a file of it is missing or damaged.
    """
    about = describe(folder)
    path = folder / "private" / "labels.npz"
    try:
        with np.load(path) as kept:
            labels = kept["labels"]
            public = kept["public"]
    except PermissionError:
        raise ValueError(UNREADABLE.format(path=path)) from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        raise ValueError(f"{path} is missing or damaged. Put it back from the newest folder of `backup`.") from None
    if (len(labels), int(public.sum())) != (about["test_images"], about["public_images"]):
        raise ValueError(f"{path} belongs to another challenge. Put it back from the newest folder of `backup`.")
    return contextlib.closing(Store(path.with_name(DATABASE), labels, public, about, patience, reading))


def halves(labels: np.ndarray) -> np.ndarray:
    """Which test images make the public half: drawn in secret, half of every class, `(n,)` bool."""
    random = secret()
    public = np.zeros(len(labels), bool)
    shuffled = random.permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    public[by_class[random.integers(2) :: 2]] = True
    return public


def score_levels(public_images: int) -> int:
    """In how many steps a public score goes from 0 to 1, so that a step is about three pictures or more."""
    return next((levels for levels in LEVELS if public_images / levels >= FEWEST_PER_LEVEL), LEVELS[-1])


def most_submissions(public_images: int, classes: int) -> int:
    """How many answers hold at most half as many bits as the public labels, whatever a team sends.

    Each answer is one of so many levels, and with six classes or more a second one for top-5.
    """
    bits = math.log2(score_levels(public_images) + 1) * (2 if classes > 5 else 1)
    return max(1, int(public_images * math.log2(classes) / 2 / bits))


def _check_place(folder: pathlib.Path) -> None:
    present = next((place for place in (folder, *folder.absolute().parents) if place.exists()), folder)
    if not present.is_dir():
        raise ValueError(f"{present} is a file; a challenge is kept in a folder. Name a new one.")


def _check_description(folder: pathlib.Path) -> None:
    """Raises ValueError where the description alone is missing: what the teams sent is still there."""
    if (folder / "private" / DATABASE).is_file():
        raise ValueError(
            f"{folder / ABOUT} is missing. Put it back from the newest folder of `backup`: {folder / 'private'} still "
            "holds the teams and what they sent. If nobody has entered this challenge yet, make one in a new folder."
        )


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _write(
    folder: pathlib.Path, made: material.Material, rules: dict, human: float | None, entrants: list[str | None]
) -> None:
    """Writes the folder; `entrants` are the teams that get a code, None where the team is not known yet."""
    private = folder / "private"
    (folder / "public").mkdir(parents=True)
    private.mkdir(mode=0o700)
    images, labels = made.test
    public = halves(labels)
    files = {}
    for part, arrays in {"train": made.train, "validation": made.validation, "test": [images]}.items():
        path = folder / "public" / f"{part}.npz"
        np.savez_compressed(path, **dict(zip(("images", "labels"), arrays, strict=False)))  # no labels of the test
        files[part] = hashlib.sha256(path.read_bytes()).hexdigest()
    np.savez(private / "labels.npz", labels=labels, public=public)
    public_images = int(public.sum())
    rules["score_levels"] = score_levels(public_images)
    if rules["total_limit"] is None:
        most = most_submissions(public_images, len(made.class_names))
        rules["total_limit"] = min(DAYS * rules["daily_limit"], most)
    about = rules | {"id": secrets.token_hex(8), "class_names": made.class_names, "image_shape": images.shape[1:]}
    about |= {"test_images": len(labels), "public_images": public_images, "warning": made.warning, "files": files}
    database.create(private / DATABASE)
    with contextlib.closing(Store(private / DATABASE, labels, public, about)) as store:
        constant = np.full((len(labels), 1), np.bincount(made.train[1]).argmax())
        store.enter("Constant (one class)", "baseline", store.score(constant))  # no team may use parentheses
        store.enter("Nearest mean (of pixels)", "baseline", store.score(_nearest_mean(made.train, images)))
        if human is not None:
            store.enter("Human (measured)", "human", {"public": human, "private": human})
        with store.database.transaction():
            for entrant in entrants:
                store.teams.add_code(entrant and store.teams.add(entrant, reserved=filter(None, entrants)))
    common.write_json(folder / ABOUT, about)


def _nearest_mean(train: Arrays, test: np.ndarray) -> np.ndarray:
    """The class whose mean training image is nearest, a linear classifier: `(n, 1)` int64."""
    means = np.stack([train[0][train[1] == label].mean(0).ravel() for label in np.unique(train[1])])
    return (test.reshape(len(test), -1) @ means.T - (means**2).sum(1) / 2).argmax(1)[:, None]

"""The challenge folder: `public/` for the teams, `private/` with the labels, which only the server reads.

It is made beside its place and moved there when it is whole, so a stopped start leaves nothing half-made.
"""

import csv
import dataclasses
import hashlib
import json
import os
import pathlib
import secrets
import shutil

import numpy as np

from course_lib import common
from course_lib.challenge.store import Store

QUICK, FULL = ("toy_scenes/quick32", 500), ("toy_scenes/32", 2_000)  # training images, number of test images
SIZE = 32  # pixels a side of toy scenes: what 100 students can download at once
FOLDER_SIZE = 64  # of pictures from a folder of any sizes
LINEAR_IMAGES = 2_000  # that the linear baseline learns from
Arrays = tuple[np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Material:
    """What a challenge is made of: images uint8 `(n, height, width, channels)` with labels int64 `(n,)`."""

    class_names: tuple[str, ...]
    train: Arrays
    validation: Arrays
    test: Arrays
    warning: str = ""


def make(
    folder: pathlib.Path,
    name: str,
    *,
    quick: bool = False,
    test_images: int | None = None,
    daily_limit: int = 10,
    decimals: int = 2,
) -> None:
    """Makes the folder of the challenge `name`, unless it is there.

    Args:
        name: "toy_scenes", another set that `datasets.load` knows, or a folder of images with a `labels.csv`
            (`file,label`).
        quick: 2,000 training images and 500 test images of toy scenes, not 12,000 and 2,000.
        test_images: another number of test images; half of them count for the public score.
        daily_limit, decimals: see `Store`.

    Raises:
        ValueError: an unknown name, a folder that holds another challenge, or images or labels that do not fit.
        FileNotFoundError: a data set that is not here and cannot be fetched.
    """
    if (folder / "public" / "challenge.json").is_file():
        if (present := describe(folder)["name"]) != _short(name):
            raise ValueError(f"{folder} holds the challenge {present!r}, not {_short(name)!r}. Name another folder.")
        return
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder} holds other files, but no challenge. Name a new folder.")
    common.at_least(1, daily_limit=daily_limit)
    common.at_least(0, decimals=decimals)
    if test_images is not None:
        common.at_least(20, test_images=test_images)
    material = _material(name, quick, test_images)
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    (new / "public").mkdir(parents=True)
    (new / "private").mkdir(mode=0o700)
    _write(new, _short(name), material, daily_limit, decimals)
    if folder.exists():
        folder.rmdir()
    new.replace(folder)


def describe(folder: pathlib.Path) -> dict[str, object]:
    """What everybody may know of the challenge in `folder`.

    Raises:
        FileNotFoundError: there is none.
    """
    path = folder / "public" / "challenge.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} holds no challenge. This makes one: python -m course_lib challenge serve toy_scenes --data {folder}"
        )
    return json.loads(path.read_text(encoding="utf-8"))


def open_store(folder: pathlib.Path) -> Store:
    """The memory of the challenge in `folder`, and its labels."""
    about = describe(folder)
    with np.load(folder / "private" / "labels.npz") as kept:
        labels, public = kept["labels"], kept["public"]
    return Store(folder / "private" / "challenge.sqlite", labels, public, about["daily_limit"], about["decimals"])


def _short(name: str) -> str:
    return pathlib.Path(name).name


def _material(name: str, quick: bool, count: int | None) -> Material:
    if pathlib.Path(name).is_dir():
        return _from_folder(pathlib.Path(name), count)
    from course_lib import datasets

    if name == "toy_scenes":
        return _toy_scenes(*(QUICK if quick else FULL), count)
    data = datasets.load(name)
    test = _shuffled(data.test.arrays(), count)
    public = f"The labels of {name}'s test images are public: this challenge rests on nobody looking them up."
    return Material(data.class_names, data.train.arrays(), data.validation.arrays(), test, public)


def _toy_scenes(training: str, usual: int, count: int | None) -> Material:
    """Test scenes drawn with 256 secret bits: too many to try all seeds and render the answers."""
    from course_lib import datasets
    from course_lib.datasets import toy_scenes

    data = datasets.load(training)
    seed = [secrets.randbits(32) for _ in range(8)]
    rendered = toy_scenes.render(toy_scenes.sample(count or usual, seed), SIZE)
    return Material(
        data.class_names, data.train.arrays(), data.validation.arrays(), (rendered.images, rendered.labels)
    )


def _from_folder(folder: pathlib.Path, count: int | None) -> Material:
    """A tenth for validation, a fifth (or `count`) for the test, drawn in secret; classes in alphabetical order."""
    from PIL import Image, ImageOps

    with (folder / "labels.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"file", "label"} <= set(rows[0]):
        raise ValueError(f"{folder / 'labels.csv'} must begin with the line file,label and name one image a line.")
    class_names = tuple(sorted({row["label"] for row in rows}))
    side = (FOLDER_SIZE, FOLDER_SIZE)
    images = []
    for row in rows:
        with Image.open(folder / row["file"]) as image:  # names the file where it cannot be read
            images.append(np.asarray(ImageOps.fit(ImageOps.exif_transpose(image).convert("RGB"), side)))
    everything = np.stack(images), np.array([class_names.index(row["label"]) for row in rows], np.int64)
    images, labels = _shuffled(everything, None)
    test = count or len(labels) // 5
    rest = len(labels) - test
    if rest < 2 * len(class_names) or test < 20:
        raise ValueError(f"{len(labels)} images are too few for a challenge: at least 100 are needed.")
    cut = rest - rest // 9
    parts = [(images[a:b], labels[a:b]) for a, b in ((0, cut), (cut, rest), (rest, None))]
    return Material(class_names, *parts)


def _shuffled(pair: Arrays, count: int | None) -> Arrays:
    """The first `count`, or all, in an order that nobody can know."""
    images, labels = pair
    if count is not None and count > len(labels):
        raise ValueError(f"There are {len(labels)} test images, not {count}.")
    order = _secret().permutation(len(labels))[:count]
    return images[order], labels[order]


def _secret() -> np.random.Generator:
    return np.random.default_rng(secrets.randbits(256))


def _write(folder: pathlib.Path, name: str, material: Material, daily_limit: int, decimals: int) -> None:
    test_images, labels = material.test
    public = halves(labels, len(material.class_names))
    contents = {
        "train": dict(zip(("images", "labels"), material.train, strict=True)),
        "validation": dict(zip(("images", "labels"), material.validation, strict=True)),
        "test": {"images": test_images},
    }
    for part, arrays in contents.items():
        np.savez_compressed(folder / "public" / f"{part}.npz", **arrays)
    np.savez(folder / "private" / "labels.npz", labels=labels, public=public)
    os.chmod(folder / "private" / "labels.npz", 0o600)
    about = {
        "name": name,
        "id": secrets.token_hex(8),
        "class_names": list(material.class_names),
        "image_shape": list(test_images.shape[1:]),
        "test_images": len(labels),
        "public_images": int(public.sum()),
        "daily_limit": daily_limit,
        "decimals": decimals,
        "warning": material.warning,
        "files": {part: _fingerprint(folder / "public" / f"{part}.npz") for part in contents},
    }
    common.write_json(folder / "public" / "challenge.json", about)
    store = open_store(folder)
    for baseline, predicted in _baselines(material).items():
        hits = predicted == labels
        scores = {"public": round(float(hits[public].mean()), decimals), "private": float(hits[~public].mean())}
        store.enter(baseline, "baseline", scores)
    store.close()


def halves(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Which test images make the public half: drawn in secret, as many of each class as of the other half, `(n,)` bool."""
    random, public = _secret(), np.zeros(len(labels), bool)
    order = np.concatenate([random.permutation(np.flatnonzero(labels == each)) for each in range(num_classes)])
    public[order[random.integers(2) :: 2]] = True
    return public


def _baselines(material: Material) -> dict[str, np.ndarray]:
    """What anybody reaches without a network: the most frequent class, and least squares on the pixels."""
    images, labels = (each[:LINEAR_IMAGES] for each in material.train)
    num_classes, pixels = len(material.class_names), images.reshape(len(images), -1).astype(np.float32) / 255
    center = pixels.mean(0)
    pixels -= center
    kernel = pixels @ pixels.T
    kernel[np.diag_indices_from(kernel)] += np.trace(kernel) / len(kernel) * 10  # strongly regularized
    weights = pixels.T @ np.linalg.solve(kernel, np.eye(num_classes, dtype=np.float32)[labels])
    test_images = material.test[0]
    test = test_images.reshape(len(test_images), -1).astype(np.float32) / 255 - center
    most_frequent = np.bincount(material.train[1], minlength=num_classes).argmax()
    return {
        "one class for all": np.full(len(test_images), most_frequent),
        "linear on pixels": (test @ weights).argmax(1),
    }


def _fingerprint(path: pathlib.Path) -> dict[str, object]:
    content = path.read_bytes()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}

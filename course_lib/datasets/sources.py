"""`load`: a data set by name or a folder of pictures, cut into training, validation and test images.

Where a source has no validation split it is cut from the end of the training set, always the same examples.
"""

import os
import re
import textwrap

import numpy as np

from course_lib import common
from course_lib.batching import Split
from course_lib.datasets.builders import folder_damage, open_builder, parsed
from course_lib.datasets.dataset_info import DATASETS, DIGITS, DatasetInfo, ImageDataset
from course_lib.datasets.download import fetch
from course_lib.datasets.errors import DamagedDataError, MissingDataError, UnknownSetError, UnusableTfdsError
from course_lib.datasets.folder import load_folder
from course_lib.datasets.reading import Arrays, Keys, read
from course_lib.datasets.tfds_import import QuietAbsl, import_tfds

USED_SPLITS = ("train", "validation", "test")
Path = str | os.PathLike


def load(
    name: Path,
    *,
    data_dir: Path | None = None,
    offline: bool | None = None,
    side: int | None = None,
    fit: str | None = None,
) -> ImageDataset:
    """Loads a data set by name, or a folder of pictures, in three splits: training, validation and test.

    `load("mnist")` or `load("./pictures")`.

    Args:
        name: a name in `DATASETS`, however it is spelled ("MNIST", "CIFAR-10", "mnist:3.0.1"); any TFDS set of images
            with one label each; "digits", which is MNIST, or scikit-learn's UCI digits where MNIST can neither be
            found nor downloaded (a printed line says so); or a folder with one folder of pictures per class (see
            `course_lib.datasets.folder`): a path, or a text that looks like one ("./pictures", "~/pictures", "my
            pictures") or names a folder that is here.
        data_dir: TFDS's folder; None is TFDS's own choice (`TFDS_DATA_DIR`, else `~/tensorflow_datasets`).
        offline: True never opens a connection; None asks `COURSE_OFFLINE`.
        side: to how many pixels a folder's pictures are scaled; None is 64. Other sets come in a size of their own.
        fit: how a folder's pictures become squares: "crop" (or None) cuts out the middle, "pad" adds gray.

    Raises:
        ValueError: an unknown name (with the nearest known), a set without images and labels, a damaged folder
            (`DamagedDataError`), an argument of another kind, or a folder to be cut that has fewer than ten
            pictures in a class (`read_folder` takes fewer).
        FileNotFoundError: no such folder; or the set is not here and cannot be downloaded (the message says both
            ways on), or TFDS cannot be imported (says what to type).
    """
    if offline not in (None, True, False):
        raise ValueError(f"offline must be True, False, or None to ask COURSE_OFFLINE, not {offline!r}")
    if _is_path(name):
        if data_dir is not None:
            raise ValueError(f"data_dir is for sets by name; {name} is a folder: give its whole path as the name")
        return load_folder(name, 64 if side is None else side, "crop" if fit is None else fit)
    for argument, value in {"side": side, "fit": fit}.items():
        if value is not None:
            raise ValueError(
                f"{argument}={value!r} is for a folder of pictures; {name} comes in a size of its own: leave it out"
            )
    wanted = parsed(name)
    if wanted and wanted.plain == "digits":
        return _digits(data_dir, offline)
    if wanted and wanted.plain == "uci_digits":
        return _uci_digits()
    with QuietAbsl():
        return _from_tfds(name, data_dir, common.offline() if offline is None else offline)


def _is_path(name: object) -> bool:
    """Whether `name` is a folder's, there or not, rather than a set's; says so where it could be both."""
    if isinstance(name, os.PathLike):
        return True
    if not isinstance(name, str) or not name.strip():
        return False
    if "://" in name:
        raise ValueError(f"{name} is an address: download and unpack it, then load the folder")
    if re.match(r"[/\\.~]|\w:[/\\]", name):
        return True
    wanted = parsed(name)
    if wanted and wanted.set in (*DATASETS, "digits"):
        if os.path.isdir(name):
            print(f"{name}: the data set of that name; the folder of that name is './{name}'")
        return False
    no_name = wanted is None and ":" not in name  # "pets.zip"; what has a colon may be a set of others in TFDS
    return no_name or os.path.exists(name) or bool(re.search(r"[\s\\]|/$", name))


def _digits(data_dir: Path | None, offline: bool | None) -> ImageDataset:
    try:
        return load("mnist", data_dir=data_dir, offline=offline)
    except (DamagedDataError, MissingDataError) as error:
        mend = f" {error.ways_on}" if isinstance(error, UnusableTfdsError) else ""
        print(f"UCI digits (8×8 handwriting from scikit-learn) stand in for MNIST: {error.reason}.{mend}")
        return _uci_digits()


def _uci_digits() -> ImageDataset:
    """1,797 digits, enlarged to MNIST's 20×20 box in 28×28; the order is kept, for neighbors share a writer."""
    import tensorflow as tf
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    enlarged = tf.image.resize(images.reshape(-1, 8, 8, 1) * (255 / 16), (20, 20), method="bicubic").numpy()
    boxed = np.pad(np.clip(np.rint(enlarged), 0, 255).astype(np.uint8), ((0, 0), (4, 4), (4, 4), (0, 0)))
    train, validation, _ = DATASETS["uci_digits"].counts
    parts = [
        Split(boxed[part], labels[part])
        for part in (slice(train), slice(train, train + validation), slice(train + validation, None))
    ]
    return ImageDataset("uci_digits", (28, 28, 1), DIGITS, *parts)


def _from_tfds(name: str, data_dir: Path | None, offline: bool) -> ImageDataset:
    """The set of that name, downloaded and prepared where it is not here."""
    wanted = parsed(name)
    try:
        builder = open_builder(name, data_dir)
    except UnknownSetError:
        if isinstance(name, str) and "/" in name and ":" not in name:
            return load_folder(name)  # says that there is no such folder
        raise
    except UnusableTfdsError as error:
        if wanted.info:
            raise
        nowhere = f"{name} is no folder here, and not a set of images that the course has without TFDS"
        raise UnusableTfdsError(f"{nowhere}. {error.reason}", error.ways_on) from error
    keys = _image_and_label(wanted.plain, builder)
    if damage := folder_damage(builder):
        raise damage
    if not builder.is_prepared():
        fetch(builder, wanted.info.files if wanted.info else (), offline)
        builder = open_builder(name, data_dir)  # which reads what is there now, whoever prepared it
    (images, labels), validation, test = _cut(_read(wanted.plain, builder, keys), wanted.info)
    class_names = wanted.info.class_names if wanted.info else tuple(builder.info.features[keys[1]].names)
    splits = [Split(*arrays) for arrays in ((images, labels), validation, test)]
    return ImageDataset(wanted.plain, splits[0].image_shape, class_names, *splits)


def _image_and_label(name: str, builder) -> Keys:
    """What TFDS calls the image and the label of a set. Raises ValueError where it has no such two."""
    kinds = import_tfds().features
    keys = builder.info.supervised_keys or ()
    features = builder.info.features
    if (
        len(keys) != 2
        or not isinstance(features[keys[0]], kinds.Image)
        or not isinstance(features[keys[1]], kinds.ClassLabel)
    ):
        held = textwrap.shorten(str(features), 200, placeholder=" …")
        raise ValueError(f"{name} is not a set of images with one label each: it holds {held}")
    return keys


def _read(name: str, builder, keys: Keys) -> dict[str, Arrays]:
    """The splits that have labels."""
    import tensorflow as tf

    try:
        parts = {split: read(builder, split, keys) for split in builder.info.splits if split in USED_SPLITS}
    except tf.errors.OpError as error:
        reason = re.sub(r"{{.*?}} *| *\[Op:.*", "", error.message.splitlines()[0])  # less TensorFlow's own places
        raise DamagedDataError(builder.data_path, f"is damaged: {reason}", builder.name) from error
    for split in [split for split, (_, labels) in parts.items() if len(labels) and labels.min() < 0]:
        print(f"{name}: the split {split} is left out, its labels are not public")
        del parts[split]
    if not parts:
        raise ValueError(f"{name} has none of the splits {USED_SPLITS} with labels, only {tuple(builder.info.splits)}")
    return parts


def _cut(parts: dict[str, Arrays], info: DatasetInfo | None) -> list[Arrays]:
    """Training, validation and test examples: what is missing is the last tenth of the rest, first for the test."""
    images, labels = parts.pop("train" if "train" in parts else next(iter(parts)))
    held_out = [parts[split] for split in ("validation", "test") if split in parts]
    while len(held_out) < 2:
        whole = held_out and info and sum(info.counts[:2]) == len(labels)
        cut = len(labels) - (info.counts[1] if whole else len(labels) // 10)
        held_out.insert(0, (images[cut:], labels[cut:]))
        images = images[:cut]
        labels = labels[:cut]
    return [(images, labels), *held_out]

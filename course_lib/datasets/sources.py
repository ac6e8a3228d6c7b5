"""`load`: a data set by name or a folder of pictures, cut into training, validation and test images.

Where a source has no validation split it is cut from the end of the training set, always the same examples.
"""

import logging
import os
import re

import numpy as np

from course_lib import common
from course_lib.batching import Split
from course_lib.datasets.catalog import CATALOG, DIGITS, Entry, ImageDataset
from course_lib.datasets.download import fetch
from course_lib.datasets.folder import load_folder
from course_lib.datasets.reading import DamagedDataError, advice, read

USED_SPLITS = ("train", "validation", "test")
Path = str | os.PathLike


def load(
    name: Path, *, data_dir: Path | None = None, offline: bool | None = None, side: int | None = None
) -> ImageDataset:
    """The data set `name`: one of `CATALOG`, "digits", a folder, or any TFDS set of images with one label each.

    "digits" is MNIST, and where it can neither be found nor downloaded scikit-learn's UCI digits, said in a line.
    A folder holds a folder of pictures a class (see `course_lib.datasets.folder`): a path, or a text that starts
    like one ("./pictures", "~/pictures") or names a folder that is here.

    Args:
        data_dir: TFDS's folder; None is TFDS's own choice (`TFDS_DATA_DIR`, else `~/tensorflow_datasets`).
        offline: True never opens a connection; None asks `COURSE_OFFLINE`.
        side: to how many pixels a folder's pictures are scaled; None is 64. Other sets come in a size of their own.

    Raises:
        ValueError: an unknown name (with the nearest known), a set without images and labels, a damaged folder
            (`DamagedDataError`), a `side` for a set by name, or a folder with too little in it.
        FileNotFoundError: it is not here and cannot be downloaded; the message says both ways on.
    """
    path_like = isinstance(name, os.PathLike) or re.match(r"[/\\.~]|\w:[/\\]", str(name))
    if path_like or (name not in (*CATALOG, "digits") and os.path.isdir(str(name))):
        return load_folder(name) if side is None else load_folder(name, side)
    if side is not None:
        raise ValueError(f"side={side!r} is for a folder of pictures; {name} comes in a size of its own: leave it out")
    if name == "digits":
        return _digits(data_dir, offline)
    if name == "uci_digits":
        return _uci_digits()
    with quiet_absl():
        builder = open_builder(name, data_dir)
        entry = CATALOG.get(name)
        if damage := folder_damage(builder):
            raise DamagedDataError(damage)
        if not builder.is_prepared():
            fetch(builder, entry.files if entry else (), common.offline() if offline is None else offline)
        return _from_tfds(name, builder, entry)


def open_builder(name: str, data_dir: str | os.PathLike | None = None):
    """TFDS's builder of `name`; nothing is read or downloaded yet."""
    import tensorflow_datasets as tfds
    from google.protobuf import json_format

    if not isinstance(name, str) or not re.fullmatch(r"\w+([/:].*)?", name):  # TFDS: name/config:version
        raise common.unknown("data set", name, [*CATALOG, "digits"], tfds.list_builders())
    if re.match(r"toy_scenes\b", name):
        from course_lib.datasets.toy_scenes.builder import ToyScenes  # TFDS then knows it

        config = name.partition("/")[2].partition(":")[0]
        if config and config not in ToyScenes.builder_configs:
            raise common.unknown("configuration of toy_scenes", config, ToyScenes.builder_configs)
    entry = CATALOG.get(name)
    try:
        return tfds.builder(entry.tfds_name or name if entry else name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError:
        raise common.unknown("data set", name, [*CATALOG, "digits"], tfds.list_builders()) from None
    except json_format.ParseError as error:  # TFDS reads it here already
        root = data_dir or os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
        folder = os.path.join(os.path.expanduser(root), name)
        raise DamagedDataError(f"{folder} is damaged: its dataset_info.json does not read. {advice(name)}") from error


def folder_damage(builder) -> str | None:
    """What is wrong with the builder's data folder, or None where it is whole or not there at all."""
    folder = builder.data_path
    if not folder.exists():
        return None
    if not builder.is_prepared():
        return f"{folder} is half-written: it has no dataset_info.json. {advice(builder.name)}"
    for split in builder.info.splits.values():
        for path in split.filepaths:
            if not path.exists():
                return f"{folder} is damaged: {path.name} is missing. {advice(builder.name)}"
    return None


def _digits(data_dir: str | os.PathLike | None, offline: bool | None) -> ImageDataset:
    try:
        return load("mnist", data_dir=data_dir, offline=offline)
    except (FileNotFoundError, DamagedDataError) as error:
        reason = str(error).split(". ")[0]
        print(f"UCI digits (8×8 handwriting from scikit-learn) stand in for MNIST: {reason}.")
        return _uci_digits()


def _uci_digits() -> ImageDataset:
    """1,797 digits, enlarged to MNIST's 20×20 box in 28×28; the order is kept, for neighbors share a writer."""
    import tensorflow as tf
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    enlarged = tf.image.resize(images.reshape(-1, 8, 8, 1) * (255 / 16), (20, 20), method="bicubic").numpy()
    boxed = np.pad(np.clip(np.rint(enlarged), 0, 255).astype(np.uint8), ((0, 0), (4, 4), (4, 4), (0, 0)))
    train, validation, _ = CATALOG["uci_digits"].counts
    parts = [
        Split(boxed[part], labels[part])
        for part in (slice(train), slice(train, train + validation), slice(train + validation, None))
    ]
    return ImageDataset("uci_digits", (28, 28, 1), DIGITS, *parts)


def _from_tfds(name: str, builder, entry: Entry | None) -> ImageDataset:
    import tensorflow as tf
    import tensorflow_datasets as tfds

    keys, features = builder.info.supervised_keys or (), builder.info.features
    kinds = (tfds.features.Image, tfds.features.ClassLabel)
    if len(keys) != 2 or not all(isinstance(features[key], kind) for key, kind in zip(keys, kinds, strict=True)):
        raise ValueError(f"{name} is not a set of images with one label each: it holds {features}")
    try:
        parts = {split: read(builder, split, keys) for split in builder.info.splits if split in USED_SPLITS}
    except tf.errors.OpError as error:
        reason = re.sub(r"{{.*?}} *| *\[Op:.*", "", error.message.splitlines()[0])  # less TensorFlow's own places
        raise DamagedDataError(f"{builder.data_path} is damaged: {reason}. {advice(builder.name)}") from error
    if not parts:
        raise ValueError(f"{name} has none of the splits {USED_SPLITS}, only {tuple(builder.info.splits)}")
    images, labels = parts.pop("train" if "train" in parts else next(iter(parts)))
    held_out = [parts[split] for split in ("validation", "test") if split in parts]
    while len(held_out) < 2:  # first what is missing for the test, then for validation: the last tenth of the rest
        whole = held_out and entry and sum(entry.counts[:2]) == len(labels)
        cut = len(labels) - (entry.counts[1] if whole else len(labels) // 10)
        held_out.insert(0, (images[cut:], labels[cut:]))
        images, labels = images[:cut], labels[:cut]
    class_names = entry.class_names if entry else tuple(features[keys[1]].names)
    splits = [Split(*arrays) for arrays in ((images, labels), *held_out)]
    return ImageDataset(name, splits[0].image_shape, class_names, *splits)


class quiet_absl:
    """Holds back absl's notes (TFDS says there that a set is not prepared yet), never its errors."""

    def __enter__(self) -> None:
        self.level = logging.getLogger("absl").level
        logging.getLogger("absl").setLevel(logging.ERROR)

    def __exit__(self, *_) -> None:
        logging.getLogger("absl").setLevel(self.level)

"""From TFDS's prepared records to arrays: a split at a time, pictures of one size in blocks."""

import contextlib
import os
import pathlib
import zipfile
from collections.abc import Iterator

import numpy as np

from course_lib.datasets.errors import DamagedDataError

BLOCK = 200  # pictures that are decoded side by side
SIDE = 160  # pixels; pictures of differing sizes are scaled and cut to this square

Keys = tuple[str, str]  # what TFDS calls the image and the label
Arrays = tuple[np.ndarray, np.ndarray]


def tfds_folder(builder) -> pathlib.Path:
    """The folder that holds all of TFDS's sets, the builder's among them."""
    return pathlib.Path(builder.data_path).parents[len(pathlib.Path(builder.info.full_name).parts) - 1]


def read(builder, split: str, keys: Keys) -> Arrays:
    """All images (uint8) and labels (int64) of a split, in stored order.

    Raises:
        DamagedDataError: the records hold another number of examples than they should.
        tensorflow.errors.OpError: the records do not read.
    """
    shape = builder.info.features[keys[0]].shape
    paths = [pathlib.Path(path) for path in builder.info.splits[split].filepaths]
    if None in shape or not all(".tfrecord" in path.name and path.exists() for path in paths):
        return _joined(_resized(builder, split, keys))
    kept = _kept_copy(builder, split)
    state = [(path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    if (arrays := _load_copy(kept, state)) is not None:
        return arrays
    images, labels = _joined(_blocks(paths, shape, keys))
    expected = builder.info.splits[split].num_examples
    if len(labels) != expected:
        damage = f"is damaged: {len(labels)} of {expected} {split} examples are there"
        raise DamagedDataError(builder.data_path, damage, builder.name)
    _save_copy(kept, state, images, labels)
    return images, labels


def _joined(blocks: Iterator[Arrays]) -> Arrays:
    blocks = list(blocks)
    images, labels = map(np.concatenate, zip(*blocks, strict=True)) if blocks else (np.empty(0), np.empty(0))
    return images, labels


def _kept_copy(builder, split: str) -> pathlib.Path:
    """Where the decoded arrays of a split are kept beside TFDS's folders; deleting it only costs time."""
    name = builder.info.full_name.replace("/", "-")
    return tfds_folder(builder) / "course_lib" / name / f"{split}.npz"


def _load_copy(kept: pathlib.Path, state: list) -> Arrays | None:
    """The kept arrays, if they were made of the records as they are now and read without an error."""
    try:
        with np.load(kept) as arrays:  # a ZIP file: its checksums are verified
            if arrays["state"].tolist() == [list(file) for file in state]:
                return arrays["images"], arrays["labels"]
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile):
        pass  # none, or none that can be used: the records are decoded again
    return None


def _save_copy(kept: pathlib.Path, state: list, images: np.ndarray, labels: np.ndarray) -> None:
    new = kept.with_name(f"{kept.stem}.{os.getpid()}.npz")
    with contextlib.suppress(OSError):  # a full or read-only disk: the next load decodes again, nothing is lost
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.savez(new, images=images, labels=labels, state=np.array(state))
            new.replace(kept)
        finally:
            new.unlink(missing_ok=True)


def _blocks(paths: list[pathlib.Path], shape: tuple[int, int, int], keys: Keys) -> Iterator[Arrays]:
    """Blocks of pictures of one size, parsed together and decoded side by side: no loop over single pictures."""
    import tensorflow as tf

    types = {keys[0]: tf.io.FixedLenFeature((), tf.string), keys[1]: tf.io.FixedLenFeature((), tf.int64)}

    def decode(records: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        block = tf.io.parse_example(records, types)
        count = tf.size(records)
        files = block[keys[0]]
        files = tf.concat([files, tf.repeat(files[:1], BLOCK - count)], 0)  # the last block is filled up
        decoded = [tf.io.decode_image(file, shape[-1], expand_animations=False) for file in tf.unstack(files, BLOCK)]
        return tf.ensure_shape(tf.stack(decoded), (BLOCK, *shape))[:count], block[keys[1]]

    records = tf.data.TFRecordDataset([str(path) for path in paths])
    return records.batch(BLOCK).map(decode, num_parallel_calls=tf.data.AUTOTUNE).as_numpy_iterator()


def _resized(builder, split: str, keys: Keys) -> Iterator[Arrays]:
    """Pictures of any size, the shorter side scaled to `SIDE` and the middle square kept."""
    import tensorflow as tf

    fixed = builder.info.features[keys[0]].shape

    def square(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        if None in fixed:
            size = tf.cast(tf.shape(image)[:2], tf.float32)
            scaled = tf.cast(tf.math.ceil(size * (SIDE / tf.reduce_min(size))), tf.int32)
            image = tf.image.resize(image, scaled, antialias=True)
            image = tf.image.resize_with_crop_or_pad(image, SIDE, SIDE)
        return tf.cast(tf.clip_by_value(tf.round(tf.cast(image, tf.float32)), 0, 255), tf.uint8), label

    pictures = builder.as_dataset(split=split, as_supervised=True, shuffle_files=False)
    return pictures.map(square, num_parallel_calls=tf.data.AUTOTUNE).batch(256).as_numpy_iterator()

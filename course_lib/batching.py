"""Labeled images in memory, and one reproducible pass over them as batches.

A leaf beside `common`: `datasets` hands out `Split` objects, `training` wraps a student's own arrays in one.
"""

import dataclasses
import inspect
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from course_lib import common

FLOAT_RANGE = (-5.0, 5.0)  # wide enough for standardized images, too narrow for 0 to 255


class Split:
    """Images and labels of one part of a data set, kept once, and how they are prepared for a network.

    Args:
        images: `(n, height, width, channels)`, uint8 from 0 to 255, or floating point within `FLOAT_RANGE`.
        labels: `(n,)`, whole numbers from 0.

    Raises:
        ValueError: images of another shape, type or range, or as many labels as there are not images.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray):
        images, labels = np.asarray(images), np.asarray(labels)
        _check_images(images)
        if labels.shape != images.shape[:1] or not np.issubdtype(labels.dtype, np.integer):
            raise ValueError(
                f"labels must be one whole number an image, shape ({len(images)},), "
                f"not {labels.dtype} of shape {labels.shape}"
            )
        if images.dtype != np.uint8:
            images = images.astype(np.float32)
        with tf.device("CPU:0"):  # in the computer's memory; only batches travel to a GPU
            self._images, self._labels = tf.constant(images), tf.constant(labels, tf.int64)
        self._transforms: tuple[Callable, ...] = ()

    def __len__(self) -> int:
        return int(self._labels.shape[0])

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """`(height, width, channels)` of a prepared image, transforms included."""
        height, width, channels = self._prepare(self._images[:1], None).shape[1:]
        return int(height), int(width), int(channels)

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """The images as they came, `(n, height, width, channels)` uint8, and their labels, int64; no copies."""
        return np.asarray(memoryview(self._images)), np.asarray(memoryview(self._labels))

    def prepared(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Images `start` to `stop` as a network gets them in evaluation: float32 arrays."""
        return self._prepare(self._images[start:stop], None).numpy()

    def take(self, count: int) -> "Split":
        """The first `count` examples, prepared alike."""
        common.at_least(1, count=count)
        return self._like(self._images[:count], self._labels[:count])

    def joined(self, other: "Split") -> "Split":
        """These examples followed by `other`'s, prepared as these are.

        Raises:
            ValueError: images of another shape or type.
        """
        if other._images.shape[1:] != self._images.shape[1:] or other._images.dtype != self._images.dtype:
            mine, its = ((split._images.shape[1:], split._images.dtype.name) for split in (self, other))
            raise ValueError(f"only splits with images of one shape and type can be joined, not {mine} and {its}")
        return self._like(tf.concat([self._images, other._images], 0), tf.concat([self._labels, other._labels], 0))

    def with_transform(self, transform: Callable) -> "Split":
        """The same examples, each batch also passed through `transform` (after any given before).

        `transform(images)` or `transform(images, draws)` takes and returns float32
        `(batch, height, width, channels)` tensors. `draws` is a `Draws` while training and None in evaluation,
        when a random transform leaves the images as they are.
        """
        split = self._like(self._images, self._labels)
        split._transforms = (*self._transforms, _with_draws(transform))
        return split

    def batches(
        self,
        batch_size: int,
        *,
        training: bool,
        epoch: int | tf.Variable = 0,
        seed: int = 0,
        shard: tuple[int, int] = (0, 1),
    ) -> tf.data.Dataset:
        """One pass: `(images, labels)` batches, float32 and int64, whose content depends on the arguments alone.

        In training the order is a new permutation of all examples for each (seed, epoch) and transforms may draw
        random numbers; otherwise it is the stored order. uint8 images become floats from 0 to 1. The last batch
        holds what is left over. `shard=(i, n)` yields every n-th example of each batch from its i-th on, none
        where it has too few. An integer `tf.Variable` as `epoch` is read when a pass begins, so that one dataset
        serves every epoch: making one takes a tenth of a second.

        Raises:
            ValueError: `batch_size` below 1, or a shard that is not among its n.
        """
        common.at_least(1, batch_size=batch_size)
        common.at_least(0, seed=seed, **({} if isinstance(epoch, tf.Variable) else {"epoch": epoch}))
        part, parts = shard
        if not 0 <= part < parts:
            raise ValueError(f"shard must be (i, n) with 0 <= i < n, not {shard}")
        steps, streams = -(-len(self) // batch_size), len(self._transforms)

        def begin(_: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            if not training:
                return tf.range(len(self), dtype=tf.int64), tf.zeros((0, 2), tf.uint32)
            order, keys = tf.numpy_function(
                lambda now: (_order(seed, now, len(self)), _keys(seed, now, streams)),
                [tf.cast(epoch, tf.int64)],
                [tf.int64, tf.uint32],
                stateful=False,
            )
            return tf.ensure_shape(order, [len(self)]), tf.ensure_shape(keys, [streams, 2])

        def cut(order: tf.Tensor, keys: tf.Tensor) -> tf.data.Dataset:
            numbers = tf.data.Dataset.range(steps)
            return numbers.map(lambda k: (order[k * batch_size : (k + 1) * batch_size][part::parts], keys))

        def batch(indices: tf.Tensor, keys: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            draws = Draws(seed, epoch, indices, keys=keys) if training else None
            return self._prepare(tf.gather(self._images, indices), draws), tf.gather(self._labels, indices)

        # Whole batches are gathered: a gather per example would cost some twenty times as much.
        passes = tf.data.Dataset.range(1).map(begin).flat_map(cut).map(batch, num_parallel_calls=tf.data.AUTOTUNE)
        return passes.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(tf.data.AUTOTUNE)

    def _prepare(self, images: tf.Tensor, draws: "Draws | None") -> tf.Tensor:
        if images.dtype == tf.uint8:
            images = tf.cast(images, tf.float32) * (1 / 255)
        for position, transform in enumerate(self._transforms):
            images = transform(images, draws and dataclasses.replace(draws, stream=position))
        return images

    def _like(self, images: tf.Tensor, labels: tf.Tensor) -> "Split":
        split = object.__new__(type(self))
        split._images, split._labels, split._transforms = images, labels, self._transforms
        return split


@dataclasses.dataclass(frozen=True)
class Draws:
    """The random numbers of one batch: each a function of (seed, epoch, example index, transform) alone.

    So an example's distortion is the same whatever the batch size, the order or the machine it is met on.
    """

    seed: int
    epoch: int | tf.Variable
    indices: tf.Tensor  # (batch,) int64, positions in the split
    stream: int = 0  # which transform of the chain draws
    keys: tf.Tensor | None = None  # (streams, 2) uint32, where the epoch's are at hand

    def uniform(self, count: int) -> tf.Tensor:
        """`count` numbers for each example: float32 `(batch, count)` in [0, 1)."""
        keys = _keys(self.seed, self.epoch, self.stream + 1) if self.keys is None else self.keys
        first, second = keys[self.stream][0], keys[self.stream][1]
        columns = _mix(tf.range(count, dtype=tf.int32), first)
        rows = _mix(self.indices, second)
        return tf.cast(_shift(_mix(rows[:, None] ^ columns, second), 8), tf.float32) * 2.0**-24


def _order(seed: int, epoch: int, count: int) -> np.ndarray:
    """The order of an epoch: `(count,)` int64."""
    return np.random.Generator(np.random.Philox(key=[seed, int(epoch)])).permutation(np.arange(count))


def _keys(seed: int, epoch: int, streams: int) -> np.ndarray:
    """What sets an epoch's random numbers apart from all others: `(streams, 2)` uint32."""
    return np.random.Philox(key=[seed, int(epoch)]).random_raw(streams).view(np.uint32).reshape(-1, 2)


def _mix(numbers: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
    """A 32-bit integer hash in which each bit depends on all bits (C. Wellons' `lowbias32`, keyed)."""
    x = tf.cast(numbers, tf.uint32) + key
    x = (x ^ _shift(x, 16)) * np.uint32(0x21F0AAAD)
    x = (x ^ _shift(x, 15)) * np.uint32(0xD35A2D97)
    return x ^ _shift(x, 15)


def _shift(x: tf.Tensor, bits: int) -> tf.Tensor:
    return tf.bitwise.right_shift(x, tf.constant(bits, tf.uint32))


def _with_draws(transform: Callable) -> Callable:
    """`transform` as a function of (images, draws), whichever of the two forms it came in."""
    if not callable(transform):
        raise ValueError(f"a transform is a function of images (and draws), not {transform!r}")
    required = [each for each in inspect.signature(transform).parameters.values() if each.default is each.empty]
    positional = [each for each in required if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    return transform if len(positional) > 1 else lambda images, draws: transform(images)


def _check_images(images: np.ndarray) -> None:
    if images.ndim != 4 or 0 in images.shape:
        raise ValueError(f"images must have the shape (n, height, width, channels), none of them 0, not {images.shape}")
    if images.dtype != np.uint8:
        check_range(images)


def check_range(images: np.ndarray) -> None:
    """Checks that images for a network are floating point within `FLOAT_RANGE`.

    Raises:
        ValueError: of another type, or with values beyond it.
    """
    low, high = FLOAT_RANGE
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(f"images must be uint8 (0 to 255) or floating point, not {images.dtype}")
    least, most = float(images.min()), float(images.max())
    if not (low <= least and most <= high):  # also where a value is NaN
        raise ValueError(
            f"floating-point images must lie between {low:g} and {high:g} (0 to 1 is usual), but these go from "
            f"{least:g} to {most:g}: pass them as uint8, or scale them"
        )

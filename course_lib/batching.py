"""Labeled images in memory, and the reproducible batches of an epoch.

A leaf beside `common`: `datasets` hands out `Split` objects, `training` wraps a student's own arrays in one.
"""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from course_lib import common
from course_lib.array_checks import check_images, check_value_range
from course_lib.draws import Draws, keys_of, order_of
from course_lib.label_checks import class_numbers
from course_lib.transform_checks import check_transform, with_draws

LARGEST_SEED = 2**63


class Split:
    """Images and labels of one part of a data set, stored once, and the transforms that prepare them for a network.

    Args:
        images: `(n, height, width, channels)`, uint8 from 0 to 255, or floating point within `value_range`.
        labels: `(n,)`, whole numbers from 0.
        value_range: the smallest and the largest value that floating-point images may have, for example (0, 255);
            None is -5 to 5, which suits images from 0 to 1 and standardized ones.

    Raises:
        ValueError: images of another shape, type or range, or another number of labels than of images.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, *, value_range: tuple[float, float] | None = None):
        images = np.asarray(images)
        self._value_range = check_value_range(value_range)
        check_images(images, self._value_range)
        labels = class_numbers("labels", labels, count=len(images))
        if images.dtype != np.uint8:
            images = images.astype(np.float32)
        with tf.device("CPU:0"):  # in the computer's memory; only batches travel to a GPU
            self._images = tf.constant(images)
            self._labels = tf.constant(labels)
        self._transforms: tuple[Callable, ...] = ()

    def __len__(self) -> int:
        return int(self._labels.shape[0])

    def __iter__(self):
        raise TypeError(f"{self!r} is no pair of arrays: write images, labels = split.arrays()")

    def __getitem__(self, _):
        raise TypeError(
            f"{self!r} has no items: images, labels = split.arrays() gives the arrays, split.take(n) the first n"
        )

    def __repr__(self) -> str:
        labels = self.arrays()[1]
        transforms = f", {len(self._transforms)} transforms" if self._transforms else ""
        kind = self._images.dtype.name
        return (
            f"<Split: {len(self):,} {kind} images {tuple(self._images.shape[1:])}, labels {labels.min()} to "
            f"{labels.max()}{transforms}>"
        )

    @property
    def value_range(self) -> tuple[float, float] | None:
        """The declared range of prepared images' values, or None where none was declared."""
        return self._value_range

    @property
    def holds_pixels(self) -> bool:
        """Whether the images are stored as uint8 from 0 to 255, so that preparing them begins with scaling."""
        return self._images.dtype == tf.uint8

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """`(height, width, channels)` of a prepared image, transforms included."""
        height, width, channels = self._prepare(self._images[:1], None).shape[1:]
        return int(height), int(width), int(channels)

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """The images as they came, `(n, height, width, channels)` uint8, and their labels, int64; no copies."""
        return np.asarray(memoryview(self._images)), np.asarray(memoryview(self._labels))

    def prepared(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Images `start` to `stop` as a network gets them in evaluation: float32 arrays.

        Raises:
            ValueError: the split has no image there.
        """
        images = self._images[start:stop]
        if not len(images):
            raise ValueError(f"the split has images 0 to {len(self) - 1:,}, and none from {start} up to {stop}")
        return self._prepare(images, None).numpy()

    def take(self, count: int) -> "Split":
        """The first `count` examples, prepared alike."""
        common.at_least(1, count=count)
        return self._like(self._images[:count], self._labels[:count])

    def joined(self, other: "Split") -> "Split":
        """These examples followed by `other`'s, prepared as these are.

        Raises:
            ValueError: images of another shape or type.
        """
        if not isinstance(other, Split):
            raise ValueError(f"only another split can be joined to a split, not a {type(other).__name__}")
        if other._images.shape[1:] != self._images.shape[1:] or other._images.dtype != self._images.dtype:
            kinds = [f"{split._images.dtype.name} {split._images.shape[1:]}" for split in (self, other)]
            raise ValueError(f"only splits with images of one shape and type can be joined, not {' and '.join(kinds)}")
        return self._like(tf.concat([self._images, other._images], 0), tf.concat([self._labels, other._labels], 0))

    def with_transform(self, transform: Callable, *, value_range: tuple[float, float] | None = None) -> "Split":
        """The same examples, each batch also given to `transform` (after any transforms given before).

        Args:
            transform: `transform(images)` or `transform(images, draws)`, which takes and returns float32 tensors
                `(batch, height, width, channels)`. `draws` is a `Draws` while training and None in evaluation, when
                a random transform leaves the images as they are. It is tried on the first image at once.
            value_range: the smallest and the largest value of what it returns, where that is not within -5 to 5;
                None takes `transform.value_range` where there is one, as `models.preprocess("vgg16")` has.

        Raises:
            ValueError: it fails, returns no images, draws random numbers that `draws` does not know of, or
                changes images in evaluation differently each time.
        """
        split = self._like(self._images, self._labels)
        split._transforms = (*self._transforms, with_draws(transform))
        declared = getattr(transform, "value_range", None) if value_range is None else value_range
        split._value_range = check_value_range(declared) or self._value_range
        check_transform(split._transforms[-1], self._prepare(self._images[:1], None), len(self._transforms))
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
        """The batches of one epoch, `(images, labels)` in float32 and int64; they depend on the arguments alone.

        In training the order is a new permutation of all examples for each (seed, epoch), and transforms may draw
        random numbers; otherwise it is the stored order. uint8 images become floats from 0 to 1. The last batch
        may be smaller. `shard=(i, n)` yields every n-th example of each batch from example i on, none where the batch
        has too few. `epoch` may be an integer `tf.Variable`, which is read when an epoch begins: one dataset then
        serves every epoch, and making one takes a tenth of a second.

        Raises:
            ValueError: `batch_size` below 1, or a shard that is not among its n.
        """
        common.at_least(1, batch_size=batch_size)
        common.at_least(0, seed=seed, **({} if isinstance(epoch, tf.Variable) else {"epoch": epoch}))
        if seed >= LARGEST_SEED:
            raise ValueError(f"seed must be below 2**63, not {seed}")
        part, parts = shard if isinstance(shard, tuple) and len(shard) == 2 else (0, 0)
        if not 0 <= part < parts:
            raise ValueError(f"shard must be (i, n) with 0 <= i < n, not {shard}")
        steps = -(-len(self) // batch_size)
        streams = len(self._transforms)

        def begin(_: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            if not training:
                return tf.range(len(self), dtype=tf.int64), tf.zeros((0, 2), tf.uint32)
            draw = functools.partial(_order_and_keys, seed, len(self), streams)
            order, keys = tf.numpy_function(draw, [tf.cast(epoch, tf.int64)], [tf.int64, tf.uint32], stateful=False)
            return tf.ensure_shape(order, [len(self)]), tf.ensure_shape(keys, [streams, 2])

        def cut(order: tf.Tensor, keys: tf.Tensor) -> tf.data.Dataset:
            return tf.data.Dataset.range(steps).map(functools.partial(_step, order, keys, batch_size, shard))

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
        return tf.cast(images, tf.float32)

    def _like(self, images: tf.Tensor, labels: tf.Tensor) -> "Split":
        split = object.__new__(type(self))
        split._images = images
        split._labels = labels
        split._transforms = self._transforms
        split._value_range = self._value_range
        return split


def _order_and_keys(seed: int, examples: int, streams: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """What an epoch's random numbers decide: the order of the examples, and the keys of the transforms' draws."""
    return order_of(seed, epoch, examples), keys_of(seed, epoch, streams)


def _step(order: tf.Tensor, keys: tf.Tensor, batch_size: int, shard: tuple[int, int], number: tf.Tensor):
    """This shard's examples in batch `number` of an epoch, as positions in the split."""
    part, parts = shard
    return order[number * batch_size : (number + 1) * batch_size][part::parts], keys

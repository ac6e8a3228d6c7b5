"""Random numbers that depend on (seed, epoch, example index, transform) alone, for orders and transforms.

A leaf: `batching` hands `Draws` to the transforms of a `Split`.
"""

import dataclasses

import numpy as np
import tensorflow as tf


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
        keys = keys_of(self.seed, self.epoch, self.stream + 1) if self.keys is None else self.keys
        first = keys[self.stream][0]
        second = keys[self.stream][1]
        columns = _mix(tf.range(count, dtype=tf.int32), first)
        rows = _mix(self.indices, second)
        return tf.cast(_shift(_mix(rows[:, None] ^ columns, second), 8), tf.float32) * 2.0**-24


def order_of(seed: int, epoch: int, count: int) -> np.ndarray:
    """The order of an epoch: `(count,)` int64."""
    return np.random.Generator(np.random.Philox(key=[seed, int(epoch)])).permutation(np.arange(count))


def keys_of(seed: int, epoch: int, streams: int) -> np.ndarray:
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

"""Transforms for digits, each over a whole batch: `Split.with_transform(paper_frame)`."""

import dataclasses
import math

import tensorflow as tf

from course_lib import common
from course_lib.array_checks import check_range, check_shape
from course_lib.batching import Draws

BACKGROUND = -0.1  # both of LeCun et al. 1998, section II-B: so that the mean is about 0
INK = 1.175
FRAME = 32  # pixels


def as_batch(images: object, draws: Draws | None = None, computes: bool = True) -> tf.Tensor:
    """The images that a transform was given, checked, as a tensor `(batch, height, width, channels)`.

    Args:
        images: an array or a tensor.
        draws: what the transform draws from; None in evaluation.
        computes: whether the transform computes with the values, so that they must be floating point.

    Raises:
        ValueError: images of another shape or type, or draws that are none.
    """
    check_channels_last(images)
    images = tf.convert_to_tensor(images)
    if computes and not images.dtype.is_floating:
        raise ValueError(f"this transform takes floats from 0 to 1, not {images.dtype.name}: give images / 255")
    if draws is not None and not hasattr(draws, "uniform"):
        raise ValueError(f"draws must be None (evaluation) or what a split hands over in training, not {draws!r}")
    return images


def check_channels_last(images: object) -> None:
    """Checks that these are images `(n, height, width, channels)`.

    Raises:
        ValueError: anything else, also where the channels come first.
    """
    check_shape(images)
    if images.shape[1] in (1, 3) and images.shape[3] not in (1, 3, None):
        raise ValueError(f"channels come last: np.moveaxis(images, 1, -1), for these have the shape {images.shape}")


def paper_frame(images: tf.Tensor) -> tf.Tensor:
    """LeNet-5's input: the digit in the middle of 32×32 pixels, background −0.1 and ink 1.175.

    The empty frame lets a stroke's end lie in the middle of a 5×5 kernel (LeCun et al. 1998, section II-B).

    Args:
        images: float32 `(batch, height, width, channels)` from 0 to 1, at most 32 pixels high and wide.

    Raises:
        ValueError: larger images, or of another shape, type or range.
    """
    images = as_batch(images)
    if hasattr(images, "numpy"):  # else they come from a split, which has checked them
        check_range(images.numpy())
    height, width = images.shape[1:3]
    if max(height, width) > FRAME:
        raise ValueError(f"the paper's frame is {FRAME}×{FRAME} pixels; these images are {height}×{width}")
    top = (FRAME - height) // 2
    left = (FRAME - width) // 2
    sides = [[0, 0], [top, FRAME - height - top], [left, FRAME - width - left], [0, 0]]
    return tf.pad(images, sides) * (INK - BACKGROUND) + BACKGROUND


@dataclasses.dataclass(frozen=True)
class AffineDistortion:
    """Random planar affine distortions, each uniform within ± its bound (LeCun et al. 1998, section III-C).

    Outside the image its border's values continue.

    Raises:
        ValueError: a bound that is no number from 0, or a scale of 1 or more.
    """

    shift: float = 2.0  # pixels, horizontally and vertically
    rotation: float = 10.0  # degrees
    scale: float = 0.1  # share of the size, apart for height and width
    shear: float = 0.2  # horizontal pixels per vertical pixel

    def __post_init__(self) -> None:
        for name in ("shift", "rotation", "shear"):
            common.number(name, getattr(self, name))
        common.number("scale", self.scale, high=1.0)

    def __call__(self, images: tf.Tensor, draws: Draws | None) -> tf.Tensor:
        """The images, each distorted in its own way; unchanged where `draws` is None."""
        images = as_batch(images, draws)
        if draws is None:
            return images
        maps = self._maps(draws.uniform(6) * 2 - 1, *images.shape[1:3])
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=images,
            transforms=maps,
            output_shape=images.shape[1:3],
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="NEAREST",
        )

    def _maps(self, units: tf.Tensor, height: int, width: int) -> tf.Tensor:
        """The rows `(a, b, c, d, e, f, 0, 0)`: output (x, y) reads input (ax + by + c, dx + ey + f)."""
        right, down, turn, wide, tall, slant = tf.unstack(units, axis=1)
        angle = turn * math.radians(self.rotation)
        wide = 1 + wide * self.scale
        tall = 1 + tall * self.scale
        cosine = tf.cos(angle)
        sine = tf.sin(angle)
        slant = slant * self.shear
        a = cosine * wide
        b = (cosine * slant - sine) * tall
        d = sine * wide
        e = (sine * slant + cosine) * tall
        x = (width - 1) / 2  # (x, y) is the middle, about which the image is turned
        y = (height - 1) / 2
        c = x - a * x - b * y + right * self.shift
        f = y - d * x - e * y + down * self.shift
        zero = tf.zeros_like(a)
        return tf.stack([a, b, c, d, e, f, zero, zero], axis=1)

"""Data augmentation of AlexNet (Krizhevsky et al. 2012, section 4.1): random crop, flip and color of each image.

`split.with_transform(RandomCrop(56)).with_transform(RandomFlip())`. In evaluation crops come from the middle and
nothing else is changed.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from course_lib import common
from course_lib.array_checks import check_images
from course_lib.batching import Draws
from course_lib.datasets.transforms import as_batch, check_channels_last


@dataclasses.dataclass(frozen=True)
class RandomCrop:
    """Cuts a window of `side`×`side` pixels at a random position, after framing the image by `padding` black pixels.

    AlexNet cut 224 of 256 pixels; the networks for CIFAR-10 32 of 32 with a frame of 4 (He et al. 2016, section 4.2).

    Raises:
        ValueError: a window larger than the framed image.
    """

    side: int
    padding: int = 0

    def __post_init__(self) -> None:
        common.at_least(1, side=self.side)
        common.at_least(0, padding=self.padding)

    def __call__(self, images: tf.Tensor, draws: Draws | None) -> tf.Tensor:
        """The windows, `(batch, side, side, channels)`; from the middle where `draws` is None."""
        frame = [self.padding, self.padding]
        images = tf.pad(as_batch(images, draws, computes=False), [[0, 0], frame, frame, [0, 0]])
        spare = [size - self.side for size in images.shape[1:3]]
        if min(spare) < 0:
            raise ValueError(f"a crop of {self.side}×{self.side} does not fit into {images.shape[1]}×{images.shape[2]}")
        if draws is None:
            top = spare[0] // 2
            left = spare[1] // 2
            return images[:, top : top + self.side, left : left + self.side]
        for axis, room in enumerate(spare):
            first = tf.cast(draws.uniform(2)[:, axis] * (room + 1), tf.int32)
            images = tf.gather(images, first[:, None] + tf.range(int(self.side)), axis=axis + 1, batch_dims=1)
        return images


@dataclasses.dataclass(frozen=True, init=False)
class RandomFlip:
    """Flips images left to right, each with probability 1/2. It takes no arguments.

    Raises:
        ValueError: an argument.
    """

    def __init__(self, *given: object, **named: object) -> None:
        if given or named:
            raise ValueError("RandomFlip() takes no arguments: it flips every second image left to right")

    def __call__(self, images: tf.Tensor, draws: Draws | None) -> tf.Tensor:
        """The images, some of them flipped; none where `draws` is None."""
        images = as_batch(images, draws, computes=False)
        if draws is None:
            return images
        return tf.where(draws.uniform(1)[:, :, None, None] < 0.5, images[:, :, ::-1], images)


@dataclasses.dataclass(frozen=True)
class PCAColor:
    """Adds one color to all pixels of an image: a random mix of the principal components of the images' colors.

    Each component is added times its eigenvalue, times a normal random number of standard deviation `sigma`.

    Raises:
        ValueError: eigenvectors that are not as many and as long as the eigenvalues, what is no finite number, or a
            negative `sigma`.
    """

    eigenvalues: tuple[float, ...]
    eigenvectors: tuple[tuple[float, ...], ...]  # one per column
    sigma: float = 0.1

    def __post_init__(self) -> None:
        common.number("sigma", self.sigma)
        values = _finite(self.eigenvalues)
        vectors = _finite(self.eigenvectors)
        if values.shape != (values.size,) or vectors.shape != (values.size, values.size):
            raise ValueError(
                "PCAColor takes one eigenvalue per channel and a square of eigenvectors; PCAColor.of(images) computes "
                f"them. These have the shapes {values.shape} and {vectors.shape}"
            )

    @classmethod
    def of(cls, images: np.ndarray, sigma: float = 0.1) -> "PCAColor":
        """The components of the colors of images `(n, height, width, channels)`, uint8, or floats around 0 to 1.

        Raises:
            ValueError: images of another shape, type or range, or of one color.
        """
        check_channels_last(images)
        images = np.asarray(images)
        check_images(images)
        if images.dtype == np.uint8:
            images = images / 255
        colors = images.reshape(-1, images.shape[-1])
        if np.ptp(colors, axis=0).max() == 0:
            raise ValueError("all pixels of these images have one color: there is nothing in which colors vary")
        values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(colors, rowvar=False)))
        return cls(tuple(values.tolist()), tuple(map(tuple, vectors.tolist())), sigma)

    def __call__(self, images: tf.Tensor, draws: Draws | None) -> tf.Tensor:
        """The images, each with its own color added; unchanged where `draws` is None."""
        images = as_batch(images, draws)
        channels = len(self.eigenvalues)
        if images.shape[-1] != channels:
            raise ValueError(f"these colors have {channels} channels, the images have {images.shape[-1]}")
        if hasattr(images, "numpy"):  # else they come from a split, which has checked them
            check_images(images.numpy())
        if draws is None:
            return images
        normal = tf.math.ndtri(draws.uniform(channels) + 2.0**-25)  # never 0, where it is infinite
        values = tf.constant(self.eigenvalues, tf.float32)
        vectors = tf.constant(self.eigenvectors, tf.float32)
        color = tf.linalg.matvec(vectors, self.sigma * normal * values)
        return images + color[:, None, None, :]


def _finite(values: object) -> np.ndarray:
    """`values` as an array, once it is clear that they are finite numbers."""
    try:
        found = np.asarray(values)
    except ValueError:  # rows of different lengths
        found = np.asarray(None)
    if found.dtype.kind not in "iuf" or not np.isfinite(found).all():
        raise ValueError(f"PCAColor takes finite numbers, as PCAColor.of(images) computes them, not {values!r}")
    return found

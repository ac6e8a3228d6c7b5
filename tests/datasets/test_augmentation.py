"""AlexNet's augmentation against NumPy, with draws that were decided on, and through a split."""

import numpy as np
import pytest
import tensorflow as tf

from course_lib.batching import Split
from course_lib.datasets import PCAColor, RandomCrop, RandomFlip

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.uniform(size=(3, 8, 10, 3)).astype("float32")


class Given:
    def __init__(self, numbers):
        self.numbers = np.asarray(numbers, np.float32)

    def uniform(self, count):
        assert self.numbers.shape[1] == count
        return tf.constant(self.numbers)


def test_crops_reach_every_corner_and_no_further():
    crops = RandomCrop(6)(tf.constant(IMAGES), Given([[0, 0], [0.9999, 0.9999], [0.5, 0.35]])).numpy()
    for crop, image, (top, left) in zip(crops, IMAGES, [(0, 0), (2, 4), (1, 1)], strict=True):
        np.testing.assert_array_equal(crop, image[top : top + 6, left : left + 6])


def test_a_crop_of_a_framed_image():
    framed = np.pad(IMAGES, [(0, 0), (4, 4), (4, 4), (0, 0)])
    crops = RandomCrop(8, padding=4)(tf.constant(IMAGES), Given([[0, 0], [0.9999, 0], [0.5, 0.5]])).numpy()
    np.testing.assert_array_equal(crops[0], framed[0, :8, :8])
    np.testing.assert_array_equal(crops[1], framed[1, 8:16, :8])
    np.testing.assert_array_equal(crops[2], framed[2, 4:12, 5:13])


def test_flips_only_where_drawn():
    flipped = RandomFlip()(tf.constant(IMAGES), Given([[0.1], [0.5], [0.9]])).numpy()
    np.testing.assert_array_equal(flipped[0], IMAGES[0, :, ::-1])
    np.testing.assert_array_equal(flipped[1:], IMAGES[1:])


def test_colors_move_along_the_principal_components():
    pixels = RANDOM.normal(size=(5, 20, 20, 3)) @ np.array([[30, 28, 25], [0, 9, -9], [0, 0, 3]]) + 128
    images = pixels.clip(0, 255).astype("uint8")
    transform = PCAColor.of(images)
    values, vectors = np.linalg.eigh(np.cov(images.reshape(-1, 3).T / 255))
    deviations = np.array([[-1.0, 0.5, 2.0]])
    shares = [[0.15865525, 0.69146246, 0.97724987]]  # of a normal distribution, below these
    moved = transform(tf.zeros((1, 2, 2, 3)), Given(shares)).numpy()
    np.testing.assert_allclose(moved[0, 1, 0], vectors @ (0.1 * deviations[0] * values), atol=1e-6)
    assert (moved == moved[:, :1, :1]).all()
    # Most of what is added is light and dark, as in photographs: the first component is nearly gray.
    assert abs(vectors[:, -1]).min() > 0.4


def test_in_evaluation_the_middle_is_cut_and_nothing_changed():
    images = RANDOM.integers(0, 256, (6, 8, 8, 3)).astype("uint8")
    split = Split(images, np.arange(6))
    changed = split.with_transform(RandomCrop(4)).with_transform(RandomFlip()).with_transform(PCAColor.of(images))
    np.testing.assert_allclose(changed.prepared(), images[:, 2:6, 2:6] / 255, rtol=1e-6)
    assert changed.image_shape == (4, 4, 3)
    first, again, other = (
        np.concatenate([batch.numpy() for batch, _ in changed.batches(size, training=True, epoch=epoch)])
        for size, epoch in [(2, 0), (3, 0), (2, 1)]
    )
    np.testing.assert_allclose(first, again, atol=1e-6)
    assert not np.allclose(first, other)


def test_what_does_not_fit_is_explained():
    with pytest.raises(ValueError, match="a crop of 9×9 does not fit into 8×10"):
        RandomCrop(9)(tf.constant(IMAGES), None)
    with pytest.raises(ValueError, match="side must be a whole number of at least 1, not 0"):
        RandomCrop(0)

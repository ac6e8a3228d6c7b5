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


def test_the_components_of_floats_are_those_of_bytes():
    images = RANDOM.integers(0, 256, (5, 8, 8, 3)).astype("uint8")
    np.testing.assert_allclose(
        PCAColor.of((images / 255).astype("float32")).eigenvalues, PCAColor.of(images).eigenvalues, rtol=1e-4
    )
    assert PCAColor.of(images[..., :1])(tf.constant(IMAGES[..., :1]), Given([[0.5]] * 3)).shape == (3, 8, 10, 1)
    values, vectors = np.linalg.eigh(np.cov(images.reshape(-1, 3).T / 255))  # NumPy's own numbers will do
    moved = PCAColor(values, vectors)(tf.constant(IMAGES), Given([[0.5] * 3] * 3))
    np.testing.assert_allclose(moved, IMAGES, atol=1e-5)


def test_numpys_whole_numbers_are_sides():
    assert RandomCrop(np.int64(6))(tf.constant(IMAGES), Given([[0, 0]] * 3)).shape == (3, 6, 6, 3)


BYTES = (255 * IMAGES).astype("uint8")
WRONG = {
    "a window larger than the image": (lambda: RandomCrop(9)(IMAGES, None), "a crop of 9×9 does not fit into 8×10"),
    "no window": (lambda: RandomCrop(0), "side must be a whole number of at least 1, not 0"),
    "two sides": (lambda: RandomCrop((8, 8)), r"side must be a whole number of at least 1, not \(8, 8\)"),
    "less than no frame": (lambda: RandomCrop(8, -1), "padding must be a whole number of at least 0"),
    "as in Keras": (lambda: RandomFlip("horizontal"), r"RandomFlip\(\) takes no arguments: it flips every second"),
    "a probability": (lambda: RandomFlip(p=0.5), "takes no arguments"),
    "no draws": (lambda: RandomFlip()(IMAGES, True), r"draws must be None \(evaluation\) or what a split hands over"),
    "one image": (lambda: RandomCrop(8)(IMAGES[0], None), r"one image is a batch as images\[None\]"),
    "a list": (lambda: RandomFlip()(IMAGES.tolist(), None), "images must be an array, not a list"),
    "a split": (lambda: PCAColor.of(Split(BYTES, np.arange(3))), r"not a Split; split\.arrays\(\)\[0\] are a split's"),
    "floats to 255": (lambda: PCAColor.of(255 * IMAGES), "must lie between -5 and 5"),
    "NaN": (lambda: PCAColor.of(IMAGES * np.nan), "3 of 3 images hold NaN"),
    "int64": (lambda: PCAColor.of(BYTES.astype(int)), r"must be uint8 \(0 to 255\) or floating point, not int64"),
    "channels first": (lambda: PCAColor.of(np.moveaxis(BYTES, -1, 1)), r"channels come last: np\.moveaxis"),
    "no images": (lambda: PCAColor.of(BYTES[:0]), "there must be images"),
    "one color": (lambda: PCAColor.of(BYTES * 0 + 7), "all pixels of these images have one color"),
    "a negative sigma": (lambda: PCAColor.of(BYTES, -1), "sigma must be a number from 0"),
    "two eigenvectors of three": (lambda: PCAColor((1, 2, 3), ((1, 0, 0), (0, 1, 0))), r"shapes \(3,\) and \(2, 3\)"),
    "texts": (lambda: PCAColor(("a",), (("b",),)), r"PCAColor takes finite numbers, .* not \('a',\)"),
    "texts of numbers": (lambda: PCAColor((1,), (("1",),)), "PCAColor takes finite numbers"),
    "no numbers": (lambda: PCAColor((np.nan,), ((1,),)), "PCAColor takes finite numbers"),
    "ragged eigenvectors": (lambda: PCAColor((1, 2), ((1, 0), (1,))), "PCAColor takes finite numbers"),
    "other channels": (lambda: PCAColor.of(BYTES)(IMAGES[..., :1], None), "have 3 channels, the images have 1"),
    "bytes": (lambda: PCAColor.of(BYTES)(BYTES, None), "takes floats from 0 to 1, not uint8: give images / 255"),
    "too large to color": (lambda: PCAColor.of(BYTES)(255 * IMAGES, None), "must lie between -5 and 5"),
}


@pytest.mark.parametrize(("call", "said"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_explained(call, said):
    with pytest.raises(ValueError, match=said):
        call()

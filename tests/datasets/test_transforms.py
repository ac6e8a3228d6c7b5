"""The paper's frame against its numbers, and affine distortions against SciPy's."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from course_lib import datasets
from course_lib.batching import Draws
from course_lib.datasets import AffineDistortion, paper_frame

SIDE = 28


class Given:
    """Draws that were decided on: each row holds what `uniform` gives to one example, as shares of a bound."""

    def __init__(self, shares):
        self.shares = np.asarray(shares, np.float32)

    def uniform(self, count):
        assert self.shares.shape[1] == count
        return tf.constant((self.shares + 1) / 2)


@pytest.fixture(scope="module")
def blots() -> tf.Tensor:
    """Three soft gray pictures with ink up to their borders, `(3, 28, 28, 1)` from 0 to 1."""
    noise = np.random.default_rng(0).uniform(size=(3, SIDE, SIDE))
    soft = np.array([ndimage.gaussian_filter(one, 1.5) for one in noise])
    soft = (soft - soft.min()) / (soft.max() - soft.min())
    return tf.constant(soft[..., None], tf.float32)


def test_paper_frame_is_the_papers(blots):
    framed = paper_frame(blots).numpy()
    assert framed.shape == (3, 32, 32, 1) and framed.dtype == np.float32
    border = np.ones((32, 32), bool)
    border[2:30, 2:30] = False
    assert np.all(framed[:, border] == np.float32(-0.1))
    np.testing.assert_allclose(framed[:, 2:30, 2:30], -0.1 + 1.275 * blots.numpy(), atol=1e-6)
    black = paper_frame(tf.ones((1, 28, 28, 1))).numpy()
    assert black[0, 16, 16, 0] == pytest.approx(1.175, abs=1e-6) and black.max() == black[0, 2, 2, 0]


@pytest.mark.parametrize(("shape", "top", "left"), [((32, 32), 0, 0), ((27, 20), 2, 6), ((8, 8), 12, 12)])
def test_paper_frame_centers_other_sizes(shape, top, left):
    framed = paper_frame(tf.ones((2, *shape, 1))).numpy()[0, ..., 0] > 1
    rows, columns = np.nonzero(framed)
    assert (rows.min(), columns.min()) == (top, left)
    assert (rows.max() - rows.min() + 1, columns.max() - columns.min() + 1) == shape


def test_paper_frame_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="32×32 pixels; these images are 33×28"):
        paper_frame(tf.zeros((1, 33, 28, 1)))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: paper_frame(np.zeros((1, 28, 28, 1), np.uint8)),
            "takes floats from 0 to 1, not uint8: give images / 255",
        ),
        (lambda: paper_frame(np.full((1, 28, 28, 1), 255.0)), "must lie between -5 and 5"),
        (lambda: paper_frame(np.zeros((28, 28, 1))), r"one image is a batch as images\[None\]"),
        (lambda: paper_frame(None), "images must be an array, not a NoneType"),
        (lambda: AffineDistortion()(np.zeros((1, 28, 28, 1), np.uint8), None), "takes floats from 0 to 1, not uint8"),
        (lambda: AffineDistortion(shift=(2, 2)), r"shift must be a number from 0 to below inf, not \(2, 2\)"),
        (lambda: AffineDistortion(rotation=-10), "rotation must be a number from 0"),
        (lambda: AffineDistortion(scale=1.1), "scale must be a number from 0 to below 1, not 1.1"),
        (lambda: AffineDistortion(shear=float("nan")), "shear must be a number"),
        (lambda: AffineDistortion("2"), "shift must be a number"),
    ],
)
def test_what_cannot_be_is_explained(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_paper_frame_brings_the_mean_near_0(mnist):
    framed = mnist.train.with_transform(paper_frame).prepared(0, 10_000)
    assert abs(framed.mean()) < 0.05


def test_without_draws_or_bounds_nothing_moves(blots):
    assert AffineDistortion()(blots, None) is blots
    still = AffineDistortion(shift=0, rotation=0, scale=0, shear=0)
    draws = Draws(0, 0, tf.range(3, dtype=tf.int64))
    np.testing.assert_allclose(still(blots, draws).numpy(), blots.numpy(), atol=1e-5)


@pytest.mark.parametrize(("right", "down"), [(2, 0), (0, 2), (-2, 1), (1, -2)])
def test_a_shift_by_whole_pixels_moves_pixels_and_continues_the_border(right, down, blots):
    distortion = AffineDistortion(shift=2, rotation=0, scale=0, shear=0)
    shares = [[right / 2, down / 2, 0, 0, 0, 0]] * 3
    moved = distortion(blots, Given(shares)).numpy()
    rows = np.clip(np.arange(SIDE) + down, 0, SIDE - 1)
    columns = np.clip(np.arange(SIDE) + right, 0, SIDE - 1)
    np.testing.assert_allclose(moved, blots.numpy()[:, rows][:, :, columns], atol=1e-5)


def scipys(image: np.ndarray, shift, degrees, scale, shear) -> np.ndarray:
    """SciPy's picture of the same map: turned, sheared and scaled about the middle, border continued."""
    (right, down), (wide, tall), angle = shift, scale, np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[1, shear], [0, 1]]) @ np.diag([1 + wide, 1 + tall])  # on (x, y)
    matrix = matrix[::-1, ::-1]  # on (row, column)
    middle = (np.array(image.shape) - 1) / 2
    offset = middle - matrix @ middle + (down, right)
    return ndimage.affine_transform(image, matrix, offset, order=1, mode="nearest")


@pytest.mark.parametrize(
    "shares",
    [
        (0, 0, 1, 0, 0, 0),
        (0, 0, -0.5, 0, 0, 0),
        (0, 0, 0, 1, 0, 0),
        (0, 0, 0, 0, -1, 0),
        (0, 0, 0, 0, 0, 1),
        (0.3, -0.7, 0.9, -0.8, 0.6, -0.5),
    ],
    ids=["rotation", "back", "wider", "taller", "shear", "all"],
)
@pytest.mark.parametrize("height", [SIDE, 20])
def test_distortions_are_scipys(shares, height, blots):
    images = blots[:, :height]
    bounds = AffineDistortion(shift=3.0, rotation=20.0, scale=0.2, shear=0.3)
    distorted = bounds(images, Given([shares] * 3)).numpy()
    right, down, turn, wide, tall, slant = shares
    for image, result in zip(images.numpy(), distorted, strict=True):
        expected = scipys(image[..., 0], (3 * right, 3 * down), 20 * turn, (0.2 * wide, 0.2 * tall), 0.3 * slant)
        np.testing.assert_allclose(result[..., 0], expected, atol=2e-3)


def test_each_example_has_a_distortion_of_its_own_within_the_bounds():
    # A bright dot on a dark ground: where its center of mass goes to shows the shift.
    dot = np.zeros((400, SIDE, SIDE, 1), np.float32)
    dot[:, 13:15, 13:15] = 1
    draws = Draws(0, 0, tf.range(400, dtype=tf.int64))
    shifted = AffineDistortion(shift=4, rotation=0, scale=0, shear=0)(tf.constant(dot), draws).numpy()[..., 0]
    centers = np.array([ndimage.center_of_mass(image) for image in shifted]) - 13.5
    assert np.abs(centers).max() <= 4 + 1e-3 and np.abs(centers).max(0).min() > 3.5
    np.testing.assert_allclose(centers.std(0), 4 / np.sqrt(3), rtol=0.1)  # uniform within ±4
    assert abs(np.corrcoef(centers.T)[0, 1]) < 0.2
    assert len(np.unique(centers.round(4), axis=0)) == 400


def test_colors_move_together(blots):
    colors = tf.concat([blots, blots * 0.5, 1 - blots], -1)
    result = AffineDistortion()(colors, Draws(3, 1, tf.range(3, dtype=tf.int64))).numpy()
    np.testing.assert_allclose(result[..., 1], result[..., 0] / 2, atol=1e-5)
    np.testing.assert_allclose(result[..., 2], 1 - result[..., 0], atol=1e-5)


def test_distortions_before_the_frame_keep_the_background():
    ink = np.zeros((5, SIDE, SIDE, 1), np.uint8)
    ink[:, 8:20, 12:16] = 255
    split = datasets.Split(ink, np.arange(5)).with_transform(AffineDistortion()).with_transform(paper_frame)
    ((images, _),) = split.batches(5, training=True, seed=1)
    assert images.shape == (5, 32, 32, 1)
    np.testing.assert_allclose(images.numpy()[:, 0], -0.1, atol=1e-6)
    assert not np.allclose(images[0], images[1])

"""The answers of lesson 01, each worked out another way, and its judges met with right and wrong functions."""

import re

import numpy as np
import pytest

from course_lib import common, exercises
from course_lib.datasets import toy_scenes

vision = exercises.computer_vision


def test_no_letter_is_the_outcome_of_more_than_half_of_the_guesses():
    saved = (common.ROOT / "lessons" / "01_computer_vision.ipynb").read_text(encoding="utf-8")
    outcomes = [letter for _, letter in sorted(set(re.findall(r"\b(p\d+) · [^|]+\| outcome ([A-F]):", saved)))]
    assert len(outcomes) == 10
    assert max(map(outcomes.count, outcomes)) <= len(outcomes) / 2


def test_no_guess_sounds_like_the_outcome():
    guesses = [getattr(vision, f"p{number}") for number in range(1, 11)]
    assert {reply[:24] for guess in guesses for reply in guess.wrong.values()} == {"Your guess assumes that "}


def test_shape_of_a_clip():
    frames = np.zeros((2 * 30, 120, 160, 3))
    assert vision.q2.right == frames.shape
    assert {frames.swapaxes(1, 2).shape, frames[0].shape, frames[:30].shape} <= set(vision.q2.wrong)


def test_recall_on_new_cases():
    picture = np.zeros((9, 16))
    picture[4, 7] = 1
    moved = by_loops(np.roll(picture, 3, axis=1), np.eye(1))
    assert vision.q6.right == np.unravel_index(moved.argmax(), moved.shape)
    bright = np.array([20.0, 40, 60, 80])
    differences = np.abs(bright - bright / 2)
    assert vision.q7.right == differences.mean()
    squares = differences**2
    foreseen = {differences.sum(), 0, round(squares.sum() ** 0.5, 1), round(squares.mean() ** 0.5, 1)}
    assert foreseen == set(vision.q7.wrong)


def by_loops(picture, kernel):
    height, width = np.subtract(picture.shape, kernel.shape) + 1
    return np.array(
        [
            [
                sum(
                    picture[r + i, c + j] * kernel[i, j] for i in range(kernel.shape[0]) for j in range(kernel.shape[1])
                )
                for c in range(width)
            ]
            for r in range(height)
        ]
    )


def by_scipy(picture, kernel):
    from scipy import signal

    return signal.correlate2d(picture, kernel, mode="valid")


def by_keras(picture, kernel):
    from keras import ops

    return np.asarray(ops.conv(picture[None, :, :, None], kernel[:, :, None, None]))[0, :, :, 0]


def windows(function):
    """The lesson's conv2d with `function(window, kernel)` in the gap."""

    def conv2d(picture, kernel):
        k = len(kernel)
        feature_map = np.zeros((len(picture) - k + 1, len(picture[0]) - k + 1))
        for row, column in np.ndindex(feature_map.shape):
            feature_map[row, column] = function(picture[row : row + k, column : column + k], kernel)
        return feature_map

    return conv2d


def of_3x3_only(picture, kernel):
    return by_loops(picture, kernel) if len(kernel) == 3 else np.zeros((4, 6))


class TestConv2d:
    @pytest.mark.parametrize("function", [by_loops, by_scipy, by_keras, windows(lambda w, k: (w * k).sum())])
    def test_right(self, function):
        assert vision.e1.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (windows(lambda w, k: ...), "The three dots are still there"),
            (windows(lambda w, k: w.sum()), "the kernel is not used"),
            (windows(lambda w, k: (w * k[::-1, ::-1]).sum()), "turned by 180 degrees"),
            (windows(lambda w, k: (w * k.T).sum()), "Your kernel is transposed"),
            (windows(lambda w, k: (w * k).mean()), "the mean of the nine products"),
            (windows(lambda w, k: (w * k).max()), "the largest of the nine products"),
            (windows(lambda w, k: (w @ k).sum()), "the matrix product"),
            (windows(lambda w, k: (w + k).sum()), "The shape is right, the numbers are not"),
            (lambda p, k: np.pad(by_loops(p, k), 1), "yours has the shape (6, 8)"),
            (lambda p, k: None, "yours has the shape ()"),
            (windows(lambda w, k: w * k), "Your function stopped with ValueError"),
            (of_3x3_only, "It is right for 3×3 kernels, but a 5×5 kernel"),
            (lambda p: p, "Your function stopped with TypeError"),
            (np.ones((4, 6)), "e1 expects a function of picture"),
        ],
    )
    def test_wrong(self, function, reply):
        said = vision.e1.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said


def test_numbers_of_a_map():
    picture, kernel = np.ones((48, 64, 3)), np.ones((3, 3, 3))
    by_channel = [by_scipy(picture[..., channel], kernel[..., channel]) for channel in range(3)]
    assert vision.q5.right == sum(by_channel).size
    foreseen = {np.stack(by_channel).size, picture.size, 48 * 64, kernel.size, 47 * 63, 45 * 61}
    assert foreseen == {int(answer) for answer in vision.q5.wrong}


ACROSS = np.array([[-1, 0, 1]] * 3, float)


class TestMyKernel:
    @pytest.mark.parametrize("kernel", [ACROSS.T, ACROSS.T * [1, 2, 1], [[0, -1, 0], [0, 0, 0], [0, 1, 0]]])
    def test_right(self, kernel):
        assert vision.e4.reply(lambda: kernel).startswith("→ Right")

    def test_what_a_right_one_does(self):
        edge = np.repeat([0.0, 0, 1, 1, 1], 5).reshape(5, 5)
        assert by_loops(edge, ACROSS.T).max() == 3 and not by_loops(edge.T, ACROSS.T).any()

    @pytest.mark.parametrize(
        ("kernel", "reply"),
        [
            (ACROSS, "It still looks across: a vertical edge gives 3"),
            (-ACROSS.T, "that is above minus below"),
            (ACROSS + ACROSS.T, "It answers to vertical edges too, with 3 and 3"),
            ([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], "It answers to vertical edges too"),
            (ACROSS.T + 1, "the nine numbers must add up to 0"),
            (np.abs(ACROSS.T), "On one brightness the map is 6"),
            (np.zeros((3, 3)), "it sees nothing"),
            ([[-1, -1, -1], [2, 2, 2], [-1, -1, -1]], "both must be positive"),
            (np.full((3, 3), np.nan), "NaN"),
            ([-1, 0, 1], "yours have the shape (3,)"),
            (None, "yours have the shape ()"),
        ],
    )
    def test_wrong(self, kernel, reply):
        said = vision.e4.reply(lambda: kernel)
        assert said.startswith("→ Not yet. ") and reply in said, said

    def test_the_kernel_itself(self):
        assert "e4 expects a function without arguments" in vision.e4.reply(ACROSS.T)


def share(one, other, clip=True):
    """Common area, and both areas, of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(width, 0) * max(height, 0) if clip else width * height
    return common, *((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))


def right_iou(one, other):
    common, first, second = share(one, other)
    return common / (first + second - common)


def by_masks(one, other):
    masks = np.zeros((2, 20, 20), bool)
    for mask, (left, top, right, bottom) in zip(masks, (one, other), strict=True):
        mask[top:bottom, left:right] = True
    return (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum()


def without_clipping(one, other):
    common, first, second = share(one, other, clip=False)
    return common / (first + second - common)


def inclusive_ends(one, other):
    one, other = ((*box[:2], box[2] + 1, box[3] + 1) for box in (one, other))
    return right_iou(one, other)


class TestIou:
    @pytest.mark.parametrize("function", [right_iou, by_masks, lambda a, b: np.float32(right_iou(a, b))])
    def test_right(self, function):
        assert vision.e2.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (without_clipping, "both sides of their overlap are negative"),
            (lambda a, b: share(a, b)[0], "in pixels"),
            (lambda a, b: share(a, b)[0] / sum(share(a, b)[1:]), "The union counts the common area once"),
            (lambda a, b: 2 * share(a, b)[0] / sum(share(a, b)[1:]), "Dice"),
            (lambda a, b: share(a, b)[0] / min(share(a, b)[1:]), "not by the smaller box"),
            (inclusive_ends, "is not the share that they have"),
            (lambda a, b: 0.5, "two boxes that are overlapping: 0.500"),
            (lambda a, b: None, "Your function returns nothing"),
            (0.5, "e2 expects a function of two boxes"),
        ],
    )
    def test_wrong(self, function, reply):
        said = vision.e2.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said

    def test_the_renderers_boxes(self):
        rendered = toy_scenes.render(toy_scenes.sample(6, 0), 32)
        assert all(right_iou(box, box) == 1 for box in rendered.boxes)


def channels(images, column, row, order=(0, 1), behind=True):
    added = np.stack(np.broadcast_arrays(column, row[:, None]), axis=-1)[..., list(order)]
    added = np.broadcast_to(added, (*images.shape[:-1], 2))
    return np.concatenate([images, added] if behind else [added, images], axis=-1)


def scaled(images, low=-1.0, **options):
    column, row = (np.linspace(low, 1, images.shape[axis]) for axis in (2, 1))
    return channels(images, column, row, **options)


def numbered(images):
    return channels(images, np.arange(images.shape[2]), np.arange(images.shape[1]))


def constant(images):
    return np.concatenate([images, np.full((*images.shape[:-1], 2), -1.0)], axis=-1)


def backwards(images):
    return channels(images, np.linspace(1, -1, images.shape[2]), np.linspace(-1, 1, images.shape[1]))


class TestAddCoordinates:
    @pytest.mark.parametrize("function", [scaled, lambda images: scaled(images, order=(1, 0))])
    def test_right(self, function):
        assert vision.e3.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda images: None, "It returns nothing yet"),
            (lambda images: scaled(images)[..., 3:], "yours have the shape (2, 5, 9, 2)"),
            (lambda images: scaled(images, behind=False), "put the new ones behind them"),
            (lambda images: scaled(images, order=(0, 0)), "Both new channels hold the column"),
            (lambda images: scaled(images, order=(1, 1)), "Both new channels hold the row"),
            (numbered, "These are pixel numbers"),
            (lambda images: scaled(images, low=0.0), "They go from 0 to 1"),
            (constant, "The new channels have one value everywhere"),
            (backwards, "not the column and the row"),
            (lambda images: images.missing, "Your function stopped with AttributeError"),
            (np.ones((2, 5, 9, 5)), "e3 expects a function of images"),
        ],
    )
    def test_wrong(self, function, reply):
        said = vision.e3.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said

import itertools

import numpy as np
import pytest
from matplotlib import colors

from course_lib import visualization
from course_lib.visualization.images import unit_range
from course_lib.visualization.style import INK, WRONG


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_montage_puts_each_image_where_it_belongs():
    images = np.arange(5 * 2 * 3).reshape(5, 2, 3, 1) + 100.0
    whole = visualization.montage(images, columns=2, pad=(2, 1), fill=-1.0)
    assert whole.shape == (3 * 2 + 2 * 2, 2 * 3 + 1, 1)
    for index, image in enumerate(images):
        row, column = divmod(index, 2)
        np.testing.assert_array_equal(whole[4 * row : 4 * row + 2, 4 * column : 4 * column + 3], image)
    assert (whole == -1).sum() == whole.size - images.size


def test_images_draws_the_pixels_themselves_with_labels_above():
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8), dtype=np.uint8)
    ax = visualization.plot_images(images, [3, 1, 4], columns=2)
    (drawn,) = ax.images
    assert drawn.get_clim() == (0, 1)
    np.testing.assert_allclose(np.asarray(drawn.get_array())[:8, :8], images[0] / 255, atol=1e-6)
    assert texts(ax) == ["3", "1", "4"]
    for text, frame in zip(ax.texts, ax.lines, strict=True):
        left, top = frame.get_xydata().min(axis=0)
        assert text.get_position()[0] == left + 4 and top - 1 < text.get_position()[1] < top
    bottom, top = ax.get_ylim()
    assert bottom > top and top < -1  # row 0 is above, with room for its captions


def test_images_marks_wrong_predictions_by_color_and_sign():
    ax = visualization.plot_images(np.zeros((3, 4, 4, 1)), [4, 7, 1], [9, 7, 0])
    assert texts(ax) == ["4→9", "7", "1→0"]
    assert [text.get_color() for text in ax.texts] == [WRONG, INK, WRONG]


def test_images_uses_names_on_two_lines_and_leaves_them_room():
    names = ["automobile", "airplane"]
    ax = visualization.plot_images(np.zeros((12, 4, 4, 3)), [0] * 12, [0] * 11 + [1], names)
    assert texts(ax)[0] == "automobile" and texts(ax)[-1] == "automobile\n→airplane"
    figure = ax.get_figure()
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert all(left.x1 <= right.x0 for left, right in itertools.pairwise(boxes[:6]))  # none touch
    frames = [line.get_window_extent() for line in ax.lines]
    assert boxes[-1].y1 < frames[5].y0  # nor run into the row above


def test_images_keeps_captions_off_the_row_above_in_a_given_axes():
    axes = visualization.new_axes(8, 3, columns=2)
    ax = visualization.plot_images(np.zeros((20, 28, 28, 1)), range(20), columns=5, ax=axes[0])
    assert ax is axes[0]
    ax.get_figure().canvas.draw()
    frames, boxes = ([each.get_window_extent() for each in many] for many in (ax.lines, ax.texts))
    assert all(box.y1 <= frame.y0 + 1 for box, frame in zip(boxes[5:], frames, strict=False))


@pytest.mark.parametrize(
    ("images", "value_range", "expected"),
    [
        (np.array([0, 255], np.uint8), None, [0, 1]),
        (np.array([0.25, 0.5]), None, [0.25, 0.5]),  # floats in [0, 1] are taken as they are
        (np.array([-1.0, 3.0]), None, [0, 1]),
        (np.array([-0.1, 1.175]), (-0.1, 1.175), [0, 1]),
        (np.array([-9.0, 0.5]), (0, 1), [0, 0.5]),  # values outside are cut off
        (np.array([7.0, 7.0]), (0, 10), [0.7, 0.7]),
    ],
)
def test_all_images_share_one_scale(images, value_range, expected):
    scaled = unit_range(images.reshape(2, 1, 1, 1), value_range)
    np.testing.assert_allclose(scaled.ravel(), expected, atol=1e-6)


def test_constant_images_are_drawn():
    visualization.plot_images(np.full((2, 4, 4, 1), -3.0))


def test_color_images_keep_their_colors():
    images = np.zeros((1, 2, 2, 3), np.uint8)
    images[..., 0] = 255
    drawn = visualization.plot_images(images).images[0].get_array()
    assert colors.same_color(np.asarray(drawn)[0, 0], "red")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: visualization.plot_images(np.zeros((4, 4))), r"must have the shape .* not \(4, 4\)"),
        (lambda: visualization.plot_images(np.zeros((2, 4, 4, 2))), "1 or 3 channels"),
        (lambda: visualization.plot_images(np.zeros((0, 4, 4, 1))), "n at least 1"),
        (
            lambda: visualization.plot_images(np.zeros((2, 4, 4)), [1]),
            "labels must be 2 whole numbers from 0 on, one per image, not 1",
        ),
        (
            lambda: visualization.plot_images(np.zeros((2, 4, 4)), [1, 2], [1, 2, 3]),
            "predictions must be 2 whole numbers",
        ),
        (lambda: visualization.plot_images(np.zeros((2, 4, 4)), columns=0), "columns must be a whole number"),
        (lambda: visualization.plot_images(np.zeros((2, 4, 4)), value_range=(1, 0)), "smaller, larger"),
        (lambda: visualization.plot_images(np.zeros((2, 4, 4)), value_range=5), "smaller, larger"),
        (lambda: visualization.plot_images(np.zeros((2, 3, 8, 8))), r"channels come last here, np\.moveaxis"),
        (lambda: visualization.plot_images(np.full((2, 4, 4), np.nan)), "32 of 32 numbers are NaN"),
        (lambda: visualization.plot_images([np.zeros((4, 4, 3)), np.zeros((5, 4, 3))]), "images of different sizes"),
        (lambda: visualization.plot_images(np.zeros((1001, 2, 2))), "1,001 images are too many to see"),
        (
            lambda: visualization.plot_images(np.zeros((3, 4, 4)), [0, 1, 2], np.eye(3)),
            "predictions must be one whole number",
        ),
        (lambda: visualization.plot_images(np.zeros((2, 4, 4)), [0, -1]), "from 0 on, but there are -1 to 0"),
        (
            lambda: visualization.plot_images(np.zeros((2, 4, 4)), [0, 2], class_names=["a", "b"]),
            "from 0 to 1, as many as",
        ),
        (lambda: visualization.plot_images(np.zeros((2, 4, 4)), ["a", "b"], [0, 1]), "labels are text"),
        (lambda: visualization.montage(np.zeros((2, 4, 4)), 2), "images must have the shape"),
        (lambda: visualization.montage(np.zeros((2, 4, 4, 1)), 2, pad=-1), "pad between rows"),
        (lambda: visualization.montage(np.zeros((2, 4, 4, 1), np.uint8), 2, fill=0.5), "fill must be a whole number"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("shape", [(32, 30, 3), (32, 30, 1), (1, 32, 30, 3), (1, 32, 30)])
def test_one_picture(shape):
    ax = visualization.plot_images(np.zeros(shape), 3)
    assert np.shape(ax.images[0].get_array())[:2] == (32, 30) and texts(ax) == ["3"]


def test_small_gray_kernels_are_no_picture():
    assert len(visualization.plot_images(np.zeros((8, 3, 3))).lines) == 8


def test_labels_and_predictions_may_be_names():
    expected = ["ant", "bee→cat", "cat"]
    for arguments in ((["ant", "bee", "cat"], [0, 2, 2], ["ant", "bee", "cat"]),
                      (["ant", "bee", "cat"], ["ant", "cat", "cat"])):  # fmt: skip
        ax = visualization.plot_images(np.zeros((3, 4, 4)), *arguments)
        assert texts(ax) == expected and [text.get_color() for text in ax.texts] == [INK, WRONG, INK]


def test_a_montage_of_whole_numbers_stays_one():
    whole = visualization.montage(np.full((2, 2, 2, 3), 7, np.uint8), 2)
    assert whole.dtype == np.uint8 and set(whole.ravel()) == {7, 255}


def test_axes_that_are_none():
    for ax in (visualization.new_axes(columns=2), visualization.new_axes().figure, "ax"):
        for draw in (visualization.plot_images, lambda _, ax: visualization.plot_activation("ReLU", ax=ax)):
            with pytest.raises(ValueError, match=r"ax must be one Axes, such as axes\[0\]"):
                draw(np.zeros((2, 4, 4)), ax=ax)

"""One step of a convolution, against SciPy."""

import matplotlib
import numpy as np
import pytest
from scipy import signal

from course_lib.visualization import convolve, plot_convolution_step, plot_pooling

IMAGE, KERNEL = np.random.default_rng(0).normal(size=(2, 9, 9))[:, :, :8]
KERNEL = KERNEL[:3, :2]


def test_convolve_slides_without_flipping():
    np.testing.assert_allclose(convolve(IMAGE, KERNEL), signal.correlate2d(IMAGE, KERNEL, mode="valid"))


def test_convolve_refuses_what_cannot_slide():
    with pytest.raises(ValueError, match=r"no larger, not \(3, 2\) and \(9, 8\)"):
        convolve(KERNEL, IMAGE)
    with pytest.raises(ValueError, match="height, width"):
        convolve(IMAGE[..., None], KERNEL)


def test_the_step_marks_the_window_and_names_the_pixel_it_makes():
    before = dict(matplotlib.rcParams)
    axes = plot_convolution_step(IMAGE, KERNEL, 4, 5)
    expected = signal.correlate2d(IMAGE, KERNEL, mode="valid")[4, 5]
    assert axes[2].get_title() == f"map[4, 5] = {expected:.2f}".replace("-", "−")
    assert f"sum {expected:.2f}".replace("-", "−") in axes[1].get_title()
    window = axes[0].lines[0]  # 3 rows and 2 columns from row 4, column 5
    assert (min(window.get_xdata()), max(window.get_xdata())) == (4.5, 6.5)
    assert (min(window.get_ydata()), max(window.get_ydata())) == (3.5, 6.5)
    assert len(axes[1].texts) == KERNEL.size
    keys = [each.get_ylabel() for each in axes[0].get_figure().axes if each not in axes]
    assert keys == ["product", "value of the map"]
    assert dict(matplotlib.rcParams) == before
    matplotlib.pyplot.close("all")


def test_the_products_of_all_steps_share_a_scale_and_no_zero_has_a_sign():
    image = np.full((9, 9), -0.001)
    image[4, 4] = 2.0
    kernel = np.array([[0.5, -0.004], [0.25, -1.0]])
    on_paper, on_ink = (plot_convolution_step(image, kernel, row, row)[1] for row in (0, 4))
    assert on_paper.images[0].get_clim() == on_ink.images[0].get_clim() == pytest.approx((-2, 2))
    texts = [text.get_text() for text in on_paper.texts]
    assert texts == ["0.0\n×+0.50", "0.0\n×+0.00", "0.0\n×+0.25", "0.0\n×−1.00"]
    assert on_paper.get_title().endswith("sum 0.00")
    matplotlib.pyplot.close("all")


def test_the_map_can_be_drawn_as_far_as_it_is_computed():
    image, kernel = np.arange(16.0).reshape(4, 4), np.eye(2)
    whole, part = (plot_convolution_step(image, kernel, 1, 0, ahead=ahead)[2] for ahead in (True, False))
    expected = signal.correlate2d(image, kernel, mode="valid")
    assert [text.get_text() for text in whole.texts] == [f"{value:g}" for value in expected.flat]
    assert [text.get_text() for text in part.texts] == [f"{value:g}" for value in expected.flat[:4]]
    assert np.ma.getmaskarray(part.images[0].get_array()).sum() == 5
    assert not np.ma.getmaskarray(whole.images[0].get_array()).any()
    assert part.images[0].get_clim() == whole.images[0].get_clim()
    matplotlib.pyplot.close("all")


def test_the_step_says_where_there_is_no_pixel():
    with pytest.raises(ValueError, match=r"\(7, 7\) pixels, so there is none at \(7, 0\)"):
        plot_convolution_step(IMAGE, KERNEL, 7, 0)
    with pytest.raises(ValueError, match="three Axes, not 1"):
        plot_convolution_step(IMAGE, KERNEL, 0, 0, ax=np.array([None]))


@pytest.mark.parametrize("types", [(np.uint8, np.uint8), (np.uint8, np.int8), (bool, np.float16)])
def test_numbers_of_few_bits_do_not_overflow(types):
    image, kernel = np.full((3, 3), 200).astype(types[0]), np.full((2, 2), 2).astype(types[1])
    expected = 4 * float(image[0, 0]) * float(kernel[0, 0])
    assert convolve(image, kernel).tolist() == [[expected] * 2] * 2
    axes = plot_convolution_step(image, kernel, 1, 0)
    assert axes[2].get_title() == f"map[1, 0] = {expected:.2f}" and f"sum {expected:.2f}" in axes[1].get_title()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.full((3, 3), np.nan), np.ones((2, 2))), "image must be finite"),
        ((np.ones((3, 3)), np.zeros((0, 0))), "a kernel no larger"),
        ((np.ones((3, 3)), "sobel"), "kernel must be an array of numbers"),
    ],
)
def test_convolve_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        convolve(*arguments)
    with pytest.raises(ValueError, match="row must be a whole number"):
        plot_convolution_step(np.ones((3, 3)), np.ones((2, 2)), 0.5, 0)


def test_pooling_is_kerass_and_blocks_and_averages_share_a_scale():
    keras = pytest.importorskip("keras")
    values = np.round(np.random.default_rng(1).normal(size=(6, 8)), 2)
    axes = plot_pooling(values)
    expected = keras.layers.AveragePooling2D(2)(values[None, :, :, None].astype("float32"))
    after = np.asarray(axes[1].images[0].get_array())
    np.testing.assert_allclose(after, np.asarray(expected)[0, :, :, 0], atol=1e-6)
    assert [text.get_text() for text in axes[1].texts] == [
        f"{value:.1f}".replace("-", "−").replace("−0.0", "0.0") for value in after.flat
    ]
    assert len(axes[0].texts) == values.size and len(axes[0].lines) == len(axes[1].lines) == 12
    frame = axes[0].lines[5]  # the block of rows 2 and 3, columns 2 and 3
    assert (min(frame.get_xdata()), max(frame.get_xdata())) == (1.5, 3.5)
    assert (min(frame.get_ydata()), max(frame.get_ydata())) == (1.5, 3.5)
    assert axes[0].images[0].get_clim() == axes[1].images[0].get_clim()


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.ones((5, 4)), {}, r"both sides a multiple of 2, not \(5, 4\)"),
        (np.ones((4, 4)), {"size": 3}, "both sides a multiple of 3"),
        (np.ones((10, 10)), {}, "at most 64 numbers"),
        (np.ones((2, 2, 1)), {}, "height, width"),
        (np.full((2, 2), np.nan), {}, "values must be finite"),
        (np.ones((4, 4)), {"size": 0}, "size must be"),
        (np.ones((4, 4)), {"ax": np.array([None])}, "two Axes, not 1"),
    ],
)
def test_pooling_refuses_what_has_no_blocks(values, options, message):
    with pytest.raises(ValueError, match=message):
        plot_pooling(values, **options)

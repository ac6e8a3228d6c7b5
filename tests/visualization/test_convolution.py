"""One step of a convolution, against SciPy."""

import matplotlib
import numpy as np
import pytest
from scipy import signal

from course_lib.visualization import convolution_step, convolve

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
    axes = convolution_step(IMAGE, KERNEL, 4, 5)
    expected = signal.correlate2d(IMAGE, KERNEL, mode="valid")[4, 5]
    assert axes[2].get_title() == f"map[4, 5] = {expected:.2f}"
    assert f"sum {expected:.2f}".replace("-", "−") in axes[1].get_title()
    window = axes[0].lines[0]  # 3 rows and 2 columns from row 4, column 5
    assert (min(window.get_xdata()), max(window.get_xdata())) == (4.5, 6.5)
    assert (min(window.get_ydata()), max(window.get_ydata())) == (3.5, 6.5)
    assert len(axes[1].texts) == KERNEL.size
    assert dict(matplotlib.rcParams) == before
    matplotlib.pyplot.close("all")


def test_the_step_says_where_there_is_no_pixel():
    with pytest.raises(ValueError, match=r"\(7, 7\) pixels, so there is none at \(7, 0\)"):
        convolution_step(IMAGE, KERNEL, 7, 0)
    with pytest.raises(ValueError, match="three Axes, not 1"):
        convolution_step(IMAGE, KERNEL, 0, 0, ax=np.array([None]))


@pytest.mark.parametrize("types", [(np.uint8, np.uint8), (np.uint8, np.int8), (bool, np.float16)])
def test_numbers_of_few_bits_do_not_overflow(types):
    image, kernel = np.full((3, 3), 200).astype(types[0]), np.full((2, 2), 2).astype(types[1])
    expected = 4 * float(image[0, 0]) * float(kernel[0, 0])
    assert convolve(image, kernel).tolist() == [[expected] * 2] * 2
    axes = convolution_step(image, kernel, 1, 0)
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
        convolution_step(np.ones((3, 3)), np.ones((2, 2)), 0.5, 0)

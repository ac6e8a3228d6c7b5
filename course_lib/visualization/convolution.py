"""One step of a convolution: the window on the image, its numbers times the kernel's, the pixel they make."""

import numpy as np

from course_lib import common
from course_lib.visualization.data_checks import finite_array
from course_lib.visualization.style import DIVERGING, INK, WRONG, check_axes, new_axes, style


def convolve(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The map that `kernel` makes of `image` by sliding, no padding: both `(height, width)`, a loop in NumPy.

    As in every deep learning library the kernel is not flipped (mathematics calls this a cross-correlation). Numbers
    of any type are computed as float64, so that whole numbers of 8 bits do not overflow.

    Raises:
        ValueError: a kernel larger than the image, either without exactly two dimensions, or NaN.
    """
    image, kernel = finite_array("image", image).astype(float), finite_array("kernel", kernel).astype(float)
    fits = image.ndim == kernel.ndim == 2 and kernel.size and (np.array(kernel.shape) <= image.shape).all()
    if not fits:
        raise ValueError(
            f"convolve takes an image (height, width) and a kernel no larger, not {image.shape} and {kernel.shape}"
        )
    rows, columns = kernel.shape
    result = np.empty((image.shape[0] - rows + 1, image.shape[1] - columns + 1))
    for row, column in np.ndindex(result.shape):
        result[row, column] = np.sum(image[row : row + rows, column : column + columns] * kernel)
    return result


@style()
def convolution_step(image: np.ndarray, kernel: np.ndarray, row: int, column: int, *, ax=None):
    """Draws, from left to right: image and window, window × kernel in numbers, the map and its pixel.

    Args:
        image: `(height, width)`, a few dozen pixels a side.
        kernel: `(rows, columns)`, small enough to print.
        row, column: which output pixel is computed; the window's corner on the image.
        ax: three Axes, or None for a new figure.

    Raises:
        ValueError: as `convolve`; no such output pixel, or not three Axes.
    """
    result = convolve(image, kernel)
    image, kernel = np.asarray(image).astype(float), np.asarray(kernel).astype(float)
    common.at_least(0, row=row, column=column)
    if not (0 <= row < result.shape[0] and 0 <= column < result.shape[1]):
        raise ValueError(f"the output has {result.shape} pixels, so there is none at {(row, column)}")
    axes = np.ravel(new_axes(10.5, 3.6, columns=3, width_ratios=(1, 1.25, 1)) if ax is None else ax)
    if len(axes) != 3:
        raise ValueError(f"convolution_step draws on three Axes, not {len(axes)}")
    for each in axes:
        check_axes(each)
    rows, columns = kernel.shape
    window = image[row : row + rows, column : column + columns]
    _picture(axes[0], image, "gray", (row, column, rows, columns), "image and window")
    _products(axes[1], window, kernel)
    _picture(axes[2], result, DIVERGING, (row, column, 1, 1), f"map[{row}, {column}] = {result[row, column]:.2f}")
    return axes


def _picture(ax, values, colors: str, box: tuple[int, int, int, int], title: str) -> None:
    limits = {"vmin": -np.abs(values).max(), "vmax": np.abs(values).max()} if colors == DIVERGING else {}
    ax.imshow(values, cmap=colors, **limits)
    top, left, height, width = (box[0] - 0.5, box[1] - 0.5, box[2], box[3])
    ax.plot([left, left + width, left + width, left, left], [top, top, top + height, top + height, top], color=WRONG)
    ax.set(title=title, xticks=[], yticks=[])


def _products(ax, window: np.ndarray, kernel: np.ndarray) -> None:
    """Each cell: pixel × weight, colored by the product."""
    products = window * kernel
    largest = max(np.abs(products).max(), 1e-9)
    ax.imshow(products, cmap=DIVERGING, vmin=-largest, vmax=largest)
    for (row, column), weight in np.ndenumerate(kernel):
        text = f"{window[row, column]:.1f}\n×{weight:+.1f}".replace("-", "−")
        color = "white" if abs(products[row, column]) > 0.6 * largest else INK
        ax.text(column, row, text, ha="center", va="center", fontsize=11, color=color)
    ax.set(title=f"pixel × weight, sum {products.sum():.2f}".replace("-", "−"), xticks=[], yticks=[])

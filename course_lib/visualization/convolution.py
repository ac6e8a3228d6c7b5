"""A convolution and a pooling in numbers: the window on the image, its product with the kernel, the output pixel."""

import numpy as np

from course_lib import common
from course_lib.array_checks import finite_array
from course_lib.visualization.style import DIVERGING, INK, WRONG, check_axes, new_axes, style, with_minus

MOST_NUMBERS = 64  # of a picture whose values are written into it
FEW_A_SIDE = 6  # values along a side, beside which there is room for larger digits


def convolve(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The feature map of one `image` and one `kernel`, both `(height, width)`, without padding: a loop in NumPy.

    As in every deep learning library the kernel is not flipped (mathematics calls this a cross-correlation). It is
    computed in float64, so that 8-bit numbers do not overflow.

    Raises:
        ValueError: a kernel larger than the image, either without exactly two dimensions, or NaN.
    """
    image = finite_array("image", image).astype(float)
    kernel = finite_array("kernel", kernel).astype(float)
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
def plot_convolution_step(image: np.ndarray, kernel: np.ndarray, row: int, column: int, *, ahead: bool = True, ax=None):
    """One step of a convolution, from left to right: image and window, pixels × weights, feature map and pixel.

    Red is positive, blue negative; a color key beside each picture gives the numbers. The scales are those of the
    whole image and map, so that the steps of one convolution can be compared.

    Args:
        image: `(height, width)`, a few dozen pixels a side.
        kernel: `(rows, columns)`, small enough to print.
        row: row of the output pixel, and of the window's upper edge on the image.
        column: column of the output pixel, and of the window's left edge on the image.
        ahead: whether the map is drawn beyond this output pixel, which is reached row by row.
        ax: three Axes; by default those of a new figure.

    Raises:
        ValueError: as `convolve`; no such output pixel, or not three Axes.
    """
    result = convolve(image, kernel)
    image = np.asarray(image).astype(float)
    kernel = np.asarray(kernel).astype(float)
    common.at_least(0, row=row, column=column)
    if not (0 <= row < result.shape[0] and 0 <= column < result.shape[1]):
        raise ValueError(f"the output has {result.shape} pixels, so there is none at {(row, column)}")
    axes = np.ravel(new_axes(11.5, 3.6, columns=3, width_ratios=(1, 1.35, 1.15)) if ax is None else ax)
    if len(axes) != 3:
        raise ValueError(f"plot_convolution_step draws on three Axes, not {len(axes)}")
    for each in axes:
        check_axes(each)
    rows, columns = kernel.shape
    window = image[row : row + rows, column : column + columns]
    _picture(axes[0], image, "gray", (row, column, rows, columns), "image and window")
    _products(axes[1], window, kernel, largest=_largest_product(image, kernel))
    title = f"map[{row}, {column}] = {_number(result[row, column], '.2f')}"
    later = np.arange(result.size).reshape(result.shape) > row * result.shape[1] + column
    _picture(axes[2], result, DIVERGING, (row, column, 1, 1), title, hidden=later & (not ahead))
    for each, meaning in zip(axes[1:], ("product", "value of the map"), strict=True):
        each.get_figure().colorbar(each.images[0], ax=each, shrink=0.8, label=meaning)
    return axes


@style()
def plot_pooling(values: np.ndarray, *, size: int = 2, ax=None):
    """Average pooling: a small map with its numbers, cut into blocks, and the map of the blocks' averages.

    Both are drawn on one color scale; the frames of the blocks on the left are those of the pixels on the right.

    Args:
        values: `(height, width)`, both a multiple of `size`, at most 64 numbers.
        size: the side of a block.
        ax: two Axes; by default those of a new figure.

    Raises:
        ValueError: another shape, NaN, blocks that do not fit, or not two Axes.
    """
    values = finite_array("values", values).astype(float)
    common.at_least(1, size=size)
    if values.ndim != 2 or not 0 < values.size <= MOST_NUMBERS or any(side % size for side in values.shape):
        raise ValueError(
            f"values must be (height, width) of at most {MOST_NUMBERS} numbers, both sides a multiple of {size}, "
            f"not {values.shape}"
        )
    axes = np.ravel(new_axes(8, 3.4, columns=2) if ax is None else ax)
    if len(axes) != 2:
        raise ValueError(f"plot_pooling draws on two Axes, not {len(axes)}")
    rows, columns = (side // size for side in values.shape)
    averages = values.reshape(rows, size, columns, size).mean(axis=(1, 3))
    limit = float(np.abs(values).max()) or 1.0
    titles = (f"before: {values.shape[0]}×{values.shape[1]}", f"after: {rows}×{columns}, an average per block")
    for each, numbers, side, title in zip(axes, (values, averages), (size, 1), titles, strict=True):
        check_axes(each)
        picture = each.imshow(numbers, cmap=DIVERGING, vmin=-limit, vmax=limit)
        _numbers(each, numbers, ".1f", size=11 if max(values.shape) <= FEW_A_SIDE else 9)
        for row, column in np.ndindex(averages.shape):
            _frame(each, (row * side, column * side, side, side), INK)
        each.set(title=title, xticks=[], yticks=[])
    axes[0].get_figure().colorbar(picture, ax=list(axes), shrink=0.8, label="value of the map")
    return axes


def _picture(ax, values, colors: str, box: tuple[int, int, int, int], title: str, hidden=False) -> None:
    """Values and a box; where `hidden` is true they are left out, but the color scale is that of all."""
    largest = np.abs(values).max() or 1.0  # a map of zeros, too, has a scale around 0
    limits = {"vmin": -largest, "vmax": largest} if colors == DIVERGING else {}
    shown = np.ma.masked_where(np.broadcast_to(hidden, values.shape), values)
    ax.imshow(shown, cmap=colors, **limits)
    _frame(ax, box, WRONG)
    ax.set(title=title, xticks=[], yticks=[])
    if values.size <= MOST_NUMBERS:
        _numbers(ax, shown)


def _frame(ax, box: tuple[int, int, int, int], color: str) -> None:
    """A line around the pixels of a box (row, column, height, width)."""
    top = box[0] - 0.5
    left = box[1] - 0.5
    bottom = top + box[2]
    right = left + box[3]
    ax.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color=color)


def _numbers(ax, values, spec: str = "g", size: int = 11) -> None:
    """Each value in its pixel, in the color that the pixel leaves legible."""
    for (row, column), value in np.ma.ndenumerate(values):
        red, green, blue, _ = ax.images[0].cmap(ax.images[0].norm(value))
        color = "white" if 0.3 * red + 0.6 * green + 0.1 * blue < 0.45 else INK
        ax.text(column, row, _number(value, spec), ha="center", va="center", fontsize=size, color=color)


def _number(value: float, spec: str) -> str:
    """A number as text, with a minus sign of full width and none before a zero."""
    text = f"{value:{spec}}"
    if float(text) == 0:
        text = text.replace("-", "+" if "+" in spec else "")
    return with_minus(text)


def _largest_product(image: np.ndarray, kernel: np.ndarray) -> float:
    """The largest |pixel × weight| at any position of the kernel."""
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return max(float(np.abs(windows * kernel).max()), 1e-9)


def _products(ax, window: np.ndarray, kernel: np.ndarray, *, largest: float) -> None:
    """Each cell: pixel × weight, colored by the product on a scale that ends at ±`largest`."""
    products = window * kernel
    ax.imshow(products, cmap=DIVERGING, vmin=-largest, vmax=largest)
    whole = (window == window.round()).all() and (kernel == kernel.round()).all()
    spec, weight_spec = (".0f", "+.0f") if whole else (".1f", "+.2f")
    for (row, column), weight in np.ndenumerate(kernel):
        text = f"{_number(window[row, column], spec)}\n×{_number(weight, weight_spec)}"
        color = "white" if abs(products[row, column]) > 0.6 * largest else INK
        ax.text(column, row, text, ha="center", va="center", fontsize=11 if whole else 10, color=color)
    ax.set(title=f"pixel × weight, sum {_number(products.sum(), '.2f')}", xticks=[], yticks=[])

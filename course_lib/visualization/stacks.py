"""What a stack of convolutions sees: paths through its layers, one filter through several maps, padding at an edge."""

from collections.abc import Mapping

import numpy as np

from course_lib.array_checks import finite_array
from course_lib.model_checks import described
from course_lib.visualization.convolution import convolve
from course_lib.visualization.panels import plot_numbers, plot_panels
from course_lib.visualization.style import DIVERGING, PALETTE, given_or_new, new_axes, style

COLORS = ("red", "green", "blue")


@style()
def plot_paths(paths: Mapping[str, np.ndarray], shares: Mapping[str, np.ndarray]):
    """Numbers of paths to one unit, layer by layer, above each pixel's share in its influence in %.

    Each row has one color scale with a key. The squares of a row are drawn to one scale: places without units are
    blank.

    Args:
        paths: title → whole numbers `(side, side)`, the largest square last.
        shares: title → percentages `(side, side)`.

    Returns:
        The Axes, `(2, columns)`.

    Raises:
        ValueError: no squares, or not as many shares as paths.
    """
    if not all(isinstance(each, Mapping) and each for each in (paths, shares)) or len(paths) != len(shares):
        raise ValueError(f"paths and shares must be dicts of as many squares, not {described(paths)}")
    axes = new_axes(3.1 * len(paths), 6, rows=2, columns=len(paths), squeeze=False)
    labels = ("paths", "share of the influence in %")
    for row, squares, spec, label in zip(axes, (paths, shares), ("g", ".1f"), labels, strict=True):
        largest = max(float(np.max(values)) for values in squares.values())
        side = max(len(values) for values in squares.values())
        for ax, (title, values) in zip(row, squares.items(), strict=True):
            plot_numbers(values, limits=(0, 1.05 * largest), spec=spec, colors="Blues", ax=ax)
            edge = (side - len(values)) / 2
            ax.set(title=title, xlim=(-0.5 - edge, len(values) - 0.5 + edge))
            ax.set_ylim(len(values) - 0.5 + edge, -0.5 - edge)
        row[0].get_figure().colorbar(row[-1].images[0], ax=list(row), label=label)
    return axes


@style()
def plot_filter(image: np.ndarray, kernel: np.ndarray, row: int, column: int):
    """One filter on the three colors of an image: it has a square of numbers for each of them, and makes one map.

    Above are the colors, framed where the filter lies for one pixel of the map, and the map with its color scale; below
    are the filter's numbers.

    Args:
        image: `(height, width, 3)`, from 0 to 1.
        kernel: `(rows, columns, 3)`.
        row: row of the map's pixel.
        column: column of the map's pixel.

    Returns:
        The Axes: three colors, the map, three squares of the filter.

    Raises:
        ValueError: other shapes, or no such pixel.
    """
    image = finite_array("image", image)
    kernel = finite_array("kernel", kernel)
    if image.ndim != 3 or kernel.ndim != 3 or not image.shape[-1] == kernel.shape[-1] == 3:
        raise ValueError(f"image and kernel must be (height, width, 3), not {image.shape} and {kernel.shape}")
    result = sum(convolve(image[..., color], kernel[..., color]) for color in range(3))
    if not (0 <= row < result.shape[0] and 0 <= column < result.shape[1]):
        raise ValueError(f"the map has {result.shape} pixels, so there is none at {(row, column)}")
    pictures = {f"input: {name}": image[..., color] for color, name in enumerate(COLORS)} | {"feature map": result}
    squares = {f"filter, for {name}": kernel[..., color] for color, name in enumerate(COLORS)}
    axes = plot_panels(pictures | squares, columns=4)
    largest = float(np.abs(kernel).max()) or 1.0
    for color, numbers in enumerate(squares.values()):
        _frame(axes[color], row, column, *kernel.shape[:2])
        plot_numbers(numbers, limits=(-largest, largest), spec=".1f", colors=DIVERGING, ax=axes[4 + color])
    _frame(axes[3], row, column, 1, 1)
    axes[3].get_figure().colorbar(axes[3].images[0], ax=axes[3], shrink=0.8)
    return axes


@style()
def plot_padding(side: int, *, ax=None):
    """A 3×3 filter at the corner of a small map: 1 for a pixel of the map, 0 for the padding around it.

    Args:
        side: of the map, in pixels.
        ax: the Axes to draw on; by default those of a new figure.
    """
    ax = given_or_new(ax, 2.6, 2.6)
    plot_numbers(np.pad(np.ones((side, side), int), 1), limits=(0, 2), colors="Blues", ax=ax)
    _frame(ax, 0, 0, 3, 3)
    ax.set(title=f"3×3 on a {side}×{side} map", aspect="equal")
    return ax


def _frame(ax, row: int, column: int, rows: int, columns: int) -> None:
    """A frame around some pixels."""
    left = column - 0.5
    top = row - 0.5
    right = left + columns
    bottom = top + rows
    across = (left, right, right, left, left)
    down = (top, top, bottom, bottom, top)
    ax.plot(across, down, color=PALETTE[1], linewidth=2.5, clip_on=False)

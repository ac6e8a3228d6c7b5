"""Arrays of numbers with a sign, side by side, and the table of which maps a convolution connects."""

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib.array_checks import finite_array
from course_lib.model_checks import described
from course_lib.visualization.style import DIVERGING, INK, check_axes, given_or_new, new_axes, style


@style()
def plot_signed(arrays: Mapping[str, np.ndarray], *, ax=None):
    """Arrays `(height, width)` side by side, each with its own color key; zero is white.

    Args:
        arrays: title → array, such as {"pixels": image, "gradient": gradient}.
        ax: one Axes per array, or None for a new figure.

    Returns:
        The Axes, an array of them.

    Raises:
        ValueError: no arrays, other shapes, NaN, or another number of Axes.
    """
    if not isinstance(arrays, Mapping) or not arrays:
        raise ValueError(f"arrays must be a dict title → array (height, width), not {described(arrays)}")
    axes = np.atleast_1d(new_axes(3.6 * len(arrays), 3.3, columns=len(arrays)) if ax is None else ax)
    if axes.size != len(arrays):
        raise ValueError(f"{len(arrays)} arrays need as many Axes, not {axes.size}")
    for each, (title, values) in zip(axes.flat, arrays.items(), strict=True):
        check_axes(each)
        values = finite_array(title, values)
        if values.ndim != 2:
            raise ValueError(f"{title!r} must be (height, width), not {values.shape}")
        limit = float(np.abs(values).max()) or 1.0
        picture = each.imshow(values, cmap=DIVERGING, vmin=-limit, vmax=limit)
        each.set(title=title, xticks=[], yticks=[])
        each.get_figure().colorbar(picture, ax=each, shrink=0.8)
    return axes


@style()
def plot_connections(table: Sequence[Sequence[int]], *, ax=None):
    """Which maps of the layer before each map of a convolution sees: a cross for each connection.

    Args:
        table: for each map of the convolution the numbers of the maps that it sees, as `lenet5_1998.TABLE_I`.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: a table without rows, or with anything but whole numbers from 0.
    """
    pairs = [(source, output) for output, sources in enumerate(table) for source in sources]
    if not pairs or not all(isinstance(source, (int, np.integer)) and source >= 0 for source, _ in pairs):
        raise ValueError(f"table must list, for each map, the numbers of the maps that it sees, not {described(table)}")
    inputs = 1 + max(source for source, _ in pairs)
    ax = given_or_new(ax, 1.2 + 0.34 * len(table), 1.2 + 0.34 * inputs)
    sources, outputs = zip(*pairs, strict=True)
    ax.plot(outputs, sources, "x", color=INK, markersize=8, markeredgewidth=2)
    ax.set_xticks(np.arange(len(table)))
    ax.set_yticks(np.arange(inputs))
    ax.set_xticks(np.arange(len(table) + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(inputs + 1) - 0.5, minor=True)
    ax.grid(True, which="minor")
    ax.tick_params(which="both", length=0)
    ax.set(xlim=(-0.5, len(table) - 0.5), ylim=(inputs - 0.5, -0.5), aspect="equal")
    return ax

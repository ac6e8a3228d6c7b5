"""What changes from layer to layer of a deep network: one number per layer, or the distribution of its outputs."""

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib import common
from course_lib.array_checks import finite_array
from course_lib.model_checks import described
from course_lib.visualization.curves import plain_log
from course_lib.visualization.style import LINES, PALETTE, given_or_new, new_axes, style

BINS = 40


@style()
def plot_by_layer(
    values: Mapping[str, Sequence],
    label: str,
    *,
    expected: Mapping[str, Sequence] | None = None,
    limits: Sequence[float] | None = None,
    log: bool = True,
    plain: bool = False,
    ax=None,
):
    """One number per layer: the median of the seeds, and a band from smallest to largest.

    Args:
        values: name → `(seeds, layers)`, or `(layers,)` for one seed, all above 0; the input's side first.
        label: what the numbers are, with their unit; where it ends with %, the ticks are written out.
        expected: name → courses `(courses, layers)` that a calculation expects, drawn thin and dotted.
        limits: (smallest, largest) of the vertical axis, so that figures can be compared.
        log: whether the vertical axis is logarithmic; else it begins at 0.
        plain: whether the logarithmic axis has 1, 2, 3, 5, 10, … written out in place of powers of ten.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no values, numbers that are not above 0, other shapes, or impossible limits.

    Example:
        >>> plot_by_layer({"ReLU": norms}, "norm of the gradient")  # norms (3, 20): three seeds, 20 layers
    """
    if not isinstance(values, Mapping) or not values:
        raise ValueError(f"values must be a dict name → numbers (seeds, layers), not {described(values)}")
    ax = given_or_new(ax, 7.0, 3.6)
    for number, (name, rows) in enumerate(values.items()):
        rows = _positive(name, rows)
        layers = range(1, rows.shape[1] + 1)
        color = PALETTE[number % len(PALETTE)]
        ax.fill_between(layers, rows.min(axis=0), rows.max(axis=0), color=color, alpha=0.2, linewidth=0)
        line = LINES[number % len(LINES)]
        ax.plot(layers, np.median(rows, axis=0), line, marker="o", markersize=4, color=color, label=name)
        for course in _positive(name, expected[name]) if expected else ():
            ax.plot(layers, course, ":", linewidth=1.1, color=color)
    ax.set(xlabel="layer, counted from the input", ylabel=label)
    if log and (plain or label.endswith("%")):
        plain_log(ax)
        ax.yaxis.get_major_locator().set_params(subs=(1, 2, 3, 5) if plain else (1, 2, 5))
    elif log:
        ax.set_yscale("log")
    else:
        ax.set_ylim(bottom=0)
    if limits is not None:
        ends = finite_array("limits", limits)
        if ends.shape != (2,) or not 0 < ends[0] < ends[1]:
            raise ValueError(f"limits must be (smaller, larger), above 0, not {limits!r}")
        ax.set_ylim(*ends)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(True, axis="y")
    if len(values) > 1:
        ax.legend(handlelength=2.8)
    return ax


@style()
def plot_layer_histograms(outputs: Mapping[str, Mapping[str, np.ndarray]], label: str, *, limits: Sequence[float]):
    """Histograms of the outputs of some layers: a row per network, a column per layer, one scale for all.

    Bars are shares of a layer's outputs in %. What lies outside of the limits is counted in the first or last bin. Each
    panel says the root mean square.

    Args:
        outputs: name of the network → {name of the layer → its outputs, of any shape}, the same layers for each.
        label: what is counted, below the lowest row.
        limits: (smallest, largest) of the horizontal axes.

    Returns:
        The Axes `(networks, layers)`.

    Raises:
        ValueError: no outputs, NaN, networks with other layers than the first, or impossible limits.
    """
    rows = dict(outputs.items()) if isinstance(outputs, Mapping) else {}
    if not rows or not all(isinstance(row, Mapping) and row for row in rows.values()):
        raise ValueError(f"outputs must be a dict name → {{layer → outputs}}, not {described(outputs)}")
    layers = list(next(iter(rows.values())))
    low, high = (common.number("limits", end, -1e9, 1e9) for end in limits)
    if not low < high or any(list(row) != layers for row in rows.values()):
        raise ValueError(f"every network needs the layers {', '.join(map(str, layers))}, and limits that rise")
    grid = {"rows": len(rows), "columns": len(layers), "squeeze": False, "sharex": True, "sharey": True}
    axes = new_axes(2.1 * len(layers) + 1.2, 1.15 * len(rows) + 0.7, **grid)
    for line, (name, row) in enumerate(rows.items()):
        for place, layer in enumerate(layers):
            ax = axes[line, place]
            values = finite_array(f"the outputs of {layer!r}", row[layer]).astype(float).ravel()
            shares = np.full(values.size, 100 / values.size)
            color = PALETTE[line % len(PALETTE)]
            ax.hist(np.clip(values, low, high), bins=BINS, range=(low, high), weights=shares, color=color)
            rounded = float(f"{np.sqrt(np.mean(values**2)):.2g}")
            size = f"RMS {rounded:,g}"
            ax.text(0.5, 0.9, size, transform=ax.transAxes, ha="center", va="top", fontsize=11)
            ax.set(title=layer if line == 0 else "", xlabel=label if line == len(rows) - 1 else "")
        axes[line, 0].set_ylabel(name, rotation=0, ha="right", va="center")
    axes[0, 0].set(ylim=(0, 110), yticks=(0, 50, 100), yticklabels=("0", "50", "100 %"))
    return axes


def _positive(name: str, rows) -> np.ndarray:
    """Numbers `(seeds, layers)`, all above 0."""
    found = np.atleast_2d(finite_array(f"the values of {name!r}", rows)).astype(float)
    if found.ndim != 2 or not found.size or found.min() <= 0:
        raise ValueError(f"the values of {name!r} must be numbers above 0, (seeds, layers), not {described(rows)}")
    return found

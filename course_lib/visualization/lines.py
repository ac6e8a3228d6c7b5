"""Lines over a common horizontal axis, such as an error over the number of examples."""

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib.array_checks import finite_array
from course_lib.model_checks import described
from course_lib.visualization.style import LINES, PALETTE, given_or_new, style

MOST_TICKS = 20  # places that each get a tick and a dot


@style()
def plot_lines(
    rows: Mapping[str, Sequence],
    places: Sequence[float],
    xlabel: str,
    ylabel: str,
    *,
    log: bool = False,
    ax=None,
):
    """Lines through values at the same places, one color and kind of line per name.

    Args:
        rows: name → one value per place, or `(seeds, places)`: then the line joins the medians, and each seed is a dot.
            Drawn from 0 upwards where no value is below 0.
        places: the horizontal positions, `(places,)`; each gets a tick and a dot, unless there are more than 20.
        xlabel: what the horizontal axis shows, with its unit.
        ylabel: what the vertical axis shows, with its unit.
        log: whether the horizontal axis is logarithmic.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no rows, NaN, or another number of values than of places.
    """
    places = finite_array("places", places).astype(float)
    if not isinstance(rows, Mapping) or not rows:
        raise ValueError(f"rows must be a dict name → one value per place, not {described(rows)}")
    ax = given_or_new(ax, 7.0, 3.4)
    lowest = 0.0
    for number, (name, row) in enumerate(rows.items()):
        values = np.atleast_2d(finite_array(f"the values of {name!r}", row).astype(float))
        if values.ndim != 2 or not len(values) or values.shape[1:] != places.shape:
            raise ValueError(f"{name!r} must have {len(places)} values, one per place, not the shape {np.shape(row)}")
        color = PALETTE[number % len(PALETTE)]
        seeds = len(values) > 1
        dots = "o" if len(places) <= MOST_TICKS and not seeds else ""
        line = dots + LINES[number % len(LINES)]
        ax.plot(places, np.median(values, axis=0), line, color=color, markersize=5, label=name)
        if seeds:
            ax.plot(np.tile(places, len(values)), values.ravel(), "o", color=color, markersize=5)
        lowest = min(lowest, values.min())
    if log:
        ax.set_xscale("log")
    if len(places) <= MOST_TICKS:
        ax.set_xticks(places, [f"{place:,g}" for place in places])
        ax.minorticks_off()
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if np.isclose(lowest, 0):
        ax.set_ylim(bottom=0)
    ax.grid(True, axis="y")
    ax.legend()
    return ax

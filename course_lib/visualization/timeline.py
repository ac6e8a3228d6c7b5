"""Dated steps of a history on one axis."""

from collections.abc import Mapping, Sequence

from course_lib.model_checks import described
from course_lib.visualization.style import PALETTE, given_or_new, style


@style()
def plot_timeline(rows: Sequence[Mapping[str, object]], *, ax=None):
    """Years as dots, one line per step, each with who and what.

    Args:
        rows: dicts with "year", "who" and "short", in the order of time, as `common.published("timeline")` has them.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no rows, or rows without these columns.
    """
    rows = list(rows)
    if not rows or not all(isinstance(row, Mapping) and {"year", "who", "short"} <= set(row) for row in rows):
        raise ValueError(f'rows must be dicts with "year", "who" and "short", not {described(rows)}')
    years = [int(row["year"]) for row in rows]
    middle = (min(years) + max(years)) / 2
    ax = given_or_new(ax, 8.6, 0.6 + 0.27 * len(rows))
    ax.plot(years, range(len(years)), "o", color=PALETTE[0])
    for place, (year, row) in enumerate(zip(years, rows, strict=True)):
        side = {"ha": "left"} if year < middle else {"ha": "right"}
        shift = 0.8 if year < middle else -0.8
        text = f"{row['year']}  {row['who']}: {row['short']}"
        ax.text(year + shift, place, text, va="center", fontsize=11, **side)
    ax.set(xlim=(min(years) - 2, max(years) + 2), ylim=(len(years) - 0.4, -0.6), yticks=[], xlabel="year")
    ax.spines["left"].set_visible(False)
    return ax

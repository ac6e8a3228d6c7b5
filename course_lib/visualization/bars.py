"""Bars with one dot per seed, dots alone, and the text "median (smallest to largest)" that belongs to them."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib import ticker

from course_lib import common
from course_lib.array_checks import finite_array
from course_lib.model_checks import described
from course_lib.visualization.style import INK, MUTED, PALETTE, given_or_new, new_axes, style, with_minus

BAR = 0.76
DOTS = 0.24  # heights: of all bars of a name, of the dots of a bar; 1 is the distance of two names
Values = Mapping[str, Sequence[float] | float]


def median_and_range(values: Sequence[float], spec: str = ".1f", unit: str = "") -> str:
    """The text "median (smallest to largest)" for the values of several seeds.

    Args:
        values: one number per seed.
        spec: how a number is written, as in an f-string: ".1f", ",.0f", ".1%".
        unit: written after the median, for example "%" or "s".

    Raises:
        ValueError: no values, or NaN.

    Example:
        >>> median_and_range([1.4, 1.1, 1.2], ".1f", "%")
        '1.2 % (1.1 to 1.4)'
    """
    numbers = _numbers("the values", values)
    low, middle, high = (format(number, spec) for number in (numbers.min(), np.median(numbers), numbers.max()))
    return f"{middle} {unit}".rstrip() + f" ({low} to {high})"


@style()
def plot_bars(
    values: Values | Mapping[str, Values],
    label: str,
    *,
    highlight: Collection[str] = (),
    lines: Mapping[str, float] | None = None,
    spec: str | None = ".1f",
    limits: Sequence[float] | None = None,
    ax=None,
):
    """Horizontal bars from 0 to the median, with one dot per seed.

    Args:
        values: name → one number per seed, or name → {group → one number per seed} for several bars per name, with a
            legend of the groups. A number alone is one seed and gets no dot. A DataFrame is taken by columns.
        label: what the values are, with their unit: "validation error in %".
        highlight: names whose bars are drawn in the second color; only where there are no groups.
        lines: name → value of vertical lines for comparison, such as {"chance": 90.0}, named in the legend.
        spec: how the median is written beside its bar, as in an f-string; None leaves it out.
        limits: (smallest, largest) of the axis, so that figures can be compared.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no values, NaN, some names with groups and some without, an unknown name to highlight, or impossible
            limits.
    """
    rows = _grouped(values)
    groups = list(dict.fromkeys(group for row in rows.values() for group in row))
    unknown = [name for name in highlight if name not in rows]
    if isinstance(highlight, str) or unknown:
        raise ValueError(f"highlight must be a list of names among {', '.join(rows)}, not {highlight!r}")
    ax = given_or_new(ax, 7.5, 0.9 + max(0.42, 0.3 * len(groups)) * len(rows) + 0.3 * bool(lines or len(groups) > 1))
    height = BAR / len(groups)
    for number, group in enumerate(groups):
        shift = (number - (len(groups) - 1) / 2) * height
        for place, (name, row) in enumerate(rows.items()):
            if group in row:
                color = PALETTE[int(name in highlight) if len(groups) == 1 else number % len(PALETTE)]
                _bar(ax, place + shift, row[group], height, color, spec)
        if group:
            ax.barh(0, 0, color=PALETTE[number % len(PALETTE)], alpha=0.55, label=group)
    for number, (name, value) in enumerate((lines or {}).items()):
        ax.axvline(value, color=MUTED, linestyle=("--", ":", "-.")[number % 3], linewidth=1.6, label=name)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set(xlabel=label, ylim=(len(rows) - 0.5, -0.5))
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.12)
    if limits is not None:
        low, high = (common.number("limits", end, -1e9, 1e9) for end in limits)
        ax.set_xlim(low, common.number("the larger limit", high, low + 1e-12, 1e9))
    if lines or groups != [""]:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.2)
    return ax


def plot_bar_panels(panels: Mapping[str, Values], *, lines: Mapping[str, float] | None = None):
    """Bars side by side on one scale, one panel per label; a panel without values is left out.

    Args:
        panels: label → what `plot_bars` takes.
        lines: those of `plot_bars`, in each panel.

    Returns:
        The Axes, `(panels,)`.

    Raises:
        ValueError: no panel with values, or what `plot_bars` does not take.
    """
    given = {label: values for label, values in panels.items() if len(values)}
    if not given:
        raise ValueError(f"panels must be a dict label → values for bars, not {described(panels)}")
    most = max(len(values) for values in given.values())
    axes = np.atleast_1d(new_axes(6.2 * len(given), 1.4 + 0.75 * most, columns=len(given), sharex=True))
    for ax, (label, values) in zip(axes, given.items(), strict=True):
        plot_bars(values, label, lines=lines, ax=ax)
    return axes


@style()
def plot_dots(
    values: Values,
    label: str,
    *,
    deviations: Mapping[str, float] | None = None,
    highlight: Collection[str] = (),
    log: bool = False,
    ax=None,
):
    """One row of dots per name, one dot per seed, on an axis that need not begin at 0.

    Args:
        values: name → one number per seed.
        label: what the values are, with their unit: "validation error in %".
        deviations: name → half the length of a line through the dots of that row, such as a published deviation.
        highlight: names whose dots are drawn in the second color.
        log: whether the axis is logarithmic.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no values, NaN, groups, a number of 0 or less on a logarithmic axis, or an unknown name.
    """
    grouped = _grouped(values)
    if any(list(row) != [""] for row in grouped.values()):
        raise ValueError("values must be a dict name → one number per seed, without groups")
    rows = {name: row[""] for name, row in grouped.items()}
    unknown = [name for name in (*highlight, *(deviations or {})) if name not in rows]
    if isinstance(highlight, str) or unknown:
        raise ValueError(f"highlight and deviations must name rows among {', '.join(rows)}, not {unknown or highlight}")
    if log and min(found.min() for found in rows.values()) <= 0:
        raise ValueError("values must be above 0 on a logarithmic axis")
    ax = given_or_new(ax, 7.0, 0.9 + 0.45 * len(rows))
    for place, (name, found) in enumerate(rows.items()):
        color = PALETTE[int(name in highlight)]
        half = (deviations or {}).get(name)
        ax.errorbar(found, [place] * len(found), xerr=half, fmt="o", color=color, markersize=9, alpha=0.6, capsize=5)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set(xlabel=label, ylim=(len(rows) - 0.5, -0.5), xscale="log" if log else "linear")
    everything = np.concatenate(list(rows.values()))
    if log and everything.max() < 1000 * everything.min():  # else powers of ten are enough
        ax.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 3)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_locator(ticker.NullLocator())
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.12)
    return ax


def _bar(ax, place: float, values: np.ndarray, height: float, color: str, spec: str | None) -> None:
    """One bar to the median, its dots, and the median in numbers to the right of both."""
    median = float(np.median(values))
    ax.barh(place, median, height=0.92 * height, color=color, alpha=0.55)
    if len(values) > 1:
        spread = DOTS * height * np.linspace(-1, 1, len(values))  # equal values stay apart
        ax.plot(values, place + spread, "o", color=INK, markersize=4.5, markeredgewidth=0)
    if spec is not None:
        end = max(values.max(), median, 0)
        text = with_minus(format(median, spec))
        look = {"fontsize": 11, "weight": "bold", "color": color, "va": "center"}
        ax.annotate(text, (end, place), (7, 0), textcoords="offset points", **look)


def _grouped(values) -> dict[str, dict[str, np.ndarray]]:
    """Name → group → numbers; the only group of values without groups has no name."""
    if hasattr(values, "columns") and hasattr(values, "to_dict"):
        values = values.to_dict("list")
    if not isinstance(values, Mapping) or not values:
        raise ValueError(f"values must be a dict name → one number per seed, not {described(values)}")
    with_groups = [isinstance(row, Mapping) for row in values.values()]
    if any(with_groups) and not all(with_groups):
        raise ValueError("values must have groups for every name or for none")
    rows = values if all(with_groups) else {name: {"": row} for name, row in values.items()}
    return {
        str(name): {str(group): _numbers(f"the values of {name!r}", found) for group, found in row.items()}
        for name, row in rows.items()
    }


def _numbers(name: str, values) -> np.ndarray:
    """One number per seed, `(seeds,)`; a number alone is one seed."""
    found = np.atleast_1d(finite_array(name, values)).astype(float)
    if found.ndim != 1 or not len(found):
        raise ValueError(f"{name} must be numbers, one per seed, not the shape {found.shape}")
    return found

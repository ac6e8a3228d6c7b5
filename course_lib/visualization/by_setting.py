"""Many settings in one figure: a grid of medians, and how long each took to reach a goal."""

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib import common
from course_lib.array_checks import array_of, finite_array
from course_lib.model_checks import described
from course_lib.visualization.bars import median_and_range
from course_lib.visualization.curves import plain_log
from course_lib.visualization.measured import in_every_seed
from course_lib.visualization.style import INK, LINES, MUTED, PALETTE, given_or_new, style

LIGHT = 0.5  # up to here, as a share of the color scale, text is dark


@style()
def plot_grid(values: Mapping[str, Mapping[str, Sequence[float]]], label: str, *, limits, spec: str = ".1f", ax=None):
    """A grid of settings: each cell says median and range of its seeds, and its color shows the median.

    Args:
        values: row → {column → one number per seed}, the same columns in every row.
        label: what the numbers are, with their unit; it stands above the grid.
        limits: (smallest, largest) of the color scale; the larger, the darker.
        spec: how a number is written, as in an f-string.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no values, NaN, rows with other columns than the first, or impossible limits.
    """
    if not isinstance(values, Mapping) or not values or not all(isinstance(row, Mapping) for row in values.values()):
        raise ValueError(f"values must be a dict row → {{column → one number per seed}}, not {described(values)}")
    columns = list(next(iter(values.values())))
    for name, row in values.items():
        if not columns or list(row) != columns:
            raise ValueError(f"row {name!r} must have the columns {', '.join(map(str, columns))}, as the first row has")
    low, high = (common.number("limits", end, -1e9, 1e9) for end in limits)
    common.number("the larger limit", high, low + 1e-12, 1e9)
    ax = given_or_new(ax, 2.0 * len(columns) + 1.8, 0.72 * len(values) + 0.9)
    seeds = [[finite_array(f"{name}, {column}", row[column]) for column in columns] for name, row in values.items()]
    medians = np.array([[np.median(each) for each in row] for row in seeds])
    ax.imshow(medians, cmap="cividis_r", vmin=low, vmax=high, aspect="auto")
    for (line, place), median in np.ndenumerate(medians):
        smallest, largest = (format(float(end(seeds[line][place])), spec) for end in (np.min, np.max))
        color = INK if (median - low) / (high - low) < LIGHT else "white"
        text = f"{format(float(median), spec)}\n({smallest} to {largest})"
        ax.text(place, line, text, ha="center", va="center", color=color, fontsize=11)
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(values)), list(values))
    ax.tick_params(length=0, top=False, bottom=False)
    ax.spines[:].set_visible(False)
    ax.set_title(label)
    return ax


@style()
def plot_waiting(
    steps: Mapping[str, Mapping[float, Sequence[float]]], most: float, xlabel: str, ylabel: str, *, ax=None
):
    """How long each setting took to reach a goal, on a logarithmic axis; who did not within the limit is an arrow.

    Names stand beside each other at a place, dots and line, so that equal numbers hide none.

    Args:
        steps: name → {place, such as a depth → one number per seed}; infinity where the goal was not reached.
        most: the limit that ended a run; a dashed line.
        xlabel: what the horizontal axis shows.
        ylabel: what the vertical axis shows, with its unit.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no steps, NaN, numbers that are not above 0, or finite ones above the limit.
    """
    if (
        not isinstance(steps, Mapping)
        or not steps
        or not all(isinstance(row, Mapping) and row for row in steps.values())
    ):
        raise ValueError(f"steps must be a dict name → {{place → one number per seed}}, not {described(steps)}")
    ax = given_or_new(ax, 7.0, 3.6)
    places = sorted({place for row in steps.values() for place in row})
    unit = max(1.0, np.diff(places).min() / 2) if len(places) > 1 else 1.0
    late = False
    for number, (name, row) in enumerate(steps.items()):
        color = PALETTE[number % len(PALETTE)]
        medians = []
        beside = 0.12 * unit * (number - (len(steps) - 1) / 2)
        for place in sorted(row):
            seeds = _waits(name, row[place], most)
            medians.append(np.median(np.minimum(seeds, most)))
            spread = place + beside + unit * np.linspace(-0.04, 0.04, len(seeds))
            done = np.isfinite(seeds)
            late = late or not done.all()
            ax.plot(spread[done], seeds[done], "o", color=color, markersize=6)
            ax.plot(spread[~done], np.full(np.sum(~done), most), "^", color=color, markersize=9, markeredgecolor=INK)
        if len(row) == 1:  # no line, so the legend shows a dot
            ax.plot([], [], "o", color=color, markersize=6, label=name)
        else:
            ax.plot(np.array(sorted(row)) + beside, medians, LINES[number % len(LINES)], color=color, label=name)
    ax.axhline(most, color=MUTED, linestyle=":", linewidth=1.6)
    words = f"limit {most:,g}" + (": arrows did not reach the goal" if late else "")
    ax.text(0.01, most, words, transform=ax.get_yaxis_transform(), va="bottom", fontsize=11, color=MUTED)
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(places[0] - 0.3 * unit, places[-1] + 0.3 * unit))
    plain_log(ax)
    ax.margins(y=0.14)
    ax.set_xticks(places, [f"{place:g}" for place in places])
    ax.grid(True, axis="y")
    # above: inside, it would hide the limit
    ax.legend(handlelength=2.8, ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    return ax


def growth_in_words(steps: Mapping[str, Mapping[float, Sequence[float]]], places: str) -> str:
    """How much longer the last place took than the first, by the medians, and whether in every seed.

    With fewer than three seeds it says so in place of a verdict.

    Args:
        steps: as `plot_waiting` takes them.
        places: what the places count, such as "layers".

    Raises:
        ValueError: no steps.

    Example:
        >>> growth_in_words({"plain": {8: [200, 220, 240], 32: [600, 660, 700]}}, "layers")
        'plain, 8 to 32 layers: × 3.0 (higher in every seed)'
    """
    if not isinstance(steps, Mapping) or not steps or not all(steps.values()):
        raise ValueError(f"steps must be a dict name → {{place → one number per seed}}, not {described(steps)}")
    said = []
    for name, row in steps.items():
        first = min(row)
        last = max(row)
        if first == last:
            said.append(f"{name}: {first:g} {places} alone")
            continue
        seeds = min(len(row[first]), len(row[last]))
        factor = np.median(row[last]) / np.median(row[first])
        words = f"× {factor:.1f}" if np.isfinite(factor) else "the last not within the limit"
        verdict = in_every_seed(row[first], row[last]) if seeds > 2 else f"{seeds} seed(s), so no verdict"
        said.append(f"{name}, {first:g} to {last:g} {places}: {words} ({verdict})")
    return "; ".join(said)


def growth_fits(
    steps: Mapping[str, Mapping[float, Sequence[float]]], most: float, more: float
) -> dict[str, dict[str, np.ndarray]]:
    """How steps grow with a place such as depth: straight lines through log(steps), one per name and seed.

    A goal that was missed counts as the limit, so that the factor is a lower bound; names that miss it before the
    middle of their places, for which this does not hold, are left out, as are those with fewer than three places.

    Args:
        steps: as `plot_waiting` takes them, with as many seeds at each place of a name.
        most: the limit that ended a run.
        more: how far the factor reaches, such as 6 layers.

    Returns:
        name → "factor" (by which `more` multiplies the steps), "exponential" (whether log(steps) is straighter
        against the place than against its logarithm, a power), both `(seeds,)`; and "at_least", whether a goal was
        missed.

    Raises:
        ValueError: steps that `plot_waiting` refuses, places that are not above 0, or other numbers of seeds.

    Example:
        >>> growth_fits({"plain": {8: [200], 14: [400], 20: [800]}}, 1_000, 6)["plain"]["factor"].round(3)
        array([2.])
    """
    found = {}
    for name, row in steps.items():
        places = np.array(sorted(row), dtype=float)
        if len({len(seeds) for seeds in row.values()}) > 1 or (places <= 0).any():
            raise ValueError(f"{name!r} needs places above 0, each with as many seeds, not {described(row)}")
        if len(places) < 3:
            continue
        waits = np.array([_waits(name, row[place], most) for place in sorted(row)])
        missed = np.isinf(waits).any(axis=1)
        if (missed & (places <= places.mean())).any():
            continue
        logs = np.log(np.minimum(waits, most))
        line, misfit, *_ = np.polyfit(places, logs, 1, full=True)
        misfit_of_power = np.polyfit(np.log(places), logs, 1, full=True)[1]
        found[name] = {
            "factor": np.exp(more * line[0]),
            "exponential": misfit < misfit_of_power,
            "at_least": missed.any(),
        }
    return found


def fits_in_words(fits: Mapping[str, Mapping[str, np.ndarray]], more: str) -> str:
    """What `growth_fits` found: factors with their range over seeds; where all are above 1, also which growth fits.

    Args:
        fits: as `growth_fits` returns them.
        more: what the factors belong to, such as "6 more layers".

    Example:
        >>> fits = growth_fits({"plain": {8: [200] * 3, 14: [200] * 3, 20: [200] * 3}}, 1_000, 6)
        >>> fits_in_words(fits, "6 more layers")
        '6 more layers multiply the steps by 1.00 (1.00 to 1.00) (plain)'
    """
    if not fits:
        return "no line is fitted yet, for want of three depths with three seeds"
    said = []
    for name, fit in fits.items():
        bound = "at least " if fit["at_least"] else ""
        text = f"{bound}{median_and_range(fit['factor'], '.2f')} ({name})"
        if min(fit["factor"]) > 1:  # a level line is no kind of growth
            better = f"{np.sum(fit['exponential'])} of {len(fit['exponential'])} seeds"
            text += f", where an exponential fits better than a power of depth in {better}"
        said.append(text)
    return f"{more} multiply the steps by {'; by '.join(said)}"


def _waits(name: str, seeds: Sequence[float], most: float) -> np.ndarray:
    """Numbers above 0, at most `most` or infinite."""
    found = np.atleast_1d(array_of(f"the steps of {name!r}", seeds)).astype(float)
    late = np.isfinite(found) & (found > most)
    if found.ndim != 1 or not len(found) or not (found > 0).all() or late.any():
        raise ValueError(f"the steps of {name!r} must be above 0 and at most {most:g}, or infinite, not {seeds!r}")
    return found

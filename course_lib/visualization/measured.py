"""What recorded runs measured while they trained: loss or error of training and validation images."""

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib import common
from course_lib.model_checks import described
from course_lib.visualization.curves import plain_log
from course_lib.visualization.style import LINES, MARKERS, MUTED, PALETTE, given_or_new, style

METRICS = {"loss": ("loss", 1), "error": ("error in %", 100)}
OVER = {"epoch": "epoch", "step": "training steps"}


@style()
def plot_measured(
    runs: Mapping[str, Sequence[Mapping]],
    metric: str,
    *,
    over: str = "epoch",
    log: bool = False,
    training: bool = True,
    validation: bool = True,
    each_seed: bool = False,
    markers: bool = False,
    dashes: bool = False,
    skip: int = 0,
    legend: bool = True,
    first_color: int = 0,
    ax=None,
):
    """One metric of recorded runs over their epochs: training solid, validation dashed, one color per name.

    The lines are those of `plot_curves`; one part drawn alone is solid. Several seeds are drawn as their median, with a
    band from the smallest to the largest of the validation, or of what is drawn alone, or with a thin line per seed.

    Args:
        runs: name → recorded runs, one per seed, as `experiments.compared` returns them.
        metric: "loss" or "error".
        over: "epoch", or "step" for training steps on a logarithmic axis.
        log: whether the metric's axis is logarithmic.
        training: whether to draw the training images' metric.
        validation: whether to draw the validation images' metric.
        each_seed: whether each seed is a thin line, in place of the band.
        markers: whether the lines of each name have a marker of their own, so that not color alone tells them apart.
        dashes: whether the lines of each name are of a kind of their own, so that of two equal ones both are seen; only
            where one part is drawn.
        skip: how many measurements to leave out at the beginning, such as 1 for the untrained network.
        legend: whether to name the lines; not needed in each of several panels.
        first_color: the number of the first name's color; other than 0 where another panel uses the colors before it.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no runs, runs that measured nothing, neither part, both with dashes, or another metric or axis.
    """
    if metric not in METRICS:
        raise common.unknown("metric", metric, METRICS)
    if over not in OVER:
        raise common.unknown("axis", over, OVER)
    recorded = [run for seeds in runs.values() for run in seeds] if isinstance(runs, Mapping) else []
    if not recorded or not all("measured" in run for run in recorded):
        raise ValueError(f"runs must be a dict name → recorded runs with 'measured', not {described(runs)}")
    common.at_least(0, skip=skip, first_color=first_color)
    ax = given_or_new(ax)
    label, factor = METRICS[metric]
    parts = _parts(training, validation)
    if dashes and len(parts) > 1:
        raise ValueError("dashes tell names apart where one part is drawn; with both they tell the parts apart")
    last = list(parts)[-1]  # of whose seeds a band or thin lines are drawn
    for number, (name, seeds) in enumerate(runs.items(), first_color):
        color = PALETTE[number % len(PALETTE)]
        for part, usual in parts.items():
            line = LINES[number % len(LINES)] if dashes else usual
            epochs = np.array(seeds[0]["measured"][part]["epoch"][skip:])
            if over == "step":
                epochs = epochs * seeds[0]["steps_per_epoch"]
            values = factor * np.array([run["measured"][part][metric][skip:] for run in seeds])
            named = {
                "label": name if usual == "-" else None,
                "marker": MARKERS[number % len(MARKERS)] if markers else None,
            }
            ax.plot(epochs, np.median(values, axis=0), line, color=color, zorder=3 if markers else None, **named)
            if part == last and len(seeds) > 1 and each_seed:
                ax.plot(epochs, values.T, line, color=color, linewidth=0.9, alpha=0.7)
            elif part == last and len(seeds) > 1:
                ax.fill_between(epochs, values.min(axis=0), values.max(axis=0), color=color, alpha=0.18, linewidth=0)
    wanted = "" if len(parts) == 2 else f"{last} "
    ax.set(xlabel=OVER[over], ylabel=f"{wanted}{label}{' (log)' if log else ''}")
    _scale(ax, log=log, steps=over == "step")
    if legend:
        _add_legend(ax, parts if len(parts) == 2 else {}, max(len(seeds) for seeds in runs.values()), each_seed)
    return ax


def _scale(ax, *, log: bool, steps: bool) -> None:
    """The metric from 0 or on a logarithmic axis; epochs as whole numbers, steps on a logarithmic axis."""
    ax.grid(True, axis="y")
    if log:
        plain_log(ax)
        ax.yaxis.get_major_locator().set_params(subs=(1, 2, 3, 5))  # often less than a decade is shown
    else:
        ax.set_ylim(bottom=0)
    if steps:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter("{x:,g}")
    else:
        ax.xaxis.get_major_locator().set_params(integer=True)


def _parts(training: bool, validation: bool) -> dict[str, str]:
    """The parts to draw, each with its kind of line; what is drawn alone is solid."""
    wanted = [name for name, drawn in (("training", training), ("validation", validation)) if drawn]
    if not wanted:
        raise ValueError("draw training, validation, or both")
    return dict(zip(wanted, ("-", "--"), strict=False))


def _add_legend(ax, parts: Mapping[str, str], seeds: int, each_seed: bool) -> None:
    """Names the lines of `ax`, what the two kinds of line mean, and the bands or thin lines."""
    from matplotlib.patches import Patch

    for part, line in parts.items():
        ax.plot([], [], line, color=MUTED, label=part)
    if seeds > 1 and each_seed:
        ax.plot([], [], color=MUTED, linewidth=0.9, alpha=0.7, label=f"each of {seeds} seeds")
    handles, _ = ax.get_legend_handles_labels()
    if seeds > 1 and not each_seed:
        handles.append(Patch(color=MUTED, alpha=0.25, linewidth=0, label=f"range of {seeds} seeds"))
    ax.legend(handles=handles, loc="best", handlelength=2.8)


def clearly_lowest(values: Mapping[str, Sequence[float]]) -> str | None:
    """The name whose largest value is below every other name's smallest, or None.

    Args:
        values: name → one number per seed, two names or more.

    Raises:
        ValueError: fewer than two names.
    """
    if len(values) < 2:
        raise ValueError(f"give two names or more, not {described(values)}")
    first = min(values, key=lambda name: max(values[name]))
    others = min(min(numbers) for name, numbers in values.items() if name != first)
    return first if max(values[first]) < others else None


def in_every_seed(before: Sequence[float], after: Sequence[float]) -> str:
    """How one number per seed changed: "lower in every seed", "higher in every seed" or "not clearly different".

    Clear is a change where the two ranges do not overlap; without an effect, three seeds against three do so in one
    case of ten.

    Raises:
        ValueError: no numbers.
    """
    if not len(before) or not len(after):
        raise ValueError(f"give one number per seed, not {described(before)} and {described(after)}")
    if max(after) < min(before):
        return "lower in every seed"
    return "higher in every seed" if min(after) > max(before) else "not clearly different"


def both_changes(before: Mapping[str, Sequence[float]], after: Mapping[str, Sequence[float]]) -> str:
    """How training and test error differ between two settings: by the medians, and whether in every seed.

    With fewer than three seeds the difference alone is said: it settles nothing.

    Args:
        before: "training" and "test" → one error per seed, in percent, as `experiments.both_errors` returns them.
        after: the same of the other setting.

    Raises:
        ValueError: no errors.
    """
    said = []
    for part in ("training", "test"):
        verdict = in_every_seed(before[part], after[part])
        moved = f"{part} {np.median(after[part]) - np.median(before[part]):+.1f}"
        said.append(f"{moved}, {verdict}" if min(len(before[part]), len(after[part])) > 2 else moved)
    return "; ".join(said)

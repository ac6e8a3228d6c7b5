"""Learning curves: loss and accuracy per epoch, of one run or over several seeds."""

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib import common
from course_lib.array_checks import array_of
from course_lib.model_checks import described
from course_lib.visualization.style import MUTED, PALETTE, given_or_new, style

ERROR = "error in %"
History = Mapping[str, Sequence[float]]  # Keras' names: loss, val_loss, accuracy, val_accuracy, …


@style()
def plot_curves(
    histories: History | Mapping[str, History | Sequence[History]],
    metric: str = "loss",
    *,
    log: bool = False,
    first_epoch: int = 1,
    ax=None,
):
    """One metric per epoch: training solid, validation dashed, one color per run.

    Several seeds of a run are drawn as their median with a band from the smallest to the largest value, as far as the
    shortest of them reaches.

    Args:
        histories: one history, a dict name → history, or a dict name → list of histories (one per seed). A history is
            `run.history`, the run itself, what Keras' `fit` returns, or a pandas DataFrame with a column per metric.
        metric: the name of the metric; of one that begins with "val_" only the validation is drawn. "error in %" is
            100 minus the accuracy in % where a history has only accuracies.
        log: whether the vertical axis is logarithmic.
        first_epoch: the number of the first epoch.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no history, one without epochs, or one without `metric` (the message lists the metrics); seeds of
            which only some have a validation; nothing but NaN, or numbers that a logarithmic axis cannot show.
    """
    common.at_least(0, first_epoch=first_epoch)
    runs = _runs(histories, metric)
    lines = {metric: "--"} if metric.startswith("val_") else {metric: "-", "val_" + metric: "--"}
    _check_drawable([run[key] for seeds in runs.values() for run in seeds for key in lines if key in run], metric, log)
    ax = given_or_new(ax)
    both = any("val_" + metric in run for seeds in runs.values() for run in seeds)
    for number, (name, seeds) in enumerate(runs.items()):
        for key, line in lines.items():
            if key not in seeds[0]:
                continue
            if not name:  # a single run: its two lines differ in color too
                number = int(line == "--")
                label = "validation" if line == "--" else "training"
            else:
                label = name if key == metric else None
            low, median, high = spread([run[key] for run in seeds])
            epochs = np.arange(first_epoch, first_epoch + len(median))
            color = PALETTE[number % len(PALETTE)]
            marker = "o" if len(median) <= 12 else None
            ax.plot(epochs, median, line, color=color, label=label, marker=marker, markersize=5)
            if len(seeds) > 1:
                ax.fill_between(epochs, low, high, color=color, alpha=0.18, linewidth=0)
    seeds = max(map(len, runs.values()))
    if seeds > 1:
        ax.fill_between([], [], color=MUTED, alpha=0.25, linewidth=0, label=f"range of {seeds} seeds")
    if both and "" not in runs:  # one legend entry per kind of line
        for label, line in (("training", "-"), ("validation", "--")):
            ax.plot([], [], line, color=MUTED, label=label)
    _finish(ax, metric, log)
    return ax


@style()
def plot_race(runs: Mapping[str, Sequence[Sequence[float]]], goal: float, ylabel: str, *, ax=None):
    """One line per run and epoch, up to where the run ended, and the goal of all as a horizontal line.

    Args:
        runs: name → runs, one per seed, each with a number per epoch; the second name's lines are dashed.
        goal: the value at which a run ends.
        ylabel: what the numbers are, with their unit.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no runs, or a run without numbers.
    """
    if not isinstance(runs, Mapping) or not runs or not all(len(run) for seeds in runs.values() for run in seeds):
        raise ValueError(f"runs must be a dict name → runs, each with a number per epoch, not {described(runs)}")
    ax = given_or_new(ax)
    for number, (name, seeds) in enumerate(runs.items()):
        look = {"color": PALETTE[number % len(PALETTE)], "linestyle": ("-", "--", ":", "-.")[number % 4]}
        for seed, run in enumerate(seeds):
            ax.plot(range(1, len(run) + 1), run, label=None if seed else name, linewidth=1.6, **look)
            ax.plot(len(run), run[-1], "o", color=look["color"], markersize=5)
    ax.axhline(goal, color=MUTED, linewidth=1)
    ax.set(xlabel="epoch", ylabel=ylabel)
    ax.set_ylim(bottom=0)
    ax.grid(True, axis="y")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(handlelength=2.8)
    return ax


def spread(runs: Sequence[Sequence[float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The smallest, median and largest value per epoch, as far as the shortest run reaches."""
    epochs = min(map(len, runs))
    values = np.array([run[:epochs] for run in runs], dtype=float)
    return values.min(axis=0), np.median(values, axis=0), values.max(axis=0)


def _runs(histories, metric: str) -> dict[str, list[History]]:
    """The histories as name → list of histories; a single history has the name ""."""
    histories = _history(histories)
    if not isinstance(histories, Mapping) or not histories:
        raise ValueError(
            "histories must be a history such as run.history, a dict name → history, "
            f"or a dict name → list of histories, not {described(histories)}"
        )
    runs = {}
    for name, value in histories.items():
        seeds = [_history(run) for run in (value if isinstance(value, (list, tuple)) else [value])]
        if not seeds and metric not in list(histories):
            raise ValueError(f"{name!r} is an empty list: give it at least one history")
        if not seeds or not all(isinstance(run, Mapping) for run in seeds):
            runs = {"": [histories]}
            break
        runs[name] = seeds
    for name, seeds in runs.items():
        seeds = runs[name] = [_with_error(run, metric) for run in seeds]
        for run in seeds:
            _check_history(run, metric)
        validated = sum("val_" + metric in run for run in seeds)
        if validated not in (0, len(seeds)):
            raise ValueError(
                f"{validated} of the {len(seeds)} histories of {name!r} have {'val_' + metric!r}, so that their "
                "validation cannot be drawn: give all of them one, or draw them under names of their own"
            )
    return runs


def _history(run):
    """The history of a run, of what Keras' `fit` returns, or of a table; any other object as it is."""
    if hasattr(run, "columns") and hasattr(run, "to_dict"):  # a DataFrame of pandas
        return run.to_dict("list")
    history = getattr(run, "history", None)
    return history if isinstance(history, Mapping) else run


def _with_error(run: History, metric: str) -> History:
    """The history with errors in percent, where these are asked for and it has only accuracies."""
    if metric not in (ERROR, "val_" + ERROR) or metric in run or "accuracy" not in run:
        return run
    _check_history(run, "accuracy")
    accuracies = {key: np.asarray(run[key], dtype=float) for key in ("accuracy", "val_accuracy") if key in run}
    return {**run, **{key.replace("accuracy", ERROR): 100 - 100 * values for key, values in accuracies.items()}}


def _check_history(run: History, metric: str) -> None:
    """Checks that a history has the metric, with a number per epoch."""
    if not isinstance(metric, str) or metric not in run:
        raise common.unknown("metric", metric, (str(key) for key in run if not str(key).startswith("val_")), run)
    for key in {metric, "val_" + metric} & {*run}:
        values = array_of(f"the history of {key!r}", run[key])
        if values.ndim != 1 or not len(values):
            raise ValueError(f"the history of {key!r} must have one number per epoch, not the shape {values.shape}")


def _check_drawable(values: list, metric: str, log: bool) -> None:
    """Checks that some values are finite, and that a logarithmic axis can show them."""
    drawn = np.concatenate([np.asarray(each, dtype=float) for each in values])
    finite = drawn[np.isfinite(drawn)]
    if not finite.size:
        raise ValueError(
            f"no value can be drawn: every {metric!r} is NaN (not a number) or infinite, so the training diverged"
        )
    if log and (finite.min() < 0 or finite.max() == 0):
        raise ValueError(
            f"log=True draws numbers above 0, but {metric!r} goes from {finite.min():g} to {finite.max():g}: "
            "leave log out"
        )


def _finish(ax, metric: str, log: bool) -> None:
    """Axis labels, ticks at whole epochs, and a legend."""
    ax.set_xlabel("epoch")
    ax.set_ylabel(metric.replace("val_", "validation ").replace("_", " "))
    ax.grid(True, axis="y")
    ax.xaxis.get_major_locator().set_params(integer=True)
    if log:
        plain_log(ax)
    ax.legend(loc="best", handlelength=2.8)


def plain_log(ax) -> None:
    """A vertical logarithmic axis with 1, 2, 5, 10, … written out."""
    ax.set_yscale("log", subs=())
    ax.yaxis.get_major_locator().set_params(subs=(1, 2, 5))
    ax.yaxis.set_major_formatter("{x:g}")

"""Learning curves: what happens to loss and accuracy, epoch by epoch, in one run or over several seeds."""

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib import common
from course_lib.model_checks import described
from course_lib.visualization.data_checks import array_of
from course_lib.visualization.style import MUTED, PALETTE, given_or_new, style

History = Mapping[str, Sequence[float]]  # Keras' names: loss, val_loss, accuracy, val_accuracy, …


@style()
def curves(
    histories: History | Mapping[str, History | Sequence[History]],
    metric: str = "loss",
    *,
    log: bool = False,
    first_epoch: int = 1,
    ax=None,
):
    """One metric over the epochs: training solid, validation dashed, one color a run.

    `histories` is one history, or a dict name → history, or a dict name → list of histories (one per seed); in the
    place of a history may stand what has one, such as a run, or a table of one, `pandas.read_csv("history.csv")`. Of
    a `metric` such as "val_loss" only the validation is drawn. Several seeds become their median with a band from the
    smallest to the largest, as far as the shortest run reaches. `log` makes the vertical axis logarithmic.

    Raises:
        ValueError: no history, one without epochs, or one without `metric` (the message lists the metrics there are);
            seeds of which only some have a validation; nothing but NaN, or numbers that `log` cannot draw.
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
                number, label = int(line == "--"), "validation" if line == "--" else "training"
            else:
                label = name if key == metric else None
            low, median, high = spread([run[key] for run in seeds])
            epochs = np.arange(first_epoch, first_epoch + len(median))
            color, marker = PALETTE[number % len(PALETTE)], "o" if len(median) <= 12 else None
            ax.plot(epochs, median, line, color=color, label=label, marker=marker, markersize=5)
            if len(seeds) > 1:
                ax.fill_between(epochs, low, high, color=color, alpha=0.18, linewidth=0)
    if both and "" not in runs:  # says once what the two kinds of line mean
        for label, line in (("training", "-"), ("validation", "--")):
            ax.plot([], [], line, color=MUTED, label=label)
    _finish(ax, metric, log)
    return ax


def spread(runs: Sequence[Sequence[float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The smallest, median and largest value at each epoch, as far as the shortest run reaches."""
    epochs = min(map(len, runs))
    values = np.array([run[:epochs] for run in runs], dtype=float)
    return values.min(axis=0), np.median(values, axis=0), values.max(axis=0)


def _runs(histories, metric: str) -> dict[str, list[History]]:
    """Whatever `curves` accepts, as name → list of histories; a single history has the name ""."""
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
    """The history of a run, of what Keras' `fit` returns, or of a table; anything else as it is."""
    if hasattr(run, "columns") and hasattr(run, "to_dict"):  # a DataFrame of pandas
        return run.to_dict("list")
    history = getattr(run, "history", None)
    return history if isinstance(history, Mapping) else run


def _check_history(run: History, metric: str) -> None:
    """Checks that a history has the metric, with a number per epoch."""
    if not isinstance(metric, str) or metric not in run:
        raise common.unknown("metric", metric, (str(key) for key in run if not str(key).startswith("val_")), run)
    for key in {metric, "val_" + metric} & {*run}:
        values = array_of(f"the history of {key!r}", run[key])
        if values.ndim != 1 or not len(values):
            raise ValueError(f"the history of {key!r} must have one number per epoch, not the shape {values.shape}")


def _check_drawable(values: list, metric: str, log: bool) -> None:
    """Checks that there is something to see, and that a logarithmic axis shows it."""
    drawn = np.concatenate([np.asarray(each, dtype=float) for each in values])
    finite = drawn[np.isfinite(drawn)]
    if not finite.size:
        raise ValueError(
            f"there is nothing to draw: every {metric!r} is NaN (not a number) or infinite, so the training diverged"
        )
    if log and (finite.min() < 0 or finite.max() == 0):
        raise ValueError(
            f"log=True draws numbers above 0, but {metric!r} goes from {finite.min():g} to {finite.max():g}: "
            "leave log out"
        )


def _finish(ax, metric: str, log: bool) -> None:
    """Labels, whole epochs, a legend where the curves leave room."""
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

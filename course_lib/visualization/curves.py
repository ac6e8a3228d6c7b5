"""Learning curves: what happens to loss and accuracy, epoch by epoch, in one run or over several seeds."""

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib import common
from course_lib.visualization.style import MUTED, PALETTE, new_axes, style

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

    `histories` is one history, or a dict name → history, or a dict name → list of histories (one a seed).
    Several seeds become their median with a band from the smallest to the largest, as far as the shortest
    run reaches. `log` makes the vertical axis logarithmic.

    Raises:
        ValueError: no history, or one without `metric`; the message lists the metrics there are.
    """
    runs = _runs(histories, metric)
    ax = new_axes() if ax is None else ax
    both = any("val_" + metric in run for seeds in runs.values() for run in seeds)
    for number, (name, seeds) in enumerate(runs.items()):
        for key, line in ((metric, "-"), ("val_" + metric, "--")):
            if not all(key in run for run in seeds):
                continue
            if not name:  # a single run: its two lines differ in color too
                number, label = int(line == "--"), "validation" if line == "--" else "training"
            else:
                label = name if line == "-" else None
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
    if not isinstance(histories, Mapping) or not histories:
        raise ValueError(
            "histories must be a history such as run.history, a dict name → history, "
            f"or a dict name → list of histories, not {histories!r}"
        )
    runs = {}
    for name, value in histories.items():
        if isinstance(value, Mapping):
            runs[name] = [value]
        elif len(value) and all(isinstance(run, Mapping) for run in value):
            runs[name] = list(value)
        else:
            runs = {"": [histories]}
            break
    for seeds in runs.values():
        for run in seeds:
            if metric not in run:
                raise common.unknown("metric", metric, (key for key in run if not key.startswith("val_")))
    return runs


def _finish(ax, metric: str, log: bool) -> None:
    """Labels, whole epochs, a legend where the curves leave room."""
    ax.set_xlabel("epoch")
    ax.set_ylabel(metric.replace("_", " "))
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

"""Predictions for single images, and accuracy by some property of the images."""

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib import common
from course_lib.array_checks import array_of, finite_array
from course_lib.label_checks import class_numbers, name_list, probabilities_of
from course_lib.model_checks import described
from course_lib.visualization.images import class_name, unit_range
from course_lib.visualization.style import FAINT, PALETTE, given_or_new, new_axes, style

MOST = 100  # images per figure


@style()
def plot_top5(images, logits, labels: Sequence[int], class_names: Sequence[str] | None = None, *, columns: int = 4):
    """Images with their label and the five most likely classes as bars, the correct one in color and bold.

    A. Krizhevsky, I. Sutskever, G. Hinton: ImageNet Classification with Deep Convolutional Neural Networks, NIPS
    2012, figure 4. `images` are as for `plot_images`, `logits` `(n, classes)`. The bars are the softmax of the
    logits; rows that already are probabilities are drawn as they are. Returns the Axes `(2·rows, columns)`: a row of
    pictures, below it their bars, and so on.

    Raises:
        ValueError: images, logits and labels of different numbers, more than 100 images, one output per image, a label
            that is no class, or another number of class names.
    """
    common.at_least(1, columns=columns)
    tiles = unit_range(images)
    probabilities = probabilities_of("logits", logits)
    if len(tiles) > MOST:
        raise ValueError(f"{len(tiles):,} images are too many to see: draw at most {MOST}")
    names = name_list(class_names, classes=probabilities.shape[1])
    labels = class_numbers("labels", labels, classes=probabilities.shape[1], names=names)
    if not len(tiles) == len(probabilities) == len(labels):
        counts = f"{len(tiles)} images, {len(probabilities)} logits and {len(labels)} labels"
        raise ValueError(f"each image needs its logits (n, classes) and its label, not {counts}")
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    ratios = {"height_ratios": [1.5, 1.2] * rows, "squeeze": False}
    axes = new_axes(2.15 * columns, 3.4 * rows, rows=2 * rows, columns=columns, **ratios)
    for ax in axes.flat:
        ax.set_axis_off()
    for index, (tile, label, shares) in enumerate(zip(tiles, labels, probabilities, strict=True)):
        row, column = divmod(index, columns)
        picture = axes[2 * row, column]
        bars = axes[2 * row + 1, column]
        picture.imshow(tile, cmap="gray", vmin=0, vmax=1)
        bars.set_title(class_name(label, names), weight="bold", fontsize=12)
        for place, each in enumerate(np.argsort(-shares, kind="stable")[:5]):
            color, weight = (PALETTE[5], "bold") if each == label else (FAINT, "normal")
            bars.barh(place, shares[each], color=color, height=0.85)
            bars.text(0.02, place, class_name(each, names), va="center", fontsize=11, weight=weight)
            bars.text(1, place, f"{shares[each]:.0%}", va="center", ha="right", fontsize=10)
        bars.set(xlim=(0, 1), ylim=(4.6, -0.5))
    return axes


def accuracy_by(
    values: Sequence[float], correct: Sequence[bool], bins: int | Sequence[float] = 5
) -> dict[str, np.ndarray]:
    """Accuracy in bins of some property of the images, with intervals of 95 % (E. B. Wilson 1927).

    Args:
        values: the property, one number per image.
        correct: whether each image was classified correctly.
        bins: the number of bins, or their edges.

    Returns:
        A dict of arrays `(bins,)`: "center", "accuracy", the interval from "low" to "high", and "count". Empty bins are
        left out.

    Raises:
        ValueError: another number of values than of predictions; `correct` is not True or False; values that are NaN
            or beyond the edges; edges that do not increase.
    """
    values = finite_array("values", values).astype(float)
    correct = array_of("correct", correct)
    if values.ndim != 1 or values.shape != correct.shape or not len(values):
        raise ValueError(f"values and correct must be (n,) of the same n, not {values.shape} and {correct.shape}")
    if correct.dtype != bool:
        raise ValueError(
            f"correct must be True or False per image, such as predictions == labels, not {described(correct)} "
            f"of {correct.dtype}"
        )
    from scipy import stats

    counts, edges = np.histogram(values, _checked_bins(values, bins))
    right = np.histogram(values[correct], edges)[0]
    kept = counts > 0
    tests = [stats.binomtest(int(k), int(n)) for k, n in zip(right[kept], counts[kept], strict=True)]
    intervals = [test.proportion_ci(0.95, method="wilson") for test in tests]
    return {
        "center": ((edges[:-1] + edges[1:]) / 2)[kept],
        "accuracy": right[kept] / counts[kept],
        "low": np.array([interval.low for interval in intervals]),
        "high": np.array([interval.high for interval in intervals]),
        "count": counts[kept],
    }


def _checked_bins(values: np.ndarray, bins: int | Sequence[float]) -> int | np.ndarray:
    """The number of bins, or edges that increase and have all values between them."""
    if np.ndim(bins) == 0:
        common.at_least(1, bins=bins)
        return bins
    edges = finite_array("bins", bins)
    if edges.ndim != 1 or len(edges) < 2 or (np.diff(edges) <= 0).any():
        raise ValueError(f"bins must be a number, or edges that increase, at least 2 of them, not {bins!r}")
    if values.min() < edges[0] or values.max() > edges[-1]:
        raise ValueError(
            f"the values go from {values.min():g} to {values.max():g}, "
            f"beyond the edges {edges[0]:g} and {edges[-1]:g}: widen the edges, or leave these values out"
        )
    return edges


@style()
def plot_accuracy_by(series: Mapping[str, Mapping[str, np.ndarray]], what: str, *, ax=None):
    """Accuracy by some property of the images, with intervals, one color per series.

    Args:
        series: name → what `accuracy_by` returns.
        what: the property, with its unit.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: `series` is not such a dict.
    """
    needed = {"center", "accuracy", "low", "high"}
    if (
        not isinstance(series, Mapping)
        or not series
        or not all(isinstance(found, Mapping) and needed <= set(found) for found in series.values())
    ):
        raise ValueError(f"series must be a dict name → what accuracy_by returns, not {described(series)}")
    ax = given_or_new(ax)
    for name, found in series.items():
        bars = np.abs([found["low"] - found["accuracy"], found["high"] - found["accuracy"]])
        ax.errorbar(found["center"], found["accuracy"], bars, marker="o", capsize=4, elinewidth=1.4, label=name)
    ax.set(xlabel=what, ylabel="accuracy (95 % interval)", ylim=(0, 1.02))
    ax.grid(True, axis="y")
    ax.legend()
    return ax

"""What a network says of single pictures, and how its accuracy hangs on how a picture was made."""

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib import common
from course_lib.model_checks import described
from course_lib.visualization.data_checks import array_of, class_numbers, finite_array, name_list, probabilities_of
from course_lib.visualization.images import class_name, unit_range
from course_lib.visualization.style import FAINT, PALETTE, given_or_new, new_axes, style

MOST = 100  # images with their bars in one figure
Z = 1.96  # standard deviations on either side of the mean that hold 95 % of a normal distribution


@style()
def top5(images, logits, labels: Sequence[int], class_names: Sequence[str] | None = None, *, columns: int = 4):
    """Pictures with their label and the five likeliest classes as bars, the right one in color and bold.

    A. Krizhevsky, I. Sutskever, G. Hinton: ImageNet Classification with Deep Convolutional Neural Networks, NIPS
    2012, figure 4. `images` are as for `images`, `logits` `(n, classes)`; the bars are their softmax, or, where each
    row is probabilities, none below 0 and with a sum of 1, these. Returns the Axes of pictures and bars in turn,
    `(2·rows, columns)`.

    Raises:
        ValueError: images, logits and labels of different numbers, more than 100 images, one output per image, a label
            that is no class, or another number of class names.
    """
    common.at_least(1, columns=columns)
    tiles, probabilities = unit_range(images), probabilities_of("logits", logits)
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
    for index, (tile, answer, shares) in enumerate(zip(tiles, labels, probabilities, strict=True)):
        row, column = divmod(index, columns)
        picture, bars = axes[2 * row, column], axes[2 * row + 1, column]
        picture.imshow(tile, cmap="gray", vmin=0, vmax=1)
        bars.set_title(class_name(answer, names), weight="bold", fontsize=12)
        for place, each in enumerate(np.argsort(-shares, kind="stable")[:5]):
            color, weight = (PALETTE[5], "bold") if each == answer else (FAINT, "normal")
            bars.barh(place, shares[each], color=color, height=0.85)
            bars.text(0.02, place, class_name(each, names), va="center", fontsize=11, weight=weight)
            bars.text(1, place, f"{shares[each]:.0%}", va="center", ha="right", fontsize=10)
        bars.set(xlim=(0, 1), ylim=(4.6, -0.5))
    return axes


def accuracy_by(
    values: Sequence[float], correct: Sequence[bool], bins: int | Sequence[float] = 5
) -> dict[str, np.ndarray]:
    """Accuracy in bins of some property of the pictures: "center", "accuracy", "low", "high", "count", each `(bins,)`.

    `values` are the property, `correct` whether each picture was classified rightly; `bins` are a number or
    edges, and empty ones are left out. "low" and "high" bound E. B. Wilson's (1927) interval of 95 %.

    Raises:
        ValueError: values and answers of different numbers; answers that are not True or False; values that are NaN or
            beyond the edges; edges that do not ascend.
    """
    values, correct = finite_array("values", values).astype(float), array_of("correct", correct)
    if values.ndim != 1 or values.shape != correct.shape or not len(values):
        raise ValueError(f"values and correct must be (n,) of the same n, not {values.shape} and {correct.shape}")
    if correct.dtype != bool:
        raise ValueError(
            f"correct must be True or False per image, such as predictions == labels, not {described(correct)} "
            f"of {correct.dtype}"
        )
    counts, edges = np.histogram(values, _checked_bins(values, bins))
    kept = counts > 0
    n, right, center = counts[kept], np.histogram(values[correct], edges)[0][kept], ((edges[:-1] + edges[1:]) / 2)[kept]
    middle = (right + Z**2 / 2) / (n + Z**2)
    half = Z / (n + Z**2) * np.sqrt(right * (n - right) / n + Z**2 / 4)
    return {"center": center, "accuracy": right / n, "low": middle - half, "high": middle + half, "count": n}


def _checked_bins(values: np.ndarray, bins: int | Sequence[float]) -> int | np.ndarray:
    """A number of bins, or edges that ascend and have all values between them."""
    if np.ndim(bins) == 0:
        common.at_least(1, bins=bins)
        return bins
    edges = finite_array("bins", bins)
    if edges.ndim != 1 or len(edges) < 2 or (np.diff(edges) <= 0).any():
        raise ValueError(f"bins must be a number, or edges that ascend, at least 2 of them, not {bins!r}")
    if values.min() < edges[0] or values.max() > edges[-1]:
        raise ValueError(
            f"the values go from {values.min():g} to {values.max():g}, "
            f"beyond the edges {edges[0]:g} and {edges[-1]:g}: widen the edges, or leave these values out"
        )
    return edges


@style()
def draw_accuracy_by(series: Mapping[str, Mapping[str, np.ndarray]], what: str, *, ax=None):
    """Accuracies of `accuracy_by` with their intervals over `what`, one color for each name in `series`.

    Raises:
        ValueError: `series` is no dict name → what `accuracy_by` returns.
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

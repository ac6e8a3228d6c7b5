"""What a network says of single pictures, and how its accuracy hangs on how a picture was made."""

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib.visualization.attribution import checked_classes, softmax
from course_lib.visualization.images import class_name, unit_range
from course_lib.visualization.style import FAINT, PALETTE, new_axes, style

Z = 1.96  # standard deviations on either side of the mean that hold 95 % of a normal distribution


@style()
def top5(images, logits, labels: Sequence[int], class_names: Sequence[str] | None = None, *, columns: int = 4):
    """Pictures with their label and the five likeliest classes as bars, the right one in color and bold.

    A. Krizhevsky, I. Sutskever, G. Hinton: ImageNet Classification with Deep Convolutional Neural Networks, NIPS
    2012, figure 4. `images` are as for `images`, `logits` `(n, classes)`; the bars are softmax probabilities.
    Returns the Axes of pictures and bars in turn, `(2·rows, columns)`.

    Raises:
        ValueError: images, logits and labels of different numbers, or a label that is no class.
    """
    tiles, probabilities = unit_range(images), softmax(logits)
    if not len(tiles) == len(probabilities) == len(labels):
        counts = f"{len(tiles)} images, {len(probabilities)} logits and {len(labels)} labels"
        raise ValueError(f"each image needs its logits (n, classes) and its label, not {counts}")
    labels = checked_classes(probabilities, labels)
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
        bars.set_title(class_name(answer, class_names), weight="bold", fontsize=12)
        for place, each in enumerate(np.argsort(-shares, kind="stable")[:5]):
            color, weight = (PALETTE[5], "bold") if each == answer else (FAINT, "normal")
            bars.barh(place, shares[each], color=color, height=0.85)
            bars.text(0.02, place, class_name(each, class_names), va="center", fontsize=11, weight=weight)
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
        ValueError: values and answers of different numbers.
    """
    values, correct = np.asarray(values, dtype=float), np.asarray(correct, dtype=bool)
    if values.ndim != 1 or values.shape != correct.shape:
        raise ValueError(f"values and correct must be (n,) of the same n, not {values.shape} and {correct.shape}")
    counts, edges = np.histogram(values, bins)
    kept = counts > 0
    n, right, center = counts[kept], np.histogram(values[correct], edges)[0][kept], ((edges[:-1] + edges[1:]) / 2)[kept]
    middle = (right + Z**2 / 2) / (n + Z**2)
    half = Z / (n + Z**2) * np.sqrt(right * (n - right) / n + Z**2 / 4)
    return {"center": center, "accuracy": right / n, "low": middle - half, "high": middle + half, "count": n}


@style()
def draw_accuracy_by(series: Mapping[str, Mapping[str, np.ndarray]], what: str, *, ax=None):
    """Accuracies of `accuracy_by` with their intervals over `what`, one color for each name in `series`."""
    ax = new_axes() if ax is None else ax
    for name, found in series.items():
        bars = np.abs([found["low"] - found["accuracy"], found["high"] - found["accuracy"]])
        ax.errorbar(found["center"], found["accuracy"], bars, marker="o", capsize=4, elinewidth=1.4, label=name)
    ax.set(xlabel=what, ylabel="accuracy (95 % interval)", ylim=(0, 1.02))
    ax.grid(True, axis="y")
    ax.legend()
    return ax

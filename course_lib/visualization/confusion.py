"""Which classes are taken for which."""

from collections.abc import Sequence

import numpy as np

from course_lib import common
from course_lib.visualization.images import class_name
from course_lib.visualization.style import FAINT, INK, MUTED, new_axes, style


def confusion_matrix(labels: Sequence[int], predictions: Sequence[int], num_classes: int) -> np.ndarray:
    """scikit-learn's confusion matrix `(answer, prediction)` over all classes, also those that never occur.

    Raises:
        ValueError: labels and predictions of different lengths, or values that are no class.
    """
    from sklearn import metrics

    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.shape != predictions.shape or labels.ndim != 1 or not len(labels):
        raise ValueError(
            f"labels and predictions must be (n,) of the same n, not {labels.shape} and {predictions.shape}"
        )
    both = np.concatenate([labels, predictions])
    if both.min() < 0 or both.max() >= num_classes:  # scikit-learn would leave them out
        raise ValueError(f"classes must be 0 to {num_classes - 1}, but there are {both.min()} to {both.max()}")
    return metrics.confusion_matrix(labels, predictions, labels=range(num_classes))


def most_confused(matrix: np.ndarray, k: int = 3) -> list[tuple[int, int, int]]:
    """The `k` most frequent mistakes as (answer, prediction, count), the most frequent first; none of count 0."""
    common.at_least(1, k=k)
    mistakes = _off_diagonal(matrix)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:k]
    found = [(*map(int, np.unravel_index(index, mistakes.shape)), int(mistakes.flat[index])) for index in order]
    return [each for each in found if each[2]]


@style()
def confusion(matrix: np.ndarray, class_names: Sequence[str] | None = None, *, ax=None):
    """A confusion matrix with its counts; color shows the mistakes, and the right answers stay gray.

    Raises:
        ValueError: a matrix that is not square, or names that do not fit it.
    """
    mistakes = _off_diagonal(matrix)
    count = len(mistakes)
    if class_names is not None and len(class_names) != count:
        raise ValueError(f"{count} classes need {count} class_names, not {len(class_names)}")
    names = [class_name(index, class_names) for index in range(count)]
    ax = new_axes(*(2 * [max(4.0, 0.52 * min(count, 20) + 0.9)])) if ax is None else ax
    largest, size = max(1, mistakes.max()), 11 if count <= 12 else 9
    ax.imshow(np.where(mistakes == 0, np.nan, mistakes), cmap="Oranges", vmin=0, vmax=largest)
    ax.imshow(np.where(np.eye(count, dtype=bool), 1.0, np.nan), cmap="gray", vmin=0, vmax=1.13)
    for (row, column), number in np.ndenumerate(np.asarray(matrix)):
        if count <= 20 and number:
            color = MUTED if row == column else "white" if number > 0.6 * largest else INK
            ax.text(column, row, f"{number:,}", ha="center", va="center", color=color, fontsize=size)
    ax.set_xticks(range(count), names, rotation=90 if max(map(len, names)) > 3 else 0)
    ax.set_yticks(range(count), names)
    ax.set_xticks(np.arange(count + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(count + 1) - 0.5, minor=True)
    ax.grid(True, which="minor", color=FAINT, linewidth=0.6)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="prediction", ylabel="answer")
    return ax


def _off_diagonal(matrix: np.ndarray) -> np.ndarray:
    """The matrix with zeros on its diagonal: only the mistakes."""
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"a confusion matrix is square, (classes, classes), not {matrix.shape}")
    return matrix * (1 - np.eye(len(matrix), dtype=matrix.dtype))

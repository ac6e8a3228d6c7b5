"""Confusion matrices: which classes are taken for which."""

from collections.abc import Sequence

import numpy as np

from course_lib import common
from course_lib.array_checks import finite_array
from course_lib.label_checks import class_numbers, name_list
from course_lib.visualization.images import class_name
from course_lib.visualization.style import FAINT, INK, MUTED, given_or_new, style


def confusion_matrix(labels: Sequence[int], predictions: Sequence[int], num_classes: int) -> np.ndarray:
    """scikit-learn's confusion matrix `(true label, predicted label)` over all classes, also those that never occur.

    Raises:
        ValueError: labels and predictions of different lengths, or values that are not classes.
    """
    from sklearn import metrics

    common.at_least(1, num_classes=num_classes)
    labels = class_numbers("labels", labels, classes=num_classes)  # scikit-learn would leave others out
    predictions = class_numbers("predictions", predictions, classes=num_classes)
    if labels.shape != predictions.shape or not len(labels):
        raise ValueError(
            f"labels and predictions must be (n,) of the same n, not {labels.shape} and {predictions.shape}"
        )
    return metrics.confusion_matrix(labels, predictions, labels=range(num_classes))


def most_confused(matrix: np.ndarray, k: int = 3) -> list[tuple[int, int, int]]:
    """The `k` most frequent mistakes as (true label, predicted label, count), the most frequent first.

    Pairs that never occur are left out.

    Raises:
        ValueError: a matrix that is not square, or of shares instead of counts.
    """
    common.at_least(1, k=k)
    matrix = _square(matrix)
    if not _is_whole(matrix):
        raise ValueError("this needs a matrix of counts, as confusion_matrix gives it, but some entries are shares")
    mistakes = _off_diagonal(matrix)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:k]
    found = [(*map(int, np.unravel_index(index, mistakes.shape)), int(mistakes.flat[index])) for index in order]
    return [each for each in found if each[2]]


@style()
def plot_confusion(matrix: np.ndarray, class_names: Sequence[str] | None = None, *, ax=None):
    """A confusion matrix with its counts: mistakes in color, correct predictions in gray.

    Shares instead of counts are written with two decimals.

    Raises:
        ValueError: a matrix that is not square, or names that do not fit it.
    """
    matrix = _square(matrix)
    mistakes = _off_diagonal(matrix)
    count = len(matrix)
    names = name_list(class_names, classes=count)
    names = [class_name(index, names) for index in range(count)]
    ax = given_or_new(ax, *(2 * [max(4.0, 0.52 * min(count, 20) + 0.9)]))
    number_format = ",.0f" if _is_whole(matrix) else ".2f"
    largest = mistakes.max() or 1
    size = 11 if count <= 12 else 9
    ax.imshow(np.where(mistakes == 0, np.nan, mistakes), cmap="Oranges", vmin=0, vmax=largest)
    ax.imshow(np.where(np.eye(count, dtype=bool), 1.0, np.nan), cmap="gray", vmin=0, vmax=1.13)
    for (row, column), number in np.ndenumerate(matrix):
        if count <= 20 and number:
            color = MUTED if row == column else "white" if number > 0.6 * largest else INK
            ax.text(column, row, format(number, number_format), ha="center", va="center", color=color, fontsize=size)
    ax.set_xticks(range(count), names, rotation=90 if max(map(len, names)) > 3 else 0)
    ax.set_yticks(range(count), names)
    ax.set_xticks(np.arange(count + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(count + 1) - 0.5, minor=True)
    ax.grid(True, which="minor", color=FAINT, linewidth=0.6)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="predicted label", ylabel="true label")
    return ax


def _square(matrix: np.ndarray) -> np.ndarray:
    """The matrix as an array, checked."""
    matrix = finite_array("the entries of the matrix", matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(f"a confusion matrix is square, (classes, classes), not {matrix.shape}")
    if matrix.min() < 0:
        raise ValueError(f"a confusion matrix has no entries below 0, but there is {matrix.min():g}")
    return matrix


def _off_diagonal(matrix: np.ndarray) -> np.ndarray:
    """Only the mistakes: the matrix with zeros on its diagonal."""
    return matrix * (1 - np.eye(len(matrix)))


def _is_whole(matrix: np.ndarray) -> bool:
    """Whether the entries are counts, not shares."""
    return bool((matrix == np.floor(matrix)).all())

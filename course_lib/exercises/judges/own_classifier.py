"""Judges of the answers that are functions in `own_classifier.toml`."""

from collections.abc import Callable

import numpy as np
from scipy import stats

from course_lib.exercises.judges import compare


def paired_p(function: Callable) -> str | None:
    """The exact p-value of two classifiers from `(first, second)`, boolean arrays `(n,)`: who is right on what."""
    both, only_first, only_second, neither = 30, 9, 2, 4
    first = np.repeat([True, True, False, False], [both, only_first, only_second, neither])
    second = np.repeat([True, False, True, False], [both, only_first, only_second, neither])

    def p(one: int, of: int, **more) -> float:
        return float(stats.binomtest(one, of, **more).pvalue)

    right, differ = p(only_first, only_first + only_second), only_first + only_second
    answer = np.asarray(function(first.copy(), second.copy()), float)
    if answer.shape != ():
        return f"One number is asked for; yours has the shape {answer.shape}."
    right_first, right_second = int(first.sum()), int(second.sum())
    table = [[right_first, len(first) - right_first], [right_second, len(first) - right_second]]
    plausible = {
        "Only one side is counted: as uneven the other way round is as rare, so add that.": p(
            only_first, differ, alternative="greater"
        ),
        "All pictures are counted; those on which both are right, or both wrong, speak for neither.": p(
            only_first, len(first)
        ),
        "That is the lead, as a share of the pictures; how often does luck alone make one like it?": (
            only_first - only_second
        )
        / len(first),
        "Here they were taken for two separate tests; but they met the same pictures.": float(
            stats.fisher_exact(table).pvalue
        ),
        "Both right counts for both here; those pictures speak for neither.": p(
            right_first, right_first + right_second
        ),
    }
    otherwise = f"For 9 pictures that only the first gets right and 2 that only the second does, it gave {answer:.3g}."
    if problem := compare(answer, right, plausible, otherwise):
        return problem
    same = np.array([True, False, True])
    again = float(function(same, same))
    return None if again == 1 else "Two that agree on every picture: nothing tells them apart, and p is 1."

"""The Ladder: a leaderboard that gives away little about its labels.

A. Blum, M. Hardt: The Ladder: A Reliable Leaderboard for Machine Learning Competitions, ICML 2015, algorithm 1.
"""

import numpy as np

from course_lib import common


def ladder(accuracies: np.ndarray, step: float) -> np.ndarray:
    """What the Ladder answers to one team's submissions, in their order.

    A submission counts if it beats the best answer so far by more than `step`; the answer then is its accuracy, rounded
    to a multiple of `step`. Every other submission gets the best answer so far, which says no more than that.

    Args:
        accuracies: `(submissions,)`, exact accuracies on the public labels, from 0 to 1.
        step: how much better a submission must be, such as 0.02; the paper's parameter η.

    Returns:
        The answers, `(submissions,)`; they never fall.

    Raises:
        ValueError: another shape, NaN, or a step that is not between 0 and 1.
    """
    accuracies = np.asarray(accuracies, float)
    step = common.number("step", step, low=1e-6, high=1.0)
    if accuracies.ndim != 1 or not np.isfinite(accuracies).all():
        raise ValueError(f"accuracies must be numbers (submissions,), not {accuracies!r}")
    answers = np.empty(len(accuracies))
    best = 0.0
    for place, accuracy in enumerate(accuracies):
        if accuracy > best + step:
            best = round(accuracy / step) * step
        answers[place] = best
    return answers

"""The questions of lesson 09: what is computed in them is so, and the judge tells right from wrong functions."""

import numpy as np
import pytest
from scipy import stats

from course_lib import exercises

ASK = exercises.own_classifier


def counts(first, second):
    return int(np.sum(first & ~second)), int(np.sum(~first & second))


def right(first, second):
    one, other = counts(first, second)
    return stats.binomtest(one, one + other).pvalue if one + other else 1.0


def by_hand(first, second):
    """The same without `binomtest`, and the two classifiers the other way round."""
    few, many = sorted(counts(np.array(first), np.array(second)))
    tail = sum(stats.binom.pmf(k, few + many, 0.5) for k in range(few + 1))
    return np.array(min(1.0, 2 * tail))


def stops_where_they_agree(first, second):
    if not any(counts(first, second)):
        raise ValueError("no picture tells them apart")
    return right(first, second)


@pytest.mark.parametrize("function", [right, by_hand])
def test_a_right_comparison_is_accepted(function):
    assert ASK.q6.reply(function).startswith("→ Right.")


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda a, b: stats.binomtest(counts(a, b)[0], sum(counts(a, b)), alternative="greater").pvalue, "one side"),
        (lambda a, b: stats.binomtest(counts(a, b)[0], len(a)).pvalue, "All pictures"),
        (lambda a, b: a.mean() - b.mean(), "the lead"),
        (lambda a, b: stats.fisher_exact([[a.sum(), (~a).sum()], [b.sum(), (~b).sum()]]).pvalue, "two separate tests"),
        (lambda a, b: stats.binomtest(int(a.sum()), int(a.sum() + b.sum())).pvalue, "Both right counts for both"),
        (lambda a, b: a & b, "shape (45,)"),
        (lambda a, b: 0.5, "it gave 0.5"),
        (stops_where_they_agree, "ValueError: no picture tells them apart"),
        (lambda a, b: 0.0, "it gave 0"),
    ],
)
def test_each_wrong_comparison_is_told_what_it_is(function, said):
    reply = ASK.q6.reply(function)
    assert reply.startswith("→ Not yet.") and said in reply


def test_numbers_of_the_questions():
    assert ASK.w3.right == 10 - 4
    assert ASK.q3.right == 150 / (150 + 30 + 20)
    assert ASK.q5.right == 60 - 50 - 2
    half = stats.norm.ppf(0.975) * np.sqrt(0.9 * 0.1 / ASK.e1.right)
    np.testing.assert_allclose(half, 0.03, rtol=1e-3)

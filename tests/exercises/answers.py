"""What the tests of the lessons' answers share."""

import numpy as np
import pytest


def near(asked, value: float) -> None:
    """The question's right answer is `value`, and no two of its answers are taken for each other."""
    assert asked.right == pytest.approx(value, rel=1e-9, abs=asked.tolerance / 2)
    answers = [answer for answer in [asked.right, *asked.wrong] if not isinstance(answer, str)]
    differences = np.abs(np.subtract.outer(answers, answers)) + np.diag([np.inf] * len(answers))
    assert differences[0].min() > asked.tolerance
    assert (differences.min(axis=1)[1:] > [asked.tolerance_around(wrong) for wrong in answers[1:]]).all()

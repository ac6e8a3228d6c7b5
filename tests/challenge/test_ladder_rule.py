"""The Ladder: what it answers, and that a vote over random submissions gains nothing from it."""

import typing

import numpy as np
import pytest

from course_lib import challenge, common


def test_answers_by_hand():
    answers = challenge.ladder([0.10, 0.12, 0.19, 0.16, 0.24], step=0.05)
    np.testing.assert_allclose(answers, [0.10, 0.10, 0.20, 0.20, 0.20])


def test_answers_never_fall_and_are_multiples_of_the_step():
    accuracies = np.random.default_rng(0).random(200)
    answers = challenge.ladder(accuracies, step=0.03)
    assert (np.diff(answers) >= 0).all()
    np.testing.assert_allclose(answers / 0.03, np.round(answers / 0.03), atol=1e-9)
    assert abs(answers[-1] - accuracies.max()) <= 0.045  # a step and half of one for rounding


def test_random_submissions_climb_a_plain_board_and_not_the_ladder():
    generator = np.random.default_rng(0)
    labels, tries = generator.integers(10, size=300), generator.integers(10, size=(500, 300))
    accuracies = (tries == labels).mean(axis=1)

    def voted(kept):
        votes = np.stack([(tries[kept] == name).sum(axis=0) for name in range(10)])
        return np.mean(votes.argmax(axis=0) == labels)

    answers = challenge.ladder(accuracies, step=0.02)
    assert voted(accuracies > 0.1) > 0.25
    assert voted(answers > 0.1) < 0.15
    assert voted(np.diff(answers, prepend=0.0) > 0) < 0.2


@pytest.mark.parametrize("accuracies", [0.5, [[0.1]], [np.nan]])
def test_what_are_no_accuracies(accuracies):
    with pytest.raises(ValueError, match="accuracies"):
        challenge.ladder(accuracies, 0.02)


@pytest.mark.parametrize("step", [0, 1, -0.1, "small"])
def test_what_is_no_step(step):
    with pytest.raises(ValueError, match="step must be a number"):
        challenge.ladder([0.1], step)


class TestPublished:
    """`data/published/leaderboards.csv`: Blum and Hardt's attack, repeated with their numbers of labels and tries."""

    ROWS: typing.ClassVar = {row["id"]: row for row in common.published("leaderboards")}

    @staticmethod
    def voted(seed, board):
        generator = np.random.default_rng(seed)
        labels, tries = generator.integers(2, size=4_000), generator.integers(2, size=(400, 4_000), dtype=np.int8)
        kept = board((tries == labels).mean(axis=1))
        return 100 * np.mean((tries[kept].mean(axis=0) >= 0.5) == labels)

    def test_rows_are_complete(self):
        losses = {"five digits": 0.42745, "ladder": 0.48425}
        for name, loss in losses.items():
            assert float(self.ROWS[name]["number"]) == round(100 - 100 * loss, 1)
            assert str(loss) in self.ROWS[name]["source"] and self.ROWS[name]["what"]
        assert list(self.ROWS) == list(losses)  # the lesson reads them in this order

    def test_scores_to_five_digits(self):
        mean = np.mean([self.voted(seed, lambda scores: scores.round(5) >= 0.5) for seed in range(5)])
        assert mean == pytest.approx(float(self.ROWS["five digits"]["number"]), abs=1)

    def test_the_ladder_gives_away_less(self):
        def raised(scores):
            return np.diff(challenge.ladder(scores, 0.01), prepend=0.5) > 0

        mean = np.mean([self.voted(seed, raised) for seed in range(5)])
        assert mean == pytest.approx(float(self.ROWS["ladder"]["number"]), abs=1)

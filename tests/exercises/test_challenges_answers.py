"""The answers of lesson 02, each worked out another way."""

import numpy as np
import pytest
from scipy import stats

from course_lib import exercises, models

challenges = exercises.challenges


def foreseen(name):
    return {float(answer) for answer in getattr(challenges, name).wrong}


def test_no_two_answers_are_taken_for_each_other():
    for name in ("q1", "q4", "e1", "e3"):
        asked = getattr(challenges, name)
        answers = np.sort([asked.right, *foreseen(name)])
        assert np.diff(answers).min() > asked.tolerance


def test_parameters_of_a_convolution():
    import keras

    layer = keras.layers.Conv2D(8, 5)
    layer.build((None, 20, 30, 3))
    assert challenges.w1.right == layer.count_params()
    assert {int(np.prod(layer.kernel.shape)), layer.count_params() // 8, 8 * (5 * 5 + 1)} <= foreseen("w1")


def test_only_the_network_that_relies_on_neighbors_has_few_parameters():
    conv, dense = (models.build("cnn_small", image_shape=(32, 32, 3), num_classes=10), 32 * 32 * 3 * 128)
    assert conv.count_params() < dense  # so option B of w3 is wrong


def test_how_often_the_worse_method_is_level_or_ahead():
    drawn = np.random.default_rng(9).binomial(100, [0.85, 0.88], size=(200_000, 2))
    assert 0.25 < np.mean(drawn[:, 0] >= drawn[:, 1]) < 0.35  # option B of p1


def test_standard_errors():
    drawn = np.random.default_rng(9).binomial(400, 0.9, size=200_000) / 400
    assert challenges.q1.right == pytest.approx(drawn.std(), rel=0.01)
    wrong = [0.9 * 0.1 / 400, 0.3 / 400, 0.0294, 1 / 20, 0.3]
    assert sorted(foreseen("q1")) == pytest.approx(wrong)
    assert 1.96 * challenges.q1.right == pytest.approx(0.0294)
    assert stats.binom.std(challenges.e1.right, 0.9) / challenges.e1.right == pytest.approx(0.005)
    assert stats.binom.std(13830, 0.9) / 13830 == pytest.approx(0.005 / 1.96, rel=1e-3)


def test_top_five_by_guessing():
    generator = np.random.default_rng(9)
    scores, labels = generator.random((5_000, 1000)), generator.integers(1000, size=5_000)
    higher = (scores > scores[np.arange(5_000), labels][:, None]).sum(axis=1)
    assert challenges.q4.right == pytest.approx(np.mean(higher < 5), abs=0.002)
    assert {1 / 1000, 5 / 10, 1 - challenges.q4.right} <= foreseen("q4")


def test_the_leader_of_twenty_equal_teams():
    drawn = np.random.default_rng(9).binomial(250, 0.5, size=(20_000, 20)) / 250
    assert 100 * (drawn.max(axis=1).mean() - 0.5) == pytest.approx(6, abs=0.5)  # option C of p6
    assert 100 * drawn.std() == pytest.approx(3, abs=0.3)  # what q6 and p6 reply


def test_a_vote_between_two_classes():
    shares = []
    for seed in range(20):
        generator = np.random.default_rng(seed)
        labels, tries = generator.integers(2, size=600), generator.integers(2, size=(500, 600))
        kept = tries[(tries[:, :300] == labels[:300]).mean(axis=1) > 0.5]
        hits = (kept.mean(axis=0) > 0.5) == labels
        shares.append((hits[:300].mean(), hits[300:].mean()))
    public, private = np.mean(shares, axis=0)
    assert public == pytest.approx(0.77, abs=0.01) and public in [pytest.approx(w, abs=0.01) for w in foreseen("e3")]
    assert challenges.e3.right == pytest.approx(private, abs=0.01)


def vote(weights, submissions, classes):
    """The class with the largest sum of weights for each picture, by plain loops over classes."""
    totals = np.zeros((classes, submissions.shape[1]))
    for name in range(classes):
        totals[name] = np.asarray(weights, float) @ (submissions == name)
    return totals.argmax(axis=0)


class TestBetterVote:
    @pytest.mark.parametrize(
        "function",
        [
            lambda s, p, c: vote(p - 1 / c, s, c),
            lambda s, p, c: vote(p - p.mean(), s, c),
            lambda s, p, c: vote(p.argsort().argsort() - len(p) / 2, s, c),
            lambda s, p, c: vote(p - 1 / c, s, c).tolist(),
        ],
    )
    def test_right(self, function):
        assert challenges.e2.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda s, p, c: vote(p > 1 / c, s, c), "That is the lesson's vote"),
            (lambda s, p, c: vote(np.ones(len(p)), s, c), "the scores are not used"),
            (lambda s, p, c: s[p.argmax()], "That is the best single submission"),
            (lambda s, p, c: vote(1 / c - p, s, c), "The sign is reversed"),
            (lambda s, p, c: vote(p, s, c), "The scores themselves are nearly alike"),
            (lambda s, p, c: vote(np.maximum(p - 1 / c, 0), s, c), "still say which answers are unlikely"),
            (lambda s, p, c: vote(p**2, s, c), "more than 40 % can be had"),
            (lambda s, p, c: s, "yours have the shape (500, 300)"),
            (lambda s, p, c: None, "yours have the shape ()"),
            (lambda s, p: s[0], "Your function stopped with TypeError"),
            (0.46, "e2 expects a function of (submissions, scores, classes)"),
        ],
    )
    def test_wrong(self, function, reply):
        said = challenges.e2.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said

"""Accuracies with Wilson's interval, by its formula; what is drawn is what was given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_lib import visualization as vis
from course_lib.visualization.accuracies import wilson_interval

TWENTY = np.arange(20) < 17


def by_formula(right: int, n: int) -> tuple[float, float]:
    """E. B. Wilson 1927, in percent."""
    z, p = 1.959964, right / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return 100 * (middle - half), 100 * (middle + half)


@pytest.mark.parametrize(("right", "n"), [(17, 20), (0, 5), (5, 5), (50, 100)])
def test_interval_by_its_formula(right, n):
    assert wilson_interval(np.arange(n) < right) == pytest.approx(by_formula(right, n), abs=1e-3)


def test_the_text_has_accuracy_interval_and_counts():
    low, high = by_formula(17, 20)
    assert vis.accuracy_with_interval(TWENTY) == f"85 % ({low:.0f} to {high:.0f}), 17 of 20"


def test_each_name_has_a_dot_on_its_interval():
    ax = vis.plot_accuracies({"here": TWENTY, "there": ~TWENTY})
    bars, dots = ax.lines[::2], ax.lines[1::2]
    assert [tuple(bar.get_xdata()) for bar in bars] == [pytest.approx(by_formula(n, 20), abs=1e-3) for n in (17, 3)]
    assert [float(dot.get_xdata()[0]) for dot in dots] == pytest.approx([85, 15])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["here", "there"]
    assert [text.get_text() for text in ax.texts] == ["17 of 20", "3 of 20"]
    plt.close("all")


@pytest.mark.parametrize("correct", [[], [0.5, 1], np.ones((2, 2), bool), "yes"])
def test_what_is_no_true_or_false_per_picture_is_refused(correct):
    for refused in (vis.accuracy_with_interval, lambda values: vis.plot_accuracies({"a": values})):
        with pytest.raises(ValueError, match=r"True or False|correct"):
            refused(correct)


def drawn(*rights):
    """One classifier's draws on 40 pictures: right on those whose numbers are below."""
    return [np.arange(40) < right for right in rights]


class TestClearWinner:
    def test_a_clear_lead_names_the_best_and_counts_the_pictures_that_differ(self):
        name, said = vis.clear_winner({"poor": drawn(9, 9, 9), "good": drawn(38, 30, 35), "fair": drawn(20, 20, 20)})
        assert name == "good"
        ps = ", ".join(f"{2 * 0.5**n:.2g}" for n in (18, 10, 15))  # all heads, or all tails
        assert (
            said
            == f"Photos that only good or only fair gets right, per training: 18 to 0, 10 to 0, 15 to 0 (p = {ps})."
        )

    def test_a_lead_of_few_pictures_is_not_clear_however_often_it_comes(self):
        assert vis.clear_winner({"a": drawn(22, 22, 22), "b": drawn(20, 20, 20)})[0] is None

    def test_a_lead_in_two_draws_of_three_is_not_clear(self):
        assert vis.clear_winner({"a": drawn(40, 40, 10), "b": drawn(20, 20, 20)})[0] is None

    def test_two_that_agree_differ_on_no_picture(self):
        name, said = vis.clear_winner({"a": drawn(20), "b": drawn(20)})
        assert name is None and "0 to 0 (p = 1)" in said

    @pytest.mark.parametrize(
        "correct",
        [{}, {"a": drawn(3)}, {"a": drawn(3), "b": drawn(3, 4)}, {"a": drawn(3), "b": [np.ones(9, bool)]}, "a"],
    )
    def test_what_cannot_be_compared_is_refused(self, correct):
        with pytest.raises(ValueError, match=r"correct must be|the same draws"):
            vis.clear_winner(correct)


CONFIDENCE = {"known": np.array([0.95, 0.99, 0.5, 0.9]), "unknown": np.array([0.6, 0.91])}


class TestConfidence:
    def test_legend_counts_those_at_or_above_the_threshold(self):
        ax = vis.plot_confidence(CONFIDENCE, 0.9)
        texts = [text.get_text() for text in ax.get_legend().get_texts()]
        assert {"known: 75% answered", "unknown: 50% answered", "threshold 0.900"} == set(texts)
        plt.close("all")

    def test_heights_are_percentages_of_each_kind(self):
        ax = vis.plot_confidence(CONFIDENCE)
        for bars, name in zip(ax.containers, CONFIDENCE, strict=True):
            assert sum(bar.get_height() for bar in bars) == pytest.approx(100), name
        plt.close("all")

    @pytest.mark.parametrize("values", [[], [1.2], [-0.1, 0.5], [[0.5]], [np.nan]])
    def test_what_is_no_probability_is_refused(self, values):
        with pytest.raises(ValueError, match="the values of"):
            vis.plot_confidence({"a": np.array(values)})

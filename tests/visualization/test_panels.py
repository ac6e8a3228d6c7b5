"""Pictures side by side, numbers in pixels, a timeline, lines over one axis, a leaderboard."""

import numpy as np
import pandas
import pytest
from scipy import stats

from course_lib import challenge
from course_lib.visualization import (
    plot_ladder,
    plot_leaderboard,
    plot_lines,
    plot_panels,
    plot_timeline,
    plot_vote,
)
from course_lib.visualization.panels import plot_numbers

GRAY = np.arange(12, dtype=np.uint8).reshape(3, 4)


class TestPanels:
    def test_each_picture_has_its_title_and_its_scale(self):
        signed = np.array([[-2.0, 1.0]])
        axes = plot_panels({"gray": GRAY, "color": np.zeros((5, 6, 3), np.uint8), "signed": signed}, columns=2)
        assert [ax.get_title() for ax in axes] == ["gray", "color", "signed"]
        assert axes[0].images[0].get_clim() == (0, 255)
        assert axes[2].images[0].get_clim() == (-2, 2)  # white is 0
        assert plot_panels({"share": np.array([[0.5]])})[0].images[0].get_clim() == (0, 1)

    def test_signed_pictures_share_a_scale_and_a_key(self):
        pictures = {"gray": GRAY, "map": np.array([[-2.0, 1.0]]), "pooled": np.array([[3.0]])}
        axes = plot_panels(pictures, signed=["map", "pooled"])
        assert [ax.images[0].get_clim() for ax in axes] == [(0, 255), (-3, 3), (-3, 3)]
        assert axes[1].images[0].cmap == axes[2].images[0].cmap != axes[0].images[0].cmap
        assert [ax.get_ylabel() for ax in axes[0].get_figure().axes if ax not in axes] == ["value of the map"]
        assert len(axes) == 3

    @pytest.mark.parametrize("signed", ["map", ["other"], ["color"]])
    def test_what_cannot_be_signed(self, signed):
        with pytest.raises(ValueError, match="signed must be a list of titles of gray pictures"):
            plot_panels({"map": np.ones((2, 2)), "color": np.zeros((2, 2, 3))}, signed=signed)

    def test_a_row_that_is_not_full_leaves_no_empty_frame(self):
        axes = plot_panels({str(number): GRAY for number in range(3)}, columns=2)
        others = set(axes[0].get_figure().axes) - set(axes)
        assert len(others) == 1 and not others.pop().axison

    @pytest.mark.parametrize(
        "pictures", [{}, [GRAY], {"a": np.zeros(3)}, {"a": np.zeros((2, 2, 2))}, {"a": [[np.nan]]}]
    )
    def test_what_are_no_pictures(self, pictures):
        with pytest.raises(ValueError, match="picture"):
            plot_panels(pictures)


class TestNumbers:
    def test_each_pixel_shows_its_number_legibly(self):
        picture = np.array([[0, 109], [110, 255]])
        texts = plot_numbers(picture).texts
        assert [text.get_text() for text in texts] == ["0", "109", "110", "255"]
        assert [text.get_color() == "white" for text in texts] == [True, True, False, False]

    def test_numbers_of_any_scale(self):
        ax = plot_numbers(np.array([[0.04, 2.25]]), limits=(0, 2), spec=".1f", colors="Blues")
        assert [text.get_text() for text in ax.texts] == ["0.0", "2.2"]
        assert [text.get_color() == "white" for text in ax.texts] == [False, True]
        assert ax.images[0].get_clim() == (0, 2)

    def test_limits_that_do_not_rise(self):
        with pytest.raises(ValueError, match="limit"):
            plot_numbers(np.zeros((2, 2)), limits=(1, 1))

    @pytest.mark.parametrize("picture", [np.zeros((20, 20)), np.zeros((2, 2, 3)), np.zeros((0, 2))])
    def test_too_large_or_no_picture(self, picture):
        with pytest.raises(ValueError, match="picture must be"):
            plot_numbers(picture)


def test_a_timeline_names_each_step_at_its_year():
    rows = [{"year": "1959", "who": "A", "short": "cells"}, {"year": "2012", "who": "B", "short": "networks"}]
    ax = plot_timeline(rows)
    assert [text.get_text() for text in ax.texts] == ["1959  A: cells", "2012  B: networks"]
    assert list(ax.lines[0].get_xdata()) == [1959, 2012]
    assert [text.get_ha() for text in ax.texts] == ["left", "right"]  # within the figure
    with pytest.raises(ValueError, match='"year", "who" and "short"'):
        plot_timeline([{"year": 1959}])


class TestLines:
    def test_one_line_per_name_over_the_places(self):
        ax = plot_lines({"a": [3, 2, 1], "b": [1, 1, 0]}, [10, 100, 1_000], "pictures", "error in %", log=True)
        assert [list(line.get_ydata()) for line in ax.lines] == [[3, 2, 1], [1, 1, 0]]
        assert [label.get_text() for label in ax.get_xticklabels()] == ["10", "100", "1,000"]
        assert ax.get_xscale() == "log" and ax.get_ylim()[0] == 0

    def test_several_seeds_are_dots_around_the_line_of_their_medians(self):
        seeds = [[0.9, -0.2], [0.8, 0.0], [0.7, 0.1]]
        ax = plot_lines({"a": seeds, "b": [0.5, 0.4]}, [8, 44], "layers", "cosine")
        line, dots, other = ax.lines
        assert list(line.get_ydata()) == [0.8, 0.0] and list(other.get_ydata()) == [0.5, 0.4]
        assert line.get_linestyle() != other.get_linestyle()
        drawn = {(float(x), float(y)) for x, y in zip(*dots.get_data(), strict=True)}
        assert drawn == {(place, value) for row in seeds for place, value in zip([8, 44], row, strict=True)}
        assert ax.get_ylim()[0] < -0.2  # no seed is cut off

    @pytest.mark.parametrize("rows", [{}, [1, 2], {"a": [1]}, {"a": [1, np.nan]}, {"a": [[1], [2]]}, {"a": [[[1, 2]]]}])
    def test_what_are_no_rows(self, rows):
        with pytest.raises(ValueError, match=r"rows|values"):
            plot_lines(rows, [1, 2], "x", "y")


class TestLeaderboard:
    def board(self, private):
        rows = [("ours", "team", 0.5, private), ("nearest", "baseline", 0.2, private)]
        return pandas.DataFrame(rows, columns=["team", "kind", "public", "private"]).astype({"private": float})

    def test_scores_with_wilsons_interval(self):
        ax = plot_leaderboard(self.board(None), 100)
        interval = stats.binomtest(50, 100).proportion_ci(method="wilson")
        ends, score = ax.lines[:2]
        np.testing.assert_allclose(ends.get_xdata(), [100 * interval.low, 100 * interval.high])
        assert score.get_xdata()[0] == 50
        assert ax.lines[0].get_color() != ax.lines[2].get_color()  # a baseline is gray
        assert [label.get_text() for label in ax.get_yticklabels()] == ["ours", "nearest"]
        assert "private" not in [text.get_text() for text in ax.get_legend().get_texts()]

    def test_private_scores_hide_no_public_one(self):
        ax = plot_leaderboard(self.board(0.5), 100)
        diamonds = [line for line in ax.lines if line.get_marker() == "D" and len(line.get_xdata())]
        assert [line.get_xdata()[0] for line in diamonds] == [50, 50]
        assert diamonds[0].get_ydata()[0] > 0.1  # below its line
        assert "private" in [text.get_text() for text in ax.get_legend().get_texts()]

    @pytest.mark.parametrize("board", [None, pandas.DataFrame(), pandas.DataFrame({"team": ["a"]})])
    def test_what_is_no_board(self, board):
        with pytest.raises(ValueError, match=r"client\.leaderboard"):
            plot_leaderboard(board, 100)


class TestVote:
    ANSWERS = np.array([[0, 1, 2], [0, 0, 0], [2, 1, 0]])
    LABELS = np.array([0, 1, 1])

    KEPT = np.array([True, False, True])

    def test_votes_by_class_the_label_and_what_is_expected(self):
        axes = plot_vote(self.ANSWERS, self.LABELS, self.KEPT, [0, 2])
        assert len(axes) == 2
        votes = [[bar.get_height() for bar in ax.patches] for ax in axes]
        classes = len(votes[0])
        assert votes == [np.bincount(self.ANSWERS[[0, 2], picture], minlength=classes).tolist() for picture in (0, 2)]
        blue = [len({bar.get_facecolor() for bar in ax.patches}) for ax in axes]
        assert blue == [2, 2]  # the label and the others
        label, other = (line.get_ydata()[0] for line in axes[0].lines)
        assert label == pytest.approx(np.sum(self.ANSWERS[[0, 2]] == self.LABELS) / 3)
        assert other == pytest.approx((2 - label) / (classes - 1))
        titles = [ax.get_title() for ax in axes]
        assert titles[0] == "picture 0: vote right" and titles[1].startswith("picture 2: vote")

    def test_arrays_that_do_not_fit(self):
        for labels, kept in ((np.zeros(2), np.ones(3)), (np.zeros((3, 1)), np.ones(3)), (self.LABELS, np.zeros(3))):
            with pytest.raises(ValueError, match="submissions, pictures"):
                plot_vote(self.ANSWERS, labels, kept)

    @pytest.mark.parametrize("pictures", [[], [3], [-1]])
    def test_no_such_pictures(self, pictures):
        with pytest.raises(ValueError, match="pictures must be numbers from 0 to 2"):
            plot_vote(self.ANSWERS, self.LABELS, self.KEPT, pictures)


class TestLadder:
    def test_exact_scores_and_the_answers(self):
        scores = np.array([0.1, 0.12, 0.09, 0.2])
        ax = plot_ladder(scores, challenge.ladder(scores, 0.05))
        dots, steps = ax.lines
        np.testing.assert_allclose(dots.get_ydata(), 100 * scores)
        np.testing.assert_allclose(steps.get_ydata(), [10, 10, 10, 20])
        assert "step" in steps.get_drawstyle() and list(dots.get_xdata()) == [1, 2, 3, 4]

    @pytest.mark.parametrize("answers", [[0.1], [[0.1, 0.1]], [np.nan, 0.1]])
    def test_one_answer_per_submission(self, answers):
        with pytest.raises(ValueError, match="answers"):
            plot_ladder(np.array([0.1, 0.2]), answers)

import numpy as np
import pandas
import pytest
from matplotlib.colors import same_color

from course_lib import visualization
from course_lib.visualization.style import PALETTE

ERRORS = {"by hand": [4.0, 6.0, 5.0], "learned": [2.0, 2.5, 3.5]}


def texts(ax):
    return [text.get_text() for text in ax.texts]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_median_and_range():
    assert visualization.median_and_range([1.4, 1.1, 1.2], ".1f", "%") == "1.2 % (1.1 to 1.4)"
    assert visualization.median_and_range(np.array([0.991, 0.98]), ".1%") == "98.6% (98.0% to 99.1%)"
    assert visualization.median_and_range([12_345], ",.0f") == "12,345 (12,345 to 12,345)"
    for values in ([], [1.0, np.nan], "abc"):
        with pytest.raises(ValueError, match="the values must be"):
            visualization.median_and_range(values)


def test_bars_reach_to_the_median_and_every_seed_is_a_dot():
    ax = visualization.plot_bars(ERRORS, "error in %")
    assert [bar.get_width() for bar in ax.patches] == [5.0, 2.5]
    assert [label.get_text() for label in ax.get_yticklabels()] == list(ERRORS)
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first name on top
    for line, (place, values) in zip(ax.lines, enumerate(ERRORS.values()), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), values)
        assert np.abs(line.get_ydata() - place).max() < 0.3 and len(set(line.get_ydata())) == 3
    assert texts(ax) == ["5.0", "2.5"] and ax.get_xlabel() == "error in %"
    assert ax.get_legend() is None


def test_one_value_has_no_dot_and_negative_ones_a_minus():
    ax = visualization.plot_bars({"a": -1.25, "b": [3]}, "difference", spec=".2f")
    assert not ax.lines and texts(ax) == ["−1.25", "3.00"]
    assert not texts(visualization.plot_bars({"a": 1.0}, "difference", spec=None))


def test_groups_stand_side_by_side_and_are_named():
    ax = visualization.plot_bars({"a": {"x": [1, 2], "y": [3, 4]}, "b": {"y": [5, 7]}}, "seconds")
    middles = {round(bar.get_y() + bar.get_height() / 2, 2): bar for bar in ax.patches if bar.get_width()}
    assert [bar.get_width() for _, bar in sorted(middles.items())] == [1.5, 3.5, 6.0]
    a_x, a_y, b_y = sorted(middles)
    assert a_x < 0 < a_y < 0.5 < b_y
    assert same_color(middles[a_y].get_facecolor()[:3], middles[b_y].get_facecolor()[:3])
    assert not same_color(middles[a_x].get_facecolor()[:3], middles[a_y].get_facecolor()[:3])
    assert legend(ax) == ["x", "y"]


def test_highlight_lines_and_given_axes():
    given = visualization.new_axes()
    ax = visualization.plot_bars(ERRORS, "error in %", highlight=["learned"], lines={"chance": 90}, ax=given)
    assert ax is given and legend(ax) == ["chance"] and ax.lines[-1].get_xdata()[0] == 90
    assert [same_color(bar.get_facecolor()[:3], PALETTE[1]) for bar in ax.patches] == [False, True]


def test_limits_make_figures_comparable():
    assert visualization.plot_bars(ERRORS, "error in %", limits=(0, 115)).get_xlim() == (0, 115)
    with pytest.raises(ValueError, match="the larger limit must be a number from 5"):
        visualization.plot_bars(ERRORS, "error in %", limits=(5, 5))


def test_a_data_frame_is_taken_by_columns():
    ax = visualization.plot_bars(pandas.DataFrame(ERRORS), "error in %")
    assert [bar.get_width() for bar in ax.patches] == [5.0, 2.5]


def test_two_errors_of_each_network():
    errors = {"plain8": {"training": [2, 1, 3], "test": [4, 5, 6]}, "plain32": {"training": 7.0, "test": 9.0}}
    ax = visualization.plot_bars(errors, "error in %")
    assert legend(ax) == ["training", "test"]
    assert texts(ax) == ["2.0", "7.0", "5.0", "9.0"] and ax.get_xlabel() == "error in %"


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ({}, {}, "values must be a dict name → one number per seed"),
        ([1, 2], {}, "values must be a dict name → one number per seed"),
        ({"a": {"x": 1}, "b": 2}, {}, "groups for every name or for none"),
        ({"a": [1, np.nan]}, {}, "the values of 'a' must be finite"),
        ({"a": [[1, 2]]}, {}, r"the values of 'a' must be numbers, one per seed, not the shape \(1, 2\)"),
        ({"a": 1}, {"highlight": ["b"]}, r"highlight must be a list of names among a, not \['b'\]"),
        ({"a": 1}, {"highlight": "a"}, "highlight must be a list of names"),
    ],
)
def test_bad_input(values, options, message):
    with pytest.raises(ValueError, match=message):
        visualization.plot_bars(values, "x", **options)


def test_dots_in_rows_with_deviations_on_a_logarithmic_axis():
    given = visualization.new_axes()
    options = {"deviations": {"learned": 0.5}, "highlight": ["learned"], "log": True, "ax": given}
    ax = visualization.plot_dots({**ERRORS, "learned": 2.5}, "error in %", **options)
    assert ax is given and ax.get_xscale() == "log" and ax.get_xlabel() == "error in %"
    assert [label.get_text() for label in ax.get_yticklabels()] == list(ERRORS)
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first name on top
    found = {tuple(dots.get_ydata()): dots for dots, *_ in ax.containers}
    assert found[0, 0, 0].get_xdata().tolist() == [4, 6, 5] and found[1,].get_xdata().tolist() == [2.5]
    assert same_color(found[0, 0, 0].get_color(), PALETTE[0]) and same_color(found[1,].get_color(), PALETTE[1])
    assert not any("$" in label.get_text() for label in ax.get_xticklabels())  # 10, not a power of ten
    (ends,) = ax.containers[1][2][0].get_segments()
    assert ends[:, 0].tolist() == [2, 3] and visualization.plot_dots(ERRORS, "error in %").get_xscale() == "linear"


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ({"a": {"x": 1}}, {}, "one number per seed, without groups"),
        ({"a": [0.0, 1]}, {"log": True}, "above 0 on a logarithmic axis"),
        ({"a": 1}, {"highlight": ["b"]}, r"must name rows among a, not \['b'\]"),
        ({"a": 1}, {"deviations": {"b": 1}}, r"must name rows among a, not \['b'\]"),
        ({"a": 1}, {"highlight": "a"}, "must name rows among a, not"),
    ],
)
def test_bad_dots(values, options, message):
    with pytest.raises(ValueError, match=message):
        visualization.plot_dots(values, "x", **options)


def test_panels_share_one_scale_and_empty_ones_are_left_out():
    axes = visualization.plot_bar_panels(
        {"ours": {"A": [1, 2]}, "none": {}, "theirs": {"A": 30.0}}, lines={"chance": 90}
    )
    assert [ax.get_xlabel() for ax in axes] == ["ours", "theirs"]
    assert axes[0].get_xlim() == axes[1].get_xlim()
    with pytest.raises(ValueError, match="panels must be"):
        visualization.plot_bar_panels({"none": {}})

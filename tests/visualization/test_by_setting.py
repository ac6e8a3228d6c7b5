import numpy as np
import pytest

from course_lib import visualization

ERRORS = {"sigmoid": {"plain": [89.4, 90.1, 88.7], "skip": [8.1, 7.9, 8.4]}, "ReLU": {"plain": [6.4], "skip": [4, 5]}}
INFINITE = float("inf")


def test_each_cell_of_a_grid_says_median_and_range():
    ax = visualization.plot_grid(ERRORS, "error in %", limits=(0, 100))
    texts = [text.get_text() for text in ax.texts]
    assert texts == ["89.4\n(88.7 to 90.1)", "8.1\n(7.9 to 8.4)", "6.4\n(6.4 to 6.4)", "4.5\n(4.0 to 5.0)"]
    np.testing.assert_allclose(ax.images[0].get_array(), [[89.4, 8.1], [6.4, 4.5]])
    assert ax.images[0].get_clim() == (0, 100) and ax.get_title() == "error in %"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["sigmoid", "ReLU"]
    assert ax.texts[0].get_color() != ax.texts[1].get_color()  # light on dark, dark on light
    assert visualization.plot_grid(ERRORS, "error in %", limits=(0, 100), spec=".0f", ax=ax) is ax


@pytest.mark.parametrize(
    ("values", "limits", "message"),
    [
        ([1], (0, 1), "values must be a dict"),
        ({"a": [1.0]}, (0, 1), "values must be a dict"),
        ({"a": {"x": [1.0]}, "b": {"y": [1.0]}}, (0, 1), "row 'b' must have the columns x"),
        ({"a": {"x": [np.nan]}}, (0, 1), "a, x must be finite"),
        ({"a": {"x": [1.0]}}, (1, 1), "the larger limit"),
    ],
)
def test_bad_grid(values, limits, message):
    with pytest.raises(ValueError, match=message):
        visualization.plot_grid(values, "error", limits=limits)


def test_who_did_not_reach_the_goal_is_an_arrow_at_the_limit():
    steps = {"sigmoid": {5: [700, INFINITE, 800], 3: [140, 120, 160]}, "ReLU": {3: [40]}}
    ax = visualization.plot_waiting(steps, 1_000, "layers", "steps")
    dots = np.concatenate([line.get_ydata() for line in ax.lines if line.get_marker() == "o"])
    arrows = np.concatenate([line.get_ydata() for line in ax.lines if line.get_marker() == "^"])
    assert sorted(dots) == [40, 120, 140, 160, 700, 800] and arrows.tolist() == [1_000]
    medians = {line.get_label(): line.get_data() for line in ax.lines if line.get_label() in steps}
    np.testing.assert_allclose(medians["sigmoid"], [[2.94, 4.94], [140, 800]])  # the second name stands beside it
    assert ax.get_yscale() == "log" and "1,000" in ax.texts[0].get_text()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["3", "5"]
    lines = {line.get_label(): line.get_linestyle() for line in ax.get_legend().get_lines()}
    assert lines == {"sigmoid": "-", "ReLU": "None"}  # a single place has no line
    assert visualization.plot_waiting({"all late": {1: [INFINITE]}}, 10, "x", "y", ax=ax) is ax
    assert ax.texts[0].get_text() == "limit 1,000: arrows did not reach the goal"
    on_time = visualization.plot_waiting({"ReLU": {3: [40], 5: [50]}}, 1_000, "layers", "steps")
    assert [text.get_text() for text in on_time.texts] == ["limit 1,000"]  # no arrow, so no word of it


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ({}, "steps must be a dict"),
        ({"a": [1, 2]}, "steps must be a dict"),
        ({"a": {1: [2_000]}}, "above 0 and at most 1000"),
        ({"a": {1: [0]}}, "above 0"),
        ({"a": {1: [np.nan]}}, "above 0"),
        ({"a": {1: []}}, "above 0"),
    ],
)
def test_bad_steps(steps, message):
    with pytest.raises(ValueError, match=message):
        visualization.plot_waiting(steps, 1_000, "x", "y")


def test_growth_is_said_with_a_verdict_from_three_seeds_on():
    steps = {
        "plain": {32: [600, 660, 700], 8: [200, 220, 240]},
        "late": {8: [10, 20, 30], 20: [10, INFINITE, INFINITE]},
        "few": {8: [100], 14: [150]},
        "one": {8: [100]},
    }
    assert visualization.growth_in_words(steps, "layers").split("; ") == [
        "plain, 8 to 32 layers: × 3.0 (higher in every seed)",
        "late, 8 to 20 layers: the last not within the limit (not clearly different)",
        "few, 8 to 14 layers: × 1.5 (1 seed(s), so no verdict)",
        "one: 8 layers alone",
    ]
    with pytest.raises(ValueError, match="steps must be a dict"):
        visualization.growth_in_words({}, "layers")


class TestGrowthFits:
    def test_a_line_through_the_logarithms_of_each_seed(self):
        steps = {"plain": {20: [800, 100 * 9], 8: [200, 100], 14: [400, 100 * 3]}, "few": {8: [1, 2], 14: [2, 3]}}
        (name, fit), *others = visualization.growth_fits(steps, 1_000, 6).items()
        assert (name, others) == ("plain", []) and not fit["at_least"]
        np.testing.assert_allclose(fit["factor"], [2, 3])
        assert fit["exponential"].all()
        power = {"power": {depth: [depth**2] for depth in (8, 14, 20, 32)}}
        assert not visualization.growth_fits(power, 2_000, 6)["power"]["exponential"].any()

    def test_a_missed_goal_is_a_lower_bound_or_no_fit(self):
        late = {"plain": {8: [250], 14: [500], 20: [INFINITE]}}
        fit = visualization.growth_fits(late, 1_000, 6)["plain"]
        assert fit["at_least"]
        np.testing.assert_allclose(fit["factor"], [2])
        assert visualization.growth_fits({"plain": {8: [250], 14: [INFINITE], 20: [INFINITE]}}, 1_000, 6) == {}
        assert visualization.growth_fits({"plain": {}}, 1_000, 6) == {}

    def test_in_words(self):
        steps = {"plain": {8: [200, 100], 14: [400, 300], 20: [800, 900]}, "resnet": {8: [9], 14: [9], 20: [9]}}
        said = visualization.fits_in_words(visualization.growth_fits(steps, 1_000, 6), "6 more layers")
        assert said == (
            "6 more layers multiply the steps by 2.50 (2.00 to 3.00) (plain), where an exponential fits better than a "
            "power of depth in 2 of 2 seeds; by 1.00 (1.00 to 1.00) (resnet)"
        )
        late = visualization.growth_fits({"a": {8: [250], 14: [500], 20: [INFINITE]}}, 1_000, 6)
        assert "by at least 2.00" in visualization.fits_in_words(late, "6 more layers")
        assert visualization.fits_in_words({}, "x").startswith("no line is fitted yet")

    @pytest.mark.parametrize("row", [{8: [1], 14: [1, 2], 20: [1]}, {0: [1], 8: [1], 14: [1]}])
    def test_refused(self, row):
        with pytest.raises(ValueError, match="'plain' needs places above 0, each with as many seeds"):
            visualization.growth_fits({"plain": row}, 1_000, 6)


def test_names_stand_apart_however_far_the_places_are():
    steps = {"plain": {8: [100], 20: [100]}, "resnet": {8: [100], 20: [100]}}
    ax = visualization.plot_waiting(steps, 1_000, "layers", "steps")
    first, second = (line.get_xdata()[0] for line in ax.lines if line.get_label() in steps)
    assert second - first > 0.6 and ax.get_xlim()[0] < first - 0.5

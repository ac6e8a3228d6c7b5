"""Curves of what recorded runs measured, and which of several is clearly lowest."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_lib import experiments
from course_lib import visualization as vis


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def run(shift: float) -> dict:
    epochs = [0, 5, 10]
    return {
        "measured": {
            "training": {"epoch": epochs, "loss": [2.3, 0.2, 0.0], "error": [0.9, 0.1, 0.0]},
            "validation": {"epoch": epochs, "loss": [2.3, 0.5 + shift, 0.7], "error": [0.9, 0.2, 0.1 + shift]},
        }
    }


class TestPlotMeasured:
    def test_medians_over_the_epochs_and_a_band(self):
        ax = vis.plot_measured({"few": [run(0.0), run(0.1), run(0.3)], "one": [run(0.0)]}, "error", skip=1)
        training, validation, *others = ax.lines
        np.testing.assert_array_equal(validation.get_xdata(), [5, 10])
        np.testing.assert_allclose(validation.get_ydata(), [20, 20])  # in percent
        np.testing.assert_allclose(training.get_ydata(), [10, 0])
        assert training.get_linestyle() == "-" and validation.get_linestyle() == "--"  # as in plot_curves
        assert training.get_color() == validation.get_color() != others[0].get_color()
        assert len(ax.collections) == 1  # one seed alone has no band
        assert ax.get_ylabel() == "error in %" and ax.get_ylim()[0] == 0
        said = [text.get_text() for text in ax.get_legend().get_texts()]
        assert said == ["few", "one", "training", "validation", "range of 3 seeds"]
        assert vis.plot_measured({"few": [run(0.0)]}, "loss", legend=False).get_legend() is None
        later = vis.plot_measured({"one": [run(0.0)]}, "error", first_color=1)
        assert later.lines[0].get_color() == others[0].get_color()

    @pytest.mark.parametrize(
        ("runs", "metric", "reason"),
        [
            ({"a": [run(0)]}, "accuracy", "unknown metric 'accuracy'"),
            ({}, "loss", "runs must be a dict name → recorded runs"),
            ({"a": []}, "loss", "runs must be a dict name → recorded runs"),
            ({"a": [{"history": {}}]}, "loss", "runs must be a dict name → recorded runs"),
        ],
    )
    def test_wrong_runs(self, runs, metric, reason):
        with pytest.raises(ValueError, match=reason):
            vis.plot_measured(runs, metric)

    def test_validation_alone_over_steps_on_two_logarithmic_axes(self):
        runs = {"few": [run(0.0) | {"steps_per_epoch": 8}, run(0.1) | {"steps_per_epoch": 8}]}
        ax = vis.plot_measured(runs, "error", over="step", log=True, training=False, skip=1)
        (line,) = ax.lines
        assert line.get_linestyle() == "-" and len(ax.collections) == 1
        np.testing.assert_array_equal(line.get_xdata(), [40, 80])
        np.testing.assert_allclose(line.get_ydata(), [20, 15])
        assert ax.get_xscale() == ax.get_yscale() == "log" and ax.get_xlabel() == "training steps"
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["few", "range of 2 seeds"]
        with pytest.raises(ValueError, match="unknown axis"):
            vis.plot_measured(runs, "error", over="hour")

    def test_training_alone_has_the_band(self):
        dashed = vis.plot_measured({"one": [run(0.0)], "same": [run(0.0)]}, "error", validation=False, dashes=True)
        assert [(line.get_label(), line.get_linestyle()) for line in dashed.lines] == [("one", "-"), ("same", "--")]
        with pytest.raises(ValueError, match="dashes tell names apart"):
            vis.plot_measured({"one": [run(0.0)]}, "error", dashes=True)
        ax = vis.plot_measured({"few": [run(0.0), run(0.1)]}, "error", validation=False)
        (line,) = ax.lines
        np.testing.assert_allclose(line.get_ydata(), [90, 10, 0])
        assert line.get_linestyle() == "-" and len(ax.collections) == 1 and ax.get_ylabel() == "training error in %"
        with pytest.raises(ValueError, match="draw training, validation, or both"):
            vis.plot_measured({"few": [run(0.0)]}, "error", training=False, validation=False)

    def test_a_thin_line_per_seed_in_place_of_the_band(self):
        runs = {"few": [run(0.0), run(0.1), run(0.3)]}
        ax = vis.plot_measured(runs, "error", training=False, each_seed=True)
        median, *seeds = (line.get_ydata() for line in ax.lines if len(line.get_xdata()))
        np.testing.assert_allclose(median, [90, 20, 20])
        np.testing.assert_allclose([seed[-1] for seed in seeds], [10, 20, 40])
        assert not ax.collections
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["few", "each of 3 seeds"]

    def test_recorded_runs(self):
        name = next(name for name in ("lenet5_overfits", "depth_steps") if experiments.recorded(name)["runs"])
        assert vis.plot_measured(experiments.compared(name), "loss").lines


class TestClearlyLowest:
    @pytest.mark.parametrize(
        ("values", "name"),
        [
            ({"A": [3, 4, 5], "B": [1, 2, 2.9]}, "B"),
            ({"A": [3, 4, 5], "B": [1, 2, 3]}, None),  # they touch
            ({"A": [1, 1, 9], "B": [2, 2, 2]}, None),
            ({"A": [4], "B": [3], "C": [2]}, "C"),
            ({"A": [4], "B": [2, 3], "C": [1, 2.5]}, None),
        ],
    )
    def test_the_largest_is_below_every_other(self, values, name):
        assert vis.clearly_lowest(values) == name

    def test_one_name_is_no_comparison(self):
        with pytest.raises(ValueError, match="two names or more"):
            vis.clearly_lowest({"A": [1]})


class TestInEverySeed:
    @pytest.mark.parametrize(
        ("after", "change"),
        [
            ([2.9, 1, 2], "lower in every seed"),
            ([5.1, 6], "higher in every seed"),
            ([3, 6, 7], "not clearly different"),
            ([4], "not clearly different"),
        ],
    )
    def test_ranges_that_do_not_overlap_differ(self, after, change):
        assert vis.in_every_seed([3, 5, 4], after) == change

    def test_both_errors_in_words(self):
        before = {"training": [40, 50, 45], "test": [50, 52, 51]}
        after = {"training": [30, 31, 35], "test": [49, 51, 60]}
        assert vis.both_changes(before, after) == (
            "training -14.0, lower in every seed; test +0.0, not clearly different"
        )
        alone = {"training": [44.0], "test": [50.5]}
        assert vis.both_changes(alone, {"training": [40.0], "test": [51.0]}) == "training -4.0; test +0.5"

    def test_no_seeds(self):
        with pytest.raises(ValueError, match="one number per seed"):
            vis.in_every_seed([], [1])

import itertools

import numpy as np
import pytest

from course_lib import visualization

NORMS = np.array([[1e-9, 1e-4, 1e-1], [4e-9, 3e-4, 2e-1], [2e-9, 2e-4, 4e-1]])
DRAWN = np.random.default_rng(7).normal(size=(50, 20))


def test_the_line_is_the_median_and_the_band_the_range():
    ax = visualization.plot_by_layer({"sigmoid": NORMS, "one seed": [1.0, 2.0, 3.0]}, "norm", limits=(1e-10, 10))
    np.testing.assert_allclose(ax.lines[0].get_data(), [[1, 2, 3], np.sort(NORMS, axis=0)[1]])
    corners = ax.collections[0].get_paths()[0].vertices
    for layer in (1, 2, 3):
        heights = corners[corners[:, 0] == layer, 1]
        assert (heights.min(), heights.max()) == (NORMS[:, layer - 1].min(), NORMS[:, layer - 1].max())
    assert ax.get_yscale() == "log" and ax.get_ylim() == (1e-10, 10) and ax.get_ylabel() == "norm"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["sigmoid", "one seed"]
    assert ax.lines[0].get_linestyle() != ax.lines[1].get_linestyle()  # so that they differ without color
    assert visualization.plot_by_layer({"alone": NORMS}, "norm", ax=ax) is ax


def test_what_was_expected_is_thin_beside_what_was_measured():
    ax = visualization.plot_by_layer({"He": NORMS}, "norm", expected={"He": [NORMS[0], NORMS[1]]})
    measured, *expected = ax.lines
    np.testing.assert_allclose([line.get_ydata() for line in expected], NORMS[:2])
    assert all(line.get_linewidth() < measured.get_linewidth() for line in expected)
    assert all(line.get_color() == measured.get_color() for line in expected)


def test_ticks_in_percent_are_written_out():
    ax = visualization.plot_by_layer({"changes": 100 * NORMS[:, 1:]}, "change in %")
    ax.figure.canvas.draw()
    ticks = {label.get_text() for label in ax.get_yticklabels()}
    assert {"0.1", "1", "10"} <= ticks and ax.get_yscale() == "log"
    ax = visualization.plot_by_layer({"lengths": [[320, 700, 1_600]]}, "length", plain=True)
    ax.figure.canvas.draw()
    assert {"300", "500", "1000"} <= {label.get_text() for label in ax.get_yticklabels()}


def test_an_axis_that_is_not_logarithmic_begins_at_zero():
    ax = visualization.plot_by_layer({"errors": 100 * NORMS}, "error in %", log=False)
    assert ax.get_yscale() == "linear" and ax.get_ylim()[0] == 0


@pytest.mark.parametrize(
    ("values", "limits", "message"),
    [
        ([1.0, 2.0], None, "values must be a dict"),
        ({}, None, "values must be a dict"),
        ({"a": [1.0, 0.0]}, None, "'a' must be numbers above 0"),
        ({"a": [1.0, np.nan]}, None, "must be finite"),
        ({"a": np.ones((2, 2, 2))}, None, "must be numbers above 0"),
        ({"a": [1.0]}, (1.0, 0.1), "limits must be"),
        ({"a": [1.0]}, (0.0, 1.0), "limits must be"),
    ],
)
def test_bad_layers(values, limits, message):
    with pytest.raises(ValueError, match=message):
        visualization.plot_by_layer(values, "norm", limits=limits)


def test_histograms_count_every_output_once():
    outputs = {"he": {"layer 1": DRAWN, "layer 9": 3 * DRAWN}, "small": {"layer 1": DRAWN / 9, "layer 9": 0 * DRAWN}}
    axes = visualization.plot_layer_histograms(outputs, "output", limits=(-2, 2))
    assert axes.shape == (2, 2)
    for ax, values in zip(axes.flat, [outputs[row][name] for row in outputs for name in outputs[row]], strict=True):
        counts = [bar.get_height() * values.size / 100 for bar in ax.patches]  # bars are shares in %
        edges = np.linspace(-2, 2, len(counts) + 1)
        expected = [np.sum((values >= low) & (values < high)) for low, high in itertools.pairwise(edges)]
        expected[0] += np.sum(values < -2)
        expected[-1] += np.sum(values >= 2)
        assert counts == pytest.approx(expected) and sum(counts) == pytest.approx(values.size)
        assert ax.texts[0].get_text() == f"RMS {np.sqrt(np.mean(values**2)):.2g}"
        assert ax.get_xlim() == axes[0, 0].get_xlim()
    assert [ax.get_title() for ax in axes[0]] == ["layer 1", "layer 9"] and axes[1, 0].get_ylabel() == "small"
    assert axes[1, 0].get_xlabel() == "output" and not axes[0, 0].get_xlabel()


@pytest.mark.parametrize(
    ("outputs", "limits", "message"),
    [
        ({"a": DRAWN}, (-1, 1), "outputs must be a dict"),
        ({}, (-1, 1), "outputs must be a dict"),
        ({"a": {"1": DRAWN}, "b": {"2": DRAWN}}, (-1, 1), "every network needs the layers 1"),
        ({"a": {"1": DRAWN}}, (1, -1), "limits that rise"),
        ({"a": {"1": np.array([np.inf])}}, (-1, 1), "must be finite"),
    ],
)
def test_bad_outputs(outputs, limits, message):
    with pytest.raises(ValueError, match=message):
        visualization.plot_layer_histograms(outputs, "output", limits=limits)

import types

import keras
import numpy as np
import pandas
import pytest

from course_lib import visualization
from course_lib.visualization import live_curves

HISTORY = {"loss": [3.0, 2.0, 1.0], "val_loss": [3.5, 2.5, 2.6], "accuracy": [0.1, 0.5, 0.9]}


def lines(ax):
    return {line.get_label(): line for line in ax.lines if len(line.get_xdata())}


def test_one_history_is_two_lines_from_epoch_one():
    ax = visualization.plot_curves(HISTORY)
    drawn = lines(ax)
    assert set(drawn) == {"training", "validation"}
    np.testing.assert_array_equal(drawn["training"].get_xydata(), [[1, 3], [2, 2], [3, 1]])
    np.testing.assert_array_equal(drawn["validation"].get_ydata(), HISTORY["val_loss"])
    assert (drawn["training"].get_linestyle(), drawn["validation"].get_linestyle()) == ("-", "--")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")
    assert drawn["training"].get_color() != drawn["validation"].get_color()
    assert all(tick == round(tick) for tick in ax.get_xticks())


def test_seeds_become_median_and_band_up_to_the_shortest():
    seeds = [{"loss": [1.0, 5.0, 3.0]}, {"loss": [2.0, 1.0]}, {"loss": [9.0, 3.0]}]
    ax = visualization.plot_curves({"deep": seeds, "flat": HISTORY})
    np.testing.assert_array_equal(lines(ax)["deep"].get_xydata(), [[1, 2], [2, 3]])
    band, in_legend = ax.collections
    assert in_legend.get_label() == "range of 3 seeds"
    corners = band.get_paths()[0].vertices
    assert {tuple(corner) for corner in corners} == {(1, 1), (1, 9), (2, 1), (2, 5)}
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["deep", "flat", "range of 3 seeds", "training", "validation"]
    of_flat = [line for line in ax.lines if line.get_color() == lines(ax)["flat"].get_color()]
    assert [line.get_linestyle() for line in of_flat] == ["-", "--"]


def test_metric_log_first_epoch_and_ax():
    given = visualization.new_axes()
    ax = visualization.plot_curves({"a": HISTORY}, "accuracy", log=True, first_epoch=5, ax=given)
    assert ax is given and ax.get_yscale() == "log" and ax.get_ylabel() == "accuracy"
    np.testing.assert_array_equal(lines(ax)["a"].get_xdata(), [5, 6, 7])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a"]  # nothing on validation


def test_error_in_percent_from_accuracies():
    history = {"accuracy": [0.1, 0.5], "val_accuracy": [0.2, 0.4]}
    drawn = lines(visualization.plot_curves(history, "error in %"))
    np.testing.assert_allclose(drawn["training"].get_ydata(), [90, 50])
    np.testing.assert_allclose(drawn["validation"].get_ydata(), [80, 60])
    own = visualization.plot_curves({"a": [history | {"error in %": [7.0, 6.0]}]}, "error in %")
    np.testing.assert_array_equal(lines(own)["a"].get_ydata(), [7, 6])  # a history's own errors stay
    assert own.get_ylabel() == "error in %"
    with pytest.raises(ValueError, match="accuracy"):
        visualization.plot_curves({"accuracy": ["high"]}, "error in %")


@pytest.mark.parametrize(
    ("histories", "options", "message"),
    [
        ({"a": [HISTORY, {"loss": [1.0]}]}, {}, "1 of the 2 histories of 'a' have 'val_loss'"),
        ({"a": []}, {}, "'a' is an empty list"),
        ({"loss": [np.nan, np.inf]}, {}, "no value can be drawn: every 'loss' is NaN"),
        ({"loss": [np.nan]}, {"log": True}, "no value can be drawn"),
        ({"loss": [0.0, 0.0]}, {"log": True}, "log=True draws numbers above 0, but 'loss' goes from 0 to 0"),
        ({"a": {"loss": [2.0], "val_loss": [-1.0]}}, {"log": True}, "'loss' goes from -1 to 2"),
    ],
)
def test_nothing_is_left_out_without_a_word(histories, options, message):
    with pytest.raises(ValueError, match=message):
        visualization.plot_curves(histories, **options)


def test_a_table_of_a_history_is_one():
    table = pandas.DataFrame(HISTORY, index=[5, 6, 7])
    np.testing.assert_array_equal(
        lines(visualization.plot_curves(table))["validation"].get_ydata(), HISTORY["val_loss"]
    )
    assert {"a", "b"} <= set(lines(visualization.plot_curves({"a": table, "b": [table, HISTORY]}, log=True)))


def test_live_curves_leave_out_what_is_nan(published):
    live = visualization.LiveCurves()
    live.set_params({"epochs": 1})
    live.on_train_begin()
    live.on_epoch_end(0, {"loss": np.nan, "accuracy": 0.1})
    assert published[0][1]["text/plain"].endswith("epoch 1: training accuracy went from 0.1 to 0.1.")


@pytest.mark.parametrize("histories", [{}, [HISTORY], None])
def test_no_history(histories):
    with pytest.raises(ValueError, match="histories must be a history"):
        visualization.plot_curves(histories)


def test_unknown_metric_names_the_nearest():
    with pytest.raises(ValueError, match=r"unknown metric 'acuracy'. Did you mean 'accuracy'"):
        visualization.plot_curves({"a": [HISTORY]}, "acuracy")


def callback(epochs, start=0):
    live = visualization.LiveCurves()
    live.set_params({"epochs": epochs})
    live.on_train_begin()
    for epoch in range(start, epochs):
        live.on_epoch_end(epoch, {"loss": 1 / (epoch + 1), "val_loss": 2.0, "accuracy": 0.25 * epoch})
    return live


def test_live_curves_update_one_output_and_end_on_the_last_epoch(published, monkeypatch):
    monkeypatch.setattr(live_curves, "time", types.SimpleNamespace(perf_counter=lambda: 7.0))
    live = callback(epochs=4)
    assert len(published) == 1  # epochs 2 to 4 came within a second
    live.on_train_end()
    assert [kind for kind, _, _ in published] == ["display", "update"]
    _, data, _ = published[-1]
    assert data["text/plain"] == (
        "Learning curves after epoch 4: training loss went from 1 to 0.25, validation loss went from 2 to 2, "
        "training accuracy went from 0 to 0.75."
    )
    assert 'alt="' + data["text/plain"] + '"' in data["text/html"]
    live.on_train_end()
    assert len(published) == 2  # nothing new to draw


def test_live_curves_of_a_resumed_run_count_on(published):
    callback(epochs=6, start=4).on_train_end()
    assert published[0][1]["text/plain"].startswith("Learning curves after epoch 5")
    assert published[-1][1]["text/plain"].startswith("Learning curves after epoch 6")


def test_live_curves_draw_nothing_elsewhere_and_restart_with_each_fit(capsys):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    live = visualization.LiveCurves()
    for _ in range(2):
        model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=3, verbose=0, callbacks=[live])
    assert len(live.history["loss"]) == 3
    assert capsys.readouterr().out == ""


def test_whatever_has_a_history():
    class Run:
        history = HISTORY

    ax = visualization.plot_curves(Run())
    np.testing.assert_array_equal(lines(ax)["training"].get_ydata(), HISTORY["loss"])
    assert {"a", "b"} <= set(lines(visualization.plot_curves({"a": Run(), "b": [Run(), HISTORY]})))


def test_validation_alone_is_named_so():
    (line,) = visualization.plot_curves(HISTORY, "val_loss").lines
    assert line.get_label() == "validation" and line.get_linestyle() == "--"
    ax = visualization.plot_curves({"a": HISTORY}, "val_loss")
    assert [each.get_label() for each in ax.lines] == ["a"] and ax.get_ylabel() == "validation loss"


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ({"loss": []}, "one number per epoch"),
        ({"loss": 0.5}, "one number per epoch"),
        ({"loss": ["a"]}, "must be an array of numbers"),
    ],
)
def test_histories_without_numbers(history, message):
    with pytest.raises(ValueError, match=message):
        visualization.plot_curves(history)
    with pytest.raises(ValueError, match=r"unknown metric \['loss'\]"):
        visualization.plot_curves(HISTORY, ["loss"])


def test_a_race_is_one_line_per_seed_up_to_its_end():
    ax = visualization.plot_race({"relu": [[90, 50, 20], [80, 24]], "tanh": [[95, 70, 60, 25]]}, 25, "error in %")
    runs = [line for line in ax.lines if len(line.get_xdata()) > 1 and line.get_linewidth() == 1.6]
    assert [list(line.get_ydata()) for line in runs] == [[90, 50, 20], [80, 24], [95, 70, 60, 25]]
    assert [list(line.get_xdata())[-1] for line in runs] == [3, 2, 4]
    assert [line.get_linestyle() for line in runs] == ["-", "-", "--"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["relu", "tanh"]
    assert ax.get_ylabel() == "error in %" and ax.get_ylim()[0] == 0
    for wrong in ({}, {"relu": [[]]}, [[1, 2]]):
        with pytest.raises(ValueError, match="runs must be a dict name → runs"):
            visualization.plot_race(wrong, 25, "error in %")

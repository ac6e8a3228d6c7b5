import keras
import numpy as np
import pandas
import pytest

from course_lib import visualization

HISTORY = {"loss": [3.0, 2.0, 1.0], "val_loss": [3.5, 2.5, 2.6], "accuracy": [0.1, 0.5, 0.9]}


def lines(ax):
    return {line.get_label(): line for line in ax.lines if len(line.get_xdata())}


def test_one_history_is_two_lines_from_epoch_one():
    ax = visualization.curves(HISTORY)
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
    ax = visualization.curves({"deep": seeds, "flat": HISTORY})
    np.testing.assert_array_equal(lines(ax)["deep"].get_xydata(), [[1, 2], [2, 3]])
    (band,) = ax.collections
    corners = band.get_paths()[0].vertices
    assert {tuple(corner) for corner in corners} == {(1, 1), (1, 9), (2, 1), (2, 5)}
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["deep", "flat", "training", "validation"]
    of_flat = [line for line in ax.lines if line.get_color() == lines(ax)["flat"].get_color()]
    assert [line.get_linestyle() for line in of_flat] == ["-", "--"]


def test_metric_log_first_epoch_and_ax():
    given = visualization.new_axes()
    ax = visualization.curves({"a": HISTORY}, "accuracy", log=True, first_epoch=5, ax=given)
    assert ax is given and ax.get_yscale() == "log" and ax.get_ylabel() == "accuracy"
    np.testing.assert_array_equal(lines(ax)["a"].get_xdata(), [5, 6, 7])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a"]  # nothing on validation


@pytest.mark.parametrize(
    ("histories", "options", "message"),
    [
        ({"a": [HISTORY, {"loss": [1.0]}]}, {}, "1 of the 2 histories of 'a' have 'val_loss'"),
        ({"a": []}, {}, "'a' is an empty list"),
        ({"loss": [np.nan, np.inf]}, {}, "nothing to draw: every 'loss' is NaN"),
        ({"loss": [np.nan]}, {"log": True}, "nothing to draw"),
        ({"loss": [0.0, 0.0]}, {"log": True}, "log=True draws numbers above 0, but 'loss' goes from 0 to 0"),
        ({"a": {"loss": [2.0], "val_loss": [-1.0]}}, {"log": True}, "'loss' goes from -1 to 2"),
    ],
)
def test_nothing_is_left_out_without_a_word(histories, options, message):
    with pytest.raises(ValueError, match=message):
        visualization.curves(histories, **options)


def test_a_table_of_a_history_is_one():
    table = pandas.DataFrame(HISTORY, index=[5, 6, 7])
    np.testing.assert_array_equal(lines(visualization.curves(table))["validation"].get_ydata(), HISTORY["val_loss"])
    assert {"a", "b"} <= set(lines(visualization.curves({"a": table, "b": [table, HISTORY]}, log=True)))


def test_live_curves_leave_out_what_is_nan(published):
    live = visualization.LiveCurves()
    live.set_params({"epochs": 1})
    live.on_train_begin()
    live.on_epoch_end(0, {"loss": np.nan, "accuracy": 0.1})
    assert published[0][1]["text/plain"].endswith("epoch 1: training accuracy went from 0.1 to 0.1.")


@pytest.mark.parametrize("histories", [{}, [HISTORY], None])
def test_no_history(histories):
    with pytest.raises(ValueError, match="histories must be a history"):
        visualization.curves(histories)


def test_unknown_metric_names_the_nearest():
    with pytest.raises(ValueError, match=r"unknown metric 'acuracy'. Did you mean 'accuracy'"):
        visualization.curves({"a": [HISTORY]}, "acuracy")


def callback(epochs, start=0):
    live = visualization.LiveCurves()
    live.set_params({"epochs": epochs})
    live.on_train_begin()
    for epoch in range(start, epochs):
        live.on_epoch_end(epoch, {"loss": 1 / (epoch + 1), "val_loss": 2.0, "accuracy": 0.25 * epoch})
    return live


def test_live_curves_update_one_output_and_end_on_the_last_epoch(published):
    live = callback(epochs=4)
    assert len(published) == 1  # epochs 2 to 4 came within a second
    live.on_train_end()
    assert [kind for kind, _, _ in published] == ["display", "update"]
    _, data, metadata = published[-1]
    assert (
        metadata["image/png"]["alt"]
        == data["text/plain"]
        == (
            "Learning curves after epoch 4: training loss went from 1 to 0.25, validation loss went from 2 to 2, "
            "training accuracy went from 0 to 0.75."
        )
    )
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

    ax = visualization.curves(Run())
    np.testing.assert_array_equal(lines(ax)["training"].get_ydata(), HISTORY["loss"])
    assert {"a", "b"} <= set(lines(visualization.curves({"a": Run(), "b": [Run(), HISTORY]})))


def test_validation_alone_is_named_so():
    (line,) = visualization.curves(HISTORY, "val_loss").lines
    assert line.get_label() == "validation" and line.get_linestyle() == "--"
    ax = visualization.curves({"a": HISTORY}, "val_loss")
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
        visualization.curves(history)
    with pytest.raises(ValueError, match=r"unknown metric \['loss'\]"):
        visualization.curves(HISTORY, ["loss"])

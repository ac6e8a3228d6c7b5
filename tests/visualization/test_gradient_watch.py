import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from course_lib import training, visualization
from course_lib.visualization import gradient_watch

RANDOM = np.random.default_rng(6)
IMAGES = RANDOM.uniform(size=(64, 6, 6, 1)).astype("float32")
LABELS = np.arange(64) % 3
RECIPE = training.Recipe(optimizer="sgd", learning_rate=0.1, batch_size=8)


def build():
    return keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(4, 3, activation="tanh", name="c1"),
            layers.BatchNormalization(name="norm"),
            layers.Flatten(name="flatten"),
            layers.Dropout(0.5, name="drop"),
            layers.Dense(3, name="output"),
        ]
    )


@pytest.fixture(scope="module")
def watched():
    watch = visualization.GradientWatch(IMAGES[:16], LABELS[:16])
    watch.share = 1e9  # always
    run = training.train(build, (IMAGES, LABELS), recipe=RECIPE, epochs=4, callbacks=[watch], progress=False)
    return watch.record, run


def test_watching_changes_nothing(watched):
    run = training.train(build, (IMAGES, LABELS), recipe=RECIPE, epochs=4, progress=False)
    for one, other in zip(run.model.get_weights(), watched[1].model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_record(watched):
    record = watched[0]
    assert record["layers"] == ["c1", "output"] and record["activations"] == ["c1"]
    assert record["step"].tolist() == [0, 16, 24]  # eight steps run at once; the first cannot be timed
    assert record["interval"] == 12
    assert record["norm"].shape == record["mean"].shape == record["update"].shape == (3, 2)
    assert record["flat"].shape == record["activation_std"].shape == (3, 1)
    np.testing.assert_array_equal(record["histogram"].sum(axis=2), [[36, 192]] * 3)


def test_update_of_each_step_by_hand():
    """Plain descent, the probe being the batch: the update is the learning rate times the gradient."""
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="only")])
    model.compile(keras.optimizers.SGD(0.5), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    batch = RANDOM.normal(size=(6, 4)).astype("float32"), np.arange(6) % 3
    watch = visualization.GradientWatch(*batch)
    watch.share = 1e9
    model.fit(*batch, batch_size=6, epochs=4, verbose=0, callbacks=[watch])
    record = watch.record
    assert record["step"].tolist() == [0, 2, 3]
    np.testing.assert_allclose(record["update"], 0.5 * record["norm"] / record["weights"], rtol=1e-4)
    counts = record["histogram"][0, 0]
    assert counts.sum() == 12
    kernel, bias = (array.astype(float) for array in model.get_weights())
    logits = batch[0] @ kernel + bias
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True) - np.eye(3)[batch[1]]
    slopes = np.abs(batch[0].T @ shares / 6)
    after = visualization.gradient_sizes(model, *batch)
    assert after["mean"][0] == pytest.approx(slopes.mean(), rel=1e-4)


def test_an_update_is_that_of_one_step_where_several_run_at_once():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="only")])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.5), loss, steps_per_execution=4)
    batch = RANDOM.normal(size=(8, 4)).astype("float32"), np.arange(8) % 3
    before = model.get_weights()[0]
    watch = visualization.GradientWatch(*batch)
    model.fit(*batch, batch_size=2, verbose=0, callbacks=[watch])
    moved = np.linalg.norm(model.get_weights()[0] - before) / 4
    np.testing.assert_allclose(watch.record["update"], [[moved / np.linalg.norm(before)]], rtol=1e-4)


def test_it_stays_within_its_share(monkeypatch):
    """By a clock that runs only here: each step lasts 5 ms, and each measurement 1 ms."""
    clock = types.SimpleNamespace(now=0.0, perf_counter=lambda: clock.now)
    monkeypatch.setattr(gradient_watch, "time", clock)
    probe = gradient_watch.gradients.probe

    class Step(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            clock.now += 0.005

    def measured(*arguments):
        tf.py_function(lambda: setattr(clock, "now", clock.now + 0.001), [], [])
        return probe(*arguments)

    monkeypatch.setattr(gradient_watch.gradients, "probe", measured)
    model = build()
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    watch = visualization.GradientWatch(IMAGES[:16], LABELS[:16])
    model.fit(IMAGES, LABELS, batch_size=4, epochs=8, verbose=0, callbacks=[watch, Step()])
    record = watch.record
    assert 1 < len(record["step"]) < 100 and record["interval"] > 1
    assert 0.01 < record["cost"] <= watch.share


def test_at_every_so_many_steps_whatever_the_time():
    model = build()
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), steps_per_execution=2)
    watch = visualization.GradientWatch(IMAGES[:16], LABELS[:16], every=5)
    model.fit(IMAGES, LABELS, batch_size=4, epochs=2, verbose=0, callbacks=[watch])
    assert watch.record["step"].tolist() == [0, 6, 12, 18, 24, 30]  # two steps run at once
    label = visualization.plot_gradient_history(watch.record).get_xlabel()
    assert "every 5 steps" in label and "%" not in label


def test_bad_batch_is_said_before_training():
    watch = visualization.GradientWatch(255 * IMAGES, LABELS)
    with pytest.raises(ValueError, match="scale them as in training"):
        training.train(build, (IMAGES, LABELS), recipe=RECIPE, epochs=1, callbacks=[watch], progress=False)


def test_heat_map(watched):
    record = watched[0]
    ax = visualization.plot_gradient_history(record, limits=(1e-4, 1))
    cells = ax.collections[0]
    np.testing.assert_allclose(cells.get_array(), record["norm"].T)
    assert cells.get_clim() == (1e-4, 1)
    assert [each.get_text() for each in ax.get_yticklabels()] == ["c1", "output"]
    assert "measured about every 12 steps" in ax.get_xlabel() and "%" in ax.get_xlabel()
    dead = visualization.plot_gradient_history(record | {"norm": record["norm"] * [0, 1]})
    assert dead.collections[0].get_array().mask.tolist() == [[True] * 3, [False] * 3]
    for value in ("mean", "update", "activation_std", "flat"):
        visualization.plot_gradient_history(record, value)
    ax = visualization.plot_gradient_history(record, layer="output")
    np.testing.assert_allclose(ax.collections[0].get_array().sum(axis=0), 1)
    assert ax.get_ylim() == (1e-16, 1e2)
    once = {name: values[:1] if isinstance(values, np.ndarray) else values for name, values in record.items()}
    visualization.plot_gradient_history(once)  # one time only
    with pytest.raises(ValueError, match=r"unknown layer 'c2'. Did you mean 'c1'"):
        visualization.plot_gradient_history(record, layer="c2")
    with pytest.raises(ValueError, match=r"unknown value 'norms'. Did you mean 'norm'"):
        visualization.plot_gradient_history(record, "norms")


def test_units_against_numpy():
    start = keras.initializers.GlorotUniform(seed=4)  # the same numbers each time
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(3, 3, activation="relu", name="maps", kernel_initializer=start),
            layers.Flatten(),
            layers.Dense(5, activation="sigmoid", name="units", kernel_initializer=start),
            layers.Dense(4, name="linear", kernel_initializer=start),
            layers.ReLU(name="last"),
        ]
    )
    kernel, _ = model.get_layer("maps").get_weights()
    sums = keras.ops.convert_to_numpy(keras.ops.conv(IMAGES, kernel))[..., 1].max(axis=(1, 2))
    threshold = -np.median(sums)
    model.get_layer("maps").set_weights([kernel, np.array([-9, threshold, 1])])  # dead, now and then silent, active
    model.get_layer("units").set_weights([5 * model.get_layer("units").get_weights()[0], np.zeros(5)])
    found = visualization.count_units(model, IMAGES, batch_size=30)
    inside = keras.Model(model.inputs[0], [model.get_layer(name).output for name in ("maps", "units", "last")])
    maps, units, last = (keras.ops.convert_to_numpy(output) for output in inside(IMAGES))
    assert found["layers"] == ["maps", "units", "last"] and found["units"].tolist() == [3, 5, 4]
    off = (maps == 0).all(axis=(1, 2))
    assert found["dead"][0] == 1 and off[:, 0].all() and 0 < off[:, 1].sum() < 64
    assert found["silent"][0] == pytest.approx(off[:, 1].mean())
    saturated = (units < 0.01266) | (units > 0.98734)  # there σ′ = 0.0125
    assert found["flat"].tolist() == pytest.approx([(maps == 0).mean(), saturated.mean(), (last == 0).mean()], abs=1e-3)
    assert 0 < found["flat"][1] < 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda record: visualization.GradientWatch(IMAGES, LABELS).record, "nothing was recorded so far"),
        (lambda record: visualization.GradientWatch(IMAGES, LABELS, share="3%"), "share must be a number"),
        (lambda record: visualization.GradientWatch(IMAGES, LABELS, share=5), "share must be .* below 1, not 5"),
        (lambda record: visualization.GradientWatch(IMAGES, LABELS, every=0), "every must be"),
        (lambda record: visualization.plot_gradient_history(record, limits=1e-3), "limits must be"),
        (lambda record: visualization.plot_gradient_history(record, limits=(0, 1)), "above 0 on a logarithmic scale"),
        (lambda record: visualization.plot_gradient_history({"norm": 1}), r"record must be .*watch\.record"),
        (lambda record: visualization.plot_gradient_history(record | {"layers": ["a", "a"]}, layer="a"), "2 layers"),
        (
            lambda record: visualization.plot_gradient_history(record | {"activations": []}, "flat"),
            "no 'flat' was recorded",
        ),
        (lambda record: visualization.plot_gradients(record), "'norm' must be one number per layer"),
    ],
)
def test_bad_input(watched, call, message):
    with pytest.raises(ValueError, match=message):
        call(watched[0])


def test_count_units_without_such_layers():
    model = keras.Sequential([keras.Input((6, 6, 1)), layers.Flatten(), layers.Dense(3)])
    with pytest.raises(ValueError, match=r"no layer of .* ends with ReLU, sigmoid or tanh"):
        visualization.count_units(model, IMAGES)
    with pytest.raises(ValueError, match="batch_size must be"):
        visualization.count_units(build(), IMAGES, batch_size=0)

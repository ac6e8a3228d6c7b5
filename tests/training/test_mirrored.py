"""Two devices against one: the CPU, divided in two."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from course_lib.batching import Split
from course_lib.training import Recipe, train

SYNCHRONIZED = {"batch_size": 10, "synchronize_batch_norm": True}


def normalized() -> keras.Model:
    """BatchNorm and a penalty on the kernel; no dropout, whose masks two devices do not share."""
    inputs = keras.Input((6, 6, 1))
    x = layers.Conv2D(4, 3, use_bias=False, kernel_regularizer=keras.regularizers.L2(0.01))(inputs)
    block = keras.Sequential([layers.BatchNormalization(), layers.ReLU()])  # a network in the network
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(block(x))), name="normalized")


def largest_difference(ours, theirs) -> float:
    pairs = zip(ours.model.get_weights(), theirs.model.get_weights(), strict=True)
    return max(np.abs(mine - other).max() / np.abs(other).max() for mine, other in pairs)


@pytest.mark.parametrize(
    "settings",
    [
        {"learning_rate": 0.05, "weight_decay": 0.01, "schedule": "cosine"},
        {"optimizer": "adam", "weight_decay": 0.01, "batch_size": 9},
        {"optimizer": "adamw", "weight_decay": 0.01, "base_batch_size": 5, "warm_up": 1.5},
    ],
    ids=["sgd", "adam, odd batches", "adamw, warm-up"],
)
def test_two_devices_do_what_one_does(settings, split):
    recipe = Recipe(**{**SYNCHRONIZED, **settings})
    one, two = (
        train(normalized, split, recipe=recipe, epochs=3, validation=split.take(31), devices=devices)
        for devices in (1, ["CPU:0", "/device:CPU:1"])
    )
    assert largest_difference(two, one) < 1e-5
    assert sorted(two.history) == sorted(one.history)
    for name, values in one.history.items():
        np.testing.assert_allclose(two.history[name], values, rtol=0, atol=1e-6)
    assert two.model.optimizer.iterations == one.model.optimizer.iterations


@pytest.mark.parametrize(
    ("examples", "batch_size", "steps", "watched"),
    [(5, 4, 1, 1), (6, 4, 2, 2), (7, 3, 2, 5), (2, 2, 1, 1), (53, 13, 4, 30)],
)
def test_odd_batches_and_each_example_counts_once_in_validation(examples, batch_size, steps, watched, split):
    """A last batch of one example is left out, and no replica is left without any: BatchNorm would turn NaN."""
    recipe = Recipe(batch_size=batch_size)
    few, measured = split.take(examples), split.take(watched)
    run = train(normalized, few, recipe=recipe, epochs=2, validation=measured, devices=2)
    assert int(run.model.optimizer.iterations) == 2 * steps
    assert all(np.isfinite(weights).all() for weights in run.model.get_weights())
    loss, accuracy = run.model.evaluate(measured.prepared(), measured.arrays()[1], verbose=0)
    assert run.history["val_loss"][-1] == pytest.approx(loss, rel=1e-6, abs=1e-6)
    assert run.history["val_accuracy"][-1] == pytest.approx(accuracy, abs=1e-6)


def test_the_example_that_is_left_out_is_another_each_epoch(split, squares):
    seen = []

    def note(images, draws):
        if draws is not None:
            tf.numpy_function(lambda batch: seen.append(batch[:, 0, 0, 0]), [images], [])
        return images

    marks = np.arange(9, dtype=np.float32) / 9
    data = Split(marks[:, None, None, None] * np.ones((1, 6, 6, 1), np.float32), squares[1][:9]).with_transform(note)
    train(normalized, data, recipe=Recipe(batch_size=4), epochs=4, devices=2)
    left_out = [float(batch[0]) for batch in seen if len(batch) == 1]
    assert len(left_out) == 4 and len(set(left_out)) > 1


@pytest.mark.parametrize("synchronized", [False, True])
def test_whose_statistics_batch_norm_takes(synchronized):
    """Of each device's part, then averaged; or of the whole batch: their variances differ."""

    def build():
        inputs = keras.Input((2, 2, 1))
        x = layers.BatchNormalization(momentum=0.0, name="norm")(inputs)
        return keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x)))

    images = np.random.default_rng(0).uniform(0, 1, (8, 2, 2, 1)).astype(np.float32)
    data = Split(images, np.arange(8) % 2)
    recipe = Recipe(learning_rate=0.0, batch_size=8, synchronize_batch_norm=synchronized)
    norm = train(build, data, recipe=recipe, epochs=1, devices=2).model.get_layer("norm")
    ((batch, _),) = data.batches(8, training=True)
    parts = [batch.numpy()] if synchronized else [batch.numpy()[part::2] for part in range(2)]
    np.testing.assert_allclose(norm.moving_mean[0], batch.numpy().mean(), rtol=1e-5)
    np.testing.assert_allclose(norm.moving_variance[0], np.mean([part.var() for part in parts]), rtol=1e-4)


def test_callbacks_are_those_of_fit(split, tmp_path):
    told = {}

    class Noting(keras.callbacks.Callback):
        def __init__(self, name: str):
            super().__init__()
            self.heard = told[name] = []

        def __getattribute__(self, name: str):
            if name.startswith("on_") and "batch" not in name:
                self.heard.append(name)
            return super().__getattribute__(name)

        def on_train_batch_end(self, batch, logs=None):
            self.heard.append((batch, sorted(logs), self.params))

        def on_epoch_end(self, epoch, logs=None):
            self.heard.append((epoch, sorted(logs)))

    recipe = Recipe(batch_size=10, steps_per_execution=1)
    for devices in (1, 2):
        noting = Noting(devices)
        told[devices].clear()
        train(normalized, split, recipe=recipe, epochs=2, validation=split, devices=devices, callbacks=[noting])
    assert told[1] == told[2]


def test_callbacks_that_change_training(split, tmp_path):
    rates = []
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rates.append(rate) or rate / 2)
    callbacks = [
        scheduler,
        keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=100, factor=0.1, min_lr=0),
        keras.callbacks.ModelCheckpoint(tmp_path / "best.weights.h5", save_weights_only=True),
        keras.callbacks.EarlyStopping("val_loss", patience=2, min_delta=100, restore_best_weights=True),
    ]
    run = train(
        normalized,
        split,
        recipe=Recipe(learning_rate=0.4, batch_size=10),
        epochs=9,
        validation=split.take(9),
        devices=2,
        callbacks=callbacks,
    )
    assert len(run.history["loss"]) == 3 and run.status == "finished"
    np.testing.assert_allclose(rates, [0.4, 0.2, 0.01], rtol=1e-5)  # halved at each start, a tenth after epoch 2
    normalized().load_weights(tmp_path / "best.weights.h5")
    best = run.model.evaluate(split.take(9).prepared(), split.arrays()[1][:9], verbose=0)[0]
    assert best == pytest.approx(run.history["val_loss"][0], rel=1e-4)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(precision, split):
    recipe = Recipe(batch_size=10, precision=precision)
    run = train(normalized, split, recipe=recipe, epochs=1, devices=2)
    assert run.model.layers[1].compute_dtype == precision.removeprefix("mixed_")
    assert all(np.isfinite(weights).all() for weights in run.model.get_weights())


def test_an_overflow_on_one_device_alone_skips_the_step():
    """Keras' loss scaling looks at the first device's gradients only; the other's would end in the weights."""

    def build():
        inputs = keras.Input((1, 1, 1))
        x = layers.Flatten()(layers.Rescaling(40.0)(inputs))
        return keras.Model(inputs, layers.Dense(2, dtype="float32")(layers.Dense(2)(x)))

    images = np.array([0, 5, 0, 0], np.float32).reshape(4, 1, 1, 1)  # one whose gradient overflows, on either device
    recipe = Recipe(learning_rate=1e-6, batch_size=4, precision="mixed_float16")
    # By this seed the example is on the second device in epochs 2 to 4.
    run = train(build, Split(images, [0, 1, 0, 1]), recipe=recipe, epochs=4, devices=2, seed=2)
    assert all(np.isfinite(weights).all() for weights in run.model.get_weights())


def test_what_is_continued_ends_as_if_it_had_never_stopped(stateful, split, tmp_path, all_bits):
    class Cut(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise InterruptedError

    recipe = Recipe("adam", batch_size=9)
    whole = train(stateful, split, recipe=recipe, epochs=3, validation=split, devices=2)
    arguments = {"recipe": recipe, "epochs": 3, "validation": split, "devices": 2, "run_dir": tmp_path}
    with pytest.raises(InterruptedError):
        train(stateful, split, callbacks=[Cut()], **arguments)
    assert all_bits(train(stateful, split, **arguments)) == all_bits(whole)


def test_a_dataset_of_ones_own(split):
    dataset = split.batches(9, training=False)
    one, two = (train(normalized, dataset, recipe=Recipe(**SYNCHRONIZED), epochs=2, devices=n) for n in (1, 2))
    assert largest_difference(two, one) < 1e-5


def test_a_loss_that_is_not_finite_names_the_devices(tiny, split):
    with pytest.raises(
        FloatingPointError, match=r"in epoch 1, steps? \d.* A broken connection between GPUs does this too"
    ):
        train(tiny, split, recipe=Recipe(learning_rate=1e30, batch_size=10), epochs=2, devices=2)


@pytest.fixture(scope="module")
def alone(tiny, split, recipe):
    """An epoch on one device."""
    return train(tiny, split, recipe=recipe, epochs=1)


@pytest.mark.parametrize("how", ["hierarchical_copy", "one_device"])
def test_how_gradients_are_added_up(how, tiny, split, recipe, alone):
    ours = dataclasses.replace(recipe, cross_device_ops=how)
    run = train(tiny, split, recipe=ours, epochs=1, devices=2)
    assert largest_difference(run, alone) < 1e-5


@pytest.mark.parametrize(
    ("devices", "settings", "message"),
    [
        (3, {}, "devices=3, but there are CPU:0, CPU:1: ask for at most 2, or, without GPUs, .*logical_cpus=3"),
        (0, {}, "devices must be 'auto', a number, a list of names .* or 'multi_worker', not 0"),
        ("gpu", {}, "devices must be 'auto', .* not 'gpu'"),
        ([], {}, "devices must be 'auto', .* not"),
        (["CPU:0", "CPU:7"], {}, "unknown device 'CPU:7'. Did you mean 'CPU:"),
        (["CPU:0", "CPU:0"], {}, "twice"),
        (2, {"batch_size": 1}, "batch_size 1 cannot be divided over 2 devices"),
        (2, {"xla": True}, "xla=True is for one device: on several, leave it at 'auto'"),
        (2, {"cross_device_ops": "nccl"}, "cross_device_ops='nccl' is for NVIDIA GPUs, and there is none"),
        (1, {"xla": True, "deterministic": True}, "deterministic=True and xla=True exclude each other"),
    ],
)
def test_what_is_refused(devices, settings, message, tiny, split):
    with pytest.raises(ValueError, match=message):
        train(tiny, split, recipe=Recipe(**settings), epochs=1, devices=devices)


def test_fewer_examples_than_devices(tiny, split):
    with pytest.raises(ValueError, match="data has too few examples for 2 devices"):
        train(tiny, split.take(1), recipe=Recipe(), epochs=1, devices=2)


def test_one_device_by_name(tiny, split, recipe, alone, fingerprint):
    named = train(tiny, split, recipe=recipe, epochs=1, devices=["CPU:1"])
    assert fingerprint(named.model) == fingerprint(alone.model)


def test_xla_on_one_device(tiny, split, recipe, alone):
    compiled = train(tiny, split, recipe=dataclasses.replace(recipe, xla=True), epochs=1)
    assert compiled.model.jit_compile
    assert largest_difference(compiled, alone) < 1e-5

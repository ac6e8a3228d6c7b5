"""`train`: what it learns from, what it hands back, when it stops, and what it refuses."""

import math

import keras
import nbclient
import nbformat
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from course_lib import training
from course_lib.batching import Split
from course_lib.training import Recipe, Run, train


class Noting(keras.callbacks.Callback):
    """Notes what it is told, in order."""

    def __init__(self):
        super().__init__()
        self.told = []

    def on_train_begin(self, logs=None):
        self.told.append("begin")

    def on_train_end(self, logs=None):
        self.told.append("end")

    def on_epoch_begin(self, epoch, logs=None):
        self.told.append(epoch)

    def on_epoch_end(self, epoch, logs=None):
        self.told.append(sorted(logs))


class Interrupting(keras.callbacks.Callback):
    """The stop button, pressed in epoch `epoch` (from 0) while `moment` is on."""

    def __init__(self, epoch: int, moment: str):
        super().__init__()
        self.when, self.now = (epoch, moment), 0

    def press(self, moment: str) -> None:
        if self.when == (self.now, moment):
            raise KeyboardInterrupt

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.press("training")

    def on_test_batch_end(self, batch, logs=None):
        self.press("validation")

    def on_epoch_end(self, epoch, logs=None):
        self.press("the epoch's end")


def brighten(images, draws):
    """A random transform: each image by a number of its own, in training only."""
    return images if draws is None else images + 2 * draws.uniform(1)[:, :, None, None]


class TestLearning:
    def test_it_learns(self, tiny, split):
        run = train(tiny, split, recipe=Recipe(optimizer="adam", learning_rate=0.02, batch_size=10), epochs=12)
        assert run.history["accuracy"][-1] > 0.9 > run.history["accuracy"][0]
        assert run.history["loss"][-1] < run.history["loss"][0]

    def test_one_epoch_is_keras_own_training_on_the_same_batches(self, tiny, split):
        """The weights of plain `train_on_batch` over the split's batches, started from the same seed."""
        recipe = Recipe(learning_rate=0.05, momentum=0.5, batch_size=10)
        run = train(tiny, split, recipe=recipe, epochs=2, seed=3)
        keras.utils.set_random_seed(3)
        model = tiny()
        model.compile(keras.optimizers.SGD(0.05, 0.5), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        for epoch in range(2):
            for images, labels in split.batches(10, training=True, epoch=epoch, seed=3):
                model.train_on_batch(images, labels)
        for ours, theirs in zip(run.model.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-6)

    def test_same_seed_same_weights_bit_for_bit(self, tiny, split, recipe, fingerprint):
        noisy = split.with_transform(brighten)
        first = train(tiny, noisy, recipe=recipe, epochs=2, seed=1)
        keras.utils.set_random_seed(99)  # whatever happened in between
        again = train(tiny, noisy, recipe=recipe, epochs=2, seed=1, validation=noisy)
        other = train(tiny, noisy, recipe=recipe, epochs=2, seed=2)
        assert fingerprint(first.model) == fingerprint(again.model) != fingerprint(other.model)
        assert first.history["loss"] == again.history["loss"]

    def test_the_seed_decides_the_first_weights_and_the_order(self, tiny, split, recipe):
        runs = [train(tiny, split, recipe=Recipe(learning_rate=0.0), epochs=1, seed=seed) for seed in (0, 0, 1)]
        first, again, other = (run.model.get_weights()[0] for run in runs)
        assert np.array_equal(first, again) and not np.allclose(first, other)

    @pytest.mark.parametrize("batch_size", [1, 10, 16, 53, 100])
    def test_every_example_once_an_epoch(self, batch_size, tiny, squares):
        seen = []

        def note(images, draws):
            if draws is not None:  # in training
                tf.numpy_function(lambda batch: seen.extend(batch[:, 0, 0, 0].tolist()), [images], [])
            return images

        marks = np.arange(53, dtype=np.float32) / 53
        split = Split(marks[:, None, None, None] * np.ones((1, 6, 6, 1), np.float32), squares[1]).with_transform(note)
        run = train(tiny, split, recipe=Recipe(batch_size=batch_size), epochs=2, validation=split)
        assert int(run.model.optimizer.iterations) == 2 * math.ceil(53 / batch_size)
        assert np.array_equal(np.sort(seen[:53]), marks) and np.array_equal(np.sort(seen[53:]), marks)

    def test_the_schedule_spans_the_epochs(self, tiny, split):
        rates = []

        class Rate(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                rates.append(float(self.model.optimizer.learning_rate))

        recipe = Recipe(learning_rate=0.1, schedule="cosine", batch_size=10)
        train(tiny, split, recipe=recipe, epochs=4, callbacks=[Rate()])
        np.testing.assert_allclose(rates, [0.05 * (1 + math.cos(math.pi * k / 4)) for k in (1, 2, 3, 4)], atol=1e-7)

    def test_mixed_precision_with_decay(self, tiny, split):
        recipe = Recipe(precision="mixed_float16", weight_decay=1e-3, batch_size=10)
        run = train(tiny, split, recipe=recipe, epochs=1)
        assert run.model.get_layer("conv").compute_dtype == "float16"
        assert keras.config.dtype_policy().name == "float32"  # put back
        assert np.isfinite(run.history["loss"][0])


class TestValidation:
    def test_its_figures_are_those_of_evaluate(self, tiny, split, recipe):
        watched = split.take(31).with_transform(brighten)
        run = train(tiny, split, recipe=recipe, epochs=2, validation=watched)
        loss, accuracy = run.model.evaluate(watched.prepared(), watched.arrays()[1], verbose=0)
        assert run.history["val_loss"][-1] == pytest.approx(loss, rel=1e-4)
        assert run.history["val_accuracy"][-1] == pytest.approx(accuracy, abs=1e-6)
        assert len(run.history["val_loss"]) == 2

    def test_it_is_never_trained_on(self, tiny, split, recipe, fingerprint):
        alone = train(tiny, split, recipe=recipe, epochs=2)
        watching = train(tiny, split, recipe=recipe, epochs=2, validation=split.take(7))
        assert fingerprint(alone.model) == fingerprint(watching.model)
        assert "val_loss" not in alone.history

    def test_early_stopping(self, tiny, split, recipe):
        stopping = keras.callbacks.EarlyStopping("val_loss", patience=1, min_delta=100, restore_best_weights=True)
        run = train(tiny, split, recipe=recipe, epochs=9, validation=split.take(9), callbacks=[stopping])
        assert len(run.history["loss"]) == 2 and run.epochs == 9 and run.status == "finished"
        best = run.history["val_loss"][0]
        assert run.model.evaluate(*(split.take(9).prepared(), split.arrays()[1][:9]), verbose=0)[0] == pytest.approx(
            best, rel=1e-4
        )


def test_callbacks_hear_of_one_training(tiny, split, recipe):
    noting = Noting()
    train(tiny, split, recipe=recipe, epochs=3, validation=split.take(9), callbacks=[noting])
    names = ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert noting.told == ["begin", 0, names, 1, names, 2, names, "end"]
    assert noting.params["epochs"] == 3 and noting.params["steps"] == 6


class TestStopping:
    @pytest.mark.parametrize(("moment", "finished"), [("training", 1), ("validation", 1), ("the epoch's end", 2)])
    def test_by_hand_keeps_the_run_so_far(self, moment, finished, tiny, split, recipe, tmp_path, fingerprint):
        noting = Noting()
        pressed = [noting, Interrupting(1, moment)]
        with pytest.raises(training.Stopped) as caught:
            train(tiny, split, recipe=recipe, epochs=5, validation=split, run_dir=tmp_path, callbacks=pressed)
        run = caught.value.run
        assert run is training.last_run()
        assert run.status == "interrupted" and run.epochs == 5
        assert noting.told[-1] == "end"
        assert int(run.model.optimizer.iterations) == 12  # the second epoch's steps were one execution
        said = "stopped by hand in epoch 2 of 5. The run so far: run = training.last_run()."
        assert str(caught.value) == f"{said} It is kept in {tmp_path}, and the same call continues it."
        assert caught.value._render_traceback_() == [str(caught.value)]
        kept = Run.load(tmp_path, tiny)
        assert kept.status == "interrupted" and fingerprint(kept.model) == fingerprint(run.model)
        assert len(kept.history["loss"]) == finished
        again = run.model.evaluate(split.prepared(), split.arrays()[1], verbose=0)  # the network is of use
        assert np.all(np.isfinite(again))

    def test_by_hand_before_anything_is_finished(self, tiny, split, recipe):
        with pytest.raises(KeyboardInterrupt, match=r"in epoch 1 of 1. The run so far: run = training.last_run\(\).$"):
            train(tiny, split, recipe=recipe, epochs=1, callbacks=[Interrupting(0, "training")])
        assert training.last_run().history == {} and training.last_run().status == "interrupted"

    def test_the_last_run_is_the_one_that_ended(self, tiny, split, recipe):
        assert train(tiny, split, recipe=recipe, epochs=1) is training.last_run()

    def test_before_any_run_there_is_no_last_one(self, monkeypatch):
        monkeypatch.setattr("course_lib.training.trainer._LAST", [])
        with pytest.raises(ValueError, match="nothing was trained in this process yet"):
            training.last_run()

    def test_in_a_notebook_the_cells_after_it_do_not_run(self, tmp_path):
        """The stop button ends the cell, also one of several runs, and with it what "Run All" has queued."""
        cells = [
            "import keras, numpy as np\nfrom course_lib import training",
            "class Press(keras.callbacks.Callback):\n    def on_epoch_end(self, epoch, logs=None):\n"
            "        raise KeyboardInterrupt",
            "layers = keras.layers\nbuild = lambda: keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), "
            "layers.Dense(2)])\n"
            "data = np.zeros((8, 4, 4, 1), 'uint8'), np.arange(8) % 2\n"
            "for number in range(3):\n    print('run', number)\n    training.train(build, data, epochs=2, "
            "recipe=training.Recipe(batch_size=4), callbacks=Press(), progress=False)",
            "print('not reached')",
        ]
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
        with pytest.raises(nbclient.exceptions.CellExecutionError):
            nbclient.NotebookClient(
                notebook, timeout=600, startup_timeout=600, resources={"metadata": {"path": tmp_path}}
            ).execute()
        *_, printed, error = notebook.cells[2].outputs
        assert printed.text == "run 0\n"
        assert error.traceback == ["stopped by hand in epoch 1 of 2. The run so far: run = training.last_run()."]
        assert notebook.cells[3].execution_count is None

    def test_a_loss_that_is_not_finite(self, tiny, split):
        recipe = Recipe(learning_rate=1e30, batch_size=10)
        noting = Noting()
        with pytest.raises(FloatingPointError) as caught:
            train(tiny, split, recipe=recipe, epochs=3, callbacks=[noting])
        assert noting.told[-1] == "end"
        message = str(caught.value)
        assert message.startswith(("the loss became nan in epoch 1, steps 1 to 6", "the loss became inf in epoch 1"))
        assert "at learning rate 1e+30: try a tenth of that rate" in message

    def test_a_loss_that_is_not_finite_later_names_its_epoch(self, tiny, split):
        recipe = Recipe(learning_rate=0.01, schedule=((2, 1e30),), batch_size=10)
        with pytest.raises(FloatingPointError, match=r"in epoch 3, steps 1 to 6, at learning rate 1e\+30"):
            train(tiny, split, recipe=recipe, epochs=4)

    def test_another_error_in_a_callback_comes_through(self, tiny, split, recipe):
        class Broken(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                raise RuntimeError("mine")

        with pytest.raises(RuntimeError, match="mine"):
            train(tiny, split, recipe=recipe, epochs=2, callbacks=[Broken()])


class TestWhatItLearnsFrom:
    def test_arrays(self, tiny, squares, split, recipe, fingerprint):
        images, labels = squares
        from_split = train(tiny, split, recipe=recipe, epochs=1)
        from_bytes = train(tiny, (images, labels), recipe=recipe, epochs=1, validation=(images, labels))
        from_floats = train(tiny, ((images * np.float32(1 / 255)), labels.astype(np.uint8)), recipe=recipe, epochs=1)
        assert fingerprint(from_split.model) == fingerprint(from_bytes.model) == fingerprint(from_floats.model)

    def test_a_dataset_is_used_as_it_is(self, tiny, squares, fingerprint):
        images, labels = squares
        dataset = tf.data.Dataset.from_tensor_slices((images / np.float32(255), labels)).batch(20)
        run = train(tiny, dataset, recipe=Recipe(batch_size=5), epochs=2, validation=dataset)
        assert int(run.model.optimizer.iterations) == 6  # its batch size, not the recipe's
        assert run.data == {"examples": None, "image_shape": [6, 6, 1], "batch_size": 20, "repeatable_order": False}
        keras.utils.set_random_seed(0)
        model = tiny()
        model.compile(keras.optimizers.SGD(0.01, 0.9), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        for _ in range(2):
            for batch in dataset:
                model.train_on_batch(*batch)
        for ours, theirs in zip(run.model.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-6)

    def test_the_schedule_spans_a_datasets_own_batches(self, tiny, squares):
        images, labels = squares
        dataset = tf.data.Dataset.from_tensor_slices((images / np.float32(255), labels)).batch(20)
        run = train(tiny, dataset, recipe=Recipe(schedule="cosine", batch_size=5), epochs=2)
        assert float(run.model.optimizer.learning_rate) == pytest.approx(0, abs=1e-9)

    def test_a_dataset_of_unknown_length(self, tiny, squares, recwarn):
        images, labels = squares
        flat = tf.data.Dataset.from_tensor_slices((images / np.float32(255), labels.astype(np.int64)))
        run = train(tiny, flat.filter(lambda _, label: label > 0).batch(7), recipe=Recipe(), epochs=2)
        assert int(run.model.optimizer.iterations) == 2 * math.ceil(np.sum(labels > 0) / 7)
        assert not [warning for warning in recwarn if "ran out of data" in str(warning.message)]

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda ds: ds, r"must yield batches .* Did you forget .batch\(batch_size\)\?"),
            (lambda ds: ds.batch(4).repeat(), r"never ends: give one pass over it \(leave out .repeat\(\)\)"),
            (lambda ds: ds.take(0).batch(4), "the tf.data.Dataset is empty"),
            (lambda ds: ds.filter(lambda *_: False).batch(4), "the tf.data.Dataset is empty"),
            (lambda ds: ds.batch(4).map(lambda image, _: image), "must yield batches"),
            (lambda ds: ds.batch(4).map(lambda image, label: {"x": image, "y": label}), "must yield batches"),
            (lambda ds: ds.batch(4).map(lambda x, y: (x, tf.one_hot(y, 3))), "must yield batches"),
            (lambda ds: ds.batch(4).map(lambda x, y: (x * 255, y)), "these go from .* to 2.*: pass them as uint8"),
            (
                lambda ds: ds.batch(4).map(lambda x, y: (tf.cast(x * 255, tf.uint8), y)),
                r"not uint8: add .map\(lambda images, labels: \(images / 255",
            ),
            (lambda ds: ds.batch(4).map(lambda x, y: (x, y + 3)), r"labels from [345] to 5, but tiny has 3 outputs"),
            (lambda ds: ds.batch(4).map(lambda x, y: (x, tf.cast(y, tf.float32))), "float32 labels"),
        ],
        ids=[
            *("unbatched", "endless", "empty", "filtered empty", "no labels", "dictionary", "one-hot"),
            *("0 to 255", "bytes", "labels too large", "float labels"),
        ],
    )
    def test_a_dataset_that_does_not_fit(self, make, message, tiny, squares, recipe):
        images, labels = squares
        flat = tf.data.Dataset.from_tensor_slices((images / np.float32(255), labels))
        with pytest.raises(ValueError, match=message):
            train(tiny, make(flat), recipe=recipe, epochs=1)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda x, y: (x[:, :5], y), r"images of shape \(5, 6, 1\), but tiny takes \(6, 6, 1\)"),
            (lambda x, y: (x[..., 0], y), "shape .n, height, width, channels."),
            (lambda x, y: (np.repeat(x, 3, -1), y), r"images of shape \(6, 6, 3\), but tiny takes"),
            (lambda x, y: (x.astype(float), y), "between -5 and 5 .* pass them as uint8, or scale them"),
            (lambda x, y: (x, y + 1), "labels from 1 to 3, but tiny has 3 outputs, for the whole numbers 0 to 2"),
            (lambda x, y: (x, y - 1), "labels must be whole numbers from 0 on, but there are -1 to 1"),
            (lambda x, y: (x, y[:-1]), "whole numbers from 0 on, one per image"),
            (lambda x, y: [x, y], "must be a split .* not list"),
            (lambda x, y: "mnist", "must be a split .* not str"),
        ],
    )
    @pytest.mark.parametrize("role", ["data", "validation"])
    def test_arrays_that_do_not_fit(self, change, message, role, tiny, squares, recipe):
        given = {"data": squares, "validation": squares, role: change(*squares)}
        with pytest.raises(ValueError, match=message):
            train(tiny, given["data"], recipe=recipe, epochs=1, validation=given["validation"])


def test_errors_name_the_part_that_does_not_fit(tiny, squares, recipe):
    images, labels = squares
    with pytest.raises(ValueError, match=r"^validation has images of shape"):
        train(tiny, squares, recipe=recipe, epochs=1, validation=(images[:, :5], labels))
    with pytest.raises(ValueError, match=r"^data has images of shape"):
        train(tiny, (images[:, :5], labels), recipe=recipe, epochs=1)


def two_inputs() -> keras.Model:
    images, more = keras.Input((6, 6, 1)), keras.Input((3,))
    return keras.Model([images, more], layers.Dense(3)(layers.Concatenate()([layers.Flatten()(images), more])))


def flat_network() -> keras.Model:
    return keras.Sequential([keras.Input((36,)), layers.Dense(3)], name="flat")


class Unknown(keras.Model):
    """A subclass has no input shape to check."""

    def call(self, images):
        return images


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1, not 0"),
        ({"epochs": 1.5}, "epochs must be a whole number of at least 1, not 1.5"),
        ({"seed": -1}, "seed must be a whole number of at least 0, not -1"),
        ({"seed": 2**32}, r"seed must be below 2\*\*32, not 4294967296"),
        ({"run_dir": ""}, "a run's folder must be a path such as 'runs/mine', not ''"),
        ({"run_dir": True}, "a run's folder must be a path such as 'runs/mine', not True"),
        ({"devices": ["cpu:0", "cpu:0"]}, "device 'CPU:0' is named twice"),
        ({"build": lambda name: None}, "build is called without arguments, and this function needs some"),
        ({"build": two_inputs}, "has 2 inputs, and train gives it one, the images"),
        ({"recipe": {"batch_size": 3}}, r"recipe must be a training.Recipe, not \{'batch_size': 3\}"),
        ({"recipe": Recipe(loss="mse")}, "unknown loss 'mse'"),
        ({"build": flat_network}, r"images of shape \(6, 6, 1\), but flat takes \(36,\)"),
        ({"build": flat_network()}, "a function that builds the network, .* not a network: each run starts"),
        ({"build": "lenet5"}, "a function that builds the network, .* not 'lenet5' \\(str\\)"),
        ({"build": lambda: None}, r"build\(\) must return a keras.Model .* not None"),
        ({"build": Unknown}, r"build\(\) must return a keras.Model \(functional or Sequential\)"),
        ({"build": lambda: keras.Sequential([layers.Dense(3)])}, "that starts with one keras.Input"),
    ],
)
def test_arguments_that_are_refused(arguments, message, tiny, split, recipe):
    given = {"build": tiny, "data": split, "recipe": recipe, "epochs": 1, **arguments}
    with pytest.raises(ValueError, match=message):
        train(given.pop("build"), given.pop("data"), **given)


def test_a_run_dir_that_cannot_be_written_is_noticed_before_training(split, recipe, tmp_path):
    def build():
        raise AssertionError("the network was built")

    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"file/run' cannot be written \(Not a directory\): choose another folder"):
        train(build, split, recipe=recipe, epochs=1, run_dir=tmp_path / "file" / "run")


def test_numpys_integers_are_taken_and_kept(tiny, split, tmp_path):
    recipe = Recipe(batch_size=np.int64(16))
    run = train(tiny, split, recipe=recipe, epochs=np.int32(1), seed=np.int64(3), run_dir=tmp_path)
    assert Run.load(tmp_path, tiny).record() == run.record()


def test_seconds_and_images_a_second(tiny, split, recipe):
    run = train(tiny, split, recipe=recipe, epochs=3)
    assert 0 < 3 * 53 / run.images_per_second <= run.seconds


class TestStepsPerExecution:
    """How often Python looks in, as `fit` is told."""

    def chosen(self, build, images, labels, batch_size: int) -> int:
        recipe = Recipe(batch_size=batch_size, learning_rate=0.0)
        return train(build, (images, labels), recipe=recipe, epochs=1).model.steps_per_execution

    def test_a_small_network_runs_many_steps_at_once(self, tiny, squares):
        assert self.chosen(tiny, *squares, batch_size=1) == 32
        assert self.chosen(tiny, *squares, batch_size=10) == 6  # no more than an epoch has

    def test_lenet_too(self):
        inputs = keras.Input((32, 32, 1))  # LeNet-5's first layers, most of its work
        x = layers.Conv2D(6, 5)(inputs)
        x = layers.Conv2D(16, 5)(layers.AveragePooling2D(2)(x))
        lenet = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
        images, labels = np.zeros((1280, 32, 32, 1), np.uint8), np.zeros(1280, int)
        assert self.chosen(lambda: keras.models.clone_model(lenet), images, labels, batch_size=32) == 32

    def test_a_heavy_network_lets_python_look_in_after_each(self):
        inputs = keras.Input((48, 48, 8))
        x = layers.Conv2D(512, 3, padding="same")(inputs)  # 85 million multiply-adds an image
        heavy = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
        images, labels = np.zeros((40, 48, 48, 8), np.uint8), np.zeros(40, int)
        assert self.chosen(lambda: keras.models.clone_model(heavy), images, labels, batch_size=20) == 1

"""Networks, data and arguments that do not fit each other, in the ways that students write them."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import layers

from course_lib import models, training
from course_lib.batching import Split
from course_lib.training import Recipe, train

SCALE = layers.Rescaling


def network(*before, last=3, activation=None, dtype="float32", maps=False):
    def build():
        inputs = keras.Input((6, 6, 1), dtype=dtype)
        after = [layers.Conv2D(3, 1)] if maps else [layers.Flatten(), layers.Dense(last, activation=activation)]
        return keras.Sequential([inputs, *[make() for make in before], *after])

    return build


def learned(build, data, **options) -> float:
    """The training accuracy after a few epochs: above 0.9 where pixels are scaled rightly, near 0.4 where not."""
    recipe = Recipe(learning_rate=0.1, batch_size=10)
    return train(build, data, recipe=recipe, epochs=8, progress=False, **options).history["accuracy"][-1]


def scaling():
    return SCALE(1 / 255)


@pytest.fixture(scope="module")
def pixels(squares):
    return squares[0].astype(np.float32), squares[1]


class TestWhoScales:
    def test_a_network_that_scales_gets_pixels(self, squares, pixels):
        plain = learned(network(), squares)
        assert plain > 0.9
        assert learned(network(scaling), squares) == pytest.approx(plain, abs=0.05)
        assert learned(network(scaling), pixels, value_range=(0, 255)) == pytest.approx(plain, abs=0.05)
        assert learned(network(scaling, dtype="uint8"), squares) == pytest.approx(plain, abs=0.05)
        dataset = tf.data.Dataset.from_tensor_slices(pixels).batch(10)
        assert learned(network(scaling), dataset, validation=dataset) == pytest.approx(plain, abs=0.1)
        as_bytes = tf.data.Dataset.from_tensor_slices(squares).batch(10)
        assert learned(network(scaling), as_bytes) == pytest.approx(plain, abs=0.1)

    def test_validation_is_measured_on_pixels_too(self, squares):
        recipe = Recipe(learning_rate=0.1, batch_size=10)
        run = train(network(scaling), squares, recipe=recipe, epochs=3, validation=squares)
        assert run.history["val_accuracy"][-1] > 0.8
        logits = run.model.predict(squares[0].astype("float32"), verbose=0)  # pixels, as a student has them
        assert np.mean(logits.argmax(1) == squares[1]) == pytest.approx(run.history["val_accuracy"][-1])

    def test_what_is_scaled_already_is_not_scaled_again(self, squares, pixels):
        images, labels = pixels
        for data in ((images / 255, labels), tf.data.Dataset.from_tensor_slices((images / 255, labels)).batch(10)):
            with pytest.raises(ValueError, match=r"scales pixels from 0 to 255 itself .* scaled twice"):
                learned(network(scaling), data)
        centered = Split(*squares).with_transform(lambda images: 4 * images - 2)
        with pytest.raises(
            ValueError, match=r"the transforms of data make values from -2 to .* leave the Rescaling out"
        ):
            learned(network(scaling), centered)

    def test_another_range_is_declared(self, pixels):
        images, labels = pixels[0] - 120, pixels[1]
        with pytest.raises(ValueError, match=r"declare it: value_range=\(-120, 134\)"):
            learned(network(), (images, labels))
        small = network(lambda: SCALE(1 / 100))
        assert learned(small, (images, labels), value_range=(-124, 152)) > 0.9
        assert learned(small, Split(images, labels, value_range=(-124, 152))) > 0.9
        dataset = tf.data.Dataset.from_tensor_slices((images, labels)).batch(10)
        assert learned(small, dataset, value_range=(-124, 152)) > 0.9

    def test_what_was_divided_twice(self, pixels):
        with pytest.raises(ValueError, match=r"nearly black: were they divided by 255 twice\?"):
            learned(network(), (pixels[0] / 255 / 255, pixels[1]))

    def test_validation_prepared_otherwise_is_said(self, squares, capsys):
        split = Split(*squares)
        options = {"recipe": Recipe(batch_size=10), "epochs": 1, "progress": False}
        train(network(), split, validation=split.with_transform(lambda images: 2 * images - 1), **options)
        assert "note: the training images go from 0 to 0.99" in capsys.readouterr().out
        train(network(), split, validation=split.take(20), **options)
        assert capsys.readouterr().out == ""


class TestOutputs:
    @pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
    def test_probabilities(self, activation, squares):
        with pytest.raises(ValueError, match=f"ends with {activation}, and the loss applies softmax itself"):
            learned(network(activation=activation), squares)

    @pytest.mark.parametrize(
        "after", [lambda: layers.Reshape((3,)), lambda: layers.Dropout(0.1), lambda: layers.Flatten()]
    )
    def test_probabilities_that_another_layer_hands_on(self, after, squares):
        def build():
            start = [keras.Input((6, 6, 1)), layers.Flatten(), layers.Dense(3), layers.Softmax(), after()]
            return keras.Sequential(start)

        with pytest.raises(ValueError, match="ends with softmax"):
            learned(build, squares)

    def test_logits_cut_at_0(self, squares):
        with pytest.raises(ValueError, match="ends with relu, which cuts logits below 0 off"):
            learned(network(activation="relu"), squares)

    def test_a_frozen_network(self, squares):
        def build():
            model = network()()
            model.trainable = False
            return model

        with pytest.raises(ValueError, match=r"nothing of .* can be trained"):
            learned(build, squares)

    def test_one_output(self, squares):
        with pytest.raises(ValueError, match=r"one output, and the softmax of one number is always 1: .*Dense\(2\)"):
            learned(network(last=1), (squares[0], 0 * squares[1]))

    def test_maps(self, squares):
        with pytest.raises(ValueError, match=r"returns \(6, 6, 3\) per image, .*GlobalAveragePooling2D"):
            learned(network(maps=True), squares)

    def test_auxiliary_classifiers(self):
        def build():
            return models.build("googlenet", num_classes=3, auxiliary=True, width=0.05)

        with pytest.raises(
            ValueError, match=r"googlenet has 3 outputs .* \(googlenet: auxiliary=False\).*loss_weights"
        ):
            learned(build, (np.zeros((2, 224, 224, 3), np.uint8), np.array([0, 1])))


class TestFresh:
    """A builder makes a new network each time, or a run would go on from trained weights."""

    def test_one_made_before(self, squares):
        made = network()()
        with pytest.raises(
            ValueError, match=r"returns layers that were made before \(dense.*\): .* inside the function"
        ):
            learned(lambda: made, squares)

    def test_one_that_is_kept_for_later(self, squares):
        made = []

        def build():
            if not made:
                made.append(network()())
            return made[0]

        learned(build, squares)
        with pytest.raises(ValueError, match="returns layers that were made before"):
            learned(build, squares)

    def test_on_two_devices_it_is_noticed_before_training(self, squares):
        made = []

        def build():
            made.append(made[0] if made else network()())
            return made[0]

        with pytest.raises(ValueError, match="returns layers that were made before"):
            learned(build, squares, devices=2)

    def test_one_with_a_layer_made_before(self, squares):
        last = layers.Dense(3)

        def build():
            return keras.Sequential([keras.Input((6, 6, 1)), layers.Conv2D(2, 3), layers.Flatten(), last])

        learned(build, squares)
        with pytest.raises(ValueError, match=r"layers that were made before \(dense.*\)"):
            learned(build, squares)

    def test_a_frozen_part_may_be_shared(self, squares):
        base = keras.Sequential([keras.Input((6, 6, 1)), layers.Conv2D(8, 3), layers.Flatten()])
        base.trainable = False

        def build():
            return keras.Sequential([keras.Input((6, 6, 1)), base, layers.Dense(3)])

        before = base.get_weights()
        assert learned(build, squares) == learned(build, squares)
        assert all(np.array_equal(*pair) for pair in zip(before, base.get_weights(), strict=True))

    def test_seeded_initializers_draw_nothing_and_are_fresh(self, squares):
        def build():
            start = keras.initializers.GlorotUniform(seed=1)
            return keras.Sequential(
                [keras.Input((6, 6, 1)), layers.Flatten(), layers.Dense(3, kernel_initializer=start)]
            )

        assert learned(build, squares) == learned(build, squares)


class TestDatasets:
    @pytest.mark.parametrize("devices", [1, 2])
    @pytest.mark.parametrize("kind", ["int32", "uint8", "int64"])
    def test_labels_of_any_whole_type(self, kind, devices, squares):
        images, labels = squares[0] / np.float32(255), squares[1].astype(kind)
        dataset = tf.data.Dataset.from_tensor_slices((images, labels)).batch(10)
        learned(network(), dataset, validation=dataset, devices=devices)

    def test_labels_in_a_column(self, squares):
        images, labels = squares[0] / np.float32(255), squares[1][:, None]
        assert learned(network(), tf.data.Dataset.from_tensor_slices((images, labels)).batch(10)) > 0.8
        assert learned(network(), (squares[0], labels)) > 0.8

    @pytest.mark.parametrize("devices", [1, 2])
    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda x, y: (255 * x, y), r"batch 1 \(from 0\) of the tf.data.Dataset holds values from 0 to 254"),
            (lambda x, y: (x * np.nan, y), r"batch 1 \(from 0\) of the tf.data.Dataset holds NaN"),
            (lambda x, y: (x, y + 3), r"batch 1 \(from 0\) .* holds labels from 3 to 5, but the network has 3 outputs"),
        ],
    )
    def test_every_batch_is_checked(self, change, said, devices, squares):
        images, labels = squares[0] / np.float32(255), squares[1]
        parts = [(images[:20], labels[:20]), change(images[20:40], labels[20:40])]
        first, second = (tf.data.Dataset.from_tensor_slices(part).batch(20) for part in parts)
        dataset = first.concatenate(second.map(lambda x, y: (tf.cast(x, tf.float32), y)))
        with pytest.raises(ValueError, match=said):
            learned(network(), dataset, devices=devices)
        with pytest.raises(ValueError, match=said):
            learned(network(), squares, validation=dataset, devices=devices)

    def test_a_generator_that_can_be_read_once(self, squares):
        batches = iter([(squares[0][:10] / 255, squares[1][:10])] * 3)
        shapes = tf.TensorSpec((None, 6, 6, 1), tf.float32), tf.TensorSpec((None,), tf.int64)
        dataset = tf.data.Dataset.from_generator(lambda: batches, output_signature=shapes)
        with pytest.raises(ValueError, match="3 batches were counted, but a second pass finds none"):
            learned(network(), dataset)

    @pytest.mark.parametrize(
        ("make", "said"),
        [
            (
                lambda x, y: {"image": x, "label": y},
                r"keys \['image', 'label'\]: add .map\(lambda batch: \(batch\['image'",
            ),
            (lambda x, y: (x, tf.one_hot(y, 3)), r"one-hot, add .map\(.*tf.argmax\(labels, axis=-1\)"),
            (lambda x, y: (x, tf.cast(y, tf.float32)), "labels as whole numbers; this one has float32 labels"),
            (lambda x, y: (x, tf.cast(y, tf.float32)[:, None]), "this one has float32 labels of the shape"),
            (lambda x, y: (x, y, y), "must yield batches"),
        ],
    )
    def test_what_else_a_dataset_may_yield(self, make, said, squares):
        dataset = tf.data.Dataset.from_tensor_slices((squares[0] / np.float32(255), squares[1])).batch(10).map(make)
        with pytest.raises(ValueError, match=said) as caught:
            learned(network(), dataset)
        assert "Did you forget" not in str(caught.value)


def test_channels_first_are_recognized(squares):
    images = np.zeros((4, 3, 16, 16), np.uint8)
    inputs = (16, 16, 3)
    with pytest.raises(ValueError, match=r"the channels come first, and Keras wants them last: np.moveaxis"):
        learned(
            lambda: keras.Sequential([keras.Input(inputs), layers.Flatten(), layers.Dense(3)]), (images, [0, 1, 2, 0])
        )


def test_a_whole_data_set_is_no_part(squares):
    class Whole:
        train = Split(*squares)

    with pytest.raises(ValueError, match=r"not Whole. This is a whole data set: give its part, data.train"):
        learned(network(), Whole())


class TestCallbacks:
    def test_one_alone_or_none(self, squares):
        learned(network(), squares, callbacks=keras.callbacks.EarlyStopping("loss"))
        learned(network(), squares, callbacks=None)

    @pytest.mark.parametrize(
        ("callbacks", "said"),
        [
            ([keras.callbacks.EarlyStopping], r"EarlyStopping is a class: write EarlyStopping\(…\)"),
            (keras.callbacks.EarlyStopping, "must be objects|is a class"),
            (["early"], "must be Keras callbacks, not 'early'"),
            (print, "must be Keras callbacks, not <built-in"),
            ("early", "must be Keras callbacks, not 'early'"),
            (
                lambda: keras.callbacks.EarlyStopping("val_loss"),
                "watches 'val_loss', .* without validation",
            ),
            (
                lambda: keras.callbacks.EarlyStopping("acc"),
                "watches 'acc', .* Measured: loss, accuracy",
            ),
        ],
    )
    def test_what_is_none(self, callbacks, said, squares):
        if callbacks.__class__.__name__ == "function":
            callbacks = callbacks()
        with pytest.raises(ValueError, match=said):
            learned(network(), squares, callbacks=callbacks)

    def test_two_that_set_the_rate(self, squares):
        recipe = Recipe(schedule="cosine")
        with pytest.raises(
            ValueError, match="ReduceLROnPlateau sets the learning rate, and so does the recipe's schedule"
        ):
            train(network(), squares, recipe=recipe, epochs=1, callbacks=keras.callbacks.ReduceLROnPlateau("loss"))


class TestClassWeight:
    @pytest.mark.parametrize("devices", [1, 2])
    def test_a_step_is_keras_own(self, devices, squares):
        images, labels = squares[0][:50], squares[1][:50]
        weights = {0: 3.0, 2: 0.5}
        recipe = Recipe(learning_rate=0.1, momentum=0.0, batch_size=10)
        run = train(network(), (images, labels), recipe=recipe, epochs=1, class_weight=weights, devices=devices, seed=2)
        keras.utils.set_random_seed(2)
        model = network()()
        model.compile(keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        for batch in Split(images, labels).batches(10, training=True, seed=2):
            model.train_on_batch(*batch, class_weight={0: 3.0, 1: 1.0, 2: 0.5})
        for ours, theirs in zip(run.model.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-5)

    def test_two_devices_report_what_one_does(self, squares):
        data = squares[0][:50], squares[1][:50]
        recipe = Recipe(learning_rate=0.1, batch_size=10)
        one, two = (
            train(network(), data, recipe=recipe, epochs=2, validation=data, class_weight=[3, 1, 0.5], devices=number)
            for number in (1, 2)
        )
        for name, values in one.history.items():
            np.testing.assert_allclose(two.history[name], values, atol=1e-5)

    def test_balanced_weighs_each_class_alike(self, squares):
        run = train(network(), squares, recipe=Recipe(batch_size=10), epochs=1, class_weight="balanced")
        weights, counts = np.array(run.data["class_weight"]), np.bincount(squares[1])
        np.testing.assert_allclose(weights * counts, 53 / 3)

    def test_a_series_counts_by_its_index(self, squares):
        """`value_counts` sorts by frequency, not by class."""
        weights = 53 / (3 * pd.Series(squares[1]).value_counts())
        runs = [
            train(network(), squares, recipe=Recipe(batch_size=10), epochs=1, class_weight=given, progress=False)
            for given in (weights, "balanced")
        ]
        np.testing.assert_allclose(runs[0].data["class_weight"], runs[1].data["class_weight"])

    @pytest.mark.parametrize(
        "given", [{3: 1.0}, [1.0, 2.0], "even", {0: -1}, {0: "much"}, 2.0, {"cat": 2}, {True: 2.0}, [0, 0, 0]]
    )
    def test_what_is_none(self, given, squares):
        with pytest.raises(ValueError, match=r"class_weight (must be|is 0 for every class)"):
            learned(network(), squares, class_weight=given)


def test_a_students_own_random_numbers_go_on(squares):
    np.random.seed(7)  # noqa: NPY002
    expected = np.random.uniform(size=2)  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    found = [np.random.uniform()]  # noqa: NPY002
    learned(network(), squares)
    assert [*found, np.random.uniform()] == pytest.approx(expected)  # noqa: NPY002


def test_batch_norm_that_has_seen_few_steps_is_said(squares, capsys):
    def build():
        inputs = keras.Input((6, 6, 1))
        x = layers.Flatten()(layers.BatchNormalization()(layers.Conv2D(8, 3, use_bias=False)(inputs)))
        return keras.Model(inputs, layers.Dense(3)(layers.BatchNormalization()(x)))

    options = {"recipe": Recipe(learning_rate=0.1, batch_size=53), "validation": squares, "progress": False}
    run = train(build, squares, epochs=6, **options)
    lags = run.history["accuracy"][-1] - run.history["val_accuracy"][-1]
    said = capsys.readouterr().out
    assert ("note: BatchNorm's moving averages still hold 94% of their first values after 6 steps" in said) == (
        lags >= 0.1
    )
    assert lags >= 0.1  # or this network is no example
    assert training.last_run() is run


def test_of_a_cluster_the_chief_alone_prints(squares, tmp_path, monkeypatch, capsys):
    """Each machine makes the same call: notes, progress and news of the folder are printed once."""
    images, labels = squares
    norm = network(scaling, layers.BatchNormalization)

    def call(epochs: int, **options) -> str:
        validation = (images // 4, (labels + 1) % 3)  # darker and wrongly labeled: two notes
        recipe = Recipe(learning_rate=0.1, batch_size=10)
        train(norm, squares, validation=validation, recipe=recipe, epochs=epochs, **options)
        return capsys.readouterr().out

    said = call(1, run_dir=tmp_path)
    assert "note: the training images" in said and "note: BatchNorm" in said and "epoch 1/1" in said
    monkeypatch.setattr("course_lib.training.devices.OneDevice.chief", False)
    assert call(2, run_dir=tmp_path) == call(1) == ""
    monkeypatch.undo()
    assert "continues after epoch 1 of 2" in call(2, run_dir=tmp_path)  # the other machine wrote nothing

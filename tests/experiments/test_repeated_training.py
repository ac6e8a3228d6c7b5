"""A network that is trained again and again gives what a fresh one gives."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_lib import experiments

RANDOM = np.random.default_rng(8)
IMAGES = RANDOM.normal(size=(60, 4)).astype("float32")
LABELS = (IMAGES[:, 0] > 0).astype("int64")
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def network(seed):
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Dense(5, activation="tanh"), keras.layers.Dense(2)]
    return keras.Sequential([keras.Input((4,)), *layers])


def one_epoch(model, optimizer):
    with tf.GradientTape() as tape:
        loss = LOSS(LABELS, model(IMAGES))
    optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
    return tf.reduce_mean(tf.cast(tf.argmax(model(IMAGES), axis=1) != LABELS, tf.float32))


def by_hand(seed, optimizer, epochs):
    """The errors of a network and an optimizer that nothing used before, and how far epoch 1 moved its kernels."""
    model = network(seed)
    before = model.get_weights()[::2]
    errors = [float(one_epoch(model, optimizer))]
    moved = [
        np.linalg.norm(new - old) / np.linalg.norm(old)
        for old, new in zip(before, model.get_weights()[::2], strict=True)
    ]
    errors += [float(one_epoch(model, optimizer)) for _ in range(epochs - 1)]
    return errors, moved


@pytest.mark.parametrize("kind", [keras.optimizers.SGD, keras.optimizers.Adam])
def test_each_training_is_that_of_a_fresh_network_and_optimizer(kind):
    repeated = experiments.RepeatedTraining(network(0), kind(), one_epoch)
    for seed, rate in ((1, 0.02), (2, 0.3), (1, 0.02)):
        errors, moved = repeated.run(network(seed).get_weights(), rate, goal=-1, most=6)
        expected, distances = by_hand(seed, kind(rate), 6)
        assert errors == expected
        np.testing.assert_allclose(moved, distances, rtol=1e-4)


def test_it_ends_at_the_goal_or_the_limit():
    repeated = experiments.RepeatedTraining(network(0), keras.optimizers.SGD(), one_epoch)
    errors, _ = repeated.run(network(1).get_weights(), 0.5, goal=0.2, most=100)
    assert errors[-1] <= 0.2 < min(errors[:-1], default=1) and len(errors) < 100
    assert len(repeated.run(network(1).get_weights(), 1e-6, goal=0.0, most=3)[0]) == 3


def test_a_step_of_fixed_length_keeps_the_direction():
    weight = keras.Variable(np.zeros((3, 2)))
    optimizer = experiments.FixedLengthSGD(0.01)
    optimizer.build([weight])
    gradient = RANDOM.normal(size=(3, 2)).astype("float32")
    optimizer.apply([tf.constant(1e-25 * gradient)], [weight])
    step = np.asarray(weight)
    assert np.sqrt(np.mean(step**2)) == pytest.approx(0.01, rel=1e-4)
    assert np.sum(step * gradient) / np.linalg.norm(step) / np.linalg.norm(gradient) == pytest.approx(-1, rel=1e-5)
    optimizer.apply([tf.zeros((3, 2))], [weight])
    np.testing.assert_array_equal(weight, step)  # no direction, no step


def test_linear_errors_are_those_of_each_layer():
    model = network(3)
    names = [layer.name for layer in model.layers]
    known, unseen = (IMAGES[:40], LABELS[:40]), (IMAGES[40:], LABELS[40:])
    errors, deviations = experiments.linear_errors(model, names, known, unseen)
    outputs = keras.Model(model.inputs[0], model.get_layer(names[0]).output)(IMAGES[:40]).numpy()
    assert deviations[0] == pytest.approx(outputs.std(axis=0).mean(), rel=1e-5)
    assert len(errors) == 2 and all(0 <= error <= 30 for error in errors)
    mixed = (IMAGES[:40], RANDOM.permutation(LABELS[:40]))
    assert experiments.linear_errors(model, names, mixed, unseen)[0][0] > 30


@pytest.mark.parametrize("initializer", ["he_normal", keras.initializers.RandomNormal(stddev=0.01), "zeros"])
def test_a_dense_layer_is_drawn_anew_as_it_was_built(initializer):
    layer = keras.layers.Dense(200, kernel_initializer=initializer)
    model = keras.Sequential([keras.Input((300,)), layer])
    built = np.asarray(layer.kernel)
    layer.bias.assign(np.ones(200))
    drawn = [np.asarray(experiments.redraw(model, seed).layers[0].kernel) for seed in (0, 1, 0)]
    np.testing.assert_array_equal(drawn[0], drawn[2])
    assert drawn[1].std() == pytest.approx(built.std(), rel=0.02) and not np.asarray(layer.bias).any()
    assert initializer == "zeros" or not np.array_equal(drawn[0], drawn[1])

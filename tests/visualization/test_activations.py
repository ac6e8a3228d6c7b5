import keras
import numpy as np
import pytest
import tensorflow as tf

from course_lib import visualization

REFERENCES = {
    "sigmoid": keras.ops.sigmoid,
    "tanh": keras.ops.tanh,
    "scaled tanh": lambda a: 1.7159 * keras.ops.tanh(2 * a / 3),
    "ReLU": keras.ops.relu,
    "PReLU": lambda a: keras.ops.leaky_relu(a, 0.25),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_functions_and_derivatives_against_the_tape(name):
    a = tf.constant([-800.0, -3, -0.5, 0, 0.2, 2, 800], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(a)
        values = REFERENCES[name](a)
    found = visualization.activation(name, a.numpy())
    np.testing.assert_allclose(found[0], values, atol=1e-12)
    np.testing.assert_allclose(found[1], tape.gradient(values, a), atol=1e-12)


def test_largest_derivatives():
    a = np.linspace(-5, 5, 1001)
    largest = [visualization.activation(name, a)[1].max() for name in REFERENCES]
    np.testing.assert_allclose(largest, [0.25, 1, 1.7159 * 2 / 3, 1, 1])


def test_draw_activation():
    ax = visualization.plot_activation("sigmoid")
    assert ax.get_title() == "sigmoid: derivative up to 0.25"
    assert visualization.plot_activation("ReLU", -2.0, ax=ax) is ax
    x, y = ax.lines[2].get_data()
    np.testing.assert_allclose(y, np.maximum(x - 2, 0))
    with pytest.raises(ValueError, match=r"unknown activation 'Tanh'. Did you mean 'tanh'"):
        visualization.plot_activation("Tanh")


def test_bad_input():
    for call, message in [
        (lambda: visualization.activation(keras.activations.relu, [1.0]), "unknown activation"),
        (lambda: visualization.activation("ReLU", None), "the weighted sums must be an array of numbers"),
        (lambda: visualization.plot_activation("ReLU", "1"), "bias must be a number"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()

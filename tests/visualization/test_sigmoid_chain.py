import math

import numpy as np
import pytest
import tensorflow as tf

from course_lib import visualization

WEIGHTS, BIASES = [0.8, -1.5, 2.0, 0.3], [0.1, 0.4, -0.2, 0.0]


def test_the_product_is_the_gradient_of_the_tape():
    weights = [tf.Variable(weight, dtype=tf.float64) for weight in WEIGHTS]
    with tf.GradientTape() as tape:
        output = tf.constant(0.7, tf.float64)
        for weight, bias in zip(weights, BIASES, strict=True):
            output = tf.sigmoid(weight * output + bias)
        error = (output - 1.0) ** 2 / 2
    found = visualization.chain(WEIGHTS, BIASES, 0.7, 1.0)
    np.testing.assert_allclose(found["gradient"], tape.gradient(error, weights), rtol=1e-12)
    assert found["outputs"][-1] == pytest.approx(float(output))
    assert math.prod(found["factors"]) == pytest.approx(found["gradient"][0], rel=1e-12)
    assert len(found["factors"]) == 5 and found["factors"][1] == pytest.approx(0.3 * found["slopes"][3])


def test_one_neuron_and_the_bound():
    found = visualization.chain([2.0], [0.0], 0.5, 0.0)
    sigmoid = 1 / (1 + math.exp(-1))
    assert found["gradient"][0] == pytest.approx(sigmoid * sigmoid * (1 - sigmoid) * 0.5)
    assert visualization.chain(WEIGHTS, BIASES, 0.7, 1.0)["bound"].tolist() == [0.25**n for n in (4, 3, 2, 1)]
    best = visualization.chain([0.0] * 9, [0.0] * 9, 0.5, 0.0)  # σ′ is largest at 0
    assert np.prod(best["slopes"]) == best["bound"][0]


def test_draw_chain():
    found = visualization.chain(WEIGHTS, BIASES, 0.7, 1.0)
    ax = visualization.plot_chain(found)
    words = " ".join(text.get_text() for text in ax.texts).replace("−", "-")
    for number, factor in enumerate(found["factors"]):
        assert f"≈ {factor:.3g}" in words, number
    assert f"≈ {found['gradient'][0]:.2g}" in words and "hidden 3" in words
    assert visualization.plot_chain(visualization.chain([1.0], [0.0], 1.0, 0.0), ax=ax) is ax
    bound = {**found, "norm": found["bound"]}
    lines = visualization.plot_gradients({"measured": found, "0.25ⁿ": bound}).lines
    np.testing.assert_array_equal(lines[0].get_ydata(), np.abs(found["gradient"]))
    with pytest.raises(ValueError, match="7 neurons is too long to draw"):
        visualization.plot_chain(visualization.chain([1.0] * 7, [0.0] * 7, 1.0, 0.0))
    with pytest.raises(ValueError, match=r"one weight and one bias, not \(2,\) and \(1,\)"):
        visualization.chain([1, 2], [3], 1.0, 0.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: visualization.chain([np.nan], [0.0], 1, 0), "weights must be finite"),
        (lambda: visualization.chain([1.0], [0.0], None, 0), "x must be a number"),
        (lambda: visualization.chain(["a"], [0.0], 1, 0), "weights must be an array of numbers"),
        (lambda: visualization.plot_chain({"outputs": [1]}), "plot_chain takes what chain"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()

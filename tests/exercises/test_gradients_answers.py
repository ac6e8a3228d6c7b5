"""The answers of lesson 04, each found by another way, and its judges met with right and wrong functions."""

import numpy as np
import pytest
from answers import near

from course_lib import exercises


class TestGradientsAnswersAreComputed:
    """The answers of lesson 04, each found another way."""

    def test_parameters_of_a_dense_layer(self):
        from course_lib.experiments import depth

        near(exercises.gradients.w3, depth.deep(depth=2, width=100).get_layer("dense1").count_params())

    def test_one_step(self):
        import tensorflow as tf

        weight = tf.Variable(0.5)
        with tf.GradientTape() as tape:
            error = 0.5 * (2 * weight - 3) ** 2
        near(exercises.gradients.q1, float(weight - 0.1 * tape.gradient(error, weight)))

    def test_slopes_by_differences(self):
        a, step = 0.0, 1e-5
        for name, function in {
            "q3": lambda a: 1 / (1 + np.exp(-2 * a)),
            "e1": lambda a: 1.7159 * np.tanh(2 * a / 3),
        }.items():
            near(getattr(exercises.gradients, name), (function(a + step) - function(a - step)) / (2 * step))

    def test_share_of_active_units(self):
        drawn = np.random.default_rng(1).normal(size=1_000_000)
        near(exercises.gradients.q4, (drawn + 1 > 0).mean())

    def test_products(self):
        near(exercises.gradients.w1, sum((2, -1, 4)))
        near(exercises.gradients.q5, 0.4 * (0.25 * 2) * (0.2 * -1) * (0.25 * 1))
        near(exercises.gradients.q6, next(n for n in range(100) if 0.25**n < 1e-6))
        near(exercises.gradients.q7, 0.01 * 10 / (0.1 * 1e-6))
        near(exercises.gradients.e3, 1.25**10)


def gradient_by_differences(weights, x, target):
    def error(first):
        h = x
        for weight in (first, *weights[1:]):
            h = np.tanh(weight * h)
        return 0.5 * (h - target) ** 2

    return (error(weights[0] + 1e-6) - error(weights[0] - 1e-6)) / 2e-6


def gradient_going_back(weights, x, target, *, error=True, slope=lambda h: 1 - h**2, first=False):
    h = [x]
    for weight in weights:
        h.append(np.tanh(weight * h[-1]))
    back = h[-1] - target if error else 1.0
    for number in range(len(weights) - 1, 0, -1):
        back = back * slope(h[number + 1]) * weights[number]
    return back * slope(h[1]) * x * (weights[0] if first else 1)


def without_weights(weights, x, target):
    return gradient_going_back(weights, x, target) / np.prod(weights[1:])


class TestTanhGradient:
    @pytest.mark.parametrize("function", [gradient_by_differences, gradient_going_back])
    def test_right(self, function):
        assert exercises.gradients.e2.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (without_weights, "The weights are missing"),
            (lambda w, x, t: gradient_going_back(w, x, t, first=True), "The first weight does not stand in its own"),
            (lambda w, x, t: gradient_going_back(w, x, t, error=False), "The error is missing"),
            (lambda w, x, t: gradient_going_back(w, x, t, slope=lambda h: h * (1 - h)), "is the sigmoid's slope"),
            (lambda w, x, t: -gradient_going_back(w, x, t), "The sign is reversed"),
            (lambda w, x, t: gradient_going_back(w, x, t) / x, "The last factor is missing"),
            (lambda w, x, t: 0.0, "One number, but not the right one"),
            (lambda w, x, t: w, "yours has the shape (4,)"),
            (lambda w: w, "Your function stopped with TypeError"),
            (0.25, "e2 expects a function of (weights, x, target)"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.gradients.e2.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said

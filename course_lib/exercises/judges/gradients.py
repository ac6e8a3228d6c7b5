"""Judges of the answers that are functions in `gradients.toml`."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.judges import compare


def tanh_gradient(function: Callable) -> str | None:
    """∂E/∂w of the first of a chain of tanh neurons from `(weights, x, target)`, with E = ½(output − target)²."""
    weights, x, target = np.array([0.9, -1.4, 0.7, 1.2]), 0.8, 0.3

    def product(slope: Callable, factors: np.ndarray, error: bool = True) -> float:
        """The chain's product; what is left out makes the answers that are foreseen as wrong."""
        h = [x]
        for weight in weights:
            h.append(np.tanh(weight * h[-1]))
        slopes = slope(np.array(h[1:]))
        return float((h[-1] - target if error else 1.0) * np.prod(slopes) * np.prod(factors) * x)

    def slope(h: np.ndarray) -> np.ndarray:
        return 1 - h**2

    right = product(slope, weights[1:])
    answer = np.asarray(function(weights.copy(), x, target), float)
    if answer.shape != ():
        return f"One number is asked for, the gradient of the first weight; yours has the shape {answer.shape}."
    plausible = {
        "The weights are missing: each factor on the way back is (1 − h²) times a weight.": product(slope, np.ones(1)),
        "The first weight does not stand in its own gradient: its last factor is (1 − h²)·x.": product(slope, weights),
        "The error is missing: the product begins with output − target.": product(slope, weights[1:], error=False),
        "h(1 − h) is the sigmoid's slope; tanh has 1 − h².": product(lambda h: h * (1 - h), weights[1:]),
        "The sign is reversed: it is output − target, not target − output.": -right,
        "The last factor is missing: the first neuron's slope is times its input x.": right / x,
    }
    return compare(answer, right, plausible, "One number, but not the right one; compare it with the tape's.")

"""Judges of the answers that are functions in `gradients.toml`."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.judges import compare
from course_lib.exercises.judges.deep_networks import filled, layer_norms, repair  # noqa: F401 (judges of gradients.toml)


def tanh_gradient(function: Callable) -> str | None:
    """∂E/∂w of the first of a chain of tanh neurons from `(weights, x, target)`, with E = ½(output − target)²."""
    weights = np.array([0.9, -1.4, 0.7, 1.2])
    x = 0.8
    target = 0.3
    answer = filled(function, weights.copy(), x, target)
    if isinstance(answer, str):
        return answer
    answer = np.asarray(answer, float)
    if answer.shape != ():
        return f"One number is asked for, the gradient of the first weight; yours has the shape {answer.shape}."
    outputs = []
    for weight in weights:
        outputs.append(np.tanh(weight * (outputs[-1] if outputs else x)))
    h = np.array(outputs)
    error = h[-1] - target
    right = error * np.prod(1 - h**2) * np.prod(weights[1:]) * x
    plausible = _chains(weights, x, h, right)
    plausible["The first factor is missing: the product begins with output − target."] = right / error
    return compare(answer, right, plausible, "One number, but not the right one; compare it with the tape's.")


def _chains(weights: np.ndarray, x: float, h: np.ndarray, right: float) -> dict[str, float]:
    """The gradients that come out where a factor of the chain is forgotten or another is taken."""
    slopes = 1 - h**2

    def with_slopes(others: np.ndarray) -> float:
        return right * np.prod(others / slopes)

    return {
        "The weights are missing: each factor on the way is (1 − h²) times a weight.": right / np.prod(weights[1:]),
        "The first weight does not stand in its own gradient: its last factor is (1 − h²)·x.": right * weights[0],
        "h(1 − h) is the sigmoid's slope; tanh has 1 − h².": with_slopes(h * (1 - h)),
        "Neuron n has the output h[n + 1]; your slope takes h[n].": with_slopes(np.append(slopes[0], slopes[:-1])),
        "Neuron n has the output h[n + 1]; yours takes h[n], for the first neuron the input x.": with_slopes(
            np.append(1 - x**2, slopes[:-1])
        ),
        "h holds the outputs, tanh is in them already: the slope is 1 − h², not 1 − tanh(h)².": with_slopes(
            1 - np.tanh(h) ** 2
        ),
        "The slope is 1 − h², with the square.": with_slopes(1 - h),
        "The last factors are missing: the first neuron's slope, and its input x.": right / (x * slopes[0]),
        "The last slope is missing: the first neuron has one, too.": right / slopes[0],
        "The sign is reversed: it is output − target, not target − output.": -right,
        "The last factor is missing: the first neuron's slope must be multiplied by its input x.": right / x,
    }


def initial_weights(function: Callable) -> str | None:
    """Weights `(n_in, n_out)` from `(draws, activation)`: variance 2/n_in for "relu", 1/n_in for "tanh"."""
    draws = np.random.default_rng(0).normal(size=(40, 25))
    for activation, gain in (("relu", 2), ("tanh", 1)):
        answer = filled(function, draws.copy(), activation)
        if isinstance(answer, str):
            return answer
        answer = np.asarray(answer, float)
        if answer.shape != draws.shape:
            return f"Draws of shape (40, 25) make weights of this shape; yours have the shape {answer.shape}."
        n_in, n_out = draws.shape
        plausible = {
            "You multiply by the variance; multiplying by c makes the variance c², so take the root.": gain / n_in,
            "n is the number of terms in a sum, which is n_in, the FIRST size of draws.": np.sqrt(gain / n_out),
            "You divide by the standard deviation: weights must become smaller with n, not larger.": np.sqrt(
                n_in / gain
            ),
            "That is Glorot's 2/(n_in + n_out); here only the way forward counts, with n_in.": np.sqrt(
                2 / (n_in + n_out)
            ),
            "n is n_in, not the number of all weights.": np.sqrt(gain / draws.size),
            "These are the draws as they came; scale them.": 1.0,
            _other(activation): np.sqrt((3 - gain) / n_in),
        }
        scaled = {reply: draws * factor for reply, factor in plausible.items()}
        otherwise = (
            f"For {activation!r} and {n_in} inputs the variance of your weights is {answer.var():.3g}: what does the "
            "derivation of section 3 ask for?"
        )
        if abs(answer.var() * n_in / gain - 1) < 0.15:
            otherwise = "The size is right. Multiply the draws that you are given by one number; change nothing else."
        problem = compare(answer, draws * np.sqrt(gain / n_in), scaled, otherwise, rtol=1e-4, atol=1e-6)
        if problem is not None:
            return problem
    return None


def _other(activation: str) -> str:
    """The reply to the variance of the other activation function."""
    if activation == "relu":
        return "For ReLU, half of the mean square is lost: it needs twice the variance, 2/n_in."
    return "For tanh nothing is cut off near 0: 1/n_in is enough. Only ReLU needs twice that."

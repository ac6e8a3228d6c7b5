"""A chain of sigmoid neurons: the smallest deep network, whose gradient is one product (Nielsen 2015, chapter 5)."""

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib import common
from course_lib.array_checks import finite_array
from course_lib.model_checks import described
from course_lib.visualization.activations import activation
from course_lib.visualization.style import INK, MUTED, WRONG, given_or_new, style, with_minus

LARGEST = 1e6  # largest absolute value of input and target


def chain(weights: Sequence[float], biases: Sequence[float], x: float, target: float) -> dict:
    """Outputs and gradients of n sigmoid neurons in a row: forward and backward pass.

    Each neuron computes σ(w · input + b); the error is E = ½(output − target)².

    Args:
        weights: one per neuron.
        biases: one per neuron.
        x: the input of the first neuron.
        target: the target of the last neuron's output.

    Returns:
        A dict of float64 arrays:

        - "outputs" `(n + 1,)`: the input, then the output of each neuron; "slopes" `(n,)`: σ′ of each neuron;
          "weights" `(n,)`.
        - "factors" `(n + 1,)`: the factors of ∂E/∂w of the first neuron, from the error back: output − target, then
          σ′ · w of each neuron but the first, and σ′ · x of the first.
        - "gradient" `(n,)`: ∂E/∂w of each neuron; "norm": its absolute value; "bound": 0.25 to the power of the number
          of neurons between error and weight, the largest product of their σ′. With the names in "layers",
          `plot_gradients` draws {"measured": found, "bound": {**found, "norm": found["bound"]}}.

    Raises:
        ValueError: no weights, another number of biases, or anything that is not a number.
    """
    weights, biases = (finite_array(*each).astype(float) for each in (("weights", weights), ("biases", biases)))
    x, target = (common.number(name, value, -LARGEST, LARGEST) for name, value in (("x", x), ("target", target)))
    if weights.ndim != 1 or weights.shape != biases.shape or not len(weights):
        raise ValueError(f"each neuron has one weight and one bias, not {weights.shape} and {biases.shape}")
    outputs = np.full(len(weights) + 1, x)
    slopes = np.empty(len(weights))
    names = []
    for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        outputs[number + 1], slopes[number] = activation("sigmoid", weight * outputs[number] + bias)
        names.append(f"w{number + 1}")
    back = [outputs[-1] - target, *(slopes * weights)[:0:-1]]
    gradient = np.cumprod(back)[::-1] * slopes * outputs[:-1]
    return {
        "layers": names, "outputs": outputs, "slopes": slopes, "weights": weights, "gradient": gradient,
        "factors": np.append(back, slopes[0] * x), "norm": np.abs(gradient),
        "bound": 0.25 ** np.arange(len(weights), 0, -1),
    }  # fmt: skip


@style()
def plot_chain(found: Mapping[str, np.ndarray], *, ax=None):
    """The network of `chain`, with its weights above and each factor of ∂E/∂w1 below its edge.

    Args:
        found: what `chain` returns.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: more than five neurons, or anything that `chain` does not return.
    """
    needed = ("outputs", "slopes", "weights", "factors", "gradient")
    if not isinstance(found, Mapping) or not set(needed) <= set(found):
        raise ValueError(f"plot_chain takes what chain(weights, biases, x, target) returns, not {described(found)}")
    outputs, slopes, weights, factors, gradient = (found[name] for name in needed)
    count = len(weights)
    if count > 5:
        raise ValueError(f"a chain of {count} neurons is too long to draw: at most 5 fit")
    ax = given_or_new(ax, 2 * count + 3, 2.6)
    names = ["input", *(f"hidden {number}" for number in range(1, count)), "output", "error"]
    for place, (name, value) in enumerate(zip(names, [*outputs, factors[0] ** 2 / 2], strict=True)):
        ax.plot(place, 0, "o", markersize=62, markerfacecolor="#F2F2F2", markeredgecolor=INK)
        ax.text(place, 0, f"{name}\n{_number(value)}", ha="center", va="center", fontsize=11)
    for place, weight in enumerate(weights):
        ax.text(place + 0.5, 0.05, f"w{place + 1}\n{_number(weight)}", ha="center", fontsize=11)
    inner = ["input", *(f"w{number}" for number in range(2, count + 1))]  # what each slope is multiplied by
    terms = zip(inner, slopes, [outputs[0], *weights[1:]], strict=True)
    words = [f"σ'·{name} = {_number(slope)} · {_factor(value)}" for name, slope, value in terms]
    words.append("output − target")
    for place, (word, factor) in enumerate(zip(words, factors[::-1], strict=True)):
        ax.annotate("", (place + 0.72, 0), (place + 0.28, 0), arrowprops={"arrowstyle": "->", "color": MUTED})
        ax.annotate("", (place + 0.1, -0.5), (place + 0.9, -0.5), arrowprops={"arrowstyle": "->", "color": WRONG})
        ax.text(place + 0.5, -0.55, f"{word}\n≈ {_number(factor)}", ha="center", va="top", color=WRONG, fontsize=11)
    product = " · ".join(map(_factor, factors))
    ax.text((count + 1) / 2, -1.15, f"∂E/∂w1 = {product} ≈ {_number(gradient[0], 2)}", ha="center")
    ax.set(xlim=(-0.4, count + 1.4), ylim=(-1.25, 0.45))
    ax.set_axis_off()
    return ax


def _number(value: float, digits: int = 3) -> str:
    return with_minus(f"{value:.{digits}g}")


def _factor(value: float) -> str:
    """A number behind a multiplication dot: in parentheses if it is negative."""
    return f"({_number(value)})" if value < 0 else _number(value)

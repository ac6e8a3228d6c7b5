"""Activation functions with their derivatives, and what a bias does to ReLU (Nair and Hinton 2010)."""

import numpy as np

from course_lib import common
from course_lib.array_checks import array_of
from course_lib.visualization.style import given_or_new, style, with_minus

SLOPE = 0.25  # of PReLU below 0, at its initialization (He et al. 2015, section 2.1)


def _sigmoid(a: np.ndarray) -> np.ndarray:
    return (1 + np.tanh(a / 2)) / 2  # does not overflow


ACTIVATIONS = {  # name: the function of the weighted sum a, and its derivative
    "sigmoid": (_sigmoid, lambda a: _sigmoid(a) * _sigmoid(-a)),
    "tanh": (np.tanh, lambda a: 1 - np.tanh(a) ** 2),
    # LeCun et al. (1998), appendix A
    "scaled tanh": (lambda a: 1.7159 * np.tanh(2 * a / 3), lambda a: 3.4318 / 3 * (1 - np.tanh(2 * a / 3) ** 2)),
    "ReLU": (lambda a: np.maximum(a, 0), lambda a: np.where(a > 0, 1.0, 0.0)),
    "PReLU": (lambda a: np.where(a > 0, a, SLOPE * a), lambda a: np.where(a > 0, 1.0, SLOPE)),
}


def activation(name: str, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An activation function and its derivative at the weighted sums `a`: two arrays of the shape of `a`.

    `name` is "sigmoid", "tanh", "scaled tanh" (LeCun et al. 1998, appendix A), "ReLU" or "PReLU".

    Raises:
        ValueError: an unknown name, or sums that are not numbers.
    """
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise common.unknown("activation", name, ACTIVATIONS)
    function, derivative = ACTIVATIONS[name]
    sums = array_of("the weighted sums", a).astype(float)
    return function(sums), derivative(sums)


@style()
def plot_activation(name: str, bias: float = 0.0, *, ax=None):
    """An activation function of sum + bias and, dashed, its derivative, with the largest derivative in the title.

    Raises:
        ValueError: an unknown name, or a bias that is not a number from -100 to 100.

    Example:
        >>> explore(functools.partial(plot_activation, "ReLU"), "The bias moves the kink of ReLU.", bias=(-3, 3, 0.5))
    """
    bias = common.number("bias", bias, low=-100.0, high=100.0)
    sums = np.linspace(-5, 5, 1001)
    values, derivatives = activation(name, sums + bias)
    ax = given_or_new(ax, 4.5, 3.2)
    ax.plot(sums, values, label="function")
    ax.plot(sums, derivatives, "--", label="derivative")
    ax.set(title=f"{name}: derivative up to {derivatives.max():.3g}", xlabel="weighted sum", ylim=(-2, 3))
    if bias:
        ax.set_title(f"{name}, bias {with_minus(f'{bias:+g}')}")
    ax.grid(True)
    ax.legend(loc="upper left")
    return ax

"""Judges of the answers that are functions in `resnet.toml`."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.judges import compare


def projected_block(function: Callable) -> str | None:
    """ReLU(x·ws + ReLU(x·w1)·w2) from x `(batch, 3)` and the weights of a dense block that puts out 4 numbers."""
    generator = np.random.default_rng(0)
    x, w1, w2, ws = (generator.normal(size=shape) for shape in ((5, 3), (3, 6), (6, 4), (3, 4)))

    def relu(y: np.ndarray) -> np.ndarray:
        return np.maximum(y, 0)

    short = x @ ws
    f = relu(x @ w1) @ w2
    answer = np.asarray(function(x.copy(), w1.copy(), w2.copy(), ws.copy()), float)
    if answer.shape != short.shape:
        return f"Five inputs of 3 numbers become (5, 4) with ws (3, 4); yours has the shape {answer.shape}."
    plausible = {
        "The last ReLU is missing; it stands behind the addition.": short + f,
        "Your ReLU stands before the addition: so the block can only add, never take away.": short + relu(f),
        "Here a ReLU stands on the shortcut as well; it should lead x around untouched.": relu(relu(short) + f),
        "The shortcut is missing: that is a plain pair of layers.": relu(f),
        "F is what is added, not what is taken away from a target: the sign is +.": relu(short - f),
        "Between the two layers a ReLU is missing: two matrices alone are one matrix.": relu(short + x @ w1 @ w2),
    }
    return compare(answer, relu(short + f), plausible, "The shape is right, the numbers are not.")

"""Judges of answers that are functions, a module a lesson: None where the function is right, else what to reply."""

import numpy as np

from course_lib.model_checks import leaf_layers


def compare(
    answer: np.ndarray,
    right: np.ndarray,
    plausible: dict[str, np.ndarray],
    otherwise: str,
    *,
    rtol: float = 1e-5,
    atol: float = 1e-8,
) -> str | None:
    """None where `answer` is `right`, else the reply whose plausible mistake it is, or `otherwise`.

    The tolerances are those of `np.allclose`; answers computed in float32 need larger ones.
    """
    if np.allclose(answer, right, rtol, atol):
        return None
    return next((reply for reply, wrong in plausible.items() if np.allclose(answer, wrong, rtol, atol)), otherwise)


def every_layer(model) -> list:
    """The layers of a network from input to output, those of networks inside it in their place; each once."""
    return list(dict.fromkeys(leaf_layers(model)))


def has_layer(model, *words: str) -> bool:
    """Whether the class of a layer, also within networks inside, has one of these words in its name."""
    return any(word in type(layer).__name__ for layer in every_layer(model) for word in words)

"""Judges of answers that are functions, a module a lesson: None where the function is right, else what to reply."""

import numpy as np


def compare(answer: np.ndarray, right: np.ndarray, plausible: dict[str, np.ndarray], otherwise: str) -> str | None:
    """None where `answer` is `right`, else the reply whose plausible mistake it is, or `otherwise`."""
    if np.allclose(answer, right):
        return None
    return next((reply for reply, wrong in plausible.items() if np.allclose(answer, wrong)), otherwise)

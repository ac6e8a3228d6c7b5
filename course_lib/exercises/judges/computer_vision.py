"""Judges of the answers that are functions in `computer_vision.toml`."""

from collections.abc import Callable

import numpy as np


def mask_box(function: Callable) -> str | None:
    """The box `(left, top, right, bottom)` of a mask `(height, width)`, ends exclusive."""
    mask = np.zeros((20, 30), bool)
    mask[5:9, 12:25] = True
    mask[5, 12] = False  # a corner: the first True pixel of the first row is not the leftmost
    left, top, right, bottom = 12, 5, 25, 9
    answer = tuple(np.ravel(np.asarray(function(mask.copy()))).tolist())
    if answer == (left, top, right, bottom):
        mask[:, :3] = True
        again = tuple(np.ravel(np.asarray(function(mask.copy()))).tolist())
        return None if again == (0, 0, 25, 20) else f"It is right for one mask only: another gave {again}."
    plausible = {
        (top, left, bottom, right): "Rows and columns are exchanged: left and right are columns.",
        (top, left, bottom - 1, right - 1): "Rows and columns are exchanged, and the ends are one too small.",
        (left, top, right - 1, bottom - 1): "The ends must be one past the last True pixel: 3 to 3 is an empty box.",
        (left, top, right - left, bottom - top): "These are left, top, width and height; give right and bottom.",
    }
    return plausible.get(answer, f"For True in rows 5 to 8 and columns 12 to 24 it gave {answer}.")

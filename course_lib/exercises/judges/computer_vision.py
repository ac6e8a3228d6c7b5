"""Judges of the answers that are functions in `computer_vision.toml`."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.judges import compare


def conv2d(function: Callable) -> str | None:
    """The map of one filter from `(picture, kernel)`, `(height, width)` and `(k, k)`, without padding."""
    generator = np.random.default_rng(0)
    picture = generator.normal(size=(6, 8))
    kernel = generator.normal(size=(3, 3))
    windows = np.lib.stride_tricks.sliding_window_view(picture, kernel.shape)
    right = (windows * kernel).sum(axis=(2, 3))
    try:
        answer = np.asarray(function(picture.copy(), kernel.copy()), float)
    except TypeError as error:
        if "ellipsis" in str(error):
            return "The three dots are still there: put the products of window and kernel in their place, added up."
        raise
    if answer.shape != right.shape:
        return f"A 6×8 picture and a 3×3 kernel make a map of (4, 6); yours has the shape {answer.shape}."
    plausible = {
        "These are the sums of the windows: the kernel is not used.": windows.sum(axis=(2, 3)),
        "Your kernel is turned by 180 degrees. Mathematics does that; Keras' layers do not.": (
            windows * kernel[::-1, ::-1]
        ).sum(axis=(2, 3)),
        "Your kernel is transposed: rows of the kernel belong to rows of the window.": (windows * kernel.T).sum((2, 3)),
        "This is the mean of the nine products. Add them up.": right / 9,
        "This is the largest of the nine products. Add them up.": (windows * kernel).max(axis=(2, 3)),
        "That is the matrix product of window and kernel, added up. Multiply entry by entry: window * kernel.": (
            windows @ kernel
        ).sum(axis=(2, 3)),
    }
    otherwise = "The shape is right, the numbers are not. Map (r, c) adds picture[r + i, c + j] · kernel[i, j]."
    problem = compare(answer, right, plausible, otherwise)
    if problem is None and np.shape(function(picture.copy(), np.ones((5, 5)))) != (2, 4):
        return "It is right for 3×3 kernels, but a 5×5 kernel on the 6×8 picture does not make a map of (2, 4)."
    return problem


def my_kernel(function: Callable) -> str | None:
    """A 3×3 filter whose map is positive on dark above bright, and 0 on vertical edges and on one brightness."""
    kernel = np.asarray(function(), float)
    if kernel.shape != (3, 3):
        return f"Nine numbers (3, 3) are asked for; yours have the shape {kernel.shape}."
    if not np.isfinite(kernel).all():
        return "Some of the nine numbers are NaN or infinite."
    below = [float(kernel[first:].sum()) for first in (2, 1)]  # entries of the map where the edge is in the window
    across = [float(kernel[:, first:].sum()) for first in (2, 1)]  # the same for an edge between left and right
    if np.allclose(kernel, 0):
        return "All nine numbers are 0, so the map is 0 everywhere: it sees nothing."
    if abs(kernel.sum()) > 1e-6:
        return f"On one brightness the map is {kernel.sum():g}, not 0: the nine numbers must add up to 0."
    if np.allclose(below, 0):
        return f"It still looks across: a vertical edge gives {across[0]:g}, a horizontal one 0. Turn it."
    if not np.allclose(across, 0):
        return f"It answers to vertical edges too, with {across[0]:g} and {across[1]:g}: each column must add up to 0."
    if max(below) < 1e-6:
        return f"Brighter below gives {below[0]:g}: that is above minus below. Change the signs."
    if min(below) < 1e-6:
        return f"As the window moves over the edge, the map is {below[0]:g}, then {below[1]:g}: both must be positive."
    return None


BOXES = {  # two boxes (left, top, right, bottom), and which share of their union they have in common
    "overlapping": ((0, 0, 4, 3), (2, 1, 6, 5), 4 / 24),
    "one inside the other": ((0, 0, 10, 10), (2, 2, 7, 6), 20 / 100),
    "equal": ((1, 2, 5, 9), (1, 2, 5, 9), 1.0),
    "side by side": ((0, 0, 4, 4), (6, 0, 9, 4), 0.0),
    "apart in both directions": ((0, 0, 4, 4), (6, 7, 9, 9), 0.0),
    "touching": ((0, 0, 4, 4), (4, 0, 8, 4), 0.0),
}


def iou(function: Callable) -> str | None:
    """Intersection over union of two boxes `(left, top, right, bottom)`, ends exclusive."""
    returned = [function(one, other) for one, other, _ in BOXES.values()]
    if any(answer is None for answer in returned):
        return "Your function returns nothing: one number is asked for, the share."
    answers = np.array([float(answer) for answer in returned])
    right = np.array([share for *_, share in BOXES.values()])
    one, other = (np.array([pair[which] for pair in BOXES.values()], float) for which in (0, 1))
    sides = np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2])
    common = sides.clip(0).prod(axis=1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (one, other)]
    unclipped = sides.prod(axis=1)
    plausible = {
        "Boxes that are apart get a share above 0: both sides of their overlap are negative, and the product is "
        "positive. A side below 0 counts as 0.": unclipped / (sum(areas) - unclipped),
        "That is the area that both have in common, in pixels. Divide it by the area of their union.": common,
        "The union counts the common area once: area + area − common area.": common / sum(areas),
        "That is twice the common area over the sum of both areas (Dice's coefficient), another measure.": 2
        * common
        / sum(areas),
        "Divide by the union, not by the smaller box: a tiny box inside a large one would be perfect.": common
        / np.minimum(*areas),
    }
    wrong = next((f"{name}: {answer:.3f}" for name, answer, share in zip(BOXES, answers, right, strict=True)
                  if abs(answer - share) > 1e-6), "")  # fmt: skip
    return compare(answers, right, plausible, f"For two boxes that are {wrong} is not the share that they have.")


def add_coordinates(function: Callable) -> str | None:
    """Images `(n, height, width, c)` with two more channels: the column and the row, from -1 to 1."""
    images = np.random.default_rng(0).random((2, 5, 9, 3)).astype(np.float32)
    answer = function(images.copy())
    if answer is None:
        return "It returns nothing yet."
    answer = np.asarray(answer)
    if answer.shape != (2, 5, 9, 5):
        return f"Images of shape (2, 5, 9, 3) become (2, 5, 9, 5); yours have the shape {answer.shape}."
    if not np.allclose(answer[..., :3], images, atol=1e-6):
        return "The first three channels are no longer the picture's: put the new ones behind them."
    return _two_coordinates(answer[..., 3:])


def _two_coordinates(added: np.ndarray) -> str | None:
    """What is wrong with the channels `(2, 5, 9, 2)`; either may come first."""
    column = np.broadcast_to(np.linspace(-1, 1, 9), (2, 5, 9))
    row = np.broadcast_to(np.linspace(-1, 1, 5)[:, None], (2, 5, 9))
    found = sorted("column" * np.allclose(each, column, atol=1e-6) + "row" * np.allclose(each, row, atol=1e-6)
                   for each in np.moveaxis(added, -1, 0))  # fmt: skip
    if found == ["column", "row"]:
        return None
    if found in (["column", "column"], ["row", "row"]):
        return f"Both new channels hold the {found[0]}: one of them holds the column, the other the row."
    if added.min() >= 0 and added.max() > 1:
        return "These are pixel numbers. A network wants small values: scale each from −1 (first) to 1 (last)."
    if added.min() >= 0:
        return "They go from 0 to 1: scale each from −1 (first column, first row) to 1 (last), so that their mean is 0."
    if np.allclose(added, added[:1, :1, :1]):
        return "The new channels have one value everywhere: they must tell places apart."
    return "The new channels are not the column and the row, each in equal steps from −1 to 1."

"""Judges of the answers that are functions in `vgg.toml`."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.judges import compare


def count_paths(function: Callable) -> str | None:
    """The paths from each pixel to one unit behind convolutions of `kernel_sizes`, an array `(side, side)`."""
    for kernel_sizes in ((5, 3), (3, 3, 3), (7,), (2, 1, 4)):
        line = np.ones(1)
        for size in kernel_sizes:
            line = np.convolve(line, np.ones(size))
        right = np.outer(line, line)
        answer = np.asarray(function(kernel_sizes), float)
        if answer.shape == line.shape:
            return f"For {kernel_sizes} yours has the shape {answer.shape}: the square that is seen has two sides."
        if answer.shape != right.shape:
            return f"Layers of {kernel_sizes} see a square of {right.shape}; yours has the shape {answer.shape}."
        plausible = {
            "each pixel has one path: so it is for one layer alone": np.ones_like(right),
            "these are shares, which add up to 1; count the paths": right / right.sum(),
            "rows and columns multiply; yours add up": np.add.outer(line, line),
        }
        otherwise = f"{answer.sum():g} paths; there are {right.sum():g}, the product of all windows"
        if problem := compare(answer, right, plausible, otherwise):
            return f"For {kernel_sizes} {problem}."
    return None

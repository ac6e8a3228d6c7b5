"""Judges of the answers that are functions in `lenet.toml`."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.judges import compare


def kernel_gradient(function: Callable) -> str | None:
    """A convolution kernel's gradient from `(image, upstream)`, both `(height, width)`."""
    generator = np.random.default_rng(0)
    image, upstream = generator.normal(size=(8, 9)), generator.normal(size=(4, 5))  # a kernel of 5×5
    windows = np.lib.stride_tricks.sliding_window_view(image, upstream.shape)
    right = np.einsum("ijhw,hw->ij", windows, upstream)
    answer = np.asarray(function(image.copy(), upstream.copy()), float)
    if answer.shape != right.shape:
        return (
            f"An 8×9 image and 4×5 upstream gradients belong to a 5×5 kernel; yours has the shape {answer.shape}. "
            "The kernel's side is image side − upstream side + 1."
        )
    plausible = {
        "This is the average over the positions: right direction, 20 times too small. Add up instead.": right / 20,
        "Your kernel is turned by 180 degrees: that is the gradient for a flipped kernel.": right[::-1, ::-1],
        "The sign is reversed: the gradient points uphill, the update then goes down.": -right,
    }
    otherwise = "The shape is right, the numbers are not. Weight (i, j) meets image[r + i, c + j] at output (r, c)."
    return compare(answer, right, plausible, otherwise)


def small_lenet(build: Callable) -> str | None:
    """A function that builds a LeNet of at most 20,000 parameters for 32×32×1 images."""
    if hasattr(build, "count_params"):  # a network can be called too
        return "That is a network; give the function that builds it: lambda: models.build('lenet5', width=…)."
    model = build()
    if tuple(model.input_shape[1:]) != (32, 32, 1) or tuple(model.output_shape[1:]) != (10,):
        return f"It must map 32×32×1 to 10 logits; yours maps {model.input_shape[1:]} to {model.output_shape[1:]}."
    if model.count_params() > 20_000:
        largest = max(model.layers, key=lambda layer: layer.count_params())
        return (
            f"It has {model.count_params():,} parameters; the most, {largest.count_params():,}, are in {largest.name}."
        )
    if not any(len(weight.shape) == 4 for weight in model.weights):
        return "It is small enough, but has no convolution left: keep the filters."
    return None

"""Judges of the answers that are functions in `many_gpus.toml`."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.judges import compare


def whole_gradient(function: Callable) -> str | None:
    """A batch's mean gradient from `(gradients, sizes)`: the devices' means, and how many images each had."""
    sizes, means = [4, 3, 0], [np.array([1.0, -2.0]), np.array([5.0, 0.5]), np.zeros(2)]
    answer = np.asarray(function([mean.copy() for mean in means], list(sizes)), float)
    total = 4 * means[0] + 3 * means[1]
    if answer.shape != (2,):
        return f"The answer has the shape of one gradient, here (2,); yours has {answer.shape}."
    plausible = {
        "That is the plain mean over the devices: three images count as much as four, and even none at all counts.": (
            np.mean(means, axis=0)
        ),
        "That is the sum over all images; divide it by how many there are.": total,
        "That adds up the devices' means; each must count as often as it has images.": means[0] + means[1],
        "The sizes are exchanged: the device with more images must count more.": (3 * means[0] + 4 * means[1]) / 7,
        "You divide by the number of devices; divide by the number of images.": total / 3,
    }
    otherwise = "The shape is right, the numbers are not: Σ size·mean / Σ size."
    return compare(answer, total / 7, plausible, otherwise)


def recipe_for(function: Callable) -> str | None:
    """The recipe for `devices` devices with 32 images each, where one device's has rate 0.02."""
    for devices in (1, 4):
        recipe = function(devices)
        if not hasattr(recipe, "batch_size"):
            return f"It must return a training.Recipe, not {type(recipe).__name__}."
        if recipe.batch_size != 32 * devices:
            return f"batch_size is global: {devices} devices with 32 images each make {32 * devices}."
        rate = recipe.learning_rate * recipe.batch_size / (recipe.base_batch_size or recipe.batch_size)
        if not np.isclose(rate, 0.02 * devices):
            return f"With {devices} device(s) the rate comes to {rate:g}; the linear rule asks for {0.02 * devices:g}."
        if devices > 1 and not recipe.warm_up > 0:
            return "The rate is right, but it is taken at once: rise to it with warm_up."
    return None

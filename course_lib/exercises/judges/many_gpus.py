"""Judges of the answers that are functions in `many_gpus.toml`."""

from collections.abc import Callable

import numpy as np
from scipy import special

from course_lib.exercises.judges import compare

FLOAT32 = {"rtol": 1e-4, "atol": 1e-5}  # an answer may be computed in float32
EMPTY = "The gap is still empty: replace the dots."
NOTHING = "Your function returns nothing: is the gap still empty?"
SIZES = [(4, 3), (5, 2, 1), (4, 3, 0)]  # images per device; in the last case one device has none


def all_reduce(function: Callable) -> str | None:
    """Every device's list of means from `gradients`, a list of lists of arrays: `gradients[device][weight]`."""
    generator = np.random.default_rng(0)
    devices = [[generator.normal(size=(2, 3)), generator.normal(size=4)] for _ in range(3)]
    answer = function([[each.copy() for each in held] for held in devices])
    if answer is None:
        return NOTHING
    if any(each is ... for each in answer):
        return EMPTY
    if len(answer) == 2 and not any(isinstance(each, (list, tuple)) for each in answer):
        return "That is one list of means; every device must get it: a list of 3 lists here."
    if len(answer) != 3 or not all(isinstance(held, (list, tuple)) for held in answer):
        return f"It must return one list of gradients per device, here 3 lists of 2 arrays; yours has {len(answer)}."
    found = [_flat(held) for held in answer]
    if any(each.size != 10 for each in found):
        return f"Each device must get arrays of the shapes (2, 3) and (4,); yours hold {found[0].size} numbers, not 10."
    held = np.array([_flat(each) for each in devices])
    if np.allclose(found, held):
        return "Every device still has its own gradient: the devices would drift apart."
    plausible = {
        "This is the sum over the devices: divide by how many there are.": held.sum(axis=0),
        "Only the first device's gradient is passed on: the images of the others do not count.": held[0],
        "You divide by the number of weights' arrays; divide by the number of devices.": held.sum(axis=0) / 2,
        "All numbers of a gradient became their mean: average over the devices, number by number.": np.concatenate(
            [np.full(each[0].size, np.mean(each)) for each in zip(*devices, strict=True)]
        ),
    }
    for device, each in enumerate(found):
        problem = compare(each, held.mean(axis=0), plausible, f"Device {device} has other numbers.", **FLOAT32)
        if problem is not None:
            return problem
    return _fails_on_tensors(function, devices)


def _fails_on_tensors(function: Callable, devices: list) -> str | None:
    """What to change where TensorFlow cannot compile the function into a training step, or None."""
    import tensorflow as tf

    try:
        found = tf.function(function)(tf.nest.map_structure(tf.constant, devices))
    except Exception:  # NumPy's functions cannot read a tensor that has no numbers yet
        return "Right for arrays, but a compiled step has tensors: use + and /, or tf.add_n, not functions of NumPy."
    if not np.allclose([_flat(held) for held in found], np.mean([_flat(each) for each in devices], axis=0)):
        return "Right for arrays, but not for tensors: use + and /, or tf.add_n, not functions of NumPy."
    return None


def local_gradients(function: Callable) -> str | None:
    """Each device's gradient from `(model, parts)`, so that their sum is that of the whole batch's mean loss."""
    import keras

    generator = np.random.default_rng(1)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(10)])
    model.set_weights([generator.normal(size=(4, 10)), generator.normal(size=10)])
    for sizes in SIZES:
        parts = [(generator.normal(size=(n, 4)).astype("float32"), generator.integers(10, size=n)) for n in sizes]
        before = model.get_weights()
        answer = function(model, [(images.copy(), labels.copy()) for images, labels in parts])
        if answer is None or answer is ...:
            return NOTHING
        if len(answer) != len(parts) or any(not isinstance(each, (list, tuple)) for each in answer):
            return f"It must return a list with one list of gradients per device, here {len(parts)} lists."
        if not all(map(np.array_equal, model.get_weights(), before)):
            return "Your function changes the model's weights; it must return gradients, and leave the step to others."
        problem = _wrong_sums(np.array([_flat(each) for each in answer]), before, parts)
        if problem is not None:
            return problem
    return None


def _wrong_sums(found: np.ndarray, weights: list, parts: list) -> str | None:
    """What is wrong with the devices' gradients, one row per device, or None."""
    sizes = [len(labels) for _, labels in parts]
    if not np.isfinite(found).all():
        return f"With {sizes} images per device a gradient is NaN: the mean over no images is 0/0. Take sums."
    sums = np.array([_sum_of_gradients(*part, *weights) for part in parts])
    means = sums / np.maximum(sizes, 1)[:, None]
    if np.allclose(found, sums / sum(sizes), **FLOAT32):
        return None
    replies = {
        "Each device divides by its own number of images; divide by that of the whole batch.": means,
        "This is the mean of the devices' means: an image on a device with few images counts too much.": means
        / len(parts),
        "These are sums over the images: divide by the number of images in the whole batch.": sums,
        "You divide by the number of devices; divide by the number of images in the whole batch.": sums / len(parts),
        "Each device returns the gradient of the whole batch, so their sum is too large.": np.tile(
            sums.sum(axis=0) / sum(sizes), (len(parts), 1)
        ),
        "You divide by the first device's number of images; the whole batch has more.": sums / sizes[0],
    }
    otherwise = "The numbers are not the gradients of each device's sum of losses, divided by all images."
    if np.allclose(found.sum(axis=0), sums.sum(axis=0) / sum(sizes), **FLOAT32):
        otherwise = "The sum is right, but a device's gradient must come from its own images alone."
    return compare(found, sums / sum(sizes), replies, otherwise, **FLOAT32)


def _sum_of_gradients(images: np.ndarray, labels: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """The gradients of a softmax layer's cross-entropy, added up over the images, as one vector."""
    error = special.softmax(images.astype(float) @ kernel + bias, axis=1) - np.eye(len(bias))[labels]
    return np.concatenate([(images.T @ error).ravel(), error.sum(axis=0)])


def _flat(arrays) -> np.ndarray:
    """Arrays of any shapes, one after the other, as one vector."""
    return np.concatenate([np.ravel(np.asarray(each, float)) for each in arrays])


MEASURED = (  # seconds per step: data, one, two, whole; and the line of the checklist
    (0.080, 0.060, 0.040, 0.085, "input"),
    (0.050, 0.060, 0.040, 0.053, "input"),  # faster than one device, slower than two
    (0.080, 0.060, 0.058, 0.140, "input"),  # all three lines apply: the first one counts
    (0.030, 0.060, 0.040, 0.068, "overlap"),
    (0.005, 0.006, 0.007, 0.0115, "overlap"),  # the small step too, but overlap comes first
    (0.001, 0.004, 0.006, 0.0062, "small step"),
    (0.001, 0.004, 0.0035, 0.0036, "small step"),  # a little faster, far from twice
    (0.030, 0.060, 0.034, 0.036, "none"),
)


def bottleneck(function: Callable) -> str | None:
    """The line of the checklist for a run from `(data, one, two, whole)`, all in seconds per step."""
    answers = [function(*seconds) for *seconds, _ in MEASURED]
    if all(answer is None or answer is ... for answer in answers):
        return NOTHING
    lines = {line for *_, line in MEASURED}
    unknown = [answer for answer in answers if answer not in lines]
    if unknown:
        return f"It must return 'input', 'overlap', 'small step' or 'none', not {unknown[0]!r}."
    right = [line for *_, line in MEASURED]
    if answers == right:
        return None
    named = {reply: [rule(*seconds) for *seconds, _ in MEASURED] for reply, rule in MISTAKES.items()}
    for reply, wrong in named.items():
        if answers == wrong:
            return reply
    place = next(place for place, answer in enumerate(answers) if answer != right[place])
    data, one, two, whole, line = MEASURED[place]
    return (
        f"With data={data}, one={one}, two={two}, whole={whole} the first line that applies is {line!r}, "
        f"not {answers[place]!r}."
    )


def _checklist(input_limit: Callable, overlap_limit: Callable, small: float, order: str = "ios") -> Callable:
    """A way to go through the checklist: right limits in the right order, or a plausible mistake."""

    def line(data, one, two, whole):
        applies = {
            "i": data > input_limit(one, two),
            "o": whole > overlap_limit(data, two),
            "s": two > small * one,
        }
        names = {"i": "input", "o": "overlap", "s": "small step"}
        return next((names[each] for each in order if applies[each]), "none")

    return line


def _on_two(one: float, two: float) -> float:
    return two


def _longer(data: float, two: float) -> float:
    return 1.2 * max(data, two)


MISTAKES = {
    "You compare the input with the step on one device; two devices need their batches sooner.": _checklist(
        lambda one, two: one, _longer, 0.75
    ),
    "You wait for the sum of data and two; what overlaps takes as long as the longer of them.": _checklist(
        _on_two, lambda data, two: data + two, 0.75
    ),
    "Two devices that are barely faster than one are a small step, too: the limit is 0.75 times one.": _checklist(
        _on_two, _longer, 1.0
    ),
    "The order counts: look at the overlap before the small step.": _checklist(_on_two, _longer, 0.75, "iso"),
    "The order counts: look at the input first, for it hides the other two.": _checklist(_on_two, _longer, 0.75, "ois"),
    "The order counts: look at the input first, then at the overlap.": _checklist(_on_two, _longer, 0.75, "sio"),
}


def recipe_for(function: Callable) -> str | None:
    """The recipe for `devices` devices with 32 images each, where one device's has learning rate 0.02."""
    for devices in (1, 4):
        recipe = function(devices)
        if not hasattr(recipe, "batch_size"):
            return f"It must return a training.Recipe, not {type(recipe).__name__}."
        if recipe.batch_size != 32 * devices:
            return f"batch_size is global: {devices} devices with 32 images each make {32 * devices}."
        rate = recipe.learning_rate * recipe.batch_size / (recipe.base_batch_size or recipe.batch_size)
        if not np.isclose(rate, 0.02 * devices):
            asked = f"the linear rule asks for {0.02 * devices:g}"
            return f"With {devices} device(s) the learning rate comes to {rate:g}; {asked}."
        if devices > 1 and not recipe.warm_up > 0:
            return "The learning rate is right, but it is taken at once: rise to it with warm_up."
    return None

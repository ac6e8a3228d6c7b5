"""Judges of answers that are functions: each returns None where the function is right, else what to reply."""

from collections.abc import Callable

import numpy as np


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
    for reply, wrong in plausible.items():
        if np.allclose(answer, wrong):
            return reply
    if np.allclose(answer, right):
        return None
    return "The shape is right, the numbers are not. Weight (i, j) meets image[r + i, c + j] at output (r, c)."


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
            f"It has {model.count_params():,} parameters; the most, {largest.count_params():,}, are in "
            f"{largest.name}."
        )
    if not any(len(weight.shape) == 4 for weight in model.weights):
        return "It is small enough, but has no convolution left: keep the filters."
    return None


def tanh_gradient(function: Callable) -> str | None:
    """∂E/∂w of the first of a chain of tanh neurons from `(weights, x, target)`, with E = ½(output − target)²."""
    weights, x, target = np.array([0.9, -1.4, 0.7, 1.2]), 0.8, 0.3

    def product(slope: Callable, factors: np.ndarray, error: bool = True) -> float:
        """The chain's product; what is left out makes the answers that are foreseen as wrong."""
        h = [x]
        for weight in weights:
            h.append(np.tanh(weight * h[-1]))
        slopes = slope(np.array(h[1:]))
        return float((h[-1] - target if error else 1.0) * np.prod(slopes) * np.prod(factors) * x)

    def slope(h: np.ndarray) -> np.ndarray:
        return 1 - h**2

    right = product(slope, weights[1:])
    answer = np.asarray(function(weights.copy(), x, target), float)
    if answer.shape != ():
        return f"One number is asked for, the gradient of the first weight; yours has the shape {answer.shape}."
    plausible = {
        "The weights are missing: each factor on the way back is (1 − h²) times a weight.": product(slope, np.ones(1)),
        "The first weight does not stand in its own gradient: its last factor is (1 − h²)·x.": product(slope, weights),
        "The error is missing: the product begins with output − target.": product(slope, weights[1:], error=False),
        "h(1 − h) is the sigmoid's slope; tanh has 1 − h².": product(lambda h: h * (1 - h), weights[1:]),
        "The sign is reversed: it is output − target, not target − output.": -right,
        "The last factor is missing: the first neuron's slope is times its input x.": right / x,
    }
    for reply, wrong in plausible.items():
        if np.isclose(answer, wrong):
            return reply
    return None if np.isclose(answer, right) else "One number, but not the right one; compare it with the tape's."


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


def better_vote(function: Callable) -> str | None:
    """A vote over `(submissions, scores, classes)` that gets more out of the scores than counting the good ones."""
    generator = np.random.default_rng(0)
    labels, submissions = generator.integers(10, size=300), generator.integers(10, size=(500, 300))
    scores = (submissions == labels).mean(axis=1)
    answer = np.asarray(function(submissions.copy(), scores.copy(), 10))
    if answer.shape != labels.shape:
        return f"500 submissions for 300 pictures become 300 answers; yours have the shape {answer.shape}."

    def vote(weights: np.ndarray) -> np.ndarray:
        return np.argmax([(weights[:, None] * (submissions == name)).sum(axis=0) for name in range(10)], axis=0)

    above = scores - 0.1  # chance
    plausible = {
        "That is the lesson's vote: each submission above chance counts once, the rest not at all.": vote(above > 0),
        "Every submission counts alike: the scores are not used.": vote(np.ones(500)),
        "That is the best single submission; the other 499 scores are wasted.": submissions[scores.argmax()],
        "The sign is reversed: what scores badly counts most.": vote(-above),
        "The scores themselves are nearly alike; what tells is how far each is from chance.": vote(scores),
        "Good ones count by how good they are; those below chance still say which answers are unlikely.": vote(
            np.maximum(above, 0)
        ),
    }
    for reply, wrong in plausible.items():
        if np.mean(answer == wrong) > 0.95:  # sums in another order may settle a tie the other way
            return reply
    right = np.mean(answer == labels)
    return None if right > 0.4 else f"It is right on {right:.0%} of the public labels; more than 40 % can be had."


def dropout(function: Callable) -> str | None:
    """Dropout of `(values, rate, random)` as in training: dropped where `random < rate`, the mean kept."""
    generator = np.random.default_rng(0)
    values, rate, random = generator.normal(size=(6, 50)), 0.2, generator.random(size=(6, 50))
    kept, share = values * (random >= rate), 1 - rate
    answer = np.asarray(function(values.copy(), rate, random.copy()), float)
    if answer.shape != values.shape:
        return f"Values of the shape {values.shape} went in, {answer.shape} came out: dropped values are 0, not gone."
    plausible = {
        "What is kept must grow, or the next layer gets less than in testing: divide by 1 − rate.": kept,
        "That is the paper's testing, everything times 1 − rate; in training values become 0.": values * share,
        "You kept the share `rate` and dropped the rest.": values * (random < rate) / rate,
        "Divide by 1 − rate, the share that is kept, not by rate.": kept / rate,
        "What is kept must grow, not shrink: divide by 1 − rate in place of multiplying.": kept * share,
        "The right share, but other values: those BELOW rate are dropped.": values * (random < share) / share,
    }
    for reply, wrong in plausible.items():
        if np.allclose(answer, wrong):
            return reply
    if np.allclose(answer, kept / share):
        return None
    return f"{np.mean(answer == 0):.0%} of the values are 0, of {np.mean(kept == 0):.0%}; or the others are not right."


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
        for reply, wrong in plausible.items():
            if np.allclose(answer, wrong) and not np.allclose(wrong, right):
                return f"For {kernel_sizes} {reply}."
        if not np.allclose(answer, right):
            return f"For {kernel_sizes} {answer.sum():g} paths; there are {right.sum():g}, the product of all windows."
    return None


def projected_block(function: Callable) -> str | None:
    """ReLU(x·ws + ReLU(x·w1)·w2) from x `(batch, 3)` and the weights of a dense block that puts out 4 numbers."""
    generator = np.random.default_rng(0)
    x, w1, w2, ws = (generator.normal(size=shape) for shape in ((5, 3), (3, 6), (6, 4), (3, 4)))

    def relu(y: np.ndarray) -> np.ndarray:
        return np.maximum(y, 0)

    short, f = x @ ws, relu(x @ w1) @ w2
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
    for reply, wrong in plausible.items():
        if np.allclose(answer, wrong):
            return reply
    return None if np.allclose(answer, relu(short + f)) else "The shape is right, the numbers are not."


def whole_gradient(function: Callable) -> str | None:
    """A batch's mean gradient from `(gradients, sizes)`: the devices' means, and how many images each had."""
    sizes, means = [4, 3, 0], [np.array([1.0, -2.0]), np.array([5.0, 0.5]), np.zeros(2)]
    answer = np.asarray(function([mean.copy() for mean in means], list(sizes)), float)
    total = 4 * means[0] + 3 * means[1]
    if answer.shape != (2,):
        return f"The answer has the shape of one gradient, here (2,); yours has {answer.shape}."
    plausible = {
        "That is the plain mean over the devices: the three images count more than the four, and none at all counts.": (
            means[0] + means[1]
        )
        / 3,
        "That is the sum over all images; divide it by how many there are.": total,
        "That adds up the devices' means; each must count as often as it has images.": means[0] + means[1],
        "The sizes are exchanged: the device with more images must count more.": (3 * means[0] + 4 * means[1]) / 7,
        "You divide by the number of devices; divide by the number of images.": total / 3,
    }
    for reply, wrong in plausible.items():
        if np.allclose(answer, wrong):
            return reply
    return None if np.allclose(answer, total / 7) else "The shape is right, the numbers are not: Σ size·mean / Σ size."


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

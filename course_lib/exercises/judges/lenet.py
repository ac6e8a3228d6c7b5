"""Judges of the answers that are functions in `lenet.toml`."""

from collections.abc import Callable

import numpy as np
from scipy import special

from course_lib.exercises.judges import compare, every_layer

MOST_PARAMETERS = 20_000  # of a small LeNet
HIGHEST_ERROR = 0.08  # of a small LeNet on validation digits; see `SMALL_TRAINING`
KEPT = ((5, 5, 1, 6), (5, 5, 6, 16))  # the kernels of c1 and c3, which a small LeNet keeps
SMALL_TRAINING = {"digits": 4_000, "epochs": 4, "learning_rate": 0.05, "batch_size": 50}  # as in the lesson
FLOAT32 = {"rtol": 1e-4, "atol": 1e-5}  # an answer may be computed in float32
LEARNING_RATE = 0.5  # that the judge gives to a training step
EMPTY = "The gap is still empty: replace the dots."


def kernel_gradient(function: Callable) -> str | None:
    """A convolution kernel's gradient from `(image, upstream)`, both `(height, width)`."""
    generator = np.random.default_rng(0)
    image = generator.normal(size=(8, 9))
    upstream = generator.normal(size=(4, 5))  # a kernel of 5×5
    right = _by_windows(image[..., None], upstream[..., None])[..., 0, 0]
    answer = _gradient(function, image, upstream)
    if isinstance(answer, str):
        return answer
    if answer.shape != right.shape:
        return (
            f"An 8×9 image and 4×5 upstream gradients belong to a 5×5 kernel; yours has the shape {answer.shape}. "
            "The kernel's side is image side − upstream side + 1."
        )
    turned = _by_windows(image[..., None], upstream[::-1, ::-1, None])[..., 0, 0]
    plausible = {
        "This is the average over the positions: right direction, 20 times too small. Add up instead.": right / 20,
        "Your kernel is turned by 180 degrees: that is the gradient for a flipped kernel.": right[::-1, ::-1],
        "Upstream is turned by 180 degrees, as convolve2d does it: this gradient is a correlation.": turned,
        "The sign is reversed: the gradient points uphill, the update then goes down.": -right,
        "This takes the largest product only. Every position counts: add up.": _largest_products(image, upstream),
        "This takes one pixel for all positions. Weight (i, j) meets another pixel at each position: take a window of "
        "the image.": image[:5, :5] * upstream.sum(),
    }
    otherwise = "The shape is right, the numbers are not. Weight (i, j) meets image[r + i, c + j] at output (r, c)."
    return compare(answer, right, plausible, otherwise, **FLOAT32)


def kernel_gradients(function: Callable) -> str | None:
    """The same with channels: `(height, width, channels in)` and `(height, width, channels out)`."""
    generator = np.random.default_rng(1)
    image = generator.normal(size=(7, 8, 3))
    upstream = generator.normal(size=(5, 4, 2))
    right = _by_windows(image, upstream)  # (3, 5, 3, 2)
    answer = _gradient(function, image, upstream)
    if isinstance(answer, str):
        return answer
    if answer.shape == (3, 5, 2, 3):
        return "Its last two axes are exchanged: a Keras kernel is (height, width, channels in, channels out)."
    if answer.shape == (3, 5, 2):
        return "Your kernel has no axis of channels in: each input channel has a grid of weights of its own."
    if answer.shape != right.shape:
        return f"For 3 channels in and 2 out the kernel is {right.shape}; yours has the shape {answer.shape}."
    everywhere = np.broadcast_to(right.sum(axis=2, keepdims=True), right.shape)
    plausible = {
        "All input channels share one grid here. Each weight meets its own input channel alone.": everywhere,
        "This is the average over the positions. Add up instead.": right / 20,
        "Each kernel is turned by 180 degrees.": right[::-1, ::-1],
        "Upstream is turned by 180 degrees, as convolve2d does it.": _by_windows(image, upstream[::-1, ::-1]),
    }
    otherwise = "The shape is right, the numbers are not. Weight (i, j, m, k) meets channel m and answers to output k."
    return compare(answer, right, plausible, otherwise, **FLOAT32)


def _gradient(function: Callable, image: np.ndarray, upstream: np.ndarray) -> np.ndarray | str:
    """What `function` returns, as an array, or what to reply where nothing was written yet."""
    try:
        answer = function(image.copy(), upstream.copy())
    except TypeError as error:
        if "ellipsis" in str(error).lower():  # gradient[i, j] = ...
            return EMPTY
        raise
    except ValueError as error:
        if "setting an array element with a sequence" in str(error):  # gradient[i, j] = window * upstream
            return "You put an array in the place of one weight. One weight has one number: add up its products."
        raise
    if answer is ...:
        return EMPTY
    if answer is None:
        return "Your function returns nothing: is the gap still empty? It must return the gradient."
    return np.asarray(answer, float)


def _largest_products(image: np.ndarray, upstream: np.ndarray) -> np.ndarray:
    """For each weight of a kernel of one channel, the largest of its products instead of their sum."""
    windows = np.lib.stride_tricks.sliding_window_view(image, upstream.shape)
    return (windows * upstream).max(axis=(2, 3))


def _by_windows(image: np.ndarray, upstream: np.ndarray) -> np.ndarray:
    """The gradients `(rows, columns, channels in, channels out)`, as one product of windows and upstream."""
    windows = np.lib.stride_tricks.sliding_window_view(image, upstream.shape[:2], axis=(0, 1))
    return np.einsum("ijmrc,rck->ijmk", windows, upstream)


def training_step(function: Callable) -> str | None:
    """A step of gradient descent on a Keras model, checked by the formulas of a softmax layer."""
    import keras

    generator = np.random.default_rng(2)
    images = generator.normal(size=(6, 4)).astype("float32")
    labels = np.array([0, 1, 9, 9, 4, 0])
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(10)])  # ten classes, as LeNet has
    before = [generator.normal(size=(4, 10)).astype("float32"), generator.normal(size=10).astype("float32")]
    model.set_weights(before)
    loss, gradients = _softmax_layer(images, labels, *before)
    returned = function(model, images, labels, LEARNING_RATE)
    changes = [after - weight for after, weight in zip(model.get_weights(), before, strict=True)]
    problem = _wrong_change(changes, gradients, len(labels))
    if problem is not None:
        return problem
    if np.size(returned) > 1:
        return (
            f"The weights are right, but it returns {np.size(returned)} losses, one per image. Return one number, "
            "their mean. (The tape adds up several losses by itself, so take the mean before the gradients.)"
        )
    try:
        returned = float(returned)
    except (TypeError, ValueError):
        return f"The weights are right. It must also return the loss as a number, not {type(returned).__name__}."
    plausible = {
        "The weights are right, but it returns the loss after the step.": _softmax_layer(
            images, labels, *model.get_weights()
        )[0],
        "The weights are right, but the loss is the sum over the images, not their mean.": loss * len(labels),
    }
    return compare(
        returned, loss, plausible, f"The weights are right, but the loss before the step was {loss:.4f}.", **FLOAT32
    )


def _wrong_change(changes: list[np.ndarray], gradients: list[np.ndarray], count: int) -> str | None:
    """What is wrong with a step at `LEARNING_RATE`, or None."""
    step = np.concatenate([change.ravel() for change in changes])
    right = -LEARNING_RATE * np.concatenate([gradient.ravel() for gradient in gradients])
    without_bias = right.copy()
    without_bias[-len(gradients[1]) :] = 0
    plausible = {
        "No weight has changed: compute the gradients, then assign_sub to every variable.": 0 * right,
        "Your step goes uphill: subtract the gradient.": -right,
        "The loss is the sum over the images here: take the mean, so that the batch size does not count. (Where a loss "
        "holds one number per image, the tape adds them up.)": count * right,
        "The learning rate is missing: multiply the gradient by it.": right / LEARNING_RATE,
        "The biases have not changed: update every variable of model.trainable_variables.": without_bias,
    }
    otherwise = "The weights change, but not by −learning rate × gradient. Does your loss take the outputs as logits?"
    factor = step @ right / (right @ right)
    if factor > 0 and np.allclose(step, factor * right, **FLOAT32):
        otherwise = (
            f"The direction is right, but the step is as long as at a learning rate of {factor * LEARNING_RATE:.3g}; "
            f"{LEARNING_RATE} was given. Use the argument learning_rate."
        )
    return compare(step, right, plausible, otherwise, **FLOAT32)


def _softmax_layer(images, labels, kernel, bias) -> tuple[float, list[np.ndarray]]:
    """The mean cross-entropy of a softmax layer, and its gradients."""
    probabilities = special.softmax(images.astype(float) @ kernel + bias, axis=1)
    loss = -np.log(probabilities[np.arange(len(labels)), labels]).mean()
    error = (probabilities - np.eye(kernel.shape[1])[labels]) / len(labels)
    return float(loss), [images.T @ error, error.sum(axis=0)]


def small_lenet(build: Callable) -> str | None:
    """A function that builds a LeNet of at most 20,000 parameters, with c1 and c3 as they are, that learns to read."""
    if hasattr(build, "count_params"):  # a network can be called too
        return "That is a network; give the function that builds it, without calling it: small_lenet."
    model = build()
    if not hasattr(model, "count_params"):
        return f"Your function returns {type(model).__name__}, not a network: does it end with return?"
    if tuple(model.input_shape[1:]) != (32, 32, 1) or tuple(model.output_shape[1:]) != (10,):
        return f"It must map 32×32×1 to 10 logits; yours maps {model.input_shape[1:]} to {model.output_shape[1:]}."
    if model.count_params() > MOST_PARAMETERS:
        largest = max(every_layer(model), key=lambda layer: layer.count_params())
        return (
            f"It has {model.count_params():,} parameters; the most, {largest.count_params():,}, are in {largest.name}."
        )
    if problem := _filters_not_kept(model):
        return problem
    if _are_probabilities(model):
        return "Its outputs are probabilities, not logits: this training takes the softmax itself, so leave yours out."
    error = _error_after_training(build)
    if error > HIGHEST_ERROR:
        return (
            f"It has {model.count_params():,} parameters, but its validation error is {100 * error:.1f} %; "
            f"at most {100 * HIGHEST_ERROR:.0f} % is wanted. Which layer could have more units?"
        )
    return None


def _filters_not_kept(model) -> str | None:
    """What is wrong with the first two convolutions of a network that is small enough, or None."""
    kernels = [tuple(weight.shape) for weight in model.weights if len(weight.shape) == 4]
    if not kernels:
        return "It is small enough, but has no convolution left: keep the filters."
    if tuple(kernels[:2]) == KEPT:
        return None
    if len(kernels) == 1:
        return "It is small enough, but has one convolution: keep c1 and c3, with 6 and 16 filters of 5×5."
    first, second = kernels[:2]
    if first[:2] == second[:2] == (5, 5):
        return (
            f"It is small enough, but its convolutions have {first[3]} and {second[3]} filters; keep 6 and 16. "
            "Shrinking every layer alike (width=) gives up filters, which need few parameters."
        )
    return f"Its first kernels are {first} and {second}; c1 and c3 have {KEPT[0]} and {KEPT[1]}."


def _are_probabilities(model) -> bool:
    """Whether the outputs of `model` add up to 1, as a softmax makes them."""
    images = np.random.default_rng(3).normal(size=(4, 32, 32, 1)).astype("float32")
    outputs = np.asarray(model(images, training=False))
    return bool((outputs >= 0).all() and np.allclose(outputs.sum(axis=1), 1, atol=1e-4))


def _error_after_training(build: Callable) -> float:
    """The validation error of what `build` makes, after a training that is the same for everyone."""
    from course_lib import datasets
    from course_lib.training import Recipe, train

    data = datasets.load("digits")
    recipe = dict(SMALL_TRAINING)
    digits = data.train.take(min(recipe.pop("digits"), len(data.train)))
    epochs = recipe.pop("epochs")
    unseen = data.validation.take(min(2_000, len(data.validation))).with_transform(datasets.paper_frame)
    run = train(
        build,
        digits.with_transform(datasets.paper_frame),
        recipe=Recipe(schedule="cosine", **recipe),
        epochs=epochs,
        validation=unseen,
        progress=False,
    )
    return 1 - run.history["val_accuracy"][-1]

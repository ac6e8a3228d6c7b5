"""Judges of residual blocks in `resnet.toml`: the paper's with shortcut B, and the one with normalization first."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.judges import compare
from course_lib.exercises.judges.stacks import convolved, network_of

FLOAT32 = {"rtol": 1e-3, "atol": 1e-4}  # a network computes in float32
SHAPE = (6, 6, 4)  # of the maps that come in
MAPS = SHAPE[-1]
WIDER = 8  # maps of a block that halves the sides
OFFSETS = np.array([0.5, -0.5, 0.5, -0.5])  # of the last normalization, so that F(x) is these numbers
BOTH = (OFFSETS, np.array([-0.3, 0.4, 0.2, -0.6]))  # of two; with none, a normalization and a ReLU could change places


def residual_block(function: Callable) -> str | None:
    """A block with shortcut B from `(x, filters, strides)`: counts, the identity, and the gradient."""
    same = network_of(function, SHAPE, MAPS, 1)
    if isinstance(same, str):
        return same
    if tuple(same.output_shape[1:]) != SHAPE:
        return f"{_shape(SHAPE)} with {MAPS} filters must stay {_shape(SHAPE)}; yours become {_output(same)}. Add."
    problem = _wrong_counts(same) or _wrong_sum(same) or _wrong_gradient(same)
    if problem:
        return problem
    wider = _added(
        function,
        WIDER,
        2,
        f"With {WIDER} filters and strides 2, F(x) is (3, 3, {WIDER}) and the shortcut another shape, so they "
        "cannot be added: shortcut B projects x by a 1×1 convolution that takes the same strides.",
    )
    if isinstance(wider, str):
        return wider
    if tuple(wider.output_shape[1:]) != (3, 3, WIDER):
        return f"With {WIDER} filters and strides 2 it must put out (3, 3, {WIDER}); yours puts out {_output(wider)}."
    return _wrong_projection(wider) or _wrong_elsewhere(function)


def preactivation_block(function: Callable) -> str | None:
    """A block from `(x, filters)`: normalization, ReLU, convolution, twice; added to x, with nothing behind."""
    model = network_of(function, SHAPE, MAPS)
    if isinstance(model, str):
        return model
    if tuple(model.output_shape[1:]) != SHAPE:
        return f"{_shape(SHAPE)} must stay {_shape(SHAPE)}; yours become {_output(model)}. Add x, with padding 'same'."
    convolutions = _layers(model, "Conv2D")
    norms = _layers(model, "BatchNormalization")
    if len(convolutions) != 2 or len(norms) != 2:
        return f"Two convolutions and two normalizations are wanted; yours has {len(convolutions)} and {len(norms)}."
    if any(layer.kernel_size != (3, 3) or layer.filters != MAPS for layer in convolutions):
        return f"Both convolutions are 3×3 with {MAPS} filters here."
    if any(norm.beta is None for norm in norms):
        return "Leave both normalizations their offset: `BatchNormalization()` as it is."
    for norm, offsets in zip(norms, BOTH, strict=True):
        norm.beta.assign(offsets)
    x = _signed_maps()
    kernels = [np.asarray(layer.kernel) for layer in convolutions]
    right = x + _in_order("nrcnrc", x, kernels)
    plausible = {
        "A ReLU still stands behind the addition: nothing may stand on the path of x.": _relu(right),
        "The shortcut is missing: add x.": right - x,
        "The order is the old one: convolution first. Here normalization and ReLU come before each convolution.": x
        + _in_order("cnrcn", x, kernels),
        "The order is convolution, normalization, ReLU; normalization and ReLU come before the convolution.": x
        + _in_order("cnrcnr", x, kernels),
        "Before the first convolution normalization and ReLU are missing.": x + _in_order("cnrc", x, kernels),
        "The ReLUs are missing: two convolutions in a row are one linear map.": x + _in_order("ncnc", x, kernels),
        "The first ReLU is missing.": x + _in_order("ncnrc", x, kernels),
        "The second ReLU is missing.": x + _in_order("nrcnc", x, kernels),
        "The ReLU stands before the normalization; it comes after.": x + _in_order("rncrnc", x, kernels),
        "The shortcut begins behind the first ReLU; it must lead x itself around the block.": _relu(
            _normalized(x) + BOTH[0]
        )
        + _in_order("nrcnrc", x, kernels),
    }
    otherwise = "The shapes are right, the numbers are not: normalization, ReLU, convolution, twice, and then + x."
    return compare(np.asarray(model(x)), right, plausible, otherwise, **FLOAT32)


def _wrong_counts(model) -> str | None:
    """What is wrong with the parameters of a block that keeps the shape."""
    found = _trainable(model)
    right = 2 * 9 * MAPS**2 + 2 * 2 * MAPS
    replies = {
        right + MAPS**2 + 2 * MAPS: "You project where x has the right shape already: that is shortcut C. B leads x "
        "itself around there.",
        right
        + MAPS**2: "You project where x has the right shape already: that is shortcut C. B leads x itself around.",
        right + 2 * MAPS: "One normalization too many: the sum is not normalized, nor is x.",
    }
    if found == right:
        return None
    otherwise = "two 3×3 convolutions without biases, two normalizations, and no more"
    return replies.get(found, f"A block of {MAPS} maps has {right} trainable parameters, yours {found}: {otherwise}.")


def _wrong_sum(model) -> str | None:
    """What is wrong with x + F(x), where F(x) is made known: the last scale is 0, the offsets are `OFFSETS`."""
    last = _layers(model, "BatchNormalization")[-1]
    last.gamma.assign(np.zeros(MAPS))
    x = _signed_maps()
    last.beta.assign(np.zeros(MAPS))
    if np.allclose(np.asarray(model(np.abs(x))), 0):
        return "With γ = 0 in the last normalization your block puts out 0, not x: the shortcut is missing."
    last.beta.assign(OFFSETS)
    plausible = {
        "The last ReLU is missing; it stands behind the addition.": x + OFFSETS,
        "Your ReLU stands before the addition, so a block can only add, never take away.": x + _relu(OFFSETS),
        "F passes a ReLU before the addition, so a block can only add; one ReLU, behind the sum, is enough.": _relu(
            x + _relu(OFFSETS)
        ),
        "A ReLU stands on the shortcut; it must lead x around untouched.": _relu(_relu(x) + OFFSETS),
        "Both parts pass a ReLU before they are added; one ReLU stands behind the sum.": _relu(x) + _relu(OFFSETS),
        "The sign is +: F(x) is added to x.": _relu(x - OFFSETS),
        "The sign is +: x is added to F(x).": _relu(OFFSETS - x),
        "You multiply x and F(x); they are added.": _relu(x * OFFSETS),
    }
    otherwise = "With F(x) known, the block does not put out ReLU(x + F(x))."
    return compare(np.asarray(model(x)), _relu(x + OFFSETS), plausible, otherwise, **FLOAT32)


def _wrong_gradient(model) -> str | None:
    """Whether the gradient has a path around F: with F = 0, that of the outputs' sum is 1 for each x above 0."""
    import tensorflow as tf

    last = _layers(model, "BatchNormalization")[-1]
    last.beta.assign(np.zeros(MAPS))
    x = tf.constant(np.abs(_signed_maps()) + 0.1)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(model(x))
    gradient = tape.gradient(total, x)
    if gradient is None or not np.allclose(gradient, 1, atol=1e-3):
        return "The values are right, but with F = 0 the gradient does not pass along the shortcut unchanged."
    return None


def _wrong_projection(model) -> str | None:
    """What is wrong with a block that halves the sides and doubles the maps."""
    found = _trainable(model)
    plain = 9 * MAPS * WIDER + 9 * WIDER**2 + 2 * 2 * WIDER
    right = plain + MAPS * WIDER + 2 * WIDER
    replies = {
        plain: "Your shortcut has no parameters: that is shortcut A. B projects x by a 1×1 convolution.",
        plain + MAPS * WIDER: "The projection is a convolution like the others: normalize behind it, too.",
        plain + MAPS * WIDER + WIDER: "Normalize behind the projection, in place of its bias.",
        right + WIDER: "The projection has a bias, which the normalization behind it takes away again.",
        plain + 9 * MAPS * WIDER + 2 * WIDER: "Your projection is 3×3; that of shortcut B is 1×1.",
    }
    if found != right:
        otherwise = f"With {WIDER} filters a block on {MAPS} maps has {right} trainable parameters, yours {found}."
        return replies.get(found, otherwise)
    norms = _layers(model, "BatchNormalization")
    for norm in norms:
        norm.gamma.assign(np.zeros(WIDER))
    sums = []
    for low in norms:  # what is added is 0.75 and -0.5; where `low` is the one within F, 0.75 twice
        for norm in norms:
            norm.beta.assign(np.full(WIDER, -0.5 if norm is low else 0.75))
        sums.append(np.asarray(model(_signed_maps())).mean())
    if np.isclose(sums, 0.75, atol=1e-3).any():
        return "A ReLU stands behind the projection; only the sum passes one."
    if not np.allclose(np.sort(sums), [0.25, 0.25, 1.5], atol=1e-3):
        return "With F(x) = 0.75 and a projection of -0.5 the block must put out 0.25: the ReLU of their sum."
    return None


def _wrong_elsewhere(function: Callable) -> str | None:
    """What is wrong where only the number of maps changes, or only the sides do: both shapes differ from that of x."""
    for filters, strides, change in (
        (WIDER, 1, "the sides stay, the number of maps changes"),
        (MAPS, 2, "the number of maps stays, the sides change"),
    ):
        reply = f"With {filters} filters and strides {strides} {change}: project there, too, with these strides."
        model = _added(function, filters, strides, reply)
        if isinstance(model, str):
            return model
        side = SHAPE[0] // strides
        projected = 9 * MAPS * filters + 9 * filters**2 + MAPS * filters + 3 * 2 * filters
        if tuple(model.output_shape[1:]) != (side, side, filters) or _trainable(model) != projected:
            return reply
    return None


def _added(function: Callable, filters: int, strides: int, reply: str):
    """The network of a block, or `reply` where x and F(x) have shapes that cannot be added."""
    try:
        return network_of(function, SHAPE, filters, strides)
    except ValueError as error:
        if "compatible" not in str(error) and "shape" not in str(error):
            raise
        return reply


def _in_order(order: str, x: np.ndarray, kernels: list[np.ndarray]) -> np.ndarray:
    """What new layers make of `x`: "n" normalizes and adds the next of `BOTH`, "r" is ReLU, "c" convolves."""
    waiting = list(kernels)
    offsets = list(BOTH)
    for step in order:
        if step == "n":
            x = _normalized(x) + offsets.pop(0)
        else:
            x = _relu(x) if step == "r" else convolved(x, waiting.pop(0))
    return x


def _normalized(x: np.ndarray) -> np.ndarray:
    """A new normalization outside of training: mean 0, variance 1, Keras' ε."""
    return x / np.sqrt(1 + 1e-3)


def _relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def _signed_maps() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2, *SHAPE)).astype("float32")


def _layers(model, kind: str) -> list:
    """The layers of one kind from the input to the output."""
    return [layer for layer in model.layers if type(layer).__name__ == kind]


def _trainable(model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _output(model) -> str:
    return str(tuple(model.output_shape[1:]))

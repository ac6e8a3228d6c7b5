"""The judge of the block with normalization first in `resnet.toml`."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.judges import compare
from course_lib.exercises.judges.residual_parts import (
    BOTH,
    FLOAT32,
    MAPS,
    SCALED,
    SHAPE,
    layers_of,
    noisy,
    normalized,
    output_of,
    relu,
    set_norm,
    shape_of,
    signed_maps,
)
from course_lib.exercises.judges.stacks import convolved, network_of


def preactivation_block(function: Callable) -> str | None:
    """A block from `(x, filters)`: normalization, ReLU, convolution, twice; added to x, with nothing behind."""
    model = network_of(function, SHAPE, MAPS)
    if isinstance(model, str):
        return model
    if tuple(model.output_shape[1:]) != SHAPE:
        kept = shape_of(SHAPE)
        return f"{kept} must stay {kept}; yours become {output_of(model)}. Add x, with padding 'same'."
    if problem := noisy(model):
        return problem
    convolutions = layers_of(model, "Conv2D")
    norms = layers_of(model, "BatchNormalization")
    if len(convolutions) != 2 or len(norms) != 2:
        return f"Two convolutions and two normalizations are wanted; yours has {len(convolutions)} and {len(norms)}."
    if any(tuple(layer.kernel.shape) != (3, 3, MAPS, MAPS) for layer in convolutions):
        return f"Both convolutions are 3×3 with {MAPS} filters here, without groups, on all maps."
    if any(layer.use_bias for layer in convolutions):
        return "Both convolutions are wanted without bias: `use_bias=False`."
    if any(norm.beta is None or norm.gamma is None for norm in norms):
        return SCALED
    for norm, offsets in zip(norms, BOTH, strict=True):
        set_norm(norm, 1, offsets)
    x = signed_maps()
    kernels = [np.asarray(layer.kernel) for layer in convolutions]
    right = x + _in_order("nrcnrc", x, kernels, norms)
    otherwise = "The shapes are right, the numbers are not: normalization, ReLU, convolution, twice, and then + x."
    return compare(np.asarray(model(x)), right, _other_orders(x, kernels, norms), otherwise, **FLOAT32)


def _other_orders(x: np.ndarray, kernels: list, norms: list) -> dict[str, np.ndarray]:
    """What blocks give whose parts are missing or stand elsewhere."""
    f = _in_order("nrcnrc", x, kernels, norms)
    return {
        "A ReLU still stands behind the addition: nothing may stand on the path of x.": relu(x + f),
        "The shortcut is missing: add x.": f,
        "The sign is +: F(x) is added to x.": x - f,
        "The sign is +: x is added to F(x).": f - x,
        "The order is the old one: convolution first. Here normalization and ReLU come before each convolution.": x
        + _in_order("cnrcn", x, kernels, norms),
        "The order is convolution, normalization, ReLU; normalization and ReLU come before the convolution.": x
        + _in_order("cnrcnr", x, kernels, norms),
        "Before the first convolution normalization and ReLU are missing.": x + _in_order("cnrc", x, kernels, norms),
        "The ReLUs are missing: two convolutions in a row are one linear map.": x
        + _in_order("ncnc", x, kernels, norms),
        "The first ReLU is missing.": x + _in_order("ncnrc", x, kernels, norms),
        "The second ReLU is missing.": x + _in_order("nrcnc", x, kernels, norms),
        "The ReLU stands before the normalization; it comes after.": x + _in_order("rncrnc", x, kernels, norms),
        "The shortcut begins behind the first ReLU; it must lead x itself around the block.": relu(
            normalized(x, norms[0])
        )
        + f,
    }


def _in_order(order: str, x: np.ndarray, kernels: list[np.ndarray], norms: list) -> np.ndarray:
    """What layers make of `x`: "n" is the next of `norms`, each with its own ε, "r" is ReLU, "c" convolves."""
    waiting = list(kernels)
    left = list(norms)
    for step in order:
        if step == "n":
            x = normalized(x, left.pop(0))
        elif step == "r":
            x = relu(x)
        else:
            x = convolved(x, waiting.pop(0))
    return x

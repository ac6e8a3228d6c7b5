"""What every function that looks into a model asks first, and how it looks in."""

import contextlib
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from course_lib import common


def layer_named(model, name: str):
    """The layer of that name, also inside a nested model.

    Raises:
        ValueError: there is none; the message names the nearest.
    """
    layers = {layer.name: layer for layer in leaf_layers(model)}
    if name not in layers:
        raise common.unknown("layer", name, layers)
    return layers[name]


def leaf_layers(model) -> list:
    """The layers of a model in order, those of nested models in their place."""
    leaves = []
    for layer in model.layers:
        leaves += leaf_layers(layer) if getattr(layer, "layers", None) else [layer]
    return leaves


def has_kernels(layer) -> bool:
    """Whether a layer is a convolution: it has kernels `(height, width, channels in, channels out)`."""
    return len(getattr(getattr(layer, "kernel", None), "shape", ())) == 4


def batch_for(model, images: np.ndarray) -> np.ndarray:
    """`images` as a float32 batch that fits the model's input.

    Raises:
        ValueError: the model was never built or has no single input, or the images have another shape.
    """
    if not model.built:
        raise ValueError(f"the model {model.name!r} was never built: give it a keras.Input, or call it on a batch")
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple):
        raise ValueError(
            f"this needs a Functional or Sequential model with one input, not {model.name!r}, a {type(model).__name__}"
        )
    images = np.asarray(images, dtype=np.float32)
    fits = images.ndim == len(shape) and all(
        wanted in (None, size) for wanted, size in zip(shape[1:], images.shape[1:], strict=True)
    )
    if not fits or not len(images):
        wanted = ", ".join("any" if size is None else str(size) for size in shape[1:])
        raise ValueError(f"the model {model.name!r} takes images of shape (n, {wanted}), not {images.shape}")
    return images


@contextlib.contextmanager
def outputs_of(layers: Iterable) -> Iterator[list[tuple]]:
    """Collects (layer, output), call by call, while a model runs inside the `with` block.

    It does so wherever in nested models the layers are, and builds no second model from their tensors.
    """

    def listened(layer, call) -> Callable:
        def call_and_keep(*inputs, **options):
            outputs.append((layer, call(*inputs, **options)))
            return outputs[-1][1]

        return call_and_keep

    outputs, changed = [], []
    try:
        for layer in layers:
            vars(layer)["call"] = listened(layer, layer.call)  # unseen by Keras, which tracks setattr
            changed.append(layer)
        yield outputs
    finally:
        for layer in changed:
            del vars(layer)["call"]

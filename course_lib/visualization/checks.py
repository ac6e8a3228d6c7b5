"""Checks of models, layers and batches of images, for every function that evaluates a network."""

from collections.abc import Sequence

import numpy as np

from course_lib import common
from course_lib.array_checks import array_of
from course_lib.model_checks import check_model, leaf_layers, returns_probabilities, scales_pixels

HIGHEST = 5.0  # largest value of scaled images without negative values
LOWEST_PIXEL = -50.0  # resizing with a cubic filter overshoots 0 and 255 a little
HIGHEST_PIXEL = 305.0
BRIGHT = 100.0  # centered pixels (minus their mean) that reach this go far below 0, too


def check_network(model) -> None:
    """Checks that `model` is a Keras model that is built and has one input.

    Raises:
        ValueError: it is not; the message says what to give instead.
    """
    check_built(model)
    if not isinstance(getattr(model, "input_shape", None), tuple):
        inputs = len(getattr(model, "inputs", None) or [])
        several = f" with {inputs}" if inputs > 1 else ""
        raise ValueError(
            f"this needs a Functional or Sequential model with one input, not {model.name!r}, "
            f"a {type(model).__name__}{several}"
        )


def check_built(model) -> None:
    """Checks that `model` is a Keras model that has its weights."""
    check_model(model)
    if not model.built:
        raise ValueError(f"the model {model.name!r} was never built: give it a keras.Input, or call it on a batch")


def number_of_classes(model) -> int:
    """The number of classes of a network with one row of logits per image; a single output counts as 2 classes.

    Raises:
        ValueError: the network has several outputs, or its output is feature maps.
    """
    shape = model.output_shape
    if not isinstance(shape, tuple):
        raise ValueError(
            f"this needs a model with one output, the logits; {model.name!r} has {len(model.outputs)}: "
            "take one of them, for example keras.Model(model.inputs, model.outputs[0])"
        )
    if len(shape) != 2:
        raise ValueError(
            f"this needs a network with one row of logits per image, (n, classes), but {model.name!r} has {shape}"
        )
    return max(2, shape[-1])


def check_logits(model, batch) -> int:
    """`number_of_classes` of a network that returns logits, or ends with a softmax or sigmoid layer.

    Raises:
        ValueError: as `number_of_classes`; the network returns probabilities that no layer computes.
    """
    classes = number_of_classes(model)
    if model.output_shape[-1] > 1 and not returns_probabilities(model):
        rows = np.asarray(model(batch[:2], training=False), dtype=np.float64)
        if rows.min() >= 0 and np.allclose(rows.sum(axis=1), 1, atol=0.01):
            raise ValueError(
                f"{model.name!r} returns probabilities that no layer of it computes, so its logits are out of reach: "
                "end it with keras.layers.Softmax() instead of keras.ops.softmax"
            )
    return classes


def layer_named(model, name, layers: Sequence | None = None):
    """The one layer of that name, also inside a nested model; `name` may be the layer itself.

    Raises:
        ValueError: there is none (the nearest are named), or several have the name.
    """
    layers = leaf_layers(model) if layers is None else layers
    if any(layer is name for layer in layers):
        return name
    found = [layer for layer in layers if isinstance(name, str) and layer.name == name]
    if not found:
        if isinstance(getattr(name, "name", None), str):
            raise ValueError(f"the layer {name.name!r} is none of {model.name!r}: give the name of one of its layers")
        raise common.unknown("layer", name, {layer.name for layer in layers})
    if len(found) > 1:
        raise ValueError(
            f"{len(found)} layers of {model.name!r} are named {name!r}, in several of its parts: give the part that "
            "holds the layer as the model, for example model.get_layer('part'), or the layer itself"
        )
    return found[0]


def map_layer(model, name):
    """The layer of that name, whose output must be feature maps `(batch, height, width, channels)`."""
    found = layer_named(model, name)
    layers = [layer for layer in leaf_layers(model) if type(layer).__name__ != "InputLayer"]
    maps = [layer for layer in layers if len(getattr(getattr(layer, "output", None), "shape", ())) == 4]
    if not any(layer is found for layer in maps):
        known = ", ".join(layer.name for layer in maps) or "none, the model has no convolutions"
        raise ValueError(
            f"layer {found.name!r} ({type(found).__name__}) has no feature maps; layers that have: {known}"
        )
    return found


def has_kernels(layer) -> bool:
    """Whether a layer is a convolution: it has kernels of four axes and a size in pixels."""
    return len(getattr(getattr(layer, "kernel", None), "shape", ())) == 4 and hasattr(layer, "kernel_size")


def images_for(model, images) -> np.ndarray:
    """`images` as a float32 batch that the network can take: its shape, finite, in the range that the network takes.

    Raises:
        ValueError: the model is none, was never built or has no single input; the images do not fit.
    """
    check_network(model)
    images = array_of("images", images)
    shape = model.input_shape
    fits = images.ndim == len(shape) and all(
        wanted in (None, size) for wanted, size in zip(shape[1:], images.shape[1:], strict=True)
    )
    if not fits or not len(images):
        wanted = ", ".join("any" if size is None else str(size) for size in shape[1:])
        advice = ""
        if images.ndim == len(shape) - 1:
            advice = ": give a batch, images[None] for one image, or images[..., None] where the channels are missing"
        raise ValueError(f"the model {model.name!r} takes images of shape (n, {wanted}), not {images.shape}{advice}")
    _check_weights(model)
    _check_range(model, images)
    return np.asarray(images, dtype=np.float32)


def pictures_for(model, images) -> np.ndarray:
    """`images_for` of a network that takes images `(height, width, channels)`.

    Raises:
        ValueError: as `images_for`, or it takes something else.
    """
    batch = images_for(model, images)
    if batch.ndim != 4:
        raise ValueError(
            f"this needs a network that takes images (height, width, channels); {model.name!r} takes {batch.shape[1:]}"
        )
    return batch


def _check_weights(model) -> None:
    """Refuses a network whose training diverged: its outputs are NaN."""
    import keras

    for weight in model.weights:
        if "float" in str(weight.dtype) and not bool(keras.ops.all(keras.ops.isfinite(weight))):
            raise ValueError(
                f"the weights {weight.path!r} of {model.name!r} hold NaN or infinite numbers: its training diverged, "
                "so train it anew with a smaller learning rate"
            )


def _check_range(model, images: np.ndarray) -> None:
    """Integers are pixels from 0 to 255, for networks that scale them; floats tell by their range."""
    low = float(images.min())
    high = float(images.max())
    if not np.isfinite([low, high]).all():
        raise ValueError(f"the images go from {low:g} to {high:g}: some hold NaN (not a number) or infinite pixels")
    whole = images.dtype.kind in "iu"
    if scales_pixels(model):
        scaled_before = not whole and high <= HIGHEST and (low, high) != (0, 0)
        if scaled_before or low < LOWEST_PIXEL or high > HIGHEST_PIXEL:
            raise ValueError(
                f"the images go from {low:g} to {high:g}, but the network scales pixels itself, with a layer such as "
                "Rescaling: give them as they are stored, from 0 to 255"
            )
    elif whole and "int" not in str(model.inputs[0].dtype):
        raise ValueError(
            f"the images go from {low:g} to {high:g} in whole numbers ({images.dtype}), and the network does not scale "
            "them: scale them as in training, usually from 0 to 1, images / 255"
        )
    elif not whole and ((low >= 0 and high > HIGHEST) or (low > LOWEST_PIXEL and high > BRIGHT)):
        raise ValueError(
            f"the images go from {low:g} to {high:g}, and the network does not scale them: "
            "scale them as in training, usually from 0 to 1, images / 255"
        )

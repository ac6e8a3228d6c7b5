"""Which pixels an answer rests on, asked in four ways, and how to lay the reply over the picture.

All of them run the network in inference mode. They look into layers while it runs instead of building a second
model from its tensors, so that they also reach the layers of a model inside the model.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from course_lib import common
from course_lib.visualization.checks import batch_for, layer_named, leaf_layers, outputs_of
from course_lib.visualization.images import unit_range
from course_lib.visualization.style import DIVERGING, new_axes, style

SCALERS = ("Rescaling", "Normalization")  # a network with one of these may take pixels from 0 to 255
BATCH = 64  # occluded pictures at a time


def input_gradient(model, images: np.ndarray, classes: int | Sequence[int] | None = None) -> np.ndarray:
    """How a class's logit changes with each value of the image: float32 `(batch, height, width, channels)`.

    K. Simonyan, A. Vedaldi, A. Zisserman: Deep Inside Convolutional Networks, 2013, arXiv:1312.6034, section 3.
    The paper's map is `np.abs(gradient).max(axis=-1)`. `classes` is one class, or one an image; without it, the
    class that the model predicts.

    Raises:
        ValueError: a class that is none of the model's, images that do not fit its input or are not scaled as
            networks take them, a model that was never built, or a subclassed one.
    """
    tape, batch, logits, _ = _recorded_pass(model, images)
    return tape.gradient(logits, batch, _one_hot(logits, classes)).numpy()


def grad_cam(model, images: np.ndarray, layer: str, classes: int | Sequence[int] | None = None) -> np.ndarray:
    """Where a layer's maps speak for a class: float32 `(batch, rows, columns)`, one value a unit, none below 0.

    R. R. Selvaraju et al.: Grad-CAM, ICCV 2017, arXiv:1610.02391, section 3, equations 1 and 2. The paper takes
    the last layer that still has maps; `classes` as for `input_gradient`.

    Raises:
        ValueError: as `input_gradient`; no such layer (the nearest are named), or one without maps.
    """
    tape, _, logits, maps = _recorded_pass(model, images, layer)
    gradients = tape.gradient(logits, maps, _one_hot(logits, classes))
    weights = np.mean(gradients, axis=(1, 2), keepdims=True, dtype=np.float32)
    return np.maximum(np.sum(maps * weights, axis=-1, dtype=np.float32), 0)


def occlusion(model, image: np.ndarray, label: int | None = None, *, size: int = 8, stride: int = 4) -> np.ndarray:
    """How far a class's softmax probability falls when a square hides part of the image: `(rows, columns)`.

    M. D. Zeiler, R. Fergus: Visualizing and Understanding Convolutional Networks, ECCV 2014, section 4.2. The
    square has `size` pixels a side and the image's mean color; its centers are some `stride` pixels apart. `image`
    is one image `(height, width, channels)`; `label` the class, by default the predicted one.

    Raises:
        ValueError: as `input_gradient`, or a size or stride below 1.
    """
    common.at_least(1, size=size, stride=stride)
    image = images_for(model, np.asarray(image)[None])[0]
    logits = model(image[None], training=False)
    label = checked_classes(logits, label)[0]
    grid = [-(-side // stride) for side in image.shape[:2]]  # rows and columns of squares
    middles = (np.arange(0.5, count) * side / count for count, side in zip(grid, image.shape, strict=False))
    corners = list(itertools.product(*(middle.astype(int) - size // 2 for middle in middles)))
    falls = []
    for start in range(0, len(corners), BATCH):
        hidden = np.repeat(image[None], len(corners[start : start + BATCH]), axis=0)
        for picture, (top, left) in zip(hidden, corners[start:], strict=False):
            picture[max(top, 0) : top + size, max(left, 0) : left + size] = image.mean(axis=(0, 1))
        falls.append(softmax(logits)[0, label] - softmax(model(hidden, training=False))[:, label])
    return np.concatenate(falls).reshape(grid)


def effective_receptive_field(model, images: np.ndarray, layer: str, unit: tuple[int, int] | None = None) -> np.ndarray:
    """How strongly each pixel acts on one unit of a layer: float32 `(height, width)`.

    W. Luo et al.: Understanding the Effective Receptive Field, NIPS 2016, arXiv:1701.04128, section 2: the
    gradient of the unit, here the sum over its maps, as absolute value, mean over images, summed over the
    image's channels. `unit` is (row, column), by default the center.

    Raises:
        ValueError: as `grad_cam`.
        IndexError: a unit that the layer does not have.
    """
    tape, batch, _, maps = _recorded_pass(model, images, layer)
    row, column = unit or (maps.shape[1] // 2, maps.shape[2] // 2)
    seed = np.zeros(maps.shape, dtype=maps.dtype.name)
    seed[:, row, column] = 1
    return np.abs(tape.gradient(maps, batch, seed).numpy()).mean(axis=0).sum(axis=-1)


@style()
def overlay(image: np.ndarray, attribution: np.ndarray, *, label: str = "", ax=None):
    """A map over its picture in gray: red speaks for the answer, blue against it, clear says nothing.

    `image` is `(height, width, channels)` or `(height, width)`; `attribution` is any map of it, of however many
    rows and columns. Of one with channels, the largest absolute value counts. `label` names its values.

    Raises:
        ValueError: an image or a map of another shape.
    """
    picture = unit_range(np.asarray(image)[None])[0].mean(axis=-1)
    values = np.asarray(attribution, dtype=np.float32)
    values = np.abs(values).max(axis=-1) if values.ndim == 3 else values
    if values.ndim != 2:
        raise ValueError(f"attribution must be (rows, columns) or (rows, columns, channels), not {values.shape}")
    limit = float(np.abs(values).max()) or 1.0
    ax = new_axes(4.6, 3.8) if ax is None else ax
    ax.imshow(picture, cmap="gray", vmin=-1, vmax=1)  # from middle gray to white, so that colors show everywhere
    scale = {"cmap": DIVERGING, "vmin": -limit, "vmax": limit, "alpha": np.sqrt(np.abs(values) / limit)}
    drawn = ax.imshow(values, extent=ax.images[0].get_extent(), **scale)
    bar = ax.get_figure().colorbar(drawn, ax=ax, label=label, pad=0.02, aspect=15)
    bar.ax.set_ylim(-limit if values.min() < 0 else 0, limit)
    ax.set_axis_off()
    return ax


def images_for(model, images: np.ndarray) -> np.ndarray:
    """`images` as a float32 batch that fits the model's input in shape and range (see `checks.batch_for`)."""
    batch = batch_for(model, images)
    low, high = float(batch.min()), float(batch.max())
    scales = any(type(layer).__name__ in SCALERS for layer in leaf_layers(model))
    # Images less their mean, as the ImageNet weights take them, also have values below 0.
    if not np.isfinite(low + high) or (low >= 0 and high > 5 and not scales):
        raise ValueError(f"the images go from {low:g} to {high:g}: scale them as in training, usually from 0 to 1")
    return batch


def map_layer(model, name: str):
    """The layer of that name, which must put out maps `(batch, height, width, channels)`."""
    found = layer_named(model, name)
    layers = [layer for layer in leaf_layers(model) if type(layer).__name__ != "InputLayer"]
    maps = [layer.name for layer in layers if len(getattr(layer.output, "shape", ())) == 4]
    if name not in maps:
        known = ", ".join(maps) or "none, the model has no convolutions"
        raise ValueError(f"layer {name!r} ({type(found).__name__}) puts out no maps; layers that do: {known}")
    return found


def checked_classes(logits, classes: int | Sequence[int] | None) -> np.ndarray:
    """One class an image, `(batch,)`; the likeliest ones where `classes` is None."""
    count, known = len(logits), logits.shape[-1]
    found = np.asarray(logits).argmax(axis=-1) if classes is None else np.asarray(classes)
    if found.shape not in ((), (count,)) or not np.isin(found, range(known)).all():
        raise ValueError(f"a class must be 0 to {known - 1}, one for all images or one each, not {classes!r}")
    return np.broadcast_to(found.astype(int), count)


def softmax(logits) -> np.ndarray:
    """Probabilities `(batch, classes)`, float64."""
    exponentials = np.exp(np.asarray(logits, dtype=np.float64) - np.max(logits, axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _recorded_pass(model, images, layer: str | None = None):
    """The tape of one pass, the batch, the logits, and what the layer put out."""
    import tensorflow as tf

    batch = tf.constant(images_for(model, images))
    watched = leaf_layers(model)[-1] if layer is None else map_layer(model, layer)
    with outputs_of([watched]) as outputs, tf.GradientTape() as tape:
        tape.watch(batch)
        logits = model(batch, training=False)
    return tape, batch, logits, outputs[-1][1]


def _one_hot(logits, classes) -> np.ndarray:
    """What picks each image's class among its logits: `(batch, classes)`, of the logits' type."""
    return np.eye(logits.shape[-1], dtype=logits.dtype.name)[checked_classes(logits, classes)]

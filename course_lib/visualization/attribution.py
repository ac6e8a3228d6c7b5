"""Attribution maps: Grad-CAM, occlusion and the effective receptive field; `attribution_drawing` draws them.

All of them run the network in inference mode. They record the outputs of layers while it runs instead of building
a second model from its tensors, so that they also reach the layers of a nested model.
"""

import itertools
import sys
from collections.abc import Sequence

import numpy as np
import tqdm

from course_lib import common
from course_lib.array_checks import array_of
from course_lib.label_checks import probabilities_of
from course_lib.model_checks import final_activation
from course_lib.visualization.checks import check_logits, images_for, map_layer, number_of_classes, pictures_for
from course_lib.visualization.inside import logits_of, only_output, outputs_of, two_classes

BATCH = 16  # occluded pictures at a time
WAIT = 2  # seconds before the progress bar appears


def grad_cam(model, images: np.ndarray, layer: str, classes: int | Sequence[int] | None = None) -> np.ndarray:
    """Grad-CAM heat maps of a layer for one class: float32 `(batch, rows, columns)`, no value below 0.

    R. R. Selvaraju et al.: Grad-CAM, ICCV 2017, arXiv:1610.02391, section 3, equations 1 and 2. The paper takes
    the last layer that has feature maps. Draw a heat map over its image with `plot_attribution`.

    Args:
        model: a network that returns logits, or ends with softmax or sigmoid.
        images: `(batch, height, width, channels)`, scaled as the network takes them.
        layer: the name of the layer, for example "conv5".
        classes: one class for all images, or one per image; by default the predicted classes. A single output is
            the logit of class 1 of two; class 0 has its negative.

    Raises:
        ValueError: images that do not fit the network, or a class that it does not have; no such layer (the nearest
            are named), one without feature maps, one that is called more than once, or one that the logits do not
            depend on; a model that was never built, a subclassed one, or one of several inputs or outputs.
    """
    import tensorflow as tf

    batch = tf.constant(images_for(model, images))
    check_logits(model, batch)
    found = map_layer(model, layer)
    with tf.GradientTape() as tape, outputs_of([found], tape.watch) as outputs:
        logits = _chosen_logits(model, batch, classes)
    maps = only_output(outputs, found)
    gradients = tf.cast(reached(tape.gradient(logits, maps), f"the layer {found.name!r}"), tf.float32)
    weights = np.mean(gradients, axis=(1, 2), keepdims=True, dtype=np.float32)
    return np.maximum(np.sum(tf.cast(maps, tf.float32) * weights, axis=-1, dtype=np.float32), 0)


def occlusion(model, image: np.ndarray, label: int | None = None, *, size: int = 8, stride: int = 4) -> np.ndarray:
    """The fall of a class's probability where a square hides part of the image: `(rows, columns)`.

    M. D. Zeiler, R. Fergus: Visualizing and Understanding Convolutional Networks, ECCV 2014, section 4.2.

    Args:
        model: a network that returns logits, or ends with softmax or sigmoid.
        image: one image `(height, width, channels)`, scaled as the network takes it.
        label: the class; by default the predicted one.
        size: side of the square in pixels. The square has the mean color of the image.
        stride: distance of the centers of two squares in pixels.

    Raises:
        ValueError: as `grad_cam`; a batch; a size or stride below 1 or above the shorter side of the image.
    """
    common.at_least(1, size=size, stride=stride)
    image = array_of("image", image)
    if image.ndim == 4:
        raise ValueError(f"image must be one image, such as images[0], not a batch of the shape {image.shape}")
    image = pictures_for(model, image[None])[0]
    for name, pixels in (("size", size), ("stride", stride)):
        if pixels > min(image.shape[:2]):
            raise ValueError(f"{name} must be 1 to {min(image.shape[:2])}, the image's shorter side, not {pixels}")
    number_of_classes(model)
    whole = _probabilities(model, image[None])
    label = checked_classes(whole, label)[0]
    grid = [-(-side // stride) for side in image.shape[:2]]  # rows and columns of squares
    middles = (np.arange(0.5, count) * side / count for count, side in zip(grid, image.shape, strict=False))
    corners = list(itertools.product(*(middle.astype(int) - size // 2 for middle in middles)))
    falls = []
    starts = range(0, len(corners), BATCH)
    for start in tqdm.tqdm(starts, desc="hiding", unit=" batches", delay=WAIT, leave=False, file=sys.stdout):
        hidden = np.repeat(image[None], len(corners[start : start + BATCH]), axis=0)
        for picture, (top, left) in zip(hidden, corners[start:], strict=False):
            picture[max(top, 0) : top + size, max(left, 0) : left + size] = image.mean(axis=(0, 1))
        falls.append(whole[0, label] - _probabilities(model, hidden)[:, label])
    return np.concatenate(falls).reshape(grid)


def effective_receptive_field(model, images: np.ndarray, layer: str, unit: tuple[int, int] | None = None) -> np.ndarray:
    """The influence of each pixel on one unit of a layer: float32 `(height, width)`.

    W. Luo et al.: Understanding the Effective Receptive Field, NIPS 2016, arXiv:1701.04128, section 2. The influence
    is the absolute value of the gradient of the unit (the sum over its maps), averaged over the images and summed
    over the channels of the image. `unit` is (row, column), by default the center.

    Raises:
        ValueError: as `grad_cam`, except that the network may have several outputs; a unit that the layer does not
            have.
    """
    return influence(model, pictures_for(model, images), map_layer(model, layer), unit)


def influence(model, images: np.ndarray, layer, unit: tuple[int, int] | None = None) -> np.ndarray:
    """The `effective_receptive_field` of a layer object; the images are checked already."""
    import tensorflow as tf

    batch = tf.constant(images, tf.float32)
    with tf.GradientTape() as tape, outputs_of([layer]) as outputs:
        tape.watch(batch)
        model(batch, training=False)
        maps = only_output(outputs, layer)
        row, column = _checked_unit(unit, maps.shape[1:3])
        values = tf.cast(maps[:, row, column], tf.float32)
    gradient = reached(tape.gradient(values, batch), "the pixels").numpy()
    return np.abs(gradient).mean(axis=0).sum(axis=-1)


def checked_classes(scores, classes: int | Sequence[int] | None) -> np.ndarray:
    """One class per image, `(batch,)`; the likeliest ones where `classes` is None."""
    count, known = scores.shape
    found = np.asarray(scores).argmax(axis=-1) if classes is None else array_of("classes", classes)
    if found.shape not in ((), (count,)) or not np.isin(found, range(known)).all():
        raise ValueError(f"a class must be 0 to {known - 1}, one for all images or one each, not {classes!r}")
    return np.broadcast_to(found.astype(int), count)


def _chosen_logits(model, batch, classes):
    """Each image's logit of its class, float32 `(batch,)`."""
    import tensorflow as tf

    logits = tf.cast(logits_of(model, lambda: model(batch, training=False)), tf.float32)
    if logits.shape[-1] == 1:
        logits = tf.concat([-logits, logits], axis=-1)
    return tf.gather(logits, checked_classes(logits, classes), axis=1, batch_dims=1)


def _probabilities(model, images: np.ndarray) -> np.ndarray:
    """Probabilities `(batch, classes)`, float64; several sigmoids stay as they are."""
    import keras

    if final_activation(model) == "sigmoid" and model.output_shape[-1] > 1:
        found = model(images, training=False)
        return keras.ops.convert_to_numpy(keras.ops.cast(found, "float32")).astype(np.float64)
    logits = logits_of(model, lambda: model(images, training=False))
    return probabilities_of("the logits", keras.ops.convert_to_numpy(two_classes(keras.ops.cast(logits, "float32"))))


def _checked_unit(unit, shape: tuple[int, int]) -> tuple[int, int]:
    """(row, column) of a unit; by default the center."""
    if unit is None:
        return shape[0] // 2, shape[1] // 2
    found = array_of("unit", unit)
    if found.shape != (2,) or found.dtype.kind not in "iu" or (found < 0).any() or (found >= shape).any():
        raise ValueError(
            f"unit must be (row, column), whole numbers from (0, 0) to {(shape[0] - 1, shape[1] - 1)}, not {unit!r}"
        )
    return int(found[0]), int(found[1])


def reached(gradient, what: str):
    """The gradient, once it is clear that there is one."""
    if gradient is None:
        raise ValueError(
            f"no gradient reaches {what}: what is computed does not depend on it, or something between has no "
            "gradient, such as an Input of whole numbers (dtype='uint8')"
        )
    return gradient

"""Which pixels an answer rests on, asked in four ways, and how to lay the reply over the picture.

All of them run the network in inference mode. They look into layers while it runs instead of building a second
model from its tensors, so that they also reach the layers of a model inside the model.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from course_lib import common
from course_lib.model_checks import final_activation
from course_lib.visualization.checks import check_logits, images_for, map_layer, number_of_classes, pictures_for
from course_lib.visualization.data_checks import array_of, finite_array, probabilities_of
from course_lib.visualization.images import unit_range
from course_lib.visualization.inside import logits_of, only_output, outputs_of, two_classes
from course_lib.visualization.style import DIVERGING, given_or_new, style

BATCH = 64  # occluded pictures at a time


def input_gradient(model, images: np.ndarray, classes: int | Sequence[int] | None = None) -> np.ndarray:
    """How a class's logit changes with each value of the image: float32 `(batch, height, width, channels)`.

    K. Simonyan, A. Vedaldi, A. Zisserman: Deep Inside Convolutional Networks, 2013, arXiv:1312.6034, section 3.
    The paper's map is `np.abs(gradient).max(axis=-1)`. `classes` is one class, or one per image; without it, the
    class that the model predicts. Where the model ends with softmax or sigmoid, the logit is what these get. One
    output is the logit of class 1 of two, and its negative that of class 0.

    Raises:
        ValueError: a class that is none of the model's, images that do not fit its input or are not scaled as the
            network takes them, a model that was never built, a subclassed one, or one of several inputs or outputs.
    """
    import tensorflow as tf

    batch = tf.constant(images_for(model, images))
    check_logits(model, batch)
    with tf.GradientTape() as tape:
        tape.watch(batch)
        logits = _chosen_logits(model, batch, classes)
    return reached(tape.gradient(logits, batch), "the pixels").numpy()


def grad_cam(model, images: np.ndarray, layer: str, classes: int | Sequence[int] | None = None) -> np.ndarray:
    """Where a layer's maps speak for a class: float32 `(batch, rows, columns)`, one value a unit, none below 0.

    R. R. Selvaraju et al.: Grad-CAM, ICCV 2017, arXiv:1610.02391, section 3, equations 1 and 2. The paper takes
    the last layer that still has maps; `classes` as for `input_gradient`.

    Raises:
        ValueError: as `input_gradient`; no such layer (the nearest are named), one without maps, one that is called
            more than once, or one that the logits do not depend on.
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
    """How far a class's probability falls when a square hides part of the image: `(rows, columns)`.

    M. D. Zeiler, R. Fergus: Visualizing and Understanding Convolutional Networks, ECCV 2014, section 4.2. The
    square has `size` pixels a side and the image's mean color; its centers are some `stride` pixels apart. `image`
    is one image `(height, width, channels)`; `label` the class, by default the predicted one. The probability is the
    softmax of the logits, or what a network puts out that ends with softmax or sigmoid.

    Raises:
        ValueError: as `input_gradient`, a batch, or a size or stride below 1 or beyond the image's shorter side.
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
    for start in range(0, len(corners), BATCH):
        hidden = np.repeat(image[None], len(corners[start : start + BATCH]), axis=0)
        for picture, (top, left) in zip(hidden, corners[start:], strict=False):
            picture[max(top, 0) : top + size, max(left, 0) : left + size] = image.mean(axis=(0, 1))
        falls.append(whole[0, label] - _probabilities(model, hidden)[:, label])
    return np.concatenate(falls).reshape(grid)


def effective_receptive_field(model, images: np.ndarray, layer: str, unit: tuple[int, int] | None = None) -> np.ndarray:
    """How strongly each pixel acts on one unit of a layer: float32 `(height, width)`.

    W. Luo et al.: Understanding the Effective Receptive Field, NIPS 2016, arXiv:1701.04128, section 2: the
    gradient of the unit, here the sum over its maps, as absolute value, mean over images, summed over the
    image's channels. `unit` is (row, column), by default the center.

    Raises:
        ValueError: as `grad_cam`, except that the network may have several outputs; a unit that the layer does not
            have.
    """
    return influence(model, pictures_for(model, images), map_layer(model, layer), unit)


def influence(model, images: np.ndarray, layer, unit: tuple[int, int] | None = None) -> np.ndarray:
    """`effective_receptive_field` of a layer itself, of images that are checked."""
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


@style()
def overlay(image: np.ndarray, attribution: np.ndarray, *, label: str = "", ax=None):
    """A map over its picture in gray: red speaks for the answer, blue against it, clear says nothing.

    `image` is `(height, width, channels)` or `(height, width)`; `attribution` is any map of it, of however many
    rows and columns. Of one with channels, which has the image's height and width, the largest absolute value counts;
    of a batch of one, the map in it. `label` names its values.

    Raises:
        ValueError: an image or a map of another shape, a batch of several, or NaN.
    """
    pixels = finite_array("image", image)
    if pixels.ndim == 4 and len(pixels) != 1:
        raise ValueError(f"image must be one image, such as images[0], not a batch of the shape {pixels.shape}")
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    picture = unit_range(pixels[None] if pixels.ndim == 3 else pixels)[0].mean(axis=-1)
    values = _one_map(attribution, picture.shape)
    limit = float(np.abs(values).max()) or 1.0
    ax = given_or_new(ax, 4.6, 3.8)
    ax.imshow(picture, cmap="gray", vmin=-1, vmax=1)  # from middle gray to white, so that colors show everywhere
    extent = ax.images[-1].get_extent()
    drawn = ax.imshow(values, cmap=_clear_at_zero(), vmin=-limit, vmax=limit, extent=extent)
    bar = ax.get_figure().colorbar(drawn, ax=ax, label=label, pad=0.02, aspect=15)
    bar.ax.set_ylim(-limit if values.min() < 0 else 0, limit)
    ax.set_axis_off()
    return ax


def _one_map(attribution: np.ndarray, image_shape: tuple[int, int]) -> np.ndarray:
    """The map `(rows, columns)` of what `overlay` takes."""
    values = finite_array("attribution", attribution).astype(np.float32)
    if values.ndim in (3, 4) and len(values) == 1 and values.shape[:2] != image_shape:
        values = values[0]
    if values.ndim == 3 and values.shape[:2] == image_shape:
        values = np.abs(values).max(axis=-1)
    if values.ndim != 2 or not values.size:
        raise ValueError(
            "attribution must be one map, (rows, columns), or (rows, columns, channels) of the image's size "
            f"{image_shape}, not {values.shape}: of a batch take one, attribution[0]"
        )
    return values


def _clear_at_zero():
    """The diverging colors, the clearer the nearer to zero: in the colors, since an array as `alpha` of `imshow`
    makes Matplotlib 3.10.0 hide what lies below."""
    import matplotlib
    from matplotlib.colors import ListedColormap

    places = np.linspace(0, 1, 511)
    colors = matplotlib.colormaps[DIVERGING](places)
    colors[:, 3] = np.sqrt(np.abs(2 * places - 1))
    return ListedColormap(colors)


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

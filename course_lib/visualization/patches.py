"""The image patches that activate a filter most."""

from collections.abc import Sequence

import numpy as np

from course_lib import common
from course_lib.model_checks import scales_pixels
from course_lib.visualization.attribution import influence
from course_lib.visualization.checks import map_layer, pictures_for
from course_lib.visualization.inside import only_output, outputs_of

BATCH = 128  # images per call of the model


def top_patches(
    model, images: np.ndarray, layer: str, filters: Sequence[int] | None = None, k: int = 6
) -> tuple[np.ndarray, np.ndarray]:
    """The `k` image patches with the largest activation of each filter, as large as its receptive field.

    After M. D. Zeiler, R. Fergus: Visualizing and Understanding Convolutional Networks, ECCV 2014, figure 2. The
    receptive field is measured: the pixels that a gradient reaches.

    Args:
        model: the network.
        images: `(n, height, width, channels)`, scaled as the network takes them.
        layer: the name of a layer with feature maps.
        filters: the numbers of the filters; by default the first 8.
        k: patches per filter, each from another image.

    Returns:
        The patches, float32 `(filters, k, height, width, channels)`, the largest activation first, 0 beyond the edge
        of an image; and the number of the image of each patch, int64 `(filters, k)`.

    Raises:
        ValueError: as `effective_receptive_field`; a filter that is not in the layer; `k` that is not 1 to the number
            of images.
    """
    images = pictures_for(model, images)
    found = map_layer(model, layer)
    filters = _chosen(found, filters)
    common.at_least(1, k=k)
    if k > len(images):
        raise ValueError(f"k must be at most {len(images)}, the number of images, not {k}")
    import keras

    strongest = []
    places = []
    with outputs_of([found]) as outputs:
        for start in range(0, len(images), BATCH):
            outputs.clear()
            model(images[start : start + BATCH], training=False)
            maps = keras.ops.cast(only_output(outputs, found), "float32")
            maps = keras.ops.convert_to_numpy(maps)[..., filters]
            flat = maps.reshape(len(maps), -1, len(filters))
            strongest.append(flat.max(axis=1))
            places.append(flat.argmax(axis=1))
    order = np.argsort(-np.concatenate(strongest), axis=0, kind="stable")[:k].T  # (filters, k)
    places = np.take_along_axis(np.concatenate(places).T, order, axis=1)
    last = np.array(maps.shape[1:3]) - 1
    first, stride, (height, width) = _receptive_window(model, images.shape[1:], found, last)
    corners = first + np.stack(np.divmod(places, maps.shape[2]), axis=-1) * stride
    patches = np.empty((*order.shape, height, width, images.shape[-1]), dtype=np.float32)
    for at in np.ndindex(order.shape):
        framed = np.pad(images[order[at]], [(height, height), (width, width), (0, 0)])
        top, left = corners[at] + (height, width)
        patches[at] = framed[top : top + height, left : left + width]
    return patches, order


def _chosen(layer, filters: Sequence[int] | None) -> list[int]:
    count = layer.output.shape[-1]
    numbers = np.asarray(range(min(8, count)) if filters is None else filters)
    if numbers.ndim != 1 or not numbers.size or not np.isin(numbers, range(count)).all():
        raise ValueError(
            f"the filters of {layer.name!r} are 0 to {count - 1}: name some in a list, such as [0], not {filters!r}"
        )
    return [int(number) for number in numbers]


def _receptive_window(model, image_shape: tuple[int, ...], layer, last: np.ndarray):
    """The receptive fields along both axes: first pixel of unit 0, pixels from unit to unit, pixels per unit.

    Measured at three units: at the first two by the edge that lies inside the image, at the last by the other.
    """
    noise = np.random.default_rng(0).normal(size=(8, *image_shape))
    noise = 127.5 + 64 * noise if scales_pixels(model) else noise
    boxes = []
    for unit in (0 * last, np.minimum(last, 1), last):
        seen = influence(model, noise, layer, tuple(unit)) > 0
        if not seen.any():
            raise ValueError(f"layer {layer.name!r} is silent on noise, so its receptive field cannot be measured")
        edges = [np.flatnonzero(seen.any(axis=other))[[0, -1]] for other in (1, 0)]
        boxes.append(np.array(edges))  # axes × (first, last pixel)
    ends = boxes[0][:, 1]
    next_ends = boxes[1][:, 1]
    starts = boxes[2][:, 0]
    first = starts - last * (next_ends - ends)
    return first, next_ends - ends, ends + 1 - first

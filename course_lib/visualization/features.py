"""What a filter answers to: the patches of real images that excite it most, and an image made to excite it."""

from collections.abc import Sequence

import numpy as np

from course_lib import common
from course_lib.model_checks import scales_pixels
from course_lib.visualization.attribution import influence, reached
from course_lib.visualization.checks import check_network, map_layer, pictures_for
from course_lib.visualization.inside import only_output, outputs_of

BATCH = 128  # images at a time


def top_patches(
    model, images: np.ndarray, layer: str, filters: Sequence[int] | None = None, k: int = 6
) -> tuple[np.ndarray, np.ndarray]:
    """The `k` images that excite each filter most, cut to the receptive field of the unit that they excite.

    After M. D. Zeiler, R. Fergus: Visualizing and Understanding Convolutional Networks, ECCV 2014, figure 2.
    `filters` are numbers of filters, by default the first 8, or all where there are fewer.
    Returns patches, float32 `(filters, k, height, width, channels)`, the most exciting first, 0 beyond an image's
    edge, and which image each is from, int64 `(filters, k)`; no two of a filter are from one image. The
    receptive field is measured: it is what a gradient reaches.

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

    strongest, places = [], []
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


def maximize_activation(
    model, layer: str, filters: Sequence[int] | None = None, *, steps: int = 96, smoothness: float = 0.2, seed: int = 0
) -> np.ndarray:
    """Images that excite one filter each, made by gradient ascent from noise: float32 in [0, 1].

    Where the network scales pixels itself, they are in [0, 255].

    `(filters, height, width, channels)`, each maximizing the mean of its filter's map (D. Erhan et al.: Visualizing
    Higher-Layer Features, 2009). At each step a shift by up to 4 pixels and, by the share `smoothness`, a blur keep
    them readable (J. Yosinski et al., 2015, arXiv:1506.06579, section 3). Where a filter is silent on the noise that
    `seed` draws, that is only blurred.

    Raises:
        ValueError: a model, layer or filter that is not fit for it, as in `top_patches`, or `steps` below 1.
    """
    import tensorflow as tf

    common.at_least(1, steps=steps)
    common.at_least(0, seed=seed)
    common.number("smoothness", smoothness)
    check_network(model)
    found = map_layer(model, layer)
    filters = _chosen(found, filters)
    shape, white = model.input_shape, 255.0 if scales_pixels(model) else 1.0
    random = np.random.default_rng(seed)
    noise = random.uniform(size=(len(filters), *(side or 64 for side in shape[1:])))
    for axis in range(1, len(shape) - 1):  # squares of 8 pixels: single pixels would leave deeper filters silent
        noise = noise.take(np.arange(noise.shape[axis]) // 8, axis)
    images = tf.constant(pictures_for(model, white * noise) / white)
    picked = np.eye(found.output.shape[-1], dtype=np.float32)[filters]

    @tf.function(autograph=False)
    def step(images, shift, size):
        images = tf.roll(images, shift, (1, 2))
        with tf.GradientTape() as tape, outputs_of([found]) as outputs:
            tape.watch(images)
            model(white * images, training=False)
            activity = tf.reduce_mean(tf.cast(only_output(outputs, found), tf.float32), axis=(1, 2)) * picked
        uphill = reached(tape.gradient(activity, images), "the pixels")
        mean, variance = tf.nn.moments(uphill, axes=(1, 2, 3), keepdims=True)
        images += size * (uphill - mean) / (tf.sqrt(variance) + 1e-12)  # a pattern, not just a brighter image
        images += smoothness * (tf.nn.avg_pool2d(images, 3, 1, "SAME") - images)
        return tf.roll(tf.clip_by_value(images, 0.0, 1.0), -shift, (1, 2))

    for number in range(steps):
        size = np.float32(0.1 * (1 - number / steps))  # ever smaller steps
        images = step(images, random.integers(-4, 5, 2), size)
    return white * images.numpy()


def _chosen(layer, filters: Sequence[int] | None) -> list[int]:
    count = layer.output.shape[-1]
    numbers = np.asarray(range(min(8, count)) if filters is None else filters)
    if numbers.ndim != 1 or not numbers.size or not np.isin(numbers, range(count)).all():
        raise ValueError(
            f"the filters of {layer.name!r} are 0 to {count - 1}: name some in a list, such as [0], not {filters!r}"
        )
    return [int(number) for number in numbers]


def _receptive_window(model, image_shape: tuple[int, ...], layer, last: np.ndarray):
    """Of both axes: the first pixel that unit 0 sees, the pixels between units, and how many pixels a unit sees.

    Three units tell: the first and the second by the edge that lies inside the image, the last by the other.
    """
    noise = np.random.default_rng(0).normal(size=(8, *image_shape))
    noise = 127.5 + 64 * noise if scales_pixels(model) else noise
    boxes = []
    for unit in (0 * last, np.minimum(last, 1), last):
        seen = influence(model, noise, layer, tuple(unit)) > 0
        if not seen.any():
            raise ValueError(f"layer {layer.name!r} is silent on noise: no gradient tells what its units see")
        edges = [np.flatnonzero(seen.any(axis=other))[[0, -1]] for other in (1, 0)]
        boxes.append(np.array(edges))  # axes × (first, last pixel)
    ends, next_ends, starts = boxes[0][:, 1], boxes[1][:, 1], boxes[2][:, 0]
    first = starts - last * (next_ends - ends)
    return first, next_ends - ends, ends + 1 - first

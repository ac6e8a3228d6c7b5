"""The kernels of a convolution as images."""

import numpy as np

from course_lib import common
from course_lib.array_checks import finite_array
from course_lib.model_checks import described, leaf_layers
from course_lib.visualization.checks import check_built, has_kernels, layer_named
from course_lib.visualization.images import draw_tiles
from course_lib.visualization.inside import weights_of
from course_lib.visualization.style import DIVERGING, INK, style


def kernels(model, layer: str) -> np.ndarray:
    """The kernels of a convolution `(height, width, channels in, channels out)`, float32.

    The axes of a transposed convolution are brought into this order. A kernel of a depthwise convolution sees one
    channel, so the shape is `(height, width, 1, channels out)`.

    Raises:
        ValueError: no layer of that name (the nearest are named), several, or one without kernels (those with are
            named); no Keras model, or one that was never built.
    """
    check_built(model)
    found = layer_named(model, layer)
    if not has_kernels(found):
        known = ", ".join(each.name for each in leaf_layers(model) if has_kernels(each)) or "none"
        raise ValueError(
            f"layer {found.name!r} ({type(found).__name__}) has no convolution kernels; layers that have: {known}"
        )
    import keras

    weights = weights_of(found.kernel)
    if isinstance(found, keras.layers.Conv2DTranspose):
        return np.swapaxes(weights, 2, 3)  # Keras has channels out before channels in
    if isinstance(found, keras.layers.DepthwiseConv2D):
        return weights.reshape(*weights.shape[:2], 1, -1)
    return weights


@style()
def plot_filters(
    model_or_kernels,
    layer: str | None = None,
    *,
    channel: int | None = None,
    columns: int = 8,
    ax=None,
):
    """All kernels of one layer, numbered from 0, on one scale.

    Kernels on one input channel are drawn red where positive, blue where negative and white at zero. Kernels on three
    channels are drawn in color, all rescaled together, gray at zero.

    Args:
        model_or_kernels: a model, or kernels `(height, width, channels in, channels out)`.
        layer: the name of the layer of the model.
        channel: the only input channel to draw; necessary if there are neither 1 nor 3.
        columns: kernels per row.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: another number of input channels and no `channel`; no such layer; no kernels; NaN.
    """
    weights = kernels(model_or_kernels, layer) if layer is not None else model_or_kernels
    try:
        shape = np.shape(weights)
    except ValueError:  # arrays of different shapes, such as kernels and biases
        shape = ()
    if len(shape) != 4 or 0 in shape:
        raise ValueError(
            "plot_filters takes a model and the name of a layer, or kernels of shape "
            f"(height, width, channels in, channels out), not {shape or described(weights)}"
        )
    weights = finite_array("the kernels", weights)
    inputs = weights.shape[2]
    if channel is not None:
        common.at_least(0, channel=channel)
        if channel >= inputs:
            raise ValueError(f"channel must be 0 to {inputs - 1}, an input channel of the layer, not {channel!r}")
        weights = weights[:, :, channel : channel + 1]
    elif inputs not in (1, 3):
        raise ValueError(f"these kernels have {inputs} input channels: pass channel=0 to {inputs - 1} to see one")
    tiles = np.moveaxis(weights, 3, 0)  # (channels out, height, width, channels in)
    limit = float(np.abs(tiles).max()) or 1.0
    numbers = [str(number) for number in range(len(tiles))]
    if tiles.shape[-1] == 3:
        return draw_tiles(0.5 + tiles / (2 * limit), numbers, [INK] * len(tiles), columns=columns, ax=ax)
    scale = {"cmap": DIVERGING, "vmin": -limit, "vmax": limit}
    ax = draw_tiles(tiles, numbers, [INK] * len(tiles), columns=columns, ax=ax, **scale)
    ax.get_figure().colorbar(ax.images[-1], ax=ax, label="weight", pad=0.02, aspect=15)
    return ax

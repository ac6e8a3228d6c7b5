"""Feature maps: the outputs of the layers of a network for an image."""

import numbers
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from course_lib import common
from course_lib.array_checks import finite_array
from course_lib.model_checks import described, leaf_layers
from course_lib.visualization.checks import images_for, layer_named
from course_lib.visualization.inside import only_output, outputs_of
from course_lib.visualization.style import DIVERGING, MUTED, given_or_new, style

WIDTH = 8.5  # inches: a row of maps
GAP = 0.06  # inches between two maps
TITLE = 0.3  # inches: the line of text above a row
NUMBER = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1}  # the box behind the number of a map


def feature_maps(model, images: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
    """The outputs of the named layers for a few images: layer → float32 `(batch, height, width, channels)`.

    The output of a dense layer is `(batch, units)`. The network runs in inference mode.

    Args:
        model: a Functional or Sequential model; the layers may be inside nested models.
        images: a batch, scaled as the network takes it.
        layers: the names of the layers.

    Raises:
        ValueError: a layer that is not there (the nearest are named), is called more than once or shares its name;
            images that do not fit the model's input or are not scaled as it takes them; a model that was never built,
            or a subclassed one, whose layers do not say how they connect.
    """
    batch = images_for(model, images)
    import keras

    every = dict.fromkeys((*model.layers, *leaf_layers(model)))
    every = [layer for layer in every if not isinstance(layer, keras.layers.InputLayer)]
    names = list(layers) if isinstance(layers, Iterable) and not isinstance(layers, str) else [layers]
    if not names:
        raise ValueError(f"name at least one layer; there are: {', '.join(layer.name for layer in every)}")
    found = list(dict.fromkeys(layer_named(model, name, every) for name in names))
    if len({layer.name for layer in found}) < len(found):
        raise ValueError("two of these layers have one name, which the maps are to be found by: ask for one at a time")
    with outputs_of(found) as outputs:
        model(batch, training=False)
    return {layer.name: _as_array(layer.name, only_output(outputs, layer)) for layer in found}


def _as_array(name: str, output) -> np.ndarray:
    import keras

    if isinstance(output, (list, tuple, dict)):
        raise ValueError(f"layer {name!r} has several outputs: name a layer that has one")
    return keras.ops.convert_to_numpy(keras.ops.cast(output, "float32"))


@style()
def plot_feature_maps(maps: dict[str, np.ndarray], index: int = 0, *, limit: int = 16, ax=None):
    """The feature maps of one image, one row per layer, numbered; the units of a dense layer are one strip.

    Each layer has one color scale: zero is white, positive red, negative blue. Full color is the largest absolute value
    of the layer, which is written above the row.

    Args:
        maps: what `feature_maps` returns.
        index: the number of the image in the batch.
        limit: the largest number of maps drawn per layer.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no maps, maps of another shape, NaN, or an image that is not in the batch.
    """
    common.at_least(1, limit=limit)
    if not isinstance(maps, Mapping):
        raise ValueError(f"maps must be a dict layer → maps, as feature_maps returns it, not {described(maps)}")
    if not maps:
        raise ValueError("there are no maps to draw: name the layers to feature_maps")
    rows = []
    bottom = 0.0  # from the top down, in inches of a figure WIDTH wide
    for name, values in maps.items():
        row = _as_row(name, values, index)
        shown = row[:limit]
        side = WIDTH / max(len(shown), 6) if len(row) > 1 or row.shape[1] > 1 else WIDTH
        height = (side - GAP) * row.shape[1] / row.shape[2] if row.shape[1] > 1 else 0.3
        rows.append((name, row, shown, side, bottom + TITLE, height))
        bottom += TITLE + height
    ax = given_or_new(ax, WIDTH, bottom)
    for name, row, shown, side, top, height in rows:
        scale = float(np.abs(row).max())
        for column, tile in enumerate(shown):
            left = column * side
            right = (column + 1) * side - GAP
            below = top + height
            ax.imshow(tile, cmap=DIVERGING, vmin=-(scale or 1), vmax=scale or 1, extent=(left, right, below, top))
            ax.plot([left, right, right, left, left], [top, top, below, below, top], color=MUTED, linewidth=0.5)
            if len(row) > 1:
                ax.text(left + 0.05, top + 0.05, f"{column}", va="top", fontsize=10, bbox=NUMBER)
        ax.text(0, top - 0.04, _title(name, row, len(shown), scale), va="bottom", fontsize=11)
    ax.set(xlim=(-GAP / 2, WIDTH), ylim=(bottom + GAP / 2, 0), aspect="equal")
    ax.set_axis_off()
    return ax


def _title(name: str, row: np.ndarray, shown: int, scale: float) -> str:
    count, height, width = row.shape
    if height == 1:
        what = f"{width} units"
    else:
        what = f"{count} maps of {height}×{width}"
        what = what if shown == count else f"the first {shown} of {what}"
    return f"{name}: {what}, values up to ±{scale:.2g}"


def _as_row(name: str, values: np.ndarray, index: int) -> np.ndarray:
    """The maps of one image `(maps, height, width)`; units, or maps of one pixel, become one map one pixel high."""
    values = finite_array(f"the maps of {name!r}", values)
    if values.ndim not in (2, 4) or 0 in values.shape:
        raise ValueError(
            f"the maps of {name!r} must be (batch, height, width, channels) or (batch, units), not {values.shape}"
        )
    if not isinstance(index, numbers.Integral) or index not in range(len(values)):
        raise ValueError(f"index must be 0 to {len(values) - 1}, an image there are maps of, not {index!r}")
    if values.shape[1:-1] in ((), (1, 1)):
        return values[index].reshape(1, 1, -1)
    return np.moveaxis(values[index], -1, 0)

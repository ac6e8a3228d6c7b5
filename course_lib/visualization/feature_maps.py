"""Feature maps: what the layers of a network make of an image."""

import numbers
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from course_lib import common
from course_lib.model_checks import described, leaf_layers
from course_lib.visualization.checks import images_for, layer_named
from course_lib.visualization.data_checks import finite_array
from course_lib.visualization.inside import only_output, outputs_of
from course_lib.visualization.style import DIVERGING, MUTED, given_or_new, style

WIDTH, GAP, TITLE = 8.5, 0.06, 0.3  # inches: a row, between maps, a row's line of text


def feature_maps(model, images: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
    """What the named layers put out for a few images: layer → float32 `(batch, height, width, channels)`.

    Layers without height and width, such as dense ones, give `(batch, units)`. The model is a Functional or
    Sequential one, and the layers may be inside models nested in it; `images` are a batch as the model takes it.
    The network runs in inference mode.

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
        raise ValueError(f"layer {name!r} puts out several tensors: name a layer that puts out one")
    return keras.ops.convert_to_numpy(keras.ops.cast(output, "float32"))


@style()
def draw_feature_maps(maps: dict[str, np.ndarray], index: int = 0, *, limit: int = 16, ax=None):
    """The maps of one image of the batch: a row a layer, at most `limit` maps of each; units as one strip.

    Within a layer one scale holds: zero is white, positive red, negative blue, full color at the largest
    absolute value of the layer, which stands above the row.

    Raises:
        ValueError: no maps, maps of another shape, NaN, an image that is not in the batch.
    """
    common.at_least(1, limit=limit)
    if not isinstance(maps, Mapping):
        raise ValueError(f"maps must be a dict layer → maps, as feature_maps returns it, not {described(maps)}")
    if not maps:
        raise ValueError("there are no maps to draw: name the layers to feature_maps")
    rows, bottom = [], 0.0  # from the top down, in inches of a figure WIDTH wide
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
            left, right, below = column * side, (column + 1) * side - GAP, top + height
            ax.imshow(tile, cmap=DIVERGING, vmin=-(scale or 1), vmax=scale or 1, extent=(left, right, below, top))
            ax.plot([left, right, right, left, left], [top, top, below, below, top], color=MUTED, linewidth=0.5)
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
    """One image's maps `(maps, height, width)`; units, or maps of one pixel, as one map one pixel high."""
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

"""Feature maps: what the layers of a network make of an image."""

from collections.abc import Sequence

import numpy as np

from course_lib import common
from course_lib.visualization.checks import batch_for, leaf_layers, outputs_of
from course_lib.visualization.style import DIVERGING, MUTED, new_axes, style

WIDTH, GAP, TITLE = 8.5, 0.06, 0.3  # inches: a row, between maps, a row's line of text


def feature_maps(model, images: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
    """What the named layers put out for a few images: layer → float32 `(batch, height, width, channels)`.

    Layers without height and width, such as dense ones, give `(batch, units)`. The model is a Functional or
    Sequential one, and the layers may be inside models nested in it; `images` are a batch as the model takes it.
    The network runs in inference mode.

    Raises:
        ValueError: a layer that is not there (the nearest are named), images that do not fit the model's
            input, a model that was never built, or a subclassed one, whose layers do not say how they connect.
    """
    layers = [layers] if isinstance(layers, str) else list(layers)
    batch = batch_for(model, images)
    import keras

    every = (*model.layers, *leaf_layers(model))
    known = {layer.name: layer for layer in every if not isinstance(layer, keras.layers.InputLayer)}
    for name in layers:
        if name not in known:
            raise common.unknown("layer", name, known)
    if not layers:
        raise ValueError(f"name at least one layer; there are: {', '.join(known)}")
    with outputs_of(known[name] for name in layers) as outputs:
        model(batch, training=False)
    maps = {layer.name: np.asarray(output, dtype=np.float32) for layer, output in outputs}
    return {name: maps[name] for name in layers}


@style()
def draw_feature_maps(maps: dict[str, np.ndarray], index: int = 0, *, limit: int = 16, ax=None):
    """The maps of one image of the batch: a row a layer, at most `limit` maps of each; units as one strip.

    Within a layer one scale holds: zero is white, positive red, negative blue, full color at the largest
    absolute value of the layer, which stands above the row.

    Raises:
        ValueError: no maps, maps of another shape, an image that is not in the batch.
    """
    common.at_least(1, limit=limit)
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
    ax = new_axes(WIDTH, bottom) if ax is None else ax
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
    values = np.asarray(values)
    if values.ndim not in (2, 4):
        raise ValueError(
            f"the maps of {name!r} must be (batch, height, width, channels) or (batch, units), not {values.shape}"
        )
    if index not in range(len(values)):
        raise ValueError(f"index must be 0 to {len(values) - 1}, an image there are maps of, not {index!r}")
    if values.shape[1:-1] in ((), (1, 1)):
        return values[index].reshape(1, 1, -1)
    return np.moveaxis(values[index], -1, 0)

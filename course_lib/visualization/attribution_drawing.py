"""How attribution maps are drawn: over their image in gray, one map or several on one color scale."""

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib.array_checks import finite_array
from course_lib.model_checks import described
from course_lib.visualization.images import unit_range
from course_lib.visualization.style import DIVERGING, INK, given_or_new, new_axes, style


@style()
def plot_attribution(image: np.ndarray, attribution: np.ndarray, *, label: str = "", ax=None):
    """An attribution map over its image in gray: red is positive, blue negative, transparent zero.

    Args:
        image: `(height, width, channels)` or `(height, width)`.
        attribution: a map `(rows, columns)` of any size, stretched over the image. Of a map with channels, which must
            have the height and width of the image, the largest absolute value is drawn.
        label: the name of the values, written at the color bar.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: an image or a map of another shape, a batch of several, or NaN.
    """
    picture, values = _picture_and_map(image, attribution)
    ax = given_or_new(ax, 4.6, 3.8)
    drawn = _draw(ax, picture, values, _largest([values]))
    _color_bar(ax, drawn, [values], label, aspect=15)
    return ax


@style()
def plot_attributions(
    images: np.ndarray,
    attributions: Mapping[str, np.ndarray],
    titles: Sequence[str] = (),
    *,
    squares: Mapping[str, int] | None = None,
    width: float = 2.9,
):
    """Several images side by side; below them a row for each kind of attribution map, with one color scale per row.

    Args:
        images: `(n, height, width, channels)`.
        attributions: name of the values → maps `(n, rows, columns)`.
        titles: one per image, written above it.
        squares: name of the values → side of a square in pixels, such as the `size` of `occlusion`. The square with the
            largest absolute value is outlined on each map and on the image.
        width: of an image, in inches.

    Returns:
        The Axes, `(1 + kinds, n)`.

    Raises:
        ValueError: no maps, not one map and one title per image, or a square for values that are not drawn.
    """
    if not isinstance(attributions, Mapping) or not attributions:
        raise ValueError(f"attributions must be a dict name → maps, not {described(attributions)}")
    squares = squares or {}
    _check_attributions(len(images), attributions, titles, squares)
    rows = 1 + len(attributions)
    size = width * len(images) + 0.8, 0.93 * width * rows + 0.3
    axes = new_axes(*size, rows=rows, columns=len(images), squeeze=False)
    for ax, image in zip(axes[0], images, strict=True):
        ax.imshow(unit_range(np.asarray(image)[None])[0].squeeze(), cmap="gray", vmin=0, vmax=1)
        ax.set_axis_off()
    for row, (name, maps) in zip(axes[1:], attributions.items(), strict=True):
        pairs = [_picture_and_map(image, each) for image, each in zip(images, maps, strict=True)]
        limit = _largest([values for _, values in pairs])
        for above, ax, (picture, values) in zip(axes[0], row, pairs, strict=True):
            drawn = _draw(ax, picture, values, limit)
            if name in squares:
                _outline([above, ax], values, squares[name], picture.shape)
        _color_bar(list(row), drawn, [values for _, values in pairs], name, aspect=18)
    room = axes[0, 0].get_figure().colorbar(drawn, ax=list(axes[0]), pad=0.02, aspect=18)
    room.ax.set_visible(False)  # leaves the images as wide as their maps
    for ax, title in zip(axes[0], titles, strict=False):
        ax.set_title(title)
    return axes


def _check_attributions(count: int, attributions: Mapping, titles: Sequence[str], squares: Mapping) -> None:
    """Raises ValueError where the arguments of `plot_attributions` do not fit each other."""
    for name, maps in attributions.items():
        if len(maps) != count:
            raise ValueError(f"one map per image is needed: {count} images, {len(maps)} maps of {name!r}")
    if titles and len(titles) != count:
        raise ValueError(f"one title per image is needed: {count} images, {len(titles)} titles")
    if unknown := [name for name in squares if name not in attributions]:
        raise ValueError(f"squares must name values among {', '.join(attributions)}, not {', '.join(unknown)}")


def _outline(axes: list, values: np.ndarray, side: int, shape: tuple[int, int]) -> None:
    """Outlines the square of `side` pixels around the place of the largest absolute value, on each of `axes`."""
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    row, column = np.unravel_index(np.abs(values).argmax(), values.shape)
    left = (column + 0.5) * shape[1] / values.shape[1] - 0.5 - side / 2
    top = (row + 0.5) * shape[0] / values.shape[0] - 0.5 - side / 2
    for ax in axes:
        border = Rectangle((left, top), side, side, fill=False, edgecolor=INK, linewidth=1.8)
        border.set_path_effects([withStroke(linewidth=4, foreground="white")])  # seen on dark pictures, too
        ax.add_patch(border)


def _picture_and_map(image: np.ndarray, attribution: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The image in gray, `(height, width)`, and the map that is drawn over it."""
    pixels = finite_array("image", image)
    if pixels.ndim == 4 and len(pixels) != 1:
        raise ValueError(f"image must be one image, such as images[0], not a batch of the shape {pixels.shape}")
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    picture = unit_range(pixels[None] if pixels.ndim == 3 else pixels)[0].mean(axis=-1)
    return picture, _one_map(attribution, picture.shape)


def _largest(maps: list[np.ndarray]) -> float:
    """The largest absolute value of the maps; 1 where all are 0."""
    return max(float(np.abs(values).max()) for values in maps) or 1.0


def _draw(ax, picture: np.ndarray, values: np.ndarray, limit: float):
    """Draws a map over its picture, with the darkest colors at `limit`, and returns what a color bar needs."""
    ax.imshow(picture, cmap="gray", vmin=-1, vmax=1)  # from middle gray to white, so that colors show everywhere
    extent = ax.images[-1].get_extent()
    ax.set_axis_off()
    return ax.imshow(values, cmap=_clear_at_zero(), vmin=-limit, vmax=limit, extent=extent)


def _color_bar(axes, drawn, maps: list[np.ndarray], label: str, aspect: float) -> None:
    """The color bar of one or several Axes; from 0 on where no map has a negative value."""
    first = axes[0] if isinstance(axes, list) else axes
    bar = first.get_figure().colorbar(drawn, ax=axes, label=label, pad=0.02, aspect=aspect)
    limit = _largest(maps)
    bar.ax.set_ylim(-limit if min(values.min() for values in maps) < 0 else 0, limit)


def _one_map(attribution: np.ndarray, image_shape: tuple[int, int]) -> np.ndarray:
    """The map `(rows, columns)` that `plot_attribution` draws."""
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
    """The diverging colors, more transparent toward zero.

    The transparency is in the colors: an array as `alpha` of `imshow` makes Matplotlib 3.10.0 hide what lies below.
    """
    import matplotlib
    from matplotlib.colors import ListedColormap

    places = np.linspace(0, 1, 511)
    colors = matplotlib.colormaps[DIVERGING](places)
    colors[:, 3] = np.sqrt(np.abs(2 * places - 1))
    return ListedColormap(colors)

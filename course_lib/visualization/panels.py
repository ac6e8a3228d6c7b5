"""Pictures of any size side by side: a scene and its channels, a map and what pooling makes of it."""

from collections.abc import Collection, Mapping

import numpy as np

from course_lib import common
from course_lib.array_checks import finite_array
from course_lib.model_checks import described
from course_lib.visualization.style import DIVERGING, INK, given_or_new, new_axes, style

MOST_NUMBERS = 256  # of a picture whose values are written into it
FEW_NUMBERS = 64  # up to here they are written larger
LUMINANCE = np.array([0.299, 0.587, 0.114])  # of red, green and blue
DARK = 0.43  # below this luminance a number is white


@style()
def plot_panels(
    pictures: Mapping[str, np.ndarray],
    *,
    columns: int | None = None,
    width: float = 2.1,
    signed: Collection[str] = (),
):
    """Pictures of any sizes in a grid, each with its title.

    Args:
        pictures: title → `(height, width)`, `(height, width, 1)` or `(height, width, 3)`. Whole numbers are drawn from
            0 to 255, floats from 0 to 1; gray ones with values below 0 are drawn blue to red, with white for 0.
        columns: how many stand in a row; by default at most 4.
        width: of one picture, in inches.
        signed: titles of gray pictures that share one scale, blue to red with white for 0, and one color key.

    Returns:
        The Axes, one per picture in their order, `(pictures,)`, on which more can be drawn.

    Raises:
        ValueError: no pictures, an array that is no picture, or `signed` names none of the gray ones.
    """
    if not isinstance(pictures, Mapping) or not pictures:
        raise ValueError(f"pictures must be a dict title → picture, not {described(pictures)}")
    columns = min(4, len(pictures)) if columns is None else columns
    common.at_least(1, columns=columns)
    found = {title: _picture(title, picture) for title, picture in pictures.items()}
    if isinstance(signed, str) or any(title not in found or found[title].ndim != 2 for title in signed):
        raise ValueError(f"signed must be a list of titles of gray pictures among {', '.join(found)}, not {signed!r}")
    rows = -(-len(found) // columns)
    tallest = max(picture.shape[0] / picture.shape[1] for picture in found.values())
    lines = 1 + max(title.count("\n") for title in found)
    height = rows * (width * tallest + 0.24 * lines)
    axes = np.ravel(new_axes(columns * width + 0.8 * bool(signed), height, rows=rows, columns=columns))
    for ax in axes:
        ax.set_axis_off()
    for ax, (title, picture) in zip(axes, found.items(), strict=False):
        ax.set_axis_on()
        _draw(ax, picture, title)
    if signed:
        _share_scale([ax for ax, title in zip(axes, found, strict=False) if title in signed], axes)
    return axes[: len(found)]


@style()
def plot_numbers(picture: np.ndarray, *, limits=(0, 255), spec: str = "g", colors: str = "gray", ax=None):
    """A small picture with each pixel's number written into it.

    Args:
        picture: `(height, width)`, at most 256 pixels.
        limits: (smallest, largest) of the color scale; the same for pictures that are to be compared.
        spec: how a number is written, as in an f-string.
        colors: the name of Matplotlib's color map.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: not `(height, width)`, more than 256 pixels, or impossible limits.
    """
    picture = finite_array("picture", picture)
    if picture.ndim != 2 or not 0 < picture.size <= MOST_NUMBERS:
        raise ValueError(f"picture must be (height, width) of at most {MOST_NUMBERS} pixels, not {picture.shape}")
    low, high = (common.number("limits", end, -1e9, 1e9) for end in limits)
    common.number("the larger limit", high, low + 1e-12, 1e9)
    height, width = picture.shape
    ax = given_or_new(ax, 0.34 * width, 0.28 * height)
    drawn = ax.imshow(picture, cmap=colors, vmin=low, vmax=high, interpolation="nearest", aspect="auto")
    size = 9 if picture.size > FEW_NUMBERS else 11
    for (row, column), value in np.ndenumerate(picture):
        color = "white" if drawn.to_rgba(value)[:3] @ LUMINANCE < DARK else INK
        ax.text(column, row, format(value, spec), ha="center", va="center", fontsize=size, color=color)
    ax.set_axis_off()
    return ax


def _picture(title: str, picture: np.ndarray) -> np.ndarray:
    """The picture as imshow takes it."""
    picture = finite_array(f"the picture {title!r}", picture)
    if picture.ndim == 3 and picture.shape[-1] == 1:
        picture = picture[..., 0]
    if not picture.size or not (picture.ndim == 2 or (picture.ndim == 3 and picture.shape[-1] == 3)):
        raise ValueError(f"the picture {title!r} must be (height, width) or (height, width, 3), not {picture.shape}")
    return picture


def _draw(ax, picture: np.ndarray, title: str) -> None:
    highest = 255 if picture.dtype.kind in "iu" else 1
    colors = {"cmap": "gray", "vmin": 0, "vmax": highest}
    if picture.ndim == 2 and picture.min() < 0:
        largest = np.abs(picture).max()
        colors = {"cmap": DIVERGING, "vmin": -largest, "vmax": largest}
    elif picture.ndim == 3:
        picture = np.clip(picture, 0, highest)
    ax.imshow(picture, interpolation="nearest", **colors)
    ax.set_title(title, fontsize=11, pad=3)
    ax.set(xticks=[], yticks=[])


def _share_scale(signed: list, axes: np.ndarray) -> None:
    """One scale around 0 for the pictures on the Axes `signed`, and its key beside all `axes`."""
    largest = max(float(np.abs(ax.images[0].get_array()).max()) for ax in signed) or 1.0
    for ax in signed:
        ax.images[0].set(cmap=DIVERGING, clim=(-largest, largest))
    axes[0].get_figure().colorbar(signed[0].images[0], ax=list(axes), shrink=0.6, label="value of the map")

"""Images in a grid, with their labels and predictions."""

import math
import numbers
from collections.abc import Sequence

import numpy as np

from course_lib import common
from course_lib.array_checks import array_of, finite_array
from course_lib.label_checks import class_numbers, is_text, name_list
from course_lib.visualization.style import INK, MUTED, WRONG, check_axes, new_axes, style

CAPTION = 0.23  # inches per line of text above an image
WIDTH = 8.5  # inches of a full-width figure
MOST = 1_000  # images per figure: more take long and are too small to see


def montage(images: np.ndarray, columns: int, pad: int | tuple[int, int] = 1, fill: float | None = None) -> np.ndarray:
    """Images `(n, height, width, channels)` in one array, row by row.

    Args:
        images: the images; floats or whole numbers.
        columns: images per row.
        pad: pixels between two images: one number, or (between rows, between columns).
        fill: the value of these pixels and of places left over; by default white: 255 for whole numbers, else 1.

    Returns:
        `(rows·(height + pad) − pad, columns·(width + pad) − pad, channels)`.

    Raises:
        ValueError: images of another shape, or an impossible number of columns or pixels.
    """
    images = array_of("images", images)
    if images.ndim != 4 or 0 in images.shape:
        raise ValueError(f"images must have the shape (n, height, width, channels), not {images.shape}")
    down, across = pad if np.shape(pad) == (2,) else (pad, pad)
    common.at_least(1, columns=columns)
    common.at_least(0, **{"pad between rows": down, "pad between columns": across})
    dtype = np.result_type(images.dtype, float)
    if images.dtype.kind in "iu":
        dtype = images.dtype
        highest = np.iinfo(images.dtype).max
        fill = 255 if fill is None else fill
        if not isinstance(fill, numbers.Real) or not 0 <= fill <= highest or fill != int(fill):
            raise ValueError(f"fill must be a whole number from 0 to {highest}, as the images are, not {fill!r}")
    elif not isinstance(fill, (numbers.Real, type(None))):
        raise ValueError(f"fill must be a number, not {fill!r}")
    count, height, width, channels = images.shape
    rows = math.ceil(count / columns)
    shape = (rows * (height + down) - down, columns * (width + across) - across, channels)
    canvas = np.full(shape, 1.0 if fill is None else fill, dtype)
    for index, image in enumerate(images):
        top = index // columns * (height + down)
        left = index % columns * (width + across)
        canvas[top : top + height, left : left + width] = image
    return canvas


@style()
def plot_images(
    images: np.ndarray,
    labels: Sequence[int] | None = None,
    predictions: Sequence[int] | None = None,
    class_names: Sequence[str] | None = None,
    *,
    columns: int | None = None,
    value_range: tuple[float, float] | None = None,
    ax=None,
):
    """A grid of images; above each its label, or label→prediction in another color if they differ.

    Args:
        images: `(n, height, width, channels)` with 1 or 3 channels, `(n, height, width)`, or one image
            `(height, width, channels)`.
        labels: one per image: a whole number, or one of `class_names`.
        predictions: the same.
        class_names: the names of the classes by number.
        columns: images per row; by default as many as fit.
        value_range: the values drawn black and white; by default 0 and 255 for uint8, 0 and 1 for floats between
            them, else the smallest and the largest value of all images.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: arrays that are not images, more than 1,000 images, NaN; labels, predictions or names that do not
            fit the images or each other.
    """
    tiles = unit_range(images, value_range)
    if len(tiles) > MOST:
        raise ValueError(f"{len(tiles):,} images are too many to see: draw at most {MOST:,}, such as images[:100]")
    names = name_list(class_names)
    given = {"labels": labels, "predictions": predictions}
    given = {name: values for name, values in given.items() if values is not None}
    if names is None and given and all(map(is_text, given.values())):
        names = sorted({str(each) for values in given.values() for each in np.ravel(np.asarray(values))})
    classes = {name: class_numbers(name, values, count=len(tiles), names=names) for name, values in given.items()}
    captions = captions_of(classes.get("labels"), classes.get("predictions"), names)
    colors = [INK] * len(tiles)
    if len(classes) == 2:
        colors = [WRONG if wrong else INK for wrong in classes["labels"] != classes["predictions"]]
    if columns is None:
        columns = fitting_columns(captions, at_most=10)
    return draw_tiles(tiles, captions, colors, columns=columns, ax=ax)


def unit_range(images: np.ndarray, value_range: tuple[float, float] | None = None) -> np.ndarray:
    """Images as floats `(n, height, width, channels)` in [0, 1], all on one scale (see `plot_images`).

    Raises:
        ValueError: no images, NaN, or an array without the shape of images.
    """
    tiles = _four_axes(finite_array("images", images))
    if value_range is None:
        if tiles.dtype == np.uint8:
            value_range = (0, 255)
        else:
            low = float(tiles.min())
            high = float(tiles.max())
            value_range = (0, 1) if low >= 0 and high <= 1 else (low, high if low < high else low + 1)
    limits = array_of("value_range", value_range)
    if limits.shape != (2,) or not limits[0] < limits[1]:
        raise ValueError(f"value_range must be (smaller, larger), not {value_range!r}")
    low, high = map(float, limits)
    return np.clip((tiles.astype(np.float32) - low) / (high - low), 0, 1)


def _four_axes(images: np.ndarray) -> np.ndarray:
    """`(n, height, width, channels)` of the shapes that `plot_images` takes."""
    tiles = images
    if images.ndim == 3:
        # A last axis of 1 or 3 means channels of one image, unless the array may be gray kernels of 3×3.
        one_picture = images.shape[-1] == 1 or (images.shape[-1] == 3 and images.shape[1] > 3)
        tiles = images[None] if one_picture else images[..., None]
    if tiles.ndim != 4 or tiles.shape[-1] not in (1, 3) or 0 in tiles.shape:
        first = images.ndim == 4 and images.shape[1] in (1, 3)
        advice = ": channels come last here, np.moveaxis(images, 1, -1)" if first else ""
        raise ValueError(
            "images must have the shape (n, height, width, channels) with 1 or 3 channels, "
            f"or (n, height, width), n at least 1; not {images.shape}{advice}"
        )
    return tiles


def class_name(index: int, names: list[str] | None) -> str:
    """The name of a class, or its number where there are no names."""
    return str(index) if names is None else names[index]


def captions_of(labels, predictions, names: list[str] | None = None) -> list[str]:
    """The text above each image: its label, and after an arrow the prediction if it differs.

    Long names go on two lines. Labels or predictions may be None.
    """
    if labels is None and predictions is None:
        return []
    if predictions is None:
        return [class_name(label, names) for label in labels]
    if labels is None:
        return ["→" + class_name(prediction, names) for prediction in predictions]
    arrow = "\n→" if max(map(len, names or ["0"])) > 3 else "→"
    captions = []
    for label, prediction in zip(labels, predictions, strict=True):
        wrong = "" if label == prediction else arrow + class_name(prediction, names)
        captions.append(class_name(label, names) + wrong)
    return captions


def fitting_columns(captions: Sequence[str], at_most: int) -> int:
    """The largest number of columns that leaves room for every caption, at 0.105 inches per character."""
    longest = max((len(line) for caption in captions for line in caption.split("\n")), default=0)
    return max(1, min(at_most, int(WIDTH / (0.105 * longest + 0.1))))


def draw_tiles(tiles, captions=(), colors=(), *, columns: int, group: int = 1, ax=None, **scale):
    """Tiles in a grid, a caption above each, a thin frame around it; `scale` goes to `imshow`.

    `group` neighbors in a row stand together, with a wider gap to the next ones.
    """
    common.at_least(1, columns=columns)
    count, height, width, channels = tiles.shape
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    caption = CAPTION * max((text.count("\n") + 1 for text in captions), default=1 / 3)  # inches
    if ax is None:
        figure_width = min(WIDTH, 1.2 * columns)
        ax = new_axes(figure_width, rows * (figure_width / columns * height / width + caption))
    check_axes(ax)
    across = max(1, round(width / 14))
    apart = across if group == 1 else 4 * across  # between groups
    down = _caption_pixels(ax, caption, columns * (width + across), rows, height)
    fill = np.nan if channels == 1 else 1.0
    strips = [montage(tiles[at : at + group], group, across, fill) for at in range(0, count, group)]
    canvas = montage(np.stack(strips), columns // group, (down, apart), fill)
    options = {"cmap": "gray", "vmin": 0, "vmax": 1} | scale
    ax.imshow(canvas.squeeze(-1) if channels == 1 else canvas, **options)
    ax.set(xlim=(-1, canvas.shape[1]), ylim=(canvas.shape[0], -down if captions else -1))
    for index in range(count):
        row, column = divmod(index, columns)
        left = column * (width + across) + column // group * (apart - across) - 0.5
        top = row * (height + down) - 0.5
        right = left + width
        bottom = top + height
        ax.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color=MUTED, linewidth=0.5)
        if captions:
            weight = "bold" if colors[index] == WRONG else "normal"
            ax.text((left + right) / 2, top - 0.02 * height, captions[index], color=colors[index], weight=weight,
                    fontsize=11, ha="center", va="bottom", linespacing=1.0)  # fmt: skip
    return ax


def _caption_pixels(ax, caption: float, width: int, rows: int, height: int) -> int:
    """How many image pixels `caption` inches are, once `rows` tiles and captions fill these Axes."""
    ax.set_axis_off()
    figure = ax.get_figure(root=True)
    figure.draw_without_rendering()  # the layout now gives the Axes their size
    box = ax.get_window_extent()
    pixels_per_dot = max(width / box.width, rows * height / max(box.height - rows * caption * figure.dpi, 1))
    return min(math.ceil(caption * figure.dpi * pixels_per_dot), 2 * height)

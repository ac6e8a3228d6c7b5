"""Pictures in a grid, with what they are and what a network took them for."""

import math
from collections.abc import Sequence

import numpy as np

from course_lib import common
from course_lib.visualization.style import INK, MUTED, WRONG, new_axes, style

CAPTION = 0.23  # inches that a line of caption takes
WIDTH = 8.5  # inches of a full-width figure


def montage(images: np.ndarray, columns: int, pad: int | tuple[int, int] = 1, fill: float = 1.0) -> np.ndarray:
    """Images `(n, height, width, channels)` row by row in one array, `pad` pixels of `fill` between them.

    `pad` is one number or (between rows, between columns). Returns
    `(rows·(height + pad) − pad, columns·(width + pad) − pad, channels)`; places left over hold `fill`.
    """
    common.at_least(1, columns=columns)
    count, height, width, channels = images.shape
    down, across = (pad, pad) if np.isscalar(pad) else pad
    rows = math.ceil(count / columns)
    shape = (rows * (height + down) - down, columns * (width + across) - across, channels)
    canvas = np.full(shape, fill, dtype=np.result_type(images.dtype, type(fill)))
    for index, image in enumerate(images):
        top, left = index // columns * (height + down), index % columns * (width + across)
        canvas[top : top + height, left : left + width] = image
    return canvas


@style()
def images(
    images: np.ndarray,
    labels: Sequence[int] | None = None,
    predictions: Sequence[int] | None = None,
    class_names: Sequence[str] | None = None,
    *,
    columns: int | None = None,
    value_range: tuple[float, float] | None = None,
    ax=None,
):
    """A grid of images; above each its label, or answer→prediction in another color where they differ.

    `images` are `(n, height, width, channels)` with 1 or 3 channels, or `(n, height, width)`. `value_range`
    holds the values drawn black and white: by default 0 and 255 for uint8, 0 and 1 for floats within them,
    else the smallest and the largest value of all images together.

    Raises:
        ValueError: shapes that are no images, or lengths that do not fit each other.
    """
    tiles = unit_range(images, value_range)
    for name, values in (("labels", labels), ("predictions", predictions)):
        if values is not None and len(values) != len(tiles):
            raise ValueError(f"{name} must have one entry an image, {len(tiles)} in all, not {len(values)}")
    captions = captions_of(labels, predictions, class_names)
    colors = [INK] * len(tiles)
    if labels is not None and predictions is not None:
        colors = [WRONG if wrong else INK for wrong in np.not_equal(labels, predictions)]
    if columns is None:
        columns = fitting_columns(captions, at_most=10)
    return draw_tiles(tiles, captions, colors, columns=columns, ax=ax)


def unit_range(images: np.ndarray, value_range: tuple[float, float] | None = None) -> np.ndarray:
    """Images as floats `(n, height, width, channels)` in [0, 1], all on one scale (see `images`).

    Raises:
        ValueError: no images, or an array that does not have the shape of images.
    """
    images = np.asarray(images)
    tiles = images[..., None] if images.ndim == 3 else images
    if tiles.ndim != 4 or tiles.shape[-1] not in (1, 3) or 0 in tiles.shape:
        raise ValueError(
            "images must have the shape (n, height, width, channels) with 1 or 3 channels, "
            f"or (n, height, width), n at least 1; not {images.shape}"
        )
    if value_range is None:
        if tiles.dtype == np.uint8:
            value_range = (0, 255)
        else:
            low, high = float(tiles.min()), float(tiles.max())
            value_range = (0, 1) if low >= 0 and high <= 1 else (low, high if low < high else low + 1)
    low, high = value_range
    if not low < high:
        raise ValueError(f"value_range must be (smaller, larger), not {value_range!r}")
    return np.clip((tiles.astype(np.float32) - low) / (high - low), 0, 1)


def class_name(index: int, class_names: Sequence[str] | None) -> str:
    """The name of a class, or its number where there are no names."""
    return str(index) if class_names is None else str(class_names[index])


def captions_of(labels, predictions, class_names: Sequence[str] | None = None) -> list[str]:
    """What stands above each image: its label, and after an arrow a prediction that differs from it.

    Long names go on two lines. Either of labels and predictions may be None.
    """
    if labels is None and predictions is None:
        return []
    if predictions is None:
        return [class_name(label, class_names) for label in labels]
    if labels is None:
        return ["→" + class_name(prediction, class_names) for prediction in predictions]
    arrow = "\n→" if max(map(len, class_names or ["0"])) > 3 else "→"
    captions = []
    for answer, prediction in zip(labels, predictions, strict=True):
        wrong = "" if answer == prediction else arrow + class_name(prediction, class_names)
        captions.append(class_name(answer, class_names) + wrong)
    return captions


def fitting_columns(captions: Sequence[str], at_most: int) -> int:
    """As many columns as leave every caption room, at 0.105 inches a character."""
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
        right, bottom = left + width, top + height
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
    figure.draw_without_rendering()  # now the layout gives the Axes its size
    box = ax.get_window_extent()
    pixels_per_dot = max(width / box.width, rows * height / max(box.height - rows * caption * figure.dpi, 1))
    return min(math.ceil(caption * figure.dpi * pixels_per_dot), 2 * height)

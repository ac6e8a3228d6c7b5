"""A network drawn to scale from the model itself, as in Figure 2 of LeCun et al. (1998)."""

import itertools

from course_lib.visualization.architecture_layout import Box, arranged, is_bar, label_width, size_of
from course_lib.visualization.architecture_stages import stages
from course_lib.visualization.style import FAINT, INK, MUTED, given_or_new, style

# All lighter than the palette, so that what is drawn on them stands out.
COLORS = {"input": "#F2F2F2", "convolution": "#BBDFF5", "pooling": "#F8D99A", "dense": "#A5DAC8"}
ROOTS = "Drawn on a square-root scale: sides of maps by √pixels,\ndepths of stacks by √maps, lengths of bars by √units."


@style()
def plot_architecture(model, *, ax=None):
    """The network as stacks of feature maps and bars of units, from the input to the output, in rows.

    The sides of the maps are in proportion to their pixels, the depth of a stack and the length of a bar to the
    number of maps or units; where some would be too small to see, to the square roots, and the figure says so. On
    each stack one window of the next operation is drawn to scale. A network whose convolutions have two groups, such
    as AlexNet, is drawn as two towers. A block with branches is written below its arrow, with the number of equal
    blocks that follow each other; `plot_block` draws the inside of one.

    Raises:
        ValueError: no built Keras model that takes images of a fixed size and uses each layer once; a model inside
            the model; branches within branches.

    Example:
        >>> ax = visualization.plot_architecture(models.build("alexnet"))
    """
    boxes = arranged(stages(model))
    first = boxes[0]
    last = boxes[-1]
    right = max(max(box.right + 0.35, box.middle + label_width(box) / 2) for box in boxes)
    bottom = last.bottom - (0.5 if first.power < 1 else 0)
    top = first.y + first.above + 0.5
    ax = given_or_new(ax, right + 0.15, top + 0.1 - bottom)
    for box in boxes:
        for offset in box.offsets:
            _stack(ax, box, offset)
        _title(ax, box)
    for before, after in itertools.pairwise(boxes):
        _step(ax, before, after)
    if first.power < 1:
        ax.text(0, bottom, ROOTS, va="bottom", fontsize=10, color=MUTED)
    ax.set(xlim=(-0.15, right), ylim=(bottom, top), aspect="equal")
    ax.set_axis_off()
    return ax


def _title(ax, box: Box) -> None:
    y = box.y + box.above + 0.2
    ax.text(box.middle, y + 0.02, box.stage.name, ha="center", va="bottom", weight="bold", fontsize=12)
    ax.text(box.middle, y - 0.02, size_of(box), ha="center", va="top", fontsize=11)


def _stack(ax, box: Box, offset: float) -> None:
    """A stack, its back map first; it shows at most 32 maps, and no more than can be told apart."""
    closest = 0.01 if box.power == 1 else 0.022
    maps = box.stage.shape[-1] // box.towers
    count = 1 if is_bar(box.stage) else min(32, maps, 1 + int(box.depth / closest))
    for index in range(count):
        shift = box.depth * index / max(1, count - 1)
        left = box.left + shift
        top = box.y + offset + (box.height + box.depth) / 2 - shift
        corners = [left, left + box.width, left + box.width, left], [top, top, top - box.height, top - box.height]
        ax.fill(*corners, facecolor=COLORS[box.stage.kind], edgecolor=INK, linewidth=0.7, zorder=3)


def _step(ax, before: Box, after: Box) -> None:
    """The operation between two stages: drawn between them, and written below an arrow."""
    start = after.entry + 0.08
    end = after.middle - 0.08
    y = after.y - after.above
    if before.y != after.y:
        _arrow(ax, before.middle + 0.08, before.middle + 0.7, before.y - before.above)
    elif after.stage.window and len(before.stage.shape) == 3:
        for source in before.offsets:
            for target in after.offsets:
                if after.mixes or source == target or before.towers != after.towers:
                    _window(ax, before, source, after, target)
    elif is_bar(after.stage):
        _all_connected(ax, before, after)
    words = "\n".join(after.words)
    ax.text((start + end) / 2, y - 0.06, words, ha="center", va="top", fontsize=11, linespacing=1.1)
    _arrow(ax, start, end, y)


def _arrow(ax, start: float, end: float, y: float) -> None:
    ax.annotate("", (end, y), (start, y), arrowprops={"arrowstyle": "->", "color": MUTED, "linewidth": 1.2})


def _all_connected(ax, before: Box, after: Box) -> None:
    """A shadow from end to end: each unit sees the whole stage before."""
    left, top = before.front(before.offsets[0])
    bottom = before.front(before.offsets[-1])[1] - before.height
    right = left + before.width
    end = after.height / 2
    corners = [right, after.left, after.left, right], [top, after.y + end, after.y - end, bottom]
    ax.fill(*corners, facecolor=FAINT, alpha=0.6, linewidth=0)


def _window(ax, before: Box, source: float, after: Box, target: float) -> None:
    """The window of one unit of the next stage, to scale, with lines to that unit."""
    rows, columns = before.stage.shape[:2]
    height = before.height * min(1, after.stage.window[0] / rows) ** before.power
    width = before.width * min(1, after.stage.window[1] / columns) ** before.power
    left, top = before.front(source)
    x = left + 0.62 * (before.width - width)
    y = top - 0.3 * (before.height - height)
    ax.plot([x, x + width, x + width, x, x], [y, y, y - height, y - height, y], color=INK, linewidth=1, zorder=4)
    left, top = after.front(target)
    unit_x = left + (0.5 if is_bar(after.stage) else 0.25) * after.width
    unit_y = top - 0.3 * after.height
    for corner in (y, y - height):
        ax.plot([x + width, unit_x], [corner, unit_y], color=INK, linewidth=0.8, zorder=4)
    ax.plot(unit_x, unit_y, "s", color=INK, markersize=3, zorder=4)

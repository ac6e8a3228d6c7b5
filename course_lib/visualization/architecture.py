"""A network drawn to scale from the model itself, as in Figure 2 of LeCun et al. (1998)."""

import dataclasses
import itertools

from course_lib.visualization import architecture_blocks as blocks
from course_lib.visualization.architecture_stages import Stage, stages
from course_lib.visualization.style import FAINT, INK, MUTED, given_or_new, style

SIDE, DEPTH = 1.3, 1.3  # inches: the longest side of a map, and the most maps or units
ROW = 12.0  # inches: what is longer goes on in another row
RANGE = 10  # where the longest side is more than so many times the shortest, square roots are drawn
ROOTS = "Drawn on a square-root scale: sides of maps by √pixels,\ndepths of stacks by √maps, lengths of bars by √units."


@style()
def architecture(model, *, ax=None):
    """The network as stacks of maps and bars of units, from the input to the output, in rows.

    Sides of maps are in proportion to their pixels, and the depth of a stack and the length of a bar to the
    number of maps or units; where some would be too small to see, to the square roots, and the figure says so.
    On each stack one window of the next operation is drawn, to scale as well. The branches of a block are
    written side by side, with the number of blocks alike that follow each other.

    Raises:
        ValueError: see `stages`.
    """
    boxes = _in_rows(_place(stages(model)))
    steps = list(itertools.pairwise(boxes))
    right = max(max(box.right + 0.35, box.middle + _label_width(box.stage) / 2) for box in boxes)
    right = max([right, *(blocks.reach(before.stage, after.entry) for before, after in steps)])
    bottom = boxes[-1].bottom - (0.5 if boxes[0].power < 1 else 0)
    ax = given_or_new(ax, right + 0.15, boxes[0].y + boxes[0].above + 0.6 - bottom)
    for box in boxes:
        _draw(ax, box)
        y = box.y + box.above + 0.2
        ax.text(box.middle, y + 0.02, box.stage.name, ha="center", va="bottom", weight="bold", fontsize=12)
        ax.text(box.middle, y - 0.02, box.stage.title, ha="center", va="top", fontsize=11)
    for before, after in steps:
        _step(ax, before, after)
    if boxes[0].power < 1:
        ax.text(0, bottom, ROOTS, va="bottom", fontsize=10, color=MUTED)
    ax.set(xlim=(-0.15, right), ylim=(bottom, boxes[0].y + boxes[0].above + 0.5), aspect="equal")
    ax.set_axis_off()
    return ax


@dataclasses.dataclass(frozen=True)
class _Box:
    """A stage at its place, in inches: `width` and `height` of one map, `depth` of the stack."""

    stage: Stage
    left: float
    width: float
    height: float
    depth: float  # how far the front map lies to the right of and below the back one
    power: float  # 1, or 0.5 where square roots are drawn
    entry: float = 0.0  # where the way to it begins: at the middle of the stage before, or at the left of the row
    y: float = 0.0  # of the middle of its row
    above: float = 0.0  # from there to the arrows below the row's stacks, and to the titles above them
    below: float = 0.0  # from the arrows to the end of the row

    @property
    def right(self) -> float:
        return self.left + self.width + self.depth

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    @property
    def bottom(self) -> float:
        """The end of the row."""
        return self.y - self.above - self.below

    @property
    def front(self) -> tuple[float, float]:
        """The upper left corner of the map in front."""
        return self.left + self.depth, self.y + (self.height + self.depth) / 2 - self.depth


def _place(found: list[Stage]) -> list[_Box]:
    """The stages from left to right, far enough apart for what is written above and below them."""
    sides = [side for stage in found if not _is_bar(stage) for side in stage.shape[:2]]
    most = max(stage.shape[-1] for stage in found)
    power = 1 if max(sides) <= RANGE * min(sides) else 0.5
    boxes = []
    for stage in found:
        depth = DEPTH * (stage.shape[-1] / most) ** power
        if _is_bar(stage):
            width, height, depth = 0.14, depth, 0.0
        else:
            height, width = (SIDE * (side / max(sides)) ** power for side in stage.shape[:2])
            depth = depth if stage.shape[-1] > 1 else 0.0
        left = 0.0
        if boxes:
            labels = (_label_width(boxes[-1].stage) + _label_width(stage)) / 2 + 0.12
            apart = max(
                0.09 * max(map(len, blocks.words(stage))), 1.08, labels, blocks.width(stage)
            )  # 1.08: "convolution"
            left = max(boxes[-1].right + 0.4, boxes[-1].middle + apart - (width + depth) / 2)
        boxes.append(_Box(stage, left, width, height, depth, power))
    return boxes


def _in_rows(boxes: list[_Box]) -> list[_Box]:
    """Boxes placed in one row, cut into as few rows of about the same length as fit."""
    for count in range(1, len(boxes) + 1):
        placed = _cut(boxes, count)
        if max(box.right for box in placed) <= ROW:
            break
    return placed


def _cut(boxes: list[_Box], count: int) -> list[_Box]:
    """Boxes placed in one row, cut into `count` of about the same length, one below the other."""
    length, placed = boxes[-1].right, []
    pairs = itertools.pairwise([boxes[0], *boxes])  # each with the one before; the first with itself
    for number, row in itertools.groupby(pairs, lambda pair: int(count * pair[1].middle / length)):
        row = list(row)
        start = row[0][0].middle if number else 0.0
        above = max(box.height + box.depth for _, box in row) / 2
        above += 0.3 if any(box.stage.branches for _, box in row) else 0.15
        below = max(blocks.height(before.stage, box.stage) for before, box in row)
        y = placed[-1].bottom - 0.55 - above if placed else 0.0
        for before, box in row:
            entry, left = before.middle - start, box.left - start
            placed.append(dataclasses.replace(box, left=left, entry=entry, y=y, above=above, below=below))
    return placed


def _label_width(stage: Stage) -> float:
    """About how many inches the name, in bold, and the title below it take."""
    return max(0.115 * len(stage.name), 0.095 * len(stage.title))


def _is_bar(stage: Stage) -> bool:
    return len(stage.shape) == 1 or stage.shape[:2] == (1, 1)


def _draw(ax, box: _Box) -> None:
    """A stack, its back map first; it shows at most 32 maps, and no more than can be told apart."""
    color, closest = blocks.COLORS[box.stage.kind], 0.01 if box.power == 1 else 0.022
    count = 1 if _is_bar(box.stage) else min(32, box.stage.shape[-1], 1 + int(box.depth / closest))
    for index in range(count):
        shift = box.depth * index / max(1, count - 1)
        left, top = box.left + shift, box.y + (box.height + box.depth) / 2 - shift
        corners = [left, left + box.width, left + box.width, left], [top, top, top - box.height, top - box.height]
        ax.fill(*corners, facecolor=color, edgecolor=INK, linewidth=0.7, zorder=3)


def _step(ax, before: _Box, after: _Box) -> None:
    """What is done from one stage to the next: drawn between them, and written under an arrow or as a block."""
    start, end, y = after.entry + 0.08, after.middle - 0.08, after.y - after.above
    if before.y != after.y:
        _arrow(ax, before.middle + 0.08, before.middle + 0.7, before.y - before.above)
    elif after.stage.window and len(before.stage.shape) == 3:
        _window(ax, before, after)
    elif _is_bar(after.stage):
        _all_connected(ax, before, after)
    if after.stage.branches:
        start = blocks.draw(ax, after.stage, start, end, y)
    else:
        ax.text((start + end) / 2, y - 0.06, "\n".join(blocks.words(after.stage)),
                ha="center", va="top", fontsize=11, linespacing=1.1)  # fmt: skip
    _arrow(ax, start, end, y)
    for number, head in enumerate(before.stage.heads):
        blocks.draw_head(ax, head, after.entry, y, after.bottom + blocks.LINE * (number + 0.5))


def _arrow(ax, start: float, end: float, y: float) -> None:
    ax.annotate("", (end, y), (start, y), arrowprops={"arrowstyle": "->", "color": MUTED, "linewidth": 1.2})


def _all_connected(ax, before: _Box, after: _Box) -> None:
    """A shadow from end to end: each unit sees the whole stage before."""
    left, top = before.front
    right, bottom, end = left + before.width, top - before.height, after.height / 2
    corners = [right, after.left, after.left, right], [top, after.y + end, after.y - end, bottom]
    ax.fill(*corners, facecolor=FAINT, alpha=0.6, linewidth=0)


def _window(ax, before: _Box, after: _Box) -> None:
    """The window of one unit of the next stage, to scale, with lines to that unit."""
    rows, columns = before.stage.shape[:2]
    height = before.height * min(1, after.stage.window[0] / rows) ** before.power
    width = before.width * min(1, after.stage.window[1] / columns) ** before.power
    x = before.front[0] + 0.62 * (before.width - width)
    y = before.front[1] - 0.3 * (before.height - height)
    ax.plot([x, x + width, x + width, x, x], [y, y, y - height, y - height, y], color=INK, linewidth=1, zorder=4)
    unit_x = after.left + after.width / 2 if _is_bar(after.stage) else after.front[0] + 0.25 * after.width
    unit_y = after.front[1] - 0.3 * after.height
    for corner in (y, y - height):
        ax.plot([x + width, unit_x], [corner, unit_y], color=INK, linewidth=0.8, zorder=4)
    ax.plot(unit_x, unit_y, "s", color=INK, markersize=3, zorder=4)

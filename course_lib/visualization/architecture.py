"""A network drawn to scale from the model itself, as in Figure 2 of LeCun et al. (1998)."""

import dataclasses
import itertools
import re

from course_lib.visualization.checks import has_kernels
from course_lib.visualization.style import FAINT, INK, MUTED, new_axes, style

# All lighter than the palette, so that what is drawn on them stands out.
COLORS = {"input": "#F2F2F2", "convolution": "#BBDFF5", "pooling": "#F8D99A", "dense": "#A5DAC8"}
SIDE, DEPTH = 1.3, 1.3  # inches: the longest side of a map, and the most maps or units
REORDERS = ("Flatten", "Reshape", "InputLayer")  # they neither compute nor pick


@dataclasses.dataclass(frozen=True)
class Stage:
    """What one layer puts out, and how it made that of the stage before."""

    name: str
    shape: tuple[int, ...]  # (height, width, maps), or (units,)
    kind: str  # "input", "convolution", "pooling" or "dense": what the layer belongs to
    operation: str  # the same, or the class of a layer that Keras does not have, in words
    window: tuple[int, int] | None = None  # the kernel or pooling window, in pixels of the stage before

    @property
    def title(self) -> str:
        """For example "6@28×28", as in the paper, or "84"."""
        if len(self.shape) == 1:
            return str(self.shape[0])
        height, width, maps = self.shape
        return f"{maps}@{height}×{width}"


def stages(model) -> list[Stage]:
    """The input and every layer that computes something new or changes the shape, in order.

    Raises:
        ValueError: the model was never built, is no chain of layers, or does not take images.
    """
    shape = getattr(model, "input_shape", None) if model.built else None
    if not isinstance(shape, tuple) or len(shape) != 4 or None in shape[1:]:
        raise ValueError(
            "architecture draws a built Functional or Sequential model that takes images "
            f"(height, width, channels) of a fixed size; {model.name!r} takes {shape}"
        )
    found = [Stage("input", shape[1:], "input", "input")]
    for layer in model.layers:
        if isinstance(layer.input, (list, tuple)) and len(layer.input) > 1:
            raise ValueError(f"architecture draws a chain of layers; {layer.name!r} joins several branches")
        output = tuple(layer.output.shape[1:])
        window = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
        computes = window is not None or hasattr(layer, "units") or output != found[-1].shape
        if computes and type(layer).__name__ not in REORDERS:
            kind = "convolution" if has_kernels(layer) else "pooling" if len(output) == 3 else "dense"
            found.append(Stage(layer.name, output, kind, _operation(layer), window and tuple(window)))
    return found


def _operation(layer) -> str:
    """What a layer does: "Conv2D" is a convolution, "MaxPooling2D" pooling, "Subsampling2D" subsampling."""
    name = type(layer).__name__.removesuffix("2D")
    for ending, word in (("Conv", "convolution"), ("Pooling", "pooling")):
        if name.endswith(ending) and not name.startswith("Global"):
            return word
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


@style()
def architecture(model, *, ax=None):
    """The network as stacks of maps and bars of units, from the input to the output.

    Sides of maps are in proportion to their pixels, and the depth of a stack and the length of a bar to the
    number of maps or units. On each stack one window of the next operation is drawn, to scale as well.

    Raises:
        ValueError: see `stages`.
    """
    found = stages(model)
    boxes = _place(found)
    top = max(box.height + box.depth for box in boxes) / 2 + 0.15
    if ax is None:
        ax = new_axes(boxes[-1].right + 0.5, 2 * top + 1.2)
    for before, after in itertools.pairwise(boxes):
        _arrow(ax, before, after, -top)
        if after.stage.window is None:
            _all_connected(ax, before, after)
    for box in boxes:
        _draw(ax, box)
        ax.text(box.middle, top + 0.22, box.stage.name, ha="center", va="bottom", weight="bold", fontsize=12)
        ax.text(box.middle, top + 0.18, box.stage.title, ha="center", va="top", fontsize=11)
    for before, after in itertools.pairwise(boxes):
        if after.stage.window is not None:
            _window(ax, before, after)
    ax.set(xlim=(-0.15, boxes[-1].right + 0.35), ylim=(-top - 0.6, top + 0.5), aspect="equal")
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

    @property
    def right(self) -> float:
        return self.left + self.width + self.depth

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    @property
    def front(self) -> tuple[float, float]:
        """The upper left corner of the map in front."""
        return self.left + self.depth, (self.height + self.depth) / 2 - self.depth


def _place(found: list[Stage]) -> list[_Box]:
    """The stages from left to right, far enough apart for what is written above and below them."""
    pixel = SIDE / max(side for stage in found for side in stage.shape[:-1])
    unit = DEPTH / max(stage.shape[-1] for stage in found)
    boxes = []
    for stage in found:
        if _is_bar(stage):
            width, height, depth = 0.14, unit * stage.shape[-1], 0.0
        else:
            width, height = pixel * stage.shape[1], pixel * stage.shape[0]
            depth = unit * stage.shape[-1] if stage.shape[-1] > 1 else 0.0
        left = 0.0
        if boxes:
            apart = max(1.08, (_label_width(boxes[-1].stage) + _label_width(stage)) / 2 + 0.12)  # 1.08: "convolution"
            left = max(boxes[-1].right + 0.4, boxes[-1].middle + apart - (width + depth) / 2)
        boxes.append(_Box(stage, left, width, height, depth))
    return boxes


def _label_width(stage: Stage) -> float:
    """About how many inches the name, in bold, and the title below it take."""
    return max(0.115 * len(stage.name), 0.095 * len(stage.title))


def _is_bar(stage: Stage) -> bool:
    return len(stage.shape) == 1 or stage.shape[:2] == (1, 1)


def _draw(ax, box: _Box) -> None:
    """A stack, its back map first; a stack of more than 32 maps shows 32."""
    color = COLORS[box.stage.kind]
    count = 1 if _is_bar(box.stage) else min(32, box.stage.shape[-1])
    for index in range(count):
        shift = box.depth * index / max(1, count - 1)
        left, top = box.left + shift, (box.height + box.depth) / 2 - shift
        corners = [left, left + box.width, left + box.width, left], [top, top, top - box.height, top - box.height]
        ax.fill(*corners, facecolor=color, edgecolor=INK, linewidth=0.7, zorder=3)


def _arrow(ax, before: _Box, after: _Box, y: float) -> None:
    """What is done from one stage to the next, written under an arrow."""
    words = after.stage.operation.split()
    if after.stage.window:
        words.append("{}×{}".format(*after.stage.window))
    ax.annotate("", (after.middle - 0.08, y), (before.middle + 0.08, y),
                arrowprops={"arrowstyle": "->", "color": MUTED, "linewidth": 1.2})  # fmt: skip
    ax.text((before.middle + after.middle) / 2, y - 0.06, "\n".join(words),
            ha="center", va="top", fontsize=11, linespacing=1.1)  # fmt: skip


def _all_connected(ax, before: _Box, after: _Box) -> None:
    """A shadow from end to end: each unit sees the whole stage before."""
    left, top = before.front
    right, bottom, end = left + before.width, top - before.height, after.height / 2
    corners = [right, after.left, after.left, right], [top, end, -end, bottom]
    ax.fill(*corners, facecolor=FAINT, alpha=0.6, linewidth=0)


def _window(ax, before: _Box, after: _Box) -> None:
    """The window of one unit of the next stage, to scale, with lines to that unit."""
    rows, columns = before.stage.shape[:2]
    height = before.height * min(1, after.stage.window[0] / rows)
    width = before.width * min(1, after.stage.window[1] / columns)
    x = before.front[0] + 0.62 * (before.width - width)
    y = before.front[1] - 0.3 * (before.height - height)
    ax.plot([x, x + width, x + width, x, x], [y, y, y - height, y - height, y], color=INK, linewidth=1, zorder=4)
    unit_x = after.left + after.width / 2 if _is_bar(after.stage) else after.front[0] + 0.25 * after.width
    unit_y = after.front[1] - 0.3 * after.height
    for corner in (y, y - height):
        ax.plot([x + width, unit_x], [corner, unit_y], color=INK, linewidth=0.8, zorder=4)
    ax.plot(unit_x, unit_y, "s", color=INK, markersize=3, zorder=4)

"""The inside of one block of a network, as in Figures 2 and 5 of He et al. (2016)."""

import dataclasses

from course_lib import common
from course_lib.model_checks import check_model
from course_lib.visualization.architecture import COLORS
from course_lib.visualization.architecture_stages import graph_of, operation_of, path_to, window_of
from course_lib.visualization.checks import has_kernels
from course_lib.visualization.style import INK, MUTED, given_or_new, style

STEP = 0.66  # inches from box to box
BETWEEN = {"BatchNormalization": "batch norm", "ReLU": "ReLU", "PReLU": "PReLU", "Dropout": "dropout"}


@style()
def plot_block(model, name: str, *, ax=None):
    """One block of a network, from top to bottom: its layers, their sizes, and the shortcut around them.

    Convolutions and other layers that change the shape are boxes; normalization and activations are written between
    them. Where paths fork and merge, as in a residual block or an Inception module, they stand side by side, the
    longest on the left. Where two are added, x and F(x) stand at the shortcut and at the end of the longer path.

    Args:
        model: the network.
        name: the block, such as "conv2_block1": the names of its layers begin with it.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no layer of such a name, layers that do not follow each other, or branches within branches.

    Example:
        >>> axes = visualization.new_axes(9, 4, columns=3)
        >>> for ax, network in zip(axes, ("plain34", "resnet34", "resnet50"), strict=True):
        ...     visualization.plot_block(models.build(network), "conv3_block2", ax=ax)
    """
    check_model(model)
    sources, _ = graph_of(model)
    paths, merge, tail = _parts(model, name, sources)
    columns = [_boxes(path) for path in paths]
    longest = max(1, *(len(boxes) for boxes in columns))
    bottom = -STEP * (longest + 1)
    end = bottom if merge is None else bottom - STEP
    labels = [box.label for boxes in columns[1:] for box in boxes]
    column = 1.5 + 0.05 * max(map(len, labels), default=8)  # inches from path to path
    ax = given_or_new(ax, column * (len(paths) - 1) + 2.5, 0.7 - end)
    for number, boxes in enumerate(columns):
        if number:
            _side_path(ax, column * number, bottom, boxes)
        else:
            _main_path(ax, bottom, boxes)
    if merge is not None:
        sign = {"add": "+", "concatenate": "concatenate"}.get(operation_of(merge).lower(), operation_of(merge))
        _arrow(ax, bottom, end, [_word(layer) for layer in tail])
        _text(ax, 0, bottom, sign, "white")
        if sign == "+" and len(paths) == 2:
            ax.text(-0.1, bottom + 0.4 * STEP, "$F(x)$", ha="right", va="center", fontsize=12)
            ax.text(0.5 * column, -0.42 * STEP + 0.06, "$x$", ha="center", va="bottom", fontsize=12)
    _text(ax, 0, 0, _size(paths[0][0].input))
    _text(ax, 0, end, _size((tail or [merge or paths[0][-1]])[-1].output))
    ax.set(xlim=(-1.1, column * (len(paths) - 1) + 1.4), ylim=(end - 0.3, 0.3))
    ax.set_axis_off()
    return ax


@dataclasses.dataclass
class _Box:
    """A layer drawn as a box, and the words on the arrow behind it."""

    label: str
    color: str
    after: list[str]


def _parts(model, name: str, sources: dict) -> tuple[list[list], object, list]:
    """The paths of a block, the longest first; the layer that merges them, or None; and the layers behind that."""
    inside = [layer for layer in sources if layer is not None and f"{layer.name}_".startswith(f"{name}_")]
    if not inside:
        raise common.unknown("block", name, {layer.name.rpartition("_")[0] or layer.name for layer in model.layers})
    layer = inside[-1]
    tail = []
    while layer in inside and len(sources[layer]) == 1:
        tail.insert(0, layer)
        layer = sources[layer][0]
    if layer not in inside:
        paths = [tail]
        merge = None
        tail = []
    else:
        merge = layer
        paths = [path_to(source, {*sources} - {*inside}, sources) for source in sources[merge]]
        paths.sort(key=len, reverse=True)
    found = {each for path in paths for each in path} | {*tail, merge}
    if not set(inside) <= found:
        raise ValueError(f"the layers whose names begin with {name!r} are not one block: they do not follow each other")
    return paths, merge, tail


def _boxes(path: list) -> list[_Box]:
    """The layers of a path: boxes, with the words of what follows each."""
    boxes = []
    for layer in path:
        if boxes and (type(layer).__name__ in BETWEEN or type(layer).__name__ == "Activation"):
            boxes[-1].after.append(_word(layer))
            continue
        window = window_of(layer)
        kind = "convolution" if has_kernels(layer) else "pooling" if window else "input"
        maps = layer.output.shape[-1]
        operation = "{}×{}".format(*window) if has_kernels(layer) else operation_of(layer)
        label = f"{operation}, {maps}"
        strides = getattr(layer, "strides", (1, 1))
        if max(strides) > 1:
            label += f", stride {max(strides)}"
        boxes.append(_Box(label, COLORS[kind], []))
    return boxes


def _word(layer) -> str:
    """A normalization or an activation in words."""
    if type(layer).__name__ == "Activation":
        return getattr(layer.activation, "__name__", "activation")
    return BETWEEN.get(type(layer).__name__, operation_of(layer))


def _size(tensor) -> str:
    """The size of a tensor as text, for example "64@56×56"."""
    *sides, maps = tensor.shape[1:]
    return f"{maps}@{'×'.join(map(str, sides))}" if sides else str(maps)


def _main_path(ax, bottom: float, boxes: list[_Box]) -> None:
    """The boxes below each other, with arrows between them."""
    before = 0.0
    words = []
    for place, box in enumerate(boxes, 1):
        _arrow(ax, before, -STEP * place, words)
        _text(ax, 0, -STEP * place, box.label, box.color)
        before = -STEP * place
        words = box.after
    _arrow(ax, before, bottom, words)


def _side_path(ax, x: float, bottom: float, boxes: list[_Box]) -> None:
    """A shortcut or a further branch: a line around the main path, with its boxes in the middle."""
    fork = -0.42 * STEP
    ax.plot([0, x, x], [fork, fork, bottom], color=MUTED, linewidth=1.4, solid_joinstyle="round")
    ends = {"arrowstyle": "->", "color": MUTED, "linewidth": 1.4, "shrinkA": 0, "shrinkB": 11}
    ax.annotate("", (0, bottom), (x, bottom), arrowprops=ends)
    middle = (fork + bottom) / 2
    if not boxes:
        _text(ax, x, middle, "identity", "white", edge="white")
    for place, box in enumerate(boxes):
        y = middle - STEP * (place - (len(boxes) - 1) / 2)
        _text(ax, x, y, box.label, box.color)
        ax.text(x + 0.08, y - STEP / 2, ", ".join(box.after), va="center", fontsize=10, color=MUTED)


def _arrow(ax, start: float, end: float, words: list[str]) -> None:
    """An arrow down the main path, with words beside it."""
    ends = {"arrowstyle": "->", "color": MUTED, "linewidth": 1.4, "shrinkA": 11, "shrinkB": 11}
    ax.annotate("", (0, end), (0, start), arrowprops=ends)
    ax.text(0.08, (start + end) / 2, ", ".join(words), va="center", fontsize=10, color=MUTED)


def _text(ax, x: float, y: float, text: str, color: str | None = None, edge: str = INK) -> None:
    """Text in the middle of a point; in a box that fits it where a color is given."""
    box = {"boxstyle": "round,pad=0.35", "facecolor": color, "edgecolor": edge} if color else None
    ax.text(x, y, text, ha="center", va="center", fontsize=11, bbox=box, zorder=4)

"""What leads from stage to stage in `architecture`: words, or a block's branches as rows of boxes."""

from course_lib.visualization.architecture_stages import Stage
from course_lib.visualization.style import INK, MUTED

# All lighter than the palette, so that what is drawn on them stands out.
COLORS = {"input": "#F2F2F2", "convolution": "#BBDFF5", "pooling": "#F8D99A", "dense": "#A5DAC8"}
LINE = 0.33  # inches from branch to branch
GAP = 0.14  # inches between the boxes of a branch, and from its ends to where it forks and joins


def words(stage: Stage) -> list[str]:
    """What is written under an arrow, line by line."""
    words = stage.operation.split()
    if stage.repeats > 1:
        words = [f"{stage.repeats} {stage.operation}s"]
    if stage.window:
        words.append("{}×{}".format(*stage.window))
    return [*words, f"{stage.groups} groups"] if stage.groups > 1 else words


def width(stage: Stage) -> float:
    """Inches between the middles of two stages that its branches need."""
    rows = [_row_width(_labels(stage, branch)) for branch in stage.branches]
    return max(rows) + 3 * GAP + 0.41 if rows else 0.0


def height(before: Stage, stage: Stage) -> float:
    """Inches below the arrow for what is written there, and for the further outputs of the stage before."""
    rows = LINE * len(stage.branches) + 0.15 if stage.branches else 0.6
    return rows + (LINE * len(before.heads) + 0.2 if before.heads else 0.0)


def reach(stage: Stage, x: float) -> float:
    """How far to the right the further outputs of a stage reach that begin at x."""
    return max((x + _row_width(_head_labels(head)) + 4 * GAP for head in stage.heads), default=0.0)


def draw(ax, stage: Stage, start: float, end: float, y: float) -> float:
    """The branches between two points of a line; returns where the line goes on behind their join."""
    fork, join = start + GAP, end - 0.25
    ax.plot([start, fork], [y, y], color=MUTED, linewidth=1.2)
    for index, branch in enumerate(stage.branches):
        row = y - LINE * index
        ax.plot([fork, fork, join, join], [y, row, row, y], color=MUTED, linewidth=1.2, solid_joinstyle="round")
        labels = _labels(stage, branch)
        left = (fork + join - 0.06 - _row_width(labels)) / 2
        _row(ax, branch or stage.entrance, labels, left, row, dashed=not branch)
    if stage.operation == "add":
        ax.plot(join, y, "o", markersize=11, markerfacecolor="white", markeredgecolor=INK, zorder=4)
        ax.text(join, y, "+", ha="center", va="center_baseline", fontsize=11, zorder=5)
        caption = []
    else:
        ax.plot([join, join], [y, y - LINE * (len(stage.branches) - 1)], color=INK, linewidth=2.5)
        caption = [stage.operation]
    caption += [f"× {stage.repeats}"] if stage.repeats > 1 else []
    ax.text((fork + join) / 2, y - LINE * (len(stage.branches) - 0.45), " ".join(caption),
            ha="center", va="top", fontsize=11)  # fmt: skip
    return join


def draw_head(ax, head: tuple[Stage, ...], x: float, top: float, y: float) -> None:
    """A further output, which begins at a stage and leads to the right below everything else."""
    ax.plot([x, x, x + 2 * GAP], [top, y, y], color=MUTED, linewidth=1.2)
    _row(ax, head, _head_labels(head), x + 2 * GAP, y)


def _head_labels(head: tuple[Stage, ...]) -> list[str]:
    """What the boxes of a further output say: the last, its name and number of units."""
    return [*(stage.label for stage in head[:-1]), f"{head[-1].name}: {head[-1].shape[-1]}"]


def _labels(stage: Stage, branch: tuple[Stage, ...]) -> list[str]:
    """What the boxes of a branch say; the shortcut around a run may have some in the first block only."""
    return [each.label for each in branch] or [f"first: {each.label}" for each in stage.entrance]


def _row_width(labels: list[str]) -> float:
    return sum(map(_box_width, labels)) + GAP * (len(labels) - 1)


def _box_width(label: str) -> float:
    return 0.074 * len(label) + 0.1


def _row(ax, operations, labels: list[str], left: float, y: float, dashed: bool = False) -> None:
    """Boxes from left to right on one line."""
    ax.plot([left, left + _row_width(labels)], [y, y], color=MUTED, linewidth=1.2)
    for operation, label in zip(operations, labels, strict=True):
        right = left + _box_width(label)
        ax.fill([left, right, right, left], [y - 0.12, y - 0.12, y + 0.12, y + 0.12], facecolor=COLORS[operation.kind],
                edgecolor=INK, linewidth=0.7, linestyle="--" if dashed else "-", zorder=3)  # fmt: skip
        ax.text((left + right) / 2, y, label, ha="center", va="center_baseline", fontsize=9.5, zorder=4)
        left = right + GAP

"""The branches of a block between two stages of `architecture`: a row of boxes each, one below the other."""

from course_lib.visualization.architecture_stages import Stage
from course_lib.visualization.style import INK, MUTED

# All lighter than the palette, so that what is drawn on them stands out.
COLORS = {"input": "#F2F2F2", "convolution": "#BBDFF5", "pooling": "#F8D99A", "dense": "#A5DAC8"}
LINE = 0.33  # inches from branch to branch
GAP = 0.14  # inches between the boxes of a branch, and from its ends to where it forks and joins


def clearance(row: list[Stage]) -> float:
    """Inches between the stacks and the arrows below them, more where boxes stand on the arrows."""
    return 0.3 if any(stage.branches for stage in row) else 0.15


def width(stage: Stage) -> float:
    """Inches between the middles of two stages that its branches need."""
    rows = [_row_width(_labels(stage, branch)) for branch in stage.branches]
    return max(rows) + 3 * GAP + 0.41 if rows else 0.0


def height(before: Stage | None, stage: Stage) -> float:
    """Inches below the arrow for what is written there, and for the further outputs of the stage before."""
    rows = LINE * len(stage.branches) + 0.15 if stage.branches else 0.6
    return rows + (LINE * len(before.heads) + 0.2 if before and before.heads else 0.0)


def reach(stage: Stage, x: float) -> float:
    """How far to the right the further outputs of a stage reach that begin at x."""
    return max((x + _head_width(head) + 0.12 * len(head[-1].name) for head in stage.heads), default=0.0)


def draw(ax, stage: Stage, start: float, end: float, y: float) -> float:
    """The branches between two points of a line; returns where the line goes on behind their join."""
    fork, join = start + GAP, end - 0.25
    ax.plot([start, fork], [y, y], color=MUTED, linewidth=1.2)
    for index, branch in enumerate(stage.branches):
        row = y - LINE * index
        ax.plot([fork, fork, join, join], [y, row, row, y], color=MUTED, linewidth=1.2, solid_joinstyle="round")
        labels = _labels(stage, branch)
        _row(ax, branch or stage.entrance, labels, (fork + join - 0.06 - _row_width(labels)) / 2, row, dashed=not branch)
    sign = {"add": "+", "multiply": "×"}.get(stage.operation)
    if sign:
        ax.plot(join, y, "o", markersize=11, markerfacecolor="white", markeredgecolor=INK, zorder=4)
        ax.text(join, y, sign, ha="center", va="center_baseline", fontsize=11, zorder=5)
    else:
        ax.plot([join, join], [y, y - LINE * (len(stage.branches) - 1)], color=INK, linewidth=2.5)
    caption = ([] if sign else [stage.operation]) + ([f"× {stage.repeats}"] if stage.repeats > 1 else [])
    ax.text((fork + join) / 2, y - LINE * (len(stage.branches) - 0.45), " ".join(caption),
            ha="center", va="top", fontsize=11)  # fmt: skip
    return join


def draw_head(ax, head: tuple[Stage, ...], x: float, top: float, y: float) -> None:
    """A further output, which begins at a stage and leads to the right below everything else."""
    labels = [stage.label for stage in head]
    end = x + _head_width(head)
    ax.plot([x, x, end], [top, y, y], color=MUTED, linewidth=1.2)
    _row(ax, head, labels, x + 2 * GAP, y)
    ax.text(end + 0.05, y, head[-1].name, va="center", weight="bold", fontsize=11)


def _head_width(head: tuple[Stage, ...]) -> float:
    return _row_width([stage.label for stage in head]) + 3 * GAP


def _labels(stage: Stage, branch: tuple[Stage, ...]) -> list[str]:
    """What the boxes of a branch say; the shortcut around a run may have some in the first block only."""
    return [each.label for each in branch] or [f"first: {each.label}" for each in stage.entrance]


def _row_width(labels: list[str]) -> float:
    return sum(map(_box_width, labels)) + GAP * (len(labels) - 1)


def _box_width(label: str) -> float:
    return 0.074 * len(label) + 0.1


def _row(ax, operations, labels: list[str], left: float, y: float, dashed: bool = False) -> None:
    """Boxes from left to right."""
    for operation, label in zip(operations, labels, strict=True):
        right = left + _box_width(label)
        ax.fill([left, right, right, left], [y - 0.12, y - 0.12, y + 0.12, y + 0.12], facecolor=COLORS[operation.kind],
                edgecolor=INK, linewidth=0.7, linestyle="--" if dashed else "-", zorder=3)  # fmt: skip
        ax.text((left + right) / 2, y, label, ha="center", va="center_baseline", fontsize=9.5, zorder=4)
        left = right + GAP

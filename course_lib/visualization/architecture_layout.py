"""Where the stages of a network stand in its drawing: their sizes in inches, and the rows."""

import dataclasses
import itertools

from course_lib.visualization.architecture_stages import Stage

SIDE = 1.3  # inches: the longest side of a map
DEPTH = 1.3  # inches: the deepest stack, and the longest bar
ROW = 9.8  # inches: a longer network continues in another row
LINE = 0.2  # inches from one line of text below an arrow to the next
APART = 0.16  # inches between two towers
RANGE = 10  # where the longest side is more than so many times the shortest, square roots are drawn


@dataclasses.dataclass(frozen=True)
class Box:
    """A stage at its place, in inches: `width` and `height` of one map, `depth` of one stack."""

    stage: Stage
    left: float
    width: float
    height: float
    depth: float  # how far the front map lies to the right of and below the back one
    power: float  # 1, or 0.5 where square roots are drawn
    towers: int = 1
    mixes: bool = False  # whether each of its units sees both towers of the stage before
    apart: float = 0.0  # between the middles of two towers
    entry: float = 0.0  # where its arrow begins: at the middle of the stage before, or at the left of the row
    y: float = 0.0  # the middle of its row
    above: float = 0.0  # from there to the arrows below the stacks of its row, and to the titles above them
    below: float = 0.0  # from the arrows to the end of the row

    @property
    def words(self) -> list[str]:
        """The lines of text below the arrow to the stage."""
        return [*_words(self.stage), "of both towers"] if self.mixes else _words(self.stage)

    @property
    def right(self) -> float:
        """The right edge of the stacks."""
        return self.left + self.width + self.depth

    @property
    def middle(self) -> float:
        """The middle between the left and the right edge."""
        return (self.left + self.right) / 2

    @property
    def bottom(self) -> float:
        """The end of the row."""
        return self.y - self.above - self.below

    @property
    def reach(self) -> float:
        """From the middle of the row to the upper edge of the stacks."""
        return (self.apart + self.height + self.depth) / 2

    @property
    def offsets(self) -> list[float]:
        """Where the middles of the towers lie above the middle of the row."""
        return [self.apart / 2, -self.apart / 2] if self.towers == 2 else [0.0]

    def front(self, offset: float) -> tuple[float, float]:
        """The upper left corner of the map in front of the tower at `offset`."""
        return self.left + self.depth, self.y + offset + (self.height + self.depth) / 2 - self.depth


def arranged(found: list[Stage]) -> list[Box]:
    """The stages at their places, in rows."""
    return _in_rows(_placed(found))


def _placed(found: list[Stage]) -> list[Box]:
    """The stages from left to right, far enough apart for the texts above and below them."""
    sides = [side for stage in found if not is_bar(stage) for side in stage.shape[:2]]
    two_towers = any(stage.groups == 2 for stage in found)
    towers = [2 if two_towers and stage.kind != "input" and not is_bar(stage) else 1 for stage in found]
    most = max(stage.shape[-1] / count for stage, count in zip(found, towers, strict=True))
    power = 1.0 if max(sides) <= RANGE * min(sides) else 0.5
    boxes = []
    for stage, count in zip(found, towers, strict=True):
        depth = DEPTH * (stage.shape[-1] / count / most) ** power
        if is_bar(stage):
            box = Box(stage, 0.0, 0.14, depth, 0.0, power)
        else:
            height, width = (SIDE * (side / max(sides)) ** power for side in stage.shape[:2])
            depth = depth if stage.shape[-1] > 1 else 0.0
            mixes = stage.kind == "convolution" and stage.groups == 1 and count == 2 == boxes[-1].towers
            box = Box(stage, 0.0, width, height, depth, power, count, mixes)
        if boxes:
            labels = (label_width(boxes[-1]) + label_width(box)) / 2 + 0.18
            apart = max(0.09 * max(map(len, box.words)) + 0.1, labels)
            left = max(boxes[-1].right + 0.4, boxes[-1].middle + apart - (box.width + box.depth) / 2)
            box = dataclasses.replace(box, left=left)
        boxes.append(box)
    apart = max(box.height + box.depth for box in boxes if box.towers == 2) + APART if two_towers else 0.0
    return [dataclasses.replace(box, apart=apart) if box.towers == 2 else box for box in boxes]


def _in_rows(boxes: list[Box]) -> list[Box]:
    """Boxes placed in one row, cut into as few rows of about the same length as fit."""
    for count in range(1, len(boxes) + 1):
        placed = _cut(boxes, count)
        if max(box.right for box in placed) <= ROW:
            break
    return placed


def _cut(boxes: list[Box], count: int) -> list[Box]:
    """Boxes placed in one row, cut into `count` rows of about the same length, one below the other.

    No row begins with a stage that sees both towers: the lines to it from the stage before are drawn.
    """
    length = boxes[-1].right
    placed = []
    rows = [int(count * box.middle / length) for box in boxes]
    for place, box in enumerate(boxes):
        if box.mixes:
            rows[place] = rows[place - 1]
    pairs = zip(rows, [boxes[0], *boxes[:-1]], boxes, strict=True)  # each with the one before; the first with itself
    for number, members in itertools.groupby(pairs, lambda member: member[0]):
        row = [(before, box) for _, before, box in members]
        start = row[0][0].middle if number else 0.0
        above = max(box.reach for _, box in row) + 0.15
        below = LINE * max(len(box.words) for _, box in row) + 0.2
        y = placed[-1].bottom - 0.45 - above if placed else 0.0
        for before, box in row:
            entry = before.middle - start
            left = box.left - start
            placed.append(dataclasses.replace(box, left=left, entry=entry, y=y, above=above, below=below))
    return placed


def _words(stage: Stage) -> list[str]:
    """The lines of text below the arrow to a stage."""
    if stage.operation == "add" and stage.branches:
        main, *_, shortcut = stage.branches
        words = [each.label for each in main]
        words.append("+ " + (" → ".join(each.label for each in shortcut) or "input"))
        words += [f"(first: + {each.label})" for each in stage.entrance]
    elif stage.branches:
        words = [" → ".join(each.label for each in branch) or "input" for branch in stage.branches]
        words.append(f"({stage.operation})")
    else:
        words = stage.operation.split()
        if stage.repeats > 1:
            words = [f"{stage.repeats} {stage.operation}s"]
        if stage.window:
            words.append("{}×{}".format(*stage.window))
        if stage.groups > 1:
            words.append("in each tower" if stage.groups == 2 else f"{stage.groups} groups")
    return [*words, f"{stage.repeats} times"] if stage.branches and stage.repeats > 1 else words


def size_of(box: Box) -> str:
    """The size of a stage as text: "96@55×55", or "2 × 48@55×55" of two towers."""
    if box.towers == 1:
        return box.stage.title
    height, width, maps = box.stage.shape
    return f"2 × {maps // 2}@{height}×{width}"


def label_width(box: Box) -> float:
    """About how many inches the name, in bold, and the size below it take."""
    return max(0.115 * len(box.stage.name), 0.098 * len(size_of(box)))


def is_bar(stage: Stage) -> bool:
    """Whether a stage is drawn as a bar of units."""
    return len(stage.shape) == 1 or stage.shape[:2] == (1, 1)

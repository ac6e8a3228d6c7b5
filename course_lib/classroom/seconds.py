"""How long the sections of the lessons run: `check --lessons --save` records it, the plan by the minute reads it."""

import json
import pathlib
import re
import time

import nbformat

from course_lib import common

FILE = common.ROOT / "data" / "lesson_seconds.json"
HEADING = re.compile(r"^## +(.+?)\s*$", re.MULTILINE)


class Timer:
    """The seconds of each cell, by its number: a cell lasts until the next one begins."""

    def __init__(self):
        self.seconds: dict[int, float] = {}
        self._running: tuple[int, float] | None = None

    def begin(self, number: int) -> None:
        """Cell `number` begins, and the one before has ended."""
        self.end()
        self._running = number, time.perf_counter()

    def end(self) -> None:
        """The last cell has ended."""
        if self._running is not None:
            number, start = self._running
            self.seconds[number] = time.perf_counter() - start
        self._running = None


def by_section(notebook: nbformat.NotebookNode, seconds: dict[int, float]) -> dict[str, float]:
    """The seconds of cells, counted from 1, added up by the heading that they stand under; "" before the first."""
    heading = ""
    found = {}
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "markdown":
            heading = [heading, *HEADING.findall(cell.source)][-1]
        elif number in seconds:
            found[heading] = found.get(heading, 0.0) + seconds[number]
    return found


def read(file: pathlib.Path = FILE) -> dict[str, dict[str, int]]:
    """For each lesson the seconds of its sections, by heading; sections that take less than one are left out."""
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def record(stem: str, sections: dict[str, float], file: pathlib.Path = FILE) -> None:
    """Notes the seconds of one lesson's sections, whole seconds, in place of what was noted before."""
    recorded = read(file)
    recorded[stem] = {heading: round(seconds) for heading, seconds in sections.items() if round(seconds)}
    common.write_json(file, dict(sorted(recorded.items())))

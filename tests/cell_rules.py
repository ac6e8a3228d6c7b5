"""What makes a code cell: its kind, named by a tag, its length, and how it is folded.

The kinds are those of `course_lib/classroom/cells.py`. Cells are counted from 1.
"""

import re
from collections.abc import Iterator

import nbformat

from course_lib.classroom import cells

CHECKED = "nbval-check-output"
LONGEST_READING = 120  # lines of code in all open cells that are there to be read
DEFINITION = re.compile(r"^\s*(?:async +def|def|class)\b", re.MULTILINE)


def code_cells(notebook) -> list[tuple[int, nbformat.NotebookNode]]:
    """The code cells with their places."""
    return [(place, cell) for place, cell in enumerate(notebook.cells, 1) if cell.cell_type == "code"]


def one_kind(notebook) -> Iterator[str]:
    for place, cell in code_cells(notebook):
        if len(cells.kinds(cell)) != 1:
            found = ", ".join(cells.kinds(cell)) or "none"
            yield f"cell {place}: its tags name {found} of the kinds {', '.join(cells.KINDS)}; needed is one"


def of_one_kind(notebook) -> Iterator[tuple[int, nbformat.NotebookNode, str]]:
    """The code cells whose tags name one kind, with their places and kinds."""
    for place, cell in code_cells(notebook):
        if len(cells.kinds(cell)) == 1:
            yield place, cell, cells.kinds(cell)[0]


def lines_by_kind(notebook) -> Iterator[str]:
    read = 0
    for place, cell, kind in of_one_kind(notebook):
        lines, most = cells.lines_of_code(cell), cells.KINDS[kind].most_lines
        if kind == "read":
            read += sum(bool(line.strip()) for line in cell.source.splitlines())  # comments are read, too
        if most is not None and lines > most:
            yield f"cell {place}: {lines} lines of code, a {kind} cell has at most {most}"
    if read > LONGEST_READING:
        yield f"{read} lines of code to read, at most {LONGEST_READING}"


def folded_by_kind(notebook) -> Iterator[str]:
    for place, cell, kind in of_one_kind(notebook):
        folded = cells.should_be_folded(cell)
        wrong = [where for where, is_folded in cells.folded_in(cell).items() if is_folded != folded]
        if wrong:
            state = "folded" if folded else "open"
            yield f"cell {place}: a {kind} cell is {state}, see {', '.join(wrong)}; check --lessons --fold sets them"
        if folded and not cells.title(cell):
            yield f"cell {place}: folded, but no '# @title …' says what it shows"
        if cells.title(cell) and not folded:
            yield f"cell {place}: open, but '# @title …' makes it a form in Colab"
        hidden = cell.metadata.get("jupyter", {}).get("outputs_hidden", False)
        if hidden != cells.tells_an_outcome(cell):
            yield f"cell {place}: its output {'is' if hidden else 'tells an outcome and is not'} folded"


def content_by_kind(notebook) -> Iterator[str]:
    for place, cell, kind in of_one_kind(notebook):
        if kind == "figure" and DEFINITION.search(cell.source):
            yield f"cell {place}: a figure cell defines something; that belongs in course_lib"
        if kind == "question" and not re.search(r"\.[wpqe]\d+\b", cell.source):
            yield f"cell {place}: a question cell without a question"
        if kind == "check" and CHECKED not in cell.metadata.tags:
            yield f"cell {place}: a check cell that is not tagged {CHECKED}"


CELL_RULES = (one_kind, lines_by_kind, folded_by_kind, content_by_kind)

"""The kinds of code cells in a lesson, and how each is folded: `python -m course_lib check --lessons NAME --fold`.

A cell carries its kind as a tag. Folded means: JupyterLab hides the source, Colab shows the title of a form, the web
site offers to open it. Nobody sets that by hand; `tests/lesson_rules.py` holds the lessons to it.
"""

import dataclasses
import re

import nbformat

TITLE = re.compile(r"# @title +(?P<title>\S.*)")
OPEN = "open"  # a further tag: this check teaches, so its code is shown
OUTCOME = "outcome"  # a further tag: this output tells the outcome of a guess, so it begins folded
HIDE_INPUT = "hide-input"  # the web site's word for it


@dataclasses.dataclass(frozen=True)
class Kind:
    """What a kind of cell may be."""

    folded: bool
    most_lines: int | None = None  # of code
    title: str = ""  # where every cell of this kind may have the same


KINDS = {
    "setup": Kind(folded=True, title="Setup"),
    "parameters": Kind(folded=True, title="Profile and settings"),
    "read": Kind(folded=False, most_lines=15),
    "figure": Kind(folded=True, most_lines=8),
    "question": Kind(folded=True, most_lines=2, title="Question"),
    "write": Kind(folded=False),
    "check": Kind(folded=True, most_lines=8),
}


def kinds(cell: nbformat.NotebookNode) -> list[str]:
    """The kinds that the tags of a cell name; it should be one."""
    return [tag for tag in cell.metadata.get("tags", ()) if tag in KINDS]


def lines_of_code(cell: nbformat.NotebookNode) -> int:
    """How many lines are neither blank nor a comment."""
    lines = [line.strip() for line in cell.source.splitlines()]
    return sum(bool(line) and not line.startswith("#") for line in lines)


def should_be_folded(cell: nbformat.NotebookNode) -> bool:
    """Whether the source of a cell of one known kind is folded."""
    (kind,) = kinds(cell)
    return KINDS[kind].folded and not (kind == "check" and OPEN in cell.metadata.tags)


def tells_an_outcome(cell: nbformat.NotebookNode) -> bool:
    """Whether the output of a cell would spoil a guess."""
    return ".outcome(" in cell.source or OUTCOME in cell.metadata.get("tags", ())


def title(cell: nbformat.NotebookNode) -> str:
    """What a folded cell says that it shows; "" where it does not."""
    match = TITLE.match(cell.source)
    return match["title"].strip() if match else ""


def folded_in(cell: nbformat.NotebookNode) -> dict[str, bool]:
    """Where the source of a cell is folded: in JupyterLab, in Colab, on the web site."""
    return {
        "jupyter.source_hidden": cell.metadata.get("jupyter", {}).get("source_hidden") is True,
        "cellView": cell.metadata.get("cellView") == "form",
        HIDE_INPUT: HIDE_INPUT in cell.metadata.get("tags", ()),
    }


def fold(notebook: nbformat.NotebookNode) -> list[str]:
    """Sets titles and metadata of every code cell of one known kind; returns what an author has to do by hand."""
    missing = []
    for place, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "code" or len(kinds(cell)) != 1:
            continue
        hidden = should_be_folded(cell)
        _fold_source(cell, hidden)
        _set(cell.metadata.setdefault("jupyter", {}), "outputs_hidden", tells_an_outcome(cell))
        if not cell.metadata.jupyter:
            del cell.metadata["jupyter"]
        if hidden and not title(cell):
            (kind,) = kinds(cell)
            if KINDS[kind].title:
                cell.source = f"# @title {KINDS[kind].title}\n{cell.source}"
            else:
                missing.append(f"cell {place}: begin it with '# @title …', which says what the {kind} shows")
    return missing


def _fold_source(cell: nbformat.NotebookNode, hidden: bool) -> None:
    _set(cell.metadata.setdefault("jupyter", {}), "source_hidden", hidden)
    if hidden:
        cell.metadata["cellView"] = "form"
    else:
        cell.metadata.pop("cellView", None)
    tags = [tag for tag in cell.metadata.tags if tag != HIDE_INPUT]
    cell.metadata["tags"] = [*tags, HIDE_INPUT] if hidden else tags


def _set(metadata: dict, key: str, value: bool) -> None:
    if value:
        metadata[key] = True
    else:
        metadata.pop(key, None)

"""How large the core of a lesson is, and how much code a student writes in the lesson.

The core ends before the first heading `## Deeper …`; the deeper sections end before the sources. A figure is a cell of
that kind that draws, so tables do not count; a question is a card, so outcomes do not count. Cells are counted from 1.
"""

import re
import tomllib
from collections.abc import Iterator

import nbformat

from course_lib import common

QUESTIONS = common.ROOT / "course_lib" / "exercises"
MOST_IN_THE_CORE = {"words": 1_500, "figures": 8, "questions": 10}
FEWEST_WRITTEN = 3  # pieces of code that a student writes, each with a judge
DEEPER = re.compile(r"^## Deeper\b", re.MULTILINE)
SOURCES = re.compile(r"^(?:#+ |\*\*)Sources\b", re.MULTILINE)
NO_WORDS = re.compile(r"\$\$.*?\$\$|`[^`]*`|\$[^$]*\$|(?<=\])\([^)]*\)|<[^>]*>", re.DOTALL)


def words(text: str) -> int:
    """How many words there are to read: no formulas, code, addresses of links, or HTML."""
    return sum(bool(re.search(r"\w", word)) for word in NO_WORDS.sub(" ", text).split())


def first_with(notebook, heading: re.Pattern) -> int:
    """The place, from 0, of the first Markdown cell with this heading; behind the last cell where there is none."""
    cells = enumerate(notebook.cells)
    found = (place for place, cell in cells if cell.cell_type == "markdown" and heading.search(cell.source))
    return next(found, len(notebook.cells))


def parts(notebook) -> tuple[list[nbformat.NotebookNode], list[nbformat.NotebookNode]]:
    """The cells of the core, and those of the deeper sections."""
    sources = first_with(notebook, SOURCES)
    deeper = min(first_with(notebook, DEEPER), sources)
    return notebook.cells[:deeper], notebook.cells[deeper:sources]


def words_in(cells: list[nbformat.NotebookNode]) -> int:
    """The words of the Markdown cells among `cells`."""
    return sum(words(cell.source) for cell in cells if cell.cell_type == "markdown")


def with_tag(cells: list[nbformat.NotebookNode], tag: str) -> list[nbformat.NotebookNode]:
    """The code cells that carry `tag`."""
    return [cell for cell in cells if cell.cell_type == "code" and tag in cell.metadata.get("tags", ())]


def small_core(notebook) -> Iterator[str]:
    core, deeper = parts(notebook)
    asked = [cell for cell in with_tag(core, "question") if ".outcome(" not in cell.source]
    drawn = [cell for cell in with_tag(core, "figure") if "show_table(" not in cell.source]
    counts = {"words": words_in(core), "figures": len(drawn), "questions": len(asked)}
    for what, most in MOST_IN_THE_CORE.items():
        if counts[what] > most:
            yield f"the core has {counts[what]:,} {what}, at most {most:,}"
    if not deeper:
        yield "no section is marked as deeper: '## Deeper · …?'"
    elif words_in(deeper) > counts["words"]:
        yield f"the deeper sections have {words_in(deeper):,} words, the core only {counts['words']:,}"


def code_to_write(notebook) -> Iterator[str]:
    judged = judged_functions(notebook)
    written = 0
    for place, cell in enumerate(notebook.cells, 1):
        if not with_tag([cell], "write"):
            continue
        names = re.findall(r"^def (\w+)\(", cell.source, re.MULTILINE)
        written += len(judged & set(names))
        if not judged & set(names):
            yield f"cell {place}: a write cell, but no question of the lesson judges {' or '.join(names) or 'it'}"
    if written < FEWEST_WRITTEN:
        yield f"{written} pieces of code to write that a question judges, needed are {FEWEST_WRITTEN}"


def judged_functions(notebook) -> set[str]:
    """The names of the functions that questions asked in this lesson judge."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    found = re.search(r"^(?P<alias>\w+) = exercises\.(?P<name>\w+)$", code, re.MULTILINE)
    if not found:
        return set()
    asked = set(re.findall(rf"\b{found['alias']}\.([wpqe]\d+)\b", code))
    entries = tomllib.loads((QUESTIONS / f"{found['name']}.toml").read_text(encoding="utf-8"))
    judged = [entry for name, entry in entries.items() if name in asked and "judge" in entry]
    return {entry.get("function", entry["judge"]) for entry in judged}


CORE_RULES = (small_core, code_to_write)

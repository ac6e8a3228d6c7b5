"""`lessons/README.md`: each lesson, its questions, and the claims of the lecture that they test.

`python tests/lesson_index.py` writes it from the notebooks and from `course_lib/exercises`; a test keeps it true.
"""

import re

import nbformat

from course_lib import common, exercises

FOLDER = common.ROOT / "lessons"
PAGE = FOLDER / "README.md"
KINDS = {"w": "to start with", "p": "guess before an experiment", "q": "check of a section", "e": "exercise"}


def page() -> str:
    """The whole page, as Markdown."""
    claims = [f"| {row['id']} | {_cell(row['slide'])} | {row['lesson']} |" for row in common.published("lecture")]
    parts = [
        "# Lessons, questions, claims",
        "Made by `python tests/lesson_index.py`. Kinds of questions: "
        + ", ".join(f"{kind} {what}" for kind, what in KINDS.items())
        + ". A question's claims are those that its section of the lesson shows.",
        *(_lesson(path) for path in sorted(FOLDER.glob("*.ipynb"))),
        "## The lecture's claims",
        "\n".join(["| claim | what the slide says | lesson |", "|---|---|---|", *claims]),
    ]
    return "\n\n".join(parts) + "\n"


def _lesson(path) -> str:
    notebook = nbformat.read(path, as_version=4)
    title = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    alias, name = re.search(r"^(\w+) = exercises\.(\w+)$", code, re.MULTILINE).groups()
    rows = []
    for section in _sections(notebook):
        claims = sorted({claim for cell in section for claim in cell.metadata.get("claims", ())}, key=_order)
        asked = re.findall(rf"\b{alias}\.([wpqe]\d+)\.(?:check|predict)\(", "\n".join(cell.source for cell in section))
        for question in dict.fromkeys(asked):
            text = getattr(getattr(exercises, name), question).text
            rows.append(f"| {question} | {_cell(text)} | {' '.join(claims)} |")
    return "\n".join([f"## [{title}]({path.name})", "", "| question | asks | claims |", "|---|---|---|", *rows])


def _sections(notebook) -> list[list]:
    """The cells of each part that begins with a heading of the second level."""
    sections = [[]]
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and re.search(r"^## ", cell.source, re.MULTILINE):
            sections.append([])
        sections[-1].append(cell)
    return sections


def _order(claim: str) -> tuple[str, int]:
    return claim[0], int(claim[1:])


def _cell(text: str) -> str:
    """As one line of a table."""
    return " ".join(text.replace("|", "\\|").split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

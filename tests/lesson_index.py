"""`lessons/README.md`: the plan by the minute, each lesson, its questions, the claims of the lecture that they test.

`python tests/lesson_index.py` writes it from the notebooks and from `course_lib/exercises`; a test keeps it true.
"""

import re

import nbformat

from course_lib import common, exercises
from course_lib.classroom.publishing import plan, reading

GUIDE = """## Questions

`lenet.q1` as the last line of a cell shows a card: a choice or a field, *Check*, *Hint*, and after a try *Give up*. Who
types uses `lenet.q1.check(8)`, `lenet.p1.predict("B")`, `lenet.q2.check(my_function)`, `.hint()`, `.solution()`.
Where no kernel runs, each answer opens its own reply.

Answers, tries and guesses are kept in `my_answers.json` beside the student's own copy of the lessons
(`.venv/bin/python -m course_lib study`), so a restarted kernel knows them; `exercises.progress()` shows what is done.

## Handing in and marking

A student calls `exercises.hand_in("my name")` in any lesson and sends the file that it writes. The instructor puts the
files of all students into a folder and types `.venv/bin/python -m course_lib grade FOLDER`. Every answer is marked
again; a guess gives 0 points, a letter or number 1, a function 3, unless its `points` say otherwise. `points.csv` has a
line per student and says how many solutions were read before the answer; `missed.html` shows what was missed most.

Students' functions run in processes of their own: limited in time, memory and the size of files on Linux and macOS;
on Linux also without a network and, where the kernel offers Landlock, unable to write outside their folder. The judge
is out of their reach, except for functions that take or return an object (`returns_object` in the TOML file). Tries and
solutions read are what the student's file says."""
FOLDER = common.ROOT / "lessons"
PAGE = FOLDER / "README.md"
KINDS = {
    "w": "to start with",
    "p": "guess before an experiment",
    "q": "check of a section",
    "e": "exercise (a few are guesses, which give no points)",
}


def page() -> str:
    """The whole page, as Markdown."""
    claims = [f"| {row['id']} | {_cell(row['slide'])} | {row['lesson']} |" for row in common.published("lecture")]
    lessons = [reading.read(path) for path in sorted(FOLDER.glob("*.ipynb"))]
    parts = [
        "# Lessons, questions, claims",
        "Made by `.venv/bin/python tests/lesson_index.py`. All of this as a web site, with slides: "
        "`.venv/bin/python -m course_lib publish site my_site --instructor`, once after "
        '`.venv/bin/pip install -e ".[publish]"`. Commands are typed in the course\'s folder; on Windows write '
        "`.venv\\Scripts\\` where they say `.venv/bin/`.",
        GUIDE,
        "## The plan by the minute",
        plan.page(lessons),
        "## Every question\n\nKinds of questions: "
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
        code = "\n".join(cell.source for cell in section)
        asked = re.findall(rf"\b{alias}\.([wpqe]\d+)(?:\.(?:check|predict)\(|(?![\w.]))", code)  # or a card
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

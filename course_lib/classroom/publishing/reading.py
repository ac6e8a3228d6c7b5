"""A lesson as its notebook tells it: title, promise, sections, questions, captions.

A section begins with a heading of the second level, also where that stands in the middle of a Markdown cell.
"""

import dataclasses
import html
import pathlib
import re

import nbformat

from course_lib.classroom import cells
from course_lib.exercises import lessons as exercise_lessons
from course_lib.exercises.question import Question

HEADING = re.compile(r"^## +(?P<heading>.+?)\s*$", re.MULTILINE)
ASKED = r"\b{alias}\.([wpqe]\d+)(?:\.(?:check|predict)\(|(?![\w.]))"  # shown as a card, or called; no outcome
BADGE = re.compile(r"^\[!\[Open in Colab\].*\n+", re.MULTILINE)
CAPTION = re.compile(r"<(figcaption|caption)\b[^>]*>(?P<text>.*?)</\1>", re.DOTALL)
ANSWER = re.compile(r"^\*\*(?:Answer)[.:]?\*\*[.:]?\s*(?P<answer>.+?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)


@dataclasses.dataclass
class Section:
    """A part of a lesson: its heading as it stands, its cells, and the questions that they ask."""

    heading: str
    cells: list[nbformat.NotebookNode] = dataclasses.field(default_factory=list)
    questions: list[Question] = dataclasses.field(default_factory=list)

    @property
    def name(self) -> str:
        """The heading without its number, and without the mark of a deeper section."""
        return re.sub(r"^(\d+\.\s+|Deeper\s*[·:]\s*)", "", self.heading)

    @property
    def is_deeper(self) -> bool:
        """Whether it follows the core."""
        return bool(re.match(r"Deeper\b", self.heading))

    @property
    def is_numbered(self) -> bool:
        """Whether it is a section of the core that asks a question in its heading."""
        return bool(re.match(r"\d+\.", self.heading))

    @property
    def answer(self) -> str:
        """The answer in words with which the section ends, as Markdown; "" where there is none."""
        found = [match for cell in self.cells if cell.cell_type == "markdown" for match in ANSWER.finditer(cell.source)]
        return " ".join(found[-1]["answer"].split()) if found else ""


@dataclasses.dataclass
class Lesson:
    """One notebook.

    Attributes:
        path: the file.
        notebook: as nbformat reads it.
        title: its first heading, for example "Lesson 03 · LeNet".
        promise: the bold sentence under it.
        exercise: the name of its questions in `course_lib.exercises`.
        sections: its parts in order; the first has no heading.
    """

    path: pathlib.Path
    notebook: nbformat.NotebookNode
    title: str
    promise: str
    exercise: str
    sections: list[Section]

    @property
    def number(self) -> str:
        """Its number as two digits."""
        return self.path.stem.split("_")[0]

    @property
    def name(self) -> str:
        """Its title without "Lesson" and number."""
        return re.sub(r"^Lesson \d+ · ", "", self.title)

    @property
    def is_tagged(self) -> bool:
        """Whether the tags of every code cell name its kind, which plan and slides build on."""
        return all(len(cells.kinds(cell)) == 1 for cell in self.notebook.cells if cell.cell_type == "code")

    @property
    def core(self) -> list[Section]:
        """The sections up to and with the summary."""
        return [section for section in self.sections if not section.is_deeper and section.heading != "Sources"]

    @property
    def deeper(self) -> list[Section]:
        """The sections that stand alone after the core."""
        return [section for section in self.sections if section.is_deeper]


def read(path: pathlib.Path) -> Lesson:
    """Reads the notebook at `path`.

    Raises:
        ValueError: the notebook does not begin with a title, or names no questions.
    """
    notebook = nbformat.read(path, as_version=4)
    opening = notebook.cells[0].source if notebook.cells else ""
    if not opening.startswith("# "):
        raise ValueError(f"{path.name} does not begin with its title: needed is a Markdown cell that begins with '# '")
    title, _, rest = opening.partition("\n")
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    named = re.search(r"^(\w+) = exercises\.(\w+)$", code, re.MULTILINE)
    if named is None:
        raise ValueError(f"{path.name} names no questions: needed is a line such as 'lenet = exercises.lenet'")
    alias, exercise = named.groups()
    promise = re.search(r"\*\*(.+?)\*\*", rest, re.DOTALL)
    promised = " ".join(promise[1].split()) if promise else ""
    return Lesson(path, notebook, title.removeprefix("# "), promised, exercise, _sections(notebook, alias, exercise))


def _sections(notebook: nbformat.NotebookNode, alias: str, exercise: str) -> list[Section]:
    questions = exercise_lessons.named(exercise).questions()
    sections = [Section("")]
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            sections[-1].cells.append(cell)
            asked = re.findall(ASKED.format(alias=alias), cell.source)
            new = [questions[name] for name in dict.fromkeys(asked) if name in questions]
            sections[-1].questions += [each for each in new if each not in sections[-1].questions]
            continue
        before, *parts = re.split(r"(?=^## )", cell.source, flags=re.MULTILINE)
        if before.strip():
            sections[-1].cells.append(_part(cell, before))
        for part in parts:
            sections.append(Section(HEADING.match(part)["heading"]))
            sections[-1].cells.append(_part(cell, part))
    return sections


def _part(cell: nbformat.NotebookNode, source: str) -> nbformat.NotebookNode:
    """A Markdown cell with a part of its text."""
    return nbformat.NotebookNode({**cell, "source": source.strip()})


def words(section: Section) -> int:
    """How many words there are to read: prose and captions, without code, formulas and addresses."""
    count = 0
    for cell in section.cells:
        if cell.cell_type == "markdown":
            text = re.sub(r"^```.*?^```|\$\$.+?\$\$|\$[^$\n]+\$", "", cell.source, flags=re.DOTALL | re.MULTILINE)
            text = re.sub(r"\]\([^)]*\)", "]", text)
            count += len(re.findall(r"[^\W\d_][\w’'-]*", text))
        else:
            count += sum(len(figure.caption.split()) for figure in figures(cell))
    return count


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure or a table of a cell: its HTML as saved, and its caption."""

    html: str
    caption: str


def figures(cell: nbformat.NotebookNode) -> list[Figure]:
    """The figures and tables that the saved outputs of a cell hold; cards are none."""
    found = []
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        page = data.get("text/html", "")
        if "<figure" in page or "<table" in page:
            found.append(Figure(page, caption(page)))
        elif "image/png" in data:
            alt = output.get("metadata", {}).get("image/png", {}).get("alt", "")
            source = "".join(data["image/png"].split())
            picture = f'<img src="data:image/png;base64,{source}" alt="{html_escaped(alt)}">'
            found.append(Figure(f"<figure>{picture}</figure>", alt))
    return found


def html_escaped(text: str) -> str:
    """Text as HTML shows it literally."""
    return html.escape(text, quote=True)


def caption(page: str) -> str:
    """The caption of the first figure or table in a page of HTML; "" where it has none."""
    found = CAPTION.search(page)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", found["text"])).split()) if found else ""


def is_outcome(cell: nbformat.NotebookNode) -> bool:
    """Whether a code cell's output would spoil a guess."""
    return cells.tells_an_outcome(cell)

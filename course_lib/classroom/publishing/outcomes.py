"""What the experiments of a lesson came out as: the lines that `question.outcome` left in the saved notebook."""

import dataclasses
import re

import nbformat

from course_lib.classroom.publishing.reading import Lesson

CONTINUED = re.compile(r"\n {2}(?=\S)")  # as `exercises.answers.wrapped` breaks a line
LINE = re.compile(
    r"^(?P<name>[wpqe]\d+) · (?:no guess given|your guess [^|]*?) \| "
    r"outcome (?P<measured>[^:\n]+)(?:: (?P<meaning>.*))?"
    r"(?P<finding>(?:\n.+)*)\n?",
    re.MULTILINE,
)
UNTOLD = re.compile(r"^(?P<name>[wpqe]\d+) · no outcome yet: .*\n?", re.MULTILINE)  # as long as own code is missing


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What an experiment came out as.

    Attributes:
        name: of its question, such as "p1".
        measured: the letter, or the number.
        meaning: the option of that letter; "" for a number.
        finding: the measured numbers, in a sentence.
    """

    name: str
    measured: str
    meaning: str
    finding: str

    @property
    def said(self) -> str:
        """The letter with its option, or the number."""
        return f"{self.measured} ({self.meaning})" if self.meaning else self.measured


def of_lesson(lesson: Lesson) -> dict[str, Outcome]:
    """The outcomes that the lesson's saved outputs hold, by the name of their question."""
    code = [cell for cell in lesson.notebook.cells if cell.cell_type == "code" and ".outcome(" in cell.source]
    return {found.name: found for cell in code for text in texts(cell) for found in of_text(text)}


def untold(lesson: Lesson) -> set[str]:
    """The names of the questions whose outcome the saved outputs leave to the student's own code."""
    code = [cell for cell in lesson.notebook.cells if cell.cell_type == "code"]
    return {name for cell in code for name in untold_in(cell)}


def untold_in(cell: nbformat.NotebookNode) -> list[str]:
    """The names of the questions whose outcome a code cell leaves to the student's own code."""
    return [match["name"] for text in texts(cell) for match in UNTOLD.finditer(text)]


def texts(cell: nbformat.NotebookNode) -> list[str]:
    """What the outputs of a code cell say as text."""
    return [output.get("text", output.get("data", {}).get("text/plain", "")) for output in cell.outputs]


def of_text(text: str) -> list[Outcome]:
    """The outcomes in a text."""
    return [_read(match) for match in LINE.finditer(joined(text))]


def joined(text: str) -> str:
    """A text whose long lines were broken, with each of them in one piece again."""
    return CONTINUED.sub(" ", text)


def _read(match: re.Match) -> Outcome:
    finding = " ".join(match["finding"].split())
    return Outcome(match["name"], match["measured"].strip(), (match["meaning"] or "").strip(), finding)

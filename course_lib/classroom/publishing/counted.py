"""What the parts of a lesson take, as counted from its notebook and the recorded seconds.

Words are read at 180 per minute, cells take the seconds that `check --lessons --save` recorded, a question takes two
minutes and a piece of code to write ten.
"""

import dataclasses
import re

from course_lib.classroom import seconds as recorded_seconds
from course_lib.classroom.publishing import reading
from course_lib.exercises.question import Question

WORDS_PER_MINUTE = 180
MINUTES_PER_QUESTION = 2
MINUTES_PER_CODE = 10
MINUTES_IN_CLASS = {
    "01": 20,
    "02": 20,
    "03": 45,
    "04": 30,
    "05": 30,
    "06": 25,
    "07": 35,
    "08": 20,
    "09": 45,
}
LONG_RUN = 20  # seconds, from which on a cell is better started before the talk about it
AT_HOME = "Exercises"
BEFORE = "Before we start"
PAPER = "Paper and yours"
OPENING = ("Opening", "You will be able to …")
STATED = re.compile(r"^\*(?:About )?(?P<minutes>\d+) minutes?\b", re.MULTILINE)  # with which a deeper section begins


@dataclasses.dataclass(frozen=True)
class Part:
    """A section of the plan: what it takes, in minutes."""

    section: reading.Section
    reading: float
    running: float
    asking: float
    writing: float

    @property
    def minutes(self) -> float:
        """All of it."""
        return self.reading + self.running + self.asking + self.writing

    @property
    def name(self) -> str:
        """Its heading; the first part has none."""
        return self.section.heading or "Opening"


def parts(lesson: reading.Lesson, seconds: dict[str, int] | None = None) -> list[Part]:
    """The parts of a lesson's core; `seconds` by heading are those recorded where None are given."""
    return _timed(lesson, lesson.core, seconds)


def deeper(lesson: reading.Lesson) -> list[Part]:
    """The deeper sections, which are homework."""
    return _timed(lesson, lesson.deeper)


def _timed(lesson: reading.Lesson, sections: list[reading.Section], seconds: dict | None = None) -> list[Part]:
    if seconds is None:
        seconds = recorded_seconds.read().get(lesson.path.stem, {})
    return [of_section(section, seconds.get(section.heading, 0)) for section in sections]


def stated(section: reading.Section) -> int | None:
    """The minutes that a deeper section names at its beginning; None where it names none."""
    found = STATED.search("\n\n".join(cell.source for cell in section.cells[:1]))
    return int(found["minutes"]) if found else None


def minutes_for(questions: list[Question]) -> int:
    """What answering these questions takes."""
    return sum(MINUTES_PER_CODE if question.kind == "code" else MINUTES_PER_QUESTION for question in questions)


def of_section(section: reading.Section, seconds: float = 0) -> Part:
    """One section, whose cells run so many seconds."""
    written = [question for question in section.questions if question.kind == "code"]
    asked = len(section.questions) - len(written)
    return Part(
        section,
        reading=reading.words(section) / WORDS_PER_MINUTE,
        running=seconds / 60,
        asking=MINUTES_PER_QUESTION * asked,
        writing=MINUTES_PER_CODE * len(written),
    )


def names(questions: list[Question]) -> str:
    """The names of questions, as a list."""
    return ", ".join(question.name for question in questions)

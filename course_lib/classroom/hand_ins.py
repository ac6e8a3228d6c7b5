"""Reads what students handed in, and marks it again; what a file claims to be right is not believed."""

import dataclasses
import json
import pathlib
from collections.abc import Callable

from course_lib.classroom.sandbox import Judged
from course_lib.exercises import handing_in, lessons, record
from course_lib.exercises.question import Question

LARGEST = 2_000_000  # bytes


@dataclasses.dataclass(frozen=True)
class HandIn:
    """One student's file."""

    file: str
    name: str
    date: str
    entries: dict[str, dict[str, record.Entry]]  # by lesson and question


@dataclasses.dataclass(frozen=True)
class Mark:
    """One marked answer."""

    lesson: str
    question: Question
    entry: record.Entry
    right: bool
    reply: str
    incident: str = ""

    @property
    def points(self) -> float:
        """What the answer gives."""
        return self.question.points if self.right else 0


@dataclasses.dataclass(frozen=True)
class Marked:
    """All marked answers of one student."""

    hand_in: HandIn
    marks: list[Mark]

    @property
    def incidents(self) -> list[str]:
        """What the student's functions did that no answer should."""
        return [f"{mark.lesson}.{mark.question.name} {mark.incident}" for mark in self.marks if mark.incident]

    def points(self, lesson: str = "") -> float:
        """The points in one lesson, or in all."""
        return sum(mark.points for mark in self.marks if lesson in ("", mark.lesson))


def read(path: pathlib.Path) -> HandIn:
    """Returns what is in a file that was handed in.

    Raises:
        ValueError: says in what way it is not such a file.
    """
    if path.is_symlink() or not path.is_file():
        raise ValueError("it is no ordinary file")
    if path.stat().st_size > LARGEST:
        raise ValueError(f"it has {path.stat().st_size / 1e6:.1f} MB, more than any hand-in")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"it is no whole JSON file ({type(error).__name__})") from None
    if not isinstance(content, dict) or content.get("format") != handing_in.FORMAT:
        raise ValueError(f"it is not what exercises.hand_in writes ({handing_in.FORMAT!r} is missing)")
    name = content.get("name")
    date = content.get("date")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= handing_in.LONGEST_NAME:
        raise ValueError("it names no student")
    if not isinstance(date, str) or len(date) > 40:
        raise ValueError("it has no date")
    entries = record.read_entries(content)
    for lesson, answered in entries.items():
        known = lessons.named(lesson).questions()
        if unknown := sorted(set(answered) - set(known)):
            raise ValueError(f"lesson {lesson} has no question {unknown[0][:40]!r}")
    return HandIn(path.name, name.strip(), date, entries)


def marked(hand_in: HandIn, judge: Callable[[Question, str, str], Judged]) -> Marked:
    """Returns the marks of every answer; `judge` is asked about functions, with their source and name."""
    marks = []
    for lesson, entries in hand_in.entries.items():
        for name, entry in entries.items():
            marks.append(_mark(lesson, lessons.named(lesson).questions()[name], entry, judge))
    return Marked(hand_in, marks)


def _mark(lesson: str, question: Question, entry: record.Entry, judge: Callable) -> Mark:
    if question.kind == "guess":
        given = entry.guess is not None
        return Mark(lesson, question, entry, given, f"guessed {entry.guess}" if given else "")
    if question.kind == "code" and entry.source:
        name = entry.answer if isinstance(entry.answer, str) else ""
        judged = judge(question, entry.source, name)
        return Mark(lesson, question, entry, judged.right, judged.reply, judged.incident)
    if question.kind == "code" or entry.answer is None:
        return Mark(lesson, question, entry, False, "not answered")
    verdict = question.mark(entry.answer)
    return Mark(lesson, question, entry, bool(verdict.right), verdict.reply)

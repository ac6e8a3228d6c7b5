"""What a student has done in all lessons, and the file to hand in."""

import datetime
import importlib.metadata
import pathlib
import platform
import re
from typing import TYPE_CHECKING

from course_lib import common
from course_lib.exercises import lessons, record

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "course hand-in 1"
LONGEST_NAME = 100  # characters
PACKAGES = ("numpy", "keras", "tensorflow")


def progress() -> "pd.DataFrame":
    """Returns what is done in each lesson: guesses, right answers, points, and the questions still open.

    Example:
        `exercises.progress()` as the last line of a cell shows the table.
    """
    import pandas as pd

    rows = {lesson.name: _done(lesson) for lesson in lessons.ALL}
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = "lesson"
    return table


def _done(lesson: lessons.Lesson) -> dict[str, object]:
    questions = lesson.questions().values()
    guesses = [question for question in questions if question.kind == "guess"]
    others = [question for question in questions if question.kind != "guess"]
    return {
        "guesses": f"{sum(question.guess is not None for question in guesses)} of {len(guesses)}",
        "right": f"{sum(question.entry.right for question in others)} of {len(others)}",
        "points": f"{sum(question.points for question in others if question.entry.right):g} "
        f"of {sum(question.points for question in others):g}",
        "open": _listed([question.name for question in questions if not _is_done(question)]),
    }


def _listed(names: list[str]) -> str:
    rest = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return " ".join(names[:8]) + rest


def _is_done(question) -> bool:
    return question.guess is not None if question.kind == "guess" else question.entry.right


def hand_in(name: str) -> None:
    """Writes everything you answered, in all lessons, into one file to give to your instructor.

    The file holds your answers, the number of tries, the source of the functions you wrote, which solutions you read
    before you answered, the versions of the packages and the date. It stands beside the notebook.

    Args:
        name: who you are, as your instructor knows you.

    Raises:
        ValueError: `name` is empty, or nothing was answered yet.
    """
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME:
        raise ValueError(f'give your name, for example exercises.hand_in("Ada Lovelace"), not {name!r:.60}')
    answered = record.current().to_json()
    if not answered:
        raise ValueError("nothing was answered or guessed yet: there is nothing to hand in")
    path = pathlib.Path(f"hand_in_{file_name(name)}.json")
    content = {
        "format": FORMAT,
        "name": name.strip(),
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "versions": versions(),
        "lessons": answered,
    }
    common.write_json(path, content)
    count = sum(len(entries) for entries in answered.values())
    print(f"{path} is written: {count} questions of {len(answered)} lessons. Give this file to your instructor.")


def file_name(name: str) -> str:
    """Returns `name` as a part of a file name: letters and digits of any alphabet, the rest as underscores."""
    return re.sub(r"\W+", "_", name.strip()).strip("_").lower()[:60] or "student"


def versions() -> dict[str, str]:
    """Returns the versions of Python and of what the lessons compute with."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found

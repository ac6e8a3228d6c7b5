"""The student's record: guesses, answers and tries, kept in a file beside the student's copy of a lesson.

A restarted kernel finds them there. The file holds nothing but what the student gave, as JSON; a damaged one is set
aside under another name and said.
"""

import dataclasses
import functools
import json
import os
import pathlib

from course_lib import common
from course_lib.exercises import frontend

FILE = "my_answers.json"
FORMAT = "course answers 1"
LONGEST_TEXT = 20_000  # characters of one answer, or of the source of a function


@dataclasses.dataclass
class Entry:
    """What a student did with one question; JSON values only."""

    guess: str | float | None = None
    answer: str | float | list | None = None  # the right one once there is one, else the last
    right: bool = False
    tries: int = 0  # different answers
    hint: bool = False  # the hint was read
    solution: bool = False  # the solution was read before a right answer
    source: str = ""  # of an answer that is a function

    @classmethod
    def from_json(cls, value: object) -> "Entry":
        """Returns the entry that `value` describes.

        Raises:
            ValueError: a field is unknown, of another type or too long.
        """
        fields = {field.name: field.default for field in dataclasses.fields(cls)}
        if not isinstance(value, dict) or not set(value) <= set(fields):
            raise ValueError("an entry has unknown fields")
        for name, content in value.items():
            if not _accepted(name, content, fields[name]):
                raise ValueError(f"{name!r} of an entry is not as it should be")
        return cls(**value)

    def to_json(self) -> dict:
        """Returns the fields that are not at their default."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if getattr(self, field.name) != field.default
        }


def _accepted(name: str, content: object, default: object) -> bool:
    if name in ("guess", "answer"):
        return content is None or _is_short_answer(content)
    if name == "source":
        return isinstance(content, str) and len(content) <= LONGEST_TEXT
    return type(content) is type(default) and 0 <= content < 1_000_000


def _is_short_answer(content: object) -> bool:
    if isinstance(content, list):
        return len(content) <= 20 and all(type(part) in (int, float) for part in content)
    return type(content) in (int, float) or (isinstance(content, str) and len(content) <= LONGEST_TEXT)


class Record:
    """The entries of all lessons by lesson and question: in `path`, or only in memory where that is None."""

    def __init__(self, path: pathlib.Path | None):
        self.path = path
        self.entries: dict[str, dict[str, Entry]] = {}
        self.complained = False
        if path is not None:
            self.entries = self._read()

    def entry(self, lesson: str, question: str) -> Entry:
        """The entry of a question, empty where nothing was done yet; change it by `keep`."""
        return self.entries.get(lesson, {}).get(question) or Entry()

    def keep(self, lesson: str, question: str, **changes: object) -> Entry:
        """Changes fields of a question's entry and writes the file; returns the entry."""
        changed = dataclasses.replace(self.entry(lesson, question), **changes)
        if changed == self.entry(lesson, question):
            return changed
        if self.path is not None:  # another notebook may have written since
            for name, entries in self._read().items():
                self.entries[name] = {**self.entries.get(name, {}), **entries}
        self.entries.setdefault(lesson, {})[question] = changed
        if self.path is not None:
            self._write()
        return changed

    def to_json(self) -> dict:
        """Returns all entries as JSON values."""
        return {
            lesson: {name: entry.to_json() for name, entry in entries.items()}
            for lesson, entries in self.entries.items()
        }

    def _read(self) -> dict[str, dict[str, Entry]]:
        try:
            return read_entries(json.loads(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._complain(f"cannot be read ({error.strerror})")
            return {}
        except (ValueError, RecursionError) as error:
            aside = self.path.with_name(f"{self.path.stem}_damaged.json")
            try:
                self.path.replace(aside)
            except OSError:
                aside = self.path
            print(f"{self.path.name} is damaged ({error}); it is kept as {aside.name}, and a new one begins.")
            return {}

    def _write(self) -> None:
        try:
            common.write_json(self.path, {"format": FORMAT, "lessons": self.to_json()})
        except OSError as error:
            self._complain(f"cannot be written ({error.strerror}): answers last until the kernel stops")

    def _complain(self, what: str) -> None:
        if not self.complained:
            print(f"{self.path.name} {what}.")
        self.complained = True


def read_entries(content: object) -> dict[str, dict[str, Entry]]:
    """Returns the entries of a file's content, by lesson and question.

    Raises:
        ValueError: the content is not that of such a file.
    """
    if not isinstance(content, dict) or not isinstance(content.get("lessons"), dict):
        raise ValueError("it holds no lessons")
    for lesson, entries in content["lessons"].items():
        if not isinstance(entries, dict):
            raise ValueError(f"lesson {lesson[:40]!r} is no table of questions")
    return {
        lesson: {name: Entry.from_json(entry) for name, entry in entries.items()}
        for lesson, entries in content["lessons"].items()
    }


@functools.cache
def current() -> Record:
    """The record of this kernel."""
    return Record(place())


def place() -> pathlib.Path | None:
    """The file of this kernel's record, or None where answers are not kept.

    They are kept where a person works: beside the notebook, unless that is the course's own folder of lessons, which
    an update replaces. `COURSE_ANSWERS` names another file, or with 0 none.
    """
    named = os.environ.get("COURSE_ANSWERS")
    if named is not None:
        return None if named in ("", "0") else pathlib.Path(named)
    folder = pathlib.Path.cwd()  # of a kernel: the folder of its notebook
    if not frontend.live() or folder == common.ROOT / "lessons":
        return None
    return folder / FILE

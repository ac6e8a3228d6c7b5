"""The questions of each lesson, read from its TOML file when the first of them is used."""

import functools
import importlib
import pathlib
import tomllib

from course_lib import common
from course_lib.exercises.question import Question

FOLDER = pathlib.Path(__file__).parent


class Lesson:
    """The questions of one lesson, each an attribute: `lenet.q1`."""

    def __init__(self, name: str):
        self.name = name

    def questions(self) -> dict[str, Question]:
        """Every question by name, in the order of the file."""
        return _read(self.name)

    def __getattr__(self, name: str) -> Question:
        if name.startswith("_") or name not in self.questions():
            known = ", ".join(self.questions())
            raise AttributeError(f"lesson {self.name} has no question {name!r}; its questions: {known}")
        return self.questions()[name]

    def __dir__(self) -> list[str]:
        return list(self.questions())

    def __repr__(self) -> str:
        return f"lesson {self.name}: questions {', '.join(self.questions())}"


@functools.cache
def _read(name: str) -> dict[str, Question]:
    """The questions of `<name>.toml`, made once so that a guess is remembered."""
    entries = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    judged = any("judge" in entry for entry in entries.values())
    judges = importlib.import_module(f"course_lib.exercises.judges.{name}") if judged else None
    return {key: Question.from_entry(key, entry, judges, lesson=name) for key, entry in entries.items()}


alexnet = Lesson("alexnet")
challenges = Lesson("challenges")
computer_vision = Lesson("computer_vision")
gradients = Lesson("gradients")
lenet = Lesson("lenet")
many_gpus = Lesson("many_gpus")
own_classifier = Lesson("own_classifier")
resnet = Lesson("resnet")
vgg = Lesson("vgg")
ALL = (computer_vision, challenges, lenet, gradients, alexnet, vgg, resnet, many_gpus, own_classifier)  # in order


def named(name: str) -> Lesson:
    """Returns the lesson of that name.

    Raises:
        ValueError: there is none.
    """
    for lesson in ALL:
        if lesson.name == name:
            return lesson
    raise common.unknown("lesson", name, [lesson.name for lesson in ALL])

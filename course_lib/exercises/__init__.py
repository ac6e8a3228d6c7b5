"""Questions that check, hint and explain: `exercises.lenet.q1.check(6)`.

The questions of a lesson stand in one TOML file, where an instructor can change a text or foresee another
wrong answer; answers that are functions are judged in `judges/`.
"""

import functools
import importlib
import pathlib
import types

_HERE = pathlib.Path(__file__).parent
__all__ = sorted(file.stem for file in _HERE.glob("*.toml"))


class Lesson(types.SimpleNamespace):
    """The questions of a lesson, each an attribute."""

    def __getattr__(self, name: str) -> None:
        raise AttributeError(f"this lesson has no question {name!r}; its questions: {', '.join(vars(self))}")


def __getattr__(name: str) -> Lesson:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; lessons: {', '.join(__all__)}")
    return _lesson(name)


def __dir__() -> list[str]:
    return __all__


@functools.cache
def _lesson(name: str) -> Lesson:
    """The questions of `<name>.toml`; made once, so that a guess is remembered."""
    import tomllib

    from course_lib.exercises.question import Question

    entries = tomllib.loads((_HERE / f"{name}.toml").read_text(encoding="utf-8"))
    judged = any("judge" in entry for entry in entries.values())
    judges = importlib.import_module(f"{__name__}.judges.{name}") if judged else None
    return Lesson(**{key: Question.from_entry(key, entry, judges) for key, entry in entries.items()})

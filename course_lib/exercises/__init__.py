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


def __getattr__(name: str) -> types.SimpleNamespace:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; lessons: {', '.join(__all__)}")
    return _lesson(name)


def __dir__() -> list[str]:
    return __all__


@functools.cache
def _lesson(name: str) -> types.SimpleNamespace:
    """The questions of `<name>.toml`, each an attribute; made once, so that a guess is remembered."""
    import tomllib

    from course_lib.exercises.question import Question

    entries = tomllib.loads((_HERE / f"{name}.toml").read_text(encoding="utf-8"))
    judged = any("judge" in entry for entry in entries.values())
    judges = importlib.import_module(f"{__name__}.judges.{name}") if judged else None
    return types.SimpleNamespace(**{key: Question.from_entry(key, entry, judges) for key, entry in entries.items()})

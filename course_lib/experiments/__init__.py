"""The recorded runs behind the lessons: each a name, and all that is needed to make it again."""

import importlib

_HOMES = {"EXPERIMENTS": "digits", "Experiment": "experiment", "Setting": "experiment", "recorded": "experiment"}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)

"""Training: one call that turns a builder, data and a recipe into a run that can be kept."""

import importlib

_HOMES = {"train": "trainer", "Recipe": "recipe", "Run": "run"}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)

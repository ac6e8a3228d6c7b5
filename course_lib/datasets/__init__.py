"""What there is to look at: data sets by name, split once and for all, and transforms for their images."""

import importlib

_HOMES = {
    "CATALOG": "catalog",
    "ImageDataset": "catalog",
    "load": "sources",
    "status": "inventory",
    "digits_status": "inventory",
    "Split": "course_lib.batching",
    "AffineDistortion": "transforms",
    "paper_frame": "transforms",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    return getattr(importlib.import_module(home if "." in home else f"{__name__}.{home}"), name)

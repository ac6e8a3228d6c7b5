from .renderer import Rendered, render
from .scene import (
    BACKGROUNDS,
    CLASS_NAMES,
    COUNTS,
    DISTRACTORS,
    HARD_ENDS,
    OCCLUDERS,
    RANGES,
    SEEDS,
    Scene,
    clip,
    sample,
    scenes_of,
)

__all__ = [
    "BACKGROUNDS",
    "CLASS_NAMES",
    "COUNTS",
    "DISTRACTORS",
    "HARD_ENDS",
    "OCCLUDERS",
    "RANGES",
    "SEEDS",
    "Rendered",
    "Scene",
    "clip",
    "render",
    "sample",
    "scenes_of",
]

"""Toy scenes: a miniature ImageNet that is rendered here, in which each thing that makes vision hard is a knob.

Ten classes built of simple solids stand in one of five places. `sample` draws scenes, `render` shows them,
`clip` lets one move; `datasets.load("toy_scenes")` is the set made of them.
"""

from course_lib import common

_HOMES = {
    "BACKGROUNDS": "scene",
    "CLASS_NAMES": "scene",
    "COUNTS": "scene",
    "DISTRACTORS": "scene",
    "HARD_ENDS": "scene",
    "OCCLUDERS": "scene",
    "RANGES": "scene",
    "Rendered": "renderer",
    "SEEDS": "scene",
    "Scene": "scene",
    "clip": "scene",
    "render": "renderer",
    "sample": "scene",
    "scenes_of": "scene",
}
__all__ = sorted(_HOMES)
__getattr__ = common.lazily(__name__, _HOMES)

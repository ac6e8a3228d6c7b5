"""The recorded runs behind the lessons: each a name, and all that is needed to make it again."""

from course_lib import common

_HOMES = {"EXPERIMENTS": "catalog", "Experiment": "experiment", "Setting": "experiment", "recorded": "experiment"}
__all__ = sorted(_HOMES)
__getattr__ = common.lazily(__name__, _HOMES)

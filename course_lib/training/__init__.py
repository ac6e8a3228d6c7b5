"""Training: one call that turns a builder, data and a recipe into a run that can be kept."""

from course_lib import common

_HOMES = {"train": "trainer", "last_run": "trainer", "Stopped": "stopping", "Recipe": "recipe", "Run": "run"}
__all__ = sorted(_HOMES)
__getattr__ = common.lazily(__name__, _HOMES)

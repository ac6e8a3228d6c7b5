"""The course kit: `setup` starts a lesson; `datasets`, `models`, `training`, `visualization` do its work.

Importing this package loads nothing heavy: TensorFlow starts in `setup`, quietly.
"""

from course_lib.startup import profile, setup

__all__ = ["profile", "setup"]

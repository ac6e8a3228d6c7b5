"""The course kit: `setup` starts a lesson; `datasets`, `models`, `training`, `visualization` do its work.

Importing this package loads nothing heavy: TensorFlow starts in `setup`, quietly. It sets one environment variable, so
that a TensorFlow imported later convolves with oneDNN (see `course_lib.startup`).
"""

from course_lib.startup import profile, setup, turn_on_onednn

__all__ = ["profile", "setup"]

turn_on_onednn()

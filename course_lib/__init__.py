"""The course kit: `setup` starts a lesson; `datasets`, `models`, `training`, `visualization` do its work.

Importing this package loads nothing heavy: TensorFlow starts in `setup`, quietly. It sets one environment variable, so
that a TensorFlow imported later convolves with oneDNN (see `course_lib.startup`).
"""

import lazy_loader

from course_lib import startup

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

startup.turn_on_onednn()

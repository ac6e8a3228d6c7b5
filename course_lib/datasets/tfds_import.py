"""The one place that imports TensorFlow Datasets (TFDS), and says so where it cannot be used.

TFDS hides what fails while it is imported: the import succeeds, and the module has no `builder`. So it is where
tensorflow-metadata is newer than protobuf, as among the packages that Colab ships.
"""

import importlib
import importlib.metadata
import logging
import types

from course_lib.datasets.errors import UnusableTfdsError

MEND = 'pip install --no-deps "tensorflow-metadata<1.21" importlib_resources'


def import_tfds() -> types.ModuleType:
    """The module `tensorflow_datasets`.

    Raises:
        UnusableTfdsError: it is not installed or does not work with the other packages; says what to type.
    """
    with QuietAbsl(logging.CRITICAL):  # TFDS logs the error that it hides, in 60 lines
        try:
            import tensorflow_datasets as tfds

            if not hasattr(tfds, "builder"):
                importlib.import_module("tensorflow_datasets.core")  # raises what was hidden
                raise ImportError("tensorflow_datasets has no builder")
        except Exception as error:
            reason = f"TensorFlow Datasets (TFDS) cannot be imported ({_explained(error)})"
            ways_on = f"Type: {_mend(error)} (in a notebook %pip), then restart the kernel."
            raise UnusableTfdsError(reason, ways_on) from error
    return tfds


def _explained(error: Exception) -> str:
    if type(error).__name__ == "VersionError":  # protobuf's
        versions = [f"{name} {importlib.metadata.version(name)}" for name in ("tensorflow-metadata", "protobuf")]
        return " does not work with ".join(versions)
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _mend(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name == "tensorflow_datasets":
        return "pip install tensorflow-datasets importlib_resources"
    return MEND


class QuietAbsl:
    """Holds back absl's notes below `level`, errors shown: TFDS says there that a set is not prepared yet."""

    def __init__(self, level: int = logging.ERROR):
        self.level = level

    def __enter__(self) -> None:
        self.before = logging.getLogger("absl").level
        logging.getLogger("absl").setLevel(self.level)

    def __exit__(self, *_) -> None:
        logging.getLogger("absl").setLevel(self.before)

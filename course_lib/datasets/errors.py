"""Why a data set cannot be loaded.

Errors about data on this machine have a `reason`, a phrase for a printed line; their text also says what to do.
"""

import os


class UnknownSetError(ValueError):
    """A name that no data set has."""


class DamagedDataError(ValueError):
    """A prepared data folder that is incomplete or does not read."""

    def __init__(self, folder: str | os.PathLike, damage: str, name: str):
        self.folder = str(folder)
        self.reason = f"{folder} {damage}"
        super().__init__(f"{self.reason}. Delete that folder and load {name} again.")


class MissingDataError(FileNotFoundError):
    """A set that is not on this machine and cannot be downloaded or prepared."""

    def __init__(self, reason: str, ways_on: str):
        self.reason = reason
        self.ways_on = ways_on
        super().__init__(f"{reason}. {ways_on}")


class UnusableTfdsError(MissingDataError):
    """TensorFlow Datasets cannot be imported, so that none of its sets can be opened."""

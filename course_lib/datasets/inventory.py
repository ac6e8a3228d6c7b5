"""The data on this machine, for the readiness check and for the line that a lesson starts with."""

import os

from course_lib import common
from course_lib.datasets.builders import folder_damage, open_builder
from course_lib.datasets.dataset_info import DATASETS
from course_lib.datasets.errors import DamagedDataError, UnusableTfdsError
from course_lib.datasets.tfds_import import QuietAbsl


def status(data_dir: str | os.PathLike | None = None) -> list[dict[str, object]]:
    """One row per data set of `DATASETS`: name, state, where, download_mb.

    The state is "here", "missing", "damaged", "shipped", or "unusable" where TFDS cannot be imported; `where` then
    says why.
    """
    with QuietAbsl():
        return [_row(name, data_dir) for name in DATASETS]


def digits_status() -> str:
    """A phrase that says which digits `load("digits")` will return."""
    with QuietAbsl():
        row = _row("mnist", None)
    state = row["state"]
    if state == "here":
        return "MNIST is here"
    if state == "unusable":
        return f"UCI digits stand in for MNIST: {row['where']}"
    if common.offline():
        return f"MNIST {state}, offline: UCI digits stand in"
    if state == "damaged":
        return "MNIST damaged: UCI digits stand in"
    return f"MNIST {state}: {row['download_mb']} MB to download"


def _row(name: str, data_dir: str | os.PathLike | None) -> dict[str, object]:
    info = DATASETS[name]
    row = {"name": name, "state": "shipped", "where": info.source, "download_mb": info.download_mb}
    if name == "uci_digits":  # the one set that is not TFDS's
        return row
    try:
        builder = open_builder(name, data_dir)
    except UnusableTfdsError as error:
        return row | {"state": "unusable", "where": error.reason}
    except DamagedDataError as error:
        return row | {"state": "damaged", "where": error.folder}
    if not info.download_mb:
        return row
    state = "here" if builder.is_prepared() else "missing"
    if folder_damage(builder):
        state = "damaged"
    return row | {"state": state, "where": str(builder.data_path)}

"""Which data is on this machine: for the readiness check and the line that a lesson starts with."""

from course_lib import common
from course_lib.datasets.catalog import CATALOG
from course_lib.datasets.sources import DamagedDataError, folder_damage, open_builder, quiet_absl


def status(data_dir: str | None = None) -> list[dict[str, object]]:
    """One row a cataloged set: name, state ("here", "missing", "damaged", "shipped"), where, download_mb."""
    with quiet_absl():
        return [_row(name, data_dir) for name in CATALOG]


def digits_status() -> str:
    """Which digits `load("digits")` will give, in a phrase."""
    with quiet_absl():
        row = _row("mnist", None)
    state = row["state"]
    if state == "here":
        return "MNIST is here"
    if common.offline():
        return f"MNIST {state}, offline: UCI digits stand in"
    if state == "damaged":
        return "MNIST damaged: UCI digits stand in"
    return f"MNIST {state}: {row['download_mb']} MB to download"


def _row(name: str, data_dir: str | None) -> dict[str, object]:
    entry = CATALOG[name]
    row = {"name": name, "state": "shipped", "where": entry.source, "download_mb": entry.download_mb}
    if entry.download_mb:
        try:
            builder = open_builder(name, data_dir)
        except DamagedDataError as error:
            return row | {"state": "damaged", "where": str(error).split(" is damaged")[0]}
        state = "damaged" if folder_damage(builder) else "here" if builder.is_prepared() else "missing"
        row |= {"state": state, "where": str(builder.data_path)}
    return row

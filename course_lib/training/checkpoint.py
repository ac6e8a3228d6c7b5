"""A checkpoint: everything that training needs to continue as if it had never stopped, in one file.

`checkpoint-00003-1f0a9c2e.npz` holds every variable of network and optimizer after epoch 3, among them the state of
dropout's random numbers, and notes as JSON. The name ends with the content's checksum, so that a truncated or altered
file is recognized. The file gets that name when it is complete.
"""

import contextlib
import json
import os
import pathlib
import zlib
from collections.abc import Callable

import keras
import numpy as np

KEPT = 2  # the last one, and the one before in case the last is damaged
CHUNK = 1 << 20  # bytes
FILES = "checkpoint-*.npz"


def values(model: keras.Model) -> list[np.ndarray]:
    """The values of every variable of a compiled network and its optimizer."""
    return [keras.ops.convert_to_numpy(variable) for variable in _variables(model)]


def restore(model: keras.Model, arrays: list[np.ndarray]) -> None:
    """Gives the variables of `model` these values, which `values` took from a network built alike."""
    for variable, array in zip(_variables(model), arrays, strict=True):
        variable.assign(array)


def write(folder: pathlib.Path, epoch: int, model: keras.Model, notes: dict[str, object]) -> None:
    """Writes the checkpoint of `epoch` finished epochs, then removes all but the last two."""
    arrays = {f"{position:05}": array for position, array in enumerate(values(model))}
    temporary = folder / "checkpoint.new"
    with temporary.open("wb") as file:
        np.savez(file, notes=np.frombuffer(json.dumps(notes).encode(), np.uint8), **arrays)
        file.flush()
        with contextlib.suppress(OSError):  # some network disks have none
            os.fsync(file.fileno())  # or a power cut could leave the name without the content
    temporary.replace(folder / f"checkpoint-{epoch:05}-{_checksum(temporary)}.npz")
    for old in _newest_first(folder)[KEPT:]:
        old.unlink()


def read(folder: pathlib.Path, tell: Callable[[str], None]) -> tuple[dict[str, object], list[np.ndarray]] | None:
    """Notes and values of the newest whole checkpoint in `folder`, None where there is none.

    A damaged one is left out, and `tell` is called to say so.
    """
    for path in _newest_first(folder):
        if path.stem.rsplit("-", 1)[-1] == _checksum(path):
            with np.load(path) as file:
                notes = json.loads(file["notes"].tobytes())
                return notes, [file[name] for name in sorted(set(file.files) - {"notes"})]
        tell(f"{path} is damaged and left out")
    return None


def _variables(model: keras.Model) -> list[keras.Variable]:
    # `variables` has what `weights` lacks: the states of random number generators.
    return [*model.variables, *model.optimizer.variables]


def _newest_first(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(folder.glob(FILES), reverse=True)


def _checksum(path: pathlib.Path) -> str:
    checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            checksum = zlib.crc32(chunk, checksum)
    return f"{checksum:08x}"

"""A run kept in a folder while it is trained, so that the same call continues it after anything that ended it."""

import json
import time
import zlib
from collections.abc import Callable
from os import PathLike

import keras
import numpy as np

from course_lib import common
from course_lib.training import checkpoint
from course_lib.training.callbacks import Progress
from course_lib.training.data_source import DataSource, OwnDataset
from course_lib.training.folders import folder_of, refuse_pictures, writable
from course_lib.training.recipe import Recipe
from course_lib.training.run import RECORD, WEIGHTS, Run, finished_in, is_record
from course_lib.training.structure import difference, layer_digests

DEFAULTS = Recipe()


class RunFolder(keras.callbacks.Callback):
    """Writes a checkpoint, `history.csv` and `run.json` after each epoch, and finds them again.

    Args:
        path: the run's folder.
        run: the run; its record is written.
        sources: the data that it learns from and validates on.
        progress: counts seconds and images.
        chief: whether this process writes and prints; in a cluster one machine alone does.
        callbacks: whether the call has callbacks of its own, which may have ended the run in the folder.

    Attributes:
        complete: whether the run in the folder has ended, so that there is nothing left to train.

    Raises:
        ValueError: the folder cannot be written.
    """

    def __init__(
        self,
        path: str | PathLike,
        run: Run,
        sources: dict[str, DataSource],
        progress: Progress,
        *,
        chief: bool,
        callbacks: bool,
    ):
        super().__init__()
        self.path = writable(path) if chief else folder_of(path)
        self.run = run
        self.identity = identity(run, sources)
        self.progress = progress
        self.chief = chief
        self.callbacks = callbacks
        self.complete = False
        self.failed = False  # the folder is no longer writable
        self.began = time.perf_counter()
        self.seconds_before = 0.0  # of the calls that this one continues

    def resume(self, model: keras.Model) -> tuple[int, int]:
        """Restores the last checkpoint; returns the first epoch to train, from 0, and the number of epochs in all.

        Where there is none it writes the first one, while a failure is still an error.

        Raises:
            ValueError: the folder holds another run, or this one with more epochs, or cannot be written.
        """
        found = self._read()
        if found is None:
            self._begin(model)
            return 0, self.run.epochs
        notes, arrays = found
        self._check(notes)
        checkpoint.restore(model, arrays)
        self.run.history.update(notes["history"])
        self.seconds_before = notes["seconds"]
        self.progress.seconds = notes["step_seconds"]
        self.progress.images = notes["images"]
        epochs = notes["epochs"]
        stopped = notes["stopped"] and self.callbacks  # without callbacks nothing could have stopped it
        last = epochs if stopped else self.run.epochs
        self.complete = epochs == last and finished_in(self.path, self.run.epochs)
        if self.complete:
            model.load_weights(self.path / WEIGHTS)  # as callbacks left them when training ended
            self.run.status = "finished"
            self.run.seconds = notes["seconds"]
        self._tell(epochs, stopped)
        return epochs, last

    def _tell(self, epochs: int, stopped: bool) -> None:
        """Prints what was found: a run of `epochs` epochs, which a callback has `stopped` or not."""
        if not self.run.data["repeatable_order"]:
            self._print(
                f"{self.path} keeps a run of a tf.data.Dataset, whose pictures cannot be compared: give the same ones"
            )
        if not epochs:
            return
        if self.complete:
            self._print(f"the run in {self.path} has ended after epoch {epochs}: nothing is trained, it is returned")
            return
        if stopped:
            self._print(
                f"a callback ended the run in {self.path} after epoch {epochs}, so it is returned as it is; to train "
                f"on to epoch {self.run.epochs}, leave the callback out"
            )
        else:
            self._print(f"continues after epoch {epochs} of {self.run.epochs}, from {self.path}")

    def _print(self, text: str) -> None:
        if self.chief:
            print(text)

    def _read(self) -> tuple[dict, list[np.ndarray]] | None:
        if not self.path.is_dir():
            return None
        record = self.path / RECORD
        if record.is_file() and not any(self.path.glob(checkpoint.FILES)):
            what = "a run that run.save(path) wrote" if is_record(record) else f"a {RECORD} that is not of a run"
            raise ValueError(f"{self.path} holds {what}, and training would replace it: choose another run_dir")
        try:
            found = checkpoint.read(self.path, self._print)
        except OSError as error:
            raise ValueError(
                f"the run in {self.path} cannot be read ({error.strerror}): copy the folder to another disk and try "
                "there, or choose another run_dir"
            ) from error
        if found is None:
            refuse_pictures(self.path)
        return found

    def _begin(self, model: keras.Model) -> None:
        if self.chief:
            try:
                self._write(model, 0, stopped=False)
            except OSError as error:
                raise ValueError(f"{self.path} cannot be written ({error.strerror}): choose another") from error

    def on_epoch_end(self, epoch, logs=None):
        """Writes the checkpoint of this epoch."""
        self._try(lambda: self._write(self.model, epoch + 1, stopped=self.model.stop_training))

    def save(self) -> bool:
        """Saves the run as it ended; False where the folder is no longer writable."""
        return self._try(lambda: self.run.write(self.path))

    @property
    def seconds(self) -> float:
        """Wall-clock time of the run so far, earlier calls included."""
        return self.seconds_before + time.perf_counter() - self.began

    def _write(self, model: keras.Model, epochs: int, stopped: bool) -> None:
        history = {name: [float(value) for value in values] for name, values in self.run.history.items()}
        counts = {"seconds": self.seconds, "step_seconds": self.progress.seconds, "images": self.progress.images}
        notes = {"epochs": epochs, "stopped": bool(stopped), "history": history, "identity": self.identity, **counts}
        checkpoint.write(self.path, epochs, model, notes)
        lines = [["epoch", *history]]
        lines += [[number, *row] for number, row in enumerate(zip(*history.values(), strict=True), start=1)]
        table = "".join(",".join(map(str, line)) + "\n" for line in lines)
        (self.path / "history.csv.new").write_text(table, encoding="utf-8")
        (self.path / "history.csv.new").replace(self.path / "history.csv")
        common.write_json(self.path / RECORD, self.run.record() | {"history": history, "seconds": self.seconds})

    def _try(self, write: Callable[[], object]) -> bool:
        """Writes; where the folder has failed, training goes on, and that is printed once."""
        if not self.chief:
            return False
        try:
            write()
        except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: how HDF5 reports a full disk
            if not self.failed:
                print(f"{self.path} can no longer be written ({error}); training goes on in memory")
            self.failed = True
            return False
        return True

    def _check(self, notes: dict) -> None:
        """Checks that the run in the folder is this one."""
        kept = notes["identity"]
        wanted = self.identity
        differ = [name for name in wanted | kept if name != "layers" and kept.get(name) != wanted.get(name)]
        said = [f"{name} {_value(kept, name)} there, {_value(wanted, name)} here" for name in differ]
        if changed := difference(kept.get("layers", []), wanted["layers"]):
            said.append(f"another network, {changed}")
        if said:
            raise ValueError(
                f"{self.path} holds another run: {'; '.join(said)}. Choose another run_dir, or delete that one"
            )
        if notes["epochs"] > self.run.epochs:
            raise ValueError(
                f"the run in {self.path} has {notes['epochs']} epochs already: ask for as many or more, not "
                f"{self.run.epochs}, or choose another run_dir"
            )


def identity(run: Run, sources: dict[str, DataSource]) -> dict[str, object]:
    """What identifies a run: a call that has the same in common with a run in a folder continues it. JSON values.

    The recipe's fields count where they are not at their default, so that a field which a later version adds leaves
    kept runs valid. The network counts by its layers (see `structure`), not by its name.
    """
    found = {**run.recipe.chosen(), "seed": run.seed, "layers": layer_digests(run.model)}
    if run.recipe.schedule == "cosine":
        found["epochs"] = run.epochs  # a cosine spans them
    if weights := run.data.get("class_weight"):
        found["class_weight"] = weights
    for what, source in sources.items():
        found[f"{what}'s size"] = len(source)
        if isinstance(source, OwnDataset):
            found[f"{what}'s batch size"] = source.batch_size
        if hasattr(source, "arrays"):
            prepared = next(iter(source.batches(8, training=True, seed=run.seed)))[0].numpy().ravel().astype(float)
            ramp = np.linspace(-1, 1, prepared.size)  # a sum would not notice a flip
            checksums = [f"{zlib.crc32(np.ascontiguousarray(array)):08x}" for array in source.arrays()]
            found[f"{what}'s content"] = " ".join(checksums)
            found[f"{what}'s transforms"] = f"{prepared @ ramp / np.linalg.norm(ramp):.3f}"
    return json.loads(json.dumps(found))


def _value(identity: dict, name: str) -> str:
    """A field of an identity, for an error message."""
    if name in identity:
        return repr(identity[name])
    return repr(getattr(DEFAULTS, name)) if hasattr(DEFAULTS, name) else "none"

"""A run kept in a folder while it is trained, so that the same call continues it after anything that ended it."""

import json
import time
import zlib
from os import PathLike

import keras
import numpy as np

from course_lib import common
from course_lib.training import checkpoint
from course_lib.training.feed import OwnDataset
from course_lib.training.progress import Progress
from course_lib.training.recipe import Recipe
from course_lib.training.run import RECORD, WEIGHTS, Run, finished_in, folder_of, is_record, writable
from course_lib.training.structure import difference, layer_digests

DEFAULTS = Recipe()


class Keeper(keras.callbacks.Callback):
    """Writes a checkpoint, `history.csv` and `run.json` after each epoch, and finds them again.

    Args:
        path: the run's folder.
        identity: what the run must have in common with the one in the folder to be its continuation.
        run: its record is written; its history is filled elsewhere.
        meter: counts seconds and images.
        write: whether this process writes; of a cluster's only the chief does.
        callbacks: whether the call has callbacks of its own, which may have ended the run in the folder.

    Raises:
        ValueError: the folder cannot be written.
    """

    def __init__(
        self, path: str | PathLike, identity: dict, run: Run, meter: Progress, *, write: bool, callbacks: bool = False
    ):
        super().__init__()
        self.folder = writable(path) if write else folder_of(path)
        self.identity = identity
        self.run = run
        self.meter = meter
        self.write = write
        self.callbacks = callbacks
        self.complete = False  # the run in the folder has ended
        self.failed = False  # the folder is no longer writable
        self.began = time.perf_counter()
        self.before = 0.0  # seconds of the processes before this one

    def resume(self, model: keras.Model) -> tuple[int, int]:
        """Restores the last checkpoint; says how many epochs were finished, and how many there are to be.

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
        self.before = notes["seconds"]
        self.meter.seconds = notes["step_seconds"]
        self.meter.images = notes["images"]
        epochs = notes["epochs"]
        if not self.run.data["repeatable_order"]:
            print(
                f"{self.folder} keeps a run of a tf.data.Dataset, whose pictures cannot be compared: give the same ones"
            )
        stopped = notes["stopped"] and self.callbacks  # without them nothing could have stopped it
        last = epochs if stopped else self.run.epochs
        self.complete = epochs == last and finished_in(self.folder, self.run.epochs)
        if self.complete:
            model.load_weights(self.folder / WEIGHTS)  # as callbacks left them when training ended
            self.run.status, self.run.seconds = "finished", notes["seconds"]
        elif stopped:
            print(
                f"a callback ended the run in {self.folder} after epoch {epochs}, so it is returned as it is; to train "
                f"on to epoch {self.run.epochs}, leave the callback out"
            )
        elif epochs:
            print(f"continues after epoch {epochs} of {self.run.epochs}, from {self.folder}")
        return epochs, last

    def _read(self) -> tuple[dict, list[np.ndarray]] | None:
        if not self.folder.is_dir():
            return None
        record = self.folder / RECORD
        if record.is_file() and not any(self.folder.glob(checkpoint.FILES)):
            what = "a run that run.save(path) wrote" if is_record(record) else f"a {RECORD} that is not of a run"
            raise ValueError(f"{self.folder} holds {what}, and training would replace it: choose another run_dir")
        try:
            return checkpoint.read(self.folder)
        except OSError as error:
            raise ValueError(
                f"the run in {self.folder} cannot be read ({error.strerror}): copy the folder to another disk and try "
                "there, or choose another run_dir"
            ) from error

    def _begin(self, model: keras.Model) -> None:
        if self.write:
            try:
                self._write(model, 0, stopped=False)
            except OSError as error:
                raise ValueError(f"{self.folder} cannot be written ({error.strerror}): choose another") from error

    def on_epoch_end(self, epoch, logs=None):
        self._try(lambda: self._write(self.model, epoch + 1, stopped=self.model.stop_training))

    def save(self) -> bool:
        """Keeps the run as it ended; False where the folder failed."""
        return self._try(lambda: self.run.write(self.folder))

    @property
    def seconds(self) -> float:
        return self.before + time.perf_counter() - self.began

    def _write(self, model: keras.Model, epochs: int, stopped: bool) -> None:
        history = {name: [float(value) for value in values] for name, values in self.run.history.items()}
        counts = {"seconds": self.seconds, "step_seconds": self.meter.seconds, "images": self.meter.images}
        notes = {"epochs": epochs, "stopped": bool(stopped), "history": history, "identity": self.identity, **counts}
        checkpoint.write(self.folder, epochs, model, notes)
        lines = [["epoch", *history]]
        lines += [[number, *row] for number, row in enumerate(zip(*history.values(), strict=True), start=1)]
        table = "".join(",".join(map(str, line)) + "\n" for line in lines)
        (self.folder / "history.csv.new").write_text(table, encoding="utf-8")
        (self.folder / "history.csv.new").replace(self.folder / "history.csv")
        common.write_json(self.folder / RECORD, self.run.record() | {"history": history, "seconds": self.seconds})

    def _try(self, write) -> bool:
        """Writes; a folder that fails while training runs costs the run nothing, and is told of once."""
        if not self.write:
            return False
        try:
            write()
        except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: HDF5's word for a full disk
            if not self.failed:
                print(f"{self.folder} can no longer be written ({error}); training goes on in memory")
            self.failed = True
            return False
        return True

    def _check(self, notes: dict) -> None:
        kept, wanted = notes["identity"], self.identity
        differ = [name for name in wanted | kept if name != "layers" and kept.get(name) != wanted.get(name)]
        said = [f"{name} {_told(kept, name)} there, {_told(wanted, name)} here" for name in differ]
        if changed := difference(kept.get("layers", []), wanted["layers"]):
            said.append(f"another network, {changed}")
        if said:
            raise ValueError(
                f"{self.folder} holds another run: {'; '.join(said)}. Choose another run_dir, or delete that one"
            )
        if notes["epochs"] > self.run.epochs:
            raise ValueError(
                f"the run in {self.folder} has {notes['epochs']} epochs already: ask for as many or more, not "
                f"{self.run.epochs}, or choose another run_dir"
            )


def identity(run: Run, feeds: dict) -> dict[str, object]:
    """What a run must have in common with a kept one to be its continuation; JSON values, each named.

    The recipe's fields count where they are not at their default, so that a field which a later version adds leaves
    kept runs valid. The network counts by its layers (see `structure`), not by its name.
    """
    found = {**run.recipe.chosen(), "seed": run.seed, "layers": layer_digests(run.model)}
    if run.recipe.schedule == "cosine":
        found["epochs"] = run.epochs  # a cosine spans them
    if weights := run.data.get("class_weight"):
        found["class_weight"] = weights
    for what, feed in feeds.items():
        found[f"{what}'s size"] = len(feed)
        if isinstance(feed, OwnDataset):
            found[f"{what}'s batch size"] = feed.batch_size
        if hasattr(feed, "arrays"):
            prepared = next(iter(feed.batches(8, training=True, seed=run.seed)))[0].numpy().ravel().astype(float)
            ramp = np.linspace(-1, 1, prepared.size)  # a sum would not notice a flip
            found[f"{what}'s content"] = " ".join(_checksum(np.ascontiguousarray(array)) for array in feed.arrays())
            found[f"{what}'s transforms"] = f"{prepared @ ramp / np.linalg.norm(ramp):.3f}"
    return json.loads(json.dumps(found))


def _told(identity: dict, name: str) -> str:
    """A field of an identity, for an error message."""
    if name in identity:
        return repr(identity[name])
    return f"{getattr(DEFAULTS, name)!r}" if hasattr(DEFAULTS, name) else "none"


def _checksum(content) -> str:
    return f"{zlib.crc32(content):08x}"

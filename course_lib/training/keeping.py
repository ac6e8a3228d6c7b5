"""A run kept in a folder while it is trained, so that the same call continues it after anything that ended it."""

import dataclasses
import json
import pathlib
import time
import zlib
from os import PathLike

import keras
import numpy as np

from course_lib import common
from course_lib.training import checkpoint
from course_lib.training.progress import Progress
from course_lib.training.run import RECORD, WEIGHTS, Run, finished_in, writable


class Keeper(keras.callbacks.Callback):
    """Writes a checkpoint, `history.csv` and `run.json` after each epoch, and finds them again.

    Args:
        path: the run's folder.
        identity: what the run must have in common with the one in the folder to be its continuation.
        run: its record is written; its history is filled elsewhere.
        meter: counts seconds and images.
        write: whether this process writes; of a cluster's only the chief does.

    Raises:
        ValueError: the folder cannot be written.
    """

    def __init__(self, path: str | PathLike, identity: dict, run: Run, meter: Progress, *, write: bool):
        super().__init__()
        self.folder = writable(path) if write else pathlib.Path(path)
        self.identity, self.run, self.meter, self.write = identity, run, meter, write
        self.complete, self.failed = False, False  # the run in the folder has ended; the folder fails
        self.began, self.before = time.perf_counter(), 0.0

    def resume(self, model: keras.Model) -> tuple[int, int]:
        """Restores the last checkpoint; says how many epochs were finished, and how many there are to be.

        Where there is none it writes the first one, while a failure is still an error.

        Raises:
            ValueError: the folder holds another run, or this one with more epochs, or cannot be written.
        """
        found = checkpoint.read(self.folder) if self.folder.is_dir() else None
        if found is None:
            self._begin(model)
            return 0, self.run.epochs
        notes, arrays = found
        self._check(notes)
        checkpoint.restore(model, arrays)
        self.run.history.update(notes["history"])
        self.before, self.meter.seconds, self.meter.images = notes["seconds"], notes["step_seconds"], notes["images"]
        epochs = notes["epochs"]
        last = epochs if notes["stopped"] else self.run.epochs
        self.complete = epochs == last and finished_in(self.folder, self.run.epochs)
        if self.complete:
            model.load_weights(self.folder / WEIGHTS)  # as callbacks left them when training ended
            self.run.status, self.run.seconds = "finished", notes["seconds"]
        elif epochs:
            print(f"continues after epoch {epochs} of {self.run.epochs}, from {self.folder}")
        return epochs, last

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
        return self._try(lambda: self.run.save(self.folder))

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
        differ = [name for name in wanted | kept if kept.get(name) != wanted.get(name)]
        if differ:
            said = "; ".join(f"{name} {kept.get(name)!r} there, {wanted.get(name)!r} here" for name in differ)
            raise ValueError(f"{self.folder} holds another run: {said}. Choose another run_dir, or delete that one")
        if notes["epochs"] > self.run.epochs:
            raise ValueError(
                f"the run in {self.folder} has {notes['epochs']} epochs already: ask for as many or more, not "
                f"{self.run.epochs}, or choose another run_dir"
            )


def identity(run: Run, feeds: dict) -> dict[str, object]:
    """What a run must have in common with a kept one to be its continuation; JSON values."""
    model = run.model
    layers = [[type(layer).__name__, *(list(weight.shape) for weight in layer.weights)] for layer in model.layers]
    found = {
        **dataclasses.asdict(run.recipe),
        "epochs": run.epochs if run.recipe.schedule == "cosine" else "any",  # a cosine spans them
        "seed": run.seed,
        "network": model.name,
        "parameters": model.count_params(),
        "layers": _checksum(repr(layers).encode()),
    }
    for what, feed in feeds.items():
        found[f"{what}'s size"] = len(feed)
        if hasattr(feed, "arrays"):
            prepared = next(iter(feed.batches(8, training=True, seed=run.seed)))[0].numpy().ravel().astype(float)
            ramp = np.linspace(-1, 1, prepared.size)  # a sum would not notice a flip
            found[f"{what}'s content"] = " ".join(_checksum(np.ascontiguousarray(array)) for array in feed.arrays())
            found[f"{what}'s transforms"] = f"{prepared @ ramp / np.linalg.norm(ramp):.3f}"
    return json.loads(json.dumps(found))


def _checksum(content) -> str:
    return f"{zlib.crc32(content):08x}"

"""A run: the trained network with its history and everything that says how it was made; saved as weights and JSON."""

import dataclasses
import inspect
import json
import pathlib
import platform
from collections.abc import Callable
from os import PathLike, cpu_count

import keras
import numpy as np

from course_lib import common, model_checks
from course_lib.training import checkpoint
from course_lib.training.folders import folder_of, refuse_pictures, writable
from course_lib.training.recipe import Recipe
from course_lib.training.structure import difference, layer_digests

WEIGHTS = "model.weights.h5"
RECORD = "run.json"
FILE_SUFFIXES = (".keras", ".h5", ".hdf5", ".json", ".npz", ".pkl", ".zip")


def installed_versions() -> dict[str, str]:
    """Versions of what a run's numbers depend on."""
    known = {"python": platform.python_version(), "keras": keras.version(), "numpy": np.__version__}
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        known["tensorflow"] = tf.version.VERSION
    return known


def this_machine() -> dict[str, object]:
    """What a run was made on: engine, devices, cores and kind of machine."""
    return {
        "engine": keras.backend.backend(),
        "devices": keras.distribution.list_devices(),
        "cores": cpu_count(),
        "machine": platform.machine(),
    }


@dataclasses.dataclass(repr=False)
class Run:
    """What `train` returns.

    Attributes:
        model: the trained network.
        history: one value per epoch in a list, by Keras' names: "loss", "accuracy" and, with validation, "val_…".
        epochs: how many were asked for; `history` holds those that were finished.
        seconds: wall-clock time in all.
        images_per_second: images trained on over the time spent training on them.
        data: examples (None where not known), image shape, batch size, whether the batches' order can be repeated,
            and the weights of the classes where there are any.
        status: "finished", "interrupted", or "running": in a folder where training has not ended.
    """

    model: keras.Model
    history: dict[str, list[float]]
    recipe: Recipe
    epochs: int
    seed: int
    seconds: float
    images_per_second: float
    data: dict[str, object]
    status: str = "finished"
    versions: dict[str, str] = dataclasses.field(default_factory=installed_versions)
    hardware: dict[str, object] = dataclasses.field(default_factory=this_machine)

    def __repr__(self) -> str:
        finished = len(self.history.get("loss", ()))
        figures = "".join(f", {name} {values[-1]:.4g}" for name, values in self.history.items() if values)
        return f"<Run of {self.model.name}: {self.status}, {finished} of {self.epochs} epochs{figures}>"

    def record(self) -> dict[str, object]:
        """All but the weights, as JSON values: the layout of `run.json` and of each run in `data/runs/`."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        fields["model"] = {"name": self.model.name, "parameters": self.model.count_params()}
        fields["recipe"] = self.recipe.record()
        return fields

    def save(self, path: str | PathLike) -> pathlib.Path:
        """Writes the folder `path`: `model.weights.h5` and `run.json`. A run saved there before is replaced.

        Raises:
            ValueError: the folder cannot be made or written, or it holds something else.
        """
        folder = folder_of(path)
        if folder.suffix in FILE_SUFFIXES:
            raise ValueError(
                f"a run is saved as a folder, and {folder.name!r} looks like a file: give "
                f"{folder.name.split('.')[0]!r}, or keep the "
                f"network alone by run.model.save({str(path)!r})"
            )
        if any(folder.glob(checkpoint.FILES)):
            raise ValueError(
                f"{folder} keeps a run that train(run_dir=…) wrote, and saving would mix two runs: choose another "
                "folder"
            )
        if (folder / RECORD).is_file() and not is_record(folder / RECORD):
            raise ValueError(f"{folder / RECORD} is not of a run, and saving would replace it: choose another folder")
        if not (folder / RECORD).is_file():
            refuse_pictures(folder)
        return self.write(folder)

    def write(self, path: str | PathLike) -> pathlib.Path:
        """Writes the two files without asking what the folder holds.

        Raises:
            ValueError: it cannot be written; what was written of it is removed.
        """
        folder = writable(path)
        new = folder / f"new.{WEIGHTS}"
        try:
            self.model.save_weights(new)
            new.replace(folder / WEIGHTS)
            common.write_json(folder / RECORD, self.record() | {"layers": layer_digests(self.model)})
        except (OSError, RuntimeError) as error:  # RuntimeError: HDF5's word for a full disk
            for half in (new, folder / f"{RECORD}.new"):
                half.unlink(missing_ok=True)
            reason = getattr(error, "strerror", None) or error
            raise ValueError(
                f"{folder} cannot be written ({reason}). The run is still in memory: make room, or choose another "
                "folder"
            ) from error
        return folder

    @classmethod
    def load(cls, path: str | PathLike, build: Callable[[], keras.Model]) -> "Run":
        """The run kept in the folder `path`; `build` makes the network that the weights are for.

        Raises:
            FileNotFoundError: no such folder, or nothing readable in it.
            ValueError: `build` makes another network than the one that was trained.
        """
        folder = folder_of(path)
        try:
            fields = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            was = fields.pop("model")
            layers = fields.pop("layers", None)  # not in runs of before 2026-12
            run = cls(model=None, **fields | {"recipe": Recipe(**fields["recipe"])})
            name = was["name"]
            parameters = was["parameters"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise FileNotFoundError(
                f"{folder} holds no run that can be read ({type(error).__name__}: {error}); a run folder has "
                f"{RECORD} and {WEIGHTS}, as run.save(path) or train(run_dir=path) writes them"
            ) from error
        if run.status == "running":
            raise FileNotFoundError(f"the run in {folder} has not ended: the call that began it continues it")
        with run.recipe.building():
            model = built(build)
        if model.count_params() != parameters:
            raise ValueError(
                f"the run in {folder} is of {name} with {parameters:,} parameters, but build() made "
                f"{model.name} with {model.count_params():,}; pass the builder that it was trained with"
            )
        if layers and (differs := difference(layers, layer_digests(model))):
            raise ValueError(
                f"build() makes another network than that of the run in {folder}: {differs}. Pass the builder that it "
                "was trained with, with the same options"
            )
        try:
            model.load_weights(folder / WEIGHTS)
        except OSError as error:
            raise FileNotFoundError(f"{folder / WEIGHTS} cannot be read ({error}); train the run again") from error
        run.model = model
        return run


def finished_in(folder: pathlib.Path, epochs: int) -> bool:
    """Whether `folder` keeps a run of `epochs` epochs that has ended of itself."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return (record["status"], record["epochs"]) == ("finished", epochs) and (folder / WEIGHTS).is_file()
    except (OSError, ValueError, KeyError, TypeError):
        return False


def is_record(path: pathlib.Path) -> bool:
    """Whether the file is a run's record, and not another `run.json`."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return {"model", "history", "recipe", "epochs"} <= set(record)
    except (OSError, ValueError, TypeError):
        return False


def built(build: Callable[[], keras.Model]) -> keras.Model:
    """What `build()` returns, once it is clear that it is a network with one input.

    Raises:
        ValueError: no function, one that needs arguments, or no such network.
    """
    if not callable(build) or isinstance(build, keras.Model):
        given = "a network" if isinstance(build, keras.Model) else model_checks.described(build)
        raise ValueError(
            "build must be a function that builds the network, for example lambda: models.build('lenet5'), not "
            f"{given}: each run starts afresh"
        )
    try:
        inspect.signature(build).bind()
    except TypeError as error:
        raise ValueError(
            f"build is called without arguments, and this function needs some ({error}): give "
            "lambda: models.build('lenet5')"
        ) from None
    except ValueError:
        pass  # a function of C's, which says nothing of its arguments
    model = build()
    if isinstance(model, keras.Model) and len(getattr(model, "inputs", None) or ()) > 1:
        raise ValueError(f"{model.name} has {len(model.inputs)} inputs, and train gives it one, the images")
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise ValueError(
            "build() must return a keras.Model (functional or Sequential) that starts with one keras.Input, "
            f"not {model!r}"
        )
    return model

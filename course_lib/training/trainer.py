"""`train`: a builder, data and a recipe in, a run out."""

import contextlib
import functools
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike

import keras
import numpy as np

from course_lib import common
from course_lib.array_checks import check_value_range
from course_lib.model_checks import leaf_layers
from course_lib.training import checkpoint, compatibility
from course_lib.training.callbacks import Progress, Stopped, StopWhereNotFinite, checked_callbacks
from course_lib.training.data_source import DataSource, OwnDataset, as_data_source, batch_count, class_weights
from course_lib.training.devices import Devices, OneDevice, check_divisible, choose_devices
from course_lib.training.folders import writable
from course_lib.training.recipe import Recipe
from course_lib.training.run import Run
from course_lib.training.run_folder import RunFolder

SEEDS = 2**32  # what NumPy and Keras take
OPERATIONS_PER_SECOND = 2e10  # multiply-adds of a laptop's two cores, to choose how often Python looks in


def last_run() -> Run:
    """The run that `train` made last in this process, also where it was stopped by hand.

    Raises:
        ValueError: nothing was trained yet.
    """
    if not _LAST:
        raise ValueError("nothing was trained in this process yet: run = training.train(…)")
    return _LAST[0]


_LAST: list[Run] = []


def train(
    build: Callable[[], keras.Model],
    data: object,
    *,
    recipe: Recipe,
    epochs: int,
    validation: object = None,
    run_dir: str | PathLike | None = None,
    seed: int = 0,
    devices: str | int | Sequence[str] = "auto",
    callbacks: keras.callbacks.Callback | Sequence[keras.callbacks.Callback] | None = (),
    class_weight: Mapping[int, float] | Sequence[float] | str | None = None,
    value_range: tuple[float, float] | None = None,
    progress: bool = True,
) -> Run:
    """Trains a fresh network and returns the run.

    The same arguments on the same machine give the same weights, bit for bit; so does a run that was killed and
    continued. Another number of devices gives the same weights up to rounding, unless the network has BatchNorm
    that is not synchronized, or dropout. Ctrl-C or the stop button ends the call with `Stopped`; the run so far is
    kept: `last_run()` returns it, and with `run_dir` the same call continues it.

    Args:
        build: makes the network, for example `lambda: models.build("lenet5")`; it must return logits. A network that
            scales pixels itself, such as one that begins with `Rescaling(1 / 255)`, gets those from 0 to 255.
        data: a split, a pair of arrays `(images, labels)`, or a batched `tf.data.Dataset`, which is used as it
            is (its batch size, its order).
        recipe: how to train.
        epochs: number of epochs, at least 1: in each, every example is trained on once.
        validation: like `data`; measured after each epoch, never trained on.
        run_dir: a folder that keeps the run: a checkpoint after each epoch, `history.csv` and `run.json`. The same
            call again continues after the last whole epoch, or returns the run that has ended. More epochs may be
            asked for then, unless the schedule spans them. Callbacks start afresh, and so does the order of a
            `tf.data.Dataset`.
        seed: decides the initialization, the order and every random transform.
        devices: "auto": all GPUs of this machine, else its CPU; how many of them; their names, such as
            `["GPU:0", "GPU:1"]`; or "multi_worker": all devices of all machines of the cluster that `TF_CONFIG`
            describes, each of which makes this same call after `course_lib.setup(multi_worker=True)`.
        callbacks: Keras callbacks, called as `model.fit` calls them.
        class_weight: how much an example of each class counts in the loss: a dict such as `{0: 2.0}` (the others
            weigh 1), one number per class, or "balanced". Validation and accuracies are not weighted.
        value_range: the smallest and the largest value that floating-point images may have, where the network takes
            others than -5 to 5; for example (-124, 152) for weights trained on ImageNet.
        progress: whether to show a line that says how it goes.

    Raises:
        ValueError: arguments that do not fit each other; each message says what would.
        FloatingPointError: the loss is no longer finite; says where and at which learning rate.
        RuntimeError: another machine of the cluster has stopped answering.
        Stopped: it was stopped by hand.
    """
    _check(recipe, epochs, seed)
    epochs = int(epochs)  # NumPy's integers are not JSON
    seed = int(seed)
    callbacks = checked_callbacks(callbacks, recipe, validation is not None)
    value_range = check_value_range(value_range)
    devices = choose_devices(devices, recipe)
    if run_dir is not None and devices.chief:
        writable(run_dir)
    sources = {"data": as_data_source(data, "data", value_range)}
    if validation is not None:
        sources["validation"] = as_data_source(validation, "validation", value_range)
    source = sources["data"]
    batch_size = source.batch_size if isinstance(source, OwnDataset) else recipe.batch_size
    check_divisible(source, devices)
    compiled = functools.partial(_compiled, build, recipe, epochs, len(source), batch_size)
    with _own_random_state(seed):
        with devices.scope():
            model = compiled(devices.replicas)
        sources, ranges = compatibility.adapted(model, sources, value_range)
        if devices.chief:
            compatibility.note_on_ranges(ranges)
        about = _about(sources["data"], model, batch_size, class_weight)
        run = Run(model, {}, recipe, epochs, seed, seconds=0.0, images_per_second=0.0, data=about, status="running")
        _LAST[:] = [run]
        examples = min(len(source), batch_count(len(source), batch_size, devices.replicas) * batch_size)
        line = Progress(epochs, examples, batch_size, show=progress and devices.chief)
        kept = {"chief": devices.chief, "callbacks": bool(callbacks)}
        folder = None if run_dir is None else RunFolder(run_dir, run, sources, line, **kept)
        stopped = _train(run, devices, sources, callbacks, line, folder)
        if not isinstance(devices, OneDevice):  # return a network like any other, on one device
            run.model = compiled(1)
            checkpoint.restore(run.model, checkpoint.values(model))
    if stopped:
        raise Stopped(run, stopped)
    if devices.chief:
        compatibility.note_on_batch_norm(run)
    return run


def _train(run: Run, devices: Devices, sources: dict, callbacks: list, progress: Progress, folder) -> str:
    """Trains `run.model` from where `folder` has it, and fills in the run's history, times and status.

    Returns what to say where it was stopped by hand, else "".
    """
    began = time.perf_counter()
    first, last = folder.resume(run.model) if folder else (0, run.epochs)
    if not (folder and folder.complete):
        listed = _callback_list(run, devices, len(sources["data"]), callbacks, progress, folder)
        try:
            devices.fit(run, sources["data"], sources.get("validation"), first, last, listed)
            run.status = "finished"
        except BaseException as error:
            if progress.began:
                listed.on_train_end()
            for source in sources.values():
                if isinstance(source, OwnDataset) and source.problem:
                    raise ValueError(source.problem) from None
            if not isinstance(error, KeyboardInterrupt):
                raise
            run.status = "interrupted"
        run.seconds = folder.seconds if folder else time.perf_counter() - began
    run.history = {name: [float(value) for value in values] for name, values in run.history.items()}
    run.images_per_second = progress.images_per_second
    kept = folder.save() if folder and not folder.complete else False
    if run.status != "interrupted":
        return ""
    where = f" It is kept in {folder.path}, and the same call continues it." if kept else ""
    said = f"stopped by hand in epoch {progress.epoch + 1} of {run.epochs}. The run so far: run = training.last_run()."
    return said + where


def _callback_list(run: Run, devices: Devices, examples: int, callbacks: list, progress: Progress, folder):
    """All callbacks of a run in one list, the caller's and the trainer's."""
    history = keras.callbacks.History()  # first, so that an interrupt in another callback loses no epoch of it
    history.history = run.history
    listed = [history, *callbacks, StopWhereNotFinite(devices.replicas), progress]
    if folder:
        listed.append(folder)
    steps = batch_count(examples, run.data["batch_size"], devices.replicas)
    return keras.callbacks.CallbackList(listed, model=run.model, epochs=run.epochs, steps=steps, verbose=0)


@contextlib.contextmanager
def _own_random_state(seed: int) -> Iterator[None]:
    """Seeds Keras, TensorFlow, NumPy and Python; afterwards the caller's own draws go on where they were."""
    python = random.getstate()
    legacy = np.random.get_state()  # noqa: NPY002
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002


def _about(source: DataSource, model: keras.Model, batch_size: int, class_weight: object) -> dict[str, object]:
    """What a run records of its data; `batch_size` is the recipe's, or that of the caller's own dataset."""
    own = isinstance(source, OwnDataset)
    about = {
        "examples": None if own else len(source),
        "image_shape": list(model.input_shape[1:]),
        "batch_size": batch_size,
        "repeatable_order": not own,
    }
    if weights := class_weights(class_weight, source, model.output_shape[-1]):
        about["class_weight"] = weights
    return about


def _check(recipe: object, epochs: object, seed: object) -> None:
    common.at_least(1, epochs=epochs)
    common.at_least(0, seed=seed)
    if seed >= SEEDS:
        raise ValueError(f"seed must be below 2**32, not {seed}")
    if not isinstance(recipe, Recipe):
        raise ValueError(f"recipe must be a training.Recipe, not {recipe!r}")


def _compiled(
    build: Callable, recipe: Recipe, epochs: int, examples: int, batch_size: int, replicas: int
) -> keras.Model:
    """A fresh network, compiled and with all its variables, for training on `replicas` devices."""
    steps = batch_count(examples, batch_size, replicas)
    with recipe.building():
        model = compatibility.build_fresh(build, twice=replicas > 1)
    compatibility.check_outputs(model, own_loss=recipe.loss != Recipe().loss)
    if recipe.synchronize_batch_norm and replicas > 1:
        for layer in leaf_layers(model):
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = True
    at_once = recipe.steps_per_execution
    if at_once == "auto":
        at_once = _steps_per_execution(model, batch_size, steps)
    model.compile(
        optimizer=recipe.make_optimizer(epochs, steps, replicas),
        loss=recipe.make_loss(),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        steps_per_execution=at_once,
        jit_compile=recipe.xla if replicas == 1 else False,
    )
    model.optimizer.build(model.trainable_variables)
    return model


def _steps_per_execution(model: keras.Model, batch_size: int, steps: int) -> int:
    """How many steps to run between two returns to Python: about a quarter of a second's work, at most 32.

    A small network's step takes less time than Python takes to start it.
    """
    operations = 0
    for layer in model.layers:
        if kernels := [weight for weight in layer.trainable_weights if weight.name == "kernel"]:
            positions = math.prod(size or 1 for size in layer.output.shape[1:-1])
            operations += positions * math.prod(kernels[0].shape)
    step_seconds = 3 * operations * batch_size / OPERATIONS_PER_SECOND  # forward, and backward twice that
    return max(1, min(32, steps, int(0.25 / max(step_seconds, 1e-9))))

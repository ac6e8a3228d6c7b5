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
from course_lib.training import checkpoint, places
from course_lib.training.arguments import checked_callbacks, class_weights
from course_lib.training.feed import OwnDataset, as_feed, batch_count
from course_lib.training.fitting import build_fresh, check_outputs, fitted
from course_lib.training.keeping import Keeper, identity
from course_lib.training.notes import note_on_batch_norm, note_on_ranges
from course_lib.training.progress import Progress
from course_lib.training.recipe import Recipe
from course_lib.training.run import Run, writable
from course_lib.training.stopping import Stopped, StopWhereNotFinite

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
        epochs: passes over the data, at least 1.
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
    epochs, seed = int(epochs), int(seed)  # NumPy's integers are not JSON
    callbacks = checked_callbacks(callbacks, recipe, validation is not None)
    value_range = check_value_range(value_range)
    place = places.choose(devices, recipe)
    if run_dir is not None and place.chief:
        writable(run_dir)
    given = {"data": data} | ({} if validation is None else {"validation": validation})
    feeds = {what: as_feed(each, what, value_range) for what, each in given.items()}
    feed = feeds["data"]
    batch_size = feed.batch_size if isinstance(feed, OwnDataset) else recipe.batch_size
    places.check_data(place, feed)
    make = functools.partial(_make, build, recipe, epochs, len(feed), batch_size)
    with _own_random_state(seed):
        with place.scope():
            model = make(place.replicas)
        fits = {what: fitted(model, each, what, value_range) for what, each in feeds.items()}
        feeds = {what: each for what, (each, _) in fits.items()}
        note_on_ranges({what: ends for what, (_, ends) in fits.items()})
        about = _about(feed, model.input_shape[1:], batch_size)
        if weights := class_weights(class_weight, feed, model.output_shape[-1]):
            about["class_weight"] = weights
        run = Run(model, {}, recipe, epochs, seed, seconds=0.0, images_per_second=0.0, data=about, status="running")
        _LAST[:] = [run]
        trained = batch_count(len(feed), batch_size, place.replicas) * batch_size
        meter = Progress(epochs, min(trained, len(feed)), batch_size, show=progress and place.chief)
        keeper = None
        if run_dir is not None:
            own = identity(run, feeds)
            keeper = Keeper(run_dir, own, run, meter, write=place.chief, callbacks=bool(callbacks))
        stopped = _train(run, place, feeds, callbacks, meter, keeper)
        if not isinstance(place, places.OneDevice):  # hand back a network like any other, on one device
            run.model = make(1)
            checkpoint.restore(run.model, checkpoint.values(model))
    if stopped:
        raise Stopped(run, stopped)
    note_on_batch_norm(run)
    return run


def _train(run: Run, place, feeds: dict, callbacks: Sequence, meter: Progress, keeper: Keeper | None) -> str:
    """Trains `run.model` from where `keeper` finds it, and fills in what `run` says of it.

    Returns what to say where it was stopped by hand, else "".
    """
    began = time.perf_counter()
    first, last = keeper.resume(run.model) if keeper else (0, run.epochs)
    if not (keeper and keeper.complete):
        history = keras.callbacks.History()  # first, so that an interrupt in another callback loses no epoch of it
        history.history = run.history
        steps = batch_count(len(feeds["data"]), run.data["batch_size"], place.replicas)
        mine = [history, *place.callbacks, *callbacks, StopWhereNotFinite(place.replicas), meter]
        mine += [keeper] if keeper else []
        listed = keras.callbacks.CallbackList(mine, model=run.model, epochs=run.epochs, steps=steps, verbose=0)
        try:
            place.fit(run, feeds["data"], feeds.get("validation"), first, last, listed)
            run.status = "finished"
        except BaseException as error:
            if meter.began:
                listed.on_train_end()
            if problem := next((feed.problem for feed in feeds.values() if getattr(feed, "problem", "")), ""):
                raise ValueError(problem) from None
            if not isinstance(error, KeyboardInterrupt):
                raise
            run.status = "interrupted"
        run.seconds = keeper.seconds if keeper else time.perf_counter() - began
    run.history = {name: [float(value) for value in values] for name, values in run.history.items()}
    run.images_per_second = meter.images_per_second
    kept = keeper is not None and not keeper.complete and keeper.save()
    if run.status != "interrupted":
        return ""
    where = f" It is kept in {keeper.folder}, and the same call continues it." if kept else ""
    return (
        f"stopped by hand in epoch {meter.epoch + 1} of {run.epochs}. The run so far: run = training.last_run().{where}"
    )


@contextlib.contextmanager
def _own_random_state(seed: int) -> Iterator[None]:
    """Seeds Keras, TensorFlow, NumPy and Python; afterwards the caller's own draws go on where they were."""
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002


def _about(feed, image_shape: tuple[int, ...], batch_size: int) -> dict[str, object]:
    """What a run records of its data; `batch_size` is the recipe's, or that of the caller's own dataset."""
    own = isinstance(feed, OwnDataset)
    return {
        "examples": None if own else len(feed),
        "image_shape": list(image_shape),
        "batch_size": batch_size,
        "repeatable_order": not own,
    }


def _check(recipe: object, epochs: object, seed: object) -> None:
    common.at_least(1, epochs=epochs)
    common.at_least(0, seed=seed)
    if seed >= SEEDS:
        raise ValueError(f"seed must be below 2**32, not {seed}")
    if not isinstance(recipe, Recipe):
        raise ValueError(f"recipe must be a training.Recipe, not {recipe!r}")


def _make(build: Callable, recipe: Recipe, epochs: int, examples: int, batch_size: int, replicas: int) -> keras.Model:
    """A fresh network, compiled and with all its variables, for training on `replicas` devices."""
    steps = batch_count(examples, batch_size, replicas)
    with recipe.building():
        model = build_fresh(build, twice=replicas > 1)
    check_outputs(model, own_loss=recipe.loss != Recipe().loss)
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

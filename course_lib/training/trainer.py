"""`train`: a builder, data and a recipe in, a run out."""

import functools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from os import PathLike

import keras

from course_lib import common
from course_lib.training import checkpoint, places
from course_lib.training.feed import OwnDataset, as_feed, batch_count, build_checked, check_fit
from course_lib.training.keeping import Keeper, identity
from course_lib.training.progress import Progress
from course_lib.training.recipe import Recipe
from course_lib.training.run import Run, writable

OPERATIONS_PER_SECOND = 2e10  # multiply-adds of a laptop's two cores, to choose how often Python looks in
INTERCONNECT = (
    ". A broken connection between GPUs does this too: if one device alone trains well, try "
    "Recipe(cross_device_ops='hierarchical_copy') or 'one_device'"
)


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
    callbacks: Sequence[keras.callbacks.Callback] = (),
    progress: bool = True,
) -> Run:
    """Trains a fresh network and returns the run; Ctrl-C or the stop button returns the run so far.

    The same arguments on the same machine give the same weights, bit for bit; so does a run that was killed and
    continued. Another number of devices gives the same weights up to rounding, unless the network has BatchNorm
    that is not synchronized, or dropout.

    Args:
        build: makes the network, for example `lambda: models.build("lenet5")`; it must return logits.
        data: a split, a pair of arrays `(images, labels)`, or a batched `tf.data.Dataset`, which is used as it
            is (its batch size, its order).
        recipe: how to train.
        epochs: passes over the data, at least 1.
        validation: like `data`; measured after each epoch, never trained on.
        run_dir: a folder that keeps the run: a checkpoint after each epoch, `history.csv` and `run.json`. The same
            call again continues after the last whole epoch, or returns the run that has ended. More epochs may be
            asked for then, unless the schedule spans them. Callbacks start afresh, and so does the order of a
            `tf.data.Dataset`.
        seed: decides the first weights, the order and every random transform.
        devices: "auto": all GPUs of this machine, else its CPU; how many of them; their names, such as
            `["GPU:0", "GPU:1"]`; or "multi_worker": all devices of all machines of the cluster that `TF_CONFIG`
            describes, each of which makes this same call after `course_lib.setup(multi_worker=True)`.
        callbacks: Keras callbacks, called as `model.fit` calls them.
        progress: whether to show a line that says how it goes.

    Raises:
        ValueError: arguments that do not fit each other; each message says what would.
        FloatingPointError: the loss is no longer finite; says where and at which learning rate.
        RuntimeError: another machine of the cluster has stopped answering.
    """
    _check(recipe, epochs, seed)
    epochs, seed = int(epochs), int(seed)  # NumPy's integers are not JSON
    place = places.choose(devices, recipe)
    if run_dir is not None and place.chief:
        writable(run_dir)
    feeds = {"data": as_feed(data)} | ({} if validation is None else {"validation": as_feed(validation, "validation")})
    feed = feeds["data"]
    batch_size = feed.batch_size if isinstance(feed, OwnDataset) else recipe.batch_size
    places.check_data(place, feed)
    make = functools.partial(_make, build, recipe, epochs, len(feed), batch_size)
    keras.utils.set_random_seed(seed)
    with place.scope():
        model = make(place.replicas)
    for what, each in feeds.items():
        check_fit(model, each, what)
    about = _about(feed, model.input_shape[1:], batch_size)
    run = Run(model, {}, recipe, epochs, seed, seconds=0.0, images_per_second=0.0, data=about, status="running")
    trained = batch_count(len(feed), batch_size, place.replicas) * batch_size
    meter = Progress(epochs, min(trained, len(feed)), batch_size, show=progress and place.chief)
    keeper = None
    if run_dir is not None:
        keeper = Keeper(run_dir, identity(run, feeds), run, meter, write=place.chief)
    _train(run, place, feeds, callbacks, meter, keeper)
    if not isinstance(place, places.OneDevice):  # hand back a network like any other, on one device
        run.model = make(1)
        checkpoint.restore(run.model, checkpoint.values(model))
    return run


def _train(run: Run, place, feeds: dict, callbacks: Sequence, meter: Progress, keeper: Keeper | None) -> None:
    """Trains `run.model` from where `keeper` finds it, and fills in what `run` says of it."""
    began = time.perf_counter()
    first, last = keeper.resume(run.model) if keeper else (0, run.epochs)
    if not (keeper and keeper.complete):
        history = keras.callbacks.History()  # first, so that an interrupt in another callback loses no epoch of it
        history.history = run.history
        steps = batch_count(len(feeds["data"]), run.data["batch_size"], place.replicas)
        mine = [history, *place.callbacks, *callbacks, _StopWhereNotFinite(place.replicas), meter]
        mine += [keeper] if keeper else []
        listed = keras.callbacks.CallbackList(mine, model=run.model, epochs=run.epochs, steps=steps, verbose=0)
        try:
            place.fit(run, feeds["data"], feeds.get("validation"), first, last, listed)
            run.status = "finished"
        except BaseException as error:
            if meter.began:
                listed.on_train_end()
            if not isinstance(error, KeyboardInterrupt):
                raise
            run.status = "interrupted"
        run.seconds = keeper.seconds if keeper else time.perf_counter() - began
    run.history = {name: [float(value) for value in values] for name, values in run.history.items()}
    run.images_per_second = meter.images_per_second
    kept = keeper is not None and not keeper.complete and keeper.save()
    if run.status == "interrupted":
        where = f" and kept in {keeper.folder}" if kept else ""
        print(f"stopped by hand in epoch {meter.epoch + 1} of {run.epochs}; the run so far is returned{where}")


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
    if not isinstance(recipe, Recipe):
        raise ValueError(f"recipe must be a training.Recipe, not {recipe!r}")


def _make(build: Callable, recipe: Recipe, epochs: int, examples: int, batch_size: int, replicas: int) -> keras.Model:
    """A fresh network, compiled and with all its variables, for training on `replicas` devices."""
    steps = batch_count(examples, batch_size, replicas)
    with recipe.building():
        model = build_checked(build)
    if recipe.synchronize_batch_norm and replicas > 1:
        for layer in _layers(model):
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


def _layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    for layer in model.layers:
        yield from _layers(layer) if isinstance(layer, keras.Model) else [layer]


class _StopWhereNotFinite(keras.callbacks.Callback):
    """Ends training at the first loss that is not a finite number: nothing after it can mend the weights."""

    def __init__(self, replicas: int):
        super().__init__()
        self.advice = INTERCONNECT if replicas > 1 else ""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.seen = epoch, 0

    def on_train_batch_end(self, batch, logs=None):
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
            first, last = self.seen + 1, batch + 1
            steps = f"step {last}" if first == last else f"steps {first} to {last}"
            raise FloatingPointError(
                f"the loss became {loss} in epoch {self.epoch + 1}, {steps}, at learning rate {rate:g}: "
                f"try a tenth of that rate, and check that the images lie between about -1 and 1{self.advice}"
            )
        self.seen = batch + 1


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

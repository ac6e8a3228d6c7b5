"""`train`: a builder, data and a recipe in, a run out."""

import math
import time
from collections.abc import Callable, Sequence
from os import PathLike

import keras

from course_lib import common
from course_lib.training.feed import OwnDataset, as_feed, build_checked, check_fit
from course_lib.training.progress import Progress
from course_lib.training.recipe import Recipe
from course_lib.training.run import Run, writable

EVALUATION_BATCH = 500  # images; no gradient is kept, so more fit than in training
OPERATIONS_PER_SECOND = 2e10  # multiply-adds of a laptop's two cores, to choose how often Python looks in


def train(
    build: Callable[[], keras.Model],
    data: object,
    *,
    recipe: Recipe,
    epochs: int,
    validation: object = None,
    run_dir: str | PathLike | None = None,
    seed: int = 0,
    devices: str | int = "auto",
    callbacks: Sequence[keras.callbacks.Callback] = (),
    progress: bool = True,
) -> Run:
    """Trains a fresh network and returns the run; Ctrl-C or the stop button returns the run so far.

    The same arguments on the same machine give the same weights, bit for bit.

    Args:
        build: makes the network, for example `lambda: models.build("lenet5")`; it must return logits.
        data: a split, a pair of arrays `(images, labels)`, or a batched `tf.data.Dataset`, which is used as it
            is (its batch size, its order).
        recipe: how to train.
        epochs: passes over the data, at least 1.
        validation: like `data`; measured after each epoch, never trained on.
        run_dir: a folder that the run is kept in when it ends or is interrupted.
        seed: decides the first weights, the order and every random transform.
        devices: "auto" or 1: one GPU where TensorFlow finds one, else the CPU.
        callbacks: Keras callbacks, called as `model.fit` calls them.
        progress: whether to show a line that says how it goes.

    Raises:
        ValueError: arguments that do not fit each other; each message says what would.
        FloatingPointError: the loss is no longer finite; says where and at which learning rate.
    """
    _check(recipe, epochs, seed, devices)
    epochs, seed = int(epochs), int(seed)  # NumPy's integers are not JSON
    folder = None if run_dir is None else writable(run_dir)
    feed = as_feed(data)
    watched = None if validation is None else as_feed(validation, "validation")
    keras.utils.set_random_seed(seed)
    with recipe.building():
        model = build_checked(build)
    check_fit(model, feed)
    if watched is not None:
        check_fit(model, watched, "validation")
    batch_size = feed.batch_size if isinstance(feed, OwnDataset) else recipe.batch_size
    steps = -(-len(feed) // batch_size)
    _compile(model, recipe, epochs, steps, batch_size)
    meter = Progress(epochs, len(feed), batch_size, show=progress)
    listed = _OnceOnly([*callbacks, _StopWhereNotFinite(), meter], model, epochs, steps)
    began = time.perf_counter()
    finished = _fit(model, feed, watched, batch_size, epochs, seed, listed)
    run = Run(
        model=model,
        history={name: [float(value) for value in values] for name, values in model.history.history.items()},
        recipe=recipe,
        epochs=epochs,
        seed=seed,
        seconds=time.perf_counter() - began,
        images_per_second=meter.images_per_second,
        data=_about(feed, model.input_shape[1:], batch_size),
        status="finished" if finished else "interrupted",
    )
    if folder is not None:
        run.save(folder)
    if not finished:
        kept = f" and kept in {folder}" if folder else ""
        print(f"stopped by hand in epoch {meter.epoch + 1} of {epochs}; the run so far is returned{kept}")
    return run


def _about(feed, image_shape: tuple[int, ...], batch_size: int) -> dict[str, object]:
    """What a run records of its data; `batch_size` is the recipe's, or that of the caller's own dataset."""
    own = isinstance(feed, OwnDataset)
    return {
        "examples": None if own else len(feed),
        "image_shape": list(image_shape),
        "batch_size": batch_size,
        "repeatable_order": not own,
    }


def _check(recipe: object, epochs: object, seed: object, devices: object) -> None:
    common.at_least(1, epochs=epochs)
    common.at_least(0, seed=seed)
    if not isinstance(recipe, Recipe):
        raise ValueError(f"recipe must be a training.Recipe, not {recipe!r}")
    if devices not in ("auto", 1):
        raise ValueError(f"devices must be 'auto' or 1: this trainer uses one device, not {devices!r}")


def _compile(model: keras.Model, recipe: Recipe, epochs: int, steps: int, batch_size: int) -> None:
    model.compile(
        optimizer=recipe.make_optimizer(epochs, steps),
        loss=recipe.make_loss(),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        steps_per_execution=_steps_per_execution(model, batch_size, steps),
    )


def _fit(model, feed, watched, batch_size: int, epochs: int, seed: int, listed: "_OnceOnly") -> bool:
    """Fits epoch by epoch, each with batches of its own; False if it was interrupted."""
    measured_on = None if watched is None else watched.batches(EVALUATION_BATCH, training=False)
    listed.begin()
    try:
        for epoch in range(epochs):
            model.fit(
                feed.batches(batch_size, training=True, epoch=epoch, seed=seed),
                initial_epoch=epoch,
                epochs=epoch + 1,
                shuffle=False,  # the batches come shuffled
                validation_data=measured_on,
                callbacks=listed,
                verbose=0,
            )
            if model.stop_training:
                break
    except KeyboardInterrupt:
        return False
    finally:
        listed.end()
    return True


class _OnceOnly(keras.callbacks.CallbackList):
    """Tells its callbacks that training begins and ends once, though `fit` is called for each epoch."""

    def __init__(self, callbacks: list, model: keras.Model, epochs: int, steps: int):
        history = keras.callbacks.History()  # first, so that an interrupt in another callback loses no epoch of it
        super().__init__([history, *callbacks], model=model, epochs=epochs, steps=steps, verbose=0)

    def begin(self) -> None:
        super().on_train_begin()

    def end(self) -> None:
        super().on_train_end()

    def on_train_begin(self, logs=None):
        pass

    def on_train_end(self, logs=None):
        pass


class _StopWhereNotFinite(keras.callbacks.Callback):
    """Ends training at the first loss that is not a finite number: nothing after it can mend the weights."""

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
                "try a tenth of that rate, and check that the images lie between about -1 and 1"
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

"""Callbacks: the progress line and the stop at a loss that is not finite, which every run has; checks of others."""

import math
import shutil
import sys
import time
from collections.abc import Iterable

import keras

from course_lib import common
from course_lib.training.recipe import Recipe
from course_lib.training.run import Run

REFRESH = 0.25  # seconds between two updates of the line
MEASURED = ("loss", "accuracy", "val_loss", "val_accuracy")
INTERCONNECT = (
    ". A broken connection between GPUs does this too: if one device alone trains well, try "
    "Recipe(cross_device_ops='hierarchical_copy') or 'one_device'"
)


class Progress(keras.callbacks.Callback):
    """Shows and times training: epoch, loss, accuracy, images per second, time left.

    In a notebook and a terminal it is one line that changes, in a log one line per epoch.

    Args:
        epochs: number of epochs of the run.
        examples: number of examples that an epoch trains on.
        batch_size: examples per step; the last step of an epoch may have fewer.
        show: whether the line is shown; time is taken anyway.

    Attributes:
        seconds: time spent on training steps, validation not counted.
        images: number of images that those steps trained on.
    """

    def __init__(self, epochs: int, examples: int, batch_size: int, *, show: bool = True):
        super().__init__()
        self.epochs = epochs
        self.examples = examples
        self.batch_size = batch_size
        self.seconds = 0.0
        self.images = 0
        self.line = _Line() if show else _Silence()
        self.began = None  # when training began, by the clock; None before
        self.first = None  # the first epoch of this call: later than 0 where a run is continued
        self.epoch = 0
        self.step = 0  # steps of this epoch that are done
        self.step_began = 0.0
        self.shown = 0.0  # when the line was last written

    def on_train_begin(self, logs=None):
        self.began = time.perf_counter()

    def on_epoch_begin(self, epoch, logs=None):
        if self.first is None:
            self.first = epoch
        self.epoch = epoch
        self.step = 0
        self.step_began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        seen = min((batch + 1) * self.batch_size, self.examples) - min(self.step * self.batch_size, self.examples)
        self.seconds += now - self.step_began
        self.images += seen
        self.step = batch + 1
        self.step_began = now
        if now - self.shown > REFRESH:
            self.shown = now
            self.line.write(self._text(logs or {}, batch + 1))

    def on_epoch_end(self, epoch, logs=None):
        self.line.write(self._text(logs or {}, self.step, whole=True), keep=True)

    def on_train_end(self, logs=None):
        self.line.close()

    @property
    def images_per_second(self) -> float:
        """Images trained on, over the time spent training on them."""
        return self.images / self.seconds if self.seconds else 0.0

    def _text(self, logs: dict, step: int, whole: bool = False) -> str:
        share = 1.0 if whole else min(step * self.batch_size / self.examples, 1.0)
        done = self.epoch + share
        done_here = done - self.first
        left = (time.perf_counter() - self.began) / done_here * (self.epochs - done) if done_here else 0.0
        shown = sorted(logs.items(), key=lambda item: (item[0].startswith("val_"), "loss" not in item[0]))
        figures = "  ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in shown)
        bar = "" if whole else f" [{'=' * round(20 * share):<20}]"
        time_left = f"  {_clock(left)} left" if done < self.epochs else ""
        return (
            f"epoch {self.epoch + 1}/{self.epochs}{bar}  {figures}  {self.images_per_second:,.0f} images/s{time_left}"
        )


class Stopped(KeyboardInterrupt):
    """Training was stopped by hand, and what it learned is kept in `run`.

    It is a `KeyboardInterrupt`, so that nothing after it runs: in a notebook the cell ends, and "Run All" with it.
    """

    def __init__(self, run: Run, said: str):
        super().__init__(said)
        self.run = run

    def _render_traceback_(self) -> list[str]:  # IPython asks an exception for this: one line, no traceback
        return [str(self)]


class StopWhereNotFinite(keras.callbacks.Callback):
    """Ends training at the first loss that is not a finite number: later steps cannot repair the weights."""

    def __init__(self, replicas: int):
        super().__init__()
        self.advice = INTERCONNECT if replicas > 1 else ""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        self.done = 0  # steps of this epoch

    def on_train_batch_end(self, batch, logs=None):
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
            first = self.done + 1
            last = batch + 1
            steps = f"step {last}" if first == last else f"steps {first} to {last}"
            raise FloatingPointError(
                f"the loss became {loss} in epoch {self.epoch + 1}, {steps}, at learning rate {rate:g}: "
                f"try a tenth of that rate, and check that the images lie between about -1 and 1{self.advice}"
            )
        self.done = batch + 1


def checked_callbacks(callbacks: object, recipe: Recipe, validated: bool) -> list[keras.callbacks.Callback]:
    """The callbacks as a list; one alone and None are accepted.

    Raises:
        ValueError: something that is no Keras callback, one that waits for what is never measured, or one that sets
            the learning rate where the recipe's schedule does.
    """
    if callbacks is None:
        return []
    listed = [callbacks]
    if isinstance(callbacks, Iterable) and not isinstance(callbacks, str):
        listed = list(callbacks)
    for each in listed:
        if isinstance(each, type):
            raise ValueError(f"callbacks must be objects, and {each.__name__} is a class: write {each.__name__}(…)")
        if not isinstance(each, keras.callbacks.Callback):
            raise ValueError(f"callbacks must be Keras callbacks, not {each!r}")
        name = type(each).__name__
        if name in ("ReduceLROnPlateau", "LearningRateScheduler") and (recipe.schedule != "constant" or recipe.warm_up):
            raise ValueError(
                f"{name} sets the learning rate, and so does the recipe's schedule: take schedule='constant' and "
                f"warm_up=0, or leave {name} out"
            )
        watches = name in ("EarlyStopping", "ReduceLROnPlateau") or getattr(each, "save_best_only", False)
        known = MEASURED if validated else MEASURED[:2]
        if watches and each.monitor not in known:
            needs = "" if validated or each.monitor not in MEASURED else " without validation: give train validation=…"
            raise ValueError(
                f"{name} watches {each.monitor!r}, which is not measured{needs}. Measured: {', '.join(known)}"
            )
    return listed


class _Line:
    """A line that is written over: a display in a notebook, a carriage return in a terminal."""

    def __init__(self):
        self.handle = None  # a notebook's display
        self.width = 0  # characters of the line that may be written over
        self.live = common.in_notebook() or sys.stdout.isatty()

    def write(self, text: str, keep: bool = False) -> None:
        if common.in_notebook():
            self._display(text)
        elif self.live:
            if keep:
                sys.stdout.write("\r" + text.ljust(self.width) + "\n")
                self.width = 0
            else:
                text = text[: shutil.get_terminal_size().columns - 1]  # a wrapped line could not be written over
                sys.stdout.write("\r" + text.ljust(self.width))
                self.width = len(text)
            sys.stdout.flush()
        elif keep:
            print(text, flush=True)

    def _display(self, text: str) -> None:
        from IPython.display import display

        content = {"text/plain": text}
        if self.handle is None:
            self.handle = display(content, raw=True, display_id=True)
        else:
            self.handle.update(content, raw=True)

    def close(self) -> None:
        if self.width and not common.in_notebook():
            sys.stdout.write("\n")


class _Silence(_Line):
    """Shows nothing."""

    def write(self, text: str, keep: bool = False) -> None:
        pass


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02d}"

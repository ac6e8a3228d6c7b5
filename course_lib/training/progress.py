"""One line that says how training goes: epoch, loss, accuracy, images a second, time left."""

import shutil
import sys
import time

import keras

from course_lib import common

REFRESH = 0.25  # seconds between two updates of the line


class Progress(keras.callbacks.Callback):
    """Shows and times training; in a notebook and a terminal one line that changes, in a log a line an epoch.

    Attributes:
        seconds: time spent on training steps, validation not counted.
        images: how many images those steps trained on.
    """

    def __init__(self, epochs: int, examples: int, batch_size: int, *, show: bool = True):
        super().__init__()
        self.epochs, self.examples, self.batch_size = epochs, examples, batch_size
        self.seconds, self.images, self.began = 0.0, 0, None
        self.line = _Line() if show else _Silence()
        self.first, self.epoch, self.step, self.shown = None, 0, 0, 0.0

    def on_train_begin(self, logs=None):
        self.began = time.perf_counter()

    def on_epoch_begin(self, epoch, logs=None):
        self.first = epoch if self.first is None else self.first  # later than 0 where a run is continued
        self.epoch, self.step, self.mark = epoch, 0, time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        seen = min((batch + 1) * self.batch_size, self.examples) - min(self.step * self.batch_size, self.examples)
        self.seconds, self.images = self.seconds + now - self.mark, self.images + seen
        self.step, self.mark = batch + 1, now
        if now - self.shown > REFRESH:
            self.shown = now
            self.line.write(self._text(logs or {}, batch + 1))

    def on_epoch_end(self, epoch, logs=None):
        self.line.write(self._text(logs or {}, self.step, whole=True), keep=True)

    def on_train_end(self, logs=None):
        self.line.close()

    @property
    def images_per_second(self) -> float:
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


class _Line:
    """A line that is written over: a display in a notebook, a carriage return in a terminal."""

    def __init__(self):
        self.handle, self.width = None, 0
        self.live = common.in_notebook() or sys.stdout.isatty()

    def write(self, text: str, keep: bool = False) -> None:
        if common.in_notebook():
            self._display(text)
        elif self.live:
            if not keep:  # a line that wraps could not be written over
                text = text[: shutil.get_terminal_size().columns - 1]
            sys.stdout.write("\r" + text.ljust(self.width) + "\n" * keep)
            sys.stdout.flush()
            self.width = 0 if keep else len(text)
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

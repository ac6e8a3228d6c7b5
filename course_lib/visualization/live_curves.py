"""Curves that grow in the notebook while a network trains."""

import time

import keras
import numpy as np

from course_lib import common
from course_lib.visualization.curves import plot_curves
from course_lib.visualization.display import figure_html, figure_of, png, publish
from course_lib.visualization.style import new_axes


class LiveCurves(keras.callbacks.Callback):
    """Draws training and validation loss and accuracy after each epoch, in one output of the notebook.

    The last state stays in the saved notebook, with its caption. It draws once per second at most and spends no more
    than about a tenth of the time on drawing; the last epoch is always drawn. Outside a notebook it does nothing.

    Example:
        >>> train(build, data, recipe=recipe, epochs=5, callbacks=[visualization.LiveCurves()])
    """

    def __init__(self) -> None:
        """Starts with no history; `train` or `fit` fills it."""
        super().__init__()
        self.history: dict[str, list[float]] = {}

    def on_train_begin(self, logs=None) -> None:
        """Begins a new history."""
        self.history = {}
        self._first_epoch = None
        self._handle = None
        self._next_drawing = 0.0
        self._pending = False

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Adds an epoch to the history, and draws if it is time."""
        if self._first_epoch is None:
            self._first_epoch = epoch + 1  # later than 1 in a run that was resumed
        for key, value in (logs or {}).items():
            self.history.setdefault(key, []).append(float(value))
        self._pending = True
        if time.perf_counter() >= self._next_drawing:
            self._draw()

    def on_train_end(self, logs=None) -> None:
        """Draws the last epoch, unless it is drawn already."""
        if self._pending:
            self._draw()

    def _draw(self) -> None:
        metrics = [key for key in ("loss", "accuracy") if np.isfinite(self.history.get(key, [])).any()]
        if not metrics or not common.in_notebook():
            return
        import matplotlib.pyplot as plt

        start = time.perf_counter()
        axes = new_axes(9, 3.2, columns=len(metrics), squeeze=False)[0]
        for ax, metric in zip(axes, metrics, strict=True):
            plot_curves(self.history, metric, first_epoch=self._first_epoch, ax=ax)
            last = self.params.get("epochs") or self._first_epoch + len(self.history[metric]) - 1
            ax.set_xlim(self._first_epoch - 0.3, max(last, self._first_epoch) + 0.3)
        figure = figure_of(axes)
        caption = self._caption(metrics)
        self._handle = publish(figure_html(png(figure), caption), caption, self._handle)
        plt.close(figure)
        self._pending = False
        now = time.perf_counter()
        self._next_drawing = now + max(1.0, 10 * (now - start))

    def _caption(self, metrics: list[str]) -> str:
        """The newest values as a sentence."""
        epochs = self._first_epoch + len(self.history[metrics[0]]) - 1
        parts = []
        for key in (key for metric in metrics for key in (metric, "val_" + metric) if key in self.history):
            kind = "validation" if key.startswith("val_") else "training"
            values = self.history[key]
            parts.append(f"{kind} {key.removeprefix('val_')} went from {values[0]:.3g} to {values[-1]:.3g}")
        return f"Learning curves after epoch {epochs}: {', '.join(parts)}."

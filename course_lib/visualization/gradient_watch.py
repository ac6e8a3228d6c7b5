"""A callback that measures the gradients of a network while it trains."""

import time
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from course_lib import common
from course_lib.visualization import gradients
from course_lib.visualization.inside import weights_of


class GradientWatch(keras.callbacks.Callback):
    """Measures the gradient of every layer on the same batch at intervals during training.

    It measures before the first step, and then as often as the measurements take at most `share` of the time of the
    training steps. One compilation of a few seconds is not counted; with it an epoch of ResNet-20 on 50,000 images
    takes less than 5 % longer. The watch does not change the training. When it measures depends on the speed of the
    machine, unless `every` says it.

    Args:
        images: a batch, see `gradient_sizes`.
        labels: `(n,)` whole numbers.
        share: the time for measurements as a share of the time for training steps, above 0 and below 1.
        every: training steps from one measurement to the next, whatever time it takes; where Keras runs several steps
            at once, the next time that it returns.

    Raises:
        ValueError: a share that is not a number above 0 and below 1, or `every` below 1.

    Example:
        >>> watch = visualization.GradientWatch(images[:64], labels[:64])
        >>> train(build, data, recipe=recipe, epochs=2, callbacks=[watch])
        >>> visualization.plot_gradient_history(watch.record)
    """

    def __init__(self, images: np.ndarray, labels: Sequence[int], *, share: float = 0.03, every: int | None = None):
        """Keeps the batch; `train` or `fit` starts the measurements."""
        super().__init__()
        self.images = images
        self.labels = labels
        self.share = common.number("share", share, 1e-6, 1.0)
        if every is not None:
            common.at_least(1, every=every)
        self.every = every
        self._found = []
        self._updates = []

    @property
    def record(self) -> dict:
        """The measurements so far, one row per measurement, for `plot_gradient_history`.

        - "step" `(times,)`; "layers", the names of the layers with a kernel; "activations", the names of those that end
          with ReLU, sigmoid or tanh.
        - `(times, layers)`: "norm", "mean" and "weights" as in `gradient_sizes`; "update", |change of w| in one step
          as a share of |w|; where Keras runs several steps at once, their joint change divided by their number.
        - `(times, layers, bins)`: "histogram", the number of weights by log10 |gradient|, see
          `gradients.EXPONENTS`.
        - `(times, activations)`: "activation_std", and "flat", the share of outputs where the derivative is 0 (ReLU)
          or below 5 % of its largest (sigmoid, tanh).
        - "interval", the median number of steps between two measurements; "every" as given; "cost", the time for all
          measurements as a share of the time for training steps.

        Raises:
            ValueError: no step of training has been watched so far.
        """
        if not self._updates:
            raise ValueError("nothing was recorded so far: train with callbacks=[watch] first")
        times = len(self._updates)  # one fewer than begun if a step was interrupted
        found = {name: np.array([each[name] for each in self._found[:times]]) for name in self._found[0]}
        steps = np.array(self._steps[:times])
        interval = float(np.median(np.diff(steps)) if times > 1 else self._step)
        cost = self._spent / self._trained if self._trained else np.inf
        timing = {"step": steps, "interval": interval, "every": self.every, "cost": cost}
        return self._names | found | timing | {"update": np.array(self._updates)}

    def on_train_begin(self, logs=None) -> None:
        """Checks the batch, and begins a new record."""
        batch = [tf.constant(each) for each in gradients.check_batch(self.model, self.images, self.labels)]

        def probe() -> dict:
            found = gradients.probe(self.model, *batch)
            self._names = {name: found.pop(name) for name in ("layers", "activations")}
            return found

        self._probe = tf.function(probe, autograph=False)
        self._found = []
        self._updates = []
        self._steps = []
        self._old = None
        self._step = 0
        self._trained = 0.0
        self._spent = 0.0
        self._cost = 0.0

    def on_train_batch_begin(self, batch, logs=None) -> None:
        """Measures the gradients if it is time."""
        if not self._steps:
            for _ in range(2):
                self._probe()  # the first call compiles, and the second is slower than others, too
        self._first = batch
        began = time.perf_counter()
        if not self._steps or self._is_due():
            self._found.append({name: np.array(values) for name, values in self._probe().items()})
            self._steps.append(self._step)
            self._old = self._kernels()
            self._cost = time.perf_counter() - began
        self._mark = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None) -> None:
        """Measures how far the step moved the weights, if the gradients were measured before it."""
        now = time.perf_counter()
        count = batch - self._first + 1  # Keras may run several steps at once
        if self._step > 0:  # the first step compiles the training itself
            self._trained += now - self._mark
        self._step += count
        if self._old is not None:
            moved = [np.linalg.norm(new - old) for new, old in zip(self._kernels(), self._old, strict=True)]
            self._updates.append(moved / np.maximum(self._found[-1]["weights"], 1e-30) / count)
            self._cost = self._cost + time.perf_counter() - now
            self._old = None
            self._spent += self._cost

    def _is_due(self) -> bool:
        """Whether enough steps, or enough time, have passed since the last measurement."""
        if self.every is not None:
            return self._step - self._steps[-1] >= self.every
        return self._spent + self._cost <= self.share * self._trained

    def _kernels(self) -> list[np.ndarray]:
        return [weights_of(kernel).ravel() for _, kernel in gradients.kernels_of(self.model)]

"""Gradients while a network trains: a callback that measures them now and then on one batch."""

import time
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from course_lib import common
from course_lib.visualization import gradients


class GradientWatch(keras.callbacks.Callback):
    """Measures the gradient of every layer on the same `images` and `labels` now and then during training.

    It measures before the first step, and then whenever all that it has cost stays within `share` of the time that
    training steps took, so the interval follows from the network. Compiling, once, is not counted: some seconds for
    a deep network, with which an epoch of ResNet-20 over 50,000 images still takes less than 5 % longer. Training is
    not changed by it. For the arguments and errors see `gradient_sizes`.

    Raises:
        ValueError: a share that is not a number above 0 and below 1.
    """

    def __init__(self, images: np.ndarray, labels: Sequence[int], *, share: float = 0.03):
        super().__init__()
        self.images, self.labels, self.share = images, labels, common.number("share", share, 1e-6, 1.0)
        self._found, self._updates = [], []

    @property
    def record(self) -> dict:
        """What was measured so far, one row for each time; `draw_gradient_history` takes it.

        - "step" `(times,)`; "layers", the names of those with a kernel; "activations", of those that end with ReLU,
          sigmoid or tanh.
        - `(times, layers)`: "norm", "mean" and "weights" as in `gradient_sizes`; "update", |change of w| in one step
          as a share of |w|.
        - `(times, layers, bins)`: "histogram", the number of weights by log10 |gradient|, see
          `gradients.EXPONENTS`.
        - `(times, activations)`: "activation_std", and "flat", the share of outputs where the derivative is 0 (ReLU)
          or below 5 % of its largest (sigmoid, tanh).
        - "interval", the median number of steps between two times; "cost", the time for all of them as a share of
          that for training steps.

        Raises:
            ValueError: no step of training has been watched so far.
        """
        if not self._updates:
            raise ValueError("nothing was recorded so far: train with callbacks=[watch] first")
        times = len(self._updates)  # one fewer than begun, where a step was interrupted
        found = {name: np.array([each[name] for each in self._found[:times]]) for name in self._found[0]}
        steps = np.array(self._steps[:times])
        interval = float(np.median(np.diff(steps)) if times > 1 else self._step)
        cost = self._spent / self._trained if self._trained else np.inf
        timing = {"step": steps, "interval": interval, "cost": cost}
        return self._names | found | timing | {"update": np.array(self._updates)}

    def on_train_begin(self, logs=None) -> None:
        batch = [tf.constant(each) for each in gradients.check_batch(self.model, self.images, self.labels)]

        def probe() -> dict:
            found = gradients.probe(self.model, *batch)
            self._names = {name: found.pop(name) for name in ("layers", "activations")}
            return found

        self._probe = tf.function(probe, autograph=False)
        self._found, self._updates, self._steps, self._old = [], [], [], None
        self._step, self._trained, self._spent, self._cost = 0, 0.0, 0.0, 0.0

    def on_train_batch_begin(self, batch, logs=None) -> None:
        if not self._steps:
            self._probe(), self._probe()  # compiles; the second is slower than others, too
        self._first, began = batch, time.perf_counter()
        if not self._steps or self._spent + self._cost <= self.share * self._trained:
            self._found.append({name: np.array(values) for name, values in self._probe().items()})
            self._steps.append(self._step)
            self._old = self._kernels()
            self._cost = time.perf_counter() - began
        self._mark = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None) -> None:
        now, count = time.perf_counter(), batch - self._first + 1  # Keras may run several steps at once
        self._trained += (now - self._mark) * (self._step > 0)  # the first ones compiled the training itself
        self._step += count
        if self._old is not None:
            moved = [np.linalg.norm(new - old) for new, old in zip(self._kernels(), self._old, strict=True)]
            self._updates.append(moved / np.maximum(self._found[-1]["weights"], 1e-30) / count)
            self._cost, self._old = self._cost + time.perf_counter() - now, None
            self._spent += self._cost

    def _kernels(self) -> list[np.ndarray]:
        kernels = [keras.ops.convert_to_numpy(kernel) for _, kernel in gradients.kernels_of(self.model)]
        return [kernel.ravel().astype(np.float32) for kernel in kernels]  # the copy outlives the step

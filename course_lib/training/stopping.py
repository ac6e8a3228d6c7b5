"""How training ends before its time: by hand, or because the loss is no longer finite."""

import math

import keras

from course_lib.training.run import Run

INTERCONNECT = (
    ". A broken connection between GPUs does this too: if one device alone trains well, try "
    "Recipe(cross_device_ops='hierarchical_copy') or 'one_device'"
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

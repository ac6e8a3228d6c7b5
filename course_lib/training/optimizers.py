"""Learning rates that change, and weight decay as the papers wrote it."""

import math
from collections.abc import Sequence

import keras

from course_lib import common

OPTIMIZERS = {
    "sgd": keras.optimizers.SGD,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
}


def make_schedule(schedule: str | Sequence, rate: float, scale: float, epochs: int, steps_per_epoch: int):
    """A recipe's schedule of rates, each times `scale`, laid over `epochs` epochs of `steps_per_epoch` updates."""
    schedules = keras.optimizers.schedules
    if schedule == "constant":
        return scale * rate
    if schedule == "cosine":
        return schedules.CosineDecay(scale * rate, decay_steps=epochs * steps_per_epoch)
    starts, rates = zip(*schedule, strict=True)
    # The boundary itself still has the rate before it, and steps count from 0.
    boundaries = [start * steps_per_epoch - 1 for start in starts]
    return schedules.PiecewiseConstantDecay(boundaries, [float(scale * each) for each in (rate, *rates)])


class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """Rises evenly from `start` over `steps` updates, then follows `after`, a rate or a schedule.

    Goyal et al., "Accurate, Large Minibatch SGD" (2017), section 2.2: a large rate from the first step on, when the
    weights still change quickly, can spoil the run.
    """

    def __init__(self, after: object, start: float, steps: int):
        self.after, self.start, self.steps = after, start, steps

    def __call__(self, step):
        step = keras.ops.cast(step, "float32")
        reached, now = (self.after(at) if callable(self.after) else self.after for at in (self.steps, step))
        rising = self.start + (reached - self.start) * step / self.steps
        return keras.ops.where(step < self.steps, rising, now)

    def get_config(self) -> dict[str, object]:
        return {"after": keras.saving.serialize_keras_object(self.after), "start": self.start, "steps": self.steps}


def check_schedule(schedule: str | Sequence) -> str | tuple[tuple[int, float], ...]:
    """`schedule` as a recipe keeps it, its pairs as tuples; ValueError for any other."""
    if isinstance(schedule, str):
        if schedule not in ("constant", "cosine"):
            raise common.unknown("schedule", schedule, ("constant", "cosine"))
        return schedule
    try:
        pairs = tuple((int(epoch), float(rate)) for epoch, rate in schedule)
    except (TypeError, ValueError):
        pairs = ()
    starts = [start for start, _ in pairs]
    rising = starts == sorted(set(starts)) and min(starts, default=0) >= 1
    if not rising or not all(0 <= rate < math.inf for _, rate in pairs):
        raise ValueError(
            "schedule must be 'constant', 'cosine' or pairs (from epoch, learning rate) with epochs that rise "
            f"from 1 or later, for example ((10, 0.001), (20, 0.0001)), not {schedule!r}"
        )
    return pairs


def with_kernel_decay(optimizer: type, weight_decay: float) -> type:
    """`optimizer` with `weight_decay` times each kernel added to its gradient, as the papers wrote it.

    Keras' own `weight_decay` shrinks the weights beside the update (decoupled), biases and scales included.
    """
    if not weight_decay:
        return optimizer

    class WithKernelDecay(optimizer):
        def build(self, variables):
            self.all_variables = lambda: variables  # a function: Keras would track a list a second time
            super().build(variables)

        def apply(self, grads, trainable_variables=None):
            variables = self.all_variables() if trainable_variables is None else trainable_variables
            decayed = [
                gradient + weight_decay * keras.ops.cast(variable, gradient.dtype)
                if variable.name.endswith("kernel")
                else gradient
                for gradient, variable in zip(grads, variables, strict=True)
            ]
            return super().apply(decayed, trainable_variables)

    WithKernelDecay.__name__ = optimizer.__name__
    return WithKernelDecay

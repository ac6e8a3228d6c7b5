"""Optimizers by name, and learning rates that change."""

from collections.abc import Sequence

import keras

from course_lib import common
from course_lib.updates import AdamWithKernelDecay, RMSpropWithKernelDecay, SGDWithKernelDecay

WITH_KERNEL_DECAY = {"sgd": SGDWithKernelDecay, "adam": AdamWithKernelDecay, "rmsprop": RMSpropWithKernelDecay}
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


def check_schedule(schedule: str | Sequence) -> str | tuple[tuple[int, float], ...]:
    """`schedule` as a recipe keeps it, its pairs as tuples; ValueError for any other."""
    if isinstance(schedule, str):
        if schedule not in ("constant", "cosine"):
            raise common.unknown("schedule", schedule, ("constant", "cosine"))
        return schedule
    try:
        pairs = tuple((_whole(epoch), common.number("rate", rate)) for epoch, rate in schedule)
    except (OverflowError, TypeError, ValueError):
        pairs = ()
    starts = [start for start, _ in pairs]
    rising = starts == sorted(set(starts)) and min(starts, default=0) >= 1
    if not rising:
        raise ValueError(
            "schedule must be 'constant', 'cosine' or pairs (from epoch, learning rate) with epochs that rise "
            f"from 1 or later, for example ((10, 0.001), (20, 0.0001)), not {schedule!r}"
        )
    return pairs


def _whole(epoch: object) -> int:
    """`epoch` as an int; ValueError where it is no whole number."""
    if int(epoch) != epoch:
        raise ValueError(f"{epoch!r} is no whole number")
    return int(epoch)

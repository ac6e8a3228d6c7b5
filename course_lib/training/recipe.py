"""A recipe: everything that decides how a network is trained, apart from the network and the data."""

import contextlib
import dataclasses
import inspect
import math
from collections.abc import Iterator, Sequence

import keras

from course_lib import common

OPTIMIZERS = {
    "sgd": keras.optimizers.SGD,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
}
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How to train. JSON values only, so that a run can say how it was made.

    Raises:
        ValueError: a field outside what its comment accepts.
    """

    optimizer: str = "sgd"  # a name from OPTIMIZERS
    learning_rate: float = 0.01  # at the start, for the whole batch
    schedule: str | tuple[tuple[int, float], ...] = "constant"  # "cosine": to 0; or ((from epoch, rate), …)
    momentum: float = 0.9  # of "sgd" and "rmsprop"; Adam's averages keep Keras' defaults
    weight_decay: float = 0.0  # times the kernels, added to their gradient; decoupled in "adamw" alone
    batch_size: int = 128  # global: over all devices together
    loss: str = "sparse_categorical_crossentropy"  # a Keras name, or a registered one ("course_lib>lenet5_map")
    precision: str = "float32"  # a name from PRECISIONS

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise common.unknown("optimizer", self.optimizer, OPTIMIZERS)
        if self.precision not in PRECISIONS:
            raise common.unknown("precision", self.precision, PRECISIONS)
        common.at_least(1, batch_size=self.batch_size)
        object.__setattr__(self, "batch_size", int(self.batch_size))  # NumPy's integers are not JSON
        for name, low, high in (("learning_rate", 0, math.inf), ("weight_decay", 0, math.inf), ("momentum", 0, 1)):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or not low <= value < high:
                raise ValueError(f"{name} must be a number from {low} to below {high}, not {value!r}")
        if not isinstance(self.schedule, str):  # JSON has lists where Python has tuples
            object.__setattr__(self, "schedule", _check_pairs(self.schedule))
        elif self.schedule not in ("constant", "cosine"):
            raise common.unknown("schedule", self.schedule, ("constant", "cosine"))

    def make_optimizer(self, epochs: int, steps_per_epoch: int) -> keras.optimizers.Optimizer:
        """The optimizer with its schedule laid over `epochs` epochs of `steps_per_epoch` updates."""
        chosen = _with_kernel_decay(OPTIMIZERS[self.optimizer], self.weight_decay)
        arguments = {"momentum": self.momentum} if self.optimizer in ("sgd", "rmsprop") else {}
        if self.optimizer == "adamw":
            chosen, arguments = OPTIMIZERS["adamw"], {"weight_decay": self.weight_decay}
        made = chosen(self._learning_rate(epochs, steps_per_epoch), **arguments)
        if self.optimizer == "adamw":
            made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])  # the kernels alone
        return made

    @contextlib.contextmanager
    def building(self) -> Iterator[None]:
        """Networks built inside compute in this precision; Keras' dtype policy before is put back."""
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.precision)
        try:
            yield
        finally:
            keras.config.set_dtype_policy(before)

    def _learning_rate(self, epochs: int, steps_per_epoch: int):
        schedules = keras.optimizers.schedules
        if self.schedule == "cosine":
            return schedules.CosineDecay(self.learning_rate, decay_steps=epochs * steps_per_epoch)
        if self.schedule == "constant":
            return self.learning_rate
        starts, rates = zip(*self.schedule, strict=True)
        # The boundary itself still has the rate before it, and steps count from 0.
        boundaries = [start * steps_per_epoch - 1 for start in starts]
        return schedules.PiecewiseConstantDecay(boundaries, [float(self.learning_rate), *rates])

    def make_loss(self) -> keras.losses.Loss:
        """The loss of logits `(batch, num_classes)` against whole-number labels `(batch,)`.

        Raises:
            ValueError: a loss that is neither Keras' for such labels nor registered with Keras.
        """
        known = {
            name: made
            for name, made in keras.saving.get_custom_objects().items()
            if ">" in name and callable(made)
        }
        known["sparse_categorical_crossentropy"] = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        if self.loss not in known:
            raise common.unknown("loss", self.loss, known)
        loss = known[self.loss]
        return loss() if inspect.isclass(loss) else loss


def _check_pairs(schedule: Sequence) -> tuple[tuple[int, float], ...]:
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


def _with_kernel_decay(optimizer: type, weight_decay: float) -> type:
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

"""A recipe: everything that decides how a network is trained, apart from the network and the data."""

import contextlib
import dataclasses
import inspect
import math
from collections.abc import Iterator

import keras

from course_lib import common
from course_lib.training.optimizers import OPTIMIZERS, WITH_KERNEL_DECAY, check_schedule, make_schedule
from course_lib.updates import WarmUp

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
CROSS_DEVICE_OPS = ("auto", "nccl", "hierarchical_copy", "one_device")
RANGES = {"learning_rate": (0, math.inf), "weight_decay": (0, math.inf), "momentum": (0, 1), "warm_up": (0, math.inf)}


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
    precision: str = "float32"  # a name from PRECISIONS; "mixed_float16" scales the loss
    base_batch_size: int | None = None  # rates are for this size, and multiplied by batch_size / base_batch_size
    warm_up: float = 0.0  # epochs in which the rate rises from learning_rate as given (not multiplied: from 0)
    synchronize_batch_norm: bool = False  # statistics of the whole batch; else of each device's part, as in the papers
    deterministic: bool = False  # bit-identical on a GPU too, and slower; a CPU is so anyway
    xla: bool | str = "auto"  # True: compile with XLA, on one device; "auto": as Keras chooses
    steps_per_execution: int | str = "auto"  # steps between two looks of Python
    cross_device_ops: str = "auto"  # how GPUs of one machine add up gradients, from CROSS_DEVICE_OPS

    def __post_init__(self) -> None:
        named = (("optimizer", OPTIMIZERS), ("precision", PRECISIONS), ("cross_device_ops", CROSS_DEVICE_OPS))
        for name, known in named:
            if not isinstance(getattr(self, name), str) or getattr(self, name) not in known:
                raise common.unknown(name, getattr(self, name), known)
        if not isinstance(self.loss, str):
            raise ValueError(f"loss must be the name of a loss, not {self.loss!r}")
        for name, other in (("batch_size", ()), ("base_batch_size", (None,)), ("steps_per_execution", ("auto",))):
            if (value := getattr(self, name)) not in other:
                common.at_least(1, **{name: value})
                object.__setattr__(self, name, int(value))  # NumPy's integers are not JSON
        for name, (low, high) in RANGES.items():  # Keras takes no whole numbers here
            object.__setattr__(self, name, common.number(name, getattr(self, name), low, high))
        for name, accepted in (("synchronize_batch_norm", ()), ("deterministic", ()), ("xla", ("auto",))):
            if not isinstance(value := getattr(self, name), bool) and value not in accepted:
                choices = ", ".join(map(repr, (True, False, *accepted)))
                raise ValueError(f"{name} must be one of {choices}, not {value!r}")
        object.__setattr__(self, "schedule", check_schedule(self.schedule))

    def record(self) -> dict[str, object]:
        """The fields as JSON values; those after `precision` only where they are not at their default."""
        fields = dataclasses.fields(self)
        always = [field.name for field in fields].index("precision")
        first = {field.name: getattr(self, field.name) for field in fields[: always + 1]}
        return first | self.chosen()

    def chosen(self) -> dict[str, object]:
        """The fields that are not at their default."""
        fields = {field.name: (getattr(self, field.name), field.default) for field in dataclasses.fields(self)}
        return {name: value for name, (value, default) in fields.items() if value != default}

    def make_optimizer(self, epochs: int, steps_per_epoch: int, replicas: int = 1) -> keras.optimizers.Optimizer:
        """The optimizer with its schedule laid over `epochs` epochs of `steps_per_epoch` updates.

        Each of `replicas` devices brings a gradient of its own, and the optimizer adds them up.
        """
        arguments = {"momentum": self.momentum} if self.optimizer in ("sgd", "rmsprop") else {}
        chosen = OPTIMIZERS[self.optimizer]
        if self.optimizer == "adamw":
            arguments["weight_decay"] = self.weight_decay
        elif self.weight_decay:
            chosen = WITH_KERNEL_DECAY[self.optimizer]
            arguments["kernel_decay"] = self.weight_decay / replicas
        scale = self.batch_size / self.base_batch_size if self.base_batch_size else 1
        rate = make_schedule(self.schedule, self.learning_rate, scale, epochs, steps_per_epoch)
        if self.warm_up:
            start = self.learning_rate if scale > 1 else 0.0
            rate = WarmUp(rate, start, max(1, round(self.warm_up * steps_per_epoch)))
        made = chosen(rate, **arguments)
        if self.optimizer == "adamw":
            made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])  # the kernels alone
        return made

    def make_loss(self) -> keras.losses.Loss:
        """The loss of logits `(batch, num_classes)` against whole-number labels `(batch,)`.

        Raises:
            ValueError: a loss that is neither Keras' for such labels nor registered with Keras.
        """
        known = {name: made for name, made in keras.saving.get_custom_objects().items() if _is_loss(made)}
        known["sparse_categorical_crossentropy"] = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        if self.loss not in known:
            raise common.unknown("loss", self.loss, known)
        loss = known[self.loss]
        return loss() if inspect.isclass(loss) else loss if isinstance(loss, keras.losses.Loss) else _OfFunction(loss)

    @contextlib.contextmanager
    def building(self) -> Iterator[None]:
        """Networks built inside compute in this precision; Keras' dtype policy before is put back."""
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.precision)
        try:
            yield
        finally:
            keras.config.set_dtype_policy(before)


def _is_loss(made: object) -> bool:
    """Whether a registered object is a loss: of Keras' class, an object of it, or a function of two arguments."""
    if inspect.isclass(made):
        return issubclass(made, keras.losses.Loss)
    if isinstance(made, keras.losses.Loss):
        return True
    if not inspect.isfunction(made):
        return False
    required = [each for each in inspect.signature(made).parameters.values() if each.default is each.empty]
    return len(required) == 2


class _OfFunction(keras.losses.Loss):
    """A registered function of labels and logits, one number an example, as a loss."""

    def __init__(self, function):
        super().__init__(name=function.__name__)
        self.function = function

    def call(self, y_true, y_pred):
        return self.function(y_true, y_pred)

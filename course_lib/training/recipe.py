"""A recipe: everything that decides how a network is trained, apart from the network and the data."""

import contextlib
import dataclasses
import inspect
import math
from collections.abc import Iterator, Sequence

import keras

from course_lib import common
from course_lib.updates import AdamWithKernelDecay, RMSpropWithKernelDecay, SGDWithKernelDecay, WarmUp

OPTIMIZERS = {
    "sgd": keras.optimizers.SGD,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
}
WITH_KERNEL_DECAY = {"sgd": SGDWithKernelDecay, "adam": AdamWithKernelDecay, "rmsprop": RMSpropWithKernelDecay}
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
CROSS_DEVICE_OPS = ("auto", "nccl", "hierarchical_copy", "one_device")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How to train: optimizer, learning rate, batch size and more. JSON values only, so that a run can be recorded.

    `Recipe("adam", learning_rate=0.001, batch_size=64)` leaves all else at its default.

    Three fields are for GPUs, and no lesson needs them. `deterministic`: without it a GPU does not repeat a run bit for
    bit. `xla`: Keras compiles for a GPU by itself, and compiles again for each new shape of images, which False avoids.
    `cross_device_ops`: where a connection between GPUs is broken, NCCL turns weights into NaN without an error, and
    "hierarchical_copy" or "one_device" avoids it.

    Attributes:
        optimizer: "sgd", "adam", "adamw" or "rmsprop".
        learning_rate: at the start, for the whole batch; 0 or more.
        schedule: "constant"; "cosine", down to 0; or `((epoch, learning rate), …)`, each from that epoch on.
        momentum: of "sgd" and "rmsprop", from 0 to below 1; Adam's averages keep Keras' defaults.
        weight_decay: this number times the kernels is added to their gradient; in "adamw" alone it is decoupled.
        batch_size: images per step, over all devices together.
        loss: the name of a Keras loss, or of a registered one such as "course_lib>lenet5_map".
        precision: "float32", "mixed_float16", which scales the loss, or "mixed_bfloat16".
        base_batch_size: the batch size that the learning rates are meant for: they are multiplied by batch_size /
            base_batch_size. None: they are used as they are.
        warm_up: epochs in which the learning rate rises; it starts at the unscaled one, or at 0 if it is not scaled up.
        synchronize_batch_norm: whether batch normalization uses statistics of the whole batch; else those of each
            device's part, as in the papers.
        deterministic: whether a GPU repeats a run bit for bit, which makes it slower; a CPU does so anyway.
        xla: whether to compile with XLA, on one device; "auto": as Keras chooses.
        steps_per_execution: training steps per compiled call, or "auto".
        cross_device_ops: how the GPUs of one machine add up gradients: "auto", "nccl", "hierarchical_copy" or
            "one_device".

    Raises:
        ValueError: a field outside what is accepted.
    """

    optimizer: str = "sgd"
    learning_rate: float = 0.01
    schedule: str | tuple[tuple[int, float], ...] = "constant"
    momentum: float = 0.9
    weight_decay: float = 0.0
    batch_size: int = 128
    loss: str = "sparse_categorical_crossentropy"
    precision: str = "float32"
    base_batch_size: int | None = None
    warm_up: float = 0.0
    synchronize_batch_norm: bool = False
    deterministic: bool = False
    xla: bool | str = "auto"
    steps_per_execution: int | str = "auto"
    cross_device_ops: str = "auto"

    def __post_init__(self) -> None:
        self._check_name("optimizer", OPTIMIZERS)
        self._check_name("precision", PRECISIONS)
        self._check_name("cross_device_ops", CROSS_DEVICE_OPS)
        if not isinstance(self.loss, str):
            raise ValueError(f"loss must be the name of a loss, not {self.loss!r}")
        self._take_whole("batch_size")
        if self.base_batch_size is not None:
            self._take_whole("base_batch_size")
        if self.steps_per_execution != "auto":
            self._take_whole("steps_per_execution")
        for name in ("learning_rate", "weight_decay", "warm_up"):
            self._take_number(name)
        self._take_number("momentum", below=1.0)
        self._check_choice("synchronize_batch_norm", (True, False))
        self._check_choice("deterministic", (True, False))
        self._check_choice("xla", (True, False, "auto"))
        object.__setattr__(self, "schedule", check_schedule(self.schedule))

    def _check_name(self, name: str, known) -> None:
        value = getattr(self, name)
        if not isinstance(value, str) or value not in known:
            raise common.unknown(name, value, known)

    def _check_choice(self, name: str, accepted: tuple) -> None:
        value = getattr(self, name)
        if not isinstance(value, (bool, str)) or value not in accepted:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, accepted))}, not {value!r}")

    def _take_whole(self, name: str) -> None:
        """Makes a field an int: NumPy's integers are not JSON."""
        common.at_least(1, **{name: getattr(self, name)})
        object.__setattr__(self, name, int(getattr(self, name)))

    def _take_number(self, name: str, below: float = math.inf) -> None:
        """Makes a field a float: Keras takes no whole numbers here."""
        object.__setattr__(self, name, common.number(name, getattr(self, name), 0, below))

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
        if inspect.isclass(loss):
            return loss()
        return loss if isinstance(loss, keras.losses.Loss) else _LossOfFunction(loss)

    @contextlib.contextmanager
    def building(self) -> Iterator[None]:
        """Networks built inside compute in this precision; the earlier dtype policy of Keras is restored afterwards."""
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.precision)
        try:
            yield
        finally:
            keras.config.set_dtype_policy(before)


def make_schedule(schedule: str | Sequence, rate: float, scale: float, epochs: int, steps_per_epoch: int):
    """A recipe's schedule of learning rates, each times `scale`, over `epochs` epochs of `steps_per_epoch` updates."""
    schedules = keras.optimizers.schedules
    if schedule == "constant":
        return scale * rate
    if schedule == "cosine":
        return schedules.CosineDecay(scale * rate, decay_steps=epochs * steps_per_epoch)
    starts, rates = zip(*schedule, strict=True)
    # The boundary itself still has the learning rate before it, and steps count from 0.
    boundaries = [start * steps_per_epoch - 1 for start in starts]
    return schedules.PiecewiseConstantDecay(boundaries, [float(scale * each) for each in (rate, *rates)])


def check_schedule(schedule: str | Sequence) -> str | tuple[tuple[int, float], ...]:
    """`schedule` as a recipe keeps it: a name, or pairs (from epoch, learning rate) as tuples.

    Raises:
        ValueError: anything else.
    """
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


def _is_loss(made: object) -> bool:
    """Whether a registered object is a loss: a class of losses, an object of one, or a function of two arguments."""
    if inspect.isclass(made):
        return issubclass(made, keras.losses.Loss)
    if isinstance(made, keras.losses.Loss):
        return True
    if not inspect.isfunction(made):
        return False
    required = [each for each in inspect.signature(made).parameters.values() if each.default is each.empty]
    return len(required) == 2


class _LossOfFunction(keras.losses.Loss):
    """A registered function of labels and logits, which returns one number per example, as a loss."""

    def __init__(self, function):
        super().__init__(name=function.__name__)
        self.function = function

    def call(self, y_true, y_pred):
        return self.function(y_true, y_pred)

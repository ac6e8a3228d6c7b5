"""The devices that `train` uses: choosing them, and training on one of them with `model.fit`.

Several devices, on one machine or on the machines of a cluster, train in `mirrored`.
"""

import contextlib
from typing import Protocol

import keras
import tensorflow as tf

from course_lib import common
from course_lib.training.cluster import is_chief, join_cluster
from course_lib.training.data_source import EVALUATION_BATCH, DataSource, OwnDataset
from course_lib.training.mirrored import MirroredDevices, mirrored_strategy
from course_lib.training.recipe import Recipe
from course_lib.training.run import Run

MULTI_WORKER = "multi_worker"


class Devices(Protocol):
    """What `train` needs of the devices that it trains on.

    Attributes:
        replicas: number of copies of the network; each gets its part of every batch.
        chief: whether this process writes and prints. In a cluster one machine alone does.
        multi_worker: whether other machines take part.
    """

    replicas: int
    chief: bool
    multi_worker: bool

    def scope(self) -> contextlib.AbstractContextManager:
        """A context in which networks are built for these devices."""

    def fit(
        self,
        run: Run,
        data: DataSource,
        validation: DataSource | None,
        first: int,
        last: int,
        callbacks: keras.callbacks.CallbackList,
    ) -> None:
        """Trains `run.model` from epoch `first` to below `last`, counted from 0, and validates after each epoch."""


class OneDevice:
    """One device: the one that Keras chooses, or the one named. Training is `model.fit`."""

    replicas = 1
    chief = True
    multi_worker = False

    def __init__(self, name: str | None = None):
        self.name = name

    def scope(self) -> contextlib.AbstractContextManager:
        """A context in which networks are built on this device."""
        return keras.device(self.name) if self.name else contextlib.nullcontext()

    def fit(self, run, data, validation, first, last, callbacks) -> None:
        """Trains as `Devices.fit` says."""
        with tf.device("CPU:0"):  # where batches are made
            current = tf.Variable(first, dtype=tf.int64)  # the epoch, which decides the order of the batches
        counting = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: current.assign(epoch))
        callbacks.callbacks.append(counting)
        class_weight = run.data.get("class_weight")
        with self.scope():
            run.model.fit(
                data.batches(run.data["batch_size"], training=True, epoch=current, seed=run.seed),
                initial_epoch=first,
                epochs=last,
                shuffle=False,  # the batches come shuffled
                validation_data=None if validation is None else validation.batches(EVALUATION_BATCH, training=False),
                class_weight=class_weight and dict(enumerate(class_weight)),
                callbacks=callbacks,
                verbose=0,
            )


def choose_devices(devices: object, recipe: Recipe) -> Devices:
    """The devices that `train(devices=…)` names, once it is clear that `recipe` can be trained on them.

    Raises:
        ValueError: devices that are not there, or a recipe that asks for what they do not allow.
    """
    if hasattr(devices, "tolist"):  # NumPy's arrays and numbers
        devices = devices.tolist()
    if devices == MULTI_WORKER:
        chosen = MirroredDevices(join_cluster(), chief=is_chief(), multi_worker=True)
    else:
        names = _names(devices)
        if len(names) > 1:
            chosen = MirroredDevices(mirrored_strategy(tuple(names), recipe.cross_device_ops))
        else:
            chosen = OneDevice(*names)
    _check_recipe(recipe, chosen)
    if recipe.deterministic:
        tf.config.experimental.enable_op_determinism()  # for the rest of the process: it cannot be taken back
    return chosen


def check_divisible(data: DataSource, devices: Devices) -> None:
    """Checks that the batches of `data` can be divided over `devices`.

    Raises:
        ValueError: fewer examples than devices, or a dataset whose order may differ between machines.
    """
    own = isinstance(data, OwnDataset)
    if own and devices.multi_worker:
        raise ValueError(
            "a tf.data.Dataset may come in another order on each machine: for 'multi_worker' give a split "
            "(datasets.load('mnist').train) or a pair of arrays"
        )
    if own and data.batch_size < devices.replicas:
        raise ValueError(f"data has too few examples in a batch for {devices.replicas} devices")
    if len(data) < devices.replicas:
        raise ValueError(f"data has too few examples for {devices.replicas} devices")


def _names(devices: object) -> list[str]:
    """The devices to train on, by name; none where Keras is to choose its one."""
    if keras.backend.backend() != "tensorflow":
        if devices in ("auto", 1):
            return []
        raise ValueError(f"devices={devices!r} needs Keras' TensorFlow backend, not {keras.backend.backend()}")
    present = [device.name.removeprefix("/device:") for device in tf.config.list_logical_devices()]
    gpus = [name for name in present if name.startswith("GPU")]
    if devices == "auto":
        return gpus if len(gpus) > 1 else []
    if isinstance(devices, (list, tuple)) and devices:
        return _given_names(devices, present)
    if isinstance(devices, bool) or not hasattr(devices, "__index__") or devices < 1:
        raise ValueError(
            "devices must be 'auto', a number, a list of names such as ['GPU:0', 'GPU:1'], or 'multi_worker', "
            f"not {devices!r}"
        )
    names = gpus or present
    if len(names) < devices:
        raise ValueError(
            f"devices={devices}, but there are {', '.join(names)}: ask for at most {len(names)}, or, without GPUs, "
            f"divide the CPU: course_lib.setup(logical_cpus={devices}) first thing in a fresh kernel"
        )
    return names[:devices] if devices > 1 else []


def _given_names(devices: list | tuple, present: list[str]) -> list[str]:
    """The names in `devices` as TensorFlow spells them, such as "GPU:0"."""
    names = [str(name).upper().split("DEVICE:")[-1].lstrip("/") for name in devices]
    for name in names:
        if name not in present:
            raise common.unknown("device", name, present)
        if names.count(name) > 1:
            raise ValueError(f"device {name!r} is named twice in {devices!r}: name each once")
    return names


def _check_recipe(recipe: Recipe, devices: Devices) -> None:
    """Refuses what TensorFlow would refuse with a stack trace, or do wrongly."""
    tensorflow = keras.backend.backend() == "tensorflow"
    if recipe.batch_size < devices.replicas:
        raise ValueError(f"batch_size {recipe.batch_size} cannot be divided over {devices.replicas} devices")
    if recipe.deterministic and recipe.xla is True:
        raise ValueError("deterministic=True and xla=True exclude each other: choose one")
    if recipe.deterministic and not tensorflow:
        raise ValueError("deterministic=True is for Keras' TensorFlow backend: leave it out")
    if recipe.xla is True and not isinstance(devices, OneDevice):
        raise ValueError("xla=True is for one device: on several, leave it at 'auto'")
    if recipe.cross_device_ops != "auto" and devices.multi_worker:
        raise ValueError("cross_device_ops is for the GPUs of one machine: leave it at 'auto'")
    if recipe.cross_device_ops == "nccl" and tensorflow and not tf.config.list_logical_devices("GPU"):
        raise ValueError("cross_device_ops='nccl' is for NVIDIA GPUs, and there is none: leave it at 'auto'")

"""Where training runs: one device here, several devices or machines in `replicas`; and what each allows."""

import contextlib

import keras
import tensorflow as tf

from course_lib import common
from course_lib.training.cluster import join_cluster
from course_lib.training.feed import OwnDataset
from course_lib.training.recipe import Recipe
from course_lib.training.run import Run

EVALUATION_BATCH = 500  # images; no gradient is kept, so more fit than in training
MULTI_WORKER = "multi_worker"


class OneDevice:
    """The device that Keras chooses, or the one named: `model.fit`."""

    replicas, chief, cluster = 1, True, False

    def __init__(self, name: str | None = None):
        self.name = name
        with tf.device("CPU:0"):  # where batches are made
            self.now = tf.Variable(0, dtype=tf.int64)
        self.callbacks = [keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: self.now.assign(epoch))]

    def scope(self):
        """Inside, networks are built for this device."""
        return keras.device(self.name) if self.name else contextlib.nullcontext()

    def fit(self, run: Run, feed, watched, first: int, last: int, callbacks: keras.callbacks.CallbackList) -> None:
        """Trains `run.model` from epoch `first` to `last`, each with batches of its own, and measures after each."""
        weights = run.data.get("class_weight")
        with self.scope():
            run.model.fit(
                feed.batches(run.data["batch_size"], training=True, epoch=self.now, seed=run.seed),
                initial_epoch=first,
                epochs=last,
                shuffle=False,  # the batches come shuffled
                validation_data=None if watched is None else watched.batches(EVALUATION_BATCH, training=False),
                class_weight=weights and dict(enumerate(weights)),
                callbacks=callbacks,
                verbose=0,
            )


def choose(devices: object, recipe: Recipe):
    """The place that `devices` names, `OneDevice` or `Replicas`, once it is clear that `recipe` suits it.

    Raises:
        ValueError: devices that are not there, or a recipe that asks for what the place does not allow.
    """
    if hasattr(devices, "tolist"):  # NumPy's arrays and numbers
        devices = devices.tolist()
    if devices == MULTI_WORKER:
        join_cluster()
    names = devices if devices == MULTI_WORKER else _names(devices)
    if len(names) < 2:
        place = OneDevice(*names)
    else:
        from course_lib.training.replicas import Replicas

        place = Replicas(names, recipe.cross_device_ops)
    _check_recipe(recipe, place)
    if recipe.deterministic:
        tf.config.experimental.enable_op_determinism()  # for good: it cannot be taken back
    return place


def check_data(place, feed) -> None:
    """Checks that `feed` can be divided over the devices of `place`.

    Raises:
        ValueError: fewer examples than devices, or a dataset that machines may not see in the same order.
    """
    own = isinstance(feed, OwnDataset)
    if own and place.cluster:
        raise ValueError(
            "a tf.data.Dataset may come in another order on each machine: for 'multi_worker' give a split "
            "(datasets.load('mnist').train) or a pair of arrays"
        )
    if place.replicas > (feed.batch_size if own else len(feed)):
        raise ValueError(f"data has too few examples {'in a batch ' * own}for {place.replicas} devices")


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
        names = [str(name).upper().split("DEVICE:")[-1].lstrip("/") for name in devices]
        for name in names:
            if name not in present:
                raise common.unknown("device", name, present)
            if names.count(name) > 1:
                raise ValueError(f"device {name!r} is named twice in {devices!r}: name each once")
        return names
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


def _check_recipe(recipe: Recipe, place) -> None:
    """Refuses what TensorFlow would refuse with a stack trace, or do wrongly."""
    several, ops = not isinstance(place, OneDevice), recipe.cross_device_ops
    other = keras.backend.backend() != "tensorflow"
    nccl = ops == "nccl" and not (other or tf.config.list_logical_devices("GPU"))
    small = recipe.batch_size < place.replicas
    refused = {
        f"batch_size {recipe.batch_size} cannot be divided over {place.replicas} devices": small,
        "deterministic=True and xla=True exclude each other: choose one": recipe.deterministic and recipe.xla is True,
        "deterministic=True is for Keras' TensorFlow backend: leave it out": recipe.deterministic and other,
        "xla=True is for one device: on several, leave it at 'auto'": several and recipe.xla is True,
        "cross_device_ops is for the GPUs of one machine: leave it at 'auto'": place.cluster and ops != "auto",
        "cross_device_ops='nccl' is for NVIDIA GPUs, and there is none: leave it at 'auto'": nccl,
    }
    for sentence, wrong in refused.items():
        if wrong:
            raise ValueError(sentence)

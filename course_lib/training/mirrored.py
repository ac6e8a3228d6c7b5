"""Training on several devices: a `tf.distribute` strategy and one training loop, which calls the callbacks of `fit`.

Data-parallel training with synchronous updates. Each device holds a copy of the network, a replica. `divided` cuts
every batch into one part per replica; `_Epoch._replica_step` is the training step that each replica runs on its part.
BatchNorm's moving averages differ between replicas during an epoch and are averaged after it.

`MirroredStrategy` (one machine) and `MultiWorkerMirroredStrategy` (a cluster) share this code. Keras 3's `fit` cannot
do it: it crashes on parts of unequal size, and on several machines altogether.
"""

import functools
from collections.abc import Callable

import keras
import tensorflow as tf

from course_lib.training.data_source import EVALUATION_BATCH, DataSource, OwnDataset, batch_count
from course_lib.training.run import Run

CROSS_DEVICE_OPS = {
    "nccl": tf.distribute.NcclAllReduce,
    "hierarchical_copy": tf.distribute.HierarchicalCopyAllReduce,
    "one_device": tf.distribute.ReductionToOneDevice,
}
GONE = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError)
SUM = tf.distribute.ReduceOp.SUM
MEAN = tf.distribute.ReduceOp.MEAN


@functools.cache  # a second one over the same devices counts its collectives from 0 again, and TensorFlow fails
def mirrored_strategy(names: tuple[str, ...], cross_device_ops: str) -> tf.distribute.Strategy:
    """The strategy for these devices of one machine; it adds up gradients as the recipe says."""
    if cross_device_ops == "auto":
        if any("GPU" in name for name in names):
            return tf.distribute.MirroredStrategy(names)
        cross_device_ops = "one_device"
    return tf.distribute.MirroredStrategy(names, CROSS_DEVICE_OPS[cross_device_ops]())


class MirroredDevices:
    """Several devices of one machine, or those of all machines of a cluster; see `devices.Devices`."""

    def __init__(self, strategy: tf.distribute.Strategy, *, chief: bool = True, multi_worker: bool = False):
        self.strategy = strategy
        self.replicas = strategy.num_replicas_in_sync
        self.chief = chief
        self.multi_worker = multi_worker

    def scope(self):
        """A context in which networks are built on all these devices."""
        return self.strategy.scope()

    def fit(self, run, data, validation, first, last, callbacks) -> None:
        """Trains as `devices.Devices.fit` says, with the callbacks and logs of `model.fit`.

        Raises:
            ValueError: the machines of a cluster found different checkpoints.
            RuntimeError: another machine of the cluster has stopped answering.
        """
        try:
            self._check_agreement(first)
            self._fit(run, data, validation, first, last, callbacks)
        except GONE as error:
            raise RuntimeError(
                "another machine of the cluster has stopped answering, so this one stops too. Start all of them "
                "again: with a run_dir that all of them see, training continues after the last whole epoch"
            ) from error

    def _check_agreement(self, first: int) -> None:
        """Checks that all machines begin with the same epoch."""
        mean = _Means(self.strategy, lambda: [tf.constant(first, tf.float64)])
        if mean()[0] != first:
            raise ValueError("run_dir must be one folder that all machines of the cluster see")

    def _fit(self, run: Run, data, validation, first: int, last: int, callbacks) -> None:
        model = run.model
        with tf.device("CPU:0"):  # where batches are made
            current = tf.Variable(first, dtype=tf.int64)  # the epoch, which decides the order of the batches
        train = _Epoch(self.strategy, run, data, run.data["batch_size"], training=True, epoch=current, seed=run.seed)
        validate = None
        if validation is not None:
            validate = _Epoch(self.strategy, run, validation, EVALUATION_BATCH, training=False)
        moving_averages = [each for each in model.non_trainable_weights if "float" in each.dtype]
        average = _Means(self.strategy, lambda: [each.value for each in moving_averages])
        model.stop_training = False
        logs = None
        callbacks.on_train_begin()
        for epoch in range(first, last):
            current.assign(epoch)
            callbacks.on_epoch_begin(epoch)
            logs = train(callbacks.on_train_batch_begin, callbacks.on_train_batch_end)
            for variable, mean in zip(moving_averages, average(), strict=True):
                variable.assign(mean)
            if validate:
                callbacks.on_test_begin()
                found = validate(callbacks.on_test_batch_begin, callbacks.on_test_batch_end)
                callbacks.on_test_end(found)
                logs |= {f"val_{name}": value for name, value in found.items()}
            callbacks.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        callbacks.on_train_end(logs)


class _Epoch:
    """Once over the batches of a data source on all replicas, training or validating; called once per epoch."""

    def __init__(self, strategy, run: Run, source: DataSource, batch_size: int, *, training: bool, **order: object):
        self.strategy = strategy
        self.model = run.model
        self.training = training
        self.replicas = strategy.num_replicas_in_sync
        self.count = batch_count(len(source), batch_size, self.replicas if training else 1)
        self.steps_per_call = 1 if isinstance(source, OwnDataset) else self.model.steps_per_execution
        self.class_weight = None
        if training and run.data.get("class_weight"):
            self.class_weight = tf.constant(run.data["class_weight"], tf.float32)
        self.batches = strategy.distribute_datasets_from_function(
            lambda context: divided(source, batch_size, self.replicas, _shard(context), training=training, **order)
        )
        self.steps = tf.function(self._steps)

    def __call__(self, begin: Callable, end: Callable) -> dict[str, float]:
        """Runs all steps and returns mean loss and accuracy; `begin` and `end` are a callback's for each call."""
        totals = tf.zeros(3, tf.float64)
        logs = {}
        iterator = iter(self.batches)
        done = 0
        while done < self.count and not (self.training and self.model.stop_training):
            number = min(self.steps_per_call, self.count - done)
            begin(done)
            try:
                totals += self.steps(iterator, tf.constant(number))
            except tf.errors.OutOfRangeError:  # the last batch of a student's own dataset was left out
                break
            done += number
            logs = {"loss": totals[0] / totals[2], "accuracy": totals[1] / totals[2]}  # so far
            end(done - 1, logs)
        return {name: float(value) for name, value in logs.items()}

    def _steps(self, iterator, number: tf.Tensor) -> tf.Tensor:
        """`number` steps in one compiled call: the sums of what `_replica_step` returns."""
        totals = tf.zeros(3, tf.float64)
        for _ in tf.range(number):
            parts = self.strategy.run(self._replica_step, next(iterator))
            totals += self.strategy.reduce(SUM, parts, axis=None)
        return totals

    def _replica_step(self, images: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor, whole: tf.Tensor) -> tf.Tensor:
        """One step of one replica on its part of a batch of `whole` examples; `divided` says what a part is.

        The loss of a part is the sum over its examples divided by `whole`. So the sum of the replicas' gradients,
        which the optimizer computes, is the gradient of the mean loss of the whole batch. A penalty on the weights is
        the same on each replica, and counts once.

        Returns:
            The part's sums, float64 `(3,)`: loss, correct predictions, examples. Examples of weight 0 do not count.
        """
        model = self.model
        whole = tf.cast(whole, tf.float32)
        with tf.GradientTape() as tape:
            logits = tf.cast(model(images, training=self.training), tf.float32)
            losses = model.loss.call(labels, logits) * weights
            if self.class_weight is not None:
                losses *= tf.gather(self.class_weight, labels)
            loss = tf.reduce_sum(losses)
            penalty = tf.add_n([0.0, *model.losses]) / self.replicas
            objective = model.optimizer.scale_loss(loss / whole + penalty)
        if self.training:
            gradients = tape.gradient(objective, model.trainable_variables)
            if isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer):
                gradients = _with_any_overflow(gradients)
            model.optimizer.apply(gradients, model.trainable_variables)  # the all-reduce, then the update
        correct = tf.reduce_sum(weights * tf.cast(tf.argmax(logits, -1) == labels, tf.float32))
        return tf.cast(tf.stack([loss + penalty * whole, correct, tf.reduce_sum(weights)]), tf.float64)


def _shard(context: tf.distribute.InputContext) -> tuple[int, int]:
    """Which machine of how many asks for batches."""
    return context.input_pipeline_id, context.num_input_pipelines


def _with_any_overflow(gradients: list) -> list:
    """`gradients`, not finite where those of any replica are not: Keras looks for overflow on the first one alone."""
    overflow = tf.add_n([tf.reduce_sum(0 * each) for each in gradients if each is not None])  # 0, or NaN
    overflow = tf.distribute.get_replica_context().all_reduce(SUM, overflow)
    return [each if each is None else each + overflow for each in gradients]


class _Means:
    """When called: the means over all replicas of what `values()` is on each."""

    def __init__(self, strategy: tf.distribute.Strategy, values: Callable[[], list[tf.Tensor]]):
        self.strategy = strategy
        self.values = values
        self.means = tf.function(self._means)

    def __call__(self) -> list[tf.Tensor]:
        return self.means()

    def _means(self) -> list[tf.Tensor]:
        found = self.strategy.run(self._copies)
        return [self.strategy.reduce(MEAN, value, axis=None) for value in found]

    def _copies(self) -> list[tf.Tensor]:
        return [tf.identity(value) for value in self.values()]


def divided(
    source: DataSource, batch_size: int, replicas: int, shard: tuple[int, int], *, training: bool, **order: object
) -> tf.data.Dataset:
    """The batches of machine i of n, `shard=(i, n)`, as parts: one for each of its replicas in turn.

    A part is `(images, labels, weights, size of the whole batch)`. In training the sizes of parts differ by one
    example at most, all weights are 1, and a batch with fewer examples than `replicas` is left out. In validation
    parts are of one size, filled up with examples of weight 0.
    """
    local = replicas // shard[1]  # replicas on this machine

    def divide(number: tf.Tensor, batch: tuple[tf.Tensor, tf.Tensor]) -> tf.data.Dataset:
        images, labels = batch  # this machine's
        here = tf.shape(labels, tf.int64)[0]
        whole = here
        if shard[1] > 1:
            whole = tf.minimum(len(source) - number * batch_size, batch_size)
        weights = tf.ones(here)
        if not training:
            missing = -(-whole // replicas) * local - here
            images = tf.pad(images, [[0, missing], [0, 0], [0, 0], [0, 0]])
            labels = tf.pad(labels, [[0, missing]])
            weights = tf.pad(weights, [[0, missing]])
        return tf.data.Dataset.range(local).map(functools.partial(_part, local, images, labels, weights, whole))

    parts = source.batches(batch_size, training=training, shard=shard, **order).enumerate().flat_map(divide)
    if training:
        parts = parts.filter(lambda images, labels, weights, whole: whole >= replicas)
    return parts.prefetch(2 * local)


def _part(parts: int, images: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor, whole: tf.Tensor, i: tf.Tensor):
    """Part i of a batch: every `parts`-th example from example i on."""
    return images[i::parts], labels[i::parts], weights[i::parts], whole

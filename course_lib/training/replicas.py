"""Training on several devices or machines: one `strategy.run` loop for both, with the callbacks of `fit`.

Each device holds a copy of the network (a replica) and gets its part of every batch. The rules:

- Training: a batch is divided as evenly as can be; each replica's loss is the sum over its examples divided by the
  size of the whole batch, so that the sum of the gradients is the gradient of the whole. Nothing is padded. A last
  batch with fewer examples than replicas is left out; shuffling makes it others each epoch.
- Measuring: batches are padded with examples of weight 0, which count nowhere.
- BatchNorm's moving averages, each replica's own while it trains, are averaged after each epoch.

Keras 3's `fit` cannot do this: it crashes on parts of unequal size, and on several machines altogether.
"""

import functools

import keras
import tensorflow as tf

from course_lib.training.places import EVALUATION_BATCH, MULTI_WORKER
from course_lib.training.run import Run

CROSS_DEVICE_OPS = {
    "auto": lambda: None,
    "nccl": tf.distribute.NcclAllReduce,
    "hierarchical_copy": tf.distribute.HierarchicalCopyAllReduce,
    "one_device": tf.distribute.ReductionToOneDevice,
}
GONE = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError)
SUM, MEAN = tf.distribute.ReduceOp.SUM, tf.distribute.ReduceOp.MEAN


@functools.cache
def join_cluster() -> tf.distribute.Strategy:
    """Joins the cluster that TF_CONFIG describes; waits for the others. Only before TensorFlow has started."""
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise RuntimeError(
            "a cluster must be joined before TensorFlow starts, so before data is loaded: begin the program with "
            "course_lib.setup(multi_worker=True)"
        ) from error


@functools.cache  # a second one over the same devices would count its collectives from 0 again, to TensorFlow's confusion
def _mirrored(names: tuple[str, ...], cross_device_ops: str) -> tf.distribute.Strategy:
    if cross_device_ops == "auto" and not any("GPU" in name for name in names):
        cross_device_ops = "one_device"
    return tf.distribute.MirroredStrategy(names, CROSS_DEVICE_OPS[cross_device_ops]())


class Replicas:
    """Several devices of one machine, by name, or "multi_worker": those of all machines of a cluster."""

    def __init__(self, names: list[str] | str, cross_device_ops: str):
        if names == MULTI_WORKER:
            self.strategy = join_cluster()
            cluster = self.strategy.cluster_resolver
            part = (cluster.task_type, cluster.task_id)
            self.chief = part == ("chief" if "chief" in cluster.cluster_spec().jobs else "worker", 0)
        else:
            self.strategy = _mirrored(tuple(names), cross_device_ops)
            self.chief = True
        self.replicas = self.strategy.num_replicas_in_sync
        self.scope, self.callbacks = self.strategy.scope, []

    def fit(self, run: Run, feed, watched, first: int, last: int, callbacks: keras.callbacks.CallbackList) -> None:
        """Trains `run.model` from epoch `first` to `last` as `model.fit` would, and measures after each.

        Raises:
            RuntimeError: a machine of the cluster has stopped answering.
        """
        try:
            self._fit(run, feed, watched, first, last, callbacks)
        except GONE as error:
            raise RuntimeError(
                "another machine of the cluster has stopped answering, so this one stops too. Start all of them "
                "again: with a run_dir that all of them see, training continues after the last whole epoch"
            ) from error

    def _fit(self, run, feed, watched, first, last, callbacks) -> None:
        model = run.model
        with tf.device("CPU:0"):  # where batches are made
            now = tf.Variable(first, dtype=tf.int64)
        batches = self._spread(feed, run.data["batch_size"], training=True, epoch=now, seed=run.seed)
        train = tf.function(functools.partial(self._train, model), input_signature=batches.element_spec)
        if watched is not None:
            measured_on = self._spread(watched, EVALUATION_BATCH, training=False)
            test = tf.function(functools.partial(self._test, model), input_signature=measured_on.element_spec)
        agree = tf.function(functools.partial(self.strategy.run, self._agree, (model.non_trainable_weights,)))
        model.stop_training, logs = False, None
        callbacks.on_train_begin()
        for epoch in range(first, last):
            now.assign(epoch)
            callbacks.on_epoch_begin(epoch)
            logs = _pass(train, batches, callbacks.on_train_batch_begin, callbacks.on_train_batch_end)
            agree()
            if watched is not None:
                callbacks.on_test_begin()
                found = _pass(test, measured_on, callbacks.on_test_batch_begin, callbacks.on_test_batch_end)
                callbacks.on_test_end(found)
                logs |= {f"val_{name}": value for name, value in found.items()}
            callbacks.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        callbacks.on_train_end(logs)

    def _spread(self, feed, batch_size: int, *, training: bool, **order) -> tf.distribute.DistributedDataset:
        """The feed's batches in parts, one a replica: (images, labels, weights, size of the whole batch)."""

        def parts(context: tf.distribute.InputContext) -> tf.data.Dataset:
            machines = context.num_input_pipelines
            local = self.replicas // machines

            def divide(number, batch) -> tf.data.Dataset:
                images, labels = batch  # this machine's
                whole = here = tf.shape(labels, tf.int64)[0]
                if machines > 1:
                    whole = tf.minimum(len(feed) - number * batch_size, batch_size)
                weights = tf.ones(here)
                if not training:
                    missing = -(-whole // self.replicas) * local - here
                    images = tf.pad(images, [[0, missing], [0, 0], [0, 0], [0, 0]])
                    labels, weights = tf.pad(labels, [[0, missing]]), tf.pad(weights, [[0, missing]])
                part = tf.data.Dataset.range(local)
                return part.map(lambda i: (images[i::local], labels[i::local], weights[i::local], whole))

            mine = feed.batches(batch_size, training=training, shard=(context.input_pipeline_id, machines), **order)
            spread = mine.enumerate().flat_map(divide)
            if training:
                spread = spread.filter(lambda images, labels, weights, whole: whole >= self.replicas)
            return spread.prefetch(2 * local)

        return self.strategy.distribute_datasets_from_function(parts)

    def _train(self, model, *batch) -> tf.Tensor:
        def step(images, labels, weights, whole):
            with tf.GradientTape() as tape:
                sums, goal = self._measure(model, images, labels, weights, whole, training=True)
                goal = model.optimizer.scale_loss(goal)
            gradients = tape.gradient(goal, model.trainable_variables)
            if isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer):
                # It looks for overflow on the first replica alone: tell it of the others'. 0 where all is finite.
                overflow = tf.add_n([tf.reduce_sum(0 * each) for each in gradients if each is not None])
                overflow = tf.distribute.get_replica_context().all_reduce(SUM, overflow)
                gradients = [each if each is None else each + overflow for each in gradients]
            model.optimizer.apply(gradients, model.trainable_variables)  # adds up the replicas'
            return sums

        return self.strategy.reduce(SUM, self.strategy.run(step, batch), axis=None)

    def _test(self, model, *batch) -> tf.Tensor:
        step = functools.partial(self._measure, model, training=False)
        return self.strategy.reduce(SUM, self.strategy.run(lambda *part: step(*part)[0], batch), axis=None)

    def _measure(self, model, images, labels, weights, whole, *, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Sums over a part, float64 (loss, right answers, examples), and the part's share of the batch's loss."""
        logits = tf.cast(model(images, training=training), tf.float32)
        whole, penalty = tf.cast(whole, tf.float32), tf.add_n([0.0, *model.losses]) / self.replicas
        loss = tf.reduce_sum(model.loss.call(labels, logits) * weights)
        right = tf.reduce_sum(weights * tf.cast(tf.argmax(logits, -1) == labels, tf.float32))
        sums = tf.stack([loss + penalty * whole, right, tf.reduce_sum(weights)])
        return tf.cast(sums, tf.float64), loss / whole + penalty

    def _agree(self, variables) -> None:
        for variable in variables:
            if "float" in variable.dtype:
                variable.assign(tf.distribute.get_replica_context().all_reduce(MEAN, tf.identity(variable.value)))


def _pass(step, batches, begin, end) -> dict[str, float]:
    """One pass over `batches`; `end` is given the means so far."""
    totals = tf.zeros(3, tf.float64)
    for number, batch in enumerate(batches):
        begin(number)
        totals += step(*batch)
        logs = {"loss": totals[0] / totals[2], "accuracy": totals[1] / totals[2]}
        end(number, logs)
    return {name: float(value) for name, value in logs.items()}

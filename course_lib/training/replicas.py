"""Training on several devices or machines: one `strategy.run` loop for both, with the callbacks of `fit`.

Each device holds a copy of the network (a replica) and gets its part of every batch, as `feed.divided` cuts it.
Training: a replica's loss is the sum over its examples divided by the size of the whole batch, so that the replicas'
gradients add up to that of the whole; BatchNorm's moving averages, each replica's own meanwhile, are averaged after
each epoch. Measuring: examples of weight 0 count nowhere. Keras 3's `fit` cannot do this: it crashes on parts of
unequal size, and on several machines altogether.
"""

import functools
from collections.abc import Callable

import keras
import tensorflow as tf

from course_lib.training.cluster import is_chief, join_cluster
from course_lib.training.feed import OwnDataset, batch_count, divided
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


@functools.cache  # a second one over the same devices counts its collectives from 0 again, and TensorFlow fails
def _mirrored(names: tuple[str, ...], cross_device_ops: str) -> tf.distribute.Strategy:
    if cross_device_ops == "auto" and not any("GPU" in name for name in names):
        cross_device_ops = "one_device"
    return tf.distribute.MirroredStrategy(names, CROSS_DEVICE_OPS[cross_device_ops]())


class Replicas:
    """Several devices of one machine, by name, or "multi_worker": those of all machines of a cluster."""

    def __init__(self, names: list[str] | str, cross_device_ops: str):
        self.cluster = names == MULTI_WORKER
        self.strategy = join_cluster() if self.cluster else _mirrored(tuple(names), cross_device_ops)
        self.chief = not self.cluster or is_chief()
        self.replicas = self.strategy.num_replicas_in_sync
        self.scope, self.callbacks = self.strategy.scope, []

    def fit(self, run: Run, feed, watched, first: int, last: int, callbacks: keras.callbacks.CallbackList) -> None:
        """Trains `run.model` from epoch `first` to `last` as `model.fit` would, and measures after each."""
        with tf.device("CPU:0"):  # where batches are made
            now = tf.Variable(first, dtype=tf.int64)
        try:
            if self._means(lambda: [tf.constant(first, tf.float64)])()[0] != first:
                raise ValueError("run_dir must be one folder that all machines of the cluster see")
            size, weights = run.data["batch_size"], run.data.get("class_weight")
            train = self._pass(run.model, feed, size, weights, training=True, epoch=now, seed=run.seed)
            test = watched and self._pass(run.model, watched, EVALUATION_BATCH, training=False)
            averages = [each for each in run.model.non_trainable_weights if "float" in each.dtype]
            agreed = self._means(lambda: [each.value for each in averages])
            run.model.stop_training, logs = False, None
            callbacks.on_train_begin()
            for epoch in range(first, last):
                now.assign(epoch)
                callbacks.on_epoch_begin(epoch)
                logs = train(callbacks.on_train_batch_begin, callbacks.on_train_batch_end)
                for variable, mean in zip(averages, agreed(), strict=True):
                    variable.assign(mean)
                if test:
                    callbacks.on_test_begin()
                    found = test(callbacks.on_test_batch_begin, callbacks.on_test_batch_end)
                    callbacks.on_test_end(found)
                    logs |= {f"val_{name}": value for name, value in found.items()}
                callbacks.on_epoch_end(epoch, logs)
                if run.model.stop_training:
                    break
            callbacks.on_train_end(logs)
        except GONE as error:
            raise RuntimeError(
                "another machine of the cluster has stopped answering, so this one stops too. Start all of them "
                "again: with a run_dir that all of them see, training continues after the last whole epoch"
            ) from error

    def _pass(self, model, feed, batch_size: int, class_weight: list | None = None, *, training: bool, **order):
        """A function that makes one pass over the feed's batches and returns the means."""
        counts = None if class_weight is None else tf.constant(class_weight, tf.float32)

        def parts(context: tf.distribute.InputContext) -> tf.data.Dataset:
            shard = (context.input_pipeline_id, context.num_input_pipelines)
            return divided(feed, batch_size, self.replicas, shard, training=training, **order)

        batches = self.strategy.distribute_datasets_from_function(parts)
        count = batch_count(len(feed), batch_size, self.replicas if training else 1)
        at_once = 1 if isinstance(feed, OwnDataset) else model.steps_per_execution

        @tf.function
        def steps(iterator, number: tf.Tensor) -> tf.Tensor:
            totals = tf.zeros(3, tf.float64)
            for _ in tf.range(number):
                totals += self._step(model, training, counts, *next(iterator))
            return totals

        def run_through(begin, end) -> dict[str, float]:
            totals, done, iterator = tf.zeros(3, tf.float64), 0, iter(batches)
            while done < count and not (training and model.stop_training):
                now = min(at_once, count - done)
                begin(done)
                try:
                    totals += steps(iterator, tf.constant(now))
                except tf.errors.OutOfRangeError:  # the last batch of a student's own dataset was left out
                    break
                done += now
                logs = {"loss": totals[0] / totals[2], "accuracy": totals[1] / totals[2]}  # so far
                end(done - 1, logs)
            return {name: float(value) for name, value in logs.items()}

        return run_through

    def _step(self, model, training: bool, class_weight: tf.Tensor | None, *batch) -> tf.Tensor:
        """Sums over a batch, float64: loss, right answers, examples."""

        def on_one(images, labels, weights, whole) -> tf.Tensor:
            whole = tf.cast(whole, tf.float32)
            with tf.GradientTape() as tape:
                logits = tf.cast(model(images, training=training), tf.float32)
                losses = model.loss.call(labels, logits) * weights
                if class_weight is not None:
                    losses *= tf.gather(class_weight, labels)
                loss = tf.reduce_sum(losses)
                penalty = tf.add_n([0.0, *model.losses]) / self.replicas
                goal = model.optimizer.scale_loss(loss / whole + penalty)
            if training:
                _update(model, tape.gradient(goal, model.trainable_variables))
            right = tf.reduce_sum(weights * tf.cast(tf.argmax(logits, -1) == labels, tf.float32))
            return tf.cast(tf.stack([loss + penalty * whole, right, tf.reduce_sum(weights)]), tf.float64)

        return self.strategy.reduce(SUM, self.strategy.run(on_one, batch), axis=None)

    def _means(self, values: Callable[[], list]) -> Callable[[], list[tf.Tensor]]:
        """A function that returns the means over all replicas of what `values()` is on each."""

        @tf.function
        def means() -> list[tf.Tensor]:
            found = self.strategy.run(lambda: [tf.identity(value) for value in values()])
            return [self.strategy.reduce(MEAN, value, axis=None) for value in found]

        return means


def _update(model: keras.Model, gradients: list) -> None:
    if isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer):
        # It looks for overflow on the first replica alone: tell it of the others'. 0 where all is finite.
        overflow = tf.add_n([tf.reduce_sum(0 * each) for each in gradients if each is not None])
        overflow = tf.distribute.get_replica_context().all_reduce(SUM, overflow)
        gradients = [each if each is None else each + overflow for each in gradients]
    model.optimizer.apply(gradients, model.trainable_variables)  # adds up the replicas'

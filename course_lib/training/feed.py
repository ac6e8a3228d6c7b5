"""What `train` is given to learn from, in one form: something that has `batches`."""

import time

import numpy as np
import tensorflow as tf

from course_lib.batching import Split

COUNTING = 5.0  # seconds between two lines that say that batches are being counted
SHAPES = "batches (images, labels) of the shapes (batch, height, width, channels) and (batch,)"


class OwnDataset:
    """A student's own batched `tf.data.Dataset`, used as it is: its order cannot be repeated on resume.

    Every batch is checked when it comes. `problem` says what was wrong with the one that ended training.
    """

    def __init__(self, dataset: tf.data.Dataset):
        _check_spec(dataset.element_spec)
        if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise ValueError("the tf.data.Dataset never ends: give one pass over it (leave out .repeat())")
        self.steps = int(dataset.cardinality())
        if self.steps < 0:  # not known without a pass over it
            self.steps = _counted(dataset)
        first = next(iter(dataset), None)
        if first is None:
            once = (
                f": {self.steps} batches were counted, but a second pass finds none. Can its generator be read twice?"
            )
            raise ValueError(f"the tf.data.Dataset is empty{once if self.steps else ''}")
        self.batch_size = int(first[1].shape[0])
        self.dtype = dataset.element_spec[0].dtype
        self.value_range = None
        self.num_classes = None
        self.problem = ""
        known = tf.data.experimental.assert_cardinality(self.steps)  # or Keras warns each epoch
        self.dataset = dataset.apply(known).enumerate().map(self._checked)

    def __len__(self) -> int:
        """At most this many examples: the last batch may hold fewer."""
        return self.steps * self.batch_size

    def batches(self, batch_size: int, **_) -> tf.data.Dataset:
        return self.dataset

    def _checked(self, number: tf.Tensor, batch: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        images, labels = tf.cast(batch[0], tf.float32), tf.cast(batch[1], tf.int64)
        if labels.shape.rank == 2:
            labels = labels[:, 0]
        ends = [f(values) for values in (images, labels) for f in (tf.reduce_min, tf.reduce_max)]
        fine = tf.numpy_function(self._look, [number, *ends], tf.bool)
        with tf.control_dependencies([fine]):
            return tf.identity(images), labels

    def _look(self, number, low, high, first, last) -> bool:
        """Checks the values of one batch. TensorFlow hides the error's text, so `problem` keeps it."""
        if self.value_range is None:  # the first batch, which is checked otherwise
            return np.True_
        least, most = self.value_range
        if not least <= low <= high <= most:
            pixels = "NaN" if np.isnan(low) else f"values from {low:g} to {high:g}"
            self.problem = (
                f"batch {number} (from 0) of the tf.data.Dataset holds {pixels}, but the images of the first batch lie "
                f"within {least:g} to {most:g}: prepare all of them alike"
            )
        elif not 0 <= first <= last < self.num_classes:
            self.problem = (
                f"batch {number} (from 0) of the tf.data.Dataset holds labels from {first} to {last}, but the network "
                f"has {self.num_classes} outputs, for the whole numbers 0 to {self.num_classes - 1}"
            )
        if self.problem:
            raise ValueError(self.problem)
        return np.True_


def _check_spec(spec: object) -> None:
    """Checks what a dataset yields."""
    if isinstance(spec, dict):
        keys = list(spec)
        raise ValueError(
            f"a tf.data.Dataset must yield {SHAPES}; this one yields dictionaries with the keys {keys}: add "
            f".map(lambda batch: (batch[{keys[0]!r}], batch[{keys[-1]!r}])), images first"
        )
    if not isinstance(spec, tuple) or len(spec) != 2 or any(not hasattr(each, "shape") for each in spec):
        raise ValueError(f"a tf.data.Dataset must yield {SHAPES}; this one yields {spec}")
    images, labels = spec
    if images.shape.rank == 3:
        raise ValueError(
            f"a tf.data.Dataset must yield {SHAPES}; this one yields {spec}. Did you forget .batch(batch_size)?"
        )
    if images.shape.rank != 4 or not (images.dtype.is_floating or images.dtype.is_integer):
        raise ValueError(f"a tf.data.Dataset must yield {SHAPES}; this one yields {spec}")
    if labels.shape.rank == 2 and labels.shape[1] != 1:
        raise ValueError(
            f"a tf.data.Dataset must yield {SHAPES}; the labels of this one have the shape {tuple(labels.shape)}. "
            "Where they are one-hot, add .map(lambda images, labels: (images, tf.argmax(labels, axis=-1))), or load "
            "them with label_mode='int'"
        )
    column = labels.shape.rank == 2 and labels.dtype.is_integer  # (batch, 1)
    if not column and (labels.shape.rank != 1 or not labels.dtype.is_integer):
        raise ValueError(
            f"a tf.data.Dataset must yield {SHAPES}, labels as whole numbers; this one has {labels.dtype.name} labels "
            f"of the shape {tuple(labels.shape)}. Where they number the classes, add .map(lambda images, labels: "
            "(images, tf.cast(labels, 'int64'))), or load them with label_mode='int'"
        )


def _counted(dataset: tf.data.Dataset) -> int:
    count, told = 0, time.perf_counter()
    for _ in dataset:
        count += 1
        if time.perf_counter() - told > COUNTING:
            told = time.perf_counter()
            print(f"counting the batches of the tf.data.Dataset: {count:,} so far. If it never ends, add .take(steps)")
    return count


def as_feed(data: object, what: str = "data", value_range: tuple[float, float] | None = None):
    """`data` as something with `len` and `batches`: a split as it is, arrays and datasets wrapped.

    Raises:
        ValueError: none of the three, or images and labels that do not fit each other.
    """
    if isinstance(data, tf.data.Dataset):
        return OwnDataset(data)
    if isinstance(data, tuple) and len(data) == 2:
        try:
            return Split(*data, value_range=value_range)
        except ValueError as error:
            raise ValueError(f"{what}: {error}") from None
    if hasattr(data, "batches") and hasattr(data, "__len__"):
        return data
    advice = ""
    if hasattr(getattr(data, "train", None), "batches"):
        advice = f". This is a whole data set: give its part, {what}.train or {what}.validation"
    raise ValueError(
        f"{what} must be a split (datasets.load('mnist').train), a pair of arrays (images, labels) or a batched "
        f"tf.data.Dataset, not {type(data).__name__}{advice}"
    )


def to_pixels(images: tf.Tensor) -> tf.Tensor:
    """From 0…1 back to 0…255, for a network that scales pixels itself."""
    return 255 * images


def batch_count(examples: int, batch_size: int, replicas: int = 1) -> int:
    """Batches per epoch; a last one with fewer examples than `replicas` is left out."""
    return examples // batch_size + (examples % batch_size >= replicas)


def divided(
    feed, batch_size: int, replicas: int, shard: tuple[int, int], *, training: bool, **order
) -> tf.data.Dataset:
    """The batches of machine i of n, `shard=(i, n)`, in parts, one after another for each of its replicas.

    A part is `(images, labels, weights, size of the whole batch)`. In training parts differ by one example at most,
    all weigh 1, and a batch with fewer examples than `replicas` in all is left out. Otherwise parts are of one
    size, with examples of weight 0 where there are too few.
    """
    local = replicas // shard[1]

    def divide(number: tf.Tensor, batch: tuple[tf.Tensor, tf.Tensor]) -> tf.data.Dataset:
        images, labels = batch  # this machine's
        whole = here = tf.shape(labels, tf.int64)[0]
        if shard[1] > 1:
            whole = tf.minimum(len(feed) - number * batch_size, batch_size)
        weights = tf.ones(here)
        if not training:
            missing = -(-whole // replicas) * local - here
            images = tf.pad(images, [[0, missing], [0, 0], [0, 0], [0, 0]])
            labels, weights = tf.pad(labels, [[0, missing]]), tf.pad(weights, [[0, missing]])
        numbers = tf.data.Dataset.range(local)
        return numbers.map(lambda i: (images[i::local], labels[i::local], weights[i::local], whole))

    parts = feed.batches(batch_size, training=training, shard=shard, **order).enumerate().flat_map(divide)
    if training:
        parts = parts.filter(lambda images, labels, weights, whole: whole >= replicas)
    return parts.prefetch(2 * local)

"""The data that `train` learns from or validates on, in one form: a source of batches."""

import time
from collections.abc import Mapping
from typing import Protocol

import numpy as np
import tensorflow as tf

from course_lib import common
from course_lib.batching import Split

EVALUATION_BATCH = 500  # images; no gradient is kept, so more fit into memory than in training
COUNTING = 5.0  # seconds between two lines that say that batches are being counted
SHAPES = "batches (images, labels) of the shapes (batch, height, width, channels) and (batch,)"


class DataSource(Protocol):
    """What `train` needs of its data; `Split` and `OwnDataset` have it."""

    def __len__(self) -> int:
        """The number of examples."""

    def batches(self, batch_size: int, *, training: bool, **order: object) -> tf.data.Dataset:
        """The batches `(images, labels)` of one epoch; `order` is `epoch`, `seed` and `shard` of `Split.batches`."""


class OwnDataset:
    """A student's own batched `tf.data.Dataset`, used as it is: its order cannot be repeated on resume.

    Every batch is checked when it comes. `problem` says what was wrong with the one that ended training.
    """

    def __init__(self, dataset: tf.data.Dataset):
        _check_spec(dataset.element_spec)
        if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise ValueError("the tf.data.Dataset never ends: give one pass over it (leave out .repeat())")
        self.steps = int(dataset.cardinality())
        if self.steps < 0:  # not known without counting
            self.steps = _counted(dataset)
        first = next(iter(dataset), None)
        if first is None and self.steps:
            raise ValueError(
                f"the tf.data.Dataset is empty: {self.steps} batches were counted, but a second pass finds none. Can "
                "its generator be read twice?"
            )
        if first is None:
            raise ValueError("the tf.data.Dataset is empty")
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
        """The dataset's own batches, whatever `batch_size` and order are asked for."""
        return self.dataset

    def _checked(self, number: tf.Tensor, batch: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        images = tf.cast(batch[0], tf.float32)
        labels = tf.cast(batch[1], tf.int64)
        if labels.shape.rank == 2:
            labels = labels[:, 0]
        ends = [f(values) for values in (images, labels) for f in (tf.reduce_min, tf.reduce_max)]
        fine = tf.numpy_function(self._check_values, [number, *ends], tf.bool)
        with tf.control_dependencies([fine]):
            return tf.identity(images), labels

    def _check_values(self, number, low, high, first, last) -> bool:
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
    count = 0
    told = time.perf_counter()
    for _ in dataset:
        count += 1
        if time.perf_counter() - told > COUNTING:
            told = time.perf_counter()
            print(f"counting the batches of the tf.data.Dataset: {count:,} so far. If it never ends, add .take(steps)")
    return count


def as_data_source(data: object, what: str, value_range: tuple[float, float] | None = None) -> DataSource:
    """`data` as a source of batches: a split as it is, arrays and datasets wrapped; `what` names it in errors.

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


def class_weights(given: object, source: DataSource, num_classes: int) -> list[float] | None:
    """One weight per class from a dict, a sequence or "balanced"; None where none is given.

    "balanced" gives a class the weight examples / (classes · examples of the class), so that all classes count alike.

    Raises:
        ValueError: anything else, or "balanced" for a dataset whose labels cannot be read all at once.
    """
    if given is None:
        return None
    if isinstance(given, str) and given == "balanced":
        if not hasattr(source, "arrays"):
            raise ValueError("class_weight='balanced' needs a split or arrays: for a tf.data.Dataset give a dict")
        counts = np.bincount(source.arrays()[1], minlength=num_classes)
        return (len(source) / np.maximum(num_classes * counts, 1)).tolist()
    weights = _listed_weights(given, num_classes)
    if weights is None or len(weights) != num_classes:
        raise ValueError(
            f"class_weight must be 'balanced', a dict such as {{0: 2.0}} with classes from 0 to {num_classes - 1} (the "
            f"others weigh 1), or {num_classes} weights, not {given!r}"
        )
    weights = [common.number("class_weight", weight) for weight in weights]
    if not any(weights):
        raise ValueError("class_weight is 0 for every class, so nothing would be learned: give some class a weight")
    return weights


def _listed_weights(given: object, num_classes: int) -> list | None:
    """A dict's or a sequence's weights as a list, with 1 for classes that a dict leaves out; None for anything else."""
    if hasattr(given, "to_dict"):  # a pandas Series: by its index, whatever its order
        given = given.to_dict()
    if isinstance(given, Mapping):
        if any(isinstance(key, bool) or key not in range(num_classes) for key in given):
            return None
        return [given.get(number, 1.0) for number in range(num_classes)]
    if isinstance(given, str) or not np.iterable(given):
        return None
    return list(given)

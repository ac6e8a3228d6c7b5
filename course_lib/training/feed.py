"""What `train` is given to learn from, in one form: something that has `batches`, and fits the network."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from course_lib.batching import Split, check_range


class OwnDataset:
    """A student's own batched `tf.data.Dataset`, used as it is: its order cannot be repeated on resume."""

    def __init__(self, dataset: tf.data.Dataset):
        spec = dataset.element_spec
        if not isinstance(spec, tuple) or len(spec) != 2 or spec[0].shape.rank != 4 or spec[1].shape.rank != 1:
            raise ValueError(
                "a tf.data.Dataset must yield batches (images, labels) of the shapes (batch, height, width, "
                f"channels) and (batch,); this one yields {spec}. Did you forget .batch(batch_size)?"
            )
        if not spec[0].dtype.is_floating:
            raise ValueError(
                f"a tf.data.Dataset's images must be floating point, 0 to 1 is usual, not {spec[0].dtype.name}: "
                "add .map(lambda images, labels: (images / 255, labels))"
            )
        if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise ValueError("the tf.data.Dataset never ends: give one pass over it (leave out .repeat())")
        steps = int(dataset.cardinality())
        if steps < 0:  # not known without a pass over it
            steps = sum(1 for _ in dataset)
            dataset = dataset.apply(tf.data.experimental.assert_cardinality(steps))  # or Keras warns each epoch
        if not steps:
            raise ValueError("the tf.data.Dataset is empty")
        self.dataset, self.steps, self.batch_size = dataset, steps, int(next(iter(dataset))[1].shape[0])

    def __len__(self) -> int:
        """At most this many examples: the last batch may hold fewer."""
        return self.steps * self.batch_size

    def batches(self, batch_size: int, **_) -> tf.data.Dataset:
        return self.dataset


def as_feed(data: object, what: str = "data"):
    """`data` as something with `len` and `batches`: a split as it is, arrays and datasets wrapped.

    Raises:
        ValueError: none of the three, or images and labels that do not fit each other.
    """
    if isinstance(data, tf.data.Dataset):
        return OwnDataset(data)
    if isinstance(data, tuple) and len(data) == 2:
        return Split(*data)
    if hasattr(data, "batches") and hasattr(data, "__len__"):
        return data
    raise ValueError(
        f"{what} must be a split (datasets.load('mnist').train), a pair of arrays (images, labels) or a batched "
        f"tf.data.Dataset, not {type(data).__name__}"
    )


def check_fit(model: keras.Model, feed, what: str = "data") -> None:
    """Checks that a first batch of `feed` suits the network, before an epoch is spent on finding out.

    Raises:
        ValueError: images of another shape than the network takes, or labels that it has no output for.
    """
    images, labels = next(iter(feed.batches(1, training=False)))
    wanted, got = tuple(model.input_shape[1:]), tuple(images.shape[1:])
    if len(wanted) != len(got) or any(size not in (None, have) for size, have in zip(wanted, got, strict=True)):
        raise ValueError(
            f"{what} has images of shape {got}, but {model.name} takes {wanted}: build it with "
            f"image_shape={got}, or give the images that shape (digits: split.with_transform(paper_frame))"
        )
    check_range(images.numpy())
    num_classes = model.output_shape[-1]
    labels = feed.arrays()[1] if hasattr(feed, "arrays") else labels.numpy()
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError(
            f"{what} has {labels.dtype} labels from {labels.min()} to {labels.max()}, but {model.name} has "
            f"{num_classes} outputs, for the whole numbers 0 to {num_classes - 1}: number the classes from 0 and "
            "build the network with as many outputs (num_classes)"
        )


def build_checked(build: Callable[[], keras.Model]) -> keras.Model:
    """What `build()` returns, once it is clear that it is a fresh network."""
    if not callable(build) or isinstance(build, keras.Model):
        raise ValueError(
            "train takes a function that builds the network, for example lambda: models.build('lenet5'), not "
            f"{'a network' if isinstance(build, keras.Model) else type(build).__name__}: each run starts afresh"
        )
    model = build()
    if not isinstance(model, keras.Model) or len(getattr(model, "inputs", None) or ()) != 1:
        raise ValueError(
            "build() must return a keras.Model (functional or Sequential) that starts with one keras.Input, "
            f"not {model!r}"
        )
    return model


def batch_count(examples: int, batch_size: int, replicas: int = 1) -> int:
    """Batches an epoch; a last one with fewer examples than `replicas` is left out."""
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

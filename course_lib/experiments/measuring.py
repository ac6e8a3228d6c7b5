"""What a recorded run measures while it trains, and how well a linear classifier reads features."""

from collections.abc import Sequence

import keras
import numpy as np
from threadpoolctl import threadpool_limits

from course_lib.array_checks import finite_array
from course_lib.batching import Split
from course_lib.experiments.experiment import Setting

IN_A_ROW = 3  # measurements whose mean is taken, so that the noise of a single one makes no rise


class Measured(keras.callbacks.Callback):
    """Loss and error of whole splits, without augmentation and dropout, every few epochs; ends a run at an error.

    Attributes:
        history: for each split's name a dict of lists: "epoch" (0 before training), "loss", "error".
        kernels: those of the setting's `watch` layer, one array per measurement.
    """

    def __init__(self, splits: dict[str, Split], setting: Setting):
        super().__init__()
        self.splits = splits
        self.every = setting.measure_every
        self.until = setting.until
        self.epochs = setting.epochs
        self.watch = setting.watch
        self.kernels = []
        self.history = {name: {"epoch": [], "loss": [], "error": []} for name in splits}

    def on_train_begin(self, logs=None):
        self.measure(0)

    def on_epoch_end(self, epoch, logs=None):
        done = epoch + 1
        if self.until and 1 - logs["accuracy"] <= self.until + 1e-9:
            self.model.stop_training = True
        if self.every and (done % self.every == 0 or done == self.epochs or self.model.stop_training):
            self.measure(done)

    def measure(self, epochs: int) -> None:
        """Adds what holds after so many epochs."""
        for name, split in self.splits.items():
            loss, accuracy = _evaluated(self.model, split)
            for key, value in (("epoch", epochs), ("loss", loss), ("error", 1 - accuracy)):
                self.history[name][key].append(value)
        if self.watch:
            kernel = self.model.get_layer(self.watch).kernel
            self.kernels.append(keras.ops.convert_to_numpy(kernel))


def _evaluated(model: keras.Model, split: Split) -> tuple[float, float]:
    """The mean cross-entropy of a network's logits, and its accuracy."""
    labels = split.arrays()[1]
    logits = model.predict(split.batches(500, training=False), verbose=0).astype("float64")
    logits -= logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels]
    return float(losses.mean()), float(np.mean(logits.argmax(axis=1) == labels))


def rise(values: Sequence[float]) -> float:
    """By how many percent the last three measurements lie above the lowest three in a row, by their means.

    The last value above the single lowest one would be more than 0 for nearly every curve: one dip is enough.

    Args:
        values: losses or errors of one run, at least three, in the order in which they were measured.

    Raises:
        ValueError: fewer than three values, NaN, or a lowest mean of 0, of which there is no share.
    """
    values = finite_array("values", values).astype(float)
    if values.ndim != 1 or len(values) < IN_A_ROW:
        raise ValueError(f"values must be {IN_A_ROW} measurements or more, not the shape {values.shape}")
    means = np.convolve(values, np.ones(IN_A_ROW) / IN_A_ROW, "valid")
    if means.min() <= 0:
        raise ValueError("the lowest mean is not above 0, so a rise above it has no share in percent")
    return float(100 * (means[-1] / means.min() - 1))


def linear_error(known: np.ndarray, labels: np.ndarray, unseen: np.ndarray, unseen_labels: np.ndarray) -> float:
    """The error in percent, on `unseen` features, of a linear classifier that is trained on `known` ones.

    Features are `(n, ...)`; all are divided by the root mean square length of `known`, so that one strength of
    regularization suits pixels and cells alike.
    """
    from sklearn.linear_model import LogisticRegression

    known = known.reshape(len(known), -1)
    unseen = unseen.reshape(len(unseen), -1)
    length = np.sqrt((known**2).sum(axis=1).mean())
    classifier = LogisticRegression(C=30, max_iter=1000).fit(known / length, labels)
    return float(100 * np.mean(classifier.predict(unseen / length) != unseen_labels))


def linear_errors(model: keras.Model, layers: Sequence[str], known: tuple, unseen: tuple) -> tuple[list, list]:
    """How well a linear classifier reads each layer, and how much the layer's outputs differ between images.

    Each output is shifted to mean 0 and scaled to standard deviation 1 over the known images.

    Args:
        model: the network.
        layers: the names of its layers.
        known: (images, labels) that each classifier is trained on.
        unseen: (images, labels) that it is tested on.

    Returns:
        One number per layer each: the error in percent on `unseen`, and the standard deviation over the known images,
        as a mean over the layer's outputs.
    """
    inside = keras.Model(model.inputs[0], [model.get_layer(layer).output for layer in layers])
    errors = []
    deviations = []
    parts = [[np.asarray(output, float) for output in inside(images)] for images, _ in (known, unseen)]
    for seen, new in zip(*parts, strict=True):
        mean = seen.mean(axis=0)
        deviation = seen.std(axis=0) + 1e-12
        scaled = [(outputs - mean) / deviation for outputs in (seen, new)]
        with threadpool_limits(1):  # faster than several for arrays of this size
            errors.append(linear_error(scaled[0], known[1], scaled[1], unseen[1]))
        deviations.append(deviation.mean())
    return errors, deviations

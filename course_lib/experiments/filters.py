"""The filters of a first layer while they form: recorded kernels, and an experiment of lesson 05 that keeps them."""

import base64
import dataclasses

import keras
import numpy as np

from course_lib import common, datasets
from course_lib.experiments.alexnet import augmented_as_alexnet, thousand
from course_lib.experiments.experiment import Experiment, Parts, Setting, compared, data_id
from course_lib.models import alexnet
from course_lib.training import Recipe


def watched(name: str) -> tuple[list[int], list[np.ndarray]]:
    """The kernels that recorded experiment `name` kept of its one setting's `watch` layer while it trained.

    Returns:
        The epochs; and for each seed the kernels after each of them, float32 `(epochs, height, width, in, out)`.

    Raises:
        FileNotFoundError: it has not been recorded, or not all of it.
    """
    (runs,) = compared(name).values()
    return runs[0]["kernels"]["epoch"], [unpacked(run["kernels"]) for run in runs]


def packed(epochs: list[int], kernels: list[np.ndarray]) -> dict[str, object]:
    """Kernels as JSON values: one byte per number, each epoch's on a scale of its own."""
    scales = [float(f"{np.abs(each).max() / 127:.4g}") or 1.0 for each in kernels]
    whole = [np.rint(each / scale).clip(-127, 127).astype(np.int8) for each, scale in zip(kernels, scales, strict=True)]
    texts = [base64.b64encode(each.tobytes()).decode() for each in whole]
    return {"epoch": list(epochs), "shape": list(kernels[0].shape), "scale": scales, "int8": texts}


def unpacked(record: dict[str, object]) -> np.ndarray:
    """The kernels that `packed` made a record of, off by at most half a 127th of the largest."""
    values = [np.frombuffer(base64.b64decode(text), np.int8) for text in record["int8"]]
    scaled = [np.float32(scale) * each for scale, each in zip(record["scale"], values, strict=True)]
    return np.stack(scaled).reshape(len(scaled), *record["shape"])


def neighbor_correlation(kernels: np.ndarray) -> np.ndarray:
    """How alike neighboring weights of each filter are, `(filters,)`: about 0 for noise, near 1 for smooth filters.

    The mean of two correlations, of each weight with its right and with its lower neighbor, over all channels; the
    mean of each channel is taken away before.

    Args:
        kernels: `(height, width, channels, filters)`.
    """
    apart = kernels - kernels.mean(axis=(0, 1), keepdims=True)
    found = []
    for one, other in ((apart[:, :-1], apart[:, 1:]), (apart[:-1], apart[1:])):
        product, *squares = ((a * b).sum(axis=(0, 1, 2)) for a, b in ((one, other), (one, one), (other, other)))
        found.append(product / np.sqrt(squares[0] * squares[1]))
    return np.mean(found, axis=0)


FORMED = common.ROOT / "data" / "filters_formed"  # the weights and the record of seed 0


@data_id("toy_scenes/56, all, augmented as AlexNet")
def all_scenes() -> Parts:
    """As `thousand_augmented`, but trained on all 12,000."""
    return augmented_as_alexnet(datasets.load("toy_scenes").train), *thousand()[1:]


def forming_alexnet() -> keras.Model:
    """`small_alexnet` with dense layers of 128 units, so that its weights are a small file.

    conv1 starts as in the paper, with deviation 0.01: what is seen in a filter later has formed.
    """
    tricks = alexnet.Tricks(
        towers=2,
        initialization="he",
        activation="relu",
        normalization="local_response",
        overlapping_pooling=True,
        dropout=0.5,
    )
    stem = dataclasses.replace(alexnet.LAYERS[0], kernel_size=7, strides=2)
    rows = [dataclasses.replace(row, filters=8 * row.filters) for row in (stem, *alexnet.LAYERS[1:])]
    inputs = keras.Input((56, 56, 3))
    model = keras.Model(inputs, alexnet.network(inputs, rows, 10, 1 / 32, tricks), name="forming_alexnet")
    conv1 = model.get_layer("conv1")
    conv1.kernel.assign(keras.initializers.RandomNormal(stddev=0.01)(conv1.kernel.shape))
    return model


EXPERIMENTS = {
    "filters_formed": Experiment(
        "A small AlexNet on all toy scenes, its first layer's filters recorded while they form",
        "96 filters of oriented stripes and of colored blobs (Krizhevsky et al. 2012, Figure 3)",
        {
            "forming_alexnet": Setting(
                forming_alexnet,
                Recipe("adam", 1e-3, "cosine", weight_decay=5e-4, batch_size=32),
                epochs=20,
                data=all_scenes,
                measure_every=4,
                keep=FORMED,
                watch="conv1",
            )
        },
    ),
}

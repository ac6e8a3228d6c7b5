"""Checks that network and data fit each other, made before training starts, and notes on what looks like a mistake."""

import random
import weakref
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from course_lib import model_checks
from course_lib.array_checks import FLOAT_RANGE, check_range
from course_lib.batching import Split
from course_lib.training.data_source import DataSource, OwnDataset
from course_lib.training.run import Run, built

LOOKED_AT = 64  # images of a split whose values are checked before training
PIXELS = (0.0, 255.0)
DARK = 0.01  # images below it are nearly black: 255 divided by 255 twice is 0.004
RANGES_DIFFER = 0.5  # training and validation images differ where their ranges do by more than this share
LAGGING = 0.1  # validation accuracy below training accuracy, from which on BatchNorm may be the reason
NOT_FORGOTTEN = 0.05  # share of their initial value in BatchNorm's moving averages, from which on it is
KNOWN = weakref.WeakSet()  # the layers with trainable weights that builders have returned


def build_fresh(build: Callable[[], keras.Model], *, twice: bool = False) -> keras.Model:
    """What `build()` returns, once it is clear that it is a network that nothing has trained.

    `twice` calls `build` a second time to compare: on several devices it is called again after training.

    Raises:
        ValueError: no function, no network, or a network that was made before.
    """
    state = random.getstate()
    model = built(build)
    drawn = random.getstate() != state  # Keras draws the seed of every initializer
    learning = _learning_layers(model)
    known = KNOWN & learning
    if twice or not drawn:
        known |= learning & _learning_layers(build())
    if known:
        names = ", ".join(sorted(layer.name for layer in known)[:3])
        raise ValueError(
            f"build() returns layers that were made before ({names}{', …' if len(known) > 3 else ''}): this run would "
            "go on from their weights, whatever its seed and precision. Make the network and its layers inside the "
            "function, for example lambda: models.build('lenet5'), or def build(): … return keras.Sequential([…])"
        )
    KNOWN.update(learning)
    return model


def _learning_layers(model: keras.Model) -> set[keras.layers.Layer]:
    """The layers that training changes; a frozen part may be shared by several runs."""
    return {layer for layer in model_checks.leaf_layers(model) if layer.trainable_weights}


def check_outputs(model: keras.Model, own_loss: bool) -> None:
    """Checks that the network returns logits `(batch, classes)`; with a loss of one's own they may be probabilities.

    Raises:
        ValueError: several outputs, maps, one output, or softmax at the end.
    """
    if len(model.outputs) > 1:
        names = ", ".join(layer.name for layer in model.layers if layer.name in set(model.output_names))
        raise ValueError(
            f"{model.name} has {len(model.outputs)} outputs ({names or model.output_names}), and train takes networks "
            "with one, the logits. Build it without the others (googlenet: auxiliary=False), or use Keras itself: "
            "model.compile(optimizer, loss, loss_weights=[1, 0.3, 0.3]) and model.fit"
        )
    shape = model.output_shape
    if len(shape) != 2:
        raise ValueError(
            f"{model.name} returns {shape[1:]} per image, and train takes networks that return one number per class: "
            "add layers.GlobalAveragePooling2D() or layers.Flatten(), then layers.Dense(num_classes)"
        )
    if shape[-1] == 1:
        raise ValueError(
            f"{model.name} has one output, and the softmax of one number is always 1: for two classes build "
            "layers.Dense(2), without an activation"
        )
    if not model.trainable_weights:
        raise ValueError(f"nothing of {model.name} can be trained: all its layers are frozen, or it has no weights")
    activation = model_checks.final_operation(model)
    if activation == "relu" and not own_loss:
        raise ValueError(
            f"{model.name} ends with relu, which cuts logits below 0 off: leave the activation of the last layer out"
        )
    if activation in model_checks.PROBABILITIES and not own_loss:
        raise ValueError(
            f"{model.name} ends with {activation}, and the loss applies softmax itself: with both it learns badly. "
            f"Leave the activation of the last layer out, so that it returns logits"
        )


def to_pixels(images: tf.Tensor) -> tf.Tensor:
    """Images from 0 to 1 as pixels from 0 to 255, for a network that scales pixels itself."""
    return 255 * images


def adapted(
    model: keras.Model, sources: dict[str, DataSource], value_range: tuple[float, float] | None
) -> tuple[dict[str, DataSource], dict[str, tuple[float, float]]]:
    """The data with images as `model` takes them, and of each the smallest and the largest value of the first images.

    A network that scales pixels itself gets pixels from 0 to 255.

    Raises:
        ValueError: images of another shape or range than the network takes, or labels that it has no output for.
    """
    scales = model_checks.scales_pixels(model)
    found = {}
    ranges = {}
    for what, source in sources.items():
        found[what], ranges[what] = _adapted(model, scales, source, what, value_range)
    return found, ranges


def _adapted(
    model: keras.Model, scales: bool, source: DataSource, what: str, value_range: tuple[float, float] | None
) -> tuple[DataSource, tuple[float, float]]:
    """The same for one source, which `what` names in errors; `scales` says whether the network scales pixels."""
    declared = value_range or getattr(source, "value_range", None)
    if scales and declared is None and isinstance(source, Split) and source.holds_pixels:
        _check_unscaled(source, what)
        source = source.with_transform(to_pixels, value_range=PIXELS)
        declared = PIXELS
    if isinstance(source, Split):  # without a dataset, which takes a tenth of a second to make
        images = source.prepared(0, LOOKED_AT)
        labels = source.arrays()[1]
    else:
        images, labels = (part.numpy() for part in next(iter(source.batches(LOOKED_AT, training=False))))
    _check_shape(model, images.shape[1:], what)
    _check_values(model, source, images, what, declared, scales)
    num_classes = model.output_shape[-1]
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError(
            f"{what} has {labels.dtype} labels from {labels.min()} to {labels.max()}, but {model.name} has "
            f"{num_classes} outputs, for the whole numbers 0 to {num_classes - 1}: number the classes from 0 and "
            "build the network with as many outputs (num_classes)"
        )
    if isinstance(source, OwnDataset):
        source.num_classes = num_classes
        source.value_range = declared or (PIXELS if scales else FLOAT_RANGE)
    return source, (float(images.min()), float(images.max()))


def _check_unscaled(split: Split, what: str) -> None:
    few = split.prepared(0, LOOKED_AT)
    if few.min() < -0.01 or few.max() > 1.01:
        raise ValueError(
            f"the network scales pixels from 0 to 255 itself, but the transforms of {what} make values from "
            f"{few.min():g} to {few.max():g}: leave the Rescaling out of the network, or that transform out of {what}"
        )


def _check_shape(model: keras.Model, got: tuple[int, ...], what: str) -> None:
    wanted = tuple(model.input_shape[1:])
    if len(wanted) == len(got) and all(size in (None, have) for size, have in zip(wanted, got, strict=True)):
        return
    advice = (
        f"build it with image_shape={got}, or give the images that shape (digits: split.with_transform(paper_frame))"
    )
    if (got[1], got[2], got[0]) == wanted or (got[0] in (1, 3) and got[2] not in (1, 3)):
        advice = "the channels come first, and Keras wants them last: np.moveaxis(images, 1, -1)"
    raise ValueError(f"{what} has images of shape {got}, but {model.name} takes {wanted}: {advice}")


def _check_values(model, source, images: np.ndarray, what: str, declared, scales: bool) -> None:
    if isinstance(source, OwnDataset) and source.dtype.is_integer and not scales:
        raise ValueError(
            f"a tf.data.Dataset's images must be floating point, 0 to 1 is usual, not {source.dtype.name}: "
            "add .map(lambda images, labels: (images / 255, labels))"
        )
    if scales and declared is None:
        if 0 < images.max() <= 1:
            raise ValueError(
                f"the images of {what} are scaled to {images.min():g} to {images.max():g}, and {model.name} scales "
                "pixels from 0 to 255 itself (Rescaling, or arithmetic on its input): scaled twice, they are nearly "
                "black. Give pixels from 0 to 255, or leave the Rescaling out of the network"
            )
        declared = PIXELS
    if declared is None and images.min() >= 0 and 0 < images.max() < DARK:
        raise ValueError(
            f"the images of {what} go from {images.min():g} to {images.max():g}, nearly black: were they divided by "
            "255 twice? Where the network takes such small values, declare it by value_range"
        )
    try:
        check_range(images, declared)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def note_on_ranges(ranges: dict[str, tuple[float, float]]) -> None:
    """Prints a note where the values of training and validation images, as (smallest, largest), differ much."""
    if "validation" not in ranges:
        return
    low, high = ranges["data"]
    least, most = ranges["validation"]
    if max(abs(low - least), abs(high - most)) > RANGES_DIFFER * (high - low) > 0:
        print(
            f"note: the training images go from {low:g} to {high:g}, those of validation from {least:g} to {most:g}: "
            "are both prepared alike?"
        )


def note_on_batch_norm(run: Run) -> None:
    """Prints a note where validation suffers because BatchNorm's moving averages have seen too few steps."""
    layers = model_checks.leaf_layers(run.model)
    norms = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
    if not norms or not run.history.get("val_accuracy"):
        return
    if run.history["accuracy"][-1] - run.history["val_accuracy"][-1] < LAGGING:
        return
    steps = int(keras.ops.convert_to_numpy(run.model.optimizer.iterations))
    momentum = max(layer.momentum for layer in norms)
    if momentum**steps > NOT_FORGOTTEN:
        print(
            f"note: BatchNorm's moving averages still hold {momentum**steps:.0%} of their first values after {steps} "
            f"steps (momentum {momentum:g}), and validation uses them: train for more steps before you judge it"
        )

"""Notes on a run: what makes its validation figures say less than they seem to."""

import keras

from course_lib.model_checks import leaf_layers
from course_lib.training.run import Run

APART = 0.5  # of the training images' range, by which the range of validation may differ
LAGGING = 0.1  # accuracy by which validation lies below training where BatchNorm may be the reason
REMEMBERED = 0.05  # share of the initial moving averages that is too much


def note_on_ranges(ranges: dict[str, tuple[float, float]]) -> None:
    """Says where training and validation images, whose smallest and largest values these are, differ much."""
    if "validation" not in ranges:
        return
    (low, high), (least, most) = ranges["data"], ranges["validation"]
    if max(abs(low - least), abs(high - most)) > APART * (high - low) > 0:
        print(
            f"note: the training images go from {low:g} to {high:g}, those of validation from {least:g} to {most:g}: "
            "are both prepared alike?"
        )


def note_on_batch_norm(run: Run) -> None:
    """Says where validation suffers because BatchNorm's moving averages have seen too few steps."""
    accuracy, validated = (run.history.get(name, [])[-1:] for name in ("accuracy", "val_accuracy"))
    norms = [layer for layer in leaf_layers(run.model) if isinstance(layer, keras.layers.BatchNormalization)]
    if not (norms and accuracy and validated) or accuracy[0] - validated[0] < LAGGING:
        return
    steps = int(keras.ops.convert_to_numpy(run.model.optimizer.iterations))
    momentum = max(layer.momentum for layer in norms)
    if momentum**steps > REMEMBERED:
        print(
            f"note: BatchNorm's moving averages still hold {momentum**steps:.0%} of their first values after {steps} "
            f"steps (momentum {momentum:g}), and validation uses them: train for more steps before you judge it"
        )

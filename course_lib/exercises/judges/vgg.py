"""Judges of the answers that are functions in `vgg.toml`."""

import contextlib
import gc
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from course_lib.exercises.judges import compare
from course_lib.exercises.judges.deep_networks import filled
from course_lib.exercises.judges.stacks import (
    steps_of,
    two_small,  # noqa: F401 (a judge of vgg.toml, as the next one is)
    vgg_block,  # noqa: F401
    wrong_poolings,
    wrong_sides,
    wrong_steps,
)

FILTERS = (64, 128, 256, 512, 512)  # of the five blocks
NO_ACTIVATION = (  # names of steps begin so
    *("inputlayer", "maxpool", "zeropadding", "pad", "flatten", "reshape", "dropout", "identity", "cast"),
)
COLUMNS = {  # of Table 1, those that `build_vgg` must meet: kernel sizes, block by block
    "A": ((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "B": ((3, 3),) * 5,
    "C": ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1)),
    "D": ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3)),
    "E": ((3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3)),
}


def build_vgg(function: Callable) -> str | None:
    """The network of a column of Table 1, at full width; it must have as many parameters as each of five columns."""
    for letter, column in COLUMNS.items():
        with _two_bytes():
            model = filled(function, column)
            problem = model if isinstance(model, str) else _wrong_network(model, letter, column)
        del model
        gc.collect()
        if problem:
            return problem
    return None


def count_paths(function: Callable) -> str | None:
    """The paths from each pixel to one unit behind convolutions of `kernel_sizes`, an array `(side, side)`."""
    for kernel_sizes in ((5, 3), (3, 3, 3), (7,), (2, 1, 4)):
        line = np.ones(1)
        for size in kernel_sizes:
            line = np.convolve(line, np.ones(size))
        right = np.outer(line, line)
        answer = filled(function, kernel_sizes)
        if isinstance(answer, str):
            return answer
        answer = np.asarray(answer, float)
        if answer.shape == line.shape:
            return f"For {kernel_sizes} yours has the shape {answer.shape}: the square that is seen has two sides."
        if answer.shape != right.shape:
            return f"Layers of {kernel_sizes} see a square of {right.shape}; yours has the shape {answer.shape}."
        plausible = {
            "each pixel has one path: so it is for one layer alone": np.ones_like(right),
            "these are shares, which add up to 1; count the paths": right / right.sum(),
            "rows and columns multiply; yours add up": np.add.outer(line, line),
        }
        otherwise = f"{answer.sum():g} paths; there are {right.sum():g}, the product of all windows"
        if problem := compare(answer, right, plausible, otherwise):
            return f"For {kernel_sizes} {problem}."
    return None


def parameters(
    column: Sequence[Sequence[int]],
    *,
    filters: Sequence[int] = FILTERS,
    side: int = 7,
    units: Sequence[int] = (4096, 4096),
    bias: int = 1,
) -> int:
    """The parameters of a VGG network, by arithmetic; `side` is that of the maps that the dense layers get."""
    total = 0
    channels = 3
    for sizes, maps in zip(column, filters, strict=True):
        for size in sizes:
            total += (size * size * channels + bias) * maps
            channels = maps
    inputs = side * side * channels
    for outputs in (*units, 1000):
        total += (inputs + 1) * outputs
        inputs = outputs
    return total


def _wrong_network(model, letter: str, column: Sequence[Sequence[int]]) -> str | None:
    """What is wrong with the network of one column."""
    if not hasattr(model, "count_params"):
        return (
            f"For column {letter} your function returns {type(model).__name__}, not a network: keras.Model(inputs, x)."
        )
    if tuple(model.input_shape[1:]) != (224, 224, 3) or tuple(model.output_shape[1:]) != (1000,):
        shapes = f"{model.input_shape[1:]} to {model.output_shape[1:]}"
        advice = " Flatten the maps before the dense layers." if len(model.output_shape) == 4 else ""
        return f"Column {letter} maps (224, 224, 3) to (1000,); yours maps {shapes}.{advice}"
    found = model.count_params()
    right = parameters(column)
    if found == right:
        problem = wrong_layers(model, column)
        return f"The counts are right, but not the network of column {letter}. {problem}" if problem else None
    threes = tuple((3,) * len(sizes) for sizes in column)
    plausible = {
        "every convolution is 3×3 here, but this column has 1×1 ones too": parameters(threes),
        "one of the two dense layers of 4,096 units is missing": parameters(column, units=(4096,)),
        "no dense layer of 4,096 units is there; VGG has two": parameters(column, units=()),
        "each map is averaged to one number; VGG flattens all 7×7": parameters(column, side=1),
        "the last block doubles to 1,024 filters; it keeps 512": parameters(column, filters=(64, 128, 256, 512, 1024)),
        "every block has 64 filters; they double up to 512": parameters(column, filters=(64,) * 5),
        "the last pooling is missing: fc1 gets 14×14 maps": parameters(column, side=14),
        "the convolutions have no biases": parameters(column, bias=0),
    }
    reason = next((reply for reply, count in plausible.items() if count == found), "compare it with the table's layers")
    return f"Column {letter} has {right:,} parameters, yours {found:,}: {reason}."


def wrong_layers(model, column: Sequence[Sequence[int]]) -> str | None:
    """What is wrong with a network that has as many parameters as the column: what parameters do not show."""
    last = model.layers[-1]
    if type(last).__name__ == "Softmax" or getattr(getattr(last, "activation", None), "__name__", "") == "softmax":
        return "Its outputs are probabilities; the course's networks return logits, so leave the softmax out."
    steps = steps_of(model)
    if any(type(step).__name__.lower().startswith("average") for step in steps):
        return "It has average pooling; VGG takes the largest of four."
    if problem := _wrong_stack(steps, column):
        return problem
    *inner, (_, end) = _activations(steps)
    for name, found in inner:
        if "relu" not in found:
            instead = f", but {' and '.join(found)}" if found else ""
            return f"{name} has no ReLU{instead}; every layer but the last has one."
        if others := [each for each in found if each != "relu"]:
            return f"Behind {name} comes {' and '.join(others)}; VGG has a ReLU and no more."
    if end:
        return f"The last layer has an activation, {' and '.join(end)}; logits have none."
    return None


def _wrong_stack(steps: list, column: Sequence[Sequence[int]]) -> str | None:
    """What is wrong with the convolutions and poolings of a network for images of 224×224 pixels."""
    sizes = [size for block in column for size in block]
    lengths = [len(block) for block in column]
    # a dense layer may be written as a convolution, too: those are behind the blocks
    convolutions = [step for step in steps if hasattr(step, "kernel_size")][: len(sizes)]
    if (found := [layer.kernel_size[0] for layer in convolutions]) != sizes:
        words = ["-".join(map(str, each)) for each in (found, sizes)]
        return f"Its kernel sizes are {words[0]}, the column's {words[1]}."
    return wrong_steps(convolutions) or wrong_poolings(steps, lengths) or wrong_sides(convolutions, lengths, 224)


def _activations(steps: list) -> list[tuple[str, list[str]]]:
    """Each layer with weights, and the activations that follow before the next one: its own, or those of layers."""
    found = []
    for step in steps:
        activation = getattr(step, "activation", None)
        own = getattr(activation, "__name__", type(activation).__name__).lower()
        kind = type(step).__name__.lower()
        if hasattr(step, "kernel"):
            found.append((step.name, [] if own == "linear" else [own]))
        elif found and kind == "activation":
            found[-1][1].extend([] if own == "linear" else [own])
        elif found and not kind.startswith(NO_ACTIVATION):
            found[-1][1].append(kind)
    return found


@contextlib.contextmanager
def _two_bytes() -> Iterator[None]:
    """Inside, networks are built of numbers of two bytes: 138 million parameters take half the memory."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("bfloat16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)

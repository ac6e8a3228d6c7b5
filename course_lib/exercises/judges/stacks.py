"""Judges of stacks of convolutions in `vgg.toml`: a block of VGG, and two small filters in the place of a large one."""

from collections.abc import Callable, Sequence

import numpy as np

from course_lib.exercises.judges import compare, every_layer, has_layer
from course_lib.exercises.judges.deep_networks import EMPTY, filled

FLOAT32 = {"rtol": 1e-4, "atol": 1e-2}  # a network computes in float32, here with numbers of some hundreds
LARGE = 100  # maps are as large, so that an activation with an upper limit shows


def vgg_block(function: Callable) -> str | None:
    """A block from `(x, filters, kernel_sizes)`: convolutions with ReLU that keep the sides, then 2×2 max pooling."""
    sizes = (3, 1, 3)
    model = network_of(function, (12, 16, 5), 6, sizes)
    if isinstance(model, str):
        return model
    convolutions = _convolutions(model)
    if problem := _wrong_convolutions(convolutions, 5, 6, sizes) or wrong_steps(convolutions):
        return problem
    if has_layer(model, "Dropout"):
        return "There is dropout in your block; VGG has it between its dense layers alone."
    if tuple(model.output_shape[1:]) != (6, 8, 6):
        return (
            f"12×16 pixels must become 6×8; yours become {_sides(model)}. No convolution of VGG changes the sides "
            "(which padding does that?), and one pooling halves them."
        )
    x = LARGE * np.random.default_rng(0).normal(size=(2, 12, 16, 5)).astype("float32")
    maps = [_convolved(x, convolutions, relu) for relu in ((True, True, True), (False,) * 3, (False, False, True))]
    right, linear, last_alone = (_pooled(each, np.max) for each in maps)
    plausible = {
        "No convolution has a ReLU: without it the whole block is one linear filter.": linear,
        "Only the last convolution has a ReLU; in VGG each of them has one.": last_alone,
        "That is average pooling; VGG takes the largest of four.": _pooled(maps[0], np.mean),
    }
    otherwise = "The shapes are right, the numbers are not: each convolution of VGG is followed by a ReLU and no more."
    otherwise = wrong_poolings(steps_of(model), [len(sizes)]) or otherwise
    return compare(np.asarray(model(x)), right, plausible, otherwise, **FLOAT32)


def two_small(function: Callable) -> str | None:
    """Two 3×3 convolutions with ReLU from `(x, maps)`, in the place of one 5×5."""
    model = network_of(function, (9, 10, 4), 6)
    if isinstance(model, str):
        return model
    convolutions = _convolutions(model)
    sizes = tuple(layer.kernel_size[0] for layer in convolutions)
    side = 1 + sum(size - 1 for size in sizes)
    if 5 in sizes:
        return "There is still a 5×5 in it: replace it by two 3×3."
    if set(sizes) == {3} and side != 5:
        return f"{len(sizes)} convolution(s) of 3×3 see {side}×{side} pixels; the 5×5 saw 5×5."
    if problem := _wrong_convolutions(convolutions, 4, 6, (3, 3)) or wrong_steps(convolutions):
        return problem
    if tuple(model.output_shape[1:]) != (9, 10, 6):
        return f"The maps must keep their sides, 9×10 here; yours become {_sides(model)}. Which padding keeps them?"
    x = LARGE * np.random.default_rng(0).normal(size=(2, 9, 10, 4)).astype("float32")
    right, linear, first_alone, last_alone = (
        _convolved(x, convolutions, relu) for relu in ((True, True), (False, False), (True, False), (False, True))
    )
    plausible = {
        "No ReLU: then two 3×3 are one linear 5×5 with fewer choices.": linear,
        "The second convolution has no ReLU; the 5×5 had one.": first_alone,
        "There is no ReLU between the two, which is what the stack has beyond a 5×5.": last_alone,
    }
    otherwise = "The shapes are right, the numbers are not: a ReLU after each convolution, and no more."
    return compare(np.asarray(model(x)), right, plausible, otherwise, **FLOAT32)


def network_of(function: Callable, shape: tuple[int, ...], *arguments: object):
    """A network of the function's layers, or what to reply."""
    import keras

    inputs = keras.Input(shape)
    try:
        output = filled(function, inputs, *arguments)
    except ValueError as error:
        if "ellipsis" in str(error).lower():
            return EMPTY
        raise
    if isinstance(output, str):
        return output
    if not isinstance(output, keras.KerasTensor):
        return f"Your function returns {type(output).__name__}; it must return what the last layer puts out."
    try:
        return keras.Model(inputs, output)
    except ValueError as error:
        if "not connected" not in str(error):
            raise
        return "What your function returns is not made of its first argument, x."


def steps_of(model) -> list:
    """The layers and other operations of a network from input to output, those of networks inside it among them."""
    found = []
    for step in getattr(model, "operations", model.layers):
        found += steps_of(step) if hasattr(step, "layers") else [step]
    return found


def wrong_steps(convolutions: Sequence) -> str | None:
    """What is wrong with the strides and dilations of convolutions: VGG has none but 1."""
    for layer in convolutions:
        if (stride := max(layer.strides)) > 1:
            return f"{layer.name} has a stride of {stride}; every convolution of VGG has a stride of 1."
        if (dilation := max(layer.dilation_rate)) > 1 and max(layer.kernel_size) > 1:
            return f"{layer.name} has a dilation of {dilation}, so its filter skips pixels; VGG's filters skip none."
    return None


def wrong_poolings(steps: Sequence, block_lengths: Sequence[int]) -> str | None:
    """What is wrong with the max poolings among `steps`, one wanted behind each block of so many convolutions."""
    convolutions = 0
    poolings = []
    places = []
    for step in steps:
        if hasattr(step, "kernel_size"):
            convolutions += 1
        elif type(step).__name__.startswith("MaxPool"):
            poolings.append(step)
            places.append(convolutions)
    wanted = np.cumsum(block_lengths).tolist()
    if len(poolings) != len(wanted):
        return f"It has {len(poolings)} max pooling(s); wanted is one behind each block, {len(wanted)} in all."
    for pooling in poolings:
        size = _both(pooling.pool_size)
        stride = _both(size if pooling.strides is None else pooling.strides)
        if (size, stride) != ((2, 2), (2, 2)):
            return (
                f"It has a pooling of {size[0]}×{size[1]} with a stride of {max(stride)}; VGG's are 2×2 with a stride "
                "of 2, so that no two windows overlap and no pixel is left out."
            )
    if places == [0, *wanted[:-1]]:
        return "A pooling stands before the convolutions of its block; in VGG it follows the last of them."
    if places != wanted:
        behind = ", ".join(map(str, places))
        return f"The poolings follow convolution {behind}; they belong behind {', '.join(map(str, wanted))}."
    return None


def wrong_sides(convolutions: Sequence, block_lengths: Sequence[int], side: int) -> str | None:
    """Which convolution's maps have the wrong side: `side` in the first block, half as many pixels in each further."""
    sides = np.repeat([side >> number for number in range(len(block_lengths))], block_lengths).tolist()
    for layer, right in zip(convolutions, sides, strict=True):
        if (found := tuple(layer.output.shape[1:3])) != (right, right):
            return f"The maps of {layer.name} have {found[0]}×{found[1]} pixels; VGG's have {right}×{right} there."
    return None


def _both(size: int | Sequence[int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else tuple(size)


def _convolutions(model) -> list:
    """The convolutions from the input to the output."""
    import keras

    return [layer for layer in every_layer(model) if isinstance(layer, keras.layers.Conv2D)]


def _wrong_convolutions(convolutions: list, maps: int, filters: int, sizes: tuple[int, ...]) -> str | None:
    """What is wrong with the kernels of a stack on so many maps."""
    found = tuple(layer.kernel_size[0] for layer in convolutions)
    if found != sizes:
        words = ", ".join(f"{size}×{size}" for size in found) or "none"
        return f"Convolutions of {', '.join(f'{size}×{size}' for size in sizes)} are wanted; yours are {words}."
    if any(layer.filters != filters for layer in convolutions):
        return f"Each convolution needs {filters} filters; yours have {[layer.filters for layer in convolutions]}."
    if not all(layer.use_bias for layer in convolutions):
        return "A convolution of VGG has a bias per filter; yours have none."
    if [layer.kernel.shape[2] for layer in convolutions] != [maps] + [filters] * (len(sizes) - 1):
        return "Each convolution must get the maps of the one before it, and all of them: no branches, and no groups."
    return None


def convolved(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """`x` convolved by a square kernel with the padding that keeps the sides, as a sum over shifted maps."""
    margin = kernel.shape[0] // 2
    padded = np.pad(x, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    rows, columns = x.shape[1:3]
    return sum(padded[:, i : i + rows, j : j + columns] @ kernel[i, j] for i, j in np.ndindex(kernel.shape[:2]))


def _convolved(x: np.ndarray, convolutions: list, relu: tuple[bool, ...]) -> np.ndarray:
    """What the layers' kernels and biases make of `x`, with a ReLU behind those that `relu` says."""
    for layer, cut in zip(convolutions, relu, strict=True):
        kernel, bias = layer.get_weights()
        x = bias + convolved(x, kernel)
        x = np.maximum(x, 0) if cut else x
    return x


def _pooled(x: np.ndarray, summary: Callable) -> np.ndarray:
    """2×2 pooling by `np.max` or `np.mean`."""
    count, rows, columns, maps = x.shape
    return summary(x.reshape(count, rows // 2, 2, columns // 2, 2, maps), axis=(2, 4))


def _sides(model) -> str:
    return "×".join(map(str, model.output_shape[1:3]))

"""Judges of the answers that are functions in `alexnet.toml`."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.judges import compare, every_layer
from course_lib.exercises.judges.augmentation import augment  # noqa: F401 (a judge of alexnet.toml)

CONVOLUTIONS = ((96, 11, 4, 1), (256, 5, 1, 2), (384, 3, 1, 1), (384, 3, 1, 2), (256, 3, 1, 2))
FIELDS = ("filters", "pixels per side of a filter", "pixels per step", "groups")
UNITS = (4096, 4096, 1000)
FLOAT32 = {"rtol": 1e-4, "atol": 1e-5}  # an answer may be computed in float32
GAPS = "A gap is still open: put a number in place of each row of dots."


def assemble(build: Callable) -> str | None:
    """A function that builds AlexNet in two towers for 227×227×3 images, with 60,965,224 parameters."""
    from keras import layers

    if hasattr(build, "count_params"):  # a network can be called too
        return "That is a network; give the function that builds it, without calling it: assemble."
    try:
        model = build()
    except (TypeError, ValueError) as error:
        if "ellipsis" in str(error).lower():
            return GAPS
        raise
    if not hasattr(model, "count_params"):
        return f"Your function returns {type(model).__name__}, not a network: does it end with return?"
    if tuple(model.input_shape[1:]) != (227, 227, 3):
        return f"It must take images of 227×227×3; yours takes {model.input_shape[1:]}."
    found = every_layer(model)
    convolutions = [layer for layer in found if isinstance(layer, layers.Conv2D)]
    pools = [layer for layer in found if isinstance(layer, layers.MaxPooling2D)]
    units = tuple(layer.units for layer in found if isinstance(layer, layers.Dense))
    if len(convolutions) != 5 or len(pools) != 3 or len(units) != 3:
        return (
            f"AlexNet has 5 convolutions, 3 pooling and 3 dense layers; yours has {len(convolutions)}, {len(pools)} "
            f"and {len(units)}."
        )
    problem = _wrong_convolution(convolutions) or _wrong_pool(pools) or _wrong_units(units)
    if problem or model.count_params() == 60_965_224:
        return problem
    return (
        f"Every layer has its numbers, but there are {model.count_params():,} parameters: is there a bias everywhere?"
    )


def _wrong_convolution(found: list) -> str | None:
    for number, (layer, right) in enumerate(zip(found, CONVOLUTIONS, strict=True), start=1):
        numbers = (layer.filters, layer.kernel_size[0], layer.strides[0], layer.groups)
        if numbers[3] != right[3] and right[3] == 2:
            has = "sees both towers" if numbers[3] == 1 else f"has {numbers[3]} groups"
            return f"conv{number} {has}: with 2 groups each half sees its own tower."
        if numbers[3] != right[3]:
            return f"conv{number} is one of the layers that see everything: it has no groups."
        for field, mine, yours in zip(FIELDS, right, numbers, strict=True):
            if mine != yours:
                hint = "Compute it from 227 and 55." if number == 1 and "step" in field else "Look at the drawing."
                return f"conv{number} has {mine} {field}; yours has {yours}. {hint}"
        padding = "valid" if number == 1 else "same"
        if layer.padding != padding:
            return f"conv{number} has the padding {layer.padding!r}: only the first convolution makes its maps smaller."
    return None


def _wrong_pool(found: list) -> str | None:
    for layer in found:
        if tuple(layer.strides) != (2, 2):
            return f"Pooling windows stand 2 pixels apart; yours {layer.strides[0]}."
        if tuple(layer.pool_size) == (2, 2):
            return (
                "The sizes fit, but windows of 2×2 that stand 2 apart do not overlap. AlexNet's do: by one pixel on "
                "each side."
            )
        if tuple(layer.pool_size) != (3, 3):
            return f"A pooling window has 3×3 pixels; yours has {layer.pool_size[0]}×{layer.pool_size[1]}."
    return None


def _wrong_units(units: tuple[int, ...]) -> str | None:
    if units[-1] != UNITS[-1]:
        return f"The last layer has one unit per class of ImageNet, 1,000; yours has {units[-1]:,}."
    if units != UNITS:
        return f"The dense layers have 4,096, 4,096 and 1,000 units; yours have {', '.join(f'{n:,}' for n in units)}."
    return None


def response_normalization(function: Callable) -> str | None:
    """AlexNet's local response normalization of maps `(height, width, channels)`."""
    values = np.random.default_rng(0).normal(scale=60, size=(3, 4, 9)).clip(0)
    answer = function(values.copy())
    if answer is None or answer is ...:
        return "Your function returns nothing: is it still to be written? It must return the normalized maps."
    answer = np.asarray(answer, float)
    right = _normalized(values)
    if answer.shape != right.shape:
        return f"Maps of the shape {values.shape} went in, {answer.shape} came out: keep the shape."
    wrapped = sum(np.roll(values, shift, axis=2) ** 2 for shift in range(-2, 3))
    across = np.moveaxis(_normalized(np.moveaxis(values, 1, 2)), 1, 2)
    one_by_one = values.copy()
    for channel in range(values.shape[2]):
        one_by_one[..., channel] /= _divisor(one_by_one)[..., channel]
    plausible = {
        "Nothing has changed yet: divide.": values,
        "You multiply by the bracket: divide by it.": values * _divisor(values),
        "The squares are missing: add up a², not a.": _normalized(values, square=1),
        "Only the map itself is in the sum: its two neighbors on each side belong to it.": _normalized(values, reach=0),
        "The neighborhood is one map too narrow: two on each side.": _normalized(values, reach=1),
        "The neighborhood reaches five maps to each side; n = 5 counts all of them, two on each side.": _normalized(
            values, reach=5
        ),
        "The neighborhood ends one map too early: the end of a slice does not count, so it is c + 3.": _normalized(
            values, after=1
        ),
        "For the first two maps c − 2 is negative, and the slice is empty: begin at max(0, c − 2).": np.where(
            np.arange(values.shape[2]) < 2, values / 2**0.75, right
        ),
        "You square the sum: add up the squares.": _normalized(values, of_the_sum=True),
        "You divide in place, so later maps meet neighbors divided already: write into a new array.": one_by_one,
        "Your neighborhood is that of a pixel. AlexNet's is across the maps, at one pixel.": across,
        "At the ends the neighborhood wraps around: map 0 has no neighbor to the left.": values
        / (2 + 1e-4 * wrapped) ** 0.75,
        "You divide α by n, as some libraries do; the paper does not.": _normalized(values, alpha=1e-4 / 5),
        "The constant k = 2 is missing (or 1).": _normalized(values, k=1),
        "The exponent is missing: raise the bracket to 0.75.": _normalized(values, beta=1),
    }
    otherwise = "The shape is right, the numbers are not. Try one pixel with three maps on paper."
    return compare(answer, right, plausible, otherwise, **FLOAT32)


def _normalized(values: np.ndarray, **mistakes) -> np.ndarray:
    """The paper's formula."""
    return values / _divisor(values, **mistakes)


def _divisor(
    values: np.ndarray, *, k=2.0, reach=2, after=None, alpha=1e-4, beta=0.75, square=2, of_the_sum=False
) -> np.ndarray:
    """What each value is divided by, map by map; arguments other than the paper's are mistakes."""
    result = np.empty_like(values)
    for number in range(values.shape[-1]):
        near = values[..., max(0, number - reach) : number + (reach if after is None else after) + 1]
        added = near.sum(axis=-1) ** 2 if of_the_sum else (near**square).sum(axis=-1)
        result[..., number] = (k + alpha * added) ** beta
    return result


def dropout(function: Callable) -> str | None:
    """Dropout of `(values, rate, random)` as in training: dropped where `random < rate`, the mean kept."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=(6, 50))
    random = generator.random(size=(6, 50))
    problem = _wrong_dropout(function, values, 0.2, random)
    if problem or _wrong_dropout(function, values, 0.6, random) is None:
        return problem
    return "It is right for a rate of 0.2, not for one of 0.6: compute with rate, not with a number of your own."


def _wrong_dropout(function: Callable, values: np.ndarray, rate: float, random: np.ndarray) -> str | None:
    kept = values * (random >= rate)
    share = 1 - rate
    answer = function(values.copy(), rate, random.copy())
    if answer is None or answer is ...:
        return "Your function returns nothing: is it still to be written? It must return the values."
    answer = np.asarray(answer, float)
    if answer.shape != values.shape:
        return f"Values of the shape {values.shape} went in, {answer.shape} came out: dropped values are 0, not gone."
    plausible = {
        "What is kept must grow, or the next layer gets less than in testing: divide by 1 − rate.": kept,
        "That is the paper's testing, everything times 1 − rate; in training values become 0.": values * share,
        "You kept the share `rate` and dropped the rest.": values * (random < rate) / rate,
        "Divide by 1 − rate, the share that is kept, not by rate.": kept / rate,
        "What is kept must grow, not shrink: divide by 1 − rate in place of multiplying.": kept * share,
        "The right share, but other values: those BELOW rate are dropped.": values * (random < share) / share,
    }
    otherwise = f"{np.mean(answer == 0):.0%} are 0 and should be {np.mean(kept == 0):.0%}; or the others are not right."
    return compare(answer, kept / share, plausible, otherwise)

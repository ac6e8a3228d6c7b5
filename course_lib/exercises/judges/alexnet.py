"""Judges of the answers that are functions in `alexnet.toml`."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.judges import compare, every_layer

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


def augment(function: Callable) -> str | None:
    """A random change of `(images, draws)` that keeps the labels: each image its own, none in evaluation."""
    import tensorflow as tf

    from course_lib import datasets

    images = _scenes()
    split = datasets.Split((255 * images).round().astype(np.uint8), np.arange(len(images)))
    plain = split.prepared()
    if function(tf.constant(plain[:1]), _Draws(1)) is None:
        return "Your function returns nothing: is it still to be written? It must return the images."
    try:
        augmented = split.with_transform(function)
        still = augmented.prepared()
    except ValueError as error:
        if "NoneType" in str(error):
            return "In evaluation draws is None: return the images as they are then."
        return f"It does not fit into training: {error}"
    drawn = np.stack([_epoch(augmented, epoch) for epoch in range(6)])  # (epochs, n, height, width, channels)
    if drawn.shape[1:] != plain.shape:
        return f"Images of {plain.shape[1:]} went in, {drawn.shape[2:]} came out: keep the size."
    if not np.allclose(still, plain, atol=1e-6):
        return "It changes images in evaluation too. There draws is None: return the images as they are."
    return _wrong_change(plain, drawn)


class _Draws:
    """Stands in for the random numbers of a batch where a function is only tried."""

    def __init__(self, count: int):
        self.count = count

    def uniform(self, count: int):
        import tensorflow as tf

        return tf.fill((self.count, count), 0.5)


def _scenes() -> np.ndarray:
    """Smooth pictures `(12, 24, 24, 3)` that no flip leaves as they are; the last two are equal."""
    generator = np.random.default_rng(0)
    coarse = generator.uniform(0.1, 0.9, size=(12, 6, 6, 3))
    coarse[-1] = coarse[-2]
    return np.repeat(np.repeat(coarse, 4, axis=1), 4, axis=2)


def _epoch(split, epoch: int) -> np.ndarray:
    """An epoch's images in the order of the split, which their labels count."""
    (batch,) = split.batches(len(split), training=True, epoch=epoch)
    images, labels = (part.numpy() for part in batch)
    return images[np.argsort(labels)]


def _wrong_change(plain: np.ndarray, drawn: np.ndarray) -> str | None:
    """What is wrong with the images of several epochs `(epochs, n, …)`, or None."""
    changed = ~np.isclose(drawn, plain, atol=1e-6).all(axis=(2, 3, 4))  # (epochs, n)
    if not changed.any():
        return "Nothing changes in training: use draws.uniform(count), one row of random numbers per image."
    if not np.isfinite(drawn).all() or drawn.min() < -1e-3 or drawn.max() > 1 + 1e-3:
        return f"Pixels go from {drawn.min():.2f} to {drawn.max():.2f} afterwards: clip them to 0…1."
    if np.allclose(drawn[:, -1], drawn[:, -2], atol=1e-6):
        return "Two equal images of a batch are changed alike: give each image its own row of draws.uniform(count)."
    if np.allclose(drawn[0], drawn[1], atol=1e-6):
        return "Every epoch brings the same images: let the change depend on draws."
    flipped = np.isclose(drawn, plain[:, :, ::-1], atol=1e-6).all(axis=(2, 3, 4))
    if (flipped | ~changed).all():
        return "That is AlexNet's own flip. Write another change that keeps the label."
    if np.isclose(drawn, plain[:, ::-1], atol=1e-6).all(axis=(2, 3, 4)).any():
        return "Some images stand on their heads. No camera of ours does that: it is not among the pictures to come."
    return _lost(plain, drawn)


def _lost(plain: np.ndarray, drawn: np.ndarray) -> str | None:
    """Whether images became others, or too little of them is left."""
    flat = plain.reshape(len(plain), -1)
    for epoch in drawn:
        distance = ((epoch.reshape(len(plain), 1, -1) - flat) ** 2).mean(axis=2)  # (image now, image before)
        if (distance.argmin(axis=1)[:-2] != np.arange(len(plain) - 2)).mean() > 0.3:
            spread = epoch.std(axis=(1, 2, 3)).mean() / plain.std(axis=(1, 2, 3)).mean()
            if spread > 0.6 and distance.min(axis=1).mean() < 0.3 * distance.mean():
                return "Images change places or are mixed, and their labels do not: keep each image to itself."
            return "Little is left of many images. Make the change so weak that you still name the object."
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
    wrapped = np.stack([np.roll(values, shift, axis=2) for shift in range(-2, 3)]) ** 2
    across = np.moveaxis(_normalized(np.moveaxis(values, 1, 2)), 1, 2)
    plausible = {
        "Nothing has changed yet: divide.": values,
        "You multiply by the bracket: divide by it.": values * _divisor(values),
        "The squares are missing: add up a², not a.": _normalized(values, square=1),
        "Only the map itself is in the sum: its two neighbors on each side belong to it.": _normalized(values, reach=0),
        "The neighborhood is one map too narrow: two on each side.": _normalized(values, reach=1),
        "The neighborhood reaches five maps to each side; n = 5 counts all of them, two on each side.": _normalized(
            values, reach=5
        ),
        "Your neighborhood is that of a pixel. AlexNet's is across the maps, at one pixel.": across,
        "At the ends the neighborhood wraps around: map 0 has no neighbor to the left.": values
        / (2 + 1e-4 * wrapped.sum(axis=0)) ** 0.75,
        "You divide α by n, as some libraries do; the paper does not.": _normalized(values, alpha=1e-4 / 5),
        "The constant k = 2 is missing (or 1).": _normalized(values, k=1),
        "The exponent is missing: raise the bracket to 0.75.": _normalized(values, beta=1),
    }
    otherwise = "The shape is right, the numbers are not. Try one pixel with three maps on paper."
    return compare(answer, right, plausible, otherwise, **FLOAT32)


def _normalized(values: np.ndarray, **mistakes) -> np.ndarray:
    """The paper's formula."""
    return values / _divisor(values, **mistakes)


def _divisor(values: np.ndarray, *, k=2.0, reach=2, alpha=1e-4, beta=0.75, square=2) -> np.ndarray:
    """What each value is divided by, map by map; arguments other than the paper's are mistakes."""
    result = np.empty_like(values)
    for number in range(values.shape[-1]):
        near = values[..., max(0, number - reach) : number + reach + 1]
        result[..., number] = (k + alpha * (near**square).sum(axis=-1)) ** beta
    return result


def dropout(function: Callable) -> str | None:
    """Dropout of `(values, rate, random)` as in training: dropped where `random < rate`, the mean kept."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=(6, 50))
    rate = 0.2
    random = generator.random(size=(6, 50))
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

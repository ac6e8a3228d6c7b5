"""Judges of the answers that are functions in `alexnet.toml`."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.judges import compare, every_layer

CONVOLUTIONS = ((96, 11, 4, 1), (256, 5, 1, 2), (384, 3, 1, 1), (384, 3, 1, 2), (256, 3, 1, 2))
FIELDS = ("filters", "pixels per side of a filter", "pixels per step", "groups")
UNITS = (4096, 4096, 1000)
FLOAT32 = {"rtol": 1e-4, "atol": 1e-5}  # an answer may be computed in float32
SCENES, EPOCHS = 12, 6  # with which an augmentation is tried
LEVEL = 1 / 255  # of light; nobody sees less
FAINT = 0.15  # of the contrast of an image
ALIKE = 0.2  # correlation of an image with what has become of it
TURNED = 0.4  # how much larger the correlation is when the image is turned
SHOWN = 0.2  # of an image, the middle counting most
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
        still = split.with_transform(function).prepared()
        drawn = np.stack([_changed(function, plain, epoch) for epoch in range(EPOCHS)])  # (epochs, n, height, width, 3)
    except ValueError as error:
        if "NoneType" in str(error):
            return "In evaluation draws is None: return the images as they are then."
        return f"It does not fit into training: {error}"
    except tf.errors.InvalidArgumentError:
        return (
            f"It fits one image, not a batch of {SCENES}: images have four axes, (batch, height, width, channels). "
            "One number per image is draws.uniform(1)[:, :, None, None]; one per image and color is "
            "draws.uniform(3)[:, None, None]."
        )
    if drawn.shape[1:] != plain.shape:
        return f"Images of {plain.shape[1:]} went in, {drawn.shape[2:]} came out: keep the size."
    if not np.allclose(still, plain, atol=1e-6):
        return "It changes images in evaluation too. There draws is None: return the images as they are."
    return (
        _wrong_change(plain, drawn)
        or _mixed(function, plain, drawn)
        or _lost(function, plain, drawn)
        or _hidden(function, plain)
    )


class _Draws:
    """Stands in for the random numbers of a batch where a function is only tried."""

    def __init__(self, count: int):
        self.count = count

    def uniform(self, count: int):
        import tensorflow as tf

        return tf.fill((self.count, count), 0.5)


def _scenes() -> np.ndarray:
    """Smooth pictures `(12, 32, 32, 3)`, mostly light and dark, none like its mirror image; the last two are equal."""
    generator = np.random.default_rng(0)
    coarse = 0.7 * generator.uniform(size=(SCENES, 6, 6, 1)) + 0.3 * generator.uniform(size=(SCENES, 6, 6, 3))
    coarse[-1] = coarse[-2]
    places = np.linspace(0, 5, 32)
    weights = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(6)))  # linear from one to the next
    return 0.1 + 0.8 * np.einsum("yi,xj,nijc->nyxc", weights, weights, coarse)


def _other(images: np.ndarray) -> np.ndarray:
    """Images from 0 to 1 that differ from these by 0.3 in each pixel."""
    return np.where(images < 0.5, images + 0.3, images - 0.3).astype(np.float32)


def _changed(function: Callable, images: np.ndarray, epoch: int) -> np.ndarray:
    """The images in training; each dozen of a batch gets the same random numbers."""
    import tensorflow as tf

    from course_lib.draws import Draws

    numbers = tf.range(len(images), dtype=tf.int64) % SCENES
    return np.asarray(function(tf.constant(images), Draws(0, epoch, numbers)))


def _wrong_change(plain: np.ndarray, drawn: np.ndarray) -> str | None:
    """What is wrong with how the images of several epochs `(epochs, n, …)` were changed, or None."""
    if not np.isfinite(drawn).all():
        return "Some pixels are no numbers afterwards: do you divide by 0?"
    change = np.abs(drawn - plain).max(axis=(2, 3, 4))  # (epochs, n)
    if change.max() <= 1e-6:
        return "Nothing changes in training: use draws.uniform(count), one row of random numbers per image."
    if change.max() <= LEVEL:
        return "No pixel changes by more than 1 of 255 levels, which nobody sees: change the images more."
    if drawn.min() < -1e-3 or drawn.max() > 1 + 1e-3:
        return f"Pixels go from {drawn.min():.2f} to {drawn.max():.2f} afterwards: clip them to 0…1."
    if change[:, -1].max() > LEVEL and np.allclose(drawn[:, -1], drawn[:, -2], atol=1e-6):
        return "Two equal images of a batch are changed alike: give each image its own row of draws.uniform(count)."
    if np.allclose(drawn, drawn[0], atol=1e-6):
        return "Every epoch brings the same images: let the change depend on draws."
    flipped = np.abs(drawn - plain[:, :, ::-1]).max(axis=(2, 3, 4)) <= LEVEL
    if (flipped | (change <= LEVEL)).all():
        return "That is AlexNet's own flip. Write another change that keeps the label."
    return None


def _mixed(function: Callable, plain: np.ndarray, drawn: np.ndarray) -> str | None:
    """Whether what becomes of an image changes when others of its batch are exchanged."""
    generator = np.random.default_rng(1)
    for epoch, before in enumerate(drawn):
        exchanged = generator.random(len(plain)) < 0.5
        after = _changed(function, np.where(exchanged[:, None, None, None], _other(plain), plain), epoch)
        if np.abs(after - before)[~exchanged].max() > LEVEL:
            return (
                "Images change places, are mixed or share a number: what becomes of one depends on the others of its "
                "batch, and its label does not. Keep each image to itself."
            )
    return None


def _lost(function: Callable, plain: np.ndarray, drawn: np.ndarray) -> str | None:
    """Whether an image is turned by a right angle or more, or too little of it is to be seen."""
    for epoch, images in enumerate(drawn):
        difference = _changed(function, _other(plain), epoch) - images  # 0.3 where nothing was changed
        contrast = np.sqrt((difference**2).mean(axis=(1, 2, 3))) / 0.3
        shows = np.abs(difference).max(axis=-1, keepdims=True) > LEVEL  # the pixels that depend on the image
        alike = np.array([_alike(*each) for each in zip(plain, images, shows, strict=True)])
        if (alike[:, 2:].max(axis=1) > alike[:, :2].max(axis=1) + TURNED).any():
            return (
                "Some images lie on their sides or stand on their heads. No camera of ours does that: it is not among "
                "the pictures to come."
            )
        if contrast.min() < FAINT or alike.max(axis=1).min() < ALIKE:
            return "Little is left of some images. Make the change so weak that you still name every object."
    return None


def _alike(before: np.ndarray, after: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The correlations of an image with its former self, shifted as fits best, in the pixels `where` it shows.

    First as it was and mirrored, then the six ways in which it lies on a side or stands on its head. In gray and at
    half the size: that is enough to know it, and fast.
    """
    before, after, where = (_gray_half(each.astype(np.float64)) for each in (before, after, where))
    halves = [before, before[:, ::-1]]
    ways = [*halves, *(np.rot90(half, turns) for turns in (2, 1, 3) for half in halves)]
    moves = range(-4, 5, 2)
    shifted = [np.roll(way, (down, right), axis=(0, 1)) for way in ways for down in moves for right in moves]
    found = np.abs(_standardized(np.stack(shifted), where > 0.5) @ _standardized(after[None], where > 0.5)[0])
    return found.reshape(len(ways), -1).max(axis=1)


def _gray_half(image: np.ndarray) -> np.ndarray:
    gray = image.mean(axis=-1)
    return gray.reshape(len(gray) // 2, 2, -1, 2).mean(axis=(1, 3))


def _standardized(images: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The pixels `where` of each image as a row of mean 0 and length 1: light and contrast are gone."""
    rows = images[:, where]
    rows = rows - rows.mean(axis=1, keepdims=True) if where.any() else np.zeros((len(images), 1))
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def _hidden(function: Callable, plain: np.ndarray) -> str | None:
    """Whether of an image too little still shows, the middle counting most.

    Each square of 4×4 pixels is changed by itself, with the same random numbers: if it is hidden, nothing else changes.
    """
    count, side = plain.shape[:2]
    squares = np.arange(side) // 4
    number = squares[:, None] * (side // 4) + squares  # of the square in which a pixel lies
    tried = (number == np.arange(-1, number.max() + 1)[:, None, None])[:, None, ..., None]  # first none, then each
    images = np.where(tried, _other(plain), plain).reshape(-1, *plain.shape[1:])
    middle = np.sin(np.pi * (np.arange(side // 4) + 0.5) / (side // 4)) ** 2
    middle = np.outer(middle, middle).ravel() / middle.sum() ** 2
    for epoch in range(EPOCHS - 2):
        after = _changed(function, images, epoch).reshape(len(tried), count, -1)
        change = np.linalg.norm(after[1:] - after[0], axis=2)  # (squares, n)
        if (middle @ (change > change.max(axis=0) / 4)).min() < SHOWN:
            return (
                "In some images nearly all of the middle, where the object stands, is hidden or cut off. Leave so much "
                "that you still name it."
            )
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
        "You divide in place, so the next maps meet neighbors that are divided already: write into a new array.": (
            one_by_one
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

"""The judge of the augmentation in `alexnet.toml`: each image its own change, its label kept."""

from collections.abc import Callable

import numpy as np

SCENES = 12  # with which an augmentation is tried
EPOCHS = 6
LEVEL = 1 / 255  # of light; nobody sees less
FAINT = 0.15  # of the contrast of an image
ALIKE = 0.2  # correlation of an image with what has become of it
TURNED = 0.4  # how much larger the correlation is when the image is turned
SHOWN = 0.2  # of an image, the middle counting most


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

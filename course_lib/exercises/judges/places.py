"""Where the squares of an image have gone when an augmentation has changed it: hidden, scattered, torn or blurred.

A response is how much each pixel of the changed image moves when one square of 4×4 pixels moves before the change.
Responses are `(squares, n, height, width, 3)`, squares row by row.
"""

import numpy as np

SIDE = 8  # squares in a row
CELL = 2  # pixels per side, in which responses are added up: enough, and fast
FELT = 1 / 4  # of the largest response, of a square or of a pixel
SHOWN = 0.2  # of an image, the middle counting most
WIDE = 5.0  # pixels from the middle of a response (root mean square); a square of 4×4 enlarged three times has 4.9
SCATTERED = 0.3  # of the squares that show
TORN = 0.18  # of the pairs that show; four tiles of a quarter each in another order: 0.2 to 0.26
BESIDE = 0.3  # of the squares that show, how many neighbors show as well
APART = 0.29  # of the squares that show, how many can be told apart: 0.25 in blocks of 8×8 pixels

HIDDEN = (
    "In some images nearly all of the middle, where the object stands, is hidden or cut off. Leave so much that you "
    "still name it."
)
PIECES = "Some images are in pieces: parts that lay side by side no longer do. Then the object has lost its shape."
COARSE = "Some images are so coarse that squares of 4×4 pixels run into one: the object has lost its shape."


def lost(responses: np.ndarray) -> str | None:
    """What has become of the places in the worst of `n` images, or None where they have kept their order."""
    squares, count, height, width = responses.shape[:-1]
    cells = np.abs(responses).sum(axis=-1).reshape(squares, count, height // CELL, CELL, width // CELL, CELL)
    strength = cells.sum(axis=(3, 5))
    size = np.sqrt((strength**2).sum(axis=(2, 3)))  # (squares, n)
    shows = size > FELT * size.max(axis=0)
    middle = _middle()
    if (middle.ravel() @ shows).min() < SHOWN:
        return HIDDEN
    felt = shows[:, :, None, None] & (strength > FELT * strength.max(axis=(2, 3), keepdims=True))
    if (_share(middle.ravel(), shows & (_width(felt) > WIDE), shows) > SCATTERED).any():
        return COARSE if (_apart(strength * felt, shows) < APART).any() else PIECES
    torn, beside = _pairs(felt, shows, middle)
    if (torn > TORN).any():
        return PIECES
    return COARSE if (beside < BESIDE).any() or (_apart(strength * felt, shows) < APART).any() else None


def _middle() -> np.ndarray:
    """How much each square counts `(SIDE, SIDE)`, 1 in all."""
    across = np.sin(np.pi * (np.arange(SIDE) + 0.5) / SIDE) ** 2
    return np.outer(across, across) / across.sum() ** 2


def _share(weights: np.ndarray, some: np.ndarray, of: np.ndarray) -> np.ndarray:
    """The weighted share of `some` in `of`, both `(…, n)`, for each image; 0 where there are none."""
    return (weights @ some) / np.maximum(weights @ of, 1e-9)


def _width(felt: np.ndarray) -> np.ndarray:
    """How far a response reaches from its middle, as a root mean square in pixels `(squares, n)`."""
    cells = np.maximum(felt.sum(axis=(2, 3)), 1)
    square = 0.0
    for axis in (2, 3):  # first the other direction is added up
        along = felt.sum(axis=5 - axis)
        places = np.arange(along.shape[-1])
        square = square + along @ places**2 / cells - (along @ places / cells) ** 2
    return CELL * np.sqrt(square)


def _pairs(felt: np.ndarray, shows: np.ndarray, middle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of two squares side by side: how often they no longer touch, and how often, if one shows, both do `(n,)`."""
    number = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    one = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    other = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    weights = np.sqrt(middle.ravel()[one] * middle.ravel()[other])
    touch = (_grown(felt)[one] & felt[other]).any(axis=(2, 3))
    both = shows[one] & shows[other]
    return _share(weights, both & ~touch, both), _share(weights, both, shows[one] | shows[other])


def _grown(felt: np.ndarray, by: int = 2) -> np.ndarray:
    """The cells of each response, and those up to `by` cells beside it."""
    height, width = felt.shape[2:]
    framed = np.pad(felt, [(0, 0), (0, 0), (by, by), (by, by)])
    rows = np.logical_or.reduce([framed[:, :, down : down + height] for down in range(2 * by + 1)])
    return np.logical_or.reduce([rows[..., right : right + width] for right in range(2 * by + 1)])


def _apart(strength: np.ndarray, shows: np.ndarray) -> np.ndarray:
    """The number of different responses by the number of squares that show `(n,)`.

    With squared cosines added up over all pairs, k groups of equal responses at right angles count as k.
    """
    rows = np.moveaxis(strength, 1, 0).reshape(len(strength[0]), len(strength), -1)
    rows = rows / np.maximum(np.linalg.norm(rows, axis=2, keepdims=True), 1e-9)
    alike = rows @ rows.transpose(0, 2, 1)
    return shows.sum(axis=0) / np.maximum((alike**2).sum(axis=(1, 2)), 1e-9)

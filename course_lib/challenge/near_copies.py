"""Near copies among an instructor's own pictures: what they look like is compared, whatever was done to the files.

Found are pictures saved again, scaled, brighter or darker, with another contrast, made gray, mirrored or turned by
quarters; and, mostly, pictures that lie up to 3% of their width aside or lack up to 5% on each side, as in a burst. Of
60 crops of photos, each with a changed one beside it, these were found:

| change | found |
|---|---|
| as JPEG of quality 30 or 10, half as large, gray, mirrored, turned by 90, 180 or 270 degrees | 60 |
| brightness ± 10%, brightness - 30%, contrast + 15%, contrast + 40% | 60 |
| brightness + 30%, where much becomes white | 59 |
| 1, 2 or 3% aside (4%, 5%) | 59 (45, 30) |
| 1, 2, 3, 5% less on each side | 60, 59, 58, 51 |
| turned by 1 degree (3) | 60 (48) |
| a white bar over a fifth of it | 29 |

Not found are squeezed pictures and other views of one object. Of 4,000 different pictures these were called copies:
of CIFAR-10 6 (it holds some), of toy scenes none, of handwritten digits 5. 1,000 pictures take half a second of the
processor, 4,000 two.
"""

import numpy as np

SIDE = 64  # pixels of a picture
INNER = 56  # of them compared, so that a picture that lies a little aside is seen as well
COARSE = 14  # the inner part becomes so many boxes in a row
PLAIN = 1.0  # gray levels between neighboring boxes: below, only the mean color tells pictures apart
SAME_COLOR = 6.0  # gray levels, root mean square
RICH = 25.0  # steps between boxes that make up a pattern; a horizon and little else has fewer
CANDIDATE = 0.6  # correlation of two patterns from which on a pair is looked at closely
COPY = 0.9  # correlation of two patterns, once they lie on one another
EQUAL = 0.985  # the same for patterns that are not rich, or that many others resemble: digits, for example
MANY = 10  # others that resemble a picture, and are no copies
SHIFTS = (-2.6, -1.3, 0.0, 1.3, 2.6)  # pixels: between two of them a pattern changes little
ZOOMS = (1.0, 0.96, 0.92)  # what is left of a side
AT_ONCE = 512  # pictures compared with all others in one product


def near_copies(images: np.ndarray) -> np.ndarray:
    """The group of each picture `(n, 64, 64, 3)` uint8, `(n,)` int64: near copies of one another are in one group.

    Two are near copies where the steps in brightness from box to box agree, turned and moved as above. Of pictures that
    resemble many others, such as digits, only those are that agree almost wholly and need not be moved.
    """
    gray = images @ np.float32([0.299, 0.587, 0.114])
    patterns, steps = _patterns(_seen(gray))
    plain = steps < PLAIN
    patterns[plain] = 0
    groups = np.arange(len(images))
    for first, second in _alike_in_color(images, np.flatnonzero(plain)):
        _join(groups, first, second)
    pairs, alike, turns = _candidates(patterns, gray)
    special = (patterns**4).sum(1) < 1 / RICH
    special &= np.bincount(pairs[alike < COPY].ravel(), minlength=len(images)) <= 2 * MANY  # each pair is there twice
    enough = np.where(special[pairs].all(1), COPY, EQUAL)
    for pair in pairs[alike >= enough]:
        _join(groups, *pair)
    for turn in range(8):
        close = (turns == turn) & (enough == COPY) & (groups[pairs[:, 0]] != groups[pairs[:, 1]])
        for pair in _moved_copies(patterns, _turned(gray, turn), pairs[close]):
            _join(groups, *pair)
    return groups


def _candidates(patterns: np.ndarray, gray: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of pictures that may be copies `(m, 2)`, how much alike they are, and how the second one is turned."""
    found = []
    for turn in range(8):
        others, _ = _patterns(_seen(_turned(gray, turn)))
        for start in range(0, len(gray), AT_ONCE):
            alike = patterns[start : start + AT_ONCE] @ others.T
            first, second = np.nonzero(alike >= CANDIDATE)
            different = first + start != second
            pairs = np.stack([first + start, second], axis=1)[different]
            found.append((pairs, alike[first, second][different], np.full(len(pairs), turn)))
    return tuple(map(np.concatenate, zip(*found, strict=True)))


def _moved_copies(patterns: np.ndarray, gray: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Those of the pairs that are alike once the second picture is moved or cut a little."""
    best = np.zeros(len(pairs), np.float32)
    for start in range(0, len(pairs), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        first = patterns[pairs[part, 0]]
        second = gray[pairs[part, 1]]
        for zoom in ZOOMS:
            for down in SHIFTS:
                rows = _boxes(down, zoom) @ second
                for right in SHIFTS:
                    moved, _ = _patterns(rows @ _boxes(right, zoom).T)
                    best[part] = np.maximum(best[part], (first * moved).sum(1))
    return pairs[best >= COPY]


def _join(groups: np.ndarray, first: int, second: int) -> None:
    if groups[first] != groups[second]:
        groups[groups == groups[second]] = groups[first]


def _boxes(shift: float = 0.0, zoom: float = 1.0) -> np.ndarray:
    """What a row of pixels gives to each box, `(14, 64)`: the boxes lie side by side around the middle."""
    edges = (SIDE + INNER * zoom * np.linspace(-1, 1, COARSE + 1)) / 2 + shift
    pixels = np.arange(SIDE)
    shares = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return np.float32(shares.clip(0) / np.diff(edges)[:, None])


def _seen(gray: np.ndarray) -> np.ndarray:
    """The mean gray level in each box, `(n, 14, 14)`."""
    return _boxes() @ gray @ _boxes().T


def _patterns(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The steps between neighboring boxes, of length 1 `(n, 364)`: whatever the brightness and contrast; their size."""
    steps = np.concatenate([np.diff(boxes, axis=axis).reshape(len(boxes), -1) for axis in (1, 2)], axis=1)
    sizes = np.sqrt((steps**2).mean(1))
    return steps / np.linalg.norm(steps, axis=1, keepdims=True).clip(1e-6), sizes


def _turned(gray: np.ndarray, turn: int) -> np.ndarray:
    """The pictures turned by quarters, from the fourth turn on mirrored as well."""
    return np.rot90(gray[:, :, ::-1] if turn > 3 else gray, turn % 4, axes=(1, 2))


def _alike_in_color(images: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Which pairs of the chosen pictures have one mean color."""
    means = images[chosen].mean((1, 2))
    distances = np.sqrt(((means[:, None] - means) ** 2).mean(2))
    return chosen[np.argwhere(distances <= SAME_COLOR)]

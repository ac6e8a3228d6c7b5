"""Near copies: one picture twice, also resized, re-compressed, brightened, or made gray."""

import sys

import numpy as np
import tqdm
from PIL import Image

ALIKE = 0.99  # correlation; of 4,000 toy scenes no two reach it, of 5,000 digits five pairs do
COLORS = 4.0  # how far colors may lie apart, root mean square; a JPEG of quality 30 changes them by 2
MEAN_COLOR = 1.0  # how far the mean colors may lie apart; a JPEG of quality 30 changes them by 0.9
PLAIN = 2.0  # pictures with less contrast are of one brightness, with smaller colors gray
BLOCK = 256  # pictures that are compared with all others at once, for memory's sake


def near_copies(images: np.ndarray) -> np.ndarray:
    """A number for each image of `(n, height, width, 3)` uint8, the same for near copies, and for copies of copies.

    Two are near copies where their 16×16 gray miniatures correlate by `ALIKE` or more, whatever their brightness and
    contrast, and where the colors of their 8×8 miniatures agree. A gray picture is a copy of a colored one, unless
    it is like pictures of several colors. Where there is nothing but one color, that color is compared.

    Difference hashes are no help: re-compressing can flip more of their bits than differ between two scenes.
    """
    looks = _Looks(images)
    groups = np.arange(len(images))
    starts = range(0, len(images), BLOCK)
    for start in tqdm.tqdm(starts, desc="comparing", delay=2, leave=False, file=sys.stdout):
        some = np.arange(start, min(start + BLOCK, len(images)))
        same_pattern = looks.same_pattern(some)
        others = np.flatnonzero(same_pattern.any(axis=0))  # few as a rule: for time's sake
        for alike in same_pattern[:, others] & looks.same_color(some, others):
            _join(groups, others[alike])
    _join_gray(groups, looks)
    return groups


def _join(groups: np.ndarray, alike: np.ndarray) -> None:
    """Makes one group of those that the pictures `alike` are in."""
    joined = np.unique(groups[alike])
    if len(joined) > 1:
        groups[np.isin(groups, joined)] = joined[0]


def _join_gray(groups: np.ndarray, looks: "_Looks") -> None:
    """Joins each gray picture with the colored ones of its pattern, if these are copies of one another."""
    gray = np.flatnonzero(looks.gray)
    colored = np.flatnonzero(~looks.gray)
    for start in range(0, len(gray), BLOCK):
        some = gray[start : start + BLOCK]
        for row, alike in zip(some, looks.same_pattern(some)[:, colored], strict=True):
            originals = colored[alike]
            if len(np.unique(groups[originals])) == 1:
                _join(groups, np.append(originals, row))


class _Looks:
    """What the pictures look like: their patterns of light and dark, and their colors relative to the contrast."""

    def __init__(self, images: np.ndarray):
        small = [Image.fromarray(each).convert("YCbCr").resize((16, 16), Image.Resampling.BOX) for each in images]
        pixels = np.array([np.asarray(each) for each in small], np.float32).reshape(-1, 16, 16, 3)
        light = pixels[..., 0].reshape(-1, 256)
        color = pixels[..., 1:].reshape(-1, 8, 2, 8, 2, 2).mean(axis=(2, 4)).reshape(-1, 64, 2) - 128
        plain = light.std(axis=1) < PLAIN
        self.gray = (np.square(color).mean(axis=(1, 2)) < PLAIN**2) & ~plain
        self.contrast = np.where(plain, 1, light.std(axis=1))
        brightness = np.where(plain, light.mean(axis=1), 0)  # where it is all there is
        self.mean_color = np.column_stack([color.mean(axis=1), brightness]) / self.contrast[:, None]
        self.color = color.reshape(-1, 128) / self.contrast[:, None] / np.sqrt(128, dtype=np.float32)
        self.pattern = light - light.mean(axis=1, keepdims=True)
        self.pattern[plain] = np.eye(1, 256)
        self.pattern /= np.linalg.norm(self.pattern, axis=1, keepdims=True)

    def same_pattern(self, some: np.ndarray) -> np.ndarray:
        """Which of all `(n)` share the pattern of each of some: booleans `(some, n)`."""
        return self.pattern[some] @ self.pattern.T >= ALIKE

    def same_color(self, some: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Which of the others share the colors of each of some, once their contrasts are equal: `(some, others)`."""
        scale = self.contrast[some, None] * self.contrast[others]
        near = _squared_distances(self.color[some], self.color[others]) * scale <= COLORS**2
        return near & (_squared_distances(self.mean_color[some], self.mean_color[others]) * scale <= MEAN_COLOR**2)


def _squared_distances(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.square(some).sum(axis=1)[:, None] + np.square(others).sum(axis=1) - 2 * some @ others.T

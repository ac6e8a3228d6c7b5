"""What a network gets wrong, after Figure 8 of LeCun et al. (1998): every error, answer→prediction."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from course_lib import common
from course_lib.model_checks import described
from course_lib.visualization.data_checks import array_of, class_numbers, finite_array, name_list, probabilities_of
from course_lib.visualization.images import MOST, captions_of, class_name, draw_tiles, fitting_columns, unit_range
from course_lib.visualization.style import MUTED, WRONG, style


@dataclasses.dataclass(frozen=True)
class Mistakes:
    """The misclassified examples, the most confident mistake first; arrays of one length."""

    indices: np.ndarray  # where they stand in the data set, int64
    labels: np.ndarray  # the answers, int64
    predictions: np.ndarray  # what the network said, int64
    confidence: np.ndarray  # the probability of what it said, in [0, 1]
    examples: int | None = None  # in the data set; None is unknown

    def __len__(self) -> int:
        return len(self.indices)


def find_mistakes(logits: np.ndarray, labels: Sequence[int]) -> Mistakes:
    """The examples whose largest logit is not their label's; `logits` are `(n, classes)`, labels `(n,)`.

    Rows that are probabilities, none below 0 and with a sum of 1, are taken as they are.

    Raises:
        ValueError: shapes that do not fit each other, one output per image, NaN, or labels that are no class.
    """
    logits = array_of("logits", logits)
    confidence = probabilities_of("logits", logits).max(axis=1)
    predictions = logits.argmax(axis=1)
    labels = class_numbers("labels", labels, count=len(predictions), classes=logits.shape[1])
    wrong = np.flatnonzero(predictions != labels)
    order = wrong[np.argsort(-confidence[wrong], kind="stable")]
    return Mistakes(order, labels[order], predictions[order], confidence[order], len(labels))


def nearest_training_images(images: np.ndarray, train_images: np.ndarray, k: int = 3) -> np.ndarray:
    """Which `k` training images lie nearest to each image: indices `(n, k)`, the nearest first.

    Nearest in the Euclidean distance of the pixels, `|a − b|² = |a|² − 2a·b + |b|²`, a block of training
    images at a time, so that 60,000 of them take some 30 MB beside themselves.

    Raises:
        ValueError: images of different shapes or ranges, NaN, or `k` larger than the number of training images.
    """
    images, train_images = finite_array("images", images), finite_array("train_images", train_images)
    if images.ndim < 2 or images.shape[1:] != train_images.shape[1:]:
        raise ValueError(
            f"images and training images must have one shape, not {images.shape[1:]} and {train_images.shape[1:]}"
        )
    _check_one_scale(images, train_images)
    common.at_least(1, k=k)
    if k > len(train_images):
        raise ValueError(f"k must be at most {len(train_images)}, the number of training images, not {k}")
    nearest = np.empty((len(images), k), dtype=np.int64)
    for start in range(0, len(images), 32):
        block = images[start : start + 32].reshape(len(images[start : start + 32]), -1).astype(np.float64)
        distances = np.empty((len(block), len(train_images)))
        for first in range(0, len(train_images), 2048):
            others = train_images[first : first + 2048].reshape(-1, block.shape[1]).astype(np.float64)
            distances[:, first : first + 2048] = (others**2).sum(axis=1) - 2 * block @ others.T  # |a|² is the same
        nearest[start : start + 32] = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return nearest


def _check_one_scale(images: np.ndarray, train_images: np.ndarray) -> None:
    """Distances mean something only where both hold pixels from 0 to 255, or both hold scaled ones."""
    whole = [each.dtype.kind in "iu" for each in (images, train_images)]
    low, high = sorted(float(each.max(initial=0)) for each in (images, train_images))
    apart = not any(whole) and 0 < low <= 1 and high > 5
    if whole[0] != whole[1] or apart:
        raise ValueError(
            f"images and training images must have one range, such as whole numbers from 0 to 255: these are "
            f"{images.dtype} up to {images.max():g} and {train_images.dtype} up to {train_images.max():g}"
        )


@style()
def mistakes(
    images: np.ndarray,
    found: Mistakes,
    *,
    class_names: Sequence[str] | None = None,
    limit: int = 100,
    columns: int | None = None,
    train: tuple[np.ndarray, Sequence[int]] | None = None,
    neighbors: int = 3,
    ax=None,
):
    """Every mistake (at most `limit`) with answer→prediction above it, the most confident first.

    `images` are the whole data set that `found.indices` points into. With `train`, a pair (images, labels),
    each mistake is followed by its nearest training images and their labels; a split is such a pair, too.

    Raises:
        ValueError: nothing to draw, more than 1,000 mistakes, indices that are not in `images`, no result of
            `find_mistakes`, or training images that are no such pair.
    """
    common.at_least(1, limit=limit, neighbors=neighbors)
    if not isinstance(found, Mistakes):
        raise ValueError(f"found must be what find_mistakes(logits, labels) returns, not {described(found)}")
    images, class_names = array_of("images", images), name_list(class_names)
    shown = found.indices[:limit]
    group = 1 if train is None else neighbors + 1
    if len(shown) > MOST:
        raise ValueError(f"{len(shown):,} mistakes are too many to see: give a limit of {MOST:,} or less")
    if not len(shown):
        raise ValueError("there are no mistakes to draw: every prediction is right")
    if shown.max() >= len(images):
        raise ValueError(f"the mistakes point at image {shown.max()}, but there are only {len(images)} images")
    if found.examples not in (None, len(images)):
        raise ValueError(
            f"the mistakes are of {found.examples:,} images, but these are {len(images):,}: "
            "give the images that the logits and labels belong to"
        )
    tiles, captions = images[shown], _captions(found, limit, class_names)
    colors = [WRONG] * len(shown)
    if train is not None:
        train_images, train_labels = _pair(train, class_names)
        near = nearest_training_images(tiles, train_images, neighbors)
        tiles = np.concatenate([tiles[:, None], train_images[near]], axis=1).reshape(-1, *tiles.shape[1:])
        captions = [
            text
            for caption, row in zip(captions, near, strict=True)
            for text in (caption, *(class_name(train_labels[index], class_names) for index in row))
        ]
        colors = ([WRONG] + [MUTED] * neighbors) * len(shown)
    if columns is None:
        columns = max(1, fitting_columns(captions, at_most=12) // group)
    return draw_tiles(unit_range(tiles), captions, colors, columns=columns * group, group=group, ax=ax)


def _captions(found: Mistakes, limit: int, names: list[str] | None) -> list[str]:
    labels, predictions = (
        class_numbers(name, getattr(found, name)[:limit], names=names) for name in ("labels", "predictions")
    )
    return captions_of(labels, predictions, names)


def _pair(train, names: list[str] | None) -> tuple[np.ndarray, np.ndarray]:
    """Training images and labels, of a pair or of a split."""
    pair = train.arrays() if hasattr(train, "arrays") else train
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise ValueError(f"train must be a pair (images, labels) or a split, not {described(train)}")
    images = array_of("the training images", pair[0])
    return images, class_numbers("the training labels", pair[1], count=len(images), names=names)

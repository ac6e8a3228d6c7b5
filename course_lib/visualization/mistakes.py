"""What a network gets wrong, after Figure 8 of LeCun et al. (1998): every error, answer→prediction."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from course_lib import common
from course_lib.visualization.images import captions_of, class_name, draw_tiles, fitting_columns, unit_range
from course_lib.visualization.style import MUTED, WRONG, style


@dataclasses.dataclass(frozen=True)
class Mistakes:
    """The misclassified examples, the most confident mistake first; arrays of one length."""

    indices: np.ndarray  # where they stand in the data set, int64
    labels: np.ndarray  # the answers, int64
    predictions: np.ndarray  # what the network said, int64
    confidence: np.ndarray  # the softmax probability of what it said, in [0, 1]

    def __len__(self) -> int:
        return len(self.indices)


def find_mistakes(logits: np.ndarray, labels: Sequence[int]) -> Mistakes:
    """The examples whose largest logit is not their label's; `logits` are `(n, classes)`, labels `(n,)`.

    Raises:
        ValueError: shapes that do not fit each other.
    """
    logits, labels = np.asarray(logits, dtype=np.float64), np.asarray(labels)
    if logits.ndim != 2 or labels.shape != logits.shape[:1]:
        raise ValueError(
            f"logits must be (n, classes) and labels (n,) of the same n, not {logits.shape} and {labels.shape}"
        )
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    predictions = logits.argmax(axis=1)
    confidence = 1 / exponentials.sum(axis=1)  # the largest exponential is 1
    wrong = np.flatnonzero(predictions != labels)
    order = wrong[np.argsort(-confidence[wrong], kind="stable")]
    return Mistakes(order, labels[order].astype(np.int64), predictions[order], confidence[order])


def nearest_training_images(images: np.ndarray, train_images: np.ndarray, k: int = 3) -> np.ndarray:
    """Which `k` training images lie nearest to each image: indices `(n, k)`, the nearest first.

    Nearest in the Euclidean distance of the pixels, `|a − b|² = |a|² − 2a·b + |b|²`, a block of training
    images at a time, so that 60,000 of them take some 30 MB beside themselves.

    Raises:
        ValueError: images of different shapes, or `k` larger than the number of training images.
    """
    images, train_images = np.asarray(images), np.asarray(train_images)
    if images.shape[1:] != train_images.shape[1:]:
        raise ValueError(
            f"images and training images must have one shape, not {images.shape[1:]} and {train_images.shape[1:]}"
        )
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
    each mistake is followed by its nearest training images and their labels.

    Raises:
        ValueError: nothing to draw, or indices that are not in `images`.
    """
    common.at_least(1, limit=limit, neighbors=neighbors)
    shown = found.indices[:limit]
    if not len(shown):
        raise ValueError("there are no mistakes to draw: every prediction is right")
    if shown.max() >= len(images):
        raise ValueError(f"the mistakes point at image {shown.max()}, but there are only {len(images)} images")
    tiles, group = np.asarray(images)[shown], 1
    captions = captions_of(found.labels[:limit], found.predictions[:limit], class_names)
    colors = [WRONG] * len(shown)
    if train is not None:
        train_images, train_labels = np.asarray(train[0]), np.asarray(train[1])
        near = nearest_training_images(tiles, train_images, neighbors)
        group = neighbors + 1
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

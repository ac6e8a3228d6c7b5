"""The misclassified images of a network, as in Figure 8 of LeCun et al. (1998): label→prediction."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from course_lib import common
from course_lib.array_checks import array_of, finite_array
from course_lib.label_checks import class_numbers, name_list, probabilities_of
from course_lib.model_checks import described
from course_lib.visualization.images import MOST, captions_of, class_name, draw_tiles, fitting_columns, unit_range
from course_lib.visualization.style import MUTED, WRONG, style


@dataclasses.dataclass(frozen=True)
class Mistakes:
    """The misclassified examples, the most confident mistake first; arrays of one length."""

    indices: np.ndarray  # their positions in the data set, int64
    labels: np.ndarray  # the true labels, int64
    predictions: np.ndarray  # the predicted labels, int64
    confidence: np.ndarray  # the probability of the prediction, in [0, 1]
    examples: int | None = None  # number of images in the data set; None if unknown

    def __len__(self) -> int:
        """The number of mistakes."""
        return len(self.indices)


def find_mistakes(logits: np.ndarray, labels: Sequence[int]) -> Mistakes:
    """The misclassified examples, the most confident mistake first.

    Args:
        logits: `(n, classes)`, or probabilities: rows without negative values whose sum is 1.
        labels: `(n,)` whole numbers.

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
    """The indices `(n, k)` of the `k` training images that are nearest to each image, the nearest first.

    Nearest by the Euclidean distance of the pixels. The training images are copied as float32: 190 MB for 60,000
    images of 28×28 pixels.

    Raises:
        ValueError: images of different shapes or ranges, NaN, or `k` larger than the number of training images.
    """
    images = finite_array("images", images)
    train_images = finite_array("train_images", train_images)
    if images.ndim < 2 or images.shape[1:] != train_images.shape[1:]:
        raise ValueError(
            f"images and training images must have one shape, not {images.shape[1:]} and {train_images.shape[1:]}"
        )
    _check_one_scale(images, train_images)
    common.at_least(1, k=k)
    if k > len(train_images):
        raise ValueError(f"k must be at most {len(train_images)}, the number of training images, not {k}")
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=k, algorithm="brute")
    search.fit(train_images.reshape(len(train_images), -1).astype(np.float32))
    if not len(images):
        return np.empty((0, k), dtype=np.int64)
    return search.kneighbors(images.reshape(len(images), -1).astype(np.float32), return_distance=False)


def distance_to_class(
    images: np.ndarray, labels: Sequence[int], train_images: np.ndarray, train_labels: Sequence[int]
) -> np.ndarray:
    """From each image to the nearest training image of its own class, `(n,)`, in units of one full pixel.

    Images are uint8, `(n, height, width, channels)`; the distance is Euclidean.

    Raises:
        ValueError: a class without training images; as `nearest_training_images`.
    """
    labels = class_numbers("labels", labels)
    train_labels = class_numbers("the training labels", train_labels)
    distances = np.empty(len(images))
    for label in np.unique(labels):
        chosen = labels == label
        own = train_images[train_labels == label]
        if not len(own):
            raise ValueError(f"no training image has the label {label}")
        nearest = own[nearest_training_images(images[chosen], own, 1)[:, 0]]
        differences = (images[chosen].astype(float) - nearest) / 255
        distances[chosen] = np.sqrt((differences**2).reshape(len(nearest), -1).sum(axis=1))
    return distances


def _check_one_scale(images: np.ndarray, train_images: np.ndarray) -> None:
    """Checks that both hold pixels from 0 to 255, or both scaled ones; other distances mean nothing."""
    whole = [each.dtype.kind in "iu" for each in (images, train_images)]
    low, high = sorted(float(each.max(initial=0)) for each in (images, train_images))
    apart = not any(whole) and 0 < low <= 1 and high > 5
    if whole[0] != whole[1] or apart:
        raise ValueError(
            f"images and training images must have one range, such as whole numbers from 0 to 255: these are "
            f"{images.dtype} up to {images.max():g} and {train_images.dtype} up to {train_images.max():g}"
        )


@style()
def plot_mistakes(
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
    """Misclassified images with label→prediction above each, the most confident mistake first.

    Args:
        images: the whole data set whose logits `find_mistakes` got.
        found: what `find_mistakes` returns.
        class_names: the names of the classes by number.
        limit: the largest number of mistakes to draw.
        columns: mistakes per row; by default as many as fit.
        train: training images and labels, as a pair or a split: each mistake is followed by its nearest ones.
        neighbors: how many of these.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no mistakes, more than 1,000 mistakes, indices that are not in `images`, no result of
            `find_mistakes`, or training images that are no such pair.
    """
    common.at_least(1, limit=limit, neighbors=neighbors)
    if not isinstance(found, Mistakes):
        raise ValueError(f"found must be what find_mistakes(logits, labels) returns, not {described(found)}")
    images = array_of("images", images)
    class_names = name_list(class_names)
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
    tiles = images[shown]
    captions = _captions(found, limit, class_names)
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
    """Training images and labels, from a pair or a split."""
    pair = train.arrays() if hasattr(train, "arrays") else train
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise ValueError(f"train must be a pair (images, labels) or a split, not {described(train)}")
    images = array_of("the training images", pair[0])
    return images, class_numbers("the training labels", pair[1], count=len(images), names=names)

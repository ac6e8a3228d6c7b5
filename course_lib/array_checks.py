"""Are these images, are these labels? The checks of every function that learns from arrays.

A leaf beside `common`.
"""

import numpy as np

from course_lib import common

FLOAT_RANGE = (-5.0, 5.0)  # wide enough for standardized images, too narrow for 0 to 255


def check_images(images: np.ndarray, value_range: tuple[float, float] | None = None) -> None:
    """Checks that `images` are `(n, height, width, channels)`, uint8 or floating point within `value_range`.

    Raises:
        ValueError: another shape, type or range; the message says what to do.
    """
    if images.ndim != 4 or 0 in images.shape:
        advice = " For one image: images[None]." if images.ndim == 3 and images.shape[-1] in (1, 3) else ""
        if images.ndim == 3 and not advice:
            advice = " For gray images without channels: images[..., None]."
        raise ValueError(
            f"images must have the shape (n, height, width, channels), none of them 0, not {images.shape}.{advice}"
        )
    if images.dtype != np.uint8:
        check_range(images, value_range)
    elif images.max() == 1:
        raise ValueError(
            "these uint8 images hold nothing but 0 and 1, and uint8 means 0 to 255, so all would be black: multiply "
            "them by 255, or pass them as floating point"
        )


def check_range(images: np.ndarray, value_range: tuple[float, float] | None = None) -> None:
    """Checks that images for a network are floating point within `value_range`, by default `FLOAT_RANGE`.

    Raises:
        ValueError: of another type, with values beyond it, or with NaN.
    """
    low, high = value_range or FLOAT_RANGE
    if not np.issubdtype(images.dtype, np.floating):
        advice = (
            "for pixels from 0 to 255 add .astype('uint8')" if images.dtype.kind in "iu" else "add .astype('float32')"
        )
        raise ValueError(f"images must be uint8 (0 to 255) or floating point, not {images.dtype}: {advice}")
    least, most = float(images.min()), float(images.max())
    if low <= least and most <= high:
        return
    if not np.isfinite(least + most):
        numbers = np.flatnonzero(~np.isfinite(images).reshape(len(images), -1).all(axis=1))
        what = "NaN (not a number)" if np.isnan(least) else "infinite values"
        raise ValueError(
            f"{len(numbers)} of {len(images)} images hold {what}, the first is image {numbers[0]}: "
            "leave them out, or look where a division by 0 made them"
        )
    advice = f"the declared value_range is ({low:g}, {high:g})"
    if value_range is None:
        advice = (
            "pass them as uint8, or scale them. Where the network takes another range, declare it: "
            f"value_range=({np.floor(least):g}, {np.ceil(most):g}). A network that begins with Rescaling gets the "
            "pixels of uint8 images unscaled"
        )
    raise ValueError(
        f"floating-point images must lie between {low:g} and {high:g} (0 to 1 is usual), but these go from "
        f"{least:g} to {most:g}: {advice}"
    )


def check_value_range(value_range: object) -> tuple[float, float] | None:
    """`value_range` as a pair of floats (smallest, largest), or None where it is None.

    Raises:
        ValueError: anything else.
    """
    if value_range is None:
        return None
    try:
        low, high = (common.number("value_range", value, -np.inf) for value in value_range)
    except (TypeError, ValueError):
        low = high = 0.0
    if not low < high:
        raise ValueError(f"value_range must be a pair (smallest, largest), such as (0, 255), not {value_range!r}")
    return low, high


def as_labels(labels: object, count: int) -> np.ndarray:
    """`labels` as int64 `(count,)`; a column `(count, 1)`, as Keras' CIFAR-10 has, is taken too.

    Raises:
        ValueError: another number of labels, one-hot rows, or labels that are no whole numbers.
    """
    labels = np.asarray(labels)
    if np.issubdtype(labels.dtype, np.integer) and labels.shape in ((count,), (count, 1)):
        return labels.reshape(count).astype(np.int64)
    advice = ""
    if labels.ndim == 2 and len(labels) == count:
        advice = ": where they are one-hot, take np.argmax(labels, axis=1)"
    elif labels.dtype.kind in "UOS":
        advice = ": number the classes from 0, for example np.unique(names, return_inverse=True)[1]"
    elif labels.dtype.kind in "fb":
        advice = ": add .astype(int) where they are whole numbers"
    raise ValueError(
        f"labels must be one whole number per image, shape ({count},), not {labels.dtype} of shape {labels.shape}"
        f"{advice}"
    )

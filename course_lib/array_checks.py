"""Checks of arrays, images and labels: their shapes, types and ranges.

A leaf beside `common`.
"""

import numpy as np

from course_lib import common
from course_lib.model_checks import described

FLOAT_RANGE = (-5.0, 5.0)  # wide enough for standardized images, too narrow for 0 to 255


def array_of(name: str, values) -> np.ndarray:
    """`values` as an array of numbers.

    Raises:
        ValueError: a split, text, parts of different shapes, or anything else that is no array.
    """
    if hasattr(values, "arrays"):
        raise ValueError(
            f"{name} must be an array, not a {type(values).__name__}: take its arrays, images, labels = split.arrays()"
        )
    try:
        found = np.asarray(values)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be one array: these parts have different shapes, such as images of different sizes, "
            "or images beside labels"
        ) from None
    if found.dtype.name == "bfloat16":
        found = found.astype(np.float32)
    if found.dtype.kind not in "biuf":
        advice = ": of a data set take the arrays of a part, data.train.arrays()" if hasattr(values, "train") else ""
        raise ValueError(f"{name} must be an array of numbers, not {described(values)}{advice}")
    return found


def finite_array(name: str, values) -> np.ndarray:
    """`values` as an array of numbers, none of them NaN or infinite.

    Raises:
        ValueError: as `array_of`, or there is one.
    """
    found = array_of(name, values)
    bad = np.count_nonzero(~np.isfinite(found))
    if bad:
        raise ValueError(
            f"{name} must be finite, but {bad:,} of {found.size:,} numbers are NaN (not a number) or infinite"
        )
    return found


def check_shape(images: object) -> None:
    """Checks that `images` is an array or a tensor of the shape `(n, height, width, channels)`.

    Raises:
        ValueError: anything else; the message says what to do.
    """
    if not hasattr(images, "shape") or not hasattr(images, "dtype"):
        advice = "; split.arrays()[0] are a split's" if hasattr(images, "arrays") else ""
        raise ValueError(f"images must be an array, not a {type(images).__name__}{advice}")
    if len(images.shape) == 4:
        return
    advice = ""
    if len(images.shape) == 3 and images.shape[-1] in (1, 3):
        advice = ": one image is a batch as images[None]"
    elif len(images.shape) == 3:
        advice = ": for gray images without channels give images[..., None]"
    raise ValueError(f"images must have the shape (n, height, width, channels), not {tuple(images.shape)}{advice}")


def check_images(images: np.ndarray, value_range: tuple[float, float] | None = None) -> None:
    """Checks that `images` are `(n, height, width, channels)`, uint8 or floating point within `value_range`.

    Raises:
        ValueError: another shape, type or range; the message says what to do.
    """
    check_shape(images)
    if 0 in images.shape:
        raise ValueError(f"there must be images of at least 1 pixel, but these have the shape {images.shape}")
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
    least = float(images.min())
    most = float(images.max())
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
        declared = (0, 255) if least >= 0 and most <= 255 else (np.floor(least), np.ceil(most))
        advice = (
            "pass them as uint8, or scale them. Where the network takes another range, declare it: "
            f"value_range=({declared[0]:g}, {declared[1]:g}). A network that begins with Rescaling gets the "
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

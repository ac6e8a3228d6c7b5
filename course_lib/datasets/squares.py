"""From a file to the square in RGB that a classifier gets: the same steps in training and in use.

This file needs Pillow and NumPy alone: a copy of it beside a saved network prepares photos where the course is not
installed. `read_square(path, side, fit)` returns what `course_lib.datasets.read_photo` returns, pixel by pixel.
HEIC, the iPhone's format, is read where pillow-heif is installed.
"""

import numpy as np
from PIL import Image, ImageOps

PADDING = (128, 128, 128)  # the color of what is added

Levels = tuple[float, float]  # the values that become black and white


def read_square(path, side: int, fit: str = "crop") -> np.ndarray:
    """The photo in a file, uint8 `(side, side, 3)`, upright, in RGB.

    Args:
        path: a JPEG, PNG, HEIC or other file of a picture; of several frames the first is taken.
        side: to how many pixels it is scaled.
        fit: "crop" cuts out the middle square, "pad" keeps the whole picture and adds gray at two sides.

    Raises:
        OSError: a file that is not there, or not a picture.
    """
    try:
        import pillow_heif

        pillow_heif.register_heif_opener()
    except ImportError:
        pass  # then HEIC is refused as any other file that Pillow does not know
    with Image.open(path) as picture:
        picture = upright(picture, side)
        if values := values_of(picture):
            picture = in_8_bits(picture, levels_of([values]))
        return np.asarray(squared(picture, side, fit))


def upright(picture: Image.Image, side: int) -> Image.Image:
    """The picture turned as the note in its file says; a large JPEG is decoded at a half, a quarter or an eighth."""
    picture.draft("RGB", (2 * side, 2 * side))
    ImageOps.exif_transpose(picture, in_place=True)
    return picture


def values_of(picture: Image.Image) -> Levels | None:
    """The lowest and the highest value of a picture of more than 8 bits; None for others."""
    if picture.mode[0] not in "IF":
        return None
    pixels = np.asarray(picture, np.float64)
    return float(pixels.min()), float(pixels.max())


def levels_of(values: list[Levels]) -> Levels:
    """The levels for pictures with these lowest and highest values: 0 is black, the highest value of all white.

    Where 0 is not among what the values span, or far below them, the lowest value is black.
    """
    lowest = min(low for low, _ in values)
    highest = max(high for _, high in values)
    black = 0.0 if 0 <= lowest <= highest / 2 else lowest
    return black, highest if highest > black else black + 1


def in_8_bits(picture: Image.Image, levels: Levels) -> Image.Image:
    """A gray picture of more than 8 bits, scaled so that `levels` are black and white."""
    black, white = levels
    scaled = ((np.asarray(picture, np.float64) - black) / (white - black) * 255).clip(0, 255)
    return Image.fromarray(scaled.round().astype(np.uint8))


def squared(picture: Image.Image, side: int, fit: str) -> Image.Image:
    """The picture as a square in RGB; what is transparent becomes white."""
    picture = picture.convert("RGBA")
    size = (side, side)
    cut = ImageOps.fit(picture, size) if fit == "crop" else ImageOps.pad(picture, size, color=(*PADDING, 255))
    return Image.alpha_composite(Image.new("RGBA", cut.size, "white"), cut).convert("RGB")

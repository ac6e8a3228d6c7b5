"""Pictures for the tests of folders: soft ones, another for each number, and what becomes of them."""

import pathlib

import numpy as np
from PIL import Image

from course_lib import datasets

PARTS = ("train", "validation", "test")


def photo(number: int, size: tuple[int, int] = (90, 70)) -> Image.Image:
    """A soft picture, another for each number."""
    colors = np.random.default_rng(number).integers(0, 256, (5, 6, 3), np.uint8)
    return Image.fromarray(colors).resize(size, Image.Resampling.BICUBIC)


def fill(place: pathlib.Path, first: int, count: int = 20) -> pathlib.Path:
    """`count` different photos in the folder `place`, numbered from `first`."""
    place.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        photo(number).save(place / f"{number}.png")
    return place


def square(image: Image.Image, side: int = 64) -> bytes:
    """What becomes of a picture without any trouble."""
    width, height = image.size
    across, down = max(width - height, 0) / 2, max(height - width, 0) / 2
    box = (across, down, width - across, height - down)
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC, box=box)).tobytes()


def held(data: datasets.ImageDataset) -> dict[str, dict[bytes, int]]:
    """The images of each part, as bytes, and their labels."""
    pairs = {part: zip(*getattr(data, part).arrays(), strict=True) for part in PARTS}
    return {part: {image.tobytes(): int(label) for image, label in pairs[part]} for part in PARTS}


def sizes(data: datasets.ImageDataset) -> tuple[int, ...]:
    return tuple(len(getattr(data, part)) for part in PARTS)

"""Near copies: found where one picture was changed, not where two differ, in color alone too."""

import numpy as np
import pytest
from photos import photo, square
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from course_lib import common, datasets
from course_lib.datasets.copies import near_copies

RED, BLUE = (200, 30, 30), (30, 30, 200)
COPIES = {
    "the same": lambda image: image,
    "smaller": lambda image: image.resize((45, 35)),
    "larger": lambda image: image.resize((270, 210)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "more contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.2),
    "gray": lambda image: image.convert("L").convert("RGB"),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(1)),
}


def groups_of(images: list[Image.Image]) -> np.ndarray:
    squares = [np.frombuffer(square(image), np.uint8).reshape(64, 64, 3) for image in images]
    return near_copies(np.array(squares))


@pytest.mark.parametrize("kind", COPIES)
def test_are_found(kind):
    photos = [photo(number) for number in range(40)]
    groups = groups_of([*photos, *map(COPIES[kind], photos)])
    assert np.array_equal(groups, np.tile(np.arange(40), 2))


def test_re_compressed_ones_are_found(tmp_path):
    photos = [photo(number) for number in range(40)]
    for number, image in enumerate(photos):
        image.save(tmp_path / f"{number}.jpg", quality=30)
    copies = [Image.open(tmp_path / f"{number}.jpg") for number in range(40)]
    assert np.array_equal(groups_of([*photos, *copies]), np.tile(np.arange(40), 2))


def test_different_pictures_are_not():
    assert len(np.unique(groups_of([photo(number) for number in range(600)]))) == 600  # more than one block
    with np.load(common.ROOT / "tests/datasets/toy_scenes.npz") as arrays:
        assert len(np.unique(near_copies(arrays["images"]))) == len(arrays["images"])
    digits = np.repeat(datasets.load("uci_digits").train.arrays()[0], 3, axis=3)
    assert len(np.unique(near_copies(digits))) >= 0.99 * len(digits)  # of 8×8 pixels: some are alike


def test_copies_of_copies_are_copies():
    steps = [Image.blend(photo(0), photo(1), share) for share in np.linspace(0, 1, 60)]
    assert groups_of([photo(3), *steps, photo(2)]).tolist() == [0, *[1] * 60, 61]


def disc(color, ground="white") -> Image.Image:
    image = Image.new("RGB", (200, 200), ground)
    ImageDraw.Draw(image).ellipse((40, 40, 160, 160), fill=color)
    return image


def sky(top, bottom) -> Image.Image:
    share = np.linspace(0, 1, 64)[:, None, None]
    return Image.fromarray(((1 - share) * top + share * bottom + np.zeros((64, 64, 3))).astype(np.uint8))


@pytest.mark.parametrize(
    "images",
    [
        [Image.new("RGB", (64, 64), color) for color in (RED, BLUE, (90, 90, 90), (200, 200, 200))],
        [disc(color) for color in (RED, BLUE, "hsv(100,90%,70%)", "hsv(110,90%,70%)", "hsv(120,90%,70%)")],
        [disc(color, "black") for color in (RED, BLUE, "hsv(100,90%,70%)", "hsv(110,90%,70%)")],
        [sky(np.array(top), np.array(top) + 50) for top in ((60, 120, 200), (110, 120, 160), (150, 110, 90))],
        [photo(0), Image.merge("RGB", photo(0).split()[::-1])],
    ],
    ids=["plain", "discs", "discs on black", "skies", "red and blue exchanged"],
)
def test_colors_alone_make_pictures_different(images):
    brightened = [ImageEnhance.Brightness(image).enhance(0.9) for image in images[-1:]]
    groups = groups_of(images)
    assert len(set(groups.tolist())) == len(images)
    if brightened and np.asarray(images[-1]).std() > 5:  # the brightness of a plain picture is its color
        assert groups_of([*images, *brightened])[-1] == len(images) - 1


def test_a_gray_picture_belongs_to_no_color_in_particular():
    gray = [image.convert("L").convert("RGB") for image in (photo(0), disc(RED))]
    assert groups_of([photo(0), gray[0]]).tolist() == [0, 0]
    assert groups_of([disc(RED), disc(BLUE), gray[1]]).tolist() == [0, 1, 2]


def test_no_pictures_have_no_copies():
    assert near_copies(np.empty((0, 64, 64, 3), np.uint8)).tolist() == []

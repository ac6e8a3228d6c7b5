"""A folder of photos for who has none at hand: cars, mugs and sailboats, most of them in one kind of place each.

They are toy scenes as a phone would save them: wider than high, in several formats, a few of them damaged. Because
the scenes are known, they can be photographed again with one change, which nobody can do with a folder of real photos.
"""

import dataclasses
import os
import pathlib
import sys

import numpy as np
import tqdm
from PIL import Image, ImageOps

from course_lib import common
from course_lib.datasets import toy_scenes
from course_lib.datasets.pictures import check_fit, reads_heic
from course_lib.datasets.squares import PADDING
from course_lib.datasets.toy_scenes import Scene

CLASSES = ("car", "mug", "sailboat")
USUAL = {"car": "yard", "mug": "room", "sailboat": "lake"}  # where nine of ten are met
RENDERED = 64  # pixels: the width of a photo
HEIGHT = 48  # three quarters of it, as phones have it
AT_ONCE = 64  # scenes rendered between two updates of the progress bar
DARKER = {"light_strength": (0.3, 0.6)}  # what another phone meets, for `sample`
UPRIGHT = 6  # EXIF's number for "turn me": the phone was held upright


def sample(count: int, seed: int, usual: float = 0.9, **ranges: object) -> list[Scene]:
    """`count` scenes of each class, the share `usual` of them in the usual place of the class.

    Args:
        count: scenes per class.
        seed: a whole number; the same scenes for the same seed, whatever `usual` is.
        usual: 0 to 1; the rest is in any of the five places.
        ranges: as for `toy_scenes.sample`, such as `light_strength=(0.2, 0.4)`.
    """
    scenes = []
    for number, name in enumerate(CLASSES):
        drawn = toy_scenes.sample(count, [seed, number], class_name=name, **ranges)
        met = np.random.default_rng([seed, number]).random(count) < usual
        scenes += [
            dataclasses.replace(scene, background=USUAL[name]) if there else scene
            for scene, there in zip(drawn, met, strict=True)
        ]
    return scenes


def another_phone(count: int = 20, seed: int = 6) -> list[Scene]:
    """`count` scenes of all classes as another phone met them: in less light, and none in its class's usual place."""
    common.at_least(1, count=count)
    drawn = sample(2 * count, seed, usual=0, **DARKER)
    away = [scene for scene in drawn if scene.background != USUAL[scene.class_name]]
    return [away[place] for place in np.linspace(0, len(away) - 1, count).round().astype(int)]


def four_ways(count: int, seed: int) -> dict[str, list[Scene]]:
    """The same new objects, photographed "as before", in "less light", in "other places", and with "both" changes.

    As before is as `sample` has it; other places are none that is usual for the class; less light is that of
    `another_phone`. About four fifths of `count` scenes of each class are left: those for which all four can be had.
    """
    changes = {"as before": {}, "less light": DARKER, "other places": {"usual": 0}, "both": {"usual": 0, **DARKER}}
    ways = {change: sample(count, seed, **setting) for change, setting in changes.items()}
    kept = [row for row, scene in enumerate(ways["both"]) if scene.background != USUAL[scene.class_name]]
    return {change: [scenes[row] for row in kept] for change, scenes in ways.items()}


def elsewhere(scenes: list[Scene]) -> list[Scene]:
    """Every scene twice, unchanged but for the place: in the usual places of the two other classes."""
    return [
        dataclasses.replace(scene, background=place)
        for scene in scenes
        for name, place in USUAL.items()
        if name != scene.class_name
    ]


def in_bursts(images: np.ndarray, seed: int = 0, frames: int = 4) -> np.ndarray:
    """Each image as a phone's burst: `(frames * n, …)`, the frames of one image after each other.

    From frame to frame the hand moves by up to one pixel and the light changes by up to a tenth.
    """
    random = np.random.default_rng(seed)
    taken = []
    for image in images:
        highest = 255 if image.dtype == np.uint8 else 1
        for _ in range(frames):
            moved = np.roll(image, random.integers(-1, 2, size=2), axis=(0, 1))
            lit = np.clip(moved * random.uniform(0.9, 1.1), 0, highest)
            taken.append(lit.astype(image.dtype))
    return np.stack(taken)


def labels(scenes: list[Scene]) -> np.ndarray:
    """The class of each scene, `(n,)`: a position in `CLASSES`."""
    return np.array([CLASSES.index(scene.class_name) for scene in scenes])


def places(scenes: list[Scene]) -> np.ndarray:
    """The class that each scene's place is usual for, `(n,)`: a position in `CLASSES`, or -1."""
    usual = list(USUAL.values())
    return np.array([usual.index(scene.background) if scene.background in usual else -1 for scene in scenes])


def photograph(scenes: list[Scene], side: int = 64, fit: str = "crop") -> np.ndarray:
    """The scenes as `datasets.load` reads their photos: uint8 `(n, side, side, 3)`."""
    common.at_least(1, side=side)
    check_fit(fit)
    size = (side, side)
    if fit == "crop":
        squares = [ImageOps.fit(photo, size) for photo in _photos(scenes)]
    else:
        squares = [ImageOps.pad(photo, size, color=PADDING) for photo in _photos(scenes)]
    return np.stack([np.asarray(square) for square in squares])


def write(scenes: list[Scene], folder: str | os.PathLike) -> pathlib.Path:
    """Writes the scenes as JPEG files into `folder`, a folder for each class, and returns `folder`."""
    folder = pathlib.Path(folder)
    for number, (scene, photo) in enumerate(zip(scenes, _photos(scenes), strict=True)):
        (folder / scene.class_name).mkdir(parents=True, exist_ok=True)
        photo.save(folder / scene.class_name / f"IMG_{number:04}.JPG", "JPEG", quality=92)
    return folder


def add_trouble(folder: str | os.PathLike) -> None:
    """Adds what real folders hold to one that `write` made: HEIC, scans, copies, damaged files, a wrong label."""
    folder = pathlib.Path(folder)
    photos = _photos(sample(5, seed=2))
    cars = photos[:5]
    mugs = photos[5:10]
    boats = photos[10:]
    cars[0].convert("L").save(folder / "car" / "gray.png")
    cars[1].convert("CMYK").save(folder / "car" / "for_print.jpg")
    note = Image.Exif()
    note[0x0112] = UPRIGHT
    upright = ImageOps.fit(cars[2], (HEIGHT, RENDERED))  # higher than wide, as a phone held upright takes it
    upright.transpose(Image.Transpose.ROTATE_90).save(folder / "car" / "held_upright.jpg", exif=note)
    deep = np.asarray(boats[0].convert("L")).astype(np.uint16) * 257
    Image.fromarray(deep).save(folder / "sailboat" / "scan_16_bits.png")
    boats[1].save(folder / "sailboat" / "moving.gif", save_all=True, append_images=boats[2:4])
    if reads_heic():
        boats[4].save(folder / "sailboat" / "IMG_2044.HEIC", "HEIF", quality=90)
    whole = folder / "mug" / "cut_short.jpg"
    mugs[0].save(whole)
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    (folder / "mug" / "shopping.jpg").write_text("milk, bread")
    first = Image.open(min((folder / "mug").glob("IMG*")))
    first.resize((160, 120)).point(lambda value: min(255, int(1.1 * value))).save(folder / "mug" / "for_the_web.jpg")
    cars[3].save(folder / "car" / "red.jpg")
    cars[3].save(folder / "mug" / "red_too.jpg")  # in the wrong folder


def _photos(scenes: list[Scene]) -> list[Image.Image]:
    """The scenes' pictures, 64 pixels wide and 48 high; a progress bar appears after two seconds."""
    margin = (RENDERED - HEIGHT) // 2
    photos = []
    with tqdm.tqdm(total=len(scenes), desc="photographing", delay=2, leave=False, file=sys.stdout) as bar:
        for start in range(0, len(scenes), AT_ONCE):
            some = scenes[start : start + AT_ONCE]
            images = toy_scenes.render(some, RENDERED).images[:, margin : margin + HEIGHT]
            photos += [Image.fromarray(np.ascontiguousarray(image)) for image in images]
            bar.update(len(some))
    return photos

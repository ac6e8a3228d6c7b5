"""One picture: from a file of whatever kind to a square in RGB.

It is turned upright and scaled: its middle square is cut out, or the whole picture is padded to a square with gray.
Gray is repeated three times, what is transparent becomes white. Gray of more than 8 bits (16-bit, 32-bit and
floating-point files) is scaled between two levels to 8 bits. The steps are those of `squares`.
"""

import dataclasses
import functools
import os
import pathlib

import numpy as np
from PIL import Image, UnidentifiedImageError, features

from course_lib import common
from course_lib.datasets.squares import Levels, in_8_bits, levels_of, squared, upright, values_of

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP")  # what the messages name; AVIF and HEIC have their own
OTHERS = ("PPM", "JPEG2000")  # rare; read too
ADVICE = {
    "HEIC": "type pip install pillow-heif (in a notebook %pip) and load the folder again, or save them as JPEG",
    "AVIF": "type pip install --upgrade pillow (in a notebook %pip) and restart the kernel, or save them as JPEG",
}
UNREAD = {  # formats that are told from the file's ending alone
    "JPEG XL": (".jxl",),
    "camera RAW": (".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".rw2"),
    "DICOM": (".dcm",),
    "NumPy": (".npy", ".npz"),
    "PDF": (".pdf",),
    "Photoshop": (".psd",),
    "SVG": (".svg",),
}

FITS = ("crop", "pad")  # how a picture becomes a square


@dataclasses.dataclass(frozen=True)
class Picture:
    """A file's picture, and what whoever took it ought to know.

    `mode` and `values` are given where it has more than 8 bits: Pillow's name of its kind, and its lowest and
    highest value.
    """

    square: Image.Image
    notes: tuple[str, ...] = ()
    mode: str = ""
    values: Levels | None = None


class UnreadableError(OSError):
    """A file that is no picture, or none that can be used. `kind` says what it is and what to do about it."""

    def __init__(self, path: pathlib.Path, kind: str):
        self.kind = kind
        super().__init__(f"{path}: {kind}")


def read_photo(path: str | os.PathLike, side: int = 64, fit: str = "crop") -> np.ndarray:
    """One picture as `load` reads those of a folder: uint8 `(side, side, 3)`, upright, in RGB.

    One of more than 8 bits is scaled by its own values, where `load` takes those of all such pictures of the folder.

    Args:
        path: a JPEG, PNG, HEIC or other file of a picture.
        side: to how many pixels it is scaled.
        fit: "crop" cuts out the middle square, "pad" keeps the whole picture and adds gray at two sides.

    Raises:
        OSError: a file that is not there, or not a picture; Pillow raises others where one is damaged or too large.
        ValueError: another `fit`.
    """
    common.at_least(1, side=side)
    return np.asarray(read_picture(pathlib.Path(path), side, fit=fit).square)


def check_fit(fit: object) -> None:
    """Raises ValueError where `fit` is neither "crop" nor "pad"."""
    if fit not in FITS:
        raise common.unknown("fit", fit, FITS)


def square(path: str | os.PathLike, side: int) -> tuple[Image.Image, tuple[str, ...]]:
    """The picture in a file as a square in RGB, see above, and what whoever took it ought to know.

    Raises:
        OSError: a file that is not there, or not a picture; Pillow raises others where one is damaged or too large.
    """
    picture = read_picture(pathlib.Path(path), side)
    return picture.square, picture.notes


def read_picture(path: pathlib.Path, side: int, levels: Levels | None = None, fit: str = "crop") -> Picture:
    """The picture in a file; where it has more than 8 bits, between `levels`, or between its own where None is given.

    Raises:
        ValueError: a `fit` that is neither "crop" nor "pad".
        UnreadableError: not a picture, or one with values that are no numbers.
        OSError: a file that is not there; Pillow raises others where one is damaged or too large.
    """
    path = pathlib.Path(path)
    check_fit(fit)
    with _opened(path) as picture:
        return _read(picture, path, side, levels, fit)


def _read(picture: Image.Image, path: pathlib.Path, side: int, levels: Levels | None, fit: str) -> Picture:
    notes = ()
    mode = ""
    if getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":  # a camera's, with previews
        notes = ("several frames, of which the first is taken",)
    picture = upright(picture, side)
    values = values_of(picture)
    if values:
        mode = picture.mode
        if not np.isfinite(values).all():
            raise UnreadableError(path, "some of its values are NaN or infinite")
        picture = in_8_bits(picture, levels or levels_of([values]))
    return Picture(squared(picture, side, fit), notes, mode, values)


def _opened(path: pathlib.Path) -> Image.Image:
    try:
        return Image.open(path, formats=(*FORMATS, *OTHERS, *(["AVIF"] if reads_avif() else [])))
    except UnidentifiedImageError:
        with path.open("rb") as file:
            head = file.read(132)
        if not is_heic(path, head) or not reads_heic():
            raise UnreadableError(path, _kind(path, head)) from None
    try:
        return Image.open(path, formats=["HEIF"])
    except Exception as error:  # pillow-heif raises errors of its own
        raise UnreadableError(path, "HEIC that is damaged") from error


def reads_heic() -> bool:
    """Whether pillow-heif is installed, which then reads HEIC for Pillow."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


@functools.cache
def reads_avif() -> bool:
    """Whether Pillow was built with AVIF, as it is from 11.3 on."""
    Image.init()
    return "AVIF" in Image.OPEN and features.check("avif")


def is_heic(path: pathlib.Path, head: bytes) -> bool:
    """Whether a file that begins with `head` is HEIC, by its content or its name."""
    brands = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
    return (head[4:8] == b"ftyp" and head[8:12] in brands) or path.suffix.lower() in (".heic", ".heif")


def _kind(path: pathlib.Path, head: bytes) -> str:
    """What a file is that does not read as a picture, and what to do about it."""
    ending = path.suffix.lower()
    if head[4:12] in (b"ftypavif", b"ftypavis") or ending == ".avif":
        return "AVIF that is damaged" if reads_avif() else f"AVIF cannot be read here: {ADVICE['AVIF']}"
    if is_heic(path, head):
        return f"HEIC cannot be read here: {ADVICE['HEIC']}"
    for name, endings in UNREAD.items():
        if ending in endings or (name == "DICOM" and head[128:] == b"DICM"):
            return f"{name} cannot be read: save the pictures as JPEG or PNG"
    if head[:4] in (b"II*\0", b"MM\0*"):
        return "TIFF that is damaged, or has several channels of more than 8 bits: save the pictures as PNG"
    if head.lstrip()[:5].lower() in (b"<html", b"<!doc"):
        return "a web page instead of a picture: download it again"
    return f"damaged or none of {', '.join(FORMATS)}"

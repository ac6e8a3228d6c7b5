"""The pictures and tables of a page: files beside it, as wide as can be read on a phone, too, and opened by a tap."""

import base64
import hashlib
import re
import struct

from course_lib.visualization import display, frames

FOLDER = "figures"  # of the pictures; pages of lessons lie in a folder beside it
STORED = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]+)")
SHOWN = re.compile(rf'<img src="(\.\./{FOLDER}/([^"]+))"([^>]*)>')
SIZED = re.compile(r' style="max-width: 100%"')
TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
MOVING = "data-pictures"
PIXELS_PER_INCH = 72  # of a page: a letter of 11 points is 11 pixels high
BEGINNING = 48  # characters of base64 that hold a PNG's width and height


def as_files(page: str, kept: dict[str, bytes]) -> str:
    """HTML whose pictures are files that open enlarged, and whose tables scroll by themselves.

    Args:
        page: the HTML of an output.
        kept: collects its PNGs, encoded, by the names of their files.
    """

    def keep(match: re.Match) -> str:
        name = f"{hashlib.sha1(match[1].encode()).hexdigest()[:16]}.png"
        kept[name] = match[1].encode()
        return f"../{FOLDER}/{name}"

    page = STORED.sub(keep, page)
    if "<figure" in page:
        dpi = frames.DPI if MOVING in page else display.DPI
        page = SHOWN.sub(lambda match: _link(match, size(kept[match[2]]), dpi), page)
    return TABLE.sub(r'<div class="wide" tabindex="0">\g<0></div>', page)


def size(picture: bytes) -> tuple[int, int]:
    """Width and height of a PNG, encoded, in pixels."""
    return struct.unpack(">II", base64.b64decode(picture[:BEGINNING])[16:24])


def _link(match: re.Match, pixels: tuple[int, int], dpi: int) -> str:
    """A picture as a link to its file; its style holds two widths: all its pixels, and where letters can be read."""
    address = match[1]
    rest = SIZED.sub("", match[3])
    width, height = pixels
    style = f"--whole: {width}px; --legible: {width * PIXELS_PER_INCH // dpi}px"
    picture = f'<img src="{address}"{rest} width="{width}" height="{height}" style="{style}">'
    return f'<a class="enlarge" href="{address}">{picture}</a>'

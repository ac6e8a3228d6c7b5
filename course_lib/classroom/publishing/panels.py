"""A figure of two rows of panels as two: on a slide each row can then be read."""

import base64
import dataclasses
import io
import re
from collections.abc import Sequence

from course_lib.classroom.publishing import reading

PICTURE = re.compile(r'(?<=src="data:image/png;base64,)[^"]+(?=")')
TALL = 0.7  # times the width: from there on a slide shows a picture at half its size
MIDDLE = (0.4, 0.6)  # the part of a picture in which the gap between two rows or columns lies
LIGHT = 250  # of 255: the paper between panels


def halved(figures: Sequence[reading.Figure]) -> list[reading.Figure]:
    """The figures, each tall one of 2×2 panels as its upper and its lower row, with the same caption."""
    return [part for figure in figures for part in _rows(figure)]


def _rows(figure: reading.Figure) -> list[reading.Figure]:
    from PIL import Image

    stored = PICTURE.findall(figure.html)
    if len(stored) != 1 or "data-pictures" in figure.html:
        return [figure]
    picture = Image.open(io.BytesIO(base64.b64decode(stored[0])))
    row = gap(picture, axis=1)
    column = gap(picture, axis=0)
    if picture.height < TALL * picture.width or row is None or column is None:
        return [figure]
    boxes = [(0, 0, picture.width, row), (0, row, picture.width, picture.height)]
    pages = [PICTURE.sub(encoded(picture.crop(box)), figure.html) for box in boxes]
    return [dataclasses.replace(figure, html=page) for page in pages]


def gap(picture, axis: int) -> int | None:
    """The middle of the empty rows (axis 1) or columns (axis 0) around the middle of a picture; None without any."""
    import numpy as np

    empty = np.asarray(picture.convert("L")).min(axis=axis) > LIGHT
    begin, end = (int(part * len(empty)) for part in MIDDLE)
    places = begin + np.flatnonzero(empty[begin:end])
    widest = max(np.split(places, np.flatnonzero(np.diff(places) > 1) + 1), key=len)
    return int(widest.mean()) if len(widest) else None


def encoded(picture) -> str:
    """A picture as a PNG in base64."""
    stored = io.BytesIO()
    picture.save(stored, "PNG", optimize=True)
    return base64.b64encode(stored.getvalue()).decode("ascii")

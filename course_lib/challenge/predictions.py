"""What a team sends: class indices or scores, checked in full before anything is kept.

A pure function of the bytes, so that it can be tested with any bytes at all. Each refusal is a sentence for a student.
"""

import csv
import re

import numpy as np

TOP = 5
SCORES = "application/octet-stream"  # little-endian float32, row after row; anything else is read as CSV
INDEX = re.compile(r"[0-9]{1,9}")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
EXAMPLE = "The first line must be id,label and every other one an id and a class index, for example 0,3."


def largest(count: int, num_classes: int) -> int:
    """How many bytes the longest submission of use has: a CSV of scores with all their digits."""
    return 4096 + count * (12 + 26 * num_classes)


def read(body: bytes, form: str, count: int, num_classes: int) -> np.ndarray:
    """The classes that were predicted, best first: `(count, 1)` from class indices, `(count, 5)` from scores, int64.

    Args:
        body: a CSV in Kaggle's form (`id,label`, or `id` and one column of scores a class), or the bytes of scores.
        form: `SCORES`, or anything else for a CSV.
        count: how many test images there are; their ids are 0 to `count` - 1, in any order.

    Raises:
        ValueError: whatever is wrong with it, in a sentence.
    """
    if not body:
        raise ValueError("The submission is empty. " + EXAMPLE)
    if body.startswith(b"PK\x03\x04"):
        raise ValueError("This is a ZIP file (or a spreadsheet, which is one). Unpack it, send the CSV file inside.")
    if form == SCORES:
        if len(body) != 4 * count * num_classes:
            raise ValueError(
                f"Scores must be {count} rows of {num_classes} float32 values, {4 * count * num_classes} bytes; "
                f"{len(body)} bytes came in."
            )
        return _ranked(np.frombuffer(body, "<f4").reshape(count, num_classes))
    rows = list(csv.reader(_text(body).splitlines()))
    header = [cell.strip() for cell in rows[0]] if rows else []
    if header == ["id", "label"]:
        return _in_order(rows, count, lambda row, line: _label(row[1], line, num_classes))[:, None]
    if header == ["id", *map(str, range(num_classes))]:
        return _ranked(_in_order(rows, count, lambda row, line: [_score(cell, line) for cell in row[1:]]))
    raise ValueError(_wrong_header(header, num_classes))


def _text(body: bytes) -> str:
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ValueError("The file is written in UTF-16. Save it as CSV UTF-8 and send it again.")
    try:
        text = body.decode("utf-8-sig")  # without the byte-order mark that spreadsheets put in front
    except UnicodeDecodeError as error:
        raise ValueError(
            f"Byte {error.start} is not UTF-8: the file is written in another encoding, or is no text at all. "
            "Save it as CSV UTF-8 and send it again."
        ) from None
    if "\0" in text:
        raise ValueError("The file holds zero bytes, so it is no CSV. Save it as CSV UTF-8 and send it again.")
    return text


def _wrong_header(header: list[str], num_classes: int) -> str:
    if len(header) == 1 and re.fullmatch(r"id[;\t ].*", header[0]):
        return "The columns must be separated by commas, not by semicolons, tabs or blanks. " + EXAMPLE
    first = ",".join(header)[:60]
    return (
        f"The first line is {first!r}. {EXAMPLE} For scores it must be id,0,1,… up to {num_classes - 1}: a column a class."
    )


def _in_order(rows: list[list[str]], count: int, value) -> np.ndarray:
    """`value(row, line)` of every row behind the header, sorted by id, once every id is known to be there once."""
    values: dict[int, object] = {}
    for line, row in enumerate(rows[1:], 2):
        if not row:  # an empty line, usually the last
            continue
        if len(row) != len(rows[0]):
            raise ValueError(f"Line {line} has {len(row)} columns, the first line {len(rows[0])}.")
        name = row[0].strip()
        if not INDEX.fullmatch(name) or int(name) >= count:
            raise ValueError(f"Line {line}: the id {name[:20]!r} is unknown. Ids are whole numbers from 0 to {count - 1}.")
        if int(name) in values:
            raise ValueError(f"Line {line}: the id {name} is there twice. Every test image has one prediction.")
        values[int(name)] = value(row, line)
    if len(values) != count:
        missing = next(index for index in range(count) if index not in values)
        raise ValueError(f"There are {len(values)} predictions for {count} test images; id {missing} is missing.")
    return np.array([values[index] for index in range(count)])


def _label(cell: str, line: int, num_classes: int) -> int:
    if not INDEX.fullmatch(cell.strip()) or int(cell) >= num_classes:
        raise ValueError(
            f"Line {line}: the label {cell.strip()[:20]!r} is not a class. Labels are whole numbers "
            f"from 0 to {num_classes - 1}, the positions in class_names."
        )
    return int(cell)


def _score(cell: str, line: int) -> float:
    if not NUMBER.fullmatch(cell.strip()):
        raise ValueError(f"Line {line}: the score {cell.strip()[:20]!r} is not a number with a decimal point.")
    return float(cell)


def _ranked(scores: np.ndarray) -> np.ndarray:
    if not np.isfinite(scores).all():
        row = int(np.flatnonzero(~np.isfinite(scores).all(1))[0])
        raise ValueError(f"The scores of image {row} hold NaN or infinity: did the training diverge?")
    return np.argsort(-scores, axis=1, kind="stable")[:, :TOP]  # of equal scores the first class

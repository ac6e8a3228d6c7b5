"""What a team sends: class indices or scores, checked in full before anything is kept.

A pure function of the bytes, so that it can be tested with any bytes at all. Each refusal is a sentence for a student.
"""

import re

import numpy as np

SCORES = "application/octet-stream"  # little-endian float32, row after row; anything else is read as CSV
AROUND = ' \t"'  # what may stand around a cell
NOT_WHOLE = re.compile(r"\W*(\d+\.\d*|True|False)\W*", re.ASCII)  # how floats and booleans are written
EXAMPLE = "The first line must be id,label and every other one an id and a class index, for example 0,3."


def largest(count: int, num_classes: int) -> int:
    """How many bytes a submission may have: room for each form, with blanks and quotes."""
    return 4096 + count * (40 + 4 * num_classes)


def read(body: bytes, form: str, count: int, num_classes: int) -> np.ndarray:
    """The classes that were predicted, best first: int64 `(count, 1)`, or `(count, 5)` from more than five scores each.

    Args:
        body: scores, `count` rows of `num_classes` float32; or a CSV in Kaggle's form, `id,label`.
        form: `SCORES`, or anything else for a CSV.
        count: how many test images there are; their ids are 0 to `count` - 1, in any order.
        num_classes: how many classes there are.

    Raises:
        ValueError: whatever is wrong with it, in a sentence.
    """
    if not body:
        raise ValueError(f"The submission is empty. {EXAMPLE}")
    if body.startswith(b"PK\x03\x04"):
        raise ValueError("This is a ZIP file (or a spreadsheet, which is one). Unpack it and send the CSV file inside.")
    if form != SCORES:
        try:
            text = body.decode("utf-8-sig")  # without the byte-order mark that spreadsheets put in front
        except UnicodeDecodeError:
            raise ValueError("This is not UTF-8: another encoding, or no text at all. Save it as CSV UTF-8.") from None
        return _labels(text.splitlines(), count, num_classes)[:, None]
    if len(body) != (expected := 4 * count * num_classes):
        raise ValueError(f"Scores for {count} images and {num_classes} classes are {expected} bytes, not {len(body)}.")
    scores = np.frombuffer(body, "<f4").reshape(count, num_classes)
    if len(broken := np.flatnonzero(~np.isfinite(scores).all(1))):
        raise ValueError(f"The scores of image {broken[0]} hold NaN or infinity: did the training diverge?")
    best = 5 if num_classes > 5 else 1
    return np.argsort(-scores, axis=1, kind="stable")[:, :best]  # of equal scores the first class


def _labels(lines: list[str], count: int, num_classes: int) -> np.ndarray:
    """The labels in the order of their ids, once each id is known to be there once: `(count,)` int64."""
    header = lines[0] if lines else ""
    labels = {}
    cells = [cell.strip(AROUND) for cell in header.split(",")]
    if cells != ["id", "label"]:
        if cells == ["", "id", "label"]:
            raise ValueError("The first column is the table's index. Write the file with to_csv(path, index=False).")
        comma = "Columns must be separated by a comma alone. " if re.match(r"\W*id[^\w,]+label", header) else ""
        raise ValueError(f"The first line is {header[:40]!r}. {comma}{EXAMPLE}")
    ids, classes = ({str(number): number for number in range(size)} for size in (count, num_classes))
    for number, line in enumerate(lines[1:], 2):
        if not line.strip(AROUND):  # usually the last
            continue
        name, _, label = line.partition(",")
        if (index := ids.get(name.strip(AROUND))) is None:
            raise ValueError(f"Line {number}: the id {name[:20]!r} is unknown. Ids go from 0 to {count - 1}.")
        if index in labels:
            raise ValueError(
                f"Line {number}: the id {name[:20]!r} is there twice. Every test image has one prediction."
            )
        if (named := classes.get(label.strip(AROUND))) is None:
            whole = " Make whole numbers of them: predictions.astype(int)." if NOT_WHOLE.fullmatch(label) else ""
            raise ValueError(
                f"Line {number}: the label {label[:20]!r} is no class. Classes go from 0 to {num_classes - 1}.{whole}"
            )
        labels[index] = named
    if len(labels) != count:
        missing = next(index for index in range(count) if index not in labels)
        raise ValueError(f"There are {len(labels)} predictions for {count} test images: id {missing} is missing.")
    return np.array([labels[index] for index in range(count)], np.int64)

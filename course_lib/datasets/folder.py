"""A student's own pictures: a folder that holds a folder per class becomes an `ImageDataset` like any other.

`layouts` says how the folders may lie, `pictures` what becomes of a file, `copies` what counts as a near copy.

Where there is no test or validation folder, 15% of each class are cut for it. Which ones follows from the files'
names alone: the same on every machine, and most pictures keep their part when others are added. Near copies (a file
twice, resized, re-compressed, brightened; frames of one burst) are kept in one part: a test picture that was trained
on tells nothing about new ones, and nobody finds them all by hand. Parts that came as folders stay as they are; what
lies in two of them is named. Copies that are mirrored, turned or cropped are not found.
"""

import collections
import hashlib
import os
import pathlib
import sys
import warnings
from collections.abc import Sequence

import numpy as np
import psutil
import tqdm
from PIL import Image

from course_lib import common
from course_lib.batching import Split
from course_lib.datasets.copies import near_copies
from course_lib.datasets.dataset_info import ImageDataset
from course_lib.datasets.files import File, Report, check_parts, existing, files_below, in_order, some
from course_lib.datasets.layouts import ACCEPTED, text
from course_lib.datasets.pictures import UnreadableError, check_fit, read_picture, square
from course_lib.datasets.squares import Levels, levels_of

__all__ = ["load_folder", "near_copies", "read_folder", "square"]

LEAST = 10  # different pictures that a class needs
SHARE = 0.15  # of a class for the test, and as much for validation
DARK = 16  # of 256: a picture without a brighter pixel looks black
UNEQUAL = 3  # how many times as many pictures the largest class holds before it is said

Rows = dict[str, list[int]]  # which pictures are in a part


def load_folder(path: str | os.PathLike, side: int = 64, fit: str = "crop") -> ImageDataset:
    """The pictures below `path`, `side` pixels high and wide: a folder per class, or another layout of `layouts`.

    Prints what was found, and what was left out and why; the result's `notes` hold all names of these files. `fit`
    is "crop" for the middle square of a picture, or "pad" for all of it with gray at two sides.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: another `fit`, fewer than two classes, too few different pictures of one, a part that lacks one,
            or more pictures of this size than there is memory for.
    """
    common.at_least(16, side=side)
    check_fit(fit)
    root = existing(path)
    name = text(root.name)
    report = Report()
    found = files_below(root, report)
    classes = in_order(file.kind for file in found)
    check_parts(found, classes)
    _check_memory(len(found), side)
    files, images = _read(found, side, fit, report)
    groups = near_copies(images).tolist()
    _note_copies(files, groups, report)
    _say_what_was_found(name, files, classes, report)
    check_parts(files, classes)
    rows = _cut(files, groups)
    if few := _too_few(files, groups, rows, classes):
        raise _refusal(root, few, report.left_out)
    more = "; .notes of the result names all files" if any(len(names) > 3 for names in report.all().values()) else ""
    print(f"  {', '.join(f'{part} {len(rows[part])}' for part in rows)}{more}")
    _say_imbalance(collections.Counter(files[row].kind for row in rows["train"]))
    labels = np.array([classes.index(file.kind) for file in files])
    splits = (Split(images[part], labels[part]) for part in rows.values())
    paths = {part: [files[row].path for row in chosen] for part, chosen in rows.items()}
    return ImageDataset(name, (side, side, 3), tuple(classes), *splits, notes=report.all(), paths=paths)


def read_folder(
    path: str | os.PathLike, class_names: Sequence[str], side: int = 64, fit: str = "crop"
) -> tuple[np.ndarray, np.ndarray]:
    """All photos of a folder to test on, not cut into parts: uint8 `(n, side, side, 3)` and their labels, int64 `(n,)`.

    Files are read, named and left out as by `load`; hidden ones are ignored.

    Args:
        path: a folder with a folder of photos per class.
        class_names: the classes in the order of their labels, as the classifier knows them.
        side: to how many pixels the photos are scaled.
        fit: "crop" for the middle square of a photo, "pad" for all of it with gray at two sides.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: a folder with photos that is named like no class, or no photo that can be read.
    """
    common.at_least(16, side=side)
    check_fit(fit)
    root = existing(path)
    names = list(class_names)
    report = Report()
    found = files_below(root, report)
    if unknown := in_order({file.kind for file in found} - set(names)):
        raise ValueError(
            f"{root} holds photos of {some(unknown)}, and the classes are {some(names, 10)}: "
            "name its folders like the classes"
        )
    _check_memory(len(found), side)
    files, images = _read(found, side, fit, report)
    _say_what_was_found(text(root.name), files, names, report)
    if not files:
        raise ValueError(f"{root} holds no photo that can be read: the lines above say why")
    return images, np.array([names.index(file.kind) for file in files])


def _say_what_was_found(name: str, files: list[File], classes: list[str], report: Report) -> None:
    counts = collections.Counter(file.kind for file in files)
    print(f"{name}: {len(files)} pictures, {some([f'{counts[kind]} {kind}' for kind in classes], 10)}")
    for line in [*report.lines, *(f"{note}: {len(names)} ({some(names)})" for note, names in report.all().items())]:
        print(f"  {line}")


def _check_memory(count: int, side: int) -> None:
    needed = 2 * count * side * side * 3  # as they are read, and once more in the parts
    free = psutil.virtual_memory().available
    if needed > free:
        raise ValueError(
            f"{count:,} pictures of side={side} pixels take {needed / 1e9:,.1f} GB of memory, and {free / 1e9:.1f} GB "
            "are free: choose a smaller side"
        )


def _read(found: list[File], side: int, fit: str, report: Report) -> tuple[list[File], np.ndarray]:
    """Those files that read, and their pictures `(n, side, side, 3)`."""
    files = []
    images = np.empty((len(found), side, side, 3), np.uint8)
    deep = collections.defaultdict(dict)  # by kind of file: the rows with more than 8 bits and their values
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of odd metadata
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for file in _watched(found, "reading"):
            try:
                picture = read_picture(file.path, side, fit=fit)
            except UnreadableError as error:
                report.left_out[error.kind].append(file.name)
                continue
            except Exception as error:  # too large, or damaged: decoders raise whatever such a file leads them to
                reason = getattr(error, "strerror", None) or error
                report.left_out["damaged or too large"].append(f"{file.name}: {reason}")
                continue
            images[len(files)] = picture.square
            if picture.values:
                deep[picture.mode][len(files)] = picture.values
            for note in picture.notes:
                report.notes[note].append(file.name)
            files.append(file)
        images = images[: len(files)]
        for values in deep.values():
            _scale(files, images, values, fit, report)
    if dark := [files[row].name for row in np.flatnonzero(images.max(axis=(1, 2, 3), initial=0) < DARK)]:
        report.notes[f"nearly black, no value above {DARK - 1} of 255: are they saved with too few bits?"] += dark
    return files, images


def _watched(files: list, doing: str):
    """The files, with a line that says how far it is from the second second on."""
    return tqdm.tqdm(files, desc=doing, unit=" pictures", delay=2, leave=False, file=sys.stdout)


def _scale(files: list[File], images: np.ndarray, values: dict[int, Levels], fit: str, report: Report) -> None:
    """Reads pictures with more than 8 bits anew, between the levels of all of their kind."""
    black, white = levels_of(list(values.values()))
    for row in _watched(list(values), "scaling"):
        images[row] = read_picture(files[row].path, images.shape[1], (black, white), fit).square
    said = f"{black:,g} is taken as black and {white:,g} as white" if black else f"{white:,g} is taken as white"
    report.notes[f"more than 8 bits, of which {said}"] += [files[row].name for row in values]


def _note_copies(files: list[File], groups: list[int], report: Report) -> None:
    first = {}
    for file, group in zip(files, groups, strict=True):
        original = first.setdefault(group, file)
        if file is not original:
            place = "kept in one part" if file.part == original.part else "in two parts, which makes results too good"
            label = "" if file.kind == original.kind else ", but in two classes: is the label right?"
            report.notes[f"near copies, {place}{label}"].append(f"{original.name} ~ {file.name}")


def _cut(files: list[File], groups: list[int]) -> Rows:
    """Which pictures each part holds, classes mixed. What is missing is cut from train, near copies together."""
    order = sorted(range(len(files)), key=lambda row: hashlib.sha256(files[row].name.encode()).digest())
    rows = {part: [row for row in order if files[row].part == part] for part in ("train", "validation", "test")}
    missing = [part for part in ("test", "validation") if not rows[part]]
    together = collections.defaultdict(list)
    taken = collections.Counter()
    for row in rows["train"]:
        together[groups[row]].append(row)
    counts = collections.Counter(files[row].kind for row in rows["train"])
    rows["train"] = []
    for members in together.values():
        kind = files[members[0]].kind
        room = max(1, round(SHARE * counts[kind])) - len(members)
        part = next((part for part in missing if taken[part, kind] <= room), "train")
        taken[part, kind] += len(members)
        rows[part] += members
    return rows


def _too_few(files: list[File], groups: list[int], rows: Rows, classes: list[str]) -> list[str]:
    """The classes with too few pictures, each with the number of those to train on, near copies counted once."""
    least = 1 if len({file.part for file in files}) == len(rows) else LEAST  # where nothing is cut, one will do
    different = {kind: set() for kind in classes}
    for file, group in zip(files, groups, strict=True):
        if file.part == "train":
            different[file.kind].add(group)
    held = [{files[row].kind for row in part} for part in rows.values()]
    few = [kind for kind in classes if len(different[kind]) < least or any(kind not in kinds for kinds in held)]
    return [f"{len(different[kind])} {kind}" for kind in few]


def _refusal(root: pathlib.Path, few: list[str], left_out: dict[str, list[str]]) -> ValueError:
    why = max(left_out, key=lambda each: len(left_out[each]), default=None)
    reason = f" Of the files {len(left_out[why])} were left out, {why}." if why else ""
    return ValueError(
        f"{root} has too few different pictures: {some(few, 10)}.{reason} To be cut, a class needs {LEAST}, near "
        "copies counted once, and each part needs some of each class. Add pictures, take the class away, or cut by "
        f"hand: {ACCEPTED}."
    )


def _say_imbalance(counts: collections.Counter) -> None:
    """Says so where one class has many times as many pictures to train on as another."""
    (most, many), *_, (least, few) = counts.most_common()
    if many >= UNEQUAL * few:
        print(
            f"  {most} has {many / few:.0f} times as many pictures to train on as {least}: "
            'train(..., class_weight="balanced") weighs the classes alike'
        )

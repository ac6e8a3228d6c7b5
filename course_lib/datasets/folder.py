"""A student's own pictures: a folder that holds a folder a class becomes an `ImageDataset` like any other.

Each picture becomes a square in RGB: turned upright, its middle square cut out and scaled. Gray is repeated three
times, what is transparent becomes white, 16 bits become 8.

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
import unicodedata
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from course_lib import common
from course_lib.batching import Split
from course_lib.datasets.catalog import ImageDataset

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP")
PARTS = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}
ACCEPTED = "a folder a class (cat/1.jpg, dog/2.jpg), or train, validation and test with a folder a class in each"
HIDDEN = (".", "Thumbs.db", "desktop.ini", "__MACOSX")  # how names start that some system hides
LEAST = 10  # different pictures that a class needs
SHARE = 0.15  # of a class for the test, and as much for validation
ALIKE = 0.99  # correlation; of 4,000 toy scenes no two reach it, of 5,000 digits five pairs do

File = collections.namedtuple("File", "path name kind part")  # name: below the set's folder; kind: the class


def load_folder(path: str | os.PathLike, side: int = 64) -> ImageDataset:
    """The pictures below `path`, `side` pixels high and wide: a folder a class, or train, validation and test of such.

    Prints what was found, and what was left out and why.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: fewer than two classes, or too few different pictures of one.
    """
    common.at_least(16, side=side)
    root = pathlib.Path(os.path.abspath(os.path.expanduser(path)))
    notes = collections.defaultdict(list)  # what the student is told: the files that it is about
    found = _find(root, notes)
    classes = sorted({file.kind for file in found})
    files, images = _read(found, side, notes)
    groups = near_copies(images).tolist()
    _note_copies(files, groups, notes)
    counts = collections.Counter(file.kind for file in files)
    print(f"{_text(root.name)}: {len(files)} pictures, {_some([f'{counts[kind]} {kind}' for kind in classes], 10)}")
    for note in filter(notes.get, notes):
        print(f"  {note}: {len(notes[note])} ({_some(notes[note])})")
    rows = _cut(root, files, groups, classes)
    print(f"  {', '.join(f'{part} {len(rows[part])}' for part in rows)}")
    labels = np.array([classes.index(file.kind) for file in files])
    splits = (Split(images[part], labels[part]) for part in rows.values())
    return ImageDataset(_text(root.name), (side, side, 3), tuple(classes), *splits)


def near_copies(images: np.ndarray) -> np.ndarray:
    """A number for each image of `(n, height, width, 3)` uint8, the same for near copies, and for copies of copies.

    Two are near copies where their 16×16 gray miniatures correlate by `ALIKE` or more, whatever their brightness and
    contrast. Difference hashes are no help: re-compressing can flip more of their bits than differ between two scenes.
    """
    small = [Image.fromarray(image).convert("L").resize((16, 16), Image.Resampling.BOX) for image in images]
    pixels = np.array([np.asarray(each) for each in small], np.float32).reshape(-1, 256)
    pixels -= pixels.mean(axis=1, keepdims=True)
    pixels[~pixels.any(axis=1), 0] = 1  # all that are of one color are alike
    pixels /= np.linalg.norm(pixels, axis=1, keepdims=True)
    groups = np.arange(len(images))
    for start in range(0, len(images), 256):  # blocks, for memory's sake
        for alike in pixels[start : start + 256] @ pixels.T >= ALIKE:
            groups[np.isin(groups, groups[alike])] = groups[alike].min()
    return groups


def _find(root: pathlib.Path, notes: dict[str, list[str]]) -> list[File]:
    """The files in the classes' folders, sorted. Folders inside these are not entered, so no link leads in circles."""
    if not root.is_dir():
        raise FileNotFoundError(f"{root} is {'a file: unpack it first' if root.exists() else 'not there'}")
    top = _inside(root)
    folders = [path for path in top if path.is_dir()]
    in_parts = all(path.name.lower() in PARTS and any(kind.is_dir() for kind in _inside(path)) for path in folders)
    kinds = [kind for folder in folders for kind in _inside(folder)] if in_parts else folders
    found, others = [], [path for path in (*top, *kinds) if not path.is_dir()]
    for kind in filter(pathlib.Path.is_dir, kinds):
        part, inside = PARTS[kind.parent.name.lower()] if in_parts else "train", _inside(kind)
        files = [path for path in inside if not path.is_dir()]
        others += [path for path in inside if path.is_dir()] if inside else [kind]
        found += [File(path, _text(path.relative_to(root)), _text(kind.name), part) for path in files]
    notes["left out, empty or not a file in a class's folder"] += [_text(path.relative_to(root)) for path in others]
    if len({file.kind for file in found}) < 2:
        held = _some([_text(path.name) for path in top]) or "nothing"
        raise ValueError(f"{root} holds {held}, not two classes. Sort the pictures like this: {ACCEPTED}.")
    return found


def _inside(folder: pathlib.Path) -> list[pathlib.Path]:
    """What is in a folder and not hidden, by name."""
    shown = (path for path in folder.iterdir() if not path.name.startswith(HIDDEN))
    return sorted(shown, key=lambda path: (_text(path.name), path.name))


def _read(found: list[File], side: int, notes: dict[str, list[str]]) -> tuple[list[File], np.ndarray]:
    """Those files that read, and their pictures `(n, side, side, 3)`."""
    files, images = [], np.empty((len(found), side, side, 3), np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of odd metadata
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for file in found:
            try:
                images[len(files)] = _square(file, side, notes)
                files.append(file)
            except UnidentifiedImageError:
                notes[f"left out, damaged or none of {', '.join(FORMATS)}"].append(file.name)
            except Exception as error:  # too large, or damaged: decoders raise whatever such a file leads them to
                reason = getattr(error, "strerror", None) or error
                notes["left out, damaged or too large"].append(f"{file.name}: {reason}")
    return files, images[: len(files)]


def _square(file: File, side: int, notes: dict[str, list[str]]) -> Image.Image:
    with Image.open(file.path, formats=FORMATS) as picture:
        if getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":  # a camera's, with previews
            notes["several frames, of which the first is taken"].append(file.name)
        picture.draft("RGB", (2 * side, 2 * side))  # a large JPEG is decoded at a half, a quarter or an eighth
        ImageOps.exif_transpose(picture, in_place=True)
        if picture.mode[0] in "IF":
            notes["more than 8 bits, of which 65,535 is taken as white"].append(file.name)
            picture = Image.fromarray((np.asarray(picture) / 257).clip(0, 255).round().astype(np.uint8))
        square = ImageOps.fit(picture.convert("RGBA"), (side, side))
        return Image.alpha_composite(Image.new("RGBA", square.size, "white"), square).convert("RGB")


def _note_copies(files: list[File], groups: list[int], notes: dict[str, list[str]]) -> None:
    first = {}
    for file, group in zip(files, groups, strict=True):
        original = first.setdefault(group, file)
        if file is not original:
            place = "kept in one part" if file.part == original.part else "in two parts, which makes results too good"
            label = "" if file.kind == original.kind else ", but in two classes: is the label right?"
            notes[f"near copies, {place}{label}"].append(f"{original.name} ~ {file.name}")


def _cut(root: pathlib.Path, files: list[File], groups: list[int], classes: list[str]) -> dict[str, list[int]]:
    """Which pictures each part holds, classes mixed. What is missing is cut from train, near copies together."""
    order = sorted(range(len(files)), key=lambda row: hashlib.sha256(files[row].name.encode()).digest())
    rows = {part: [row for row in order if files[row].part == part] for part in ("train", "validation", "test")}
    missing = [part for part in ("test", "validation") if not rows[part]]
    together, taken = collections.defaultdict(list), collections.Counter()
    for row in rows["train"]:
        together[groups[row]].append(row)
    counts = collections.Counter(files[row].kind for row in rows["train"])
    different = collections.Counter(files[members[0]].kind for members in together.values())
    rows["train"] = []
    for members in together.values():
        kind = files[members[0]].kind
        room = max(1, round(SHARE * counts[kind])) - len(members)
        part = next((part for part in missing if taken[part, kind] <= room), "train")
        taken[part, kind] += len(members)
        rows[part] += members
    least, held = LEAST if missing else 1, [{files[row].kind for row in part} for part in rows.values()]
    if few := [kind for kind in classes if different[kind] < least or any(kind not in part for part in held)]:
        raise ValueError(
            f"{root} has too few different pictures: {_some([f'{different[kind]} {kind}' for kind in few], 10)}. To be "
            f"cut, a class needs {LEAST}, near copies counted once, and each part needs some of each class. Add "
            f"pictures, take the class away, or cut by hand: {ACCEPTED}."
        )
    return rows


def _text(name: str | pathlib.Path) -> str:
    """A name or path as text: one spelling on every system, and question marks for bytes that are no text."""
    return unicodedata.normalize("NFC", pathlib.PurePath(name).as_posix()).encode(errors="replace").decode()


def _some(names: list[str], most: int = 3) -> str:
    return ", ".join([*names[:most], *["…"] * (len(names) > most)])

"""The layouts of folders in which data sets of pictures are distributed.

A folder per class, or folders for training, validation and test (by whatever usual name) with a folder per class in
each, or the other way round; any of these inside a folder that holds nothing else; or loose files that are named by
their class (cat.1.jpg, dog.1.jpg). Folders inside a class's folder are not entered.
"""

import collections
import dataclasses
import functools
import os
import pathlib
import re
import unicodedata

PARTS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
}
ACCEPTED = (
    "one folder per class (cat/1.jpg, dog/2.jpg), or train, validation and test with one folder per class in each"
)
HIDDEN = (".", "Thumbs.db", "desktop.ini", "__MACOSX")  # how names start that some system hides
NO_PICTURES = (
    *(".csv", ".doc", ".docx", ".htm", ".html", ".ipynb", ".json", ".mat"),
    *(".md", ".pdf", ".py", ".tsv", ".txt", ".xml", ".yaml", ".yml"),
)
CAMERAS = ("dsc", "gopr", "image", "img", "mvi", "photo", "picture", "pxl", "screenshot", "whatsapp")  # no classes
MOST_FOLDERS = 5  # among which the one with the classes is looked for
DEEPEST = 3  # folders that it may lie in

Classes = dict[str, list[pathlib.Path]]  # the files of each class


class Folder:
    """A folder: the files and folders in it that are not hidden, by name, read when they are first asked for."""

    def __init__(self, path: pathlib.Path):
        self.path = path
        self.name = text(path.name)

    @functools.cached_property
    def inside(self) -> list["Folder | pathlib.Path"]:
        """Folders and files; none where it cannot be opened."""
        try:
            with os.scandir(self.path) as entries:
                shown = [entry for entry in entries if not entry.name.startswith(HIDDEN)]
                shown.sort(key=lambda entry: (text(entry.name), entry.name))
                return [Folder(self.path / each.name) if _is_folder(each) else self.path / each.name for each in shown]
        except OSError:
            return []

    @functools.cached_property
    def folders(self) -> list["Folder"]:
        """The folders in it."""
        return [each for each in self.inside if isinstance(each, Folder)]

    @functools.cached_property
    def files(self) -> list[pathlib.Path]:
        """The files in it."""
        return [each for each in self.inside if not isinstance(each, Folder)]

    @functools.cached_property
    def holds_pictures(self) -> bool:
        """Whether a file lies directly in it that may be a picture."""
        return any(path.suffix.lower() not in NO_PICTURES for path in self.files)

    @property
    def holds_pictures_below(self) -> bool:
        """Whether a folder in it holds pictures."""
        return any(inner.holds_pictures for inner in self.folders)


@dataclasses.dataclass(frozen=True)
class Layout:
    """The files of each class in each part, and the folder where they begin."""

    place: Folder
    parts: dict[str, Classes]
    by_name: bool = False  # whether a file's name says its class

    def files(self) -> set[pathlib.Path]:
        """The files of all classes and parts."""
        return {path for classes in self.parts.values() for files in classes.values() for path in files}


def find(folder: Folder, depth: int = DEEPEST) -> Layout | None:
    """The layout of the pictures below a folder, None where it is none of those above.

    Raises:
        ValueError: folders whose names are ambiguous, or parts without one to train on.
    """
    return _parts(folder) or _classes(folder) or _parts_of_classes(folder) or _below(folder, depth) or _loose(folder)


def _is_folder(entry: os.DirEntry) -> bool:
    return os.path.isdir(entry) if entry.is_symlink() else entry.is_dir()  # a link may lead in circles


def part_of(name: str) -> str | None:
    """The part that a folder's name says, as "Training", "val" and "seg_test" do."""
    words = re.findall("[a-z]+", name.lower())
    said = [part for part, names in PARTS.items() if any(word in names for word in words)]
    return said[0] if len(said) == 1 else None


def text(name: str | pathlib.PurePath) -> str:
    """A name or path as text: one spelling on every system, and question marks for bytes that are no text."""
    return unicodedata.normalize("NFC", pathlib.PurePath(name).as_posix()).encode(errors="replace").decode()


def _parts(folder: Folder) -> Layout | None:
    """train/cat, train/dog, test/cat, test/dog; also train/train/cat, and train/cat.1.jpg."""
    named = [inner for inner in folder.folders if part_of(inner.name)]
    others = [inner for inner in folder.folders if inner not in named and inner.holds_pictures]
    classes = {inner: _classes_of(inner, loose=not others) for inner in named}
    found = [inner for inner in named if classes[inner]]
    if len(found) < 2 and (not found or len(others) > 1):  # or a class is called so
        return None
    parts = {}
    for inner in found:
        part = part_of(inner.name)
        if part in parts:
            both = " and ".join(other.name for other in found if part_of(other.name) == part)
            raise ValueError(f"{folder.path} holds {both}, both for {part}: put the pictures into one of them")
        parts[part] = classes[inner]
    if "train" in parts:
        return Layout(folder, parts)
    if len(parts) == 1:
        return None
    raise ValueError(f"{folder.path} holds {' and '.join(each.name for each in found)}, but no folder train")


def _classes_of(part: Folder, loose: bool) -> Classes:
    within = part
    for _ in range(DEEPEST):  # a link may lead in circles
        if len(within.folders) == 1 and not within.holds_pictures and not within.folders[0].holds_pictures:
            within = within.folders[0]
    kinds = [inner for inner in within.folders if inner.holds_pictures]
    _check_names(within, [kind.name for kind in kinds])
    return {kind.name: kind.files for kind in kinds} or (_by_name(within.files) if loose else {})


def _classes(folder: Folder) -> Layout | None:
    """cat/1.jpg, dog/2.jpg."""
    kinds = [inner for inner in folder.folders if inner.holds_pictures]
    _check_names(folder, [kind.name for kind in kinds])
    return Layout(folder, {"train": {kind.name: kind.files for kind in kinds}}) if len(kinds) > 1 else None


def _parts_of_classes(folder: Folder) -> Layout | None:
    """cat/train, cat/test, dog/train, dog/test."""
    kinds = [kind for kind in folder.folders if kind.holds_pictures_below]
    if len(kinds) < 2 or not all(part_of(inner.name) for kind in kinds for inner in kind.folders):
        return None
    parts = collections.defaultdict(dict)
    for kind in kinds:
        for inner in kind.folders:
            held = parts[part_of(inner.name)]
            held[kind.name] = [*held.get(kind.name, []), *inner.files]
    return Layout(folder, parts) if "train" in parts else None


def _below(folder: Folder, depth: int) -> Layout | None:
    """PetImages/cat, PetImages/dog; beside it there may be folders without pictures."""
    if not depth or len(folder.folders) > MOST_FOLDERS:
        return None
    found = {inner: layout for inner in folder.folders if (layout := find(inner, depth - 1))}
    others = [inner for inner in folder.folders if inner not in found]
    if len(found) != 1 or any(inner.holds_pictures or inner.holds_pictures_below for inner in others):
        return None
    return next(iter(found.values()))


def _loose(folder: Folder) -> Layout | None:
    """cat.1.jpg, dog.1.jpg."""
    classes = {} if any(inner.holds_pictures for inner in folder.folders) else _by_name(folder.files)
    _check_names(folder, list(classes))
    return Layout(folder, {"train": classes}, by_name=True) if classes else None


def _by_name(files: list[pathlib.Path]) -> Classes:
    """The files by what stands before the number in their names; none where that says no two classes."""
    classes = collections.defaultdict(list)
    for path in files:
        match = re.fullmatch(r"(.*?)[ ._-]*\(?\d+\)?", text(path.stem))
        if match and re.search(r"[^\W\d_]", match[1]) and not match[1].lower().startswith(CAMERAS):
            classes[match[1]].append(path)
    named = sum(map(len, classes.values()))
    return classes if len(classes) > 1 and 2 * named > len(files) and named > 2 * len(classes) else {}


def _check_names(folder: Folder, names: list[str]) -> None:
    """Checks that no two classes differ in capital letters alone."""
    spelled = collections.defaultdict(list)
    for name in names:
        spelled[name.strip().casefold()].append(name)
    for alike in spelled.values():
        if len(alike) > 1:
            both = " and ".join(map(repr, alike))
            raise ValueError(f"{folder.path} holds {both}: are they one class? Then give it one name")

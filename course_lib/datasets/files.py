"""The picture files of a folder with their classes and parts, and what is said of all others."""

import collections
import dataclasses
import difflib
import os
import pathlib
import re
from collections.abc import Iterable

from course_lib.datasets.dataset_info import DATASETS
from course_lib.datasets.layouts import ACCEPTED, Folder, Layout, find, part_of, text

ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")

File = collections.namedtuple("File", "path name kind part")  # name: below the classes' folder; kind: the class


@dataclasses.dataclass
class Report:
    """What the student is told about files: each sentence with the names of the files that it is about."""

    lines: list[str] = dataclasses.field(default_factory=list)  # about none in particular
    left_out: dict[str, list[str]] = dataclasses.field(default_factory=lambda: collections.defaultdict(list))
    notes: dict[str, list[str]] = dataclasses.field(default_factory=lambda: collections.defaultdict(list))

    def all(self) -> dict[str, list[str]]:
        """Every sentence with its files."""
        return {f"left out, {why}": names for why, names in self.left_out.items()} | self.notes


def files_below(path: pathlib.Path, report: Report) -> list[File]:
    """The files in the classes' folders, in order.

    Raises:
        ValueError: fewer than two classes, or ambiguous names.
    """
    root = Folder(path)
    layout = find(root)
    if layout is None:
        raise _refusal(root)
    if layout.place is not root:
        report.lines.append(f"the classes are in the folder {text(layout.place.path.relative_to(root.path))}")
    if layout.by_name:
        report.lines.append("the files' names say their classes, what stands before the number")
    files = [
        File(file, text(file.relative_to(layout.place.path)), kind, part)
        for part, classes in layout.parts.items()
        for kind, paths in classes.items()
        for file in paths
    ]
    _report_unused(layout, report)
    return files


def existing(path: str | os.PathLike) -> pathlib.Path:
    """The absolute path of a folder. Raises FileNotFoundError where it is none."""
    root = pathlib.Path(os.path.abspath(os.path.expanduser(path)))
    if root.is_dir():
        return root
    if root.exists():
        advice = "unpack it first" if root.suffix.lower() in ARCHIVES else "give the folder that holds the classes"
        raise FileNotFoundError(f"{root} is a file: {advice}")
    beside = [folder.name for folder in Folder(root.parent).folders]
    near = [f"{root.parent / name}" for name in difflib.get_close_matches(root.name, beside, n=1)]
    near += [f"the data set load({root.name!r})"] if root.name in DATASETS else []
    raise FileNotFoundError(
        f"the folder {root} is not there" + (f"; did you mean {' or '.join(near)}?" if near else "")
    )


def check_parts(files: list[File], classes: list[str]) -> None:
    """Checks that every part that has files holds all classes.

    Raises:
        ValueError: names the part and the class, and the name that may be meant.
    """
    held = {part: {file.kind for file in files if file.part == part} for part in ("train", "validation", "test")}
    held = {part: kinds for part, kinds in held.items() if kinds}
    shared = set.intersection(*held.values()) if held else set()
    problems = []
    for part, kinds in held.items() if len(held) > 1 else ():
        odd = {kind.casefold(): kind for kind in kinds - shared}
        for kind in (kind for kind in classes if kind not in kinds):
            near = difflib.get_close_matches(kind.casefold(), odd, n=1)
            problems.append(f"{part} has no pictures of {kind!r}{f', but of {odd[near[0]]!r}' if near else ''}")
    if problems:
        raise ValueError(
            f"{'; '.join(problems)}. Each part needs some of each class, in folders of one name: rename a folder, "
            "add pictures, or take the class away."
        )


def in_order(names: Iterable[str]) -> list[str]:
    """Names in the order of their labels: numbers by their value, and class2 before class10."""
    names = set(names)
    if all(re.fullmatch(r"-?\d+(\.\d+)?", name) for name in names):
        return sorted(names, key=lambda name: (float(name), name))
    return sorted(names, key=lambda name: (_pieces(name), name))


def _pieces(name: str) -> list[tuple]:
    return [(0, int(each), "") if each.isdecimal() else (1, 0, each) for each in re.findall(r"\d+|\D+", name)]


def some(names: list[str], most: int = 3) -> str:
    """The first names, for a printed line."""
    more = ["…"] if len(names) > most else []
    return ", ".join([*names[:most], *more])


def _report_unused(layout: Layout, report: Report) -> None:
    """Reports what lies in the layout's folders and belongs to no class: files, and folders as a whole."""
    for each in _unused(layout.place, layout.files()):
        path = each.path if isinstance(each, Folder) else each
        report.left_out[_why_unused(each, layout)].append(text(path.relative_to(layout.place.path)))


def _why_unused(each: Folder | pathlib.Path, layout: Layout) -> str:
    if isinstance(each, Folder) and each in layout.place.folders:
        if each.holds_pictures and part_of(each.name):
            return "without a folder per class, so that the pictures have no labels"
        if each.holds_pictures or each.holds_pictures_below:
            return "with pictures, but neither a class nor named train, validation or test"
    return "empty or not a file in a class's folder"


def _unused(folder: Folder, used: set[pathlib.Path]) -> list[Folder | pathlib.Path]:
    entered = {above for kind in {path.parent for path in used} for above in (kind, *kind.parents)}
    unused = []
    for each in folder.inside:
        if isinstance(each, Folder):
            unused += _unused(each, used) if each.path in entered else [each]
        elif each not in used:
            unused.append(each)
    return unused


def _refusal(root: Folder) -> ValueError:
    """Why there are no two classes, and what to do."""
    held = some([text(each.name) for each in root.inside]) or "nothing"
    deep = [inner.name for inner in root.folders if inner.holds_pictures_below and not inner.holds_pictures]
    hint = f" Folders instead of pictures are in {some(deep)}: load it, or move the pictures up." if deep else ""
    tables = [path.name for path in root.files if path.suffix.lower() in (".csv", ".tsv", ".xlsx")]
    hint += f" Labels in a table ({some(tables)}) are not read." if tables else ""
    empty = [folder.name for folder in root.folders if not folder.holds_pictures_below]
    hint += f" No pictures are in {some(empty)}." if empty else ""
    return ValueError(
        f"{root.path} holds {held}, not pictures of two classes. Sort the pictures like this: {ACCEPTED}.{hint}"
    )

"""Your own copy of the lessons: `python -m course_lib study` copies them without outputs and opens JupyterLab there.

A copy that a student has worked in is never written again. Where its lesson has changed in the course, the new one is
offered beside it. What was copied is noted in `.course.json` in that folder.
"""

import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import nbformat

from course_lib import common
from course_lib.classroom import lesson_runs

LESSONS = lesson_runs.LESSONS
FOLDER = common.ROOT / "my_lessons"
NOTE = ".course.json"


def main(arguments: list[str]) -> int:
    """Copies the lessons and opens JupyterLab; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m course_lib study",
        description="Copies the lessons, without outputs, into a folder of your own and opens JupyterLab there. "
        "Type it again after an update of the course: what you have written stays as it is.",
    )
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=FOLDER, help="your folder (my_lessons)")
    parser.add_argument("--lessons", nargs="+", default=[], metavar="NAME", help="these lessons only, for example 03")
    parser.add_argument("--no-open", action="store_true", help="copy, and open nothing")
    options = parser.parse_args(arguments)
    folder = options.folder.expanduser().resolve()
    if folder in (LESSONS, common.ROOT):
        parser.error(f"{folder} belongs to the course, and an update would replace your work: name another folder")
    try:
        paths = lesson_runs.find(options.lessons, LESSONS)
        copied = copy(paths, folder)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    if options.no_open:
        print(f"Open them by: {sys.executable} -m jupyterlab {folder}")
        return 0
    return open_lab(folder, copied[0] if options.lessons else None)


def copy(paths: list[pathlib.Path], folder: pathlib.Path) -> list[pathlib.Path]:
    """Puts a copy of each lesson into `folder`, says in a line what was done with it; returns the student's copies."""
    folder.mkdir(parents=True, exist_ok=True)
    given = _read_note(folder)
    copied = []
    for path in paths:
        content = without_outputs(path)
        target = folder / path.name
        print(f"{path.stem:26} {_place(content, target, given)}")
        copied.append(target)
        _write(folder / NOTE, json.dumps(given, indent=1).encode())
    return copied


def _place(content: bytes, target: pathlib.Path, given: dict[str, list[str]]) -> str:
    """Writes `content` to `target`, or beside it where that may hold work; returns what was done.

    `given` holds the digests of all versions of this lesson that the student has got, the last one at the end.
    """
    name = target.name
    versions = given.setdefault(target.name, [])
    new = digest(content)
    if not target.exists():
        done = "copied"
        _write(target, content)
    elif digest(target.read_bytes()) == new:
        done = "as before"
    elif digest(target.read_bytes()) in versions:
        done = "replaced by the new version; you had not changed it"
        _write(target, content)
    elif new in versions:
        return "yours, kept; the lesson has not changed"
    else:
        beside = _free_name(target)
        _write(beside, content)
        done = f"yours, kept; the lesson has changed: see {beside.name} beside it"
    given[name] = [version for version in versions if version != new] + [new]
    return done


def _free_name(target: pathlib.Path) -> pathlib.Path:
    """A name beside `target` that is not taken, such as 03_lenet_updated.ipynb."""
    number = 1
    while True:
        ending = "_updated" if number == 1 else f"_updated_{number}"
        beside = target.with_name(f"{target.stem}{ending}{target.suffix}")
        if not beside.exists():
            return beside
        number += 1


def without_outputs(path: pathlib.Path) -> bytes:
    """Returns the notebook at `path` as a student begins with it: no outputs, no counts, no outcome folded away."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
            cell.metadata.get("jupyter", {}).pop("outputs_hidden", None)
    return (nbformat.writes(notebook) + "\n").encode()


def digest(content: bytes) -> str:
    """Returns the SHA-256 of `content` in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def _read_note(folder: pathlib.Path) -> dict[str, list[str]]:
    """What was copied before; empty where that is not known, and then every differing copy counts as work."""
    try:
        note = json.loads((folder / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(note, dict):
        return {}
    return {
        name: [str(version) for version in versions] for name, versions in note.items() if isinstance(versions, list)
    }


def _write(path: pathlib.Path, content: bytes) -> None:
    """Writes a whole file or none."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def open_lab(folder: pathlib.Path, notebook: pathlib.Path | None) -> int:
    """Runs JupyterLab in `folder` until it is closed; returns its exit status."""
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}"]
    command.append(f"--ContentsManager.pre_save_hook={__name__}.before_saving")
    if notebook is not None:
        command.append(f"--LabApp.default_url=/lab/tree/{notebook.name}")
    course = [str(common.ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]  # where it is not installed
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(course)}
    try:
        return subprocess.call(command, cwd=folder, env=environment)
    except KeyboardInterrupt:  # Ctrl-C ends JupyterLab too
        return 0


def before_saving(model: dict, **_: object) -> None:
    """Takes widget views out of a notebook that JupyterLab saves, where the same output has another form.

    Without a kernel a view shows an error in place of the card; the static card beside it can be read.
    """
    if model.get("type") != "notebook" or model.get("format") != "json":
        return
    for cell in model["content"].get("cells", []):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "text/html" in data:
                data.pop(lesson_runs.WIDGET_VIEW, None)

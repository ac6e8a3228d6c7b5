"""Every public name of the library is used by a lesson, or by another part of the library.

The lessons are read as saved; experiments, judges of exercises and commands are files of `course_lib` like others.
"""

import ast
import functools
import json
import pathlib
import re
from collections.abc import Iterator

import pytest

from course_lib import common

KIT = common.ROOT / "course_lib"
LESSONS = common.ROOT / "lessons"
STUBS = sorted(KIT.rglob("__init__.pyi"))
OTHERWISE = {  # names that students type or meet outside of the lessons, and where
    "challenge.connect": "the page of a challenge shows it",
    "datasets.status": "the command check asks for it in a process of its own",
    "datasets.toy_scenes.BACKGROUNDS": "what a scene's field may be",
    "datasets.toy_scenes.DISTRACTORS": "what a scene's field may be",
    "datasets.toy_scenes.OCCLUDERS": "what a scene's field may be",
    "datasets.toy_scenes.RANGES": "what a scene's fields may be",
    "datasets.toy_scenes.Rendered": "what toy_scenes.render returns",
    "exercises.hand_in": "students type it when they are done",
    "exercises.progress": "students type it at any time",
    "experiments.EXPERIMENTS": "what the command reproduce can record, to train one setting oneself",
    "experiments.Experiment": "for an experiment of your own",
    "experiments.Setting": "for an experiment of your own",
    "experiments.data_id": "for an experiment of your own",
    "experiments.identity": "for an experiment of your own",
    "experiments.record_frozen_photos": "what makes data/frozen_photos.json again",
    "visualization.LiveCurves": "to watch a training of your own",
    "training.Stopped": "what a training that was stopped by hand raises",
    "training.last_run": "a training that was stopped by hand says to type it",
    "visualization.plot_gradients": "what gradient_sizes returns for your own networks is drawn with it",
    "visualization.plot_attribution": "one map over its image; the picture of the README is drawn with it",
}


def code_of(notebook: pathlib.Path) -> str:
    """The code cells of a notebook as one module, without lines that are no Python."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", code, flags=re.MULTILINE)


def names_used(code: str) -> Iterator[str]:
    """The names below `course_lib` that a module imports, or reaches through a package that it imports.

    For example "visualization.show" in `from course_lib import visualization as vis` followed by `vis.show(ax, …)`.
    """
    packages = {"course_lib": ""}
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "course_lib":
            below = node.module.split(".")[1:]
            for alias in node.names:
                packages[alias.asname or alias.name] = ".".join([*below, alias.name])
                yield ".".join([*below, alias.name])
                yield ".".join([*below[:-1], alias.name])  # `from package.module import name` uses the package's name
    for node in ast.walk(tree):
        path = dotted(node)
        if path and path[0] in packages:
            full = [*filter(None, packages[path[0]].split(".")), *path[1:]]
            yield from (".".join(full[:length]) for length in range(1, len(full) + 1))


def dotted(node: ast.AST) -> list[str]:
    """`a.b.c` as its parts; empty for any other expression."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    return [node.id, *parts] if isinstance(node, ast.Name) and parts else []


def public_names(stub: pathlib.Path) -> set[str]:
    """The functions, classes and constants of a package; the modules that it shows are there to be read."""
    package = ".".join(stub.parent.relative_to(KIT).parts)
    imported = [node for node in ast.parse(stub.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)]
    return {f"{package}.{alias.name}".lstrip(".") for node in imported if node.module for alias in node.names}


def used_outside(package: pathlib.Path) -> set[str]:
    """Names that lessons and other parts of the library use."""
    files = [path for path in KIT.rglob("*.py") if package not in path.parents and package != KIT]
    return {name for path in [*files, *LESSONS.glob("*.ipynb")] for name in used_in(path)}


@functools.cache
def used_in(path: pathlib.Path) -> set[str]:
    """Names that one file of the library, or one lesson, uses."""
    return set(names_used(code_of(path) if path.suffix == ".ipynb" else path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("stub", STUBS, ids=lambda stub: stub.parent.name)
def test_every_public_name_is_used(stub):
    unused = public_names(stub) - used_outside(stub.parent) - set(OTHERWISE)
    assert unused == set(), "no lesson, experiment, judge or command uses these: delete them, or list them here"


def test_what_is_listed_here_exists():
    assert set(OTHERWISE) <= {name for stub in STUBS for name in public_names(stub)}


def test_uses_are_found_in_every_spelling():
    code = (
        "from course_lib import visualization as vis, models\nfrom course_lib.training.run import Run\nimport numpy\n"
    )
    code += "vis.show(models.summary.compare(numpy.show))\nother.explore()"
    found = set(names_used(code))
    assert {"visualization.show", "models.summary.compare", "training.Run"} <= found
    assert not {"numpy.show", "visualization.explore"} & found

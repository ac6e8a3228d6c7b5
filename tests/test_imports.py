"""The shape of the kit, read from its source: who imports whom, how heavy that is, and how much there is of it."""

import ast
import pathlib
import subprocess
import sys

import pytest

from course_lib import common

KIT = common.ROOT / "course_lib"
PARTS = ("datasets", "models", "training", "visualization")
LEAVES = {"array_checks", "batching", "common", "draws", "model_checks", "transform_checks", "updates"}
LONGEST_FUNCTION = 40  # lines of code, without its docstring
NAMEDTUPLE = {"_asdict", "_fields", "_make", "_replace"}  # underscored only to stay clear of field names


def sources(*names: str) -> list[pathlib.Path]:
    """The source files of these parts of the kit; all where none is named."""
    paths = [KIT / name for name in names] or [KIT]
    return sorted(path for top in paths for path in ([top] if top.is_file() else top.rglob("*.py")))


def tree(path: pathlib.Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: pathlib.Path) -> set[str]:
    """The full names that a file imports, wherever it does: `from a import b` and `import a.b` give "a.b"."""
    found = set()
    package = path.relative_to(KIT.parent).parent.parts
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def name(path: pathlib.Path) -> str:
    return str(path.relative_to(KIT))


def test_imports_are_read_in_every_spelling(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "KIT", tmp_path / "course_lib")
    path = tmp_path / "course_lib" / "models" / "lenet.py"
    path.parent.mkdir(parents=True)
    path.write_text("import a.b; from c import d; from . import e; from .f import g\ndef h(): from ..i import j")
    kit = {"course_lib.models.e", "course_lib.models.f.g", "course_lib.i.j"}
    assert imports(path) == {"a.b", "c.d"} | kit


@pytest.mark.parametrize("path", sources(*PARTS), ids=name)
def test_parts_import_only_themselves_and_the_leaves(path):
    part = path.relative_to(KIT).parts[0]
    inside = [f"{full}." for full in imports(path) if full.split(".")[0] == "course_lib"]
    assert {full.split(".")[1] for full in inside} <= {part} | LEAVES


@pytest.mark.parametrize("path", sources("challenge"), ids=name)
def test_a_challenge_knows_the_data_and_no_network(path):
    arrows = {full.split(".")[1] for full in imports(path) if full.startswith("course_lib.")}
    assert arrows <= {"challenge", "datasets", "common", "startup"}


@pytest.mark.parametrize("path", [KIT / f"{leaf}.py" for leaf in sorted(LEAVES)], ids=name)
def test_leaves_import_only_leaves(path):
    arrows = {full.split(".")[1] for full in imports(path) if full.startswith("course_lib.")}
    assert arrows <= LEAVES - {path.stem}


@pytest.mark.parametrize("path", sources("models"), ids=name)
def test_models_know_keras_numpy_and_the_standard_library(path):
    libraries = {full.split(".")[0] for full in imports(path)}
    assert libraries <= {"course_lib", "keras", "lazy_loader", "numpy"} | sys.stdlib_module_names


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        ("import course_lib", {"tensorflow", "keras", "matplotlib", "pandas", "numpy"}),
        ("from course_lib import datasets, training, visualization", {"tensorflow", "keras", "matplotlib", "pandas"}),
        ("from course_lib.challenge import command", {"tensorflow", "keras", "matplotlib", "pandas"}),
    ],
)
def test_importing_stays_light(statement, heavy):
    code = f"{statement}; import sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize(
    "package",
    ["challenge", "datasets", "datasets.toy_scenes", "exercises", "experiments", "models", "training", "visualization"],
)
def test_tab_shows_the_public_names_and_nothing_else(package):
    code = (
        f"import course_lib.{package} as package; print(set(dir(package)) == set(package.__all__), len(dir(package)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    same, count = done.stdout.split()
    assert same == "True" and int(count) > 1


@pytest.mark.parametrize("path", sources(), ids=name)
def test_nothing_private_of_others_is_used(path):
    """A name with a leading underscore may change with any release of the library it belongs to."""
    foreign = {full for full in imports(path) if full.split(".")[0] != "course_lib"}
    taken = {full for full in foreign if any(is_private(part) for part in full.split("."))}
    reached = {
        f"line {node.lineno}: .{node.attr}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in OWN | NAMEDTUPLE
    }
    assert taken | reached == set()


def is_private(text: str) -> bool:
    return text.startswith("_") and not text.endswith("__") and text != "_"


def defined(path: pathlib.Path) -> set[str]:
    """Names that a file gives to functions, classes, variables and attributes of its own objects."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            found.add(node.id if isinstance(node, ast.Name) else node.attr)
    return found


OWN = {text for path in sources() for text in defined(path)}


def code_lines(text: list[str], body: list[ast.stmt]) -> int:
    """Lines of code among those of `body`: neither blank nor comment."""
    lines = text[body[0].lineno - 1 : body[-1].end_lineno] if body else []
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in lines)


@pytest.mark.parametrize("path", sources(), ids=name)
def test_functions_are_short(path):
    text = path.read_text(encoding="utf-8").splitlines()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef):
            lines = code_lines(text, node.body[ast.get_docstring(node) is not None :])
            assert lines <= LONGEST_FUNCTION, f"{node.name}: {lines} lines"

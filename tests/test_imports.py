"""The shape of the kit, read from its source: who imports whom, how heavy that is, and how much there is of it."""

import ast
import pathlib
import subprocess
import sys

import pytest

from course_lib import common

KIT = common.ROOT / "course_lib"
PARTS = ("datasets", "models", "training", "visualization")
LEAVES = {
    "array_checks",
    "batching",
    "common",
    "draws",
    "label_checks",
    "model_checks",
    "normalization",
    "transform_checks",
    "updates",
}
LONGEST_FUNCTION = 40  # lines of code, without its docstring
LONGEST_FILE = 250  # lines
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


def modules() -> dict[str, pathlib.Path]:
    """Every module of the kit by its full name."""
    names = {}
    for path in sources():
        parts = path.relative_to(KIT.parent).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def test_no_files_import_each_other_in_a_circle():
    """A file whose imports are all above it is put above the others, until none is left."""
    known = modules()
    below = {}
    for module, path in known.items():
        targets = {full if full in known else full.rpartition(".")[0] for full in imports(path)}
        below[module] = targets & known.keys() - {module, "course_lib"}
    while free := {module for module, targets in below.items() if not targets & below.keys()}:
        below = {module: targets for module, targets in below.items() if module not in free}
    assert not below, f"in a circle, or above one: {below}"


@pytest.mark.parametrize("path", sources("challenge"), ids=name)
def test_a_challenge_knows_the_data_and_no_network(path):
    arrows = {full.split(".")[1] for full in imports(path) if full.startswith("course_lib.")}
    assert arrows <= {"challenge", "datasets", "common", "startup"}


@pytest.mark.parametrize("path", sources("exercises"), ids=name)
def test_exercises_know_what_answers_are_about_and_no_classroom(path):
    arrows = {full.split(".")[1] for full in imports(path) if full.startswith("course_lib.")}
    about = {"challenge", "datasets", "models", "training"} if {"judges", "solutions"} & set(path.parts) else set()
    about |= {"draws", "model_checks"} if "judges" in path.parts else set()  # leaves, beside common
    assert arrows <= {"exercises", "common"} | about


@pytest.mark.parametrize("path", [path for path in sources() if "classroom" not in path.parts], ids=name)
def test_nothing_but_the_command_line_knows_the_classroom(path):
    assert not any(full.startswith("course_lib.classroom") for full in imports(path))


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
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize(
    "package",
    [
        "",
        "challenge",
        "datasets",
        "datasets.toy_scenes",
        "exercises",
        "experiments",
        "models",
        "training",
        "visualization",
    ],
)
def test_tab_shows_the_public_names_and_nothing_else(package):
    package = f"course_lib.{package}".rstrip(".")
    code = f"import {package} as package; print(set(dir(package)) == set(package.__all__), len(dir(package)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    same, count = done.stdout.split()
    assert same == "True" and int(count) > 1


@pytest.mark.parametrize("stub", sorted(KIT.rglob("__init__.pyi")), ids=name)
def test_no_function_or_class_has_the_name_of_a_module(stub):
    """Once `a.b` is imported, `a.b` is the module: a function `b` of the package `a` would no longer be found."""
    own = {path.stem for path in stub.parent.glob("*.py")}
    imported = [node for node in tree(stub).body if isinstance(node, ast.ImportFrom)]
    assert {alias.name for node in imported if node.module for alias in node.names} & own == set()


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


@pytest.mark.parametrize("path", sources(), ids=name)
def test_files_are_short(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_FILE, f"{lines} lines"


def functions_in(node: ast.AST, depth: int = 0) -> list[tuple[ast.AST, int]]:
    """The functions and lambdas below a node, each with the number of functions around it."""
    found = []
    for child in ast.iter_child_nodes(node):
        inner = depth
        if isinstance(child, (ast.FunctionDef, ast.Lambda)):
            found.append((child, depth))
            inner += 1
        found += functions_in(child, inner)
    return found


def packed(node: ast.AST) -> bool:
    """Whether a node is a statement such as `a, b = 1, 2`."""
    return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple)


def test_packed_assignments_and_closures_in_closures_are_found():
    code = ast.parse("def f():\n    a, b = 1, 2\n    def g():\n        return lambda: a\nx, y = f()")
    assert [node.lineno for node in ast.walk(code) if packed(node)] == [2]
    assert [depth for _, depth in functions_in(code)] == [0, 1, 2]


@pytest.mark.parametrize("path", sources(), ids=name)
def test_code_is_plain(path):
    """One assignment per statement, and no function inside a function inside a function."""
    code = tree(path)
    assert [node.lineno for node in ast.walk(code) if packed(node)] == []
    assert [node.lineno for node, depth in functions_in(code) if depth > 1] == []

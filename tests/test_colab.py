"""Lessons in Colab, as far as that can be seen from here: badges, setup cells, and a kernel that looks like Colab's.

`pytest -m slow tests/test_colab.py` runs every lesson whole in such a kernel; give it the versions of
`data/colab-constraints.txt`.
"""

import os
import re
import subprocess
import sys
import tomllib

import lesson_rules
import nbformat
import pytest
from nbclient import NotebookClient

from course_lib import common

LESSONS = sorted((common.ROOT / "lessons").glob("*.ipynb"))
PROJECT = tomllib.loads((common.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REPOSITORY = PROJECT["urls"]["Repository"]


def setup_cell(notebook) -> str:
    return lesson_rules.tagged(notebook, "setup")[0][1].source


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_badge_and_setup_cell_name_this_lesson_and_the_repository(path):
    text = path.read_text(encoding="utf-8")
    owner_and_name = REPOSITORY.removeprefix("https://github.com/")
    badge = f"https://colab.research.google.com/github/{owner_and_name}/blob/main/lessons/{path.name}"
    assert set(re.findall(r"https://colab\.research\.google\.com/github/[^\s)]+", text)) == {badge}
    assert set(re.findall(r"git clone .*(https://\S+)", setup_cell(nbformat.read(path, 4)))) == {REPOSITORY}
    assert set(re.findall(r"https://github\.com/[\w-]+/how-computers-see", text)) == {REPOSITORY}


def test_all_lessons_are_set_up_alike():
    cells = {re.sub(r"setup\(.*\)", "setup()", setup_cell(nbformat.read(path, 4))) for path in LESSONS}
    assert len(cells) == 1


@pytest.fixture
def colab(tmp_path, monkeypatch):
    """Notebooks run in a kernel with `google.colab`, in which the repository's address leads to this checkout."""
    if not (common.ROOT / ".git").exists():
        pytest.skip("this copy is no git checkout, so nothing can be cloned from it")
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "colab.py").write_text("import sys, types\nsys.modules['google.colab'] = types.ModuleType('colab')\n")
    for name, value in {
        "IPYTHONDIR": startup.parents[1],
        "PATH": f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}",  # `!pip` is this Python's
        "GIT_CONFIG_COUNT": 1,
        "GIT_CONFIG_KEY_0": f"url.file://{common.ROOT}.insteadOf",
        "GIT_CONFIG_VALUE_0": REPOSITORY,
        "COURSE_PROFILE": "quick",
    }.items():
        monkeypatch.setenv(name, str(value))

    def run(notebook):
        for cell in notebook.cells:
            cell.source = cell.source.replace("/content", str(tmp_path))
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
        return [output for _, output in lesson_rules.outputs(notebook)]

    return run


def test_setting_up_twice_fetches_the_course_once_and_changes_no_package(colab, tmp_path):
    def versions():
        return subprocess.check_output([sys.executable, "-m", "pip", "freeze"], text=True)

    setup = setup_cell(nbformat.read(LESSONS[0], 4))
    cells = [nbformat.v4.new_code_cell(source) for source in (setup, setup, "print(course_lib.__file__)")]
    before = versions()
    first, second, place = colab(nbformat.v4.new_notebook(cells=cells))
    assert versions() == before
    assert first.text == second.text and first.text.startswith("Python 3.")  # one line each, no error of git's
    assert place.text.startswith(f"{tmp_path / 'course'}{os.sep}")


@pytest.mark.slow
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_runs_as_in_colab(colab, path):
    assert not [output for output in colab(nbformat.read(path, 4)) if output.output_type == "error"]

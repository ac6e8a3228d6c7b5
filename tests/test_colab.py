"""Lessons in Colab, as far as that can be seen from here: badges, setup cells, and a kernel that looks like Colab's.

`pytest -m slow tests/test_colab.py` runs every lesson whole in such a kernel; `.ci/run colab` makes an environment with
Colab's packages for it. `COURSE_REQUIRE_COLAB=1` makes the test of that environment fail where it is another.
"""

import contextlib
import importlib.metadata
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib

import lesson_rules
import nbformat
import newer_colab
import pytest
from nbclient import NotebookClient, exceptions
from nbformat.v4 import new_code_cell, new_notebook

from course_lib import common
from course_lib.classroom.publishing import repository

LESSONS = sorted((common.ROOT / "lessons").glob("*.ipynb"))
PROJECT = tomllib.loads((common.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REPOSITORY = PROJECT["urls"]["Repository"]
NOWHERE = "file:///no/such/repository"


def setup_cell(path) -> str:
    source = lesson_rules.tagged(nbformat.read(path, 4), "setup")[0][1].source
    return source.removeprefix("# @title Setup\n")  # which folded cells have


SETUP = setup_cell(LESSONS[0])
MEND = re.search(r"!(pip install .*)", SETUP)[1]  # the command that adds what Colab lacks
MENDED = newer_colab.names("\n".join(word for word in shlex.split(MEND)[2:] if not word.startswith("-")))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_badge_and_setup_cell_name_this_lesson_and_the_repository(path):
    text = path.read_text(encoding="utf-8")
    badge = repository.colab_address(REPOSITORY.removeprefix("https://github.com/"), path.name)
    assert badges(text) <= {badge}
    assert set(re.findall(r"git clone .*(https://\S+) ", setup_cell(path))) == {REPOSITORY}
    assert set(re.findall(r"https://github\.com/[\w-]+/how-computers-see", text)) == {REPOSITORY}


def test_a_lesson_shows_a_badge_once_the_repository_is_set_and_no_dead_one_before():
    found = {path.name for path in LESSONS if badges(path.read_text(encoding="utf-8"))}
    assert found == ({path.name for path in LESSONS} if repository.current() else set())


def badges(text: str) -> set[str]:
    return set(re.findall(r"https://colab\.research\.google\.com/github/[^\s)]+", text))


def test_all_lessons_are_set_up_alike():
    assert len({re.sub(r"setup\(.*\)", "setup()", setup_cell(path)) for path in LESSONS}) == 1


def test_colab_has_all_that_the_course_needs_once_it_is_mended():
    shipped = newer_colab.versions(newer_colab.OURS.read_text(encoding="utf-8"))
    needed = newer_colab.names(newer_colab.REQUIREMENTS.read_text(encoding="utf-8"))
    assert needed - shipped.keys() - MENDED <= {
        "jupyterlab",
        "nbval",
        "pytest-xdist",
        "hypothesis",
    }  # to run and to test the lessons


def test_the_weekly_run_mends_colab_as_the_setup_cell_does():
    assert f".venv/bin/{MEND}'" in (common.ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_an_environment_with_colabs_packages_differs_in_nothing_but_what_the_setup_cell_names():
    shipped = newer_colab.versions(newer_colab.OURS.read_text(encoding="utf-8"))
    if importlib.metadata.version("tensorflow") != shipped["tensorflow"] or sys.version_info[:2] != (3, 13):
        required = os.environ.get("COURSE_REQUIRE_COLAB", "") not in ("", "0")
        (pytest.fail if required else pytest.skip)("this environment is not Colab's: .ci/run colab makes one")
    installed = {newer_colab.normalized(each.name): each.version for each in importlib.metadata.distributions()}
    assert {name for name, version in shipped.items() if installed.get(name) != version} <= MENDED
    asked = [sys.executable, "-m", *shlex.split(MEND), "--dry-run", "--report", "-"]
    report = json.loads(subprocess.check_output(asked, text=True))
    assert {newer_colab.normalized(each["metadata"]["name"]) for each in report["install"]} <= MENDED


@pytest.fixture
def colab(tmp_path, monkeypatch):
    """A function that runs a notebook in a kernel with `google.colab`; returns the outputs, an error's as the last.

    There the repository's address leads to this checkout, and `pip` only writes down how it was called: the packages
    of this environment stay as they are.
    """
    if not (common.ROOT / ".git").exists():
        pytest.skip("this copy is no git checkout, so nothing can be cloned from it")
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "colab.py").write_text("import sys, types\nsys.modules['google.colab'] = types.ModuleType('colab')\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pip").write_text(f'#!/bin/sh\necho "pip $@" >> "{tmp_path}/pip_calls"\n')
    (tmp_path / "bin" / "pip").chmod(0o755)
    for name, value in {
        "IPYTHONDIR": startup.parents[1],
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "GIT_CONFIG_COUNT": 1,
        "GIT_CONFIG_KEY_0": f"url.file://{common.ROOT}.insteadOf",
        "GIT_CONFIG_VALUE_0": REPOSITORY,
        "COURSE_PROFILE": "quick",
    }.items():
        monkeypatch.setenv(name, str(value))

    def run(notebook):
        for cell in notebook.cells:
            cell.source = cell.source.replace("/content", str(tmp_path))
        with contextlib.suppress(exceptions.CellExecutionError):  # it is the last output
            NotebookClient(
                notebook, timeout=600, startup_timeout=600, resources={"metadata": {"path": str(tmp_path)}}
            ).execute()
        return [output for _, output in lesson_rules.outputs(notebook)]

    return run


def test_setting_up_twice_fetches_the_course_once_and_says_one_line(colab, tmp_path):
    keep = "open('/content/course/mine.txt', 'w').close()\nos.environ['GIT_CONFIG_VALUE_0'] = 'nobody asks again'"
    sources = (SETUP, keep, SETUP, "print(course_lib.__file__)")
    first, second, place = colab(new_notebook(cells=[new_code_cell(source) for source in sources]))
    assert first.text == second.text and re.fullmatch(r"Python 3\..*\n", first.text)
    assert place.text.startswith(f"{tmp_path / 'course'}{os.sep}") and (tmp_path / "course" / "mine.txt").is_file()
    assert (tmp_path / "pip_calls").read_text().splitlines() == [" ".join(shlex.split(MEND))] * 2


@pytest.mark.parametrize("lacking", ["repository", "git", "half of the folder"])
def test_a_course_that_cannot_be_fetched_is_said_in_a_sentence(colab, tmp_path, monkeypatch, lacking):
    reason = r"fatal: .*no/such/repository.*"
    if lacking == "repository":  # no network and a placeholder for a name look alike
        monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{NOWHERE}.insteadOf")
    elif lacking == "git":
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        reason = "git: .*not found"
    else:
        (tmp_path / "course" / ".git").mkdir(parents=True)
        reason = "fatal: .*already exists.*"
    (error,) = colab(new_notebook(cells=[new_code_cell(SETUP), new_code_cell("print('runs on')")]))
    assert (error.output_type, error.ename) == ("error", "RuntimeError")
    assert re.match(rf"The course could not be fetched \(.*{reason}\)\. If .* your_organization, ask", error.evalue)
    assert "delete the folder" in error.evalue and error.evalue.endswith("run this cell again.")


def test_newer_list_of_colab(tmp_path):
    ours = newer_colab.OURS.read_text(encoding="utf-8")
    assert newer_colab.changes(ours) == newer_colab.changes(ours.replace("array_record", "Array-Record")) == []
    newer = ours.replace("keras==3.13.2", "keras==3.14.0").replace("tqdm==", "tqdm_is_gone==") + "nbval==0.11.0\n"
    newer = re.sub(r"^numpy==.*", "numpy @ https://example.org/numpy.whl", newer, flags=re.MULTILINE)
    assert newer_colab.changes(newer + "unrelated==1.0\n") == [
        "keras 3.13.2 -> 3.14.0",
        "numpy 2.1.3 -> https://example.org/numpy.whl",
        "tqdm 4.67.3 -> not in the list any more",
        "nbval 0.11.0 is new there",
    ]
    (tmp_path / "list.txt").write_text(newer)
    command = [sys.executable, newer_colab.__file__]
    assert subprocess.run([*command, tmp_path / "list.txt"], capture_output=True).returncode == 1
    same = subprocess.run([*command, newer_colab.OURS], capture_output=True, text=True)
    assert (same.returncode, same.stdout) == (0, "Nothing changed since colab-constraints.txt.\n")


@pytest.mark.slow
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_runs_as_in_colab(colab, path):
    assert not [output for output in colab(nbformat.read(path, 4)) if output.output_type == "error"]

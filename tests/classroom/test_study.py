"""`python -m course_lib study`: copies lessons, and never writes over what a student did."""

import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course_lib import __main__ as command_line
from course_lib import common
from course_lib.classroom import lesson_runs, study


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A folder of two lessons, and a function that writes one of them anew."""
    folder = tmp_path / "lessons"
    folder.mkdir()

    def write(name: str, source: str) -> None:
        output = new_output("stream", text="1\n")
        folded = {"jupyter": {"source_hidden": True, "outputs_hidden": True}}
        cell = new_code_cell(source, outputs=[output], execution_count=1, metadata=folded)
        nbformat.write(new_notebook(cells=[cell]), folder / f"{name}.ipynb")

    write("03_lenet", "first = 1")
    write("04_deep", "second = 2")
    monkeypatch.setattr(study, "LESSONS", folder)
    return write


@pytest.fixture
def mine(tmp_path):
    return tmp_path / "mine"


def studied(mine, *arguments: str) -> None:
    assert command_line.main(["study", str(mine), "--no-open", *arguments]) == 0


def source(path) -> str:
    return nbformat.read(path, 4).cells[0].source


def work(path, text: str) -> bytes:
    """Writes `text` into the first cell, as a student and JupyterLab do; returns the bytes of the file."""
    notebook = nbformat.read(path, 4)
    notebook.cells[0].source = text
    nbformat.write(notebook, path)
    return path.read_bytes()


def names(mine) -> list[str]:
    return sorted(path.name for path in mine.iterdir() if not path.name.startswith("."))


def test_copies_hold_no_outputs(course, mine, capsys):
    studied(mine)
    cell = nbformat.read(mine / "03_lenet.ipynb", 4).cells[0]
    assert (cell.source, cell.outputs, cell.execution_count) == ("first = 1", [], None)
    assert cell.metadata.jupyter == {"source_hidden": True}  # code stays folded, outcomes are there when they come
    assert capsys.readouterr().out.count("copied") == 2


def test_twice_with_work_in_between_loses_nothing(course, mine, capsys):
    studied(mine)
    kept = work(mine / "03_lenet.ipynb", "mine = 1")
    (mine / "my_answers.json").write_text("{}")
    studied(mine)
    assert (mine / "03_lenet.ipynb").read_bytes() == kept
    assert names(mine) == ["03_lenet.ipynb", "04_deep.ipynb", "my_answers.json"]
    assert "yours, kept; the lesson has not changed" in capsys.readouterr().out


def test_a_changed_lesson_is_offered_beside_the_work_once(course, mine, capsys):
    studied(mine)
    kept = work(mine / "03_lenet.ipynb", "mine = 1")
    course("03_lenet", "new = 1")
    for _ in range(3):
        studied(mine)
    assert (mine / "03_lenet.ipynb").read_bytes() == kept
    assert names(mine) == ["03_lenet.ipynb", "03_lenet_updated.ipynb", "04_deep.ipynb"]
    assert source(mine / "03_lenet_updated.ipynb") == "new = 1"
    assert capsys.readouterr().out.count("see 03_lenet_updated.ipynb beside it") == 1
    also_kept = work(mine / "03_lenet_updated.ipynb", "mine = 2")
    course("03_lenet", "newer = 1")
    studied(mine)
    assert (mine / "03_lenet_updated.ipynb").read_bytes() == also_kept
    assert source(mine / "03_lenet_updated_2.ipynb") == "newer = 1"


def test_a_changed_lesson_replaces_a_copy_nobody_worked_in(course, mine):
    studied(mine)
    course("03_lenet", "new = 1")
    studied(mine)
    assert source(mine / "03_lenet.ipynb") == "new = 1" and len(names(mine)) == 2


def test_a_lesson_that_went_back_is_not_taken_for_work(course, mine):
    studied(mine)
    course("03_lenet", "new = 1")
    studied(mine)
    course("03_lenet", "first = 1")
    studied(mine)
    assert source(mine / "03_lenet.ipynb") == "first = 1"
    assert names(mine) == ["03_lenet.ipynb", "04_deep.ipynb"]


@pytest.mark.parametrize("note", ["", "[1]", '{"03_lenet.ipynb": 3}', None])
def test_without_its_note_every_difference_is_work(course, mine, note):
    studied(mine)
    kept = work(mine / "03_lenet.ipynb", "mine = 1")
    (mine / study.NOTE).unlink()
    if note is not None:
        (mine / study.NOTE).write_text(note)
    course("04_deep", "new = 2")
    studied(mine)
    assert (mine / "03_lenet.ipynb").read_bytes() == kept
    assert source(mine / "04_deep.ipynb") == "second = 2" and source(mine / "04_deep_updated.ipynb") == "new = 2"


def test_a_deleted_copy_comes_back(course, mine):
    studied(mine)
    (mine / "03_lenet.ipynb").unlink()
    studied(mine)
    assert source(mine / "03_lenet.ipynb") == "first = 1"


def test_one_lesson_is_copied_and_opened(course, mine, monkeypatch):
    called = []
    monkeypatch.setattr(subprocess, "call", lambda command, cwd, env: called.append((command, cwd)) or 0)
    assert command_line.main(["study", str(mine), "--lessons", "03"]) == 0
    ((command, folder),) = called
    assert names(mine) == ["03_lenet.ipynb"] and folder == mine
    assert command[:3] == [sys.executable, "-m", "jupyterlab"] and command[-1].endswith("/lab/tree/03_lenet.ipynb")


@pytest.mark.parametrize("folder", [common.ROOT, common.ROOT / "lessons", common.ROOT / "tests" / ".." / "lessons"])
def test_the_courses_own_folders_are_refused(folder, capsys):
    with pytest.raises(SystemExit):
        command_line.main(["study", str(folder), "--no-open"])
    assert "name another folder" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_said(course, tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit):
        command_line.main(["study", str(tmp_path / "file"), "--no-open"])
    assert "file" in capsys.readouterr().err.lower()


def test_widget_views_are_not_saved_where_there_is_another_form():
    view = {lesson_runs.WIDGET_VIEW: {"model_id": "1"}}
    outputs = [{"data": {**view, "text/html": "card"}}, {"data": {**view, "text/plain": "IntSlider()"}}, {"text": "x"}]
    model = {"type": "notebook", "format": "json", "content": {"cells": [{"outputs": outputs}, {"source": "text"}]}}
    study.before_saving(model=model, path="03_lenet.ipynb", contents_manager=None)
    assert outputs == [{"data": {"text/html": "card"}}, {"data": {**view, "text/plain": "IntSlider()"}}, {"text": "x"}]
    study.before_saving(model={"type": "file", "format": "text", "content": "x"})


def test_git_ignores_the_students_folder():
    assert "/my_lessons/" in (common.ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()

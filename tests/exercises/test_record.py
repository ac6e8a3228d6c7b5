"""The student's record: kept beside the notebook, found by the next kernel, and hard to damage."""

import json

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from course_lib import common
from course_lib.exercises import frontend, record

TEN = (
    "q1.check(8)", "q4.check(5, 5)", "q4.check(3, 3)", "q6.check('25')", "q2.check(kernel_gradient)", "q5.check('a')",
    "q8.check(0.96)", "e2.check(7)", "w1.check((16, 12, 3))", "w2.check('C')", "p1.predict('B')", "p2.predict('c')",
)  # fmt: skip


def run(path, source: str, **environment) -> str:
    """What a fresh kernel prints for `source`; its record is `path`."""
    start = f"import os\nos.environ['COURSE_ANSWERS'] = {str(path)!r}\nfrom course_lib import exercises\n"
    notebook = new_notebook(cells=[new_code_cell(f"{start}lenet = exercises.lenet"), new_code_cell(source)])
    NotebookClient(
        notebook, timeout=600, startup_timeout=600, resources={"metadata": {"path": str(common.ROOT)}}
    ).execute()
    return "".join(output.text for output in notebook.cells[1].outputs)


def test_a_restarted_kernel_knows_ten_answers_and_two_guesses(tmp_path):
    path = tmp_path / record.FILE
    function = "def kernel_gradient(image, upstream):\n    return image\n"
    run(path, function + "\n".join(f"lenet.{call}" for call in TEN))
    kept = "print({n: (q.guess, q.entry.answer, q.entry.right, q.entry.tries)\n"
    kept += "       for n, q in lenet.questions().items() if q.entry != type(q.entry)()})"
    assert eval(run(path, kept)) == {
        "q1": (None, 8, True, 1),
        "q4": (None, [3, 3], True, 2),
        "q6": (None, 25, False, 1),
        "q2": (None, "kernel_gradient", False, 1),
        "q5": (None, "A", False, 1),
        "q8": (None, 0.96, True, 1),
        "e2": (None, 7, True, 1),
        "w1": (None, [16, 12, 3], True, 1),
        "w2": (None, "C", False, 1),
        "p1": ("B", None, False, 0),
        "p2": ("C", None, False, 0),
    }
    assert json.loads(path.read_text(encoding="utf-8"))["lessons"]["lenet"]["q2"]["source"] == function


def test_two_notebooks_write_the_same_file(tmp_path):
    path = tmp_path / record.FILE
    first, second = record.Record(path), record.Record(path)
    first.keep("lenet", "q1", answer=6, right=True)
    second.keep("vgg", "q1", answer="A")
    first.keep("lenet", "q4", answer=[5, 5])
    kept = record.Record(path)
    assert kept.to_json() == {
        "lenet": {"q1": {"answer": 6, "right": True}, "q4": {"answer": [5, 5]}},
        "vgg": {"q1": {"answer": "A"}},
    }
    assert sorted(file.name for file in tmp_path.iterdir()) == [record.FILE]


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"lessons": 3}', '{"lessons": {"lenet": 3}}', '{"lessons": {"lenet": {"q1": 3}}}',
     '{"lessons": {"lenet": {"q1": {"tries": "many"}}}}', '{"lessons": {"lenet": {"q1": {"answr": 6}}}}',
     '{"lessons": {"lenet": {"q1": {"answer": {"a": 1}}}}}', "[" * 100_000, b"\xff\xfe\x00"],
)  # fmt: skip
def test_a_damaged_file_is_set_aside_and_said(tmp_path, content, capsys):
    path = tmp_path / record.FILE
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    record.Record(path).keep("lenet", "q1", answer=6)
    said = capsys.readouterr().out
    assert said.startswith("my_answers.json is damaged (") and said.count("\n") == 1
    assert (tmp_path / "my_answers_damaged.json").exists()
    assert record.Record(path).entry("lenet", "q1").answer == 6


def test_a_folder_that_cannot_be_written_is_said_once(tmp_path, capsys):
    kept = record.Record(tmp_path / "no_such_folder" / record.FILE)
    kept.keep("lenet", "q1", answer=6)
    kept.keep("lenet", "q4", answer=7)
    said = capsys.readouterr().out
    assert said.count("cannot be written") == 1 and kept.entry("lenet", "q4").answer == 7


class TestPlace:
    @pytest.fixture(autouse=True)
    def somebody_answers(self, monkeypatch):
        monkeypatch.delenv("COURSE_ANSWERS", raising=False)
        monkeypatch.setattr(frontend, "live", lambda: True)

    def test_beside_the_notebook(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert record.place() == tmp_path / record.FILE

    def test_never_in_the_courses_own_lessons(self, monkeypatch):
        monkeypatch.chdir(common.ROOT / "lessons")
        assert record.place() is None

    def test_never_where_nobody_answers(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(frontend, "live", lambda: False)
        assert record.place() is None

    @pytest.mark.parametrize(("value", "place"), [("0", None), ("", None), ("x.json", "x.json")])
    def test_as_the_environment_says(self, monkeypatch, value, place):
        monkeypatch.setenv("COURSE_ANSWERS", value)
        assert record.place() == (place and record.pathlib.Path(place))

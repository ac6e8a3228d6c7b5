"""The kept solutions of the pieces of code: judges and `grade` accept every one, and `solution()` shows it."""

import importlib
import json

import pytest

from course_lib.classroom import grade, sandbox
from course_lib.exercises import handing_in, judging, lessons, solutions

CODE = [question for lesson in lessons.ALL for question in lesson.questions().values() if question.kind == "code"]


def named(question) -> str:
    return f"{question.lesson}-{question.function}"


def kept(question):
    """The function that is kept as a solution."""
    return getattr(importlib.import_module(f"course_lib.exercises.solutions.{question.lesson}"), question.function)


@pytest.mark.parametrize("lesson", lessons.ALL, ids=lambda lesson: lesson.name)
def test_grade_gives_full_points_for_the_kept_solutions(lesson, tmp_path):
    """Handed in as a student's record holds them: arguments and results must get into the other process and back.

    The judges are those that the notebook calls.
    """
    written = [question for question in lesson.questions().values() if question.kind == "code"]
    entries = {
        question.name: {"answer": question.function, "source": judging.source_of(kept(question)), "tries": 1}
        for question in written
    }
    content = {"format": handing_in.FORMAT, "name": "ada", "date": "2026-12-01", "lessons": {lesson.name: entries}}
    (tmp_path / "ada.json").write_text(json.dumps(content), encoding="utf-8")
    (student,), problems = grade.grade([tmp_path / "ada.json"], sandbox.Limits(seconds=300))
    missed = {mark.question.name: mark.reply for mark in student.marks if not mark.right}
    assert missed == {} and problems == []
    assert student.points() == sum(question.points for question in written) > 0


@pytest.mark.parametrize("question", CODE, ids=named)
def test_it_is_as_short_as_an_answer_and_says_what_it_does(question):
    code = question.solution_code()
    assert code.startswith(f"def {question.function}(") and '"""' in code
    assert len(code.splitlines()) <= 25 and max(map(len, code.splitlines())) <= 120
    assert "= ..." not in code and "    ..." not in code


def test_solution_prints_it_below_what_it_shows(capsys):
    before = lessons.lenet.q2.entry.solution
    lessons.lenet.q2.solution()
    lessons.lenet.q2.keep(solution=before)
    said = capsys.readouterr().out
    assert "q2 · Each weight adds up" in said and "    gradient[i, j] = (image[" not in said.split("def ")[0]
    assert said.rstrip().endswith("return gradient")


def test_where_none_is_kept_there_is_none():
    assert solutions.source("lenet", "no_such_function") == solutions.source("no_such_lesson", "f") == ""
    assert solutions.source("lenet", "") == lessons.lenet.q1.solution_code() == ""

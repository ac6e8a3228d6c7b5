"""The kept solutions of the pieces of code: the judges accept every one, and `solution()` shows it."""

import importlib

import pytest

from course_lib.exercises import lessons, solutions

CODE = [question for lesson in lessons.ALL for question in lesson.questions().values() if question.kind == "code"]


def named(question) -> str:
    return f"{question.lesson}-{question.function}"


@pytest.mark.parametrize("question", CODE, ids=named)
def test_the_judge_accepts_the_kept_solution(question):
    kept = importlib.import_module(f"course_lib.exercises.solutions.{question.lesson}")
    assert question.mark(getattr(kept, question.function)).right is True


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

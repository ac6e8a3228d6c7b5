"""What a question does with a guess, an answer, and with what is neither."""

import decimal
import fractions
import sys

import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from course_lib import common, exercises
from course_lib.exercises.question import Question


def number(**changed) -> Question:
    entry = {
        "text": "How many?", "right": 6, "because": "Six, since.", "tip": "Count them.", "wrong": {"25": "Weights."}
    }  # fmt: skip
    return Question.from_entry("n1", {**entry, **changed})


def choice(**changed) -> Question:
    entry = {
        "text": "Which?",
        "options": {"A": "the first", "B": "the second"},
        "right": "B",
        "because": "Two.",
        "tip": "Look.",
        "wrong": {"A": "Only at first sight."},
    }
    return Question.from_entry("c1", {**entry, **changed})


def judged(judge=lambda function: None if function(2) == 4 else "It does not double.") -> Question:
    return Question("j1", "Double!", because="Twice.", expects="a function of one number", judge=judge)


@pytest.mark.parametrize("answer", [6, 6.0, "6", " 6 ", "6.0", np.int64(6), np.float32(6), np.array(6), np.uint8(6)])
def test_equivalent_numbers(answer):
    assert number().reply(answer) == "→ Right. Six, since."


@pytest.mark.parametrize(
    "answer",
    [(2, 3), [2, 3], "2x3", "2×3", "2 × 3", "2,3", "(2, 3)", "[2, 3]", np.array([2, 3]), (2.0, 3.0), ("2", "3"),
     (np.int64(2), np.float32(3))],
)  # fmt: skip
def test_equivalent_sizes(answer):
    assert number(right="(2, 3)").reply(answer) == "→ Right. Six, since."


@pytest.mark.parametrize("answer", ["B", "b", " b ", np.str_("B")])
def test_equivalent_letters(answer):
    assert choice().reply(answer) == "→ Right. Two."


@pytest.mark.parametrize("answer", [0.96, "0.96", "96%", "96 %", 0.9592, np.float64(0.96), 0.9609])
def test_within_the_tolerance(answer):
    assert number(right=0.96, tolerance=0.001).reply(answer).startswith("→ Right")
    assert number(right=0.96, tolerance=0.001).reply(0.9625) == "→ Not 0.9625. Count them."


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (0.57, "Right"), (0.555, "Right"), (0.0057, "A share."), (0.0056, "A share."), (0.0032, "Count them."),
        (0, "Count them."), (0.0000323, "Count them."), (0.0114, "Count them."), (2.55, "Two."), (2.44, "Count them."),
    ],
)  # fmt: skip
def test_a_foreseen_wrong_answer_is_met_within_its_own_rounding(answer, said):
    question = number(right=0.57, tolerance=0.05, wrong={"0.0057": "A share.", "2.5": "Two."})
    assert said in question.reply(answer)


def test_a_foreseen_whole_number_is_met_exactly():
    question = number(right=69632, wrong={"69888": "A bias."})
    assert "A bias." in question.reply(69888) and "Count them." in question.reply(69889)


@pytest.mark.parametrize(
    ("answer", "right", "said"),
    [
        ("0,5", 0.5, "Right"), (" 50,0 % ", 0.5, "Right"), ("0,015", 0.015, "Right"), ("-0,25", -0.25, "Right"),
        ("3,928", 3.928, "Right"), ("0,512", 0.5, "Not 0.512."), ((0, 5), 0.5, "written with a point: 0.5."),
        ("2,400", 2400, "Right"), ("0,015", 15, "Not 0.015"),
        ("2,5", 25, "Not 2.5."), ("2,50", 250, "Not 2.5."), ("2,5", 2, "Not 2.5."), ("1,234,567", 1234567, "Right"),
    ],
)  # fmt: skip
def test_a_decimal_comma(answer, right, said):
    assert said in number(right=right, expects="a number").reply(answer)


@pytest.mark.parametrize("answer", ["0.57%", "0.57 %", "0,57 %", "0.57", 0.57])
def test_a_percent_sign_after_percentage_points_divides_nothing(answer):
    question = number(right=0.57, expects="a number of percentage points", tolerance=0.02)
    assert question.reply(answer).startswith("→ Right")
    assert question.reply("57%").startswith("→ Not 57.")


def test_a_foreseen_wrong_answer_gets_its_reply():
    for answer in (25, "25", np.int32(25)):
        assert number().reply(answer) == "→ Not 25. Weights."
    assert choice().reply("a") == "→ Not A (the first). Only at first sight."


def test_another_wrong_answer_gets_a_tip_never_only_wrong():
    for answer in (7, -6, 6.5, float("nan"), float("inf"), True):
        assert number().reply(answer).endswith(" Count them.")
    assert number(right="(2, 3)").reply((3, 2)) == "→ Not (3, 2). Count them."
    assert number(right="(2, 3)").reply(([2], [3])) == "→ Not ((2,), (3,)). Count them."


@pytest.mark.parametrize("answer", ["six", [6], {}, {6}, object(), print, 6j, [[6]], b"6"])
def test_another_kind_of_answer_hears_what_is_expected(answer):
    assert "cannot be the answer: n1 expects a whole number." in number().reply(answer)
    assert 'cannot be the answer: c1 expects one of "A", "B".' in choice().reply(answer)


class Hostile:
    """An object that refuses everything."""

    def _refuse(self, *_):
        raise RuntimeError("no")

    __repr__ = __eq__ = __bool__ = __call__ = __str__ = __iter__ = _refuse
    __hash__ = None


ITSELF = [1]
ITSELF.append(ITSELF)
ANSWERS = (
    10**400, -(10**400), 10**5000, float("nan"), float("inf"), np.float64("inf"), fractions.Fraction(10**400),
    decimal.Decimal("NaN"), "9" * 5000, "1" + ",000" * 2000, "9" * 5000 + "x3", "x" * 10**6, "1e400", "-1e400%", "nan",
    "", "%", b"6", (), np.array([]), np.array([np.nan, np.inf]), np.zeros((300, 300)), np.array(["a", None], object),
    np.datetime64("2012-09-30"), np.ma.masked, ITSELF, [[[[[[[6]]]]]]], NotImplemented, Hostile(), (Hostile(), 3),
)  # fmt: skip


@pytest.mark.parametrize(
    "question", [number(), number(right=0.5), number(right="(2, 3)"), choice(), choice(right=None), judged()]
)
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: type(answer).__name__)
def test_no_answer_raises_or_floods_the_screen(question, answer):
    said = question.reply(answer)
    assert said.startswith("→ ") and "Right" not in said and len(said) < 300


def test_sizes_may_come_one_by_one(capsys):
    assert number(right="(16, 12, 3)").reply(16, 12, 3) == "→ Right. Six, since."
    number(right="(16, 12, 3)").check(16, "12", 3.0)
    assert capsys.readouterr().out == "→ Right. Six, since.\n\n"
    assert number().reply(6, 7).startswith("→ (6, 7) cannot be the answer")


def test_a_letter_that_is_no_option():
    assert choice().reply("C") == """→ 'C' cannot be the answer: c1 expects one of "A", "B"."""


@pytest.mark.parametrize("question", [number(), choice(), judged()])
@pytest.mark.parametrize("answer", [None, ...])
def test_unanswered_says_so_and_lets_the_notebook_run_on(question, answer, capsys):
    question.check(answer)
    said = capsys.readouterr().out
    assert question.text in said and f"→ Not answered yet: give {question.expects}" in said
    assert f"{question.name}.hint() helps" in said


def test_check_prints_what_reply_returns(capsys):
    number().check(25)
    number().check()
    assert capsys.readouterr().out == f"→ Not 25. Weights.\n\n{number().reply()}\n\n"


def test_hint_and_solution(capsys):
    number().hint()
    number().solution()
    choice().solution()
    judged().solution()
    assert capsys.readouterr().out.splitlines() == [
        "n1 · Count them.", "n1 · 6. Six, since.", "c1 · B (the second). Two.", "j1 · Twice."
    ]  # fmt: skip


def test_a_question_shows_itself():
    assert repr(choice()) == "c1 · Which?\n   A  the first\n   B  the second"


class TestGuesses:
    def test_a_guess_is_shown_beside_the_outcome(self, capsys):
        question = choice()
        question.predict("a")
        assert capsys.readouterr().out.endswith("→ Your guess: A. Now run the experiment.\n")
        question.outcome("B", "3 against 5 errors.")
        assert capsys.readouterr().out.splitlines() == [
            "c1 · your guess A | outcome B: the second", "3 against 5 errors.", "Only at first sight."
        ]  # fmt: skip
        question.predict("B")
        capsys.readouterr()
        question.outcome("B", "3 against 5 errors.")
        assert capsys.readouterr().out.splitlines() == [
            "c1 · your guess B | outcome B: the second", "3 against 5 errors."
        ]  # fmt: skip

    @pytest.mark.parametrize("nothing", [None, ...])
    def test_no_guess_is_fine(self, nothing, capsys):
        question = choice()
        question.predict("A")
        question.predict(nothing)
        assert """No guess yet: replace None by one of "A", "B", then run""" in capsys.readouterr().out
        question.outcome("A", "Equal.")
        assert capsys.readouterr().out.splitlines() == ["c1 · no guess given | outcome A: the first", "Equal."]

    @pytest.mark.parametrize(
        "guess",
        ["D", 1, "the first", {}, [["A"]], ("A", "B"), 10**5000, float("nan"), "x" * 9999],
        ids=lambda guess: type(guess).__name__,
    )
    def test_a_guess_that_is_no_option_is_not_taken_and_stops_nothing(self, guess, capsys):
        question = choice()
        question.predict("A")
        question.predict(*(guess if isinstance(guess, tuple) else [guess]))
        said = " ".join(capsys.readouterr().out.split())
        assert said.endswith(""" is none of the options: guess one of "A", "B", then run the experiment.""")
        assert question.guess is None and len(said) < 500

    def test_a_question_with_one_answer_is_not_guessed(self, capsys):
        number().predict(6)
        assert capsys.readouterr().out.endswith("→ n1 is answered, not guessed: n1.check(6).\n")

    def test_a_guess_has_no_hint_and_its_solution_is_the_experiment(self, capsys):
        guess = choice(right=None, tip="", because="")
        guess.hint()
        guess.solution()
        assert capsys.readouterr().out.splitlines() == [
            "c1 · there is no hint: guess, and the experiment answers.", "c1 · the experiment answers."
        ]  # fmt: skip

    def test_an_outcome_that_is_no_option(self):
        with pytest.raises(ValueError, match=r"c1\.outcome takes"):
            choice().outcome("C", "")

    def test_a_question_that_the_experiment_decides_takes_no_answer(self):
        question = choice(right=None)
        assert question.reply("a") == "→ c1 is a guess: c1.predict('A'), then run the experiment."


class TestJudged:
    def test_right_and_wrong(self):
        assert judged().reply(lambda x: 2 * x) == "→ Right. Twice."
        assert judged().reply(lambda x: x + 1) == "→ Not yet. It does not double."

    @pytest.mark.parametrize("answer", [4, "lambda x: 2 * x", [4]])
    def test_no_function(self, answer):
        assert judged().reply(answer).startswith("→ Not yet. j1 expects a function of one number, not ")

    def test_the_students_own_error_is_the_feedback(self):
        assert judged().reply(lambda: 4).startswith("→ Not yet. Your function stopped with TypeError: ")
        assert judged().reply(lambda x: 1 / 0) == (
            "→ Not yet. Your function stopped with ZeroDivisionError: division by zero"
        )

    @pytest.mark.parametrize("error", [SystemExit, GeneratorExit, MemoryError, type("Panic", (BaseException,), {})])
    def test_a_function_that_ends_the_program_does_not_end_the_check(self, error):
        def panic(_):
            raise error("enough")

        said = judged().reply(panic)
        assert said == f"→ Not yet. Your function stopped with {said.split()[-2]} enough" and error.__name__ in said
        assert judged().reply(lambda _: sys.exit()) == "→ Not yet. Your function stopped with SystemExit"

    def test_exit_in_a_notebook_does_not_end_the_kernel(self):
        source = "from course_lib import exercises\nexercises.lenet.q2.check(lambda *_: exit())"
        notebook = new_notebook(cells=[new_code_cell(source), new_code_cell("print('goes on')")])
        NotebookClient(
            notebook, timeout=600, startup_timeout=600, resources={"metadata": {"path": str(common.ROOT)}}
        ).execute()
        said, after = (cell.outputs[0].text for cell in notebook.cells)
        assert "Your function stopped with SystemExit" in said and after == "goes on\n"

    def test_the_stop_button_still_stops(self):
        def endless(_):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            judged().reply(endless)


def test_lessons_are_found_by_name():
    assert exercises.lenet is exercises.lenet  # made once: a guess is remembered
    assert "lenet" in exercises.__all__
    with pytest.raises(AttributeError, match="attribute lent"):
        _ = exercises.lent


def test_thousands_stay_thousands_where_a_rounded_whole_number_is_right():
    rounded = Question("q", "How many?", right=3600, tolerance=50)
    assert rounded.reply("3,600").startswith("→ Right")
    assert rounded.reply("3,649").startswith("→ Right") and not rounded.reply("3.6").startswith("→ Right")


@pytest.mark.parametrize("name", ["q99", "check"])
def test_the_questions_of_a_lesson_are_listed(name):
    with pytest.raises(AttributeError, match=rf"no question '{name}'; its questions: w1, w2"):
        getattr(exercises.lenet, name)

"""The card of a question: its controls, what is saved beside them, and who sees which."""

import html.parser
import json
import subprocess
import sys
import tomllib

import pytest
from jupyter_client import manager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from course_lib import common
from course_lib.exercises import card, frontend, static
from course_lib.exercises.question import Question


def number(**changed) -> Question:
    entry = {"text": "How many?", "right": 6, "because": "Six.", "tip": "Count.", "wrong": {"25": "Weights."}}
    return Question.from_entry("n1", {**entry, **changed})


def choice(**changed) -> Question:
    entry = {"text": "Which?", "options": {"A": "the first", "B": "the second"}, "right": "B", "because": "Two."}
    return Question.from_entry("c1", {**entry, "tip": "Look.", "wrong": {"A": "Only at first sight."}, **changed})


def guess(**changed) -> Question:
    return choice(**{"right": None, "because": "", "tip": "", **changed})


def said(made: card.Card) -> str:
    """What the card replies, without its markup."""
    reader = Reader()
    reader.feed(made.reply.value)
    return "".join(reader.texts)


class Reader(html.parser.HTMLParser):
    """Collects the tags and texts of HTML, and what each `<details>` opens."""

    def __init__(self):
        super().__init__()
        self.tags, self.texts, self.path, self.folded = [], [], [], {}

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag != "br":
            self.path.append(tag)

    def handle_endtag(self, tag):
        assert self.path.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)
        if "summary" in self.path:
            self.summary = data
        elif "details" in self.path:
            self.folded[self.summary] = self.folded.get(self.summary, "") + data


class TestControls:
    def test_a_number_is_checked_on_enter_and_by_the_button(self):
        made = card.Card(number())
        made.field.value = "25"
        assert said(made) == "→ Not 25. Weights." and "course-wrong" in made.reply.value
        made.field.value = " 6 "
        assert said(made) == "→ Right. Six." and "course-right" in made.reply.value
        made.check.click()
        assert made.question.entry.tries == 2 and made.question.entry.answer == 6

    def test_a_typo_is_no_try(self):
        made = card.Card(number())
        made.field.value = "siz"
        assert said(made) == "→ 'siz' cannot be the answer: n1 expects a whole number."
        made.field.value = ""
        assert said(made) == "Type a whole number first." and made.question.entry.tries == 0

    def test_an_option_is_checked_by_the_button_alone(self):
        made = card.Card(choice())
        made.check.click()
        assert said(made) == "Choose an option first."
        made.field.value = "A"
        assert said(made) == ""
        made.check.click()
        assert said(made) == "→ Not A (the first). Only at first sight."
        made.field.value = "B"
        assert said(made) == ""  # what was said of A is gone
        made.check.click()
        assert said(made) == "→ Right. Two." and made.question.entry.tries == 2

    def test_the_solution_waits_for_a_try_or_the_hint(self):
        made = card.Card(number())
        assert made.solution.disabled and made.solution.description == "Give up"
        made.hint.click()
        assert said(made) == "Hint: Count." and not made.solution.disabled
        made.solution.click()
        assert said(made) == "Solution: 6. Six." and made.solution.description == "Solution"
        made.field.value = "6"
        assert made.question.entry.solution and made.question.entry.right

    def test_a_solution_read_after_the_right_answer_is_not_marked(self):
        made = card.Card(number())
        made.field.value = "6"
        made.solution.click()
        assert not made.question.entry.solution

    def test_a_guess_is_taken_and_nothing_revealed(self):
        made = card.Card(guess())
        assert made.check.description == "Guess"
        made.check.click()
        assert said(made) == "Choose an option first." and made.question.guess is None
        made.field.value = "A"
        made.check.click()
        assert said(made) == "Your guess: A. Now run the experiment." and made.question.guess == "A"

    def test_a_function_is_found_by_its_name(self, monkeypatch):
        names = {}
        monkeypatch.setattr("IPython.get_ipython", lambda: type("Shell", (), {"user_ns": names, "ask_exit": None})())
        question = Question(
            "j1", "Double!", because="Twice.", function="double", judge=lambda f: None if f(2) == 4 else "No."
        )
        made = card.Card(question)
        made.check.click()
        assert said(made) == "There is no double yet: run the cell that defines it, then check."
        names["double"] = lambda x: print("printed") or 2 * x
        made.check.click()
        assert said(made) == "→ Right. Twice."

    def test_a_restored_card_shows_what_was_answered(self):
        question = choice()
        question.attempt("A")
        assert card.Card(question).field.value == "A" and said(card.Card(question)).startswith("→ Not A")
        sizes = number(right="(2, 3)")
        sizes.attempt((2, 3))
        made = card.Card(sizes)
        assert made.field.value == "2, 3" and said(made) == "→ Right. Six." and sizes.entry.tries == 1
        assert 'role="status"' in made.reply.value  # a screen reader does not interrupt for it
        made.field.value = "3, 2"
        assert 'role="alert"' in made.reply.value

    def test_markup_in_a_text_is_shown_and_not_obeyed(self):
        made = card.Card(number(text="Is 1 < 2 in `a < b`?", wrong={"25": "<b>No</b>"}))
        assert "1 &lt; 2 in <code>a &lt; b</code>" in made.box.children[0].value
        made.field.value = "25"
        assert "<b>" not in made.reply.value and said(made).endswith("<b>No</b>")


class TestOutcome:
    def test_without_a_guess_it_asks_before_it_shows(self, monkeypatch):
        displayed = []
        monkeypatch.setattr(frontend, "live", lambda: True)
        monkeypatch.setattr("IPython.display.display", lambda bundle, raw: displayed.append(bundle))
        question = guess()
        question.outcome("B", "3 against 5 errors.")
        assert card.WIDGET_VIEW in displayed[0] and "3 against 5" not in json.dumps(displayed)
        question.take_guess("A")
        question.outcome("B", "3 against 5 errors.")
        assert card.WIDGET_VIEW not in displayed[1]
        assert displayed[1]["text/plain"].splitlines() == [
            "c1 · your guess A | outcome B: the second", "3 against 5 errors.", "Only at first sight."
        ]  # fmt: skip

    def test_the_guess_opens_it(self):
        question = guess()
        made = card.Card(question, reveal=lambda: question.compared("B", "3 against 5 errors."))
        made.check.click()
        assert said(made) == "Choose an option first."
        made.field.value = "A"
        made.check.click()
        assert said(made).startswith("c1 · your guess A | outcome B: the second3 against 5 errors.")

    def test_a_number_is_guessed(self, capsys):
        question = Question.from_entry("g1", {"text": "How large?", "kind": "guess", "expects": "a number"})
        made = card.Card(question)
        made.field.value = "much"
        assert said(made) == "'much' cannot be a guess: guess a number, then run the experiment."
        made.field.value = "2,5"
        assert said(made) == "Your guess: 2.5. Now run the experiment."
        question.outcome(3.1, "It was larger.")
        assert capsys.readouterr().out == "g1 · your guess 2.5 | outcome 3.1\nIt was larger.\n"


class TestSaved:
    @pytest.mark.parametrize("question", [number(), choice(), number(right="(2, 3)"), number(right=0.5)])
    def test_each_answer_opens_its_own_reply(self, question):
        reader = Reader()
        reader.feed(static.page(question))
        assert set(reader.tags) <= {"div", "p", "strong", "details", "summary", "code"}  # no style, no script
        answers = static.possible(question)
        assert question.right in answers and list(reader.folded.values())[: len(answers)] == [
            question.reply(answer) for answer in answers
        ]
        assert reader.folded["Hint"] == question.tip

    def test_the_place_does_not_tell_the_right_answer(self):
        question = number(wrong={"25": "Weights.", "1": "One.", "784": "Positions.", "(5, 5)": "Sizes."})
        assert static.possible(question) == [1, 6, 25, 784, (5, 5)]

    def test_a_guess_keeps_its_outcome(self):
        reader = Reader()
        reader.feed(static.page(guess(right="B", kind="guess")))
        assert "Right" not in "".join(reader.texts) and "Two" not in "".join(reader.texts)

    def test_the_text_is_wrapped_at_88_columns(self):
        question = choice(text="word " * 60, options={"A": "long " * 40, "B": "x"})
        lines = repr(question).splitlines()
        assert (
            len(lines) > 5
            and max(map(len, lines)) <= 88
            and repr(question).split() == (f"c1 · {'word ' * 60} A {'long ' * 40} B x".split())
        )


SOURCE = "from course_lib import exercises\nexercises.lenet.q1"
TEXTS = tomllib.loads((common.ROOT / "course_lib" / "exercises" / "lenet.toml").read_text(encoding="utf-8"))


def test_where_nobody_can_answer_there_is_html_and_text_and_no_widget():
    """So it is under nbclient, nbconvert and nbval; nothing waits for an answer."""
    notebook = new_notebook(cells=[new_code_cell(SOURCE), new_code_cell("exercises.lenet.p1.outcome('B', 'Equal.')")])
    NotebookClient(
        notebook, timeout=600, startup_timeout=600, resources={"metadata": {"path": str(common.ROOT)}}
    ).execute()
    first, second = (cell.outputs for cell in notebook.cells)
    assert [set(output.data) for output in first] == [{"text/html", "text/plain"}]
    assert (
        second[0].text.replace("\n  ", " ")
        == f"p1 · no guess given | outcome B: {TEXTS['p1']['options']['B']}\nEqual.\n"
    )
    assert "widgets" not in notebook.metadata


def run_live(**environment) -> list[dict]:
    """The displayed bundles of a card in a kernel whose front end can answer, as JupyterLab's can."""
    kernel = manager.KernelManager()
    kernel.start_kernel(cwd=str(common.ROOT), env={**environment_of_this_process(), **environment})
    client = kernel.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=600)
        messages = []
        client.execute_interactive(SOURCE, allow_stdin=True, timeout=600, output_hook=messages.append)
        return [message["content"]["data"] for message in messages if message["msg_type"] == "display_data"]
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)


def environment_of_this_process() -> dict[str, str]:
    import os

    return {**os.environ, "COURSE_ANSWERS": "0"}


def test_where_somebody_can_answer_the_controls_come_with_html_and_text():
    (bundle,) = run_live()
    assert set(bundle) == {card.WIDGET_VIEW, "text/html", "text/plain"}
    (saving,) = run_live(COURSE_SAVING="1")
    assert set(saving) == {"text/html", "text/plain"}


def test_colab_gets_no_html_to_choose(monkeypatch):
    displayed = []
    monkeypatch.setattr(common, "in_notebook", lambda: True)
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: displayed.append(bundle))
    card.show(number())
    assert set(displayed[0]) == {card.WIDGET_VIEW, "text/plain"}


def test_nbval_runs_a_card(tmp_path):
    import nbformat

    notebook = new_notebook(cells=[new_code_cell(SOURCE), new_code_cell("exercises.lenet.q5")])
    NotebookClient(
        notebook, timeout=600, startup_timeout=600, resources={"metadata": {"path": str(common.ROOT)}}
    ).execute()
    nbformat.write(notebook, tmp_path / "cards.ipynb")
    (tmp_path / "pytest.ini").touch()
    options = ["--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "cards.ipynb"]
    done = subprocess.run([sys.executable, "-m", "pytest", *options], cwd=tmp_path, capture_output=True, text=True)
    assert "2 passed" in done.stdout, done.stdout

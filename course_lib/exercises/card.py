"""A question as a card: radio buttons or a field, *Check*, *Hint*, *Solution*, and the reply.

The controls are those common to ipywidgets 7 (Colab) and 8. What is saved beside them is the same card as static HTML
and as text; where nobody can answer, in a lesson that is run to be saved or tested, there is nothing else.
"""

from typing import TYPE_CHECKING

from course_lib.exercises import frontend, judging, static
from course_lib.exercises.answers import wrapped

if TYPE_CHECKING:
    from ipywidgets import DOMWidget

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
FORMS = {  # example of what the field takes
    "number": "a number",
    "sizes": "such as 5, 5",
    "text": "a word",
    "guess": "a number",
}
# The theme's own colors hold; only borders are colored, legible on light and on dark.
STYLE = """<style>
.course-card {border: 1px solid rgba(128,128,128,.45); border-radius: 6px; padding: 10px 14px; margin: 4px 2px;
  max-width: 760px; box-sizing: border-box; overflow: visible}
.course-card .widget-html, .course-card .widget-htmlmath, .course-card .widget-radio,
.course-card .jupyter-widgets.widget-text {width: auto; max-width: 100%; overflow: visible; height: auto}
.course-card .widget-html-content, .course-card .widget-htmlmath-content {line-height: 1.5; font-size: 14px;
  white-space: normal; overflow-wrap: break-word}
.course-card .widget-radio-box {width: auto; max-width: 100%; margin: 0; padding: 0}
.course-card .widget-radio-box label {height: auto; min-height: 24px; line-height: 1.45; width: auto; margin: 2px 0;
  white-space: normal; font-size: 14px; display: flex; align-items: baseline}
.course-card .widget-radio-box input {margin: 0 8px 0 2px; flex: none; order: -1; position: relative; top: 2px}
.course-card .widget-text .widget-label {width: auto; margin-right: 8px; font-size: 14px}
.course-card .widget-text input {max-width: 340px; font-size: 14px}
.course-card .widget-button {width: auto; min-width: 90px}
.course-card input:focus-visible, .course-card button:focus-visible {outline: 2px solid #1976d2; outline-offset: 2px}
.course-card .course-reply {border-left: 4px solid rgba(128,128,128,.6); padding: 2px 0 2px 10px; margin: 4px 0}
.course-card .course-right {border-left-color: #2e9e4f}
.course-card .course-wrong {border-left-color: #e07b00}
</style>"""


def show(question: static.Asked) -> None:
    """Displays the card of `question`."""
    _display(Card(question).box if frontend.live() else None, static.page(question), repr(question))


def show_outcome(question: static.Asked, measured: str | float, finding: str) -> None:
    """Displays the guess beside the outcome; where somebody can answer and has not guessed, asks for a guess first."""
    if frontend.live() and question.guess is None and question.kind == "guess":
        told = f"{question.name} · guess first, then run this cell again."
        card = Card(question, reveal=lambda: question.compared(measured, finding))
        _display(card.box, f"<p>{static.marked_up(told)}</p>", told)
        return
    text = question.compared(measured, finding)
    if frontend.live():
        first, *others = [static.marked_up(line) for line in text.splitlines()]
        _display(None, f"<p><strong>{first}</strong><br>{'<br>'.join(others)}</p>", wrapped(text))
    else:
        print(wrapped(text))


def _display(box: "DOMWidget | None", html: str, text: str) -> None:
    from IPython.display import display

    bundle = {"text/plain": text}
    if box is None or not frontend.in_colab():  # Colab must not choose the HTML
        bundle["text/html"] = html
    if box is not None:
        bundle[WIDGET_VIEW] = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    display(bundle, raw=True)


class Card:
    """The controls of one question; `box` holds them.

    Args:
        question: what is asked.
        reveal: for a guess that is asked for at its outcome: the text that the guess opens.
    """

    def __init__(self, question: static.Asked, reveal=None):
        import ipywidgets

        self.question = question
        self.reveal = reveal
        self.field = self._make_field()
        name = question.name
        self.check = self._button("Guess" if self.is_guess else "Check", f"{name}: take this answer", self._on_check)
        self.check.button_style = "primary"
        self.hint = self._button("Hint", f"{name}: a push in the right direction", self._on_hint)
        self.solution = self._button("Give up", f"{name}: show the solution", self._on_solution)
        self.reply = ipywidgets.HTMLMath()
        self.box = ipywidgets.VBox([self._heading(), *self._fields(), self._buttons(), self.reply])
        self.box.add_class("course-card")
        self._restore()
        if self.field is not None:
            self.field.observe(self._on_change, names="value")

    @property
    def is_guess(self) -> bool:
        """Whether this card takes a guess, which the experiment answers."""
        return self.question.kind == "guess"

    def _heading(self) -> "DOMWidget":
        import ipywidgets

        name = static.escaped(self.question.name)
        text = static.marked_up(self.question.text)
        return ipywidgets.HTMLMath(f"{STYLE}<strong>{name}</strong> · {text}")

    def _make_field(self) -> "DOMWidget | None":
        import ipywidgets

        if self.question.options:
            options = [(f"{letter} · {text}", letter) for letter, text in self.question.options.items()]
            return ipywidgets.RadioButtons(options=options, value=None)
        if self.question.kind == "code":
            return None
        # Its value arrives once, on Enter or when the field is left, and not by parts after Check was pressed.
        example = FORMS[self.question.kind]
        return ipywidgets.Text(description="Answer", placeholder=example, continuous_update=False)

    def _fields(self) -> list["DOMWidget"]:
        return [] if self.field is None else [self.field]

    def _button(self, label: str, tooltip: str, action) -> "DOMWidget":
        import ipywidgets

        button = ipywidgets.Button(description=label, tooltip=tooltip)
        button.on_click(lambda _: action())
        return button

    def _buttons(self) -> "DOMWidget":
        import ipywidgets

        if self.reveal is not None:
            skip = self._button("Show without a guess", f"{self.question.name}: show the outcome", self._on_reveal)
            return ipywidgets.HBox([self.check, skip])
        if self.is_guess:
            return ipywidgets.HBox([self.check])
        return ipywidgets.HBox([self.check, self.hint, self.solution])

    def _restore(self) -> None:
        """Shows what the student did with this question before."""
        question = self.question
        entry = self.question.entry
        given = entry.guess if self.is_guess else entry.answer
        if self.field is not None and given is not None:
            known = not question.options or given in question.options
            if known:
                self.field.value = given if question.options else str(given).strip("[]")
        if self.is_guess:
            if given is not None:
                self._say(f"Your guess: {given}. Now run the experiment.", "", quiet=True)
        elif entry.right:
            self._say(f"→ Right. {question.because}", "right", quiet=True)
        elif given is not None and question.kind != "code":
            self._say(question.reply(given), "wrong", quiet=True)
        self._offer_solution()

    def _offer_solution(self) -> None:
        """The solution may be asked for once there was a try, or the hint was read."""
        entry = self.question.entry
        self.solution.disabled = not (entry.tries or entry.hint or entry.solution)
        self.solution.description = "Solution" if entry.right or entry.solution else "Give up"

    def _on_change(self, _) -> None:
        if self.question.options:
            self._say("", "")  # a reply to another option is no reply to this one
        else:
            self._on_check()

    def _on_check(self) -> None:
        if self.is_guess:
            self._on_guess()
            return
        answer = self._answer()
        with judging.printing_kept():
            verdict = self.question.attempt(answer)
        if answer is None:
            self._say(self._what_is_missing(), "")
        else:
            self._say(verdict.reply, {True: "right", False: "wrong", None: ""}[verdict.right])
        self._offer_solution()

    def _on_guess(self) -> None:
        reply = self.question.take_guess(self._answer())
        if self.question.guess is None:
            self._say(self._what_is_missing() if self._answer() is None else reply, "")
        elif self.reveal is not None:
            self._on_reveal()
        else:
            self._say(reply, "")

    def _on_reveal(self) -> None:
        self._say(self.reveal(), "")

    def _on_hint(self) -> None:
        self.question.keep(hint=True)
        self._say(f"Hint: {self.question.hint_text()}", "")
        self._offer_solution()

    def _on_solution(self) -> None:
        self.question.keep(solution=self.question.entry.solution or not self.question.entry.right)
        self._say(f"Solution: {self.question.solution_text()}", "")
        if code := self.question.solution_code():
            self.reply.value += f"<pre>{static.escaped(code)}</pre>"
        self._offer_solution()

    def _answer(self) -> object:
        """What the student gives now; None where that is nothing."""
        if self.question.options:
            return self.field.value
        if self.field is not None:
            return self.field.value.strip() or None
        from IPython import get_ipython

        return get_ipython().user_ns.get(self.question.function)

    def _what_is_missing(self) -> str:
        if self.question.kind == "code":
            return f"There is no {self.question.function} yet: run the cell that defines it, then check."
        return "Choose an option first." if self.question.options else f"Type {self.question.expects} first."

    def _say(self, text: str, tone: str, quiet: bool = False) -> None:
        """Shows a reply; a screen reader says it at once unless it is `quiet`."""
        if not text:
            self.reply.value = ""
            return
        role = "status" if quiet else "alert"
        lines = "<br>".join(static.marked_up(line) for line in text.splitlines())
        self.reply.value = f'<div class="course-reply course-{tone or "plain"}" role="{role}">{lines}</div>'

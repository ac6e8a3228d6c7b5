"""A question as a page without a kernel shows it: HTML in which each answer opens its own reply, or text.

The HTML needs no style and no script, so that it is legible on GitHub; `<details>` opens and closes by itself.
"""

import html
import numbers
import re
from typing import Protocol


class Asked(Protocol):
    """What a page and a card show of a question."""

    name: str
    text: str
    kind: str
    right: object
    because: str
    wrong: dict[object, str]
    options: dict[str, str]
    tip: str

    def reply(self, *answer: object) -> str:
        """Returns the reply to an answer."""

    def solution_text(self) -> str:
        """Returns the answer and why it is right."""

    def solution_code(self) -> str:
        """Returns a right function where one is to be written, or ""."""


def page(question: Asked) -> str:
    """Returns the question as HTML."""
    parts = [f"<p><strong>{escaped(question.name)}</strong> · {marked_up(question.text)}</p>"]
    if question.kind == "guess":
        parts += [_folded(_option(question, letter), _after_guess(question, letter)) for letter in question.options]
    elif question.kind != "code":
        parts += [_folded(_option(question, answer), question.reply(answer)) for answer in possible(question)]
    if question.tip:
        parts.append(_folded("Hint", question.tip))
    if question.kind == "code":
        parts.append(_folded("What a right answer shows", question.because))
    elif question.kind not in ("guess", "choice"):
        parts.append(_folded("Solution", question.solution_text()))
    return "\n".join(["<div>", *parts, "</div>"])


def possible(question: Asked) -> list[object]:
    """The right answer and the foreseen wrong ones, in an order that does not tell which is right."""
    if question.options:
        return list(question.options)
    found = [question.right, *question.wrong]
    return sorted(found, key=_order)


def _order(answer: object) -> tuple:
    if isinstance(answer, numbers.Real):
        return 0, "", answer
    return 1, type(answer).__name__, answer


def _option(question: Asked, answer: object) -> str:
    if question.options:
        return f"{answer} · {question.options[answer]}"
    return f"{answer:.4g}" if isinstance(answer, float) else f"{answer:,}" if isinstance(answer, int) else str(answer)


def _after_guess(question: Asked, letter: str) -> str:
    doubt = question.wrong.get(letter)
    return f"If it comes out otherwise: {doubt}" if doubt else "The experiment answers."


def _folded(summary: str, content: str) -> str:
    return f"<details><summary>{marked_up(summary)}</summary><p>{marked_up(content)}</p></details>"


def escaped(text: str) -> str:
    """Returns `text` as HTML shows it literally."""
    return html.escape(text, quote=True)


def marked_up(text: str) -> str:
    """Returns `text` as HTML, with `code` between backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped(text))

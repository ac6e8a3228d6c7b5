"""A question of a lesson: it takes a guess before an experiment, or checks an answer and explains.

No reply only says "wrong": each foreseen wrong answer has a reply that says what it would be the answer to.
"""

import dataclasses
import numbers
import re
from collections.abc import Callable

import numpy as np

from course_lib.exercises import judges, judges_own_classifier


@dataclasses.dataclass
class Question:
    """One question. `check`, `predict`, `outcome`, `hint` and `solution` print; `reply` returns the text.

    Attributes:
        name: as the lesson calls it, "q1".
        text: the question.
        right: the answer; for a choice its letter; None where `judge` or the experiment decides.
        because: why that is the answer.
        wrong: foreseen wrong answers, and what to reply to each.
        options: of a choice, what each letter stands for.
        expects: what kind of answer is wanted, said where another kind came in.
        tip: a push in the right direction.
        tolerance: how far off a number may be.
        judge: for answers that are functions: returns None where right, else the reply.
    """

    name: str
    text: str
    right: object = None
    because: str = ""
    wrong: dict[object, str] = dataclasses.field(default_factory=dict)
    options: dict[str, str] = dataclasses.field(default_factory=dict)
    expects: str = "a whole number"
    tip: str = ""
    tolerance: float = 0.0
    judge: Callable[[object], str | None] | None = None
    guess: str | None = dataclasses.field(default=None, init=False)

    @classmethod
    def from_entry(cls, name: str, entry: dict) -> "Question":
        """The question of a TOML table: its answers read as a student's are, its judge by name."""
        fields = dict(entry, name=name, right=_plain(entry.get("right")))
        fields["wrong"] = {_plain(answer): reply for answer, reply in entry.get("wrong", {}).items()}
        if "judge" in entry:
            home = judges if hasattr(judges, entry["judge"]) else judges_own_classifier
            fields["judge"] = getattr(home, entry["judge"])
        return cls(**fields)

    def __post_init__(self) -> None:
        if self.options:
            self.expects = "one of " + ", ".join(f'"{letter}"' for letter in self.options)

    def __repr__(self) -> str:
        listed = "".join(f"\n   {letter}  {option}" for letter, option in self.options.items())
        return f"{self.name} · {self.text}{listed}"

    def check(self, answer: object = None) -> None:
        """Says what is right about `answer`, what is not, and why one might think so."""
        print(self.reply(answer), end="\n\n")

    def reply(self, answer: object = None) -> str:
        """What `check` prints."""
        if answer is None or answer is ...:
            return f"{self}\n→ Not answered yet: give {self.expects}; {self.name}.hint() helps."
        answer = _plain(answer)
        if self.right is None and self.judge is None:
            return f"→ {self.name} is a guess: {self.name}.predict({answer!r}), then run the experiment."
        if self.judge is not None:
            problem = self._judged(answer)
            return f"→ Right. {self.because}" if problem is None else f"→ Not yet. {problem}"
        if self._same(answer, self.right):
            return f"→ Right. {self.because}"
        for foreseen, reply in self.wrong.items():
            if self._same(answer, foreseen):
                return f"→ Not {self._said(answer)}. {reply}"
        if not self._fits(answer):
            return f"→ {answer!r} cannot be the answer: {self.name} expects {self.expects}."
        return f"→ Not {self._said(answer)}. {self.tip}"

    def predict(self, choice: str | None = None) -> None:
        """Takes a guess before the experiment; `outcome` shows it beside what was measured."""
        choice = _plain(choice)
        if choice is None or choice is ...:
            self.guess = None
            print(f"{self}\n→ No guess yet: replace None by {self.expects}, then run the experiment.")
        elif not self._is_option(choice):
            raise ValueError(f"{self.name}.predict takes {self.expects} or None, not {choice!r}")
        else:
            self.guess = choice
            print(f"{self}\n→ Your guess: {choice}. Now run the experiment.")

    def outcome(self, measured: str, finding: str) -> None:
        """Shows the guess beside the measured outcome, and what speaks for a guess that did not come true.

        Args:
            measured: the letter that the experiment came out as.
            finding: the measured numbers, as a sentence.
        """
        if measured not in self.options:
            raise ValueError(f"{self.name}.outcome takes {self.expects}, not {measured!r}")
        guessed = f"your guess {self.guess}" if self.guess else "no guess given"
        print(f"{self.name} · {guessed} | measured {measured}: {self.options[measured]}\n{finding}")
        if self.guess and self.guess != measured and self.guess in self.wrong:
            print(self.wrong[self.guess])

    def hint(self) -> None:
        """Prints a push in the right direction."""
        print(f"{self.name} · {self.tip}")

    def solution(self) -> None:
        """Prints the answer and why it is the answer."""
        answer = "" if self.right is None else f"{self._said(self.right)}. "
        print(f"{self.name} · {answer}{self.because}")

    def _judged(self, answer: object) -> str | None:
        if not callable(answer):
            return f"{self.name} expects {self.expects}, not {type(answer).__name__}."
        try:
            return self.judge(answer)
        except Exception as error:  # the student's code: its error is the feedback
            return f"Your function stopped with {type(error).__name__}: {error}"

    def _said(self, answer: object) -> str:
        return f"{answer} ({self.options[answer]})" if self._is_option(answer) else f"{answer}"

    def _is_option(self, answer: object) -> bool:
        return isinstance(answer, str) and answer in self.options

    def _fits(self, answer: object) -> bool:
        kinds = {str: str, tuple: tuple}
        kind = kinds.get(type(self.right), numbers.Real)
        return self._is_option(answer) if self.options else isinstance(answer, kind)

    def _same(self, answer: object, other: object) -> bool:
        if isinstance(answer, numbers.Real) and isinstance(other, numbers.Real):
            return abs(answer - other) <= self.tolerance
        return type(answer) is type(other) and answer == other


def _plain(answer: object) -> object:
    """`answer` as plain Python: NumPy numbers, "6", "b", "5×5" and lists as what they stand for."""
    if isinstance(answer, (np.generic, np.ndarray)):
        answer = answer.tolist()
    if isinstance(answer, (list, tuple)):
        return tuple(_plain(part) for part in answer)
    if not isinstance(answer, str):
        return answer
    answer = answer.strip()
    if re.fullmatch(r"\d{1,3}(,\d{3})+", answer):  # 2,400
        return int(answer.replace(",", ""))
    if sizes := re.fullmatch(r"[(\[]?\s*(\d+(?:\s*[x×,]\s*\d+)+)\s*[)\]]?", answer):
        return tuple(int(size) for size in re.findall(r"\d+", sizes[1]))
    try:
        number = float(answer.replace(" %", "%").rstrip("%")) / (100 if answer.endswith("%") else 1)
        return int(number) if number.is_integer() else number
    except ValueError:
        return answer.upper() if len(answer) == 1 else answer

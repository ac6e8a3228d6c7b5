"""A question of a lesson: it takes a guess before an experiment, or checks an answer and explains.

No reply only says "wrong": each foreseen wrong answer has a reply that says what it would be the answer to.
"""

import contextlib
import dataclasses
import numbers
import re
import sys
import traceback
from collections.abc import Callable, Iterator

import numpy as np

LONGEST = 100  # characters of an answer that a reply repeats
DEEPEST = 4  # lists in lists


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
    def from_entry(cls, name: str, entry: dict, judges: object = None) -> "Question":
        """The question of a TOML table: its answers read as a student's are, its judge a function of `judges`."""
        fields = dict(entry, name=name, right=_plain(entry.get("right")))
        fields["wrong"] = {_plain(answer): reply for answer, reply in entry.get("wrong", {}).items()}
        if "judge" in entry:
            fields["judge"] = getattr(judges, entry["judge"])
        return cls(**fields)

    def __post_init__(self) -> None:
        if self.options:
            self.expects = "one of " + ", ".join(f'"{letter}"' for letter in self.options)

    def __repr__(self) -> str:
        listed = "".join(f"\n   {letter}  {option}" for letter, option in self.options.items())
        return f"{self.name} · {self.text}{listed}"

    def check(self, *answer: object) -> None:
        """Says what is right about `answer`, what is not, and why one might think so; sizes may come as `16, 12, 3`."""
        print(self.reply(*answer), end="\n\n")

    def reply(self, *answer: object) -> str:
        """What `check` prints."""
        answer = _one(answer)
        if answer is None or answer is ...:
            return f"{self}\n→ Not answered yet: give {self.expects}; {self.name}.hint() helps."
        answer = _plain(self._english(answer))
        if self._is_a_guess():
            return f"→ {self.name} is a guess: {self.name}.predict({_shown(answer)}), then run the experiment."
        if self.judge is not None:
            problem = self._judged(answer)
            return f"→ Right. {self.because}" if problem is None else f"→ Not yet. {problem}"
        if self._same(answer, self.right):
            return f"→ Right. {self.because}"
        for foreseen, reply in self.wrong.items():
            if self._same(answer, foreseen):
                return f"→ Not {self._said(answer)}. {reply}"
        if not self._fits(answer):
            point = " A decimal number is written with a point: 0.5." if self._is_cut_at_a_comma(answer) else ""
            return f"→ {_shown(answer)} cannot be the answer: {self.name} expects {self.expects}.{point}"
        return f"→ Not {self._said(answer)}. {self.tip}"

    def predict(self, *choice: str | None) -> None:
        """Takes a guess before the experiment; `outcome` shows it beside what was measured."""
        choice = _plain(_one(choice))
        self.guess = choice if self._is_option(choice) else None
        if self.guess:
            said = f"Your guess: {choice}. Now run the experiment."
        elif choice is None or choice is ...:
            said = f"No guess yet: replace None by {self.expects}, then run the experiment."
        elif self.options:
            said = f"{_shown(choice)} is none of the options: guess {self.expects}, then run the experiment."
        else:
            said = f"{self.name} is answered, not guessed: {self.name}.check({_shown(choice)})."
        print(f"{self}\n→ {said}")

    def outcome(self, measured: str, finding: str) -> None:
        """Shows the guess beside the measured outcome, and what speaks for a guess that did not come true.

        Args:
            measured: the letter that the experiment came out as.
            finding: the measured numbers, as a sentence.
        """
        if measured not in self.options:
            raise ValueError(f"{self.name}.outcome takes {self.expects}, not {measured!r}")
        guessed = f"your guess {self.guess}" if self.guess else "no guess given"
        print(f"{self.name} · {guessed} | outcome {measured}: {self.options[measured]}\n{finding}")
        if self.guess and self.guess != measured and self.guess in self.wrong:
            print(self.wrong[self.guess])

    def hint(self) -> None:
        """Prints a push in the right direction."""
        without = "there is no hint: guess, and the experiment answers." if self._is_a_guess() else "there is no hint."
        print(f"{self.name} · {self.tip or without}")

    def solution(self) -> None:
        """Prints the answer and why it is the answer."""
        answer = "" if self.right is None else f"{self._said(self.right)}. "
        because = self.because or ("the experiment answers." if self._is_a_guess() else "")
        print(f"{self.name} · {answer}{because}")

    def _english(self, answer: object) -> object:
        """`answer` with "0,5" as "0.5" where a decimal number is right, and "0.5%" as "0.5" where points are wanted."""
        if not isinstance(answer, str):
            return answer
        if self._is_decimal():
            answer = re.sub(r"^(\s*[+-]?\d*),(\d+\s*%?\s*)$", r"\1.\2", answer)
        return answer.rstrip(" %") if "percentage points" in self.expects else answer

    def _is_decimal(self) -> bool:
        """Whether a decimal number is right; one like 5.0 is kept as a whole number."""
        rounded = isinstance(self.right, int) and self.tolerance > 0 and self.expects.startswith("a number")
        return isinstance(self.right, float) or rounded

    def _is_cut_at_a_comma(self, answer: object) -> bool:
        """Whether `check(0,5)` may have been meant as 0.5."""
        return self._is_decimal() and isinstance(answer, tuple) and len(answer) == 2

    def _is_a_guess(self) -> bool:
        return self.right is None and self.judge is None

    def _judged(self, answer: object) -> str | None:
        if not callable(answer):
            return f"{self.name} expects {self.expects}, not {type(answer).__name__}."
        try:
            with _exit_raises():
                return self.judge(answer)
        except KeyboardInterrupt:  # Stop is pressed
            raise
        except BaseException as error:  # the student's code: its error is the feedback, sys.exit() among them
            return f"Your function stopped with {traceback.format_exception_only(error)[-1].strip()}"

    def _said(self, answer: object) -> str:
        return f"{answer} ({self.options[answer]})" if self._is_option(answer) else _shown(answer)

    def _is_option(self, answer: object) -> bool:
        return isinstance(answer, str) and answer in self.options

    def _fits(self, answer: object) -> bool:
        kinds = {str: str, tuple: tuple}
        kind = kinds.get(type(self.right), numbers.Real)
        return self._is_option(answer) if self.options else isinstance(answer, kind)

    def _same(self, answer: object, other: object) -> bool:
        try:
            if isinstance(answer, numbers.Real) and isinstance(other, numbers.Real):
                return abs(answer - other) <= self.tolerance
            return type(answer) is type(other) and bool(answer == other)
        except Exception:  # no float is as large as 10**400, and some objects cannot be compared
            return False


def _one(answer: tuple) -> object:
    """The one answer that was given, or all of them: `check(16, 12, 3)` is `check((16, 12, 3))`."""
    return answer if len(answer) > 1 else answer[0] if answer else None


def _plain(answer: object, depth: int = 0) -> object:
    """`answer` as plain Python: NumPy numbers, "6", "b", "5×5" and lists as what they stand for."""
    if isinstance(answer, (np.generic, np.ndarray)):
        answer = answer.tolist()
    if isinstance(answer, (list, tuple)) and depth < DEEPEST:
        return tuple(_plain(part, depth + 1) for part in answer)
    if not isinstance(answer, str):
        return answer
    answer = answer.strip()
    try:
        if re.fullmatch(r"[1-9]\d{0,2}(,\d{3})+", answer):  # 2,400
            return int(answer.replace(",", ""))
        if sizes := re.fullmatch(r"[(\[]?\s*(\d+(?:\s*[x×,]\s*\d+)+)\s*[)\]]?", answer):
            return tuple(int(size) for size in re.findall(r"\d+", sizes[1]))
        number = float(answer.replace(" %", "%").rstrip("%")) / (100 if answer.endswith("%") else 1)
        return int(number) if number.is_integer() else number
    except ValueError:  # no number, or one of thousands of digits
        return answer.upper() if len(answer) == 1 else answer


def _shown(answer: object) -> str:
    """`answer` as a reply repeats it, cut where it is long."""
    try:
        text = repr(answer)
    except Exception:  # a number of thousands of digits, or an object of the student's
        return f"this {type(answer).__name__}"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


@contextlib.contextmanager
def _exit_raises() -> Iterator[None]:
    """Inside, `exit()` raises SystemExit in a notebook too, where it would end the kernel."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        yield
        return
    ask_exit, shell.ask_exit = shell.ask_exit, sys.exit
    try:
        yield
    finally:
        shell.ask_exit = ask_exit

"""A question of a lesson: it takes a guess before an experiment, or checks an answer and explains.

No reply only says "wrong": each foreseen wrong answer has a reply that says what it would be the answer to.
"""

import dataclasses
import numbers
from collections.abc import Callable

from course_lib.exercises import answers, guessing, judging, record, solutions
from course_lib.exercises.answers import one, plain, same, shown, wrapped

KINDS = ("guess", "choice", "number", "sizes", "text", "code")
ROUNDED = 0.03  # how far, of itself, a foreseen wrong number may be off: 0.0156 is met by 0.016
POINTS = {"guess": 0, "code": 3}  # where a question does not say; every other kind gives 1


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What an answer is worth: `right` is None where it was no attempt, such as a letter that is no option."""

    right: bool | None
    reply: str


@dataclasses.dataclass(eq=False)  # one question is only itself
class Question(guessing.Guessing):
    """One question. As the last line of a cell it shows a card; its methods are for those who type.

    Attributes:
        name: as the lesson calls it, "q1".
        text: the question.
        right: the answer; for a choice its letter; None where `judge` or the experiment decides.
        because: why that is the answer.
        wrong: foreseen wrong answers, and what to reply to each.
        options: of a choice, what each letter stands for.
        expects: what kind of answer is wanted, said where another kind came in.
        tip: a push in the right direction.
        tolerance: how far off a right number may be; see `tolerance_around` for foreseen wrong ones.
        judge: for answers that are functions: returns None where right, else the reply.
        kind: one of `KINDS`; follows from the other fields where it is not given.
        points: what a right answer gives; follows from the kind where it is not given.
        function: for code: the name of the student's function, which the card looks up.
        returns_object: for code: it returns an object, such as a network, that cannot leave its process, or is given
            one that cannot get there, such as a tensor without numbers; so its judge runs beside it.
        runs_for: for code: how long the lesson's cells run longer once it is written, where that is a minute or more.
        misconception: the mistaken idea that the question is about, for the instructor.
        lesson: the lesson it belongs to; answers of a question without one are kept in memory.
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
    kind: str = ""
    points: float | None = None
    function: str = ""
    returns_object: bool = False
    runs_for: str = ""
    misconception: str = ""
    lesson: str = ""

    @classmethod
    def from_entry(cls, name: str, entry: dict, judges: object = None, lesson: str = "") -> "Question":
        """Returns the question of a TOML table: answers are read as a student's are, the judge is of `judges`."""
        fields = dict(entry, name=name, lesson=lesson, right=plain(entry.get("right")))
        fields["wrong"] = {plain(answer): reply for answer, reply in entry.get("wrong", {}).items()}
        if "judge" in entry:
            fields["judge"] = getattr(judges, entry["judge"])
            fields.setdefault("function", entry["judge"])
        return cls(**fields)

    def __post_init__(self) -> None:
        self.kind = self.kind or self._kind_of_fields()
        if self.kind not in KINDS:
            raise ValueError(f"{self.name}: kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.points is None:
            self.points = POINTS.get(self.kind, 1)
        if self.options:
            self.expects = "one of " + ", ".join(f'"{letter}"' for letter in self.options)
        self._own_record = record.Record(None)

    def _kind_of_fields(self) -> str:
        if self.judge is not None:
            return "code"
        if self.right is None:
            return "guess"
        if self.options:
            return "choice"
        return {tuple: "sizes", str: "text"}.get(type(self.right), "number")

    def __repr__(self) -> str:
        asked = wrapped(f"{self.name} · {self.text}", indent=" " * len(f"{self.name} · "))
        listed = [wrapped(f"   {letter}  {option}", indent=" " * 6) for letter, option in self.options.items()]
        return "\n".join([asked, *listed])

    def _ipython_display_(self) -> None:
        """Shows the card; IPython calls this where the question is the last line of a cell."""
        from course_lib.exercises import card

        card.show(self)

    @property
    def entry(self) -> record.Entry:
        """What the student did with this question so far."""
        return self._record().entry(self.lesson, self.name)

    def keep(self, **changes: object) -> None:
        """Notes in the student's record what was done with this question."""
        self._record().keep(self.lesson, self.name, **changes)

    def _record(self) -> record.Record:
        return record.current() if self.lesson else self._own_record

    def check(self, *answer: object) -> None:
        """Says what is right about `answer`, what is not, and why; sizes may come as `16, 12, 3`."""
        print(wrapped(self.attempt(*answer).reply), end="\n\n")

    def reply(self, *answer: object) -> str:
        """Returns what `check` says, as one line; nothing is noted."""
        return self.mark(*answer).reply

    def attempt(self, *answer: object) -> Verdict:
        """Marks `answer` and notes it in the student's record."""
        verdict = self.mark(*answer)
        if verdict.right is not None:
            self._note(one(answer), verdict.right)
        return verdict

    def _note(self, answer: object, right: bool) -> None:
        """Counts a try where the answer is another one than before; a right answer stays."""
        if self.kind == "code":
            changes = {"answer": judging.name_of(answer), "source": judging.source_of(answer)}
        else:
            changes = {"answer": answers.as_json(self.read(answer))}
        entry = self.entry
        if all(getattr(entry, field) == value for field, value in changes.items()) and entry.tries:
            return
        if right or not entry.right:
            self.keep(**changes, right=right, tries=entry.tries + 1)

    def mark(self, *answer: object) -> Verdict:
        """Returns whether `answer` is right and what to reply."""
        answer = one(answer)
        if answer is None or answer is ...:
            return Verdict(None, f"{self}\n→ Not answered yet: give {self.expects}; {self.name}.hint() helps.")
        answer = self.read(answer)
        if self.kind == "guess" and self.right is None:
            call = f"{self.name}.predict({shown(answer)})"
            return Verdict(None, f"→ {self.name} is a guess: {call}, then run the experiment.")
        if self.kind == "code":
            return self._judged(answer)
        if same(answer, self.right, self.tolerance):
            return Verdict(True, f"→ Right. {self.because}")
        for foreseen, reply in self.wrong.items():
            if same(answer, foreseen, self.tolerance_around(foreseen)):
                return Verdict(False, f"→ Not {self.said(answer)}. {reply}")
        if not self._fits(answer):
            point = " A decimal number is written with a point: 0.5." if self._is_cut_at_a_comma(answer) else ""
            return Verdict(None, f"→ {shown(answer)} cannot be the answer: {self.name} expects {self.expects}.{point}")
        return Verdict(False, f"→ Not {self.said(answer)}. {self.tip}")

    def tolerance_around(self, foreseen: object) -> float:
        """How far an answer may be from a foreseen wrong one: room for rounding it, and no more than for the right one.

        So a tolerance for an answer of 20 does not take in all that is near 0.
        """
        return min(self.tolerance, ROUNDED * abs(foreseen)) if isinstance(foreseen, numbers.Real) else self.tolerance

    def _judged(self, answer: object) -> Verdict:
        if not callable(answer):
            problem = f"{self.name} expects {self.expects}, not {type(answer).__name__}."
            return Verdict(None, f"→ Not yet. {problem}")
        problem = judging.problem(self.judge, answer)
        return Verdict(True, f"→ Right. {self.because}") if problem is None else Verdict(False, f"→ Not yet. {problem}")

    def hint(self) -> None:
        """Prints a push in the right direction."""
        self.keep(hint=True)
        print(wrapped(f"{self.name} · {self.hint_text()}"))

    def hint_text(self) -> str:
        """Returns the hint, or that there is none."""
        without = (
            "there is no hint: guess, and the experiment answers." if self.kind == "guess" else "there is no hint."
        )
        return self.tip or without

    def solution(self) -> None:
        """Prints the answer and why it is the answer."""
        self.keep(solution=self.entry.solution or not self.entry.right)
        print(wrapped(f"{self.name} · {self.solution_text()}"))
        if code := self.solution_code():
            print(f"\n{code}")

    def solution_code(self) -> str:
        """Returns a right function, where one is to be written and one is kept; else ""."""
        return solutions.source(self.lesson, self.function) if self.kind == "code" else ""

    def solution_text(self) -> str:
        """Returns the answer and why it is the answer."""
        answer = "" if self.right is None else f"{self.said(self.right)}. "
        because = self.because or ("the experiment answers." if self.kind == "guess" else "")
        return f"{answer}{because}"

    def said(self, answer: object) -> str:
        """Returns `answer` as a reply names it, a letter with its option."""
        return f"{answer} ({self.options[answer]})" if self._is_option(answer) else shown(answer)

    def read(self, answer: object) -> object:
        """Returns `answer` as plain Python, read as this question expects it."""
        if isinstance(answer, str):
            if self.kind in ("number", "guess") and (self._is_decimal() or not answers.has_thousands(answer)):
                answer = answers.with_point(answer)
            if "percentage points" in self.expects:
                answer = answer.rstrip(" %")
        return plain(answer)

    def _is_decimal(self) -> bool:
        """Whether a decimal number is right; one like 5.0 is kept as a whole number."""
        rounded = isinstance(self.right, int) and self.tolerance > 0 and self.expects.startswith("a number")
        return isinstance(self.right, float) or rounded

    def _is_cut_at_a_comma(self, answer: object) -> bool:
        """Whether `check(0,5)` may have been meant as 0.5."""
        return self._is_decimal() and isinstance(answer, tuple) and len(answer) == 2

    def _is_option(self, answer: object) -> bool:
        return isinstance(answer, str) and answer in self.options

    def _fits(self, answer: object) -> bool:
        kinds = {str: str, tuple: tuple}
        kind = kinds.get(type(self.right), numbers.Real)
        return self._is_option(answer) if self.options else isinstance(answer, kind)

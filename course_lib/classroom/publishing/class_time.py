"""What of a lesson fits its time in class: minutes for each section, and what is cut for it, in order.

A lesson that states its minutes per section, in the table or the sentence of its opening, has these. Else what is
counted is cut until it fits.
"""

import dataclasses
import re
from collections.abc import Sequence

from course_lib.classroom.publishing import counted, reading

START = "start"
PAPER = "paper"
EXERCISE = "exercise"
TOLERANCE = 0.5  # minutes that nobody notices
TABLE = re.compile(
    r"^\| *section *\|(?P<sections>.+)\|\n\|[-| :]+\|\n(?:\|.*\n)*?\| *minutes[^|]*\|(?P<minutes>.+)\|", re.MULTILINE
)
SENTENCE = re.compile(r"sections 1 to \d+ (?:take )?(?P<minutes>\d+(?:, \d+)*,? and \d+)(?! s\b)")
OPENING = re.compile(r"opening questions take (\d+) minutes")


@dataclasses.dataclass(frozen=True)
class Slot:
    """A section in class: its minutes, and what of it is cut, each with the minutes that this saves."""

    part: counted.Part
    minutes: int
    cuts: tuple[tuple[str, float], ...] = ()


def stated(lesson: reading.Lesson) -> dict[str, int]:
    """The minutes in class that the lesson's opening states, by "start", the section's number, "paper", "exercise"."""
    opening = lesson.notebook.cells[0].source + "\n"
    table = TABLE.search(opening)
    if table is None:
        sentence = SENTENCE.search(opening)
        if sentence is None:
            return {}
        minutes = [int(each) for each in re.findall(r"\d+", sentence["minutes"])]
        found = {str(number): each for number, each in enumerate(minutes, 1)}
        before = OPENING.search(opening)
        return found | ({START: int(before[1])} if before else {})
    found = {}
    for named, minutes in zip(table["sections"].split("|"), table["minutes"].split("|"), strict=False):
        if minutes.strip().isdecimal():
            found[_key(named.strip().lower())] = int(minutes)
    return found


def _key(named: str) -> str:
    return next((key for key in (START, PAPER, EXERCISE, "deeper") if key in named), named)


def slots(lesson: reading.Lesson, parts: Sequence[counted.Part], minutes_in_class: int) -> list[Slot]:
    """The parts of the core in class, in order; those without a minute are for home."""
    given = stated(lesson)
    if given:
        return _as_stated(list(parts), given, minutes_in_class)
    return _as_counted([part for part in parts if part.name != counted.AT_HOME], minutes_in_class)


def _as_stated(parts: list[counted.Part], given: dict[str, int], minutes_in_class: int) -> list[Slot]:
    start = given.get(START, 0)
    too_long = sum(minutes for key, minutes in given.items() if key != "deeper") - minutes_in_class
    if too_long > 0:  # the questions to start with go first
        start = start - too_long if start - too_long > 2 else min(start, 1)
    found = []
    for part in parts:
        minutes = given.get(_number(part), 0)
        if part.name in counted.OPENING and start:
            minutes = 1 if part is parts[0] else 0
        elif part.name == counted.BEFORE:
            minutes = max(0, start - 1)
        elif part.name == counted.PAPER:
            minutes = given.get(PAPER, 0)
        elif part.name == counted.AT_HOME:
            minutes = given.get(EXERCISE, 0)
            found.append(Slot(part, minutes))
            continue
        found.append(_fitted(part, minutes))
    return found


def _number(part: counted.Part) -> str:
    return part.section.heading.split(".")[0] if part.section.is_numbered else ""


def _fitted(part: counted.Part, minutes: int) -> Slot:
    """A part in so many minutes: writing goes first, then checks, then the text is told instead of read."""
    if not minutes:
        return Slot(part, 0, ((at_home(part), part.minutes),) if part.minutes >= 1 else ())
    if part.name == counted.BEFORE:
        said = f"{counted.names(part.section.questions)} answered at home, only the replies in class"
        saved = part.minutes - minutes
        return Slot(part, minutes, ((said, saved),) if saved > TOLERANCE else ())
    cuts = []
    rest = part.minutes
    for said, saved in possible(part):
        if rest <= minutes + TOLERANCE:
            break
        cuts.append((said, saved))
        rest -= saved
    return Slot(part, minutes, tuple(cuts))


def at_home(part: counted.Part) -> str:
    """What is said where a whole part is not for class."""
    if part.name == counted.BEFORE:
        return f"{counted.names(part.section.questions)} before class, at home"
    return f"*{part.section.name or part.name}* to be read at home"


def possible(part: counted.Part) -> list[tuple[str, float]]:
    """What may be cut from a part that stays in class, in this order."""
    written = [question for question in part.section.questions if question.kind == "code"]
    checks = [question for question in part.section.questions if question.kind not in ("code", "guess")]
    found = []
    if written:
        found.append((f"writing {counted.names(written)}: homework, show the solution", part.writing))
    if checks:
        found.append((f"{counted.names(checks)} at home", counted.MINUTES_PER_QUESTION * len(checks)))
    found.append((f"*{part.section.name}* told from the slides, not read", part.reading * 0.7))
    guesses = [question for question in part.section.questions if question.kind == "guess"]
    if guesses:
        found.append((f"{counted.names(guesses)} by a show of hands", len(guesses)))
    return [(said, saved) for said, saved in found if saved >= TOLERANCE / 2]


def _as_counted(parts: list[counted.Part], minutes_in_class: int) -> list[Slot]:
    cut: dict[int, list[tuple[str, float]]] = {place: [] for place in range(len(parts))}
    left = [max(1.0, part.minutes) if part.name not in counted.OPENING else part.minutes for part in parts]
    for place, said, saved in _in_order(parts):
        if sum(map(round, left)) <= minutes_in_class:
            break
        cut[place].append((said, saved))
        left[place] -= saved
    return [
        Slot(part, max(round(left[place]), int(part.section.is_numbered)), tuple(cut[place]))
        for place, part in enumerate(parts)
    ]


def _in_order(parts: list[counted.Part]) -> list[tuple[int, str, float]]:
    """What may be cut from the parts, least needed first."""
    found = [(place, at_home(part), part.minutes) for place, part in enumerate(parts) if part.name == counted.BEFORE]
    numbered = [(place, part) for place, part in reversed(list(enumerate(parts))) if part.section.is_numbered]
    for place, part in numbered:
        found += [(place, said, saved) for said, saved in possible(part) if said.startswith("writing")]
    found += [(place, at_home(part), part.minutes) for place, part in enumerate(parts) if part.name == counted.PAPER]
    for place, part in numbered:
        found += [(place, said, saved) for said, saved in possible(part) if not said.startswith("writing")]
    return found


def late(slots_in_class: Sequence[Slot], minutes: float = 10) -> list[tuple[str, float]]:
    """What else to leave out of these when so many minutes are lost, with what each saves."""
    found: list[tuple[str, float]] = []
    at_the_end = [slot for slot in slots_in_class if slot.part.name == counted.AT_HOME and slot.minutes]
    kept = [slot for slot in slots_in_class if slot.minutes and slot not in at_the_end]
    candidates = [(f"*{slot.part.name}* at home", slot.minutes) for slot in at_the_end]
    candidates += [(at_home(slot.part), slot.minutes) for slot in kept if slot.part.name == counted.BEFORE]
    for slot in reversed(kept):
        done = {said for said, _ in slot.cuts}
        for said, saved in possible(slot.part):
            if said.startswith("writing") and said not in done:
                candidates.append((said, min(saved, slot.minutes - 1)))
    candidates += [(at_home(slot.part), slot.minutes) for slot in kept if slot.part.name == counted.PAPER]
    last = [slot for slot in kept if slot.part.section.is_numbered][:1:-1]
    # What the lesson promises to write stays, if only shown.
    candidates += [(at_home(slot.part), slot.minutes) for slot in last if not slot.part.writing]
    for said, saved in candidates:
        if sum(each for _, each in found) >= minutes:
            break
        if saved > 0:
            found.append((said, saved))
    return found

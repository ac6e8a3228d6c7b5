"""What of a lesson fits its time in class: minutes for each section, and what is cut for it, in order.

A lesson that states its minutes per section, in the table or the sentence of its opening, has these. Else what is
counted is cut until it fits. The minutes in class and what the cuts save add up to the whole core.
"""

import dataclasses
import re
from collections.abc import Sequence

from course_lib.classroom.publishing import counted, needed, reading

START = "start"
PAPER = "paper"
EXERCISE = "exercise"
TOLERANCE = 0.5  # minutes that nobody notices
KEPT = {"02": "4", "05": "5"}  # the section that a lesson's title or promise asks about: also kept when class is late
HALVED = 4  # minutes, from which on a section can be told in half its time
RUN_ONLY = "run its cells, read it at home"
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
        if minutes.strip().isdecimal() and "homework" not in named:
            found[_key(named.strip().lower())] = int(minutes)
    return found


def _key(named: str) -> str:
    """What a column of the table is about: of "5, summary" the section."""
    number = re.match(r"\d+", named)
    return number[0] if number else next((key for key in (START, PAPER, EXERCISE, "deeper") if key in named), named)


def slots(lesson: reading.Lesson, parts: Sequence[counted.Part], minutes_in_class: int) -> list[Slot]:
    """The parts of the core in class, in order; those without a minute are for home."""
    given = stated(lesson)
    if given:
        return _as_stated(list(parts), given, minutes_in_class)
    return _as_counted([part for part in parts if part.name != counted.AT_HOME], minutes_in_class)


def _as_stated(parts: list[counted.Part], given: dict[str, int], minutes_in_class: int) -> list[Slot]:
    held = _fitting(parts, given, minutes_in_class)
    start = held.get(START, 0)
    found = []
    for part in parts:
        minutes = held.get(_key_of(part), 0)
        whole = given.get(_key_of(part), 0)
        if part.name in counted.OPENING and start:
            minutes = 1 if part is parts[0] else 0
        elif part.name == counted.BEFORE:
            minutes = whole = max(0, start - 1)
        found.append(Slot(part, minutes) if part.name == counted.AT_HOME else _fitted(part, minutes, whole))
    return found


def _fitting(parts: list[counted.Part], given: dict[str, int], minutes_in_class: int) -> dict[str, int]:
    """Of the stated minutes what fits: the questions to start with go first, then the last sections without writing."""
    held = {key: minutes for key, minutes in given.items() if key != "deeper"}
    start = held.get(START, 0)
    too_long = sum(held.values()) - minutes_in_class
    if too_long > 0 and start:
        held[START] = start - too_long if start - too_long > 2 else 1
    for part in reversed(parts):
        if sum(held.values()) > minutes_in_class and part.section.is_numbered and not part.writing:
            held.pop(_key_of(part), None)
    return held


def _key_of(part: counted.Part) -> str:
    """Under which name a lesson states the minutes of a part."""
    if part.section.is_numbered:
        return part.section.heading.split(".")[0]
    return {counted.PAPER: PAPER, counted.AT_HOME: EXERCISE}.get(part.name, "")


def _fitted(part: counted.Part, minutes: int, whole: int) -> Slot:
    """A part in so many minutes: writing goes first, then checks, then the text is told instead of read.

    Args:
        part: what it takes as counted.
        minutes: what it has in class.
        whole: what the lesson states for it, which is saved where it has none.
    """
    if not minutes:
        is_named = part.section.is_numbered or part.name == counted.PAPER or part.minutes >= 1
        return Slot(part, 0, ((at_home(part), whole or part.minutes),) if is_named else ())
    if part.name == counted.BEFORE:
        asked = counted.names(part.section.questions)
        saved = part.minutes - minutes
        said = f"{at_home(part)}, only the replies in class" if saved > minutes else f"{asked} by a show of hands"
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
    found.append((f"*{part.section.name}* told from the kit's slides, not read", part.reading * 0.7))
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


def late(slots_in_class: Sequence[Slot], minutes: float = 10, kept: str = "") -> list[tuple[str, float]]:
    """What else to leave out of these when so many minutes are lost, with what each saves.

    Args:
        slots_in_class: the lesson's core as planned.
        minutes: how many are lost.
        kept: the number of a section that is not left out.
    """
    held = [slot for slot in slots_in_class if slot.minutes and slot.part.name not in counted.OPENING]
    found: list[tuple[str, float]] = []
    for said, saved in [*_spare(held), *_sections(held, kept)]:
        if sum(each for _, each in found) >= minutes:
            break
        if saved > 0:
            found.append((said, saved))
    return found


def _spare(held: list[Slot]) -> list[tuple[str, float]]:
    """What goes before any section does: exercises, the questions to start with, writing, the part on papers."""
    found = [(f"*{slot.part.name}* at home", slot.minutes) for slot in held if slot.part.name == counted.AT_HOME]
    for slot in held:
        if slot.part.name == counted.BEFORE:
            replies = "the replies to " if any("replies" in said for said, _ in slot.cuts) else ""
            found.append((f"{replies}{counted.names(slot.part.section.questions)} at home", slot.minutes))
    for slot in reversed(held):
        done = {said for said, _ in slot.cuts}
        for said, saved in possible(slot.part):
            if said.startswith("writing") and said not in done and slot.part.name != counted.AT_HOME:
                found.append((said, min(saved, slot.minutes - 1)))
    return found + [(at_home(slot.part), slot.minutes) for slot in held if slot.part.name == counted.PAPER]


def _sections(held: list[Slot], kept: str) -> list[tuple[str, float]]:
    """Whole sections, from the last to the second, those first whose cells no other needs; then half of what is left.

    What the lesson promises to write stays, if only shown.
    """
    left = [slot for slot in held if slot.part.section.is_numbered]
    may_go = [slot for slot in left[1:] if not slot.part.writing and _key_of(slot.part) != kept]
    run = list(left)
    found = []
    while may_go:
        alone = [slot for slot in may_go if not _needing(slot, run)]
        slot = alone[-1] if alone else may_go[-1]
        may_go.remove(slot)
        left.remove(slot)
        if alone:
            run.remove(slot)
            found.append((at_home(slot.part), slot.minutes))
        else:
            saved = slot.minutes - round(slot.part.running)
            found.append((f"*{slot.part.section.name}*: {RUN_ONLY}", saved))
    halved = sorted((slot for slot in left if slot.minutes >= HALVED), key=lambda slot: -slot.minutes)
    half = "told in half its time from the kit's slides"
    return found + [(f"*{slot.part.section.name}* {half}", slot.minutes // 2) for slot in halved]


def _needing(slot: Slot, run: list[Slot]) -> dict[str, set[str]]:
    """Which of the sections whose cells run use what the cells of this one define."""
    section = slot.part.section
    sections = [each.part.section for each in run]
    return needed.later(section, sections[sections.index(section) + 1 :])

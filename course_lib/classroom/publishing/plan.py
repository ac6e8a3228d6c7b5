"""The instructor's plan: each lesson's core minute by minute, as far as it fits the time in class."""

import itertools

from course_lib.classroom.publishing import advice, class_time, counted, outcomes, reading
from course_lib.exercises.question import Question

KINDS = {"w": "to start with", "p": "guess", "q": "question", "e": "exercise"}
NOT_PLANNED = "not yet planned by the minute: its cells do not yet say of what kind they are."


def page(lessons: list[reading.Lesson], folder: str = "", slides: str = "", *, answers: bool = False) -> str:
    """The plan of these lessons as Markdown.

    Args:
        lessons: all of them, also those that are not yet planned.
        folder: what leads from the page to the notebooks.
        slides: what leads to the decks; "" where there are none beside the page.
        answers: whether the plan holds what comes out, which is not for a page that students read.
    """
    claims = ", listed under [claims](claims.md)" if answers else ""
    intro = (
        f"Counted from the lessons: words at {counted.WORDS_PER_MINUTE} per minute, the seconds that the cells ran on "
        f"two CPU cores, {counted.MINUTES_PER_QUESTION} minutes for each question, {counted.MINUTES_PER_CODE} for each "
        "piece of code to write. "
        "The table is what fits the time in class, with the minutes that the lesson states for its sections. The table "
        "and what the cuts save add up to the time *with everything*: who has more time undoes cuts, the last one "
        "first. Summaries are read at home. "
        "*Mistake* is the mistaken idea behind a question; *slides* names the claims of the lecture's slides, such as "
        f"R1, that a part puts right{claims}. *The kit's slides* are the lesson's own deck (`publish slides`). Let the "
        "class guess aloud before a cell runs, and open its outcome afterwards. Run the setup cell before class."
    )
    if answers:
        intro += (
            " *Comes out* is what the saved lesson measured, or the right answer. The name of a question leads to what "
            "to say to each mistaken answer, that of a claim to what is right."
        )
    return "\n\n".join([intro, *(of_lesson(lesson, folder, slides, answers=answers) for lesson in lessons)])


def of_lesson(lesson: reading.Lesson, folder: str = "", slides: str = "", *, answers: bool = False) -> str:
    """The plan of one lesson as Markdown."""
    heading = f"### {lesson.title}"
    links = f"[The lesson]({folder}{lesson.path.name})"
    if slides:
        links += f' · <a href="{slides}{lesson.path.stem}.html">Slides</a> (the key S opens the speaker\'s notes)'
    if not lesson.is_tagged:
        return f"{heading}\n\n{links}: {NOT_PLANNED}"
    planned = counted.parts(lesson)
    in_class = slots(lesson)
    taken = sum(slot.minutes for slot in in_class)
    saved = sum(advice.rounded(minutes) for slot in in_class for _, minutes in slot.cuts)
    total = f"{links}: {counted.MINUTES_IN_CLASS[lesson.number]} minutes in class, of which the table takes {taken}; "
    total += f"{taken + saved} with everything that is cut." if saved else "nothing is cut."
    came_out = outcomes.of_lesson(lesson) if answers else None
    rows = [_row(slot, minute, came_out) for minute, slot in timetable(lesson)]
    columns = ["minute", "part", "what", "ask", *(["comes out"] if answers else []), "mistake"]
    table = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *rows]
    return "\n\n".join([heading, total, "\n".join(table), "\n".join(advice.below_table(lesson, planned, in_class))])


def slots(lesson: reading.Lesson) -> list[class_time.Slot]:
    """The parts of the lesson's core in its time in class; those without a minute are for home."""
    return class_time.slots(lesson, counted.parts(lesson), counted.MINUTES_IN_CLASS[lesson.number])


def timetable(lesson: reading.Lesson) -> list[tuple[int, class_time.Slot]]:
    """The parts that are held in class, each with the minute at which it begins."""
    in_class = slots(lesson)
    begins = itertools.accumulate((slot.minutes for slot in in_class), initial=0)
    return [(minute, slot) for minute, slot in zip(begins, in_class, strict=False) if slot.minutes]


def minutes_of(slot: class_time.Slot, start: int) -> str:
    """From which minute to which a part is held."""
    return f"{start}–{start + slot.minutes}"


def done_in(slot: class_time.Slot) -> str:
    """What is done in a part: "read, run (3 s), ask"."""
    part = slot.part
    if part.name == counted.AT_HOME:
        return "begin, the rest at home"
    done = [
        "tell" if any("told from the kit's slides" in said for said, _ in slot.cuts) else "read",
        _running(part),
        "ask" if part.asking else "",
        "write" if is_written(slot) else "",
    ]
    return ", ".join(filter(None, done))


def _running(part: counted.Part) -> str:
    """How long the cells run: "run (4 s; a minute more, once q2 is written)"."""
    seconds = [f"{60 * part.running:.0f} s"] if part.running else []
    written = [f"{each.runs_for}, once {each.name} is written" for each in part.section.questions if each.runs_for]
    return f"run ({'; '.join(seconds + written)})" if seconds or written else ""


def is_written(slot: class_time.Slot) -> bool:
    """Whether the class writes the code of a part; else its solution is shown."""
    return bool(slot.part.writing) and not any("writing" in said for said, _ in slot.cuts)


def _row(slot: class_time.Slot, start: int, came_out: dict[str, outcomes.Outcome] | None) -> str:
    """A section as a line of the table; its answers where `came_out` is given."""
    part = slot.part
    with_links = came_out is not None
    row = [minutes_of(slot, start), _named(part, with_links=with_links), done_in(slot)]
    if part.name == counted.AT_HOME:
        return _line([*row, "", "", ""] if with_links else [*row, "", ""])
    questions = part.section.questions
    shown = [each for each in questions if not advice.is_cut(each, slot) or each.kind == "code"]
    row.append(_grouped(shown, solved=not is_written(slot), with_links=with_links))
    if with_links:
        row.append("<br>".join(f"{each.name}: {told}" for each in shown if (told := _right(each, came_out))))
    row.append("<br>".join(f"{each.name}: {_cell(each.misconception)}" for each in shown if each.misconception))
    return _line(row)


def _line(row: list[str]) -> str:
    return f"| {' | '.join(row)} |"


def _named(part: counted.Part, *, with_links: bool) -> str:
    """A section's heading with the claims of the slides that it puts right."""
    claims = sorted({claim for cell in part.section.cells for claim in cell.metadata.get("claims", ())}, key=_order)
    if with_links:
        claims = [f'<a href="claims.html#{claim}">{claim}</a>' for claim in claims]
    return _cell(part.name) + (f"<br>slides: {' '.join(claims)}" if claims else "")


def _order(claim: str) -> tuple[str, int]:
    return claim[0], int(claim[1:])


def _grouped(questions: list[Question], *, solved: bool, with_links: bool) -> str:
    """The questions by kind: "w1, w2, w3 (to start with)<br>e1 (write code)"."""
    found: dict[str, list[Question]] = {}
    for question in questions:
        kind = KINDS[question.name[0]]
        if question.kind == "code":
            kind = "show a solution" if solved else "write code"
        found.setdefault(kind, []).append(question)
    named = {
        kind: [_name(question) if with_links else question.name for question in each] for kind, each in found.items()
    }
    return "<br>".join(f"{', '.join(names)} ({kind})" for kind, names in named.items())


def _name(question: Question) -> str:
    """A question's name, which leads to its misconception where it has one."""
    if not question.misconception:
        return question.name
    return f'<a href="misconceptions.html#{question.lesson}-{question.name}">{question.name}</a>'


def _right(question: Question, came_out: dict[str, outcomes.Outcome]) -> str:
    """What the experiment came out as, or the right answer, in a word."""
    if question.name in came_out:
        return came_out[question.name].measured
    return "" if question.right is None else _cell(str(question.right))


def _cell(text: str) -> str:
    """Text in one line of a table."""
    return " ".join(text.replace("|", "\\|").split())

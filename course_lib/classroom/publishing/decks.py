"""Slides: a deck per lesson, shown by reveal.js from an installed package.

A lesson's author tags cells with `slide`. Where no cell is tagged, the deck is made from the promise, the headings,
the guesses, the figures with their captions, and the answers.
"""

import dataclasses
import html
import importlib.util
import pathlib
import re
import shutil

import jinja2

from course_lib.classroom.publishing import class_time, counted, formulas, outcomes, panels, plan, reading
from course_lib.exercises.question import Question
from course_lib.exercises.static import escaped, marked_up

TAG = "slide"
FEWEST = 12
MOST = 25
MOST_ROWS = 9
MOST_LETTERS = 500  # of a table in the usual size
TEMPLATE = pathlib.Path(__file__).parent / "static" / "deck.html.j2"
STATIC = pathlib.Path(__file__).parent / "static"
STYLE = ("deck.css", "course-math.woff", "course-math-license.txt")
REVEAL = ("dist/reset.css", "dist/reveal.css", "dist/reveal.js", "plugin/notes")  # what a deck loads
NEEDED = 0
WANTED = 1
SPARE = 2  # how soon a slide is left out where there are too many
Row = tuple[int, class_time.Slot]  # of the plan: the minute at which a part begins, and the part


@dataclasses.dataclass(frozen=True)
class Slide:
    """One slide.

    Attributes:
        heading: a line above, as HTML.
        body: what is below it, as HTML.
        notes: what the speaker sees besides, as HTML.
        kind: "title", "question", "figure", "figure dense", "answer", "code" or "text": how it is laid out.
        spare: how soon it is left out where there are too many; 0 is never.
    """

    heading: str
    body: str
    notes: str = ""
    kind: str = "text"
    spare: int = NEEDED


def write(lessons: list[reading.Lesson], folder: pathlib.Path) -> dict[str, int]:
    """Writes a deck for each lesson and what it loads into `folder`; returns the number of slides of each."""
    folder.mkdir(parents=True, exist_ok=True)
    installed = pathlib.Path(importlib.util.find_spec("sphinx_revealjs").origin).parent / "_static" / "revealjs"
    for part in REVEAL:
        target = folder / "reveal" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (installed / part).is_dir() else shutil.copy
        copy(installed / part, target, **({"dirs_exist_ok": True} if copy is shutil.copytree else {}))
    for name in STYLE:
        shutil.copy(STATIC / name, folder / name)
    template = jinja2.Template(TEMPLATE.read_text(encoding="utf-8"), autoescape=True)
    counts = {}
    for lesson in lessons:
        slides = of_lesson(lesson)
        page = template.render(title=lesson.title, slides=slides)
        (folder / f"{lesson.path.stem}.html").write_text(page, encoding="utf-8")
        counts[lesson.path.stem] = len(slides)
    return counts


def of_lesson(lesson: reading.Lesson) -> list[Slide]:
    """The slides of a lesson: those that its author tagged, else those that its parts make."""
    held = {slot.part.section.heading: (minute, slot) for minute, slot in plan.timetable(lesson)}
    came_out = outcomes.of_lesson(lesson)
    slides = [_title(lesson)]
    if any(TAG in cell.metadata.get("tags", ()) for cell in lesson.notebook.cells):
        for section in lesson.sections:
            slides += _with_row(_of_cells(section, came_out, tagged_only=True), held.get(section.heading))
        return slides
    for section in lesson.core[1:]:
        slides += _of_section(section, came_out, held.get(section.heading))
    if len(slides) < FEWEST:
        for section in lesson.deeper:
            slides += _of_section(section, came_out, None)
    return _at_most(slides, MOST)


def _at_most(slides: list[Slide], most: int) -> list[Slide]:
    """The slides without those that are spare, the last of them first, until there are at most `most`."""
    kept = list(slides)
    for spare in (SPARE, WANTED):
        for slide in reversed(slides):
            if len(kept) > most and slide.spare == spare:
                kept.remove(slide)
    return kept


def _title(lesson: reading.Lesson) -> Slide:
    minutes = counted.MINUTES_IN_CLASS[lesson.number]
    body = (
        f'<p class="promise">{formulas.markdown(lesson.promise)}</p><p class="lesson-number">Lesson {lesson.number}</p>'
    )
    slow = [part for part in counted.parts(lesson) if 60 * part.running >= counted.LONG_RUN]
    early = "".join(f" Start “{part.section.name}” before you ask: {60 * part.running:.0f} s." for part in slow)
    notes = f"<p>{minutes} minutes in class. Run the setup cell before it begins.{early}</p>"
    return Slide(f"<h1>{formulas.markdown(lesson.name)}</h1>", body, notes, kind="title")


def _of_section(section: reading.Section, came_out: dict[str, outcomes.Outcome], row: Row | None) -> list[Slide]:
    """The slides of a section without tags; its row of the plan stands in the notes of the first."""
    if section.heading == counted.BEFORE:
        return [_questions(section, row)]
    if section.heading == counted.AT_HOME:
        return []
    if not section.is_numbered and not section.is_deeper and section.heading != counted.PAPER:
        return [Slide(_heading(section), _list(section), _said(row))]
    slides = _of_cells(section, came_out, solved=row is not None and not plan.is_written(row[1]))
    if section.answer:
        slides.append(Slide(_heading(section), f"<p>{formulas.markdown(capital(section.answer))}</p>", kind="answer"))
    slides = _with_row(slides, row)
    return [dataclasses.replace(slide, spare=WANTED) if section.is_deeper else slide for slide in slides]


def _of_cells(
    section: reading.Section,
    came_out: dict[str, outcomes.Outcome],
    *,
    solved: bool = False,
    tagged_only: bool = False,
) -> list[Slide]:
    """A slide for each figure, each question and each outcome without a figure, or for each tagged cell.

    Where `solved`, code to write is shown with a solution.
    """
    slides = []
    prose = ""
    done = []
    open_guesses: list[str] = []  # which no figure has answered yet
    drawn = [cell for cell in section.cells if reading.figures(cell)]
    finding = next(filter(reading.is_outcome, drawn), drawn[0] if drawn else None)
    for cell in section.cells:
        is_tagged = TAG in cell.metadata.get("tags", ())
        if cell.cell_type == "markdown":
            prose = reading.HEADING.sub("", cell.source)
            if is_tagged:
                slides.append(Slide(_heading(section), formulas.markdown(prose, block=True)))
        elif is_tagged or not tagged_only:
            spare = NEEDED if cell is finding else WANTED
            found = [_figure(section, part, prose, spare) for part in panels.halved(reading.figures(cell))]
            asked = [question for question in section.questions if _shows(cell, question) and question not in done]
            told = [name for name in open_guesses if not found and f".{name}.outcome(" in cell.source]
            slides += found + [_outcome(section, came_out[name]) for name in told if name in came_out]
            slides += [_question(section, question, not done, solved=solved) for question in asked]
            open_guesses = [] if found else [*open_guesses, *(each.name for each in asked if each.kind == "guess")]
            done += asked
    return slides


def _with_row(slides: list[Slide], row: Row | None) -> list[Slide]:
    """The slides of a section, whose row of the plan stands in the notes of the first."""
    return [dataclasses.replace(slide, notes=_said(row) + slide.notes) for slide in slides[:1]] + slides[1:]


def _shows(cell, question: Question) -> bool:
    """Whether a cell shows the card of a question, and neither a check nor an outcome."""
    return question.name in re.findall(reading.ASKED.format(alias=r"\w+"), cell.source)


def _heading(section: reading.Section) -> str:
    return f"<h2>{formulas.markdown(section.name)}</h2>"


def _said(row: Row | None) -> str:
    if row is None:
        return "<p>The plan gives this part no minutes in class.</p>"
    minute, slot = row
    return f"<p>In the plan: minutes {plan.minutes_of(slot, minute)}: {plan.done_in(slot)}.</p>"


def _figure(section: reading.Section, figure: reading.Figure, prose: str, spare: int) -> Slide:
    """A figure under its section's heading; the prose before it is for the speaker."""
    notes = formulas.markdown(prose, block=True)
    page = re.sub(r'<style.*?</style>|style="[^"]*max-width: 100%[^"]*"', "", figure.html, flags=re.DOTALL)
    is_dense = page.count("<tr") > MOST_ROWS or ("<table" in page and len(plain(page)) > MOST_LETTERS)
    kind = "figure dense" if is_dense else "figure"
    return Slide(_heading(section), page, notes, kind=kind, spare=spare)


def _outcome(section: reading.Section, found: outcomes.Outcome) -> Slide:
    meaning = f" · {marked_up(found.meaning)}" if found.meaning else ""
    told = f"<p><b>Outcome of {found.name}: {marked_up(found.measured)}</b>{meaning}</p>"
    return Slide(_heading(section), f"{told}<p>{marked_up(found.finding)}</p>", kind="answer", spare=WANTED)


def _question(section: reading.Section, question: Question, is_first: bool, *, solved: bool) -> Slide:
    """A question with its options, or code with a solution; what the class may think is for the speaker."""
    options = "".join(f"<li><b>{letter}</b> {marked_up(option)}</li>" for letter, option in question.options.items())
    listed = f'<ul class="options">{options}</ul>' if options else ""
    notes = f"<p>{question.name}.</p>"
    if question.misconception:
        notes += f"<p>Expect: {escaped(question.misconception)}</p>"
    spare = WANTED if question.kind in ("guess", "code") else SPARE
    if question.kind == "guess" and is_first:
        spare = NEEDED
    kind = "question"
    if solved and question.solution_code():
        listed = f"<pre><code>{escaped(question.solution_code())}</code></pre>"
        kind = "code"
    return Slide(_heading(section), f"<p>{marked_up(question.text)}</p>{listed}", notes, kind=kind, spare=spare)


def _questions(section: reading.Section, row: Row | None) -> Slide:
    asked = "".join(f"<li>{marked_up(question.text)}</li>" for question in section.questions)
    return Slide(_heading(section), f"<ol>{asked}</ol>", _said(row), spare=SPARE)


def _list(section: reading.Section) -> str:
    """The list of a section such as the summary; all of it where it has no list."""
    text = "\n\n".join(cell.source for cell in section.cells if cell.cell_type == "markdown")
    items = re.findall(r"^(?:\d+\.|-) .+$", text, re.MULTILINE)
    return formulas.markdown("\n".join(items) or reading.HEADING.sub("", text), block=True)


def capital(text: str) -> str:
    """A sentence that begins with a capital letter, also where it followed a colon."""
    return text[:1].upper() + text[1:]


def plain(text: str) -> str:
    """HTML as text."""
    return html.unescape(re.sub(r"<[^>]+>", "", text))

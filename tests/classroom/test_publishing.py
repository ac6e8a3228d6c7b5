"""What is made of the lessons before Sphinx or a browser sees it: sections, plan, glossary, slides, formulas."""

import base64
import io
import itertools
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from course_lib import common
from course_lib.classroom import lesson_runs, seconds
from course_lib.classroom.publishing import (
    class_time,
    counted,
    glossary,
    needed,
    outcomes,
    outputs,
    pages,
    panels,
    plan,
    reading,
    wording,
)

LESSONS = lesson_runs.find([])
OUTCOME = "p1 · no guess given | outcome C: learned\nError 6.5 %.\n"
PIXEL = panels.encoded(Image.new("L", (1, 1)))
FIGURE = (
    f'<figure style="margin: 0"><img src="data:image/png;base64,{PIXEL}" alt="The error falls." '
    'style="max-width: 100%"><figcaption aria-hidden="true">The error &lt; 2 % falls.</figcaption></figure>'
)


def shown(source: str, page: str, *tags: str, **metadata) -> nbformat.NotebookNode:
    output = new_output("display_data", data={"text/html": page, "text/plain": "x"})
    return new_code_cell(source, outputs=[output], metadata={"tags": list(tags), **metadata})


@pytest.fixture
def path(tmp_path):
    """A lesson with the questions of lesson 03."""
    cells = [
        new_markdown_cell("# Lesson 03 · LeNet\n\n**You will train it,\nand see.**\n\n*You need:* lesson 01."),
        new_code_cell("# @title Setup\nlenet = exercises.lenet", metadata={"tags": ["setup"]}),
        new_markdown_cell("## You will be able to …\n\n1. count\n2. train"),
        new_markdown_cell("## Before we start"),
        shown("# @title Question\nlenet.w1", "<div><details><summary>1</summary></details></div>", "question"),
        new_markdown_cell("## 1. Who makes the filters?\n\nLook at the error of $x^2$ in `code`."),
        shown("# @title Question\nlenet.p1", "<div></div>", "question"),
        shown("# @title Errors\nvis.show(ax)", FIGURE, "figure", "outcome", jupyter={"outputs_hidden": True}),
        new_code_cell(
            "lenet.p1.outcome('C', found)",
            outputs=[new_output("stream", name="stdout", text=OUTCOME)],
            metadata={"tags": ["question"], "jupyter": {"outputs_hidden": True}},
        ),
        new_markdown_cell("It falls.\n\n**Answer:** the data do.\n\n## 2. What is a step?\n\nWrite it."),
        new_code_cell("def training_step(): ...", metadata={"tags": ["write"]}),
        shown("lenet.q3", "<div></div>", "question"),
        new_markdown_cell("**Answer.** Four lines: `a`."),
        new_markdown_cell("## Exercises"),
        shown("lenet.e1", "<div></div>", "question"),
        new_markdown_cell("## Summary\n\n1. It learns.\n2. It reads."),
        new_markdown_cell("## Deeper · What is lost?\n\nLess.\n\n**Answer:** little."),
        shown("lenet.q8", "<div></div>", "question"),
        new_markdown_cell("## Sources\n\nLeCun 1998"),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "03_lenet.ipynb")
    return tmp_path / "03_lenet.ipynb"


def test_a_lesson_is_read_as_sections(path):
    lesson = reading.read(path)
    assert (lesson.number, lesson.title, lesson.name) == ("03", "Lesson 03 · LeNet", "LeNet")
    assert lesson.promise == "You will train it, and see." and lesson.is_tagged and lesson.exercise == "lenet"
    assert [section.name for section in lesson.core] == [
        *("", "You will be able to …", "Before we start", "Who makes the filters?", "What is a step?"),
        *("Exercises", "Summary"),
    ]
    assert [section.name for section in lesson.deeper] == ["What is lost?"]
    asked = [[question.name for question in section.questions] for section in lesson.sections]
    assert asked == [[], [], ["w1"], ["p1"], ["q3"], ["e1"], [], ["q8"], []]
    assert lesson.sections[3].answer == "the data do." and lesson.sections[4].answer == "Four lines: `a`."
    assert reading.words(lesson.sections[3]) == 23  # the heading, prose without formula and code, the caption
    (figure,) = [figure for cell in lesson.sections[3].cells for figure in reading.figures(cell)]
    assert figure.caption == "The error < 2 % falls."


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([new_markdown_cell("LeNet")], "does not begin with its title"),
        ([new_markdown_cell("# LeNet")], "names no questions"),
    ],
)
def test_what_is_no_lesson_is_refused(tmp_path, cells, said):
    nbformat.write(new_notebook(cells=cells), tmp_path / "x.ipynb")
    with pytest.raises(ValueError, match=said):
        reading.read(tmp_path / "x.ipynb")


def test_the_plan_adds_up_what_takes_time(path):
    lesson = reading.read(path)
    parts = counted.parts(lesson, {"1. Who makes the filters?": 90})
    filters, step = parts[3], parts[4]
    assert (filters.reading, filters.running, filters.asking, filters.writing) == (23 / 180, 1.5, 2, 0)
    assert (step.asking, step.writing) == (0, 10)
    text = plan.of_lesson(lesson)
    assert "q3 (write code)" in text and "q3: Training is more than the same small step repeated." in text
    assert (
        "**Homework:** e1 (10 minutes, 3 points); then one deeper section of choice: *What is lost?* (q8; 2 minutes, "
        "1 point)" in text
    )
    assert "7 points in the core, 1 point in the deeper sections" in text
    assert "fits, in this order:** nothing." in text and "of which the table takes 15; nothing is cut." in text


def test_a_section_that_runs_says_how_long_and_is_started_early(path, monkeypatch):
    ran = {"1. Who makes the filters?": 33, "2. What is a step?": 1}
    monkeypatch.setattr(counted.recorded_seconds, "read", lambda: {"03_lenet": ran})
    text = plan.of_lesson(reading.read(path))
    assert "run (33 s)" in text and "run (1 s)" in text and "run (0" not in text
    assert "**Start these cells before you ask their guesses:** *Who makes the filters?* (33 s)." in text


def test_answers_are_in_the_plan_only_where_they_are_asked_for(path):
    lesson = reading.read(path)
    assert "comes out" not in plan.of_lesson(lesson)
    told = plan.page([lesson], "../", "../slides/", answers=True)
    assert "| p1: C |" in told and '<a href="../slides/03_lenet.html">Slides</a>' in told


def test_the_instructors_plan_leads_to_misconceptions_and_explains_the_codes_of_claims(path):
    notebook = nbformat.read(path, 4)
    notebook.cells[7].metadata["claims"] = ["L4"]
    nbformat.write(notebook, path)
    lesson = reading.read(path)
    told = plan.page([lesson], "../", "../slides/", answers=True)
    assert '<a href="misconceptions.html#lenet-p1">p1</a> (guess)' in told
    assert '<br>slides: <a href="claims.html#L4">L4</a>' in told and "listed under [claims](claims.md)" in told
    without = plan.page([lesson])
    assert (
        "| p1 (guess) |" in without and "slides: L4 |" in without and "such as R1, that a part puts right." in without
    )


def test_when_there_is_too_little_time_the_least_needed_goes_first(path):
    lesson = reading.read(path)
    parts = counted.parts(lesson, {})
    slots = class_time.slots(lesson, parts, 45)
    assert [slot.cuts for slot in slots] == [()] * len(slots)
    slots = class_time.slots(lesson, parts, 6)
    assert sum(slot.minutes for slot in slots) <= 6
    cuts = [said for slot in slots for said, _ in slot.cuts]
    assert cuts == ["w1 before class, at home", "writing q3: homework, show the solution"]
    late = class_time.late(class_time.slots(lesson, parts, 45))
    assert [said for said, _ in late] == ["w1 at home", "writing q3: homework, show the solution"]


@pytest.mark.parametrize("path", [each for each in LESSONS if reading.read(each).is_tagged], ids=lambda path: path.stem)
def test_when_class_is_late_what_is_to_be_written_is_still_shown(path):
    """Whatever else is left out, no section with code to write is: it is what the lesson promises."""
    lesson = reading.read(path)
    slots = class_time.slots(lesson, counted.parts(lesson), counted.MINUTES_IN_CLASS[lesson.number])
    kept = class_time.KEPT.get(lesson.number, "")
    late = class_time.late(slots, minutes=1000, kept=kept)
    home = left_out(said for said, _ in late)
    numbered = [slot for slot in slots if slot.part.section.is_numbered and slot.minutes]
    for slot in numbered[1:]:
        is_kept = slot.part.section.heading.startswith(f"{kept}.")
        assert (slot.part.section.name in home) == (not slot.part.writing and not is_kept)
    assert sum(saved for _, saved in class_time.late(slots, kept=kept)) >= 10


def left_out(cuts) -> dict[str, bool]:
    """The names of the sections that cuts leave to be read at home, and whether their cells are run."""
    found = [re.match(r"\*(.+?)\*(?: to be read at home|: run its cells, read it at home)$", said) for said in cuts]
    return {each[1]: each[0].endswith("run its cells, read it at home") for each in found if each}


def with_opening(path, text: str) -> reading.Lesson:
    notebook = nbformat.read(path, 4)
    notebook.cells[0].source += f"\n\n{text}"
    nbformat.write(notebook, path)
    return reading.read(path)


class TestNeeded:
    """Which sections use what the cells of another one define."""

    def section(self, *cells: str, heading: str = "") -> reading.Section:
        return reading.Section(heading, [new_code_cell(cell) for cell in cells])

    @pytest.mark.parametrize(
        ("code", "defined", "used"),
        [
            ("a = b + 1", "a", "b"),
            ("a = 1\nprint(a)", "a", ""),
            ("print(a)\na = 1", "a", "a"),
            ("a = a + 1", "a", "a"),
            ("found = [each for each in images if each]", "found", "images"),
            ("def f(x, y=z):\n    local = x\n    return local + known", "f", "known z"),
            ("for name, each in pairs.items():\n    total = each", "name each total", "pairs"),
            ("with opened(path) as file:\n    text = file.read()", "file text", "opened path"),
            ("import numpy as np\nfrom os import path\nnp.zeros(path)", "np path", ""),
            ("if (n := count(runs)) > 2:\n    last = n", "n last", "count runs"),
            ("!pip install x\n%matplotlib inline\nx = 1", "x", ""),
            ("%%writefile a.py\nimport nothing, like this", "", ""),
        ],
    )
    def test_names_of_a_cell(self, code, defined, used):
        assert needed.names(self.section(code)) == (set(defined.split()), set(used.split()))

    def test_what_is_defined_anew_is_not_needed(self):
        first = self.section("images = load()", "each = 1", heading="1. First?")
        anew = self.section("images = other()\nshow(images)", heading="2. Anew?")
        uses = self.section("for each in (1, 2):\n    show(images)", heading="3. Uses?")
        assert needed.later(first, [anew, uses]) == {}
        assert needed.later(first, [uses, anew]) == {"3. Uses?": {"images"}}


TABLE = (
    "| section | start | 1 | 2 | paper, exercises | deeper, each |\n|---|---|---|---|---|---|\n"
    "| minutes | 4 | 3 | 2 | 1 | 5 |"
)
OF_CLASS = TABLE.replace("| minutes", "| seconds | 1 | 1 | 1 | 1 | 1 |\n| minutes in class").replace(
    "| 5 |", "| 2 to 5 |"
)
IN_WORDS = (
    "in class the opening questions take 6 minutes, sections 1 to 2 1 and 4; the rest at home. Sections 1 to 2 9 s."
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TABLE, {"start": 4, "1": 3, "2": 2, "paper": 1, "deeper": 5}),
        (OF_CLASS, {"start": 4, "1": 3, "2": 2, "paper": 1}),
        (IN_WORDS, {"start": 6, "1": 1, "2": 4}),
        ("In class sections 1 to 3 take 3, 5 and 2 minutes.", {"1": 3, "2": 5, "3": 2}),
        ("About 45 minutes.", {}),
    ],
)
def test_minutes_that_the_lesson_states_are_those_of_the_plan(path, text, said):
    lesson = with_opening(path, text)
    assert class_time.stated(lesson) == said
    slots = {slot.part.name: slot for slot in class_time.slots(lesson, counted.parts(lesson, {}), 45)}
    if said:
        assert slots["1. Who makes the filters?"].minutes == said["1"]
        assert slots["2. What is a step?"].cuts == (("writing q3: homework, show the solution", 10),)
        assert slots["Before we start"].minutes == max(0, said.get("start", 0) - 1)
        rows = re.findall(r"^\| (\d+)–(\d+) \|", plan.of_lesson(lesson), re.MULTILINE)
        assert all(end == begin for (_, end), (begin, _) in itertools.pairwise(rows)) and rows[0][0] == "0"


TAGGED = [path for path in LESSONS if reading.read(path).is_tagged]


@pytest.mark.parametrize("lesson", TAGGED, ids=lambda path: path.stem)
def test_the_plan_of_a_lesson_can_be_held(lesson):
    """The table ends within the minutes that the lesson has in class, and says what it leaves out."""
    lesson = reading.read(lesson)
    text = plan.of_lesson(lesson, answers=True)
    ends = [int(end) for end in re.findall(r"^\| \d+–(\d+) \|", text, re.MULTILINE)]
    minutes = counted.MINUTES_IN_CLASS[lesson.number]
    assert 0.75 * minutes <= ends[-1] <= minutes and f"of which the table takes {ends[-1]};" in text
    (cuts,) = re.findall(r"Cut so that it fits, in this order:\*\* (.+)", text)
    saved = sum(map(int, re.findall(r"\(saves (\d+)\)", cuts)))
    assert f"; {ends[-1] + saved} with everything that is cut." in text or cuts == "nothing."
    for said in ("run (0", " 0 minutes", "(saves 0)", " 1 minutes", " 1 points"):
        assert said not in text
    assert len(re.findall(r"^\| \d+–\d+ \| \d\.", text, re.MULTILINE)) >= 4  # sections of the core


def bullets(text: str) -> list[list[str]]:
    """What the plan of a lesson cuts, and what it leaves out when class is late."""
    found = re.findall(r"^- \*\*(?:Cut so|Ten minutes).+?:\*\* (.+)\.$", text, re.MULTILINE)
    return [[re.sub(r" \(saves \d+\)$", "", each) for each in line.split("; ")] for line in found]


@pytest.mark.parametrize("path", TAGGED, ids=lambda path: path.stem)
def test_the_cells_that_run_in_class_find_what_they_use(path):
    """No section that the plan leaves out, also late, defines a name that a later one uses; else its cells are run."""
    lesson = reading.read(path)
    text = plan.of_lesson(lesson)
    home = left_out(itertools.chain(*bullets(text)))
    rows = re.findall(r"^\| \d+–\d+ \| (.+?)(?:<br>| \|)", text, re.MULTILINE)
    run = [section for section in lesson.core if section.heading in rows and home.get(section.name, True)]
    for place, section in enumerate(lesson.core):
        if home.get(section.name) is False:
            assert needed.later(section, [each for each in lesson.core[place + 1 :] if each in run]) == {}
    assert len(run) >= 2  # the plan was understood


@pytest.mark.parametrize("path", TAGGED, ids=lambda path: path.stem)
def test_every_section_of_the_core_is_in_the_table_or_among_the_cuts(path):
    lesson = reading.read(path)
    text = plan.of_lesson(lesson)
    cut = left_out(bullets(text)[0])
    for section in lesson.core:
        if section.is_numbered or section.name == counted.PAPER:
            assert (f"| {section.heading}" in text) != (section.name in cut), section.heading


@pytest.mark.parametrize("path", TAGGED, ids=lambda path: path.stem)
def test_questions_to_start_with_are_sent_where_the_plan_has_them_at_home(path):
    """The page for a class says so of those that are "before class, at home"; their points stand in the homework."""
    lesson = reading.read(path)
    text = plan.of_lesson(lesson)
    (said,) = [cut for cut in bullets(text)[0] if re.match(r"w\d", cut)]
    assert "before class, at home" in said or said.endswith("by a show of hands")
    asked = next(section for section in lesson.core if section.name == counted.BEFORE).questions
    points = sum(question.points for question in asked)
    homework = f"**Homework:** {counted.names(asked)} before class ({2 * len(asked)} minutes, {points:g} point"
    assert (homework in text) == ("before class, at home" in said)


@pytest.mark.parametrize("path", TAGGED, ids=lambda path: path.stem)
def test_a_deeper_section_names_the_minutes_that_are_counted(path):
    """One rule: words at 180 a minute, the seconds run, 2 minutes a question, 10 a piece of code; room for one minute.

    The plan takes the number that the lesson names, and so does what the lesson's opening says of them all.
    """
    lesson = reading.read(path)
    text = plan.of_lesson(lesson)
    named = []
    for part in counted.deeper(lesson):
        named.append(counted.stated(part.section))
        assert named[-1] and abs(named[-1] - part.minutes) <= 1, f"{part.section.name}: {part.minutes:.1f} counted"
        (planned,) = re.findall(rf"\*{re.escape(part.section.name)}\* \((?:[^;]+; )?(\d+) minutes?[,)]", text)
        assert int(planned) == named[-1]
    opening = lesson.notebook.cells[0].source
    ranges = re.findall(r"^\| minutes.*\| (\d+) to (\d+) \|$", opening, re.MULTILINE)
    ranges += re.findall(r"a deeper section (\d+) to (\d+) minutes", opening)
    assert all((int(least), int(most)) == (min(named), max(named)) for least, most in ranges)
    assert all(int(added) == sum(named) for added in re.findall(r"the deeper sections add (\d+);", opening))


def test_what_runs_once_it_is_written_is_said(path, monkeypatch):
    lesson = reading.read(path)
    assert "once q3" not in plan.of_lesson(lesson)
    monkeypatch.setattr(lesson.sections[4].questions[0], "runs_for", "two minutes more")
    text = plan.of_lesson(lesson)
    assert "| read, run (two minutes more, once q3 is written), write |" in text
    assert "before you ask their guesses:** *What is a step?*, once q3 is written (two minutes more)." in text


def test_a_lesson_that_is_not_yet_planned_is_named(path):
    notebook = nbformat.read(path, 4)
    notebook.cells[1].metadata.pop("tags")
    nbformat.write(notebook, path)
    text = plan.page([reading.read(path)])
    assert "### Lesson 03 · LeNet" in text and "not yet planned by the minute: " in text and "| minute" not in text


class TestOutcomes:
    TEXT = (
        "first line\np1 · no guess given | outcome C: that of filters learned from the digits, from a random\n"
        "  start\npixels alone 9.6 %; learned 6.5 %\n  (5.7 to 6.6).\n\np10 · your guess 3 | outcome 4.5\nDone.\n"
    )

    def test_letter_option_and_numbers_are_read_back(self):
        first, second = outcomes.of_text(self.TEXT)
        assert first.said == "C (that of filters learned from the digits, from a random start)"
        assert first.finding == "pixels alone 9.6 %; learned 6.5 % (5.7 to 6.6)."
        assert (second.name, second.measured, second.meaning, second.finding) == ("p10", "4.5", "", "Done.")
        assert outcomes.of_text("p1 · guess first, then run this cell again.") == []

    @pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
    def test_every_saved_outcome_of_a_lesson_is_found(self, path):
        lesson = reading.read(path)
        code = "\n".join(cell.source for cell in lesson.notebook.cells if cell.cell_type == "code")
        found = outcomes.of_lesson(lesson)
        saved = [text for cell in lesson.notebook.cells if cell.cell_type == "code" for text in outcomes.texts(cell)]
        assert len(found) == sum(text.count(" | outcome ") for text in saved) >= 6
        assert set(found) <= set(re.findall(r"\.([wpqe]\d+)\.outcome\(", code))
        assert all(each.measured and each.finding and "no guess" not in each.finding for each in found.values())


class TestOutputsOfPages:
    def made(self, *given, tags=("read",)) -> tuple[list[str], dict]:
        cell = new_code_cell("x", outputs=list(given), metadata={"tags": list(tags)})
        pictures: dict[str, bytes] = {}
        told = {"p1": outcomes.Outcome("p1", "C", "learned", "Error 6.5 %."), "p3": None}
        outputs.of_cell(cell, "lenet", pictures, told)
        return [each.get("data", {}).get("text/html", each.get("text")) for each in cell.outputs], pictures

    def stream(self, text: str):
        return new_output("stream", name="stdout", text=text)

    def test_an_outcome_has_no_word_of_a_notebook(self):
        (before, first, second), _ = self.made(self.stream(TestOutcomes.TEXT))
        assert before == "first line\n" and "<strong>Outcome of p1: C</strong>: that of filters" in first
        assert (
            "no guess" not in first and "your guess" not in second and "<strong>Outcome of p10: 4.5</strong>" in second
        )

    def test_columns_stay_columns_and_prose_does_not(self):
        (columns,), _ = self.made(self.stream("a    b\nc1   15  <\nc2   16\n"))
        assert columns == '<pre class="columns" tabindex="0">a    b\nc1   15  &lt;\nc2   16</pre>'
        assert self.made(self.stream("One line.\nAnother  one.\n"))[0] == ["One line.\nAnother  one.\n"]

    def test_what_a_slide_says_is_a_quotation(self):
        said = "The slide: a and\nb\nIn fact: c\nSource: d\nand e"
        (page, _), _ = self.made(self.stream(f"{said}\n{OUTCOME}"))
        assert "<strong>The slide:</strong> a and b</p>" in page and "<strong>Source:</strong> d and e</p>" in page

    def test_what_only_a_kernel_means_is_left_out(self):
        assert self.made(self.stream("Python 3\n"), tags=("setup",))[0] == []
        assert self.made(self.stream("The board: http://127.0.0.1:38517\nrank 1\n"))[0] == ["rank 1\n"]
        assert self.made(self.stream("loss: None, then None\n"), tags=("write",))[0] == []
        assert self.made(self.stream("shape: (None, 32)\n"))[0] == ["shape: (None, 32)\n"]

    def test_a_figure_is_a_link_to_its_picture(self):
        (page,), pictures = self.made(new_output("display_data", data={"text/html": FIGURE}))
        (name,) = pictures
        link = f'<a class="enlarge" href="../figures/{name}"><img src="../figures/{name}" alt="The error falls."'
        assert f'{link} width="1" height="1" style="--whole: 1px; --legible: 0px"></a>' in page
        assert "</a><figcaption" in page and "base64" not in page and pictures[name] == PIXEL.encode()

    @pytest.mark.parametrize(("more", "legible"), [("", 600), (' data-pictures="[]"', 900)])
    def test_a_figure_is_wide_enough_for_letters_of_their_size(self, more, legible):
        wide = FIGURE.replace(PIXEL, panels.encoded(Image.new("L", (1000, 4)))).replace("<figure", f"<figure{more}")
        (page,), _ = self.made(new_output("display_data", data={"text/html": wide}))
        assert f'width="1000" height="4" style="--whole: 1000px; --legible: {legible}px"' in page

    def test_a_table_scrolls_by_itself(self):
        table = "<table><tr><td>1</td></tr></table>"
        page = f"<figure><figcaption>x</figcaption>\n{table}</figure>"
        (made,), _ = self.made(new_output("display_data", data={"text/html": page}))
        assert made == page.replace(table, f'<div class="wide" tabindex="0">{table}</div>')

    def test_help_is_marked_for_it_is_not_printed(self):
        card = "<div><details><summary>A · one</summary></details><details><summary>Hint</summary></details></div>"
        (made,), _ = self.made(new_output("display_data", data={"text/html": card}))
        assert made == card.replace("<details><summary>Hint", '<details class="help"><summary>Hint')

    @pytest.mark.parametrize(
        ("said", "page"),
        [
            ("the library's, until yours is right\nrank 1\n", "rank 1\n"),
            ("Keras: 0.5\nby your function: not written yet\n", "Keras: 0.5\n"),
            ("equal: True\nbit for bit: True; in any: False\n", "equal: yes\nbit for bit: yes; in any: no\n"),
            ("A pair of `stack`.\n", "A pair of “stack”.\n"),
            ("Not written yet. 43.3 %.\n", "What your own code gives stands here in your own copy. 43.3 %.\n"),
        ],
    )
    def test_what_is_printed_has_the_words_of_a_page(self, said, page):
        assert self.made(self.stream(said))[0] == [page]

    def test_where_weights_and_a_photo_are_needed_no_picture_is_promised(self):
        unset = "Set PHOTO and imagenet_weights in the second cell; then this shows five classes.\n"
        (said,), _ = self.made(self.stream(unset))
        assert said.startswith("No picture here: ") and said.endswith(" It then shows five classes.\n")

    def test_an_outcome_of_own_code_is_promised_where_it_would_stand_and_on_its_card(self):
        (said,), _ = self.made(self.stream("p3 · no outcome yet: f is still to be written\n"))
        assert said == f"<div><p>{wording.OWN_OUTCOME}</p></div>"
        card = "<div>\n<p><strong>p3</strong> · Which?</p>\n</div>"
        (made,), _ = self.made(new_output("display_data", data={"text/html": card}))
        assert made == card.replace("\n</div>", f"\n<p>{wording.OWN_OUTCOME}</p>\n</div>")

    def test_sliders_saved_without_all_combinations_say_so(self):
        slider = '<input type="range">'
        for page, said in ((slider, False), (slider * 2, True), (f'<i data-strides="[2, 1]">{slider * 2}</i>', False)):
            (made,), _ = self.made(new_output("display_data", data={"text/html": f"<figure>{page}</figure>"}))
            assert ("one slider at a time" in made) == said

    def test_a_guess_leads_to_its_outcome(self):
        card = "<div>\n<p><strong>{}</strong> · Which?</p>\n"
        for letter, reply in (("A", "If it comes out otherwise: no."), ("B", "The experiment answers.")):
            card += f"<details><summary>{letter} · one</summary><p>{reply}</p></details>\n"
        card += "<details><summary>C · learned</summary><p>If it comes out otherwise: yes.</p></details>"
        (page,), _ = self.made(new_output("display_data", data={"text/html": card.format("p1")}))
        link = ' <a href="#outcome-lenet-p1">Open the outcome of p1.</a></p>'
        assert "A · one</summary><p>It comes out otherwise: no." + link in page
        assert "B · one</summary><p>It comes out otherwise." + link in page
        assert "C · learned</summary><p>So it comes out." + link in page and "If it" not in page
        (page,), _ = self.made(new_output("display_data", data={"text/html": card.format("p2")}))
        assert "<a " not in page and page.count("If it comes out otherwise") == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Choose or type an answer, then press *Check*.", "Open an answer to read the reply."),
        ("Its judge waits (the judge is fast).", "Its check waits (the check is fast)."),
        ("its acknowledgements are in the README.", "[its acknowledgements](../index.md#acknowledgements)."),
        (
            "As text: `a < b`, `c`. Go on.",
            '<details class="as-text"><summary>As text</summary><p><code>a &lt; b</code>, <code>c</code></p></details>'
            "\n\nGo on.",
        ),
        ("As text: `b[c]`, with c > 0. Write it.", "As text: `b[c]`, with c > 0. Write it."),
        ("Try it. (On a page without a kernel there is no button.)", "Try it."),
        (r"$$a = b \qquad\quad c = \frac{d}{e}, \qquad f$$", "$$a = b$$\n\n$$c = \\frac{d}{e}$$\n\n$$f$$"),
        (r"$$\begin{aligned} a \qquad b \end{aligned}$$", r"$$\begin{aligned} a \qquad b \end{aligned}$$"),
    ],
)
def test_markdown_of_a_page(text, said):
    assert pages.said(text) == said


UNRECORDED = "not recorded yet: python -m course_lib reproduce x\n"


class TestCellsOfPages:
    def made(self, path) -> list[nbformat.NotebookNode]:
        return pages.notebook(reading.read(path), [], "").cells

    def add(self, path, place: int, *cells) -> None:
        notebook = nbformat.read(path, 4)
        notebook.cells[place:place] = cells
        nbformat.write(notebook, path)

    def test_a_figure_and_its_verdict_are_one_fold(self, path):
        (fold,) = [cell for cell in self.made(path) if pages.FOLDED_OUTPUT in cell.metadata.get("tags", ())]
        assert "of p1" in fold.metadata["mystnb"]["code_prompt_show"]
        figure, verdict = (output.data["text/html"] for output in fold.outputs)
        assert "<figure" in figure and "<strong>Outcome of p1: C</strong>" in verdict

    def test_a_verdict_stays_where_no_figure_or_another_verdict_is_before_it(self, path):
        output = new_output("stream", name="stdout", text=OUTCOME.replace("p1", "p2"))
        metadata = {"tags": ["question"], "jupyter": {"outputs_hidden": True}}
        self.add(path, 9, new_code_cell("lenet.p2.outcome('C')", outputs=[output], metadata=metadata))
        folds = [cell for cell in self.made(path) if pages.FOLDED_OUTPUT in cell.metadata.get("tags", ())]
        assert [len(cell.outputs) for cell in folds] == [2, 1]

    def test_what_holds_the_text_to_numbers_is_no_outcome_to_guess(self, path):
        for said, begins in (("a: True\nb: True\n", "Checked"), ("a: 3 of 3\n", "After your guess")):
            told = new_output("stream", name="stdout", text=said)
            of_text = {"tags": ["check", "outcome"], "jupyter": {"outputs_hidden": True}}
            cell = new_code_cell("# @title In every seed?\n1", outputs=[told], metadata=of_text)
            self.add(path, 10, cell)
            made = self.made(path)[10 - 1]  # a figure and its verdict are one
            assert made.metadata.mystnb.code_prompt_hide.split(pages.MARK)[2] == f"{begins} · In every seed?"

    def test_the_outcome_of_own_code_is_not_folded(self, path):
        told = new_output("stream", name="stdout", text="q3 · no outcome yet: f is still to be written\n")
        hidden = {"tags": ["question"], "jupyter": {"outputs_hidden": True}}
        self.add(path, 12, new_code_cell("lenet.q3.outcome(f)", outputs=[told], metadata=hidden))
        made = self.made(path)
        (cell,) = [
            cell
            for cell in made
            if wording.OWN_OUTCOME in str(cell.get("outputs")) and "<p><strong>" not in str(cell.outputs)
        ]
        assert pages.FOLDED_OUTPUT not in cell.metadata.tags

    def test_the_first_figure_that_is_not_folded_says_what_a_finger_can_do(self, path):
        assert pages.HINT not in str(self.made(path))  # the only figure tells an outcome
        self.add(path, 12, shown("# @title Digits\nvis.show(ax)", FIGURE, "figure"))
        self.add(path, 12, shown("# @title More digits\nvis.show(ax)", FIGURE, "figure"))
        pages_with = [cell for cell in self.made(path) if pages.HINT in str(cell.get("outputs"))]
        assert len(pages_with) == 1 and "More digits" in str(pages_with[0].metadata)

    def test_what_is_not_recorded_yet_is_one_paragraph(self, path):
        empty = [
            new_code_cell(
                f"# lenet.{name}.outcome(...)\nprint()",
                outputs=[new_output("stream", name="stdout", text=UNRECORDED)],
                metadata={"tags": ["figure"], "jupyter": {"outputs_hidden": True}},
            )
            for name in ("p2", "p2", "p3")
        ]
        before = self.made(path)
        self.add(path, 9, *empty)
        cells = self.made(path)
        (paragraph,) = [cell for cell in cells if "ot recorded yet" in str(cell)]
        assert paragraph.cell_type == "markdown" and "and with it the outcome of p2, p3." in paragraph.source
        assert len(cells) == len(before) + 1 and cells[cells.index(paragraph) + 1].source.startswith("It falls.")

    @pytest.mark.parametrize("said", ["error 3 %\n" + UNRECORDED, ""])
    def test_a_cell_that_says_more_or_nothing_is_kept(self, said):
        cell = new_code_cell("x", outputs=[new_output("stream", name="stdout", text=said)] if said else [])
        assert not pages.is_unrecorded(cell)

    def test_a_page_leads_straight_to_section_1(self, path):
        cells = self.made(path)
        assert '<a href="#section-1-lenet">Straight to section 1</a>' in cells[0].source
        (first,) = [cell.source for cell in cells if 'id="section-1-lenet"' in cell.source]
        assert first.startswith('<span id="section-1-lenet"></span>\n\n## 1. Who makes the filters?')


def test_seconds_are_recorded_by_section(tmp_path):
    code = [new_code_cell(source) for source in "123"]
    cells = [code[0], new_markdown_cell("text\n\n## 1. A?\n\n## 2. B?"), *code[1:]]
    found = seconds.by_section(new_notebook(cells=cells), {1: 0.6, 3: 1.2, 4: 1.5})
    assert found == {"": 0.6, "2. B?": pytest.approx(2.7)}
    file = tmp_path / "seconds.json"
    assert seconds.read(file) == {}
    seconds.record("03_lenet", {**found, "3. C?": 0.2}, file)
    seconds.record("01_seeing", {}, file)
    assert seconds.read(file) == {"01_seeing": {}, "03_lenet": {"": 1, "2. B?": 3}}


def test_a_timer_lets_a_cell_last_until_the_next_begins(monkeypatch):
    clock = iter([1.0, 3.0, 3.0, 7.5])
    monkeypatch.setattr(seconds.time, "perf_counter", lambda: next(clock))
    timer = seconds.Timer()
    timer.begin(2)
    timer.begin(5)
    timer.end()
    timer.end()
    assert timer.seconds == {2: 2.0, 5: 4.5}


def test_a_term_is_linked_where_it_is_first_used_and_nowhere_else():
    terms = [glossary.Term("filter", "…"), glossary.Term("test set", "…", ("test images",)), glossary.Term("loss", "…")]
    done: set[str] = set()
    text = "# A filter\n\n`filter`, $filter$, [a filter](x), **filter**\n\nTwo Filters, a filter; test\nimages."
    linked = glossary.linked(text, terms, done)
    assert linked == text.replace("Two Filters", "Two {term}`Filters <filter>`").replace(
        "test\nimages", "{term}`test images <test set>`"
    )
    assert done == {"filter", "test set"}
    assert glossary.linked("Another filter, a lossless loss.", terms, done) == (
        "Another filter, a lossless {term}`loss <loss>`."
    )


def test_the_glossary_explains_in_sentences():
    terms = glossary.read()
    names = [term.name.casefold() for term in terms]
    assert {"degradation", "shortcut", "skip connection", "tower", "bottleneck"} <= set(names)
    assert len(terms) >= 50 and names == sorted(names) and len(set(names)) == len(names)
    assert all(term.means.endswith(".") and len(term.means) > 25 for term in terms)
    spelled = [form.casefold() for term in terms for form in (term.name, *term.forms)]
    assert len(spelled) == len(set(spelled))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_formula_becomes_mathml(path):
    pytest.importorskip("latex2mathml", reason='needs pip install -e ".[publish]"')
    from course_lib.classroom.publishing import formulas

    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "markdown":
            made = re.sub(r"```.*?```|`[^`]*`", "", formulas.replaced(cell.source), flags=re.DOTALL)
            assert "$" not in re.sub(r'alttext="[^"]*"', "", made)
            for element in re.findall(r"<math.*?</math>", made, re.DOTALL):
                assert "\\" not in re.sub(r'alttext="[^"]*"', "", element), element


class TestPanels:
    def figure(self, boxes: list[tuple[int, int, int, int]], size=(400, 320)) -> reading.Figure:
        picture = Image.new("RGB", size, "white")
        for box in boxes:
            picture.paste("navy", box)
        page = FIGURE.replace(PIXEL, panels.encoded(picture))
        return reading.Figure(page, "The error falls.")

    def test_two_rows_of_two_panels_are_two_figures(self):
        grid = [(10, 10, 190, 150), (210, 10, 390, 150), (10, 170, 190, 310), (210, 170, 390, 310)]
        upper, lower = panels.halved([self.figure(grid)])
        sizes = []
        for half in (upper, lower):
            assert half.caption == "The error falls." and "figcaption" in half.html
            picture = Image.open(io.BytesIO(base64.b64decode(panels.PICTURE.search(half.html)[0])))
            sizes.append(picture.size)
            assert (
                picture.getpixel((50, picture.height // 2))
                == picture.getpixel((300, picture.height // 2))
                != (255,) * 3
            )
        assert sizes == [(400, 159), (400, 161)]  # between the rows 150 and 170

    @pytest.mark.parametrize(
        ("boxes", "size"),
        [
            ([(10, 10, 390, 310)], (400, 320)),  # one panel
            ([(10, 10, 390, 150), (10, 170, 390, 310)], (400, 320)),  # one column
            ([(10, 10, 190, 90), (210, 10, 390, 90), (10, 110, 190, 190), (210, 110, 390, 190)], (400, 200)),  # flat
        ],
    )
    def test_other_figures_stay_whole(self, boxes, size):
        figure = self.figure(boxes, size)
        assert panels.halved([figure]) == [figure]


class TestSlides:
    @pytest.fixture(autouse=True)
    def decks(self):
        for package in ("latex2mathml", "sphinx_revealjs"):
            pytest.importorskip(package, reason='needs pip install -e ".[publish]"')
        from course_lib.classroom.publishing import decks

        return decks

    def test_a_deck_is_made_of_question_guess_figure_and_answer(self, decks, path):
        slides = decks.of_lesson(reading.read(path))
        told = [(slide.kind, decks.plain(slide.heading)) for slide in slides]
        filters, step = "Who makes the filters?", "What is a step?"
        assert told[:3] == [("title", "LeNet"), ("text", "You will be able to …"), ("text", "Before we start")]
        assert told[3:8] == [
            *(("question", filters), ("figure", filters), ("answer", filters)),
            *(("question", step), ("answer", step)),
        ]
        assert told[8:] == [("text", "Summary"), ("question", "What is lost?"), ("answer", "What is lost?")]
        assert "<p>p1.</p>" in slides[3].notes
        assert "Expect: Edge filters made by an expert" in slides[3].notes
        assert "It falls" not in slides[4].notes and decks.plain(slides[5].body) == "The data do."

    def test_the_speakers_minutes_are_those_of_the_plan(self, decks, path):
        lesson = with_opening(path, TABLE)
        rows = re.findall(r"^\| (\S+) \| (.+?) \| (.+?) \|", plan.of_lesson(lesson), re.MULTILINE)
        slides = decks.of_lesson(lesson)
        notes = [decks.plain(slide.notes) for slide in slides]
        for minutes, part, done in rows[3:]:  # after the head of the table, and the opening
            told = [note for slide, note in zip(slides, notes, strict=True) if decks.plain(slide.heading) in part]
            assert told[0].startswith(f"In the plan: minutes {minutes}: {done}.") and "minutes" not in "".join(told[1:])
        at_home = [note for slide, note in zip(slides, notes, strict=True) if "Summary" in slide.heading]
        assert at_home == ["The plan gives this part no minutes in class."]

    def test_code_that_is_not_written_in_class_is_shown_with_its_solution(self, decks, path):
        in_class, at_home = decks.of_lesson(reading.read(path)), decks.of_lesson(with_opening(path, TABLE))
        assert "def training_step" not in "".join(slide.body for slide in in_class)
        (shown,) = [slide for slide in at_home if slide.kind == "code"]
        assert "def training_step(" in shown.body and "q3" in shown.notes

    def test_an_outcome_without_a_figure_is_a_slide(self, decks, path):
        assert "Outcome of p1" not in "".join(slide.body for slide in decks.of_lesson(reading.read(path)))
        notebook = nbformat.read(path, 4)
        del notebook.cells[7]  # the figure
        nbformat.write(notebook, path)
        slides = decks.of_lesson(reading.read(path))
        assert [slide.kind for slide in slides[3:6]] == ["question", "answer", "answer"]
        assert decks.plain(slides[4].body) == "Outcome of p1: C · learnedError 6.5 %."

    def test_tagged_cells_make_the_deck(self, decks, path):
        notebook = nbformat.read(path, 4)
        for place in (5, 7):
            notebook.cells[place].metadata.setdefault("tags", []).append("slide")
        nbformat.write(notebook, path)
        slides = decks.of_lesson(reading.read(path))
        assert [slide.kind for slide in slides] == ["title", "text", "figure"]
        assert "<math" in slides[1].body and "<h2>" not in slides[1].body

    def test_too_many_slides_lose_the_spare_ones(self, decks):
        slides = [decks.Slide(str(place), "", spare=place % 3) for place in range(9)]
        assert [slide.heading for slide in decks._at_most(slides, 7)] == ["0", "1", "2", "3", "4", "6", "7"]
        assert [slide.heading for slide in decks._at_most(slides, 5)] == ["0", "1", "3", "4", "6"]
        assert len(decks._at_most(slides, 1)) == 3

    @pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
    def test_a_lesson_has_12_to_25_slides_that_say_enough(self, decks, path):
        slides = decks.of_lesson(reading.read(path))
        assert decks.FEWEST <= len(slides) <= decks.MOST
        assert {"title", "question", "figure", "text"} <= {slide.kind for slide in slides}
        for slide in slides:
            text = decks.plain(slide.body)
            assert len(text.split()) <= 130 or "<table" in slide.body, text  # a slide of 1280×720 holds no more
            assert "$" not in text and "**" not in text
        assert sum("minute" in slide.notes for slide in slides) >= 6

    def test_decks_load_nothing_but_what_lies_beside_them(self, decks, path, tmp_path):
        out = tmp_path / "slides"
        assert decks.write([reading.read(path)], out) == {"03_lenet": 11}
        page = (out / "03_lenet.html").read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="([^"]+)"', page)
        files = [address for address in loaded if not address.startswith("data:")]
        assert len(files) >= 5 and all((out / address).is_file() for address in files)
        assert "http" not in (out / "deck.css").read_text(encoding="utf-8")
        assert page.count("<section") == 11 and page.count('class="notes"') == 11
        assert decks.write([reading.read(path)], out) == {"03_lenet": 11}  # over an earlier one


def test_claims_and_answers_are_for_the_instructor(path, tmp_path):
    from course_lib.classroom.publishing import instructor

    instructor.write([reading.read(path)], tmp_path / "instructor")
    text = {page.stem: page.read_text(encoding="utf-8") for page in (tmp_path / "instructor").glob("*.md")}
    assert set(text) == {"in_class", "plan", "claims", "misconceptions", "answers"}
    assert "## Lesson 03 · LeNet" in text["plan"] and "](../lessons/03_lenet.ipynb)" in text["plan"]
    assert text["claims"].count("\n|") == 2 + len(common.published("lecture"))
    told = text["answers"]
    assert "**q1** · How many filters are there" in told and "208 / 26 = 8" in told
    assert "*Comes out:* **C** (learned). Error 6.5 %." in told and told.index("**w1**") < told.index("**p1**")
    assert "A solution of q3: <code>training_step</code></summary>\n\n```python\ndef training_step(" in told
    mistakes = text["misconceptions"]
    assert "Overfitting shows in the error alone." in mistakes and "**q1**" not in mistakes
    assert "  - A (loss and error, even with correct labels): Memorizing 500" in mistakes
    (p1,) = re.findall(r'<span id="lenet-p1"></span>.*?(?=<span|\Z)', mistakes, re.DOTALL)
    assert "- *Comes out:* **C** (learned)" in p1 and p1.index("Comes out") < p1.index("A common mistake")
    assert "  - A (" in p1 and "  - B (" in p1 and "  - C (" not in p1
    assert '| <span id="L4">L4</span> |' in text["claims"]


def test_where_no_solution_is_kept_the_judge_is_named(path, tmp_path, monkeypatch):
    from course_lib.classroom.publishing import instructor
    from course_lib.exercises import solutions

    monkeypatch.setattr(solutions, "source", lambda lesson, function: "")
    told = instructor.answers([reading.read(path)])
    assert (
        "Its judge: `training_step` in `course_lib/exercises/judges/lenet.py`" in told and "A solution of" not in told
    )


IN_CLASS = "course_lib/classroom/publishing/in_class.md"


@pytest.mark.parametrize("name", ["README.md", "lessons/README.md", IN_CLASS])
def test_commands_are_typed_as_they_stand(name):
    """With the folder of the environment, and the packages of `publish` named where it is."""
    text = (common.ROOT / name).read_text(encoding="utf-8")
    commands = re.findall(r"(\S*)(?:python -m course_lib|python tests/|pip install|pytest -)", text)
    bare = [before for before in commands if not before.strip("`'").endswith((".venv/bin/", ".venv\\Scripts\\"))]
    assert len(commands) >= 3 and bare == []
    assert ("publish site" in text) == ('.venv/bin/pip install -e ".[publish]"' in text)
    assert ".venv\\Scripts\\" in text


def test_the_first_screen_says_how_long_the_class_is():
    first = (common.ROOT / "README.md").read_text(encoding="utf-8").partition("\n## ")[0]
    whole = sum(counted.MINUTES_IN_CLASS.values())
    assert f"In class the nine take {whole} minutes" in first and "no GPU is needed" in first


def test_the_page_for_a_class_names_commands_that_there_are():
    """Every command of the page is understood by the program that it calls."""
    text = (common.ROOT / "course_lib" / "classroom" / "publishing" / "in_class.md").read_text(encoding="utf-8")
    for heading in ("## The day before", "## During class", "## After class"):
        assert heading in text
    named = set(re.findall(r"-m course_lib (\w+)", text))
    help_text = (common.ROOT / "course_lib" / "__main__.py").read_text(encoding="utf-8")
    assert named == {"check", "grade", "challenge"} and all(f'"{name}"' in help_text for name in named)
    readme = (common.ROOT / "README.md").read_text(encoding="utf-8")
    assert "challenge serve toy_scenes --data my_challenge --quick --host 0.0.0.0" in text
    assert "challenge serve toy_scenes --data my_challenge --quick --host 0.0.0.0" in readme
    for said in (
        "COURSE_OFFLINE=1",
        "points.csv",
        "missed.html",
        "exercises.hand_in(",
        "**Send w1, w2 and w3** to the class",
    ):
        assert said in text

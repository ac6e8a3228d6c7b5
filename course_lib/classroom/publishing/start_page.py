"""The start page of the web site: what the course is, and a card for each lesson."""

import base64
import io
import pathlib
import re
import shutil

from course_lib import common
from course_lib.classroom.publishing import counted, reading

PICTURE = common.ROOT / "data" / "pictures" / "results.png"
WIDTH = 480
HEIGHT = 270  # of a card's picture, in pixels
TEXT = """# How computers came to see

**Nine lessons on image classification with convolutional networks, from the first filter to your own classifier: guess,
look, write code that is checked, and see what the papers really measured.**

![Scenes with what a network looks at; a loss surface; errors of plain and residual networks](_static/course.png)

Read the lessons here; everything works without a connection, sliders included. To run their code, see
[how to begin](#how-to-begin). What you should know before: Python with
NumPy arrays, what a derivative is, and what a neural network with one hidden layer does.

## The lessons

<ul class="lesson-cards">
{cards}
</ul>

{begin}

The [glossary](glossary.md) explains the terms of the field.

## Acknowledgements

The lecture is *Computer Vision: Image Classification* (Deep Learning CS 435/635, IIT Indore, instructor Chandresh). Its
slides acknowledge Russ Salakhutdinov's and Hugo Larochelle's class on neural networks, and the course *Neural Networks
and Deep Learning* by Danna Gurari, University of Colorado Boulder. Formulas are set in a part of the font
<a href="_static/course-math-license.txt">DejaVu Math TeX Gyre</a>.

{contents}
"""
BEGIN = """## How to begin

**To read,** on a phone or anywhere: open a lesson. Guess before you unfold an outcome; each answer to a question opens
its own reply. A question's letter says its kind: **w** looks back at earlier lessons (to warm up), **p** is a guess
(you predict), **q** is about a section, **e** is an exercise; these two have a right answer or ask for code. The
numbers are names: they may come in any order.

**To run the code on your own computer** you need Python 3.11, 3.12 or 3.13, 4 GB of disk, and the course's
folder{source}. In that folder type, on Linux and macOS,

```sh
{linux}
```

or in Windows' PowerShell

```powershell
{windows}
```

This installs what the course needs, puts your own copy of the lessons into the folder `my_lessons` and opens it in
JupyterLab. Type the last part, from `python -m course_lib study` on, to open it again; what you have written stays.

**A copy downloaded from a lesson's page** holds that lesson alone: it *needs the course*, installed as above. Put it
into `my_lessons`; elsewhere its first cell stops with *No module named 'course_lib'*.
{colab}
Each lesson runs in one of two profiles: `quick` needs no GPU and takes a minute or two, `full` wants a GPU. Without
one, `quick` is taken.
"""
COLAB = """
**In Colab,** nothing is installed: follow *Open in Colab* at the top of a lesson, and run its first cell.
"""
README = common.ROOT / "README.md"
COMMAND = re.compile(r"^(?:python3|py -3\.13) -m venv .* -m course_lib study$", re.MULTILINE)
INSTRUCTORS = ("in_class", "plan", "claims", "misconceptions", "answers")
CARD = """<li><a href="lessons/{stem}.html"><img src="_static/cards/{stem}.png" alt="" width="480" height="270">
<span class="lesson-number">Lesson {number}</span> <strong>{name}</strong></a>
<span class="promise">{promise}</span> <span class="minutes">{minutes}</span></li>"""


def write(lessons: list[reading.Lesson], source: pathlib.Path, name: str, *, for_instructor: bool) -> None:
    """Writes index.md with its pictures."""
    shutil.copy(PICTURE, source / "_static" / "course.png")
    cards = source / "_static" / "cards"
    cards.mkdir()
    for lesson in lessons:
        (cards / f"{lesson.path.stem}.png").write_bytes(picture(lesson))
    listed = "\n".join(_card(lesson) for lesson in lessons)
    contents = contents_of(lessons, for_instructor=for_instructor)
    page = TEXT.format(cards=listed, contents=contents, begin=begin(name))
    (source / "index.md").write_text(page, encoding="utf-8")


def begin(name: str) -> str:
    """How to begin, by the commands of README.md; Colab and an address only where the repository `name` is set."""
    linux, windows = COMMAND.findall(README.read_text(encoding="utf-8"))
    address = f"https://github.com/{name}"
    source = ", which your instructor gives you"
    if name:
        source = f" (`git clone {address}`, or *Download ZIP* at <{address}>)"
    return BEGIN.format(linux=linux, windows=windows, source=source, colab=COLAB if name else "")


def contents_of(lessons: list[reading.Lesson], *, for_instructor: bool) -> str:
    """The tables of contents that the site's navigation is made from."""
    paths = [f"lessons/{lesson.path.stem}" for lesson in lessons]
    groups = {"Lessons": paths, "More": ["glossary"]}
    if for_instructor:
        groups["Instructor"] = [f"instructor/{page}" for page in INSTRUCTORS]
    return "\n".join(
        "\n".join([":::{toctree}", ":hidden:", f":caption: {caption}", "", *found, ":::"])
        for caption, found in groups.items()
    )


def _card(lesson: reading.Lesson) -> str:
    return CARD.format(
        stem=lesson.path.stem,
        number=lesson.number,
        name=reading.html_escaped(lesson.name),
        promise=reading.html_escaped(lesson.promise),
        minutes=f"{counted.MINUTES_IN_CLASS[lesson.number]} minutes in class" if lesson.is_tagged else "",
    )


def picture(lesson: reading.Lesson) -> bytes:
    """A small picture of the lesson: the figure tagged `card`, or the first one that tells no outcome, as a PNG."""
    from PIL import Image

    found = [cell for cell in lesson.notebook.cells if "card" in cell.metadata.get("tags", ())]
    found += [cell for cell in lesson.notebook.cells if cell.cell_type == "code" and not reading.is_outcome(cell)]
    pages = [figure.html for cell in found for figure in reading.figures(cell)]
    source = next(match[1] for page in pages if (match := re.search(r'<img src="data:image/png;base64,([^"]+)', page)))
    drawn = Image.open(io.BytesIO(base64.b64decode(source))).convert("RGB")
    drawn.thumbnail((WIDTH - 16, HEIGHT - 16))
    card = Image.new("RGB", (WIDTH, HEIGHT), "white")
    card.paste(drawn, ((WIDTH - drawn.width) // 2, (HEIGHT - drawn.height) // 2))
    stored = io.BytesIO()
    card.quantize(128).save(stored, "PNG", optimize=True)
    return stored.getvalue()

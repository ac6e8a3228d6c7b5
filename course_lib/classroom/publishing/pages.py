"""A lesson's notebook as the web site shows it: folded cells with their titles, outcomes folded, cards without code."""

import copy
import pathlib
import re

import nbformat
from nbformat.v4 import new_markdown_cell

from course_lib.classroom import cells
from course_lib.classroom.publishing import formulas, glossary, outcomes, outputs, repository, wording
from course_lib.classroom.publishing.reading import BADGE, Lesson

HINT = '<p class="tap">Tap a figure to enlarge it, and again to end that. A wide one can be moved sideways.</p>'
MARK = "\u2063"  # an invisible separator between what is folded, code or output, the titles of both, and the place
QUESTION_CODE = "remove-input"  # the card says all
FOLDED_OUTPUT = "hide-output"
BEGIN = "index.html#how-to-begin"
UNRECORDED = re.compile(r"not recorded yet\b[^\n]*\n?")  # all that a cell says whose experiment is still to be run
OUTCOME = re.compile(r"\.([wpqe]\d+)\.outcome\(")
CHECKS = re.compile(r"(?:.+: True\n?)+")  # all that a check prints that only holds the text to the numbers
FIRST = re.compile(r"^## 1\. ", re.MULTILINE)  # the first section of the core
NEXT_FORMULA = re.compile(r",?\s*\\qquad(?:\\quad)?\s*")


def notebook(
    lesson: Lesson, terms: list[glossary.Term], name: str, pictures: dict[str, bytes] | None = None
) -> nbformat.NotebookNode:
    """The notebook of the lesson's page.

    Args:
        lesson: the lesson as it was read.
        terms: those that are linked where the lesson first uses them.
        name: the repository, for the link to Colab; "" where it is not set.
        pictures: collects the page's PNGs, encoded, by the names of their files.
    """
    made = nbformat.from_dict(copy.deepcopy(lesson.notebook))
    linked: set[str] = set()
    told = dict.fromkeys(outcomes.untold(lesson)) | outcomes.of_lesson(lesson)
    pictures = {} if pictures is None else pictures
    made.cells = _in_one_fold(_in_one_paragraph(made.cells))
    for cell in made.cells:
        if cell.cell_type == "code":
            _fold(cell, lesson.exercise)
            outputs.of_cell(cell, lesson.exercise, pictures, told)
            cell.source = cell.source if name else repository.without_colab(cell.source)
        elif cell.cell_type == "markdown":
            text = FIRST.sub(f'<span id="{first_section(lesson)}"></span>\n\n\\g<0>', said(BADGE.sub("", cell.source)))
            cell.source = glossary.linked(text, terms, linked)
    _with_hint(made.cells)
    opening = made.cells[0]
    opening.source = _with_links(opening.source, links(lesson, name))
    return made


def _with_hint(made: list[nbformat.NotebookNode]) -> None:
    """Says under the first figure that is not folded what a finger can do with figures."""
    for cell in made:
        if cell.cell_type == "code" and FOLDED_OUTPUT not in cell.metadata.get("tags", ()):
            for output in cell.outputs:
                page = output.get("data", {}).get("text/html", "")
                if 'class="enlarge"' in page:
                    output.data["text/html"] = page.replace("</figure>", f"{HINT}</figure>", 1)
                    return


def _in_one_paragraph(given: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """The cells in which one paragraph stands for all those that only say that nothing is recorded yet."""
    empty = [cell for cell in given if is_unrecorded(cell)]
    if not empty:
        return given
    guesses = ", ".join(dict.fromkeys(name for cell in empty for name in OUTCOME.findall(cell.source)))
    of_guesses = f", and with it the outcome of {guesses}" if guesses else ""
    text = f"*Not recorded yet:* an experiment of this lesson{of_guesses}. Its figures will stand here and below."
    paragraph = new_markdown_cell(text, id="not-recorded-yet")
    kept = [paragraph if cell is empty[0] else cell for cell in given]
    return [cell for cell in kept if not any(cell is each for each in empty)]


def is_unrecorded(cell: nbformat.NotebookNode) -> bool:
    """Whether a code cell only says that its experiment is not recorded yet."""
    shown = outcomes.texts(cell) if cell.cell_type == "code" else []
    return bool(shown) and all(UNRECORDED.fullmatch(text) for text in shown)


def _in_one_fold(given: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """The cells in which the outcome of a guess stands in the fold of the figure right before it."""
    kept: list[nbformat.NotebookNode] = []
    for cell in given:
        if kept and _is_folded(cell) and _verdicts(cell) and _is_folded(kept[-1]) and not _verdicts(kept[-1]):
            kept[-1].outputs += cell.outputs
        else:
            kept.append(cell)
    return kept


def _is_folded(cell: nbformat.NotebookNode) -> bool:
    return cell.cell_type == "code" and bool(cell.metadata.get("jupyter", {}).get("outputs_hidden"))


def _verdicts(cell: nbformat.NotebookNode) -> list[str]:
    """The names of the questions whose outcomes a code cell tells."""
    return [found.name for text in outcomes.texts(cell) for found in outcomes.of_text(text)]


def said(markdown: str) -> str:
    """Markdown without the words of a notebook, and with one formula in a line."""
    return formulas.DISPLAY.sub(_one_a_line, wording.of_text(markdown))


def _one_a_line(match: re.Match) -> str:
    parts = NEXT_FORMULA.split(match["formula"])
    whole = all(part.strip() and _is_balanced(part) for part in parts)
    return "\n\n".join(f"$${part.strip()}$$" for part in parts) if whole else match[0]


def _is_balanced(formula: str) -> bool:
    return formula.count("{") == formula.count("}") and formula.count("\\begin") == formula.count("\\end")


def _fold(cell: nbformat.NotebookNode, exercise: str) -> None:
    """Names what is folded by the cell's title; the title itself is no code."""
    title = cells.title(cell)
    if title:
        cell.source = cell.source.partition("\n")[2]
    tags = list(cell.metadata.get("tags", ()))
    if "question" in tags:
        tags.append(QUESTION_CODE)
    if _is_folded(cell) and not outcomes.untold_in(cell):
        tags.append(FOLDED_OUTPUT)
    cell.metadata["tags"] = tags
    told = _verdicts(cell)
    place = outputs.place(exercise, told[0]) if told else ""
    prompt = MARK.join(["{type}", f"Code · {title or 'without a title'}", _outcome_title(cell, title), place])
    cell.metadata["mystnb"] = {"code_prompt_show": prompt, "code_prompt_hide": prompt}


def _outcome_title(cell: nbformat.NotebookNode, title: str) -> str:
    """What the fold of an output is called: nobody guesses what a check prints that belongs to no question."""
    if named := _verdicts(cell) or OUTCOME.findall(cell.source):
        return f"The outcome of {', '.join(named)}: guess first"
    if "check" not in cell.metadata.get("tags", ()):
        return f"The outcome · {title}: guess first" if title else "The outcome: guess first"
    only_checks = all(CHECKS.fullmatch(text) for text in outcomes.texts(cell))
    return f"{'Checked' if only_checks else 'After your guess'} · {title}"


def first_section(lesson: Lesson) -> str:
    """The place in the page where section 1 begins; no other page has its name, for all may be printed as one."""
    return f"section-1-{lesson.exercise}"


def links(lesson: Lesson, name: str) -> str:
    """What can be done with a lesson, as a line of HTML."""
    file = lesson.path.name
    offers = [
        f'<a href="#{first_section(lesson)}">Straight to section 1</a>',
        f'<a href="../my_lessons/{file}" download>Download your copy (.ipynb)</a> '
        f'(it needs the course: <a href="../{BEGIN}">how to begin</a>)'
        f'<span class="from-folder" hidden>; in this site\'s folder it is <code>my_lessons/{file}</code></span>',
        f'<a href="../slides/{lesson.path.stem}.html">Slides</a>',
    ]
    if name:
        offers.insert(1, f'<a href="{repository.colab_address(name, file)}">Open in Colab</a>')
    return f'<p class="offers">{" · ".join(offers)}</p>'


def _with_links(opening: str, line: str) -> str:
    """The opening with a line under its promise, or under its title where there is no promise."""
    paragraphs = re.split(r"\n{2,}", opening.strip())
    place = 2 if len(paragraphs) > 1 and paragraphs[1].startswith("**") else 1
    return "\n\n".join([*paragraphs[:place], line, *paragraphs[place:]])


def visit_folded(translator, node) -> None:
    """What opens a folded part: the words say whether it is code or an output, and what it shows."""
    from myst_nb.sphinx_ import escape

    kind, code, outcome, place = node["prompt_show"].split(MARK)
    is_code = kind in ("source", "content")
    told = code if is_code else outcome
    classes = " ".join(node["classes"])
    where = f' id="{place}"' if place and not is_code else ""
    translator.body.append(f'<details class="folded {classes}"{where}><summary>{escape(told)}</summary>\n')


def depart_folded(translator, node) -> None:
    """Closes what `visit_folded` opened."""
    translator.body.append("</details>\n")


def setup(app) -> dict[str, bool]:
    """What Sphinx calls for an extension, once myst-nb is loaded."""
    from myst_nb.sphinx_ import HideCodeCellNode

    app.add_node(HideCodeCellNode, override=True, html=(visit_folded, depart_folded))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write(made: nbformat.NotebookNode, path: pathlib.Path) -> None:
    """Writes a page's notebook."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(made, path)

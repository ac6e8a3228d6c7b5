"""What a notebook's outputs say on a page: without the words of a kernel, pictures as files that open enlarged."""

import html
import re

import nbformat
from nbformat.v4 import new_output

from course_lib.classroom.publishing import figures, outcomes, wording
from course_lib.classroom.publishing.outcomes import Outcome
from course_lib.exercises.static import marked_up

SLIDE = re.compile(
    r"^The slide: (?P<slide>.+?)\nIn fact: (?P<fact>.+?)\n"
    r"Source: (?P<source>.+?)(?=\n\n|\nThe slide: |\n[wpqe]\d+ · |\Z)",
    re.MULTILINE | re.DOTALL,
)
COLUMNS = re.compile(r"^.*\S {2,}\S.*$", re.MULTILINE)
NAMED = re.compile(r"`([^`\n]+)`")  # code in a printed sentence
UNWRITTEN = re.compile(r"^.*: None\b.*\n?", re.MULTILINE)  # what code prints until a student has written it
SLIDERS = '<input type="range"'
RECORDED = "Recorded here: one slider at a time. The others go back to where they begin."
HELP = re.compile(r"<details>(?=<summary>(?:Hint|Solution|What a right answer shows)</summary>)")  # not for paper
REPLY = re.compile(  # to a guess, before its experiment
    r"(?P<option><summary>(?P<letter>\w) · [^\n]*?</summary><p>)"
    r"(?:If it comes out otherwise: (?P<doubt>.*?)|The experiment answers\.)(?=</p>)",
    re.DOTALL,
)


def of_cell(
    cell: nbformat.NotebookNode, exercise: str, pictures: dict[str, bytes], told: dict[str, Outcome | None]
) -> None:
    """Changes the outputs of a code cell into those of its page.

    Args:
        cell: of a notebook that is made for the page.
        exercise: the name of the lesson's questions, which the places of their outcomes begin with.
        pictures: collects the PNGs of the page by the names of their files.
        told: the outcomes that the page tells, which their guesses link to, by the names of their questions; None
            where it depends on the student's own code.
    """
    if "setup" in cell.metadata.get("tags", ()):
        cell.outputs = []  # the versions of one machine
        return
    made = []
    for output in cell.outputs:
        data = output.get("data", {})
        if "text/html" in data:
            data["text/html"] = _page(data["text/html"], exercise, pictures, told)
            made.append(output)
        elif output.output_type == "stream" or set(data) == {"text/plain"}:
            text = wording.of_output(output.get("text", data.get("text/plain", "")))
            made += _of_text(UNWRITTEN.sub("", text) if "write" in cell.metadata.get("tags", ()) else text)
        else:
            made.append(output)
    cell.outputs = made


def place(exercise: str, name: str) -> str:
    """The place in a page where the outcome of a question stands."""
    return f"outcome-{exercise}-{name}"


def _page(page: str, exercise: str, pictures: dict[str, bytes], told: dict[str, Outcome | None]) -> str:
    """The HTML of an output: its pictures as files that a tap opens, a guess with the way to its outcome."""
    page = HELP.sub('<details class="help">', wording.of_output(figures.as_files(page, pictures)))
    if page.count(SLIDERS) > 1 and "data-strides" not in page:  # saved before combinations were recorded
        page = page.replace("</figure>", f"<div>{RECORDED}</div></figure>")
    asked = re.match(r"<div>\s*<p><strong>([wpqe]\d+)</strong>", page)
    if not asked or asked[1] not in told:
        return page
    outcome = told[asked[1]]
    if outcome is None:
        return f"{page.rstrip().removesuffix('</div>')}<p>{wording.OWN_OUTCOME}</p>\n</div>"
    link = f' <a href="#{place(exercise, asked[1])}">Open the outcome of {asked[1]}.</a>'
    return REPLY.sub(lambda match: match["option"] + _reply(match, outcome.measured) + link, page)


def _reply(match: re.Match, measured: str) -> str:
    """The reply to a guess whose outcome is known."""
    if match["letter"] == measured:
        return "So it comes out."
    return f"It comes out otherwise: {match['doubt']}" if match["doubt"] else "It comes out otherwise."


def _of_text(text: str) -> list[nbformat.NotebookNode]:
    """A text as outputs: outcomes and slides as HTML, columns as they stand, everything else as text."""
    made = []
    done = 0
    text = outcomes.joined(text) if outcomes.of_text(text) else text
    found = [(match, _outcome) for match in outcomes.LINE.finditer(text)]
    found += [(match, _slide) for match in SLIDE.finditer(text)]
    found += [(match, _untold) for match in outcomes.UNTOLD.finditer(text)]
    for match, show in sorted(found, key=lambda pair: pair[0].start()):
        made += _plain(text[done : match.start()])
        made.append(_shown(show(match), match[0]))
        done = match.end()
    return made + _plain(text[done:])


def _plain(text: str) -> list[nbformat.NotebookNode]:
    if not text.strip():
        return []
    if len(COLUMNS.findall(text)) > 1:
        columns = f'<pre class="columns" tabindex="0">{html.escape(text.rstrip(), quote=False)}</pre>'
        return [_shown(columns, text)]
    return [new_output("stream", name="stdout", text=NAMED.sub(r"“\1”", text))]


def _outcome(match: re.Match) -> str:
    (found,) = outcomes.of_text(match[0])
    finding = f"<p>{marked_up(found.finding)}</p>" if found.finding else ""
    meaning = f": {marked_up(found.meaning)}" if found.meaning else ""
    return f"<div><p><strong>Outcome of {found.name}: {marked_up(found.measured)}</strong>{meaning}</p>{finding}</div>"


def _untold(match: re.Match) -> str:
    return f"<div><p>{wording.OWN_OUTCOME}</p></div>"


def _slide(match: re.Match) -> str:
    slide, fact, source = (marked_up(" ".join(match[part].split())) for part in ("slide", "fact", "source"))
    return (
        f'<div class="slide-said"><p><strong>The slide:</strong> {slide}</p>'
        f"<p><strong>In fact:</strong> {fact}</p><p><strong>Source:</strong> {source}</p></div>"
    )


def _shown(page: str, text: str) -> nbformat.NotebookNode:
    return new_output("display_data", data={"text/html": page, "text/plain": text})

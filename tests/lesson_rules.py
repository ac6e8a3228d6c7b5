"""What makes a lesson, as far as nbval cannot see it.

Each rule takes a notebook as nbformat reads it and yields what breaks the rule, in words. Cells are counted
from 1. `findings` puts all of them to one file.
"""

import html.parser
import pathlib
import re
from collections.abc import Iterator

import nbformat
from cell_rules import CELL_RULES, CHECKED
from core_rules import CORE_RULES

from course_lib import common

FEWEST_CHECKED = 6
LONGEST_CELL = 25  # lines of code
LARGEST_FILE = 1_500_000  # bytes: GitHub shows no larger ones
SHORTEST_ALT = 20  # characters: a finding, not a title
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
# absolute paths on Linux, macOS, Windows and Colab; those in a web address follow a letter
MACHINE_PATH = re.compile(
    r"(?<![\w.~-])/(?:home|Users|root|tmp|var|private|opt|mnt|media|srv|work|farm|workspace|content)/[\w.-]+"
    r"|\b[A-Za-z]:[\\/]+Users[\\/]"
)
PARTS = ("You will be able to", "Before we start", "Paper and yours", "Exercises", "Summary", "Sources")
PART = re.compile(  # as a heading, numbered or not, or as a line that begins in bold or italics
    rf"^(?:#+ |\*+(?=\w))(?:\d+\S* )?({'|'.join(PARTS)})\b(?!.*\?$)", re.IGNORECASE | re.MULTILINE
)


def findings(path: pathlib.Path) -> list[str]:
    """What is wrong with the lesson at `path`, one sentence each; empty where nothing is."""
    notebook = nbformat.read(path, as_version=4)
    found = [finding for rule in (*RULES, *CELL_RULES, *CORE_RULES) for finding in rule(notebook)]
    if path.stat().st_size > LARGEST_FILE:
        found.append(f"{path.stat().st_size / 1e6:.1f} MB, too large for GitHub to show")
    return found


def numbered(notebook, cell_type: str) -> list[tuple[int, nbformat.NotebookNode]]:
    """The cells of one type with their places, counted from 1."""
    return [(place, cell) for place, cell in enumerate(notebook.cells, 1) if cell.cell_type == cell_type]


def outputs(notebook) -> Iterator[tuple[int, nbformat.NotebookNode]]:
    """Every saved output with the place of its cell."""
    for place, cell in numbered(notebook, "code"):
        for output in cell.outputs:
            yield place, output


def tagged(notebook, tag: str) -> list[tuple[int, nbformat.NotebookNode]]:
    """The code cells that carry `tag`."""
    return [(place, cell) for place, cell in numbered(notebook, "code") if tag in cell.metadata.get("tags", ())]


def prose(cell) -> str:
    """The text of a Markdown cell without its blocks of code."""
    return re.sub(r"^```.*?^```", "", cell.source, flags=re.DOTALL | re.MULTILINE)


def in_order(notebook) -> Iterator[str]:
    counts = [cell.execution_count for _, cell in numbered(notebook, "code") if cell.source.strip()]
    if counts != list(range(1, len(counts) + 1)):
        yield "not run from top to bottom in a fresh kernel before it was saved"


def checked_cells(notebook) -> Iterator[str]:
    cells = tagged(notebook, CHECKED)
    if len(cells) < FEWEST_CHECKED:
        yield f"{len(cells)} cells are tagged {CHECKED}, needed are {FEWEST_CHECKED}"
    for place, cell in cells:
        if not cell.outputs:
            yield f"cell {place}: tagged {CHECKED}, but no output is saved"
        if "getsource(" in cell.source:
            yield f"cell {place}: tagged {CHECKED}, but it prints code, which changes when that is formatted anew"
        for output in cell.outputs:
            data = output.get("data", {})
            is_table = set(data) == {"text/html", "text/plain"} and "<img" not in data["text/html"]
            if output.output_type != "stream" and set(data) != {"text/plain"} and not is_table:
                yield f"cell {place}: tagged {CHECKED}, but its output is neither text nor a table"


def clean_outputs(notebook) -> Iterator[str]:
    for place, output in outputs(notebook):
        if output.output_type == "error":
            yield f"cell {place}: an error is saved: {output.ename}"
        if output.get("name") == "stderr":
            yield f"cell {place}: a warning or log line is saved: {output.text.strip()[:80]}"
        if WIDGET_VIEW in output.get("data", {}):
            yield f"cell {place}: a widget is saved, which shows nothing where no kernel runs"
    if "widgets" in notebook.metadata:
        yield "widget state is saved, for which GitHub refuses the whole file"


def no_machine_paths(notebook) -> Iterator[str]:
    setup = [place for place, _ in tagged(notebook, "setup")]  # it may name the folder it makes on Colab
    texts = [(place, cell.source) for place, cell in enumerate(notebook.cells, 1) if place not in setup]
    for place, output in outputs(notebook):
        texts.append((place, output.get("text", "") + "\n".join(output.get("traceback", ()))))
        shown = [text for kind, text in output.get("data", {}).items() if kind.startswith("text/")]
        texts += [(place, re.sub(r"data:image/\w+;base64,[\w+/=]+", "", text)) for text in shown]
    for place, text in texts:
        if found := MACHINE_PATH.search(text):
            yield f"cell {place}: a path of one machine: {found[0]}"


def alternative_text(notebook) -> Iterator[str]:
    for place, output in outputs(notebook):
        for kind in {"image/png", "image/jpeg"} & set(output.get("data", {})):
            yield from too_short(place, output.metadata.get(kind, {}).get("alt", ""))


def alternative_text_of_pages(notebook) -> Iterator[str]:
    for place, output in outputs(notebook):
        for alt in Pictures(output.get("data", {}).get("text/html", "")).texts:
            yield from too_short(place, alt)


def too_short(place: int, alt: str) -> Iterator[str]:
    if len(alt) < SHORTEST_ALT:
        yield f"cell {place}: a picture with {'too short' if alt else 'no'} alternative text"


class Pictures(html.parser.HTMLParser):
    """The alternative texts of the pictures of a page."""

    def __init__(self, page: str):
        super().__init__()
        self.texts = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.texts.append(dict(attributes).get("alt") or "")


def known_claims(notebook) -> Iterator[str]:
    known = {row["id"] for row in common.published("lecture")}
    named = [(place, cell.metadata.get("claims", ())) for place, cell in enumerate(notebook.cells, 1)]
    if not any(claims for _, claims in named):
        yield "no cell names the claims of the lecture that it shows"
    for place, claims in named:
        for claim in sorted(set(claims) - known):
            yield f"cell {place}: {claim!r} is no claim of data/published/lecture.csv"


def short_cells(notebook) -> Iterator[str]:
    for place, cell in numbered(notebook, "code"):
        lines = sum(bool(line.strip()) for line in cell.source.splitlines())
        if lines > LONGEST_CELL:
            yield f"cell {place}: {lines} lines of code; more than {LONGEST_CELL} belong in course_lib"


def opening(notebook) -> Iterator[str]:
    first_code = min([place for place, _ in numbered(notebook, "code")], default=1)
    text = "\n".join(prose(cell) for place, cell in numbered(notebook, "markdown") if place < first_code)
    title, *rest = text.strip().splitlines() or [""]
    if not title.startswith("# "):
        yield "does not begin with its title"
    if not any(line.strip().rstrip("*_").endswith((".", "!", "?")) for line in rest):
        yield "no promise, in a sentence, under the title"
    for what, pattern in {
        "time": r"\d ?(s|seconds|min|minutes)\b",
        "memory": r"\d ?[GM]B\b",
        "section of the lecture": r"\blecture\b",
    }.items():
        if not re.search(pattern, text, re.IGNORECASE):
            yield f"no {what} before the first code"


def tagged_cells(notebook) -> Iterator[str]:
    for tag, content in {"setup": "course_lib.setup(", "parameters": "PROFILE = "}.items():
        cells = tagged(notebook, tag)
        if len(cells) != 1:
            yield f"{len(cells)} cells are tagged {tag}, needed is one"
        elif content not in cells[0][1].source:
            yield f"cell {cells[0][0]}: tagged {tag}, but without {content!r}"


def skeleton(notebook) -> Iterator[str]:
    found = {tag: (place, 0) for tag in ("setup", "parameters") for place, _ in tagged(notebook, tag)[:1]}
    for place, cell in numbered(notebook, "markdown"):
        for match in PART.finditer(prose(cell)):
            found.setdefault(match[1].capitalize(), (place, match.start()))
    yield from (f"no part {part!r}" for part in PARTS if part not in found)
    order = [part for part in (PARTS[0], "setup", "parameters", *PARTS[1:]) if part in found]
    if order != sorted(order, key=found.get):
        yield f"the parts do not stand in the order {', '.join(order)}"


def asking_headings(notebook) -> Iterator[str]:
    text = "\n".join(prose(cell) for _, cell in numbered(notebook, "markdown"))
    headings = [line.rstrip(" #*_") for line in text.splitlines() if line.startswith("## ")]
    sections = [heading for heading in headings if not PART.match(heading)]
    asking = sum(heading.endswith("?") for heading in sections)
    if not sections or 2 * asking < len(sections):
        yield f"{asking} of {len(sections)} section headings ask a question, needed is half"


RULES = (
    in_order,
    checked_cells,
    clean_outputs,
    no_machine_paths,
    alternative_text,
    alternative_text_of_pages,
    known_claims,
    short_cells,
    opening,
    tagged_cells,
    skeleton,
    asking_headings,
)

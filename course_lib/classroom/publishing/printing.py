"""The course as one PDF: the site's pages on one, printed by headless Chromium."""

import pathlib
import re
import shutil
import subprocess
import tempfile

from course_lib.classroom import lesson_runs
from course_lib.classroom.publishing import figures, reading, site

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
MAC = pathlib.Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
PATIENCE = 300  # seconds that printing may take
NOT_ON_PAPER = re.compile(
    r'<details class="(?:help|as-text)">.*?</details>|<p class="tap">.*?</p>|<span class="from-folder".*?</span>',
    re.DOTALL,
)
BEGINNING = re.compile(  # of a lesson: the tag of its title, and the name of its file
    r'(<span id="document-lessons/([^"]+)"></span><section[^>]*>\s*(?:<span[^>]*></span>)?<h\d)'
)
# Marks of code that is neither comment, text nor keyword: thousands of them would make the PDF a third larger
PLAIN_CODE = re.compile(r'<span class="(?:n\w?|p|o|w|m\w|bp)">([^<]*)</span>')


def build(out: pathlib.Path) -> int:
    """Writes the PDF to `out`; returns the number of its pages.

    Raises:
        RuntimeError: there is no Chromium, or it could not print.
    """
    program = browser()
    lessons = [reading.read(path) for path in lesson_runs.find([])]
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "source"
        made = pathlib.Path(folder) / "single"
        site.write_source(source, lessons, for_instructor=False)
        site.run_sphinx(source, made, "singlehtml")
        page = made / "index.html"
        printed = pathlib.Path(folder) / "course.pdf"
        text = page.read_text(encoding="utf-8")
        page.write_text(prepared(text, lessons), encoding="utf-8")
        print_page(program, page, printed)
        _, numbers = pages_of(printed)
        page.write_text(prepared(text, lessons, numbers), encoding="utf-8")  # once more, now that the pages are known
        print_page(program, page, printed)
        shutil.copy(printed, out)
    return pages_of(out)[0]


def pages_of(path: pathlib.Path) -> tuple[int, dict[str, int]]:
    """How many pages a PDF has, and on which of them, counted from 1, each place begins that a link leads to."""
    import pypdf

    reader = pypdf.PdfReader(path)
    places = reader.named_destinations
    numbers = {name.lstrip("/"): reader.get_destination_page_number(place) + 1 for name, place in places.items()}
    return len(reader.pages), numbers


def browser() -> str:
    """The path of Chromium or Chrome.

    Raises:
        RuntimeError: none is found.
    """
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None and MAC.is_file():
        found = str(MAC)
    if found is None:
        raise RuntimeError(
            f"No Chromium or Chrome is found (looked for {', '.join(PROGRAMS)}): install one, or print the pages of "
            "the site from any browser; they are made for paper, too."
        )
    return found


def prepared(page: str, lessons: list[reading.Lesson], numbers: dict[str, int] | None = None) -> str:
    """The one page with a table of contents in place of the cards, outcomes open, hints and solutions left out."""
    rows = "".join(_contents_of(lesson, numbers or {}) for lesson in lessons)
    contents = f'<nav class="print-contents" aria-label="Contents"><ul>{rows}</ul></nav>'
    page = re.sub(r'<ul class="lesson-cards">.*?</ul>', contents.replace("\\", r"\\"), page, count=1, flags=re.DOTALL)
    page = BEGINNING.sub(r'\1 id="print-\2"', page)
    page = re.sub(r'<details class="(folded +(?!above-input)[^"]*)"', r'<details open class="\1"', page)
    page = page.replace(f'"../{figures.FOLDER}/', f'"{figures.FOLDER}/')  # the one page lies beside the pictures
    return PLAIN_CODE.sub(r"\1", NOT_ON_PAPER.sub("", page))


def _contents_of(lesson: reading.Lesson, numbers: dict[str, int]) -> str:
    """A lesson in the table of contents: its title with the page on which it begins, and what its core asks."""
    parts = " ".join(section.name for section in lesson.sections if section.is_numbered)
    place = f"print-{lesson.path.stem}"
    number = numbers.get(place, "")
    title = reading.html_escaped(lesson.title)
    parts = reading.html_escaped(parts)
    return f'<li><a href="#{place}"><span>{title}</span><span>{number}</span></a><p>{parts}</p></li>'


def print_page(program: str, page: pathlib.Path, out: pathlib.Path) -> None:
    """Prints a page of HTML as a PDF with an outline.

    Raises:
        RuntimeError: the browser could not.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [program, "--headless", "--disable-gpu", "--no-sandbox", f"--user-data-dir={profile}"]
        command += ["--generate-pdf-document-outline", "--no-pdf-header-footer", f"--print-to-pdf={out}", page.as_uri()]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"{program} has not printed within {PATIENCE} seconds") from None
    if done.returncode or not out.is_file():
        raise RuntimeError(f"{program} could not print: {done.stderr.strip()[-500:]}")

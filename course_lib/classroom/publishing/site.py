"""The course as a web site: Sphinx with myst-nb and the book theme, from the committed notebooks."""

import base64
import contextlib
import io
import json
import pathlib
import re
import shutil
import tempfile

import nbformat

from course_lib.classroom import lesson_runs, study
from course_lib.classroom.publishing import decks, figures, glossary, instructor, pages, reading, repository, start_page

STATIC = pathlib.Path(__file__).parent / "static"
MARK = ".nojekyll"
TITLE = "How computers came to see"
SETTINGS = {
    "project": TITLE,
    "author": "the course's authors",
    "copyright": "the course's authors. Text and figures: CC BY 4.0, code: MIT",
    "language": "en",
    "extensions": [
        "myst_nb",
        "course_lib.classroom.publishing.formulas",
        "course_lib.classroom.publishing.pages",
        "course_lib.classroom.publishing.search",
    ],
    "html_theme": "sphinx_book_theme",
    "html_title": TITLE,
    "html_static_path": ["_static"],
    "html_extra_path": ["_extra"],
    "html_favicon": "_static/favicon.svg",
    "html_css_files": ["site.css"],
    "html_js_files": ["site.js"],
    "html_math_renderer": "mathml",
    "html_copy_source": False,
    "html_show_sourcelink": False,
    "html_show_search_summary": False,  # it would fetch pages, which a browser does not allow from file://
    "nb_execution_mode": "off",
    "myst_enable_extensions": ["dollarmath", "colon_fence", "deflist"],
    "myst_heading_anchors": 2,
    "html_theme_options": {
        "use_download_button": False,
        "show_toc_level": 2,
        "navbar_start": [],
        "navbar_center": [],
        "navbar_end": [],
        "navbar_persistent": [],
        "home_page_in_toc": True,
        "pygments_light_style": "a11y-high-contrast-light",
        "pygments_dark_style": "a11y-high-contrast-dark",
    },
}
CONF = "import json, pathlib\nglobals().update(json.loads(pathlib.Path(__file__).with_name('conf.json').read_text()))\n"


def build(out: pathlib.Path, *, for_instructor: bool) -> None:
    """Writes the site into the folder `out`.

    Args:
        out: a folder that is empty, absent, or holds an earlier site.
        for_instructor: whether plan, claims, misconceptions and answers are a part of it.

    Raises:
        RuntimeError: Sphinx could not build it, or `out` holds something else.
    """
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
        raise RuntimeError(f"{out} holds other files, which a site would replace: name a new or an empty folder")
    lessons = [reading.read(path) for path in lesson_runs.find([])]
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "source"
        write_source(source, lessons, for_instructor=for_instructor)
        run_sphinx(source, pathlib.Path(folder) / "html", "html")
        _replace(pathlib.Path(folder) / "html", out)
    decks.write(lessons, out / "slides")


def write_source(source: pathlib.Path, lessons: list[reading.Lesson], *, for_instructor: bool) -> None:
    """Writes what Sphinx reads: the pages, the settings, the files that pages link to."""
    name = repository.current()
    terms = glossary.read()
    shutil.copytree(STATIC, source / "_static")
    copies = source / "_extra" / "my_lessons"
    copies.mkdir(parents=True)
    pictures: dict[str, bytes] = {}
    for lesson in lessons:
        pages.write(pages.notebook(lesson, terms, name, pictures), source / "lessons" / lesson.path.name)
        (copies / lesson.path.name).write_bytes(_copy(lesson.path, name))
    (source / "_extra" / figures.FOLDER).mkdir()
    for file, picture in pictures.items():
        (source / "_extra" / figures.FOLDER / file).write_bytes(base64.b64decode(picture))
    (source / "glossary.md").write_text(glossary.page(terms), encoding="utf-8")
    if for_instructor:
        instructor.write(lessons, source / "instructor")
    start_page.write(lessons, source, name, for_instructor=for_instructor)
    (source / "conf.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    (source / "conf.py").write_text(CONF, encoding="utf-8")


def _copy(path: pathlib.Path, name: str) -> bytes:
    """A student's copy of a lesson; as long as no repository is named, without what would lead to Colab."""
    content = study.without_outputs(path)
    if name:
        return content
    notebook = nbformat.reads(content.decode("utf-8"), 4)
    for cell in notebook.cells:
        cell.source = reading.BADGE.sub("", repository.without_colab(cell.source))
    return (nbformat.writes(notebook) + "\n").encode("utf-8")


def run_sphinx(source: pathlib.Path, out: pathlib.Path, builder: str) -> None:
    """Runs Sphinx, quietly.

    Raises:
        RuntimeError: it failed, or warned; the message holds what it said.
    """
    from sphinx.cmd.build import main

    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        status = main(["-q", "-b", builder, "-d", str(out.with_name("doctrees")), str(source), str(out)])
    warnings = re.sub(r"\x1b\[[\d;]*m", "", said.getvalue()).replace(f"{source}/", "").strip()
    if status or warnings:
        raise RuntimeError(f"Sphinx could not build the site as it should be:\n{warnings or f'exit status {status}'}")


def _replace(made: pathlib.Path, out: pathlib.Path) -> None:
    """Puts a finished site in the place of an earlier one."""
    for leftover in (".buildinfo", "objects.inv", "_sources"):
        path = made / leftover
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for leftover in (made / "_static").rglob("*.html"):  # the theme's own parts, which are no pages
        leftover.unlink()
    (made / MARK).touch()  # GitHub Pages then serves folders whose names begin with _
    if out.exists():
        shutil.rmtree(out)
    shutil.copytree(made, out)

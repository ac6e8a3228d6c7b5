"""The course for readers and instructors: `python -m course_lib publish site | pdf | slides`.

`publish --repository owner/name` sets the repository in badges and setup cells.
"""

import argparse
import importlib.util
import pathlib
import sys
import time

from course_lib import common

PACKAGES = ("sphinx", "myst_nb", "sphinx_book_theme", "sphinx_revealjs", "latex2mathml")
EXTRA = 'pip install -e ".[publish]"'


def main(arguments: list[str]) -> int:
    """Publishes what is asked for; returns 1 where it could not."""
    parser = argparse.ArgumentParser(
        prog="python -m course_lib publish",
        description="Makes a web site, one PDF or slides from the committed lessons. Nothing is executed, and what is "
        f"made loads nothing from other hosts. Needs {EXTRA}",
    )
    parser.add_argument("what", nargs="?", choices=("site", "pdf", "slides"), help="what to make")
    parser.add_argument("out", nargs="?", type=pathlib.Path, help="the folder to write, or the PDF")
    parser.add_argument("--instructor", action="store_true", help="site: with plan, claims, misconceptions and answers")
    parser.add_argument(
        "--repository",
        metavar="OWNER/NAME",
        help='set the repository in badges and setup cells; "" takes both out again',
    )
    options = parser.parse_args(arguments)
    if options.repository is None and options.what is None:
        parser.error("name what to make, site, pdf or slides, or give --repository owner/name")
    if options.what and options.out is None:
        parser.error(
            f"name where the {options.what} is to be written, for example: publish {options.what} my_{options.what}"
        )
    if options.repository is not None:
        try:
            set_repository(options.repository)
        except ValueError as error:
            parser.error(str(error))
    return publish(options) if options.what else 0


def set_repository(name: str) -> None:
    """Sets the repository's name and says where."""
    from course_lib.classroom.publishing import repository

    changed = repository.set_name(name)
    for path in changed:
        print(path.relative_to(common.ROOT))
    print(f"{len(changed)} files changed: the repository is {name or 'not set, and no lesson shows a badge'}")


def missing() -> list[str]:
    """The packages that are not installed."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


def publish(options: argparse.Namespace) -> int:
    """Makes the site, the PDF or the slides; says how large it is and how long it took."""
    if absent := missing():
        print(f"Publishing needs {', '.join(absent)}: type  {sys.executable} -m {EXTRA}  in {common.ROOT}")
        return 1
    start = time.perf_counter()
    try:
        said = {"site": _site, "pdf": _pdf, "slides": _slides}[options.what](options)
    except (OSError, RuntimeError, ValueError) as error:
        print(error)
        return 1
    print(f"{said}, {time.perf_counter() - start:.0f} s")
    return 0


def _site(options: argparse.Namespace) -> str:
    from course_lib.classroom.publishing import site

    site.build(options.out, for_instructor=options.instructor)
    return f"{options.out / 'index.html'}: {size(options.out):.1f} MB"


def _slides(options: argparse.Namespace) -> str:
    from course_lib.classroom import lesson_runs
    from course_lib.classroom.publishing import decks, reading

    counts = decks.write([reading.read(path) for path in lesson_runs.find([])], options.out)
    for stem, count in counts.items():
        print(f"{stem:26} {count} slides")
    return f"{options.out}: {size(options.out):.1f} MB"


def _pdf(options: argparse.Namespace) -> str:
    from course_lib.classroom.publishing import printing

    pages = printing.build(options.out)
    return f"{options.out}: {pages} pages, {size(options.out):.1f} MB"


def size(path: pathlib.Path) -> float:
    """The megabytes of a file, or of all files in a folder."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(each.stat().st_size for each in files) / 1e6

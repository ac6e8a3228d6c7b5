"""What every part of the kit shares: paths, published tables, argument checks, the offline flag.

This is a leaf: it imports nothing of the kit and nothing heavy.
"""

import csv
import difflib
import json
import math
import numbers
import operator
import os
import pathlib
import re
import textwrap
from collections.abc import Iterable

ROOT = pathlib.Path(__file__).resolve().parent.parent
PUBLISHED = ROOT / "data" / "published"  # numbers with their sources, one CSV per subject
RUNS = ROOT / "data" / "runs"  # recorded runs, one JSON per experiment


def published(name: str) -> list[dict[str, str]]:
    """The rows of `data/published/<name>.csv`, each a dict of strings keyed by column.

    Raises:
        FileNotFoundError: there is no such table; the message lists those there are.
    """
    path = PUBLISHED / f"{name}.csv"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in PUBLISHED.glob("*.csv"))) or "none"
        raise FileNotFoundError(f"no table {name!r} in {PUBLISHED}; there are: {known}")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def compare_with_slide(claim: str) -> None:
    """Prints what a slide of the lecture says, what is right, and the source; `claim` is an id such as "L4".

    Raises:
        ValueError: no such claim.
    """
    rows = {row["id"]: row for row in published("lecture")}
    if claim not in rows:
        raise unknown("claim", claim, rows)
    for name, column in (("The slide", "slide"), ("In fact", "right"), ("Source", "source")):
        print(textwrap.fill(f"{name}: {rows[claim][column]}", 100))


def offline() -> bool:
    """Whether `COURSE_OFFLINE=1` forbids every connection beyond this machine."""
    return os.environ.get("COURSE_OFFLINE", "") not in ("", "0")


def unknown(kind: str, name: object, known: Iterable[str], others: Iterable[str] = ()) -> ValueError:
    """The error for a name that is not known: the nearest names first, then all of `known`.

    `others` are accepted too, but are too many to list.
    """
    known = sorted(known)
    spelled = {each.lower(): each for each in {*known, *others}}
    near = [spelled[each] for each in difflib.get_close_matches(str(name).lower(), spelled, n=3, cutoff=0.5)]
    nearest = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    return ValueError(f"unknown {kind} {name!r}.{nearest} Known: {', '.join(known)}.")


def at_least(minimum: int, **named: object) -> None:
    """Checks that each named value is a whole number of at least `minimum`.

    Raises:
        ValueError: says the name, what came in and what is accepted.
    """
    for name, value in named.items():
        try:
            whole = None if isinstance(value, bool) else operator.index(value)
        except TypeError:
            whole = None
        if whole is None or whole < minimum:
            raise ValueError(f"{name} must be a whole number of at least {minimum}, not {value!r}")


def number(name: str, value: object, low: float = 0.0, high: float = math.inf) -> float:
    """`value` as a float, once it is clear that it is a number from `low` to below `high`; NumPy's are numbers too.

    Raises:
        ValueError: says the name, what came in and what is accepted.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not low <= value < high:
        raise ValueError(f"{name} must be a number from {low:g} to below {high:g}, not {value!r}")
    return float(value)


def check_image_shape(image_shape: object, smallest: int = 1) -> tuple[int, int, int]:
    """`image_shape` as three ints `(height, width, channels)`, each side at least `smallest` pixels.

    Raises:
        ValueError: not three positive whole numbers, or a side below `smallest`.
    """
    sizes = tuple(image_shape) if hasattr(image_shape, "__len__") and not isinstance(image_shape, str) else ()
    whole = all(hasattr(size, "__index__") and not isinstance(size, bool) and size > 0 for size in sizes)
    if len(sizes) != 3 or not whole:
        raise ValueError(
            "image_shape must be three positive whole numbers (height, width, channels), "
            f"for example (32, 32, 1), not {image_shape!r}"
        )
    height, width, channels = (int(size) for size in sizes)
    if height in (1, 3) and min(width, channels) > 4:
        raise ValueError(
            f"image_shape {image_shape!r} looks as if its channels came first: give (height, width, channels), "
            f"({width}, {channels}, {height})"
        )
    if min(height, width) < smallest:
        raise ValueError(
            f"image_shape {image_shape!r} is too small for this network: "
            f"the smallest that fits is ({smallest}, {smallest}, {channels})"
        )
    return height, width, channels


def write_json(path: pathlib.Path, value: object) -> None:
    """Writes `value` for people and `git diff`: indented, a list of numbers on one line; never half a file."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    # Line breaks never stand inside a JSON string, runs of spaces may.
    text = re.sub(r"\[[^\[\]{}]*\]", lambda plain: re.sub(r"\n *", " ", plain.group()), text)
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(path)


def in_notebook() -> bool:
    """Whether this runs in a Jupyter or Colab kernel, which can show pictures and update them."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return hasattr(get_ipython(), "kernel")

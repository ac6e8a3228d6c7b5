"""The look of every figure: the style file `course.mplstyle`, and colors by name."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from course_lib import common
from course_lib.model_checks import described

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # the style file's: blue, vermilion, …
INK = "#222222"  # as in the style file
MUTED = "#666666"  # as in the style file
FAINT = "#D0D0D0"
RIGHT = PALETTE[0]
WRONG = PALETTE[1]
LINES = ("-", "--", "-.", ":")  # so that lines differ without color, too
MARKERS = "osD^v"  # circle, square, diamond, triangles
DIVERGING = "RdBu_r"  # for signed values: zero is white, positive red, negative blue

STYLE = Path(__file__).with_name("course.mplstyle")


@contextlib.contextmanager
def style() -> Iterator[None]:
    """The style of the course inside a `with` block or, as `@style()`, inside a function."""
    import matplotlib.style

    with matplotlib.style.context(STYLE):
        yield


@style()
def new_axes(width: float = 7.0, height: float = 4.0, *, rows: int = 1, columns: int = 1, **options):
    """One Axes on a new figure, or an array of several: `(rows, columns)`, `(rows,)` or `(columns,)`.

    Args:
        width: of the whole figure, in inches; up to 9 a laptop shows it without shrinking.
        height: of the whole figure, in inches.
        rows: rows of Axes.
        columns: columns of Axes.
        **options: for `matplotlib.pyplot.subplots`.

    Raises:
        ValueError: a width or height that is not above 0, no rows or columns, or Matplotlib's names for these.
    """
    import matplotlib.pyplot as plt

    named = {"nrows": "rows", "ncols": "columns", "figsize": "width and height"}
    for theirs in named.keys() & options.keys():
        raise ValueError(f"new_axes takes {named[theirs]} instead of {theirs}")
    common.at_least(1, rows=rows, columns=columns)
    for name, inches in (("width", width), ("height", height)):
        common.number(name, inches, low=0.1, high=500.0)
    return plt.subplots(rows, columns, figsize=(width, height), layout="constrained", **options)[1]


def given_or_new(ax, width: float = 7.0, height: float = 4.0, **options):
    """`ax` where it is given, else one Axes on a new figure.

    Raises:
        ValueError: `ax` is not one Axes.
    """
    if ax is None:
        return new_axes(width, height, **options)
    check_axes(ax)
    return ax


def with_minus(text: str) -> str:
    """Text of a number whose minus sign is as long as a plus, so that it is not taken for a hyphen."""
    return text.replace("-", "−")


def check_axes(ax) -> None:
    """Checks that `ax` is one Axes.

    Raises:
        ValueError: it is an array of several, a figure, or anything else.
    """
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        raise ValueError(f"ax must be one Axes, such as axes[0] of several, not {described(ax)}")

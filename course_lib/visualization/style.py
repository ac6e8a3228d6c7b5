"""How every figure of the kit looks: the style file `course.mplstyle`, and the colors that drawing code names."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from course_lib import common
from course_lib.model_checks import described

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # the style file's: blue, vermilion, …
INK, MUTED, FAINT = "#222222", "#666666", "#D0D0D0"  # INK and MUTED as in the style file
RIGHT, WRONG = PALETTE[0], PALETTE[1]
DIVERGING = "RdBu_r"  # for signed values: zero is white, positive red, negative blue

STYLE = Path(__file__).with_name("course.mplstyle")


@contextlib.contextmanager
def style() -> Iterator[None]:
    """The kit's style inside a `with` block or, as `@style()`, inside a function; nothing stays behind."""
    import matplotlib.style

    with matplotlib.style.context(STYLE):
        yield


@style()
def new_axes(width: float = 7.0, height: float = 4.0, *, rows: int = 1, columns: int = 1, **options):
    """One Axes, or an array `(rows, columns)` of them without its axes of length one, on a new figure.

    `width` and `height` are the whole figure's, in inches; `options` go to `matplotlib.pyplot.subplots`.

    Raises:
        ValueError: a width or height that is not above 0, or no rows or columns.
    """
    import matplotlib.pyplot as plt

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


def check_axes(ax) -> None:
    """Checks that `ax` is one Axes.

    Raises:
        ValueError: it is an array of several, a figure, or anything else.
    """
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        raise ValueError(f"ax must be one Axes, such as axes[0] of several, not {described(ax)}")

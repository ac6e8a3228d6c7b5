"""How every figure of the kit looks: the style file `course.mplstyle`, and the colors that drawing code names."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

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
    """
    import matplotlib.pyplot as plt

    return plt.subplots(rows, columns, figsize=(width, height), layout="constrained", **options)[1]

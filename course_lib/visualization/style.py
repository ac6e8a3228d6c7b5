"""How every figure of the kit looks: legible on a projector, safe for color-blind eyes, on white.

The palette is Okabe and Ito's (2008). White lies under every figure, so that it reads the same in a light
and in a dark notebook.
"""

import contextlib
from collections.abc import Iterator

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # blue, vermilion, green, …
INK, MUTED, FAINT = "#222222", "#666666", "#D0D0D0"
RIGHT, WRONG = PALETTE[0], PALETTE[1]
DIVERGING = "RdBu_r"  # for signed values: zero is white, positive red, negative blue

STYLE = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": 100,
    "font.size": 12,
    "axes.titlesize": 13,
    "axes.labelsize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "legend.frameon": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.edgecolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.prop_cycle": f"cycler('color', {list(PALETTE)})",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "lines.linewidth": 2.2,
    "image.interpolation": "nearest",  # a pixel stays a square
}


@contextlib.contextmanager
def style() -> Iterator[None]:
    """The kit's style inside a `with` block or, as `@style()`, inside a function; nothing stays behind."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        yield


@style()
def new_axes(width: float = 7.0, height: float = 4.0, *, rows: int = 1, columns: int = 1, **options):
    """One Axes, or an array `(rows, columns)` of them without its axes of length one, on a new figure.

    `width` and `height` are the whole figure's, in inches; `options` go to `matplotlib.pyplot.subplots`.
    """
    import matplotlib.pyplot as plt

    return plt.subplots(rows, columns, figsize=(width, height), layout="constrained", **options)[1]

"""How a lesson ends a figure: displayed once, with words for those who cannot see it."""

import base64
import io

import numpy as np

from course_lib import common
from course_lib.model_checks import described
from course_lib.visualization.style import style

DPI = 120  # 8 inches are 960 pixels: sharp on a projector, and mostly under 100 kB


def show(ax, alt: str) -> None:
    """Displays the figure of `ax` once as a PNG with alternative text `alt`, and closes it.

    `ax` is an Axes, an array or list of Axes of one figure, or the figure. `alt` states the finding in one
    sentence made from the computed numbers; it goes into the output's metadata, where JupyterLab and nbconvert
    look for it, and stands in for the picture where none can be shown. Outside a notebook it is printed.

    Raises:
        ValueError: `alt` is not a sentence, or `ax` has no figure.
    """
    import matplotlib.pyplot as plt

    check_alt(alt)
    figure = figure_of(ax)
    if common.in_notebook():
        publish(png(figure), alt)
    else:
        print(f"[figure] {alt}")
    plt.close(figure)


def check_alt(alt: str) -> None:
    """Raises ValueError where `alt` is not a string of at least three words."""
    if not isinstance(alt, str) or len(alt.split()) < 3:
        raise ValueError(
            f"alt must be a sentence that states what the figure shows, not {alt!r}; for example "
            "f'The validation error falls from {first:.1%} to {last:.1%} in {epochs} epochs.'"
        )


def figure_of(ax):
    """The figure of an Axes, of an array or list of Axes, or the figure itself.

    Raises:
        ValueError: anything else, or Axes of several figures.
    """
    from matplotlib.artist import Artist

    parts = list(np.ravel(np.asarray(ax, dtype=object)))
    if not parts or not all(isinstance(part, Artist) for part in parts):
        raise ValueError(f"ax must be an Axes, several Axes of one figure, or the figure, not {described(ax)}")
    figures = [part if hasattr(part, "savefig") else part.get_figure(root=True) for part in parts]
    if any(figure is not figures[0] for figure in figures):
        raise ValueError("these Axes are of several figures: show each figure by itself")
    return figures[0]


@style()
def png(figure, dpi: int = DPI) -> bytes:
    """The figure as the bytes of a PNG, cut to what is drawn."""
    from PIL import Image

    drawn, opaque = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi, bbox_inches="tight", pad_inches=0.08)
    Image.open(drawn).convert("RGB").save(opaque, "PNG")  # no figure is transparent, and this is smaller
    return opaque.getvalue()


def publish(picture: bytes, alt: str, handle=None):
    """Displays a PNG with its alternative text, or replaces the one of `handle`; returns the handle."""
    from IPython.display import display

    data = {"image/png": base64.b64encode(picture).decode("ascii"), "text/plain": alt}
    metadata = {"image/png": {"alt": alt}}
    if handle is None:
        return display(data, raw=True, metadata=metadata, display_id=True)
    handle.update(data, raw=True, metadata=metadata)
    return handle

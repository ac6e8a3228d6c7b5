"""How a lesson shows a figure or a table: once, and with a caption for those who see it and those who cannot."""

import base64
import html
import io
import textwrap

import numpy as np

from course_lib import common
from course_lib.model_checks import described
from course_lib.visualization.style import style

DPI = 120  # 8 inches are 960 pixels: sharp on a projector
PALETTE_SIZE = 256  # colors of a PNG that is stored with a palette, a third of the size
PALETTE_ERROR = 12  # of 255: how far a palette may be off, in all but 1 pixel of 1,000
FIGURE = (
    '<figure style="margin: 0"><img src="{source}" alt="{alt}" style="max-width: 100%">'
    '<figcaption aria-hidden="true">{caption}</figcaption></figure>'
)


def show(ax, caption: str) -> None:
    """Displays the figure of `ax` with its caption below it, and closes the figure.

    The caption is the alternative text of the picture, too: the output is HTML that JupyterLab, Colab, GitHub and
    nbconvert show alike. Where no HTML is shown, the caption stands for the figure. Outside a notebook it is printed.

    Args:
        ax: an Axes, an array or list of Axes of one figure, or the figure.
        caption: the finding, in one sentence made from the computed numbers.

    Raises:
        ValueError: the caption is not a sentence, or `ax` has no figure.

    Example:
        >>> ax = visualization.plot_curves(run.history, "accuracy")
        >>> visualization.show(ax, f"The validation accuracy reaches {run.history['val_accuracy'][-1]:.1%}.")
    """
    import matplotlib.pyplot as plt

    check_caption(caption)
    figure = figure_of(ax)
    if common.in_notebook():
        publish(figure_html(png(figure), caption), textwrap.fill(caption, 88))
    else:
        print(f"[figure] {caption}")
    plt.close(figure)


def check_caption(caption: str) -> None:
    """Raises ValueError where `caption` is not a string of at least three words."""
    if not isinstance(caption, str) or len(caption.split()) < 3:
        raise ValueError(
            f"caption must be a sentence that states what the figure shows, not {caption!r}; for example "
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
    """The figure as the bytes of a PNG, cut to what is drawn; with a palette where that looks the same."""
    from PIL import Image, ImageChops

    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi, bbox_inches="tight", pad_inches=0.08)
    picture = Image.open(drawn).convert("RGB")  # no figure is transparent
    few_colors = picture.quantize(PALETTE_SIZE, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    errors = np.asarray(ImageChops.difference(picture, few_colors.convert("RGB"))).max(axis=-1)
    if np.quantile(errors, 0.999) <= PALETTE_ERROR:
        picture = few_colors
    stored = io.BytesIO()
    picture.save(stored, "PNG", optimize=True)
    return stored.getvalue()


def data_url(picture: bytes) -> str:
    """A PNG as the address of an image in HTML."""
    return "data:image/png;base64," + base64.b64encode(picture).decode("ascii")


def figure_html(picture: bytes, caption: str, position: str = "") -> str:
    """A PNG with its caption as an HTML figure; the alternative text says the `position` of sliders, too."""
    alt = f"{caption} {position}".strip()
    return FIGURE.format(source=data_url(picture), alt=html.escape(alt), caption=html.escape(caption))


def publish(page: str, text: str, handle=None, **others):
    """Displays HTML, with `text` where no HTML is shown, or replaces what `handle` displays; returns the handle.

    `others` are further forms of the same output by their MIME type.
    """
    from IPython.display import display

    data = {"text/html": page, "text/plain": text, **others}
    if handle is None:
        return display(data, raw=True, display_id=True)
    handle.update(data, raw=True)
    return handle

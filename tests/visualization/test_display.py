import base64
import html.parser
import io
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib import rc_params_from_file
from matplotlib.colors import to_hex, to_rgb
from PIL import Image

from course_lib import visualization
from course_lib.visualization.style import INK, MUTED, PALETTE, STYLE, style

CAPTION = 'The "line" rises from 1 to 2 & on.'


class Reader(html.parser.HTMLParser):
    """The elements of a page with their attributes, and its texts."""

    def __init__(self, page: str):
        super().__init__()
        self.elements, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts += [data.strip()] if data.strip() else []

    def first(self, tag: str) -> dict:
        return next(attributes for name, attributes in self.elements if name == tag)


def picture(data) -> Image.Image:
    source = Reader(data["text/html"]).first("img")["src"]
    return Image.open(io.BytesIO(base64.b64decode(source.removeprefix("data:image/png;base64,"))))


def test_show_displays_once_with_its_caption_and_closes(published):
    ax = visualization.new_axes(4, 3)
    ax.plot([1, 2])
    visualization.show(ax, CAPTION)
    (kind, data, metadata), *more = published
    assert not more and kind == "display" and not metadata
    assert set(data) == {"text/html", "text/plain"} and data["text/plain"] == CAPTION
    page = Reader(data["text/html"])
    assert [tag for tag, _ in page.elements] == ["figure", "img", "figcaption"]
    assert page.first("img")["alt"] == CAPTION and page.texts == [CAPTION]
    width, height = picture(data).size
    assert abs(width - 480) < 30 and abs(height - 360) < 30  # 120 dots an inch
    assert picture(data).convert("RGBA").getpixel((1, 1)) == (255, 255, 255, 255)  # opaque white in any theme
    assert not plt.get_fignums()


@pytest.mark.parametrize("take", [lambda axes: axes, list, lambda axes: axes[1], lambda axes: axes[0].figure])
def test_show_takes_axes_arrays_lists_and_figures(published, take):
    axes = visualization.new_axes(6, 2, columns=2)
    axes[1].plot([0, 1], color="red")
    visualization.show(take(axes), CAPTION)
    assert picture(published[0][1]).size[0] > 600  # the whole figure
    assert not plt.get_fignums()


def test_a_figure_of_few_colors_is_stored_with_a_palette_and_looks_the_same(published):
    ax = visualization.new_axes(6, 4)
    ax.plot([1, 2])
    figure = ax.get_figure()
    visualization.show(ax, CAPTION)
    rainbow = visualization.new_axes(6, 4)
    rainbow.imshow(np.random.default_rng(0).uniform(size=(200, 300, 3)))
    visualization.show(rainbow, CAPTION)
    few, many = (picture(data) for _, data, _ in published)
    assert few.mode == "P" and many.mode == "RGB"
    exact = io.BytesIO()
    with style():
        figure.savefig(exact, format="png", dpi=120, bbox_inches="tight", pad_inches=0.08)
    difference = np.abs(np.asarray(Image.open(exact).convert("RGB")).astype(int) - np.asarray(few.convert("RGB")))
    assert np.quantile(difference, 0.999) <= 12 and difference.max() < 60


def test_nbconvert_keeps_caption_and_alternative_text(published):
    """Its default template drops the alternative text of an image output; that of HTML it keeps."""
    import nbformat
    from nbconvert import HTMLExporter, MarkdownExporter

    visualization.show(visualization.new_axes(2, 2), CAPTION)
    output = nbformat.v4.new_output("display_data", data=published[0][1])
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("show()", outputs=[output])])
    for exporter in (HTMLExporter(), MarkdownExporter()):
        page = Reader(exporter.from_notebook_node(notebook)[0])
        assert page.first("img")["alt"] == CAPTION and CAPTION in page.texts


def test_without_styles_and_unknown_attributes_the_figure_is_whole(published):
    """As on GitHub, which keeps few elements and attributes."""
    import bleach

    visualization.show(visualization.new_axes(2, 2), CAPTION)
    allowed = {"img": ["src", "alt"]}
    tags = ["figure", "figcaption", "img"]
    left = bleach.clean(published[0][1]["text/html"], tags=tags, attributes=allowed, protocols=["data"], strip=True)
    page = Reader(left)
    assert page.first("img")["alt"] == CAPTION and page.texts == [CAPTION]
    assert page.first("img")["src"].startswith("data:image/png")


def test_show_prints_the_caption_outside_a_notebook(capsys):
    visualization.show(visualization.new_axes(), CAPTION)
    assert CAPTION in capsys.readouterr().out
    assert not plt.get_fignums()


@pytest.mark.parametrize("caption", ["", "   ", "plot", None, 3])
def test_show_refuses_what_is_no_sentence(caption):
    with pytest.raises(ValueError, match="caption must be a sentence"):
        visualization.show(visualization.new_axes(), caption)


def test_style_holds_inside_and_nowhere_else():
    before = plt.rcParams["font.size"]
    with plt.style.context("dark_background"):
        ax = visualization.new_axes()
        assert ax.figure.get_facecolor() == (1, 1, 1, 1) and ax.get_facecolor() == (1, 1, 1, 1)
        assert to_hex(ax.xaxis.label.get_color()) == INK
        assert plt.rcParams["figure.facecolor"] == "black"
    with style():
        assert plt.rcParams["font.size"] >= 11
    assert plt.rcParams["font.size"] == before


def test_the_style_file_and_the_colors_named_in_code_are_one_and_legible():
    in_file = rc_params_from_file(STYLE, use_default_template=False)
    assert tuple(each["color"] for each in in_file["axes.prop_cycle"]) == PALETTE
    named = [to_hex(in_file[key]) for key in ("text.color", "axes.labelcolor", "xtick.color")]
    assert named == [INK, INK, MUTED]
    for color in (INK, MUTED):  # WCAG 2, contrast for text
        linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in to_rgb(color)]
        assert 1.05 / (np.dot(linear, (0.2126, 0.7152, 0.0722)) + 0.05) >= 4.5


def test_importing_loads_nothing_heavy_and_names_are_functions():
    code = (
        "import sys; from course_lib.visualization.curves import spread\n"
        "from course_lib import visualization as v\n"
        "print([m for m in ('matplotlib', 'keras', 'tensorflow', 'sklearn') if m in sys.modules])\n"
        "print([n for n in v.__all__ if n not in ('PALETTE', 'LiveCurves') and not callable(getattr(v, n))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "[]"]


def test_live_curves_is_found_and_other_names_are_not():
    assert isinstance(visualization.LiveCurves, type)
    with pytest.raises(AttributeError, match="attribute curve"):
        visualization.curve  # noqa: B018
    assert np.ndim(visualization.new_axes(rows=2, columns=3)) == 2


def test_show_refuses_what_has_no_figure_or_several():
    for ax in (None, [], np.ones(2), "ax"):
        with pytest.raises(ValueError, match="ax must be an Axes, several Axes of one figure, or the figure"):
            visualization.show(ax, CAPTION)
    with pytest.raises(ValueError, match="of several figures"):
        visualization.show([visualization.new_axes(), visualization.new_axes()], CAPTION)


@pytest.mark.parametrize("options", [{"width": 0}, {"height": "4"}, {"rows": 0}, {"width": 640, "height": 480}])
def test_new_axes_of_no_size(options):
    with pytest.raises(ValueError, match=r"(width|height|rows) must be a"):
        visualization.new_axes(**options)
    with pytest.raises(ValueError, match="takes rows instead of nrows"):
        visualization.new_axes(nrows=2)

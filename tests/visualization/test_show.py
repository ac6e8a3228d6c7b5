import base64
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
from course_lib.visualization.style import INK, MUTED, PALETTE, STYLE

ALT = "The line rises from 1 to 2."


def picture(data) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(data["image/png"])))


def test_show_displays_once_with_alt_text_and_closes(published):
    ax = visualization.new_axes(4, 3)
    ax.plot([1, 2])
    visualization.show(ax, ALT)
    (kind, data, metadata), *more = published
    assert not more and kind == "display"
    assert metadata == {"image/png": {"alt": ALT}} and data["text/plain"] == ALT
    width, height = picture(data).size
    assert abs(width - 480) < 30 and abs(height - 360) < 30  # 120 dots an inch
    assert picture(data).convert("RGBA").getpixel((1, 1)) == (255, 255, 255, 255)  # opaque white in any theme
    assert not plt.get_fignums()


@pytest.mark.parametrize("take", [lambda axes: axes, list, lambda axes: axes[1], lambda axes: axes[0].figure])
def test_show_takes_axes_arrays_lists_and_figures(published, take):
    axes = visualization.new_axes(6, 2, columns=2)
    axes[1].plot([0, 1], color="red")
    visualization.show(take(axes), ALT)
    assert picture(published[0][1]).size[0] > 600  # the whole figure
    assert not plt.get_fignums()


def test_show_prints_the_words_outside_a_notebook(capsys):
    visualization.show(visualization.new_axes(), ALT)
    assert ALT in capsys.readouterr().out
    assert not plt.get_fignums()


@pytest.mark.parametrize("alt", ["", "   ", "plot", None, 3])
def test_show_refuses_what_is_no_sentence(alt):
    with pytest.raises(ValueError, match="alt must be a sentence"):
        visualization.show(visualization.new_axes(), alt)


def test_style_holds_inside_and_nowhere_else():
    before = plt.rcParams["font.size"]
    with plt.style.context("dark_background"):
        ax = visualization.new_axes()
        assert ax.figure.get_facecolor() == (1, 1, 1, 1) and ax.get_facecolor() == (1, 1, 1, 1)
        assert to_hex(ax.xaxis.label.get_color()) == INK
        assert plt.rcParams["figure.facecolor"] == "black"
    with visualization.style():
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
    with pytest.raises(AttributeError, match="no attribute 'curve'"):
        visualization.curve  # noqa: B018
    assert np.ndim(visualization.new_axes(rows=2, columns=3)) == 2


def test_show_refuses_what_has_no_figure_or_several():
    for ax in (None, [], np.ones(2), "ax"):
        with pytest.raises(ValueError, match="ax must be an Axes, several Axes of one figure, or the figure"):
            visualization.show(ax, ALT)
    with pytest.raises(ValueError, match="of several figures"):
        visualization.show([visualization.new_axes(), visualization.new_axes()], ALT)


@pytest.mark.parametrize("options", [{"width": 0}, {"height": "4"}, {"rows": 0}, {"width": 640, "height": 480}])
def test_new_axes_of_no_size(options):
    with pytest.raises(ValueError, match=r"(width|height|rows) must be a"):
        visualization.new_axes(**options)

"""Sliders over a figure: it is drawn anew for each value, and nothing is left open."""

import matplotlib.pyplot as plt
import pytest
from IPython import display
from ipywidgets import Image, IntSlider, VBox

from course_lib import visualization


def test_the_figure_follows_the_sliders(monkeypatch):
    drawn, shown = [], []
    monkeypatch.setattr(display, "display", shown.append)

    def draw(row, column):
        drawn.append((row, column))
        ax = visualization.new_axes(2, 2)
        ax.plot([0, row], [0, column])
        return ax

    row = IntSlider(3, 0, 9)
    visualization.explore(draw, row=row, column=IntSlider(4, 0, 9, description="side"))
    (box,) = shown
    first, second, picture = box.children
    assert isinstance(box, VBox) and isinstance(picture, Image)
    assert (first.description, second.description) == ("row", "side")
    before = bytes(picture.value)
    assert before.startswith(b"\x89PNG")
    row.value = 7
    assert drawn == [(3, 4), (7, 4)] and bytes(picture.value) != before
    assert plt.get_fignums() == []


def test_sliders_as_ipywidgets_interact_takes_them(monkeypatch):
    drawn, shown = [], []
    monkeypatch.setattr(display, "display", shown.append)

    def draw(bias, name):
        drawn.append((bias, name))
        return visualization.draw_activation(name, bias)

    visualization.explore(draw, bias=(0, 3, 0.5), name=["ReLU", "tanh"])
    bias, name, _ = shown[0].children
    assert (bias.min, bias.max, bias.step, bias.description) == (0, 3, 0.5, "bias")
    name.value = "tanh"
    assert drawn == [(1.0, "ReLU"), (1.0, "tanh")]


@pytest.mark.parametrize(
    ("draw", "sliders", "message"),
    [
        (lambda bias: visualization.new_axes(2, 2), {"bias": (3, 0)}, "bias must be an ipywidgets control"),
        (lambda bias: visualization.new_axes(2, 2), {"bias": None}, "bias must be an ipywidgets control"),
        (lambda bias: visualization.new_axes(2, 2), {"bia": (0, 3)}, "named as an argument of draw"),
        (lambda: None, {}, "name at least one slider"),
        (lambda bias: None, {"bias": (0, 3)}, "draw must return its Axes, .* not None"),
        (3, {"bias": (0, 3)}, "draw must be a function"),
    ],
)
def test_bad_input(draw, sliders, message):
    with pytest.raises(ValueError, match=message):
        visualization.explore(draw, **sliders)

"""Sliders over a figure: it is drawn anew for each value, and nothing is left open."""

import matplotlib.pyplot as plt
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

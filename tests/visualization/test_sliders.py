"""Sliders over a figure: it is drawn anew for each value, nothing is left open, and a page without a kernel moves."""

import html.parser
import json
import shutil
import subprocess

import ipywidgets
import matplotlib.pyplot as plt
import pytest
from ipywidgets import FloatLogSlider, IntSlider, SelectionSlider

from course_lib import visualization
from course_lib.visualization.frames import MOVE
from course_lib.visualization.sliders import WIDGET_VIEW, panel

CAPTION = "The line follows the sliders."


class Page(html.parser.HTMLParser):
    """What a saved page holds: its elements by name, and the slider data."""

    def __init__(self, page: str):
        super().__init__()
        self.elements = []
        self.feed(page)
        figure = self.all("figure")[0]
        self.pictures, self.sliders = json.loads(figure["data-pictures"]), json.loads(figure["data-sliders"])

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.elements if name == tag]


def line(row, column=1):
    ax = visualization.new_axes(2, 2)
    ax.plot([0, row], [0, column])
    return ax


def explored(published, *arguments, **sliders) -> Page:
    visualization.explore(*arguments, **sliders)
    assert plt.get_fignums() == []
    (_, data, _) = published[-1]
    assert set(data) == {WIDGET_VIEW, "text/html", "text/plain"}
    return Page(data["text/html"])


def test_with_a_kernel_the_figure_follows_every_value():
    drawn = []

    def draw(row, column):
        drawn.append((row, column))
        return line(row, column)

    row = IntSlider(3, 0, 9, description="row")
    box = panel(draw, {"row": row, "column": IntSlider(4, 0, 9, description="side")}, CAPTION)
    first, second, figure = box.children
    assert (first.value, second.value) == (3, 4) and isinstance(figure, ipywidgets.HTML)
    before = figure.value
    row.value = 7
    assert drawn == [(3, 4), (7, 4)] and figure.value != before
    assert f'alt="{CAPTION} row: 7, side: 4"' in figure.value and plt.get_fignums() == []


def test_sliders_as_ipywidgets_interact_takes_them(published):
    page = explored(
        published, lambda bias, name: visualization.plot_activation(name, bias), bias=(0, 3, 0.5), name=["ReLU", "tanh"]
    )
    bias, name = page.sliders
    assert (bias["name"], bias["labels"]) == ("bias", ["0", "0.5", "1", "1.5", "2", "2.5", "3"])
    assert (name["labels"], name["start"]) == (["ReLU", "tanh"], 0)
    assert bias["labels"][bias["start"]] == "1"  # where ipywidgets puts it


def test_the_saved_page_has_a_picture_for_each_position(published):
    page = explored(published, line, CAPTION, row=IntSlider(6, 0, 100, description="steps"), column=(1, 3))
    row, column = page.sliders
    assert row["name"] == "steps" and len(row["labels"]) == 8 and {"0", "6", "100"} <= {*row["labels"]}
    assert column["labels"] == ["1", "2", "3"]
    assert len(page.pictures) == 8 * 3 == len(set(page.pictures))
    assert json.loads(page.all("figure")[0]["data-strides"]) == [3, 1]
    assert column["pictures"] == [3 * row["start"] + place for place in range(3)]
    assert row["pictures"] == [column["start"] + 3 * place for place in range(8)]
    image, (first, _) = page.all("img")[0], page.all("input")
    assert image["src"] == page.pictures[row["pictures"][row["start"]]]
    assert image["alt"] == f"{CAPTION} steps: 6, column: 2"
    assert (first["aria-valuetext"], first["max"]) == ("6", "7")
    assert published[-1][1]["text/plain"] == CAPTION


@pytest.mark.parametrize("bound", ["MOST_COMBINED", "MOST_BYTES"])
def test_too_many_pictures_let_one_slider_move_at_a_time_and_say_so(published, monkeypatch, bound):
    monkeypatch.setattr(f"course_lib.visualization.sliders.{bound}", 7)
    page = explored(published, line, CAPTION, row=(0, 9), column=(1, 3))
    row, column = page.sliders
    assert len(page.pictures) == 1 + (len(row["labels"]) - 1) + 2 == len(set(page.pictures))
    assert row["pictures"][row["start"]] == column["pictures"][column["start"]] == 0
    assert "one slider at a time" in published[-1][1]["text/html"]
    explored(published, line, CAPTION, row=(0, 9))
    assert "at a time" not in published[-1][1]["text/html"]


def test_a_caption_that_is_a_function_says_what_each_position_shows(published):
    def caption(row, column):
        return f"The line ends at {row} and {column}."

    page = explored(published, line, caption, row=[4, 2, 1], column=[5, 6])
    (image,) = page.all("img")
    assert image["alt"] == "The line ends at 4 and 5. row: 4, column: 5"
    said = json.loads(image["data-captions"])
    (row, column) = page.sliders
    assert len(said) == len(page.pictures)
    assert [said[place] for place in row["pictures"]] == [caption(value, 5) for value in (4, 2, 1)]
    assert [said[place] for place in column["pictures"]] == [caption(4, value) for value in (5, 6)]
    assert published[-1][1]["text/plain"] == "The line ends at 4 and 5."

    slider = IntSlider(3, 0, 9, description="row")
    box = panel(line, {"row": slider, "column": IntSlider(4, 0, 9, description="side")}, caption)
    slider.value = 7
    assert 'alt="The line ends at 7 and 4. row: 7, side: 4"' in box.children[-1].value
    with pytest.raises(ValueError, match="caption must be a sentence"):
        visualization.explore(line, lambda row, column: "short", row=[4], column=[5])


def test_positions_of_other_controls(published):
    page = explored(published, line, row=FloatLogSlider(10, min=-1, max=1, step=0.5), column=True)
    assert page.sliders[0]["labels"] == ["0.1", "0.316", "1", "3.16", "10"]
    assert page.sliders[1]["labels"] == ["no", "yes"] and page.sliders[1]["start"] == 1
    page = explored(published, line, row=SelectionSlider(options=[("one", 1), ("two", 2)], value=2))
    assert (page.sliders[0]["labels"], page.sliders[0]["start"]) == (["one", "two"], 1)
    page = explored(published, line, row=SelectionSlider(options=range(50), value=3))
    assert len(page.sliders[0]["labels"]) == 9 and {"0", "3", "49"} <= {*page.sliders[0]["labels"]}


def test_six_sliders_stay_small(published):
    page = explored(published, lambda **values: line(values["a"]), **{name: (0, 99) for name in "abcdef"})
    assert [len(slider["labels"]) for slider in page.sliders] == [5] * 6
    assert len(published[-1][1]["text/html"]) < 200_000


@pytest.mark.skipif(shutil.which("node") is None, reason="node runs the script of the page")
def test_with_every_combination_no_slider_sends_another_back():
    """The handler of a slider, run on stand-ins for the elements that it reaches."""
    script = """
    const image = {dataset: {captions: '["C."]'}};
    const made = () => ({value: '0', defaultValue: '0', nextElementSibling: {}, setAttribute() {},
                         closest: () => figure});
    const inputs = [made(), made()];
    const sliders = [{name: 'a', labels: ['x', 'y'], pictures: []}, {name: 'b', labels: ['u', 'v', 'w'], pictures: []}];
    const pictures = JSON.stringify(['00', '01', '02', '10', '11', '12']);
    const figure = {querySelector: (tag) => tag === 'img' ? image : {}, querySelectorAll: () => inputs,
                    dataset: {strides: '[3, 1]', sliders: JSON.stringify(sliders), pictures}};
    const move = function () { MOVE };
    inputs[1].value = '2'; move.call(inputs[1]);
    const first = image.src;
    inputs[0].value = '1'; move.call(inputs[0]);
    console.log(JSON.stringify([first, image.src, image.alt]));
    """
    done = subprocess.run(["node", "-e", script.replace("MOVE", MOVE)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["02", "12", "C. a: y, b: w"]


@pytest.mark.skipif(shutil.which("node") is None, reason="node runs the script of the page")
@pytest.mark.parametrize(("captions", "second", "third"), [(["C."], "C.", "C."), (["C.", "D.", "E."], "D.", "E.")])
def test_the_script_moves_the_picture_and_its_texts(captions, second, third):
    """The handler of a slider, run on stand-ins for the elements that it reaches."""
    script = """
    const image = {dataset: {captions: JSON.stringify(CAPTIONS)}};
    const below = {};
    const made = (value) => ({value, defaultValue: value, nextElementSibling: {},
                              setAttribute(name, text) { this[name] = text; }, closest: () => figure});
    const inputs = [made('0'), made('1')];
    const sliders = [{name: 'a', labels: ['x', 'y'], pictures: [0, 1]},
                     {name: 'b', labels: ['u', 'v'], pictures: [2, 0]}];
    const figure = {querySelector: (tag) => tag === 'img' ? image : below, querySelectorAll: () => inputs,
                    dataset: {sliders: JSON.stringify(sliders), pictures: JSON.stringify(['p0', 'p1', 'p2'])}};
    const move = function () { MOVE };
    inputs[1].value = '0'; move.call(inputs[1]);
    const first = [image.src, image.alt, below.textContent];
    inputs[0].value = '1'; move.call(inputs[0]);
    console.log(JSON.stringify([first, [image.src, image.alt, below.textContent], inputs[1].value,
                                inputs[1]['aria-valuetext'], inputs[0].nextElementSibling.textContent]));
    """
    script = script.replace("MOVE", MOVE).replace("CAPTIONS", json.dumps(captions))
    done = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    first, then, *others = json.loads(done.stdout)
    assert first == ["p2", f"{third} a: x, b: u", third]
    assert then == ["p1", f"{second} a: y, b: v", second]
    assert others == ["1", "v", "y"]


def test_outside_a_notebook_the_caption_is_printed(capsys):
    visualization.explore(line, row=(0, 3))
    assert capsys.readouterr().out == "[figure] A figure that follows row.\n"


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
    with pytest.raises(ValueError, match="caption must be a sentence"):
        visualization.explore(line, "slider", row=(0, 3))

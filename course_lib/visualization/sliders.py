"""Sliders over a figure: with a kernel each value is drawn, without one the page moves between a few of them.

Not `ipywidgets.interact`: it captures what is drawn in an Output widget, for which nbclient replies to the kernel on
the channel it waits on and sometimes misses the reply, so that `jupyter execute` hangs.
"""

import inspect
import itertools
import math
import textwrap
from collections.abc import Callable

import numpy as np

from course_lib import common
from course_lib.model_checks import described
from course_lib.visualization.display import check_caption, figure_html, figure_of, png, publish
from course_lib.visualization.frames import DPI, Slider, moving_figure

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
MOST_FRAMES = 16  # pictures in the saved page, over all sliders, where none has fewer than FEWEST_POSITIONS
FEWEST_POSITIONS = 5  # of one slider: both ends, the middle, and between them
MOST_POSITIONS = 9  # of one slider in the saved page
MOST_COMBINED = 40  # pictures, where the page holds every combination of positions
MOST_BYTES = 350_000  # of these pictures, as estimated from the first one


def explore(draw: Callable, caption: str | Callable[..., str] | None = None, /, **sliders) -> None:
    """Displays sliders and the figure that `draw(**values)` draws with their values.

    With a kernel the figure is drawn anew for every value. The saved notebook and the web page hold a few pictures
    per slider, which move without a kernel: all combinations of two sliders where their pictures are small, else one
    slider at a time. Where no script runs, as on GitHub, the first picture is shown.

    Args:
        draw: a function that draws with the values as its arguments and returns the Axes.
        caption: what to look for, in one sentence, or a function that returns the sentence for the values of the
            sliders, as `draw` takes them. It is written below the figure and is its alternative text.
        **sliders: one per argument of `draw`: an ipywidgets control, or what makes one: (lowest, highest),
            (lowest, highest, step), a list of choices, a number, True or False.

    Raises:
        ValueError: `draw` is no function with these arguments or returns no Axes; a value that makes no slider.

    Example:
        >>> relu = functools.partial(visualization.plot_activation, "ReLU")
        >>> visualization.explore(relu, "The bias moves the kink of ReLU.", bias=(-3, 3, 0.5))
    """
    _check_arguments(draw, sliders)
    caption = f"A figure that follows {' and '.join(sliders)}." if caption is None else caption
    controls = {name: _control(name, slider) for name, slider in sliders.items()}
    for name, control in controls.items():
        control.description = control.description or name
    text = _text(caption, {name: control.value for name, control in controls.items()})
    page = _still_page(draw, controls, caption)
    if not common.in_notebook():
        print(f"[figure] {text}")
        return
    view = {"version_major": 2, "version_minor": 0, "model_id": panel(draw, controls, caption).model_id}
    publish(page, textwrap.fill(text, 88), **{WIDGET_VIEW: view})


def panel(draw: Callable, controls: dict, caption: str | Callable[..., str]):
    """The controls above the figure, which follows them, as does a caption that is a function."""
    import ipywidgets

    figure = ipywidgets.HTML()

    def redraw(_=None) -> None:
        values = {name: control.value for name, control in controls.items()}
        picture = _picture(draw, values)
        position = ", ".join(
            f"{control.description}: {getattr(control, 'label', control.value)}" for control in controls.values()
        )
        figure.value = figure_html(picture, _text(caption, values), position)

    for control in controls.values():
        control.observe(redraw, names="value")
    redraw()
    return ipywidgets.VBox([*controls.values(), figure])


def _text(caption: str | Callable[..., str], values: dict) -> str:
    """The caption at these values of the sliders."""
    text = caption(**values) if callable(caption) else caption
    check_caption(text)
    return text


def _still_page(draw: Callable, controls: dict, caption: str | Callable[..., str]) -> str:
    """The figure at every combination of some positions; where these are too many, one slider moves at a time."""
    rest = {name: control.value for name, control in controls.items()}
    most = max(FEWEST_POSITIONS, min(MOST_POSITIONS, MOST_FRAMES // len(controls)))
    positions = {name: _positions(control, most) for name, control in controls.items()}
    first = _picture(draw, rest, DPI)
    count = math.prod(map(len, positions.values()))
    strides = []
    if len(controls) > 1 and count <= MOST_COMBINED and count * len(first) <= MOST_BYTES:
        strides = [math.prod(map(len, list(positions.values())[place + 1 :])) for place in range(len(controls))]
    drawn = _combined(positions) if strides else _one_at_a_time(rest, positions)
    tracks = []
    for name, control in controls.items():
        labels = [label for label, _ in positions[name]]
        places = [drawn.index(rest | {name: value}) for _, value in positions[name]]
        start = [value for _, value in positions[name]].index(control.value)
        tracks.append(Slider(control.description, labels, places, start))
    pictures = [first if values == rest else _picture(draw, values, DPI) for values in drawn]
    captions = [_text(caption, values) for values in drawn] if callable(caption) else [caption]
    return moving_figure(pictures, tracks, captions, strides=strides)


def _combined(positions: dict) -> list[dict]:
    """The values of each picture, for every combination of positions; those of the last slider change fastest."""
    values = [[value for _, value in each] for each in positions.values()]
    return [dict(zip(positions, each, strict=True)) for each in itertools.product(*values)]


def _one_at_a_time(rest: dict, positions: dict) -> list[dict]:
    """The values of each picture: all at rest, then each slider at its other positions."""
    moved = [rest | {name: value} for name, each in positions.items() for _, value in each]
    return [rest, *(values for values in moved if values != rest)]


def _positions(control, most: int) -> list[tuple[str, object]]:
    """At most `most` (label, value) of a control, in order, the present value among them."""
    if hasattr(control, "options"):
        pairs = [option if isinstance(option, tuple) else (str(option), option) for option in control.options]
    elif isinstance(control.value, bool):
        pairs = [("no", False), ("yes", True)]
    elif all(hasattr(control, bound) for bound in ("min", "max", "step")):
        pairs = [(f"{value:,}" if isinstance(value, int) else f"{value:.3g}", value) for value in _steps(control)]
    else:
        pairs = [(str(control.value), control.value)]
    values = [value for _, value in pairs]
    start = values.index(control.value)
    last = len(pairs) - 1
    kept = set(np.linspace(0, last, min(most, len(pairs))).round().astype(int))
    if start not in kept:  # in the place of the nearest, but never of an end
        kept -= {min(kept - {0, last}, key=lambda place: abs(place - start))}
    return [pairs[place] for place in sorted(kept | {start})]


def _steps(control) -> list:
    """Every value of a numeric slider, the present one among them."""
    count = round((control.max - control.min) / control.step)
    values = [control.min + place * control.step for place in range(count + 1)]
    if hasattr(control, "base"):  # a FloatLogSlider
        values = [control.base**value for value in values]
    nearest = min(range(len(values)), key=lambda place: abs(values[place] - control.value))
    values[nearest] = control.value
    return values


def _picture(draw: Callable, values: dict, dpi: int | None = None) -> bytes:
    """What `draw` draws, as a PNG; the figure is closed."""
    import matplotlib.pyplot as plt

    returned = draw(**values)
    try:
        figure = figure_of(returned)
    except ValueError as error:
        raise ValueError(f"draw must return its Axes, with `return ax` at its end: {error}") from None
    picture = png(figure) if dpi is None else png(figure, dpi)
    plt.close(figure)
    return picture


def _check_arguments(draw: Callable, sliders: dict) -> None:
    if not callable(draw):
        raise ValueError(f"draw must be a function that draws and returns its Axes, not {described(draw)}")
    if not sliders:
        raise ValueError("name at least one slider, for example explore(draw, bias=(0, 3))")
    try:
        inspect.signature(draw).bind(**sliders)
    except TypeError as error:
        raise ValueError(f"each slider must be named as an argument of draw: {error}") from None


def _control(name: str, slider):
    """The ipywidgets control that `interact` makes of an abbreviation; a control stays as it is."""
    import ipywidgets

    try:
        control = ipywidgets.interactive.widget_from_abbrev(slider)
    except (TypeError, ValueError):
        control = None
    if not isinstance(control, ipywidgets.ValueWidget):
        raise ValueError(
            f"{name} must be an ipywidgets control such as IntSlider, (lowest, highest), (lowest, highest, step), "
            f"a list of choices or a number, not {described(slider)}"
        )
    return control

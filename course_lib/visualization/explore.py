"""Sliders over a figure.

Not `ipywidgets.interact`: it captures what is drawn in an Output widget, for which nbclient answers the kernel on
the very channel it waits on and now and then misses the reply, so that `jupyter execute` hangs.
"""

import inspect
from collections.abc import Callable

from course_lib.model_checks import described
from course_lib.visualization.show import figure_of, png


def explore(draw: Callable, **sliders) -> None:
    """Displays `sliders` above the figure that `draw(**values)` returns the Axes of; it follows their values.

    Each slider is an ipywidgets control named as the argument of `draw` that it sets, or what
    `ipywidgets.interact` takes for one: (lowest, highest), (lowest, highest, step), a list of choices, a number, True
    or False. Show a static figure of the same beside it: where no kernel runs, and in the saved notebook, there is
    none.

    Raises:
        ValueError: `draw` is no function with these arguments or returns no Axes; what makes no slider.
    """
    import matplotlib.pyplot as plt
    from IPython.display import display
    from ipywidgets import Image, VBox

    _check_arguments(draw, sliders)
    sliders = {name: _control(name, slider) for name, slider in sliders.items()}
    picture = Image(format="png")

    def redraw(_=None) -> None:
        figure = _figure_drawn(draw(**{name: slider.value for name, slider in sliders.items()}))
        picture.value = png(figure)
        plt.close(figure)

    for name, slider in sliders.items():
        slider.description = slider.description or name
        slider.observe(redraw, names="value")
    redraw()
    display(VBox([*sliders.values(), picture]))


def _check_arguments(draw: Callable, sliders: dict) -> None:
    if not callable(draw):
        raise ValueError(f"draw must be a function that draws and returns its Axes, not {described(draw)}")
    if not sliders:
        raise ValueError("name at least one slider, for example explore(draw, bias=(0, 3))")
    try:
        inspect.signature(draw).bind(**sliders)
    except TypeError as error:
        raise ValueError(f"each slider must be named as an argument of draw: {error}") from None


def _figure_drawn(returned):
    """The figure of what `draw` returned."""
    try:
        return figure_of(returned)
    except ValueError as error:
        raise ValueError(f"draw must return its Axes, with `return ax` at its end: {error}") from None


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

"""Sliders over a figure.

Not `ipywidgets.interact`: it captures what is drawn in an Output widget, for which nbclient answers the kernel on
the very channel it waits on and now and then misses the reply, so that `jupyter execute` hangs.
"""

from collections.abc import Callable

from course_lib.visualization.show import figure_of, png


def explore(draw: Callable, **sliders) -> None:
    """Displays `sliders` above the figure that `draw(**values)` returns the Axes of; it follows their values.

    Each slider is an ipywidgets control named as the argument of `draw` that it sets. Show a static figure of
    the same beside it: where no kernel runs, and in the saved notebook, there is none.
    """
    import matplotlib.pyplot as plt
    from IPython.display import display
    from ipywidgets import Image, VBox

    picture = Image(format="png")

    def redraw(_=None) -> None:
        figure = figure_of(draw(**{name: slider.value for name, slider in sliders.items()}))
        picture.value = png(figure)
        plt.close(figure)

    for name, slider in sliders.items():
        slider.description = slider.description or name
        slider.observe(redraw, names="value")
    redraw()
    display(VBox([*sliders.values(), picture]))

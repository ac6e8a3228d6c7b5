"""Gradient descent along cost curves of one weight, step by step."""

import base64
import html
import json
from collections.abc import Callable, Mapping

import numpy as np

from course_lib.visualization.show import check_alt, figure_of, png
from course_lib.visualization.style import PALETTE, new_axes, style

DPI = 64  # small enough that a dozen steps stay below 250 kB
PLAYER = """<div data-frames="{frames}"><img src="{first}" alt="{alt}"><br>
<button onclick="const slider = this.nextElementSibling; slider.value = 0; slider.oninput();
const timer = setInterval(() => {{ slider.value++; slider.oninput();
if (slider.value === slider.max) clearInterval(timer) }}, 500)">play</button>
<input type="range" min="0" max="{last}" value="0" aria-label="step"
oninput="this.parentNode.firstChild.src = JSON.parse(this.parentNode.dataset.frames)[this.value]"></div>"""


@style()
def draw_descent(costs: Mapping[str, Callable], paths: Mapping[str, np.ndarray], step: int, *, ax=None):
    """Cost curves of one weight, and how far gradient descent has come on each after `step` steps.

    `costs` are name → function of an array of weights; `paths` are name → the weights that descent went through, the
    first included. A row of Axes with a few steps is the still beside the animation.
    """
    every = np.concatenate(list(paths.values()))
    grid = np.linspace(every.min() - 0.25 * np.ptp(every) - 0.1, every.max() + 0.25 * np.ptp(every) + 0.1, 200)
    ax = new_axes(4.5, 3.2) if ax is None else ax
    for color, name in zip(PALETTE, costs, strict=False):
        gone = paths[name][: step + 1]
        ax.plot(grid, costs[name](grid), color=color, label=name)
        ax.plot(gone, costs[name](gone), "o", color=color, alpha=0.4)
        ax.plot(gone[-1], costs[name](gone[-1]), "o", color=color, markeredgecolor="black", markersize=11)
    ax.set(title=f"step {step}", xlabel="weight", ylabel="error")
    ax.legend(loc="upper center")
    return ax


def animate_descent(costs: Mapping[str, Callable], paths: Mapping[str, np.ndarray], alt: str) -> str:
    """`draw_descent` step by step, as HTML with a button and a slider; it needs no kernel and no connection.

    `alt` is the alternative text, as for `show`. Display it with `IPython.display.HTML`, and a still beside it.
    """
    import matplotlib.pyplot as plt

    check_alt(alt)
    frames = []
    for step in range(len(next(iter(paths.values())))):
        figure = figure_of(draw_descent(costs, paths, step))
        frames.append("data:image/png;base64," + base64.b64encode(png(figure, DPI)).decode("ascii"))
        plt.close(figure)
    texts = {"first": frames[0], "frames": json.dumps(frames), "alt": alt, "last": str(len(frames) - 1)}
    return PLAYER.format(**{name: html.escape(text) for name, text in texts.items()})

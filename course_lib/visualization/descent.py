"""Gradient descent along cost curves of one weight, step by step."""

import base64
import html
import itertools
import json
from collections.abc import Callable, Mapping

import numpy as np

from course_lib import common
from course_lib.model_checks import described
from course_lib.visualization.data_checks import finite_array
from course_lib.visualization.show import check_alt, figure_of, png
from course_lib.visualization.style import PALETTE, given_or_new, style

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

    `costs` are name → function of an array of weights, or of one weight; `paths` are name → the weights that descent
    went through, the first included. A row of Axes with a few steps is the still beside the animation.

    Raises:
        ValueError: costs and paths of other names, what is no function or no path, a function that does not give a
            number per weight, or a step that no path has.
    """
    paths = _paths(costs, paths)
    common.at_least(0, step=step)
    longest = max(map(len, paths.values()))
    if step >= longest:
        raise ValueError(f"step must be 0 to {longest - 1}, a step of the paths, not {step}")
    every = np.concatenate(list(paths.values()))
    grid = np.linspace(every.min() - 0.25 * np.ptp(every) - 0.1, every.max() + 0.25 * np.ptp(every) + 0.1, 200)
    ax = given_or_new(ax, 4.5, 3.2)
    for color, name in zip(itertools.cycle(PALETTE), costs):
        gone = paths[name][: step + 1]
        curve, past = np.split(_errors(name, costs[name], np.concatenate([grid, gone])), [len(grid)])
        ax.plot(grid, curve, color=color, label=name)
        ax.plot(gone, past, "o", color=color, alpha=0.4)
        ax.plot(gone[-1], past[-1], "o", color=color, markeredgecolor="black", markersize=11)
    ax.set(title=f"step {step}", xlabel="weight", ylabel="error")
    ax.legend(loc="upper center")
    return ax


def animate_descent(costs: Mapping[str, Callable], paths: Mapping[str, np.ndarray], alt: str) -> str:
    """`draw_descent` step by step, as HTML with a button and a slider; it needs no kernel and no connection.

    `alt` is the alternative text, as for `show`. Display it with `IPython.display.HTML`, and a still beside it.

    Raises:
        ValueError: as `draw_descent` and `show`.
    """
    import matplotlib.pyplot as plt

    check_alt(alt)
    frames = []
    for step in range(max(map(len, _paths(costs, paths).values()))):
        figure = figure_of(draw_descent(costs, paths, step))
        frames.append("data:image/png;base64," + base64.b64encode(png(figure, DPI)).decode("ascii"))
        plt.close(figure)
    texts = {"first": frames[0], "frames": json.dumps(frames), "alt": alt, "last": str(len(frames) - 1)}
    return PLAYER.format(**{name: html.escape(text) for name, text in texts.items()})


def _errors(name: str, cost: Callable, weights: np.ndarray) -> np.ndarray:
    """The cost of each weight; a function that takes no array, such as `math.sin`, is asked weight by weight."""
    try:
        errors = np.asarray(cost(weights), dtype=float)
    except (TypeError, ValueError):
        errors = np.empty(0)
    if errors.shape == weights.shape:
        return errors
    try:
        return np.array([float(cost(weight)) for weight in weights])
    except (TypeError, ValueError, IndexError) as error:
        raise ValueError(
            f"the cost {name!r} must be a function of an array of weights that returns as many errors, "
            f"or of one weight that returns one; it says: {error}"
        ) from error


def _paths(costs: Mapping[str, Callable], paths: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The paths as arrays, each of a cost of that name."""
    if not isinstance(costs, Mapping) or not isinstance(paths, Mapping) or not costs or set(costs) != set(paths):
        raise ValueError(
            "costs and paths must be dicts of the same names, name → function and name → weights, "
            f"not {described(costs)} and {described(paths)}"
        )
    found = {name: finite_array(f"the weights of path {name!r}", path) for name, path in paths.items()}
    for name, path in found.items():
        if path.ndim != 1 or not len(path) or not callable(costs[name]):
            raise ValueError(f"{name!r} needs a function of an array and a path of weights (steps,), not {path.shape}")
    return found

"""Gradient descent along cost curves of one weight, step by step."""

import itertools
from collections.abc import Callable, Mapping

import numpy as np

from course_lib import common
from course_lib.array_checks import finite_array
from course_lib.model_checks import described
from course_lib.visualization.display import check_caption, figure_of, png
from course_lib.visualization.frames import DPI, Slider, moving_figure
from course_lib.visualization.style import PALETTE, given_or_new, style


@style()
def plot_descent(costs: Mapping[str, Callable], paths: Mapping[str, np.ndarray], step: int, *, ax=None):
    """Cost curves of one weight, and how far gradient descent has come on each after `step` steps.

    Args:
        costs: name → function of an array of weights, or of one weight.
        paths: name → the weights that descent went through, the first included.
        step: the last step to draw.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: costs and paths with different names, a cost that is no function or does not return a number per
            weight, a path that is none, or a step that no path has.
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


def animate_descent(costs: Mapping[str, Callable], paths: Mapping[str, np.ndarray], caption: str) -> str:
    """`plot_descent` step by step, as HTML with a button and a slider; it needs no kernel and no connection.

    Args:
        costs: name → function of an array of weights, or of one weight.
        paths: name → the weights that descent went through, the first included.
        caption: the finding, in one sentence; it is written below the figure and is its alternative text.

    Returns:
        HTML to display with `IPython.display.HTML`. Without scripts it shows the first step.

    Raises:
        ValueError: as `plot_descent` and `show`.
    """
    import matplotlib.pyplot as plt

    check_caption(caption)
    pictures = []
    for step in range(max(map(len, _paths(costs, paths).values()))):
        figure = figure_of(plot_descent(costs, paths, step))
        pictures.append(png(figure, DPI))
        plt.close(figure)
    places = range(len(pictures))
    slider = Slider("step", [str(place) for place in places], list(places))
    return moving_figure(pictures, [slider], [caption], play=True)


def _errors(name: str, cost: Callable, weights: np.ndarray) -> np.ndarray:
    """The cost of each weight; a function of single numbers, such as `math.sin`, is called weight by weight."""
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
    """The paths as arrays, checked against the costs."""
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

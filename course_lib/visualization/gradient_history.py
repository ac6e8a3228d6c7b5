"""The record of a `GradientWatch` as heat maps over time, and the number of dead units."""

from collections.abc import Mapping

import numpy as np

from course_lib import common
from course_lib.array_checks import finite_array
from course_lib.model_checks import described
from course_lib.visualization.checks import images_for
from course_lib.visualization.gradients import BINS, EXPONENTS, LABELS, activations_of, functions_of
from course_lib.visualization.inside import outputs_of
from course_lib.visualization.style import FAINT, given_or_new, style


@style()
def plot_gradient_history(record: Mapping, value: str = "norm", *, layer: str | None = None, limits=None, ax=None):
    """A heat map layer × training step of one value of `GradientWatch.record`; zeros are gray.

    The interval between two measurements is written below, and the time that they took where it decided about it.

    Args:
        record: `watch.record` of a `GradientWatch`.
        value: "norm", "mean", "update", "activation_std" or "flat", see `GradientWatch.record`.
        layer: a layer whose distribution of |gradient| is drawn instead.
        limits: (smallest, largest) of the color scale, the same for networks that are compared.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no such layer or value, several layers of that name, no record, or impossible limits.
    """
    if not isinstance(record, Mapping) or not {"step", "interval", "histogram"} <= set(record):
        raise ValueError(f"record must be that of a GradientWatch, watch.record, not {described(record)}")
    if not isinstance(value, str) or value not in LABELS:
        raise common.unknown("value", value, LABELS)
    names = record["activations" if value in ("activation_std", "flat") else "layers"]
    if not names:
        raise ValueError(f"no {value!r} was recorded: no layer of the network ends with ReLU, sigmoid or tanh")
    scale = _color_scale(limits, logarithmic=value != "flat" and layer is None)
    ax = given_or_new(ax)
    if layer is None:
        edges = np.arange(len(names) + 1) - 0.5
        colors = record[value].T
        label = LABELS[value]
        apart = 1 + len(names) // 25
        ax.set_yticks(range(0, len(names), apart), names[::apart])
    else:
        layer = getattr(layer, "name", layer)
        if layer not in record["layers"]:
            raise common.unknown("layer", layer, record["layers"])
        if record["layers"].count(layer) > 1:
            raise ValueError(f"{record['layers'].count(layer)} layers of the network are named {layer!r}")
        counts = record["histogram"][:, record["layers"].index(layer)]
        edges = np.logspace(*EXPONENTS, BINS + 1)
        colors = counts.T / counts[0].sum()
        label = "share of the weights"
        ax.set(yscale="log", ylabel="|gradient| (zero: lowest row)", title=layer)
    steps = np.append(
        record["step"], record["step"][-1] + record["interval"]
    )  # each cell lasts to the next measurement
    cells = ax.pcolormesh(steps, edges, np.ma.masked_equal(colors, 0), **scale)
    ax.set_facecolor(FAINT)
    every = f"about every {record['interval']:g} steps, {record['cost']:.1%} of the time"
    if record.get("every"):
        every = f"every {record['every']:g} steps"
    ax.set_xlabel(f"training step\n(measured {every})")
    # above, so that the axis is as wide as one below that shows the same steps
    ax.get_figure().colorbar(cells, ax=ax, label=label, location="top", aspect=50, fraction=0.08)
    return ax


def _color_scale(limits, logarithmic: bool) -> dict:
    """The options of `pcolormesh` for the color scale: its ends, and whether it is logarithmic."""
    scale = {"norm": "log" if logarithmic else None}
    if limits is None:
        return scale
    ends = finite_array("limits", limits)
    if ends.shape != (2,) or not ends[0] < ends[1] or (logarithmic and ends[0] <= 0):
        raise ValueError(f"limits must be (smaller, larger), above 0 on a logarithmic scale, not {limits!r}")
    return scale | {"vmin": ends[0], "vmax": ends[1]}


def count_units(model, images: np.ndarray, *, batch_size: int = 256) -> dict:
    """The number of dead and silent units per layer, over all of `images`.

    A unit is flat where its derivative is 0 (ReLU) or below 5 % of its largest value (sigmoid, tanh). A feature map of
    a convolution is one unit: it counts as flat if it is flat everywhere. Only a unit that is flat on the whole
    training set is dead; the others can learn.

    Returns:
        A dict of "layers", the names of the layers that end with ReLU, sigmoid or tanh, and arrays `(layers,)`:

        - "units": the number of units;
        - "dead": the number of units that are flat on every image;
        - "silent": the number of further units that are flat on an image, as a mean over the images;
        - "flat": the share of all outputs that are flat: how saturated a layer is.

    Raises:
        ValueError: images that do not fit, a subclassed model, one that was never built, or one without such layers.
    """
    common.at_least(1, batch_size=batch_size)
    images = images_for(model, images)
    functions = functions_of(model)
    silent = {}
    flat = {}
    if not functions:
        raise ValueError(f"no layer of {model.name!r} ends with ReLU, sigmoid or tanh")
    for start in range(0, len(images), batch_size):
        with outputs_of(functions) as outputs:
            model(images[start : start + batch_size], training=False)
        activations = activations_of(outputs, functions)
        for number, (_, _, found) in enumerate(activations):
            found = np.reshape(found, (len(found), -1, found.shape[-1]))  # (batch, positions, units)
            silent[number] = silent.get(number, 0) + found.all(axis=1).sum(axis=0)
            flat[number] = flat.get(number, 0) + found.mean(axis=(1, 2)).sum()
    count = len(images)
    return {
        "layers": [name for name, _, _ in activations],
        "units": np.array([len(times) for times in silent.values()]),
        "dead": np.array([(times == count).sum() for times in silent.values()]),
        "silent": np.array([times[times < count].sum() / count for times in silent.values()]),
        "flat": np.array(list(flat.values())) / count,
    }

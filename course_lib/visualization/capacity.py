"""Parameters, multiply-adds, memory and errors of networks, drawn from tables."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from course_lib import common
from course_lib.model_checks import described
from course_lib.visualization.style import INK, MUTED, PALETTE, given_or_new, style

Rows = Sequence[Mapping[str, object]]  # or a pandas DataFrame
NAMES = {  # of networks, as their papers write them
    "alexnet": "AlexNet",
    "zfnet": "ZFNet",
    "googlenet": "GoogLeNet",
    "vgg19": "VGG-19",
    "resnet152": "ResNet-152",
}


@style()
def plot_capacity(rows: Rows, *, ax=None):
    """Shares of the parameters (left) and of the multiply-adds (right) per layer.

    Layers without multiply-adds get no bar; their parameters count in the total. After A. Krizhevsky: One Weird Trick
    for Parallelizing Convolutional Neural Networks, 2014, arXiv:1404.5997, section 2.

    Args:
        rows: the rows of `models.summary.layer_table(model)`.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: rows without the necessary columns.
    """
    rows = _rows(rows, "layer", "parameters", "multiply_adds")
    bars = [row for row in rows if row["multiply_adds"]]
    if not bars:
        raise ValueError("no row has multiply-adds: there is no layer to draw")
    ax = given_or_new(ax, 8.0, 1.0 + 0.3 * len(bars))
    for column, sign, side, color in (
        ("parameters", -1, "left", PALETTE[1]),
        ("multiply_adds", 1, "right", PALETTE[0]),
    ):
        total = _numbers(rows, column).sum()
        shares = _numbers(bars, column) / total
        drawn = ax.barh([row["layer"] for row in bars], sign * shares, color=color, height=0.75)
        ax.bar_label(drawn, [f"{share:.1%}" for share in shares], padding=3, fontsize=10)
        ax.set_title(f"{total:,.0f} {column.replace('_', '-')}", loc=side, color=color)
    ax.axvline(0, color=INK, linewidth=1)
    ax.margins(x=0.12)
    ax.set(ylim=(len(bars) - 0.4, -0.6), xticks=[])
    ax.spines["bottom"].set_visible(False)
    return ax


@style()
def plot_memory(rows: Rows, batch_size: int = 128, *, most_images: int | None = None, ax=None):
    """Memory of training with momentum in float32 per layer, in GiB: weights, gradients, momentum, activations.

    Args:
        rows: the rows of `models.summary.layer_table(model)`.
        batch_size: the number of images whose activations are kept.
        most_images: the batch size that the axis has room for, so that figures can be compared; by default this one.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: rows without the necessary columns, or a batch size below 1.
    """
    common.at_least(1, batch_size=batch_size, most_images=batch_size if most_images is None else most_images)
    rows = _rows(rows, "layer", "parameters", "trainable_parameters", "activation_bytes")
    rows = [row for row in rows if row["parameters"] or row["activation_bytes"]]
    trained = 4 * _numbers(rows, "trainable_parameters")
    start = np.zeros(len(rows))
    parts = {"weights": 4 * _numbers(rows, "parameters"), "gradients": trained, "momentum": trained}
    parts[f"activations of {batch_size} images"] = batch_size * _numbers(rows, "activation_bytes")
    ax = given_or_new(ax, 8.0, 1.2 + 0.28 * len(rows))
    for (part, size), color in zip(parts.items(), (PALETTE[1], PALETTE[3], PALETTE[4], PALETTE[0]), strict=True):
        size = size / 2**30
        label = f"{part}: {size.sum():.2f} GiB"
        ax.barh([row["layer"] for row in rows], size, left=start, color=color, height=0.75, label=label)
        start = start + size
    ax.set(ylim=(len(rows) - 0.4, -0.6), xlabel=f"GiB ({start.sum():.2f} in all)")
    if most_images is not None:
        fixed = 4 * _numbers(rows, "parameters") + 2 * trained
        ax.set_xlim(0, 1.05 * (fixed + most_images * _numbers(rows, "activation_bytes")).max() / 2**30)
    ax.grid(True, axis="x")
    ax.legend()
    return ax


@style()
def plot_cost(rows: Rows, error: str = "top5_error", *, ax=None):
    """Error against multiply-adds: one bubble per network, its area in proportion to the number of parameters.

    After A. Canziani, A. Paszke, E. Culurciello: An Analysis of Deep Neural Network Models, 2016, arXiv:1605.07678,
    figure 2.

    Args:
        rows: the rows of `models.summary.compare(names)`; those without an error are left out.
        error: the column with the error in percent.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: rows without the necessary columns, or none with an error.
    """
    rows = _rows(rows, error, "network", "multiply_adds", "trainable_parameters")
    rows = [row for row in rows if row[error] is not None]
    if not rows:
        raise ValueError(f"no row has a {error!r}: there is no network to draw")
    x, y, sizes = (_numbers(rows, column) for column in ("multiply_adds", error, "trainable_parameters"))
    x = x / 1e9
    ax = given_or_new(ax, 8.0, 5.0)
    areas = 2500 * sizes / sizes.max()
    ax.scatter(x, y, areas, color=PALETTE[0], alpha=0.45, edgecolor=PALETTE[0])
    ax.set_xscale("log", subs=())
    ax.xaxis.get_major_locator().set_params(subs=(1, 2, 5))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set(xlabel="billion multiply-adds for one image", ylabel=f"{error.replace('top', 'top-').replace('_', ' ')} (%)")
    ax.margins(0.15)
    ax.grid(True)
    names = [f"{row['network']}, {size / 1e6:.3g} M" for row, size in zip(rows, sizes, strict=True)]
    _place(names, np.column_stack([x, y]), np.sqrt(areas / np.pi), ax)
    return ax


@style()
def plot_winners(rows: Rows, network: str | None = None, *, ax=None):
    """Top-5 error of the ImageNet challenge (ILSVRC) by year, and that of one trained human as a line.

    Filled bars are ensembles of networks; empty ones are no such ensemble (one network, or none), or not stated to be
    one. Entries with extra training data are left out.

    Args:
        rows: the rows of `common.published("imagenet_winners")`, and further ones with the same columns.
        network: the network to highlight.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: a network that is not among the rows, or rows without the necessary columns.
    """
    rows = _rows(rows, "top5_error", "kind", "extra_data", "year", "network", "team", "entered_as")
    errors = _numbers(rows, "top5_error")
    human = errors[[row["kind"] == "human" for row in rows]]
    rows = [row for row in rows if row["extra_data"] == "no"]
    rows.sort(key=lambda row: (int(row["year"]), float(row["top5_error"])))
    known = {row["network"] for row in rows if row["network"]}
    if network is not None and not (isinstance(network, str) and network in known):
        raise common.unknown("network of the challenge", network, known)
    ax = given_or_new(ax, 8.0, 1.0 + 0.36 * len(rows))
    behind = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # behind a number, so that no line crosses it
    for place, row in enumerate(rows):
        color, weight = (PALETTE[1], "bold") if row["network"] and row["network"] == network else (MUTED, "normal")
        look = {"color": color, "edgecolor": color, "fill": row["entered_as"] == "ensemble"}
        bar = ax.barh(place, float(row["top5_error"]), height=0.72, **look)
        ax.bar_label(bar, [f"{row['top5_error']} %"], padding=4, weight=weight, bbox=behind)
    for error in human:
        ax.axvline(error, color=PALETTE[0], linestyle="--", zorder=0, label=f"a trained human: {error} %")
    ax.set_yticks(range(len(rows)), [_entry(row) for row in rows])
    ax.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0, 1.12 * errors.max()), xlabel="top-5 error (%)")
    from matplotlib.patches import Patch

    looks = {"ensemble of networks": {"color": MUTED}, "other, or not stated": {"color": MUTED, "fill": False}}
    if network is not None:
        looks[f"with {NAMES.get(network, network)}"] = {"color": PALETTE[1]}
    boxes = [Patch(label=name, **look) for name, look in looks.items()]
    ax.legend(handles=[*ax.get_legend_handles_labels()[0], *boxes], loc="lower right")
    return ax


def _entry(row: Mapping[str, object]) -> str:
    """What a bar of `plot_winners` is called; an ensemble after its team, since it may mix several networks."""
    network = NAMES.get(row["network"], str(row["network"] or ""))
    if row["entered_as"] != "ensemble":
        return " ".join(filter(None, [str(row["year"]), network or row["team"], row["entered_as"]]))
    of = f" with {network}" if network else ""
    return f"{row['year']} {row['team']}, ensemble{of}"


def _rows(rows: Rows, *columns: str) -> list[Mapping[str, object]]:
    """The rows as a list of dicts, checked for these columns; NaN in a DataFrame becomes None."""
    if hasattr(rows, "to_dict") and hasattr(rows, "columns"):
        rows = [_without_nan(row) for row in rows.to_dict("records")]
    listed = [] if isinstance(rows, Mapping) or not isinstance(rows, Iterable) else list(rows)
    if not listed or not all(isinstance(row, Mapping) for row in listed):
        raise ValueError(
            "rows must be a list of dicts, for a network those of models.summary.layer_table(model), "
            f"not {described(rows)}"
        )
    for column in columns:
        if not isinstance(column, str) or any(column not in row for row in listed):
            raise ValueError(
                f"this needs rows with the column {column!r}, as models.summary and common.published give them"
            )
    return listed


def _without_nan(row: dict) -> dict:
    return {name: None if value != value else value for name, value in row.items()}  # NaN does not equal itself


def _numbers(rows: Rows, column: str) -> np.ndarray:
    try:
        return np.array([float(row[column]) for row in rows])
    except (TypeError, ValueError):
        raise ValueError(f"{column!r} must be a number in each row") from None


def _place(names: Sequence[str], points: np.ndarray, radii: np.ndarray, ax) -> None:
    """Writes each name near its bubble, above or below it, where it covers no bubble and no other name."""
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

    figure = ax.get_figure(root=True)
    figure.draw_without_rendering()  # the layout now gives the Axes their size
    unit = 72 / figure.dpi  # points per pixel: sizes in points hold at any resolution
    centers = unit * ax.transData.transform(points)
    frame = Bbox(unit * ax.bbox.get_points())
    taken = [Bbox([center - radius, center + radius]) for center, radius in zip(centers, radii, strict=True)]
    for name, point, center, radius in zip(names, points, centers, radii, strict=True):
        line = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.8, "shrinkA": 0, "shrinkB": radius}
        where = {"textcoords": "offset points", "ha": "center", "va": "center"}
        text = ax.annotate(name, point, (0, 0), fontsize=10, arrowprops=line, **where)
        half = unit * Text.get_window_extent(text).size / 2 + 2  # half the size of the text, without its line
        for height in (sign * distance for distance in range(8, 200, 4) for sign in (1, -1)):  # above, below, higher …
            middle = center + np.array([0, height])
            box = Bbox([middle - half, middle + half])
            if frame.y0 < box.y0 and box.y1 < frame.y1 and not box.count_overlaps(taken):
                break
        text.set_position((0, height))
        taken.append(box)

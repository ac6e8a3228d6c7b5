"""What networks cost and reach, from rows of `models.summary` and of `data/published/imagenet_winners.csv`."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from course_lib import common
from course_lib.model_checks import described
from course_lib.visualization.style import INK, MUTED, PALETTE, given_or_new, style

Rows = Sequence[Mapping[str, object]]  # a pandas DataFrame of them will do


@style()
def capacity(rows: Rows, *, ax=None):
    """Where a network keeps its parameters (left) and does its multiply-adds (right): shares by layer.

    `rows` are those of `models.summary.layer_table`. Layers without multiply-adds have no bar of their own, but
    their parameters count in the whole. After A. Krizhevsky, arXiv:1404.5997, section 2.

    Raises:
        ValueError: rows without the columns that it needs.
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
def memory(rows: Rows, batch_size: int = 128, *, ax=None):
    """What training with momentum holds in float32, by layer, in MiB: weights, gradients, momentum, activations.

    `rows` are those of `models.summary.layer_table`, `batch_size` the images whose activations are kept.

    Raises:
        ValueError: rows without the columns that it needs, or a batch size below 1.
    """
    common.at_least(1, batch_size=batch_size)
    rows = _rows(rows, "layer", "parameters", "trainable_parameters", "activation_bytes")
    rows = [row for row in rows if row["parameters"] or row["activation_bytes"]]
    trained, start = 4 * _numbers(rows, "trainable_parameters"), np.zeros(len(rows))
    parts = {"weights": 4 * _numbers(rows, "parameters"), "gradients": trained, "momentum": trained}
    parts[f"activations of {batch_size} images"] = batch_size * _numbers(rows, "activation_bytes")
    ax = given_or_new(ax, 8.0, 1.2 + 0.28 * len(rows))
    for (part, size), color in zip(parts.items(), (PALETTE[1], PALETTE[3], PALETTE[4], PALETTE[0]), strict=True):
        size = size / 2**20
        label = f"{part}: {size.sum():,.0f} MiB"
        ax.barh([row["layer"] for row in rows], size, left=start, color=color, height=0.75, label=label)
        start = start + size
    ax.set(ylim=(len(rows) - 0.4, -0.6), xlabel=f"MiB ({start.sum():,.0f} in all)")
    ax.grid(True, axis="x")
    ax.legend()
    return ax


@style()
def cost(rows: Rows, error: str = "top5_error", *, ax=None):
    """Error against multiply-adds, a bubble a network, its area in proportion to its parameters, which it names.

    After A. Canziani, A. Paszke, E. Culurciello, 2016, arXiv:1605.07678, figure 2. `rows` are those of
    `models.summary.compare`; those whose `error`, in percent, is None are left out.

    Raises:
        ValueError: rows without the columns that it needs, or none with an error.
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
def winners(rows: Rows, network: str | None = None, *, ax=None):
    """ILSVRC's top-5 error by year, the bars of `network` lit, and the line of the one trained human.

    `rows` are those of `common.published("imagenet_winners")`, and any more with the same columns, such as a
    single network's error. Bars are filled where an ensemble was entered, and empty else; each says how it was
    entered. Entries with extra data are left out.

    Raises:
        ValueError: a network that is not among the rows, or rows without the columns that it needs.
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
    behind = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # of a number, so that no line crosses it
    for place, row in enumerate(rows):
        color, weight = (PALETTE[1], "bold") if row["network"] and row["network"] == network else (MUTED, "normal")
        look = {"color": color, "edgecolor": color, "fill": row["entered_as"] == "ensemble"}
        bar = ax.barh(place, float(row["top5_error"]), height=0.72, **look)
        ax.bar_label(bar, [f"{row['top5_error']} %"], padding=4, weight=weight, bbox=behind)
    for error in human:
        ax.axvline(error, color=PALETTE[0], linestyle="--", zorder=0, label=f"a trained human: {error} %")
    names = [
        " ".join(filter(None, [str(row["year"]), row["network"] or row["team"], row["entered_as"]])) for row in rows
    ]
    ax.set_yticks(range(len(rows)), names)
    ax.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0, 1.12 * errors.max()), xlabel="top-5 error (%)")
    ax.legend(loc="lower right")
    return ax


def _rows(rows: Rows, *columns: str) -> list[Mapping[str, object]]:
    """The rows as a list of dicts, once it is clear that they have these columns; NaN of a DataFrame becomes None."""
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
            raise ValueError(f"this needs rows with {column!r}, as models.summary and common.published give them")
    return listed


def _without_nan(row: dict) -> dict:
    return {name: None if value != value else value for name, value in row.items()}  # NaN does not equal itself


def _numbers(rows: Rows, column: str) -> np.ndarray:
    try:
        return np.array([float(row[column]) for row in rows])
    except (TypeError, ValueError):
        raise ValueError(f"{column!r} must be a number in each row") from None


def _place(names: Sequence[str], points: np.ndarray, radii: np.ndarray, ax) -> None:
    """Each name above or below its bubble, as near as it covers no bubble and no other name, with a line to it."""
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

    figure = ax.get_figure(root=True)
    figure.draw_without_rendering()  # now the layout gives the Axes its size
    unit = 72 / figure.dpi  # of a pixel, in points: what is drawn keeps its size in points at any resolution
    centers, frame = unit * ax.transData.transform(points), Bbox(unit * ax.bbox.get_points())
    taken = [Bbox([center - radius, center + radius]) for center, radius in zip(centers, radii, strict=True)]
    for name, point, center, radius in zip(names, points, centers, radii, strict=True):
        line = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.8, "shrinkA": 0, "shrinkB": radius}
        where = {"textcoords": "offset points", "ha": "center", "va": "center"}
        text = ax.annotate(name, point, (0, 0), fontsize=10, arrowprops=line, **where)
        half = unit * Text.get_window_extent(text).size / 2 + 2  # of the text, without its line
        for height in (sign * distance for distance in range(8, 200, 4) for sign in (1, -1)):  # above, below, higher …
            middle = center + np.array([0, height])
            box = Bbox([middle - half, middle + half])
            if frame.y0 < box.y0 and box.y1 < frame.y1 and not box.count_overlaps(taken):
                break
        text.set_position((0, height))
        taken.append(box)

"""Networks side by side, each as a row of boxes: what a layer does, and the shape of what it hands on."""

from collections.abc import Mapping

from course_lib.model_checks import described
from course_lib.visualization.architecture import COLORS
from course_lib.visualization.architecture_stages import Stage, stages
from course_lib.visualization.style import INK, MUTED, given_or_new, style

BOX = 0.86  # width and height of a box; the next one begins 1 further
ROW = 1.35  # from one network to the next


@style()
def plot_networks(networks: Mapping[str, object], *, ax=None):
    """Each network as a row of boxes, one per layer that computes or changes the shape, from the input to the output.

    Above the row stand the network's name and its number of parameters; in a box what the layer does, and the shape
    of its output.

    Args:
        networks: name → built Keras model, as `plot_architecture` takes it.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no networks, or one that `plot_architecture` does not draw either.

    Example:
        >>> ax = visualization.plot_networks({"LeNet-5": models.build("lenet5")})
    """
    if not isinstance(networks, Mapping) or not networks:
        raise ValueError(f"networks must be a dict name → model, not {described(networks)}")
    rows = {name: stages(model) for name, model in networks.items()}
    longest = max(map(len, rows.values()))
    ax = given_or_new(ax, 0.95 * longest, 1.25 * len(rows))
    for place, (name, row) in enumerate(rows.items()):
        y = -ROW * place
        title = f"{name}: {networks[name].count_params():,} parameters"
        ax.text(0, y + 0.1, title, va="bottom", weight="bold", fontsize=11)
        for x, stage in enumerate(row):
            _box(ax, x, y, stage)
    ax.set(xlim=(-0.02, longest), ylim=(-ROW * (len(rows) - 1) - BOX - 0.05, 0.45))
    ax.set_axis_off()
    return ax


def _box(ax, x: float, y: float, stage: Stage) -> None:
    """A box whose upper left corner is (x, y), and the arrow that leads to it."""
    rectangle(ax, x, x + BOX, y - BOX, y, COLORS[stage.kind])
    size = "" if stage.window is None else "{}×{}".format(*stage.window)
    shape = "×".join(map(str, stage.shape))
    text = "\n".join(filter(None, (stage.operation.replace(" ", "\n"), size, shape)))
    ax.text(x + BOX / 2, y - BOX / 2, text, ha="center", va="center", fontsize=10)
    if x:
        arrow(ax, x - 1 + BOX, x, y - BOX / 2)


def rectangle(ax, left: float, right: float, bottom: float, top: float, color: str, **look) -> None:
    """A filled box with a dark border."""
    ax.fill([left, right, right, left], [bottom, bottom, top, top], facecolor=color, edgecolor=INK, **look)


def arrow(ax, start: float, end: float, height: float) -> None:
    """A level arrow from one box to the next."""
    look = {"arrowstyle": "->", "color": MUTED, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (end, height), (start, height), arrowprops=look)

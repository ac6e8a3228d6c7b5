"""Frozen layers and a new last layer: what goes in, what comes out, and how little is trained."""

from course_lib.model_checks import check_model
from course_lib.visualization.architecture import COLORS
from course_lib.visualization.network_rows import arrow, rectangle
from course_lib.visualization.style import given_or_new, style

WIDTH = 2.0  # of a box
HEIGHT = 1.15
STEP = 2.5  # from one box to the next
THIN = {"linewidth": 0.8}  # of borders
BAR = -1.0  # where the bar of all parameters stands


@style()
def plot_frozen(frozen, last, *, ax=None):
    """Image, frozen layers, features, new layer and logits as a row of boxes; below them all parameters as one bar.

    The part of the bar that is trained is drawn to scale.

    Args:
        frozen: built Keras model from images to features `(batch, features)`.
        last: built Keras model from features to logits.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no built Keras models, or a last layer that takes other features.

    Example:
        >>> ax = visualization.plot_frozen(features, training.last_layer(known, labels))
    """
    for model in (frozen, last):
        check_model(model)
    if tuple(frozen.output_shape[1:]) != tuple(last.input_shape[1:]):
        raise ValueError(
            f"the frozen layers return features of the shape {frozen.output_shape[1:]}, the last layer takes "
            f"{last.input_shape[1:]}: fit it to what these frozen layers return"
        )
    kept = frozen.count_params()
    trained = last.count_params()
    boxes = [
        ("photo", "×".join(map(str, frozen.input_shape[1:])) + "\nnumbers", COLORS["input"]),
        ("frozen layers", f"{kept:,}\nparameters", COLORS["convolution"]),
        ("features", f"{frozen.output_shape[-1]:,}\nnumbers", COLORS["input"]),
        ("new last layer", f"{trained:,}\nparameters", COLORS["pooling"]),
        ("logits", f"{last.output_shape[-1]}\nnumbers", COLORS["input"]),
    ]
    ax = given_or_new(ax, 9.5, 2.3)
    for place, (name, size, color) in enumerate(boxes):
        x = STEP * place
        rectangle(ax, x, x + WIDTH, 0, HEIGHT, color, **THIN)
        ax.text(x + WIDTH / 2, 0.78 * HEIGHT, name, ha="center", va="center", weight="bold", fontsize=11)
        ax.text(x + WIDTH / 2, 0.36 * HEIGHT, size, ha="center", va="center", fontsize=10)
        if place:
            arrow(ax, x - STEP + WIDTH, x, HEIGHT / 2)
    right = STEP * (len(boxes) - 1) + WIDTH
    cut = right * kept / (kept + trained)
    rectangle(ax, 0, cut, BAR, BAR + 0.35, COLORS["convolution"], **THIN)
    rectangle(ax, cut, right, BAR, BAR + 0.35, COLORS["pooling"], **THIN)
    share = trained / (kept + trained)
    ax.text(0, BAR + 0.42, "all parameters: frozen", va="bottom", fontsize=10)
    ax.text(right, BAR + 0.42, f"trained: {share:.2%}", ha="right", va="bottom", fontsize=10)
    ax.set(xlim=(-0.05, right + 0.05), ylim=(BAR - 0.05, HEIGHT + 0.05))
    ax.set_axis_off()
    return ax

"""The error surface: the loss over a two-dimensional slice through trained weights (Li et al. 2018)."""

import dataclasses
import functools
import inspect
import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from course_lib import common
from course_lib.array_checks import array_of, finite_array
from course_lib.label_checks import class_numbers
from course_lib.model_checks import described
from course_lib.visualization.checks import check_logits, images_for
from course_lib.visualization.gradients import check_cross_entropy
from course_lib.visualization.inside import logits_of, weights_of
from course_lib.visualization.style import INK, check_axes, new_axes, style

LOSSES = ("sparse_categorical_crossentropy", "mean_squared_error")


@dataclasses.dataclass(frozen=True)
class ErrorSurface:
    """`losses[i, j]` at the weights plus `alphas[i]` of the first direction plus `betas[j]` of the second."""

    alphas: np.ndarray  # (points,)
    betas: np.ndarray  # (points,)
    losses: np.ndarray  # (points, points)

    @property
    def center(self) -> float:
        """The loss at the trained weights."""
        return float(self.losses[len(self.alphas) // 2, len(self.betas) // 2])


def error_surface(
    model,
    images: np.ndarray,
    labels: Sequence[int],
    *,
    loss: str | Callable = "sparse_categorical_crossentropy",
    directions: tuple[Sequence[np.ndarray], Sequence[np.ndarray]] | None = None,
    span: float = 1.0,
    points: int = 21,
    seed: int = 0,
) -> ErrorSurface:
    """The mean loss on a grid of weights around those of the model, along two directions; the model is not changed.

    Args:
        model: a network that returns logits, or ends with softmax or sigmoid.
        images: a batch, scaled as the network takes it; a few hundred images are enough.
        labels: `(n,)` whole numbers; any numbers for a loss function of your own.
        loss: "sparse_categorical_crossentropy" of the logits, "mean_squared_error" between softmax and one-hot labels,
            or a function (labels, logits) → loss or one loss per image, written in `keras.ops`.
        directions: two lists of arrays shaped like `model.trainable_variables`. By default two random ones, scaled
            filter by filter to the norm of the weights and zero for biases and normalization (Li et al. 2018, section
            4), so that a step of 1 moves each filter by its own length.
        span: the largest step in both directions.
        points: grid points per direction, an odd number.
        seed: of the random directions.

    Raises:
        ValueError: an even number of points, an unknown loss, images, labels or directions that do not fit, a network
            without trainable weights or with several outputs, or, for the named losses, with a single one.
    """
    batch = images_for(model, images)
    loss_function = _loss_function(loss)
    labels = _checked_labels(model, batch, labels, loss)
    span = common.number("span", span, low=1e-6)
    common.at_least(0, seed=seed)
    common.at_least(3, points=points)
    if points % 2 == 0:
        raise ValueError(f"points must be odd, so that the trained weights are in the middle, not {points}")
    import keras

    weights = [weights_of(variable) for variable in model.trainable_variables]
    if not weights:
        raise ValueError(f"no weight of {model.name!r} is trainable, so that there is no direction to move along")
    if directions is None:
        random = np.random.default_rng(seed)
        directions = [filter_normalized(weights, random) for _ in range(2)]
    _check_directions(directions, weights)
    evaluate = _compiled(_loss_along(model, weights, directions, batch, labels, loss_function))
    steps = np.linspace(-span, span, points, dtype=np.float32)
    steps[points // 2] = 0.0
    tensors = [keras.ops.convert_to_tensor(step) for step in steps]  # a plain number would be compiled anew
    losses = [[float(evaluate(alpha, beta)) for beta in tensors] for alpha in tensors]
    return ErrorSurface(steps, steps, np.array(losses))


def filter_normalized(weights: Sequence[np.ndarray], random: np.random.Generator) -> list[np.ndarray]:
    """A random direction in which each filter (last axis) has the norm of the model's filter; zero for biases."""
    direction = []
    for part in weights:
        step = random.standard_normal(part.shape).astype(part.dtype)
        axes = tuple(range(part.ndim - 1))
        if not axes:  # a bias, or the scale and shift of a normalization
            direction.append(np.zeros_like(part))
            continue
        lengths = [np.sqrt((array**2).sum(axis=axes, keepdims=True)) for array in (part, step)]
        direction.append(step * lengths[0] / lengths[1])
    return direction


def _checked_labels(model, batch: np.ndarray, labels, loss) -> np.ndarray:
    """One label per image: a class for the named losses, any number for a loss function."""
    if callable(loss):
        found = array_of("labels", labels)
        if found.shape != (len(batch),):
            raise ValueError(f"labels must be ({len(batch)},), one label per image, not {found.shape}")
        return found
    classes = check_logits(model, batch)
    check_cross_entropy(model)
    if model.output_shape[-1] == 1:
        raise ValueError(
            f"the loss {loss!r} needs a logit per class, and {model.name!r} has one output: give a function, such as "
            "lambda labels, logits: keras.losses.binary_crossentropy(labels[:, None], logits, from_logits=True)"
        )
    return class_numbers("labels", labels, count=len(batch), classes=classes)


def _check_directions(directions, weights: Sequence[np.ndarray]) -> None:
    if not isinstance(directions, (list, tuple)) or len(directions) != 2:
        raise ValueError(f"directions must be two directions, each a list of arrays, not {described(directions)}")
    for direction in directions:
        listed = direction if isinstance(direction, Iterable) else ()
        parts = [finite_array("the directions", part) for part in listed]
        if [part.shape for part in parts] != [part.shape for part in weights]:
            raise ValueError("each direction must be a list of arrays shaped like model.trainable_variables")


def _loss_along(model, weights, directions, batch, labels, loss) -> Callable:
    """(alpha, beta) → mean loss, as a pure function: the moved weights never enter the model itself."""
    import keras

    fixed = [keras.ops.convert_to_tensor(variable.value) for variable in model.non_trainable_variables]
    types = [variable.dtype for variable in model.trainable_variables]

    def output(moved: list):
        return model.stateless_call(moved, fixed, batch, training=False)[0]

    def evaluate(alpha, beta):
        moved = [w + alpha * a + beta * b for w, a, b in zip(weights, *directions, strict=True)]
        moved = [keras.ops.cast(each, dtype) for each, dtype in zip(moved, types, strict=True)]
        logits = logits_of(model, functools.partial(output, moved))
        losses = loss(labels, keras.ops.cast(logits, "float32"))
        shape = getattr(losses, "shape", ())
        if math.prod(shape) not in (1, len(batch)):  # (n,) − (n, 1) is (n, n)
            raise ValueError(f"the loss must be one number, or one per image ({len(batch)},), not the shape {shape}")
        return keras.ops.mean(losses)

    return evaluate


def _loss_function(loss: str | Callable) -> Callable:
    """The loss on (labels, logits)."""
    import keras

    if isinstance(loss, type):
        raise ValueError(
            f"loss must be a function (labels, logits), not the class {loss.__name__}: give {loss.__name__}(…)"
        )
    if callable(loss):
        if not _takes_logits(loss):
            raise ValueError(
                f"the loss gets logits, and {getattr(loss, '__name__', type(loss).__name__)} does not take them as it "
                f"is: give it from_logits=True, for example with functools.partial, or name one of {', '.join(LOSSES)}"
            )
        return loss
    if loss not in LOSSES:
        raise common.unknown("loss", loss, LOSSES)

    def squared_error(labels, logits):
        targets = keras.ops.one_hot(labels, logits.shape[-1])
        return keras.losses.mean_squared_error(targets, keras.ops.softmax(logits))

    cross_entropy = functools.partial(keras.losses.sparse_categorical_crossentropy, from_logits=True)
    return cross_entropy if loss == LOSSES[0] else squared_error


def _takes_logits(loss: Callable) -> bool:
    """False where a loss of Keras would take the logits for probabilities."""
    import keras

    if isinstance(loss, keras.losses.Loss):
        return bool(loss.get_config().get("from_logits"))
    option = inspect.signature(loss).parameters.get("from_logits")
    return option is None or option.default is True


def _compiled(function: Callable) -> Callable:
    """The function as one TensorFlow graph; Keras' other backends run it as it is."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow

    return tensorflow.function(function, autograph=False)


@style()
def plot_error_surface(surface: ErrorSurface, *, three_d: bool = False, limits=None, ax=None):
    """An error surface as a contour map with the trained weights marked, or as a surface in 3 dimensions.

    Args:
        surface: what `error_surface` returns.
        three_d: whether it is drawn as a surface; on 3-D Axes it always is.
        limits: (lowest, highest) of logarithmic colors, as multiples of the loss in the middle, to compare surfaces.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: not an error surface, losses that are NaN or infinite, impossible limits, 2-D Axes for a surface.
    """
    if not isinstance(surface, ErrorSurface):
        raise ValueError(f"surface must be what error_surface returns, not {described(surface)}")
    finite_array("the losses", surface.losses)
    ax = new_axes(6.4, 4.8, subplot_kw={"projection": "3d"} if three_d else None) if ax is None else ax
    check_axes(ax)
    if three_d and ax.name != "3d":
        raise ValueError("three_d needs 3-D axes: new_axes(subplot_kw={'projection': '3d'}), or ax=None")
    losses = surface.losses.T  # Matplotlib's rows go along the vertical axis
    low = float(losses.min())
    high = float(losses.max())
    if limits is not None:
        losses = losses / common.number("the loss in the middle", surface.center, 1e-9, 1e9)
        low, high = (common.number("limits", end, 1e-9, 1e9) for end in sorted(limits))
    if ax.name == "3d":
        steps = np.meshgrid(surface.alphas, surface.betas)
        ax.plot_surface(*steps, losses, cmap="viridis", rcount=60, ccount=60)
        ax.tick_params(pad=0)
        ax.set_zlabel("loss", labelpad=6)
    else:
        log = limits is not None or 0 < 20 * low < high  # otherwise the floor of the valley is one color
        levels = np.geomspace(low, high, 15) if log else 15
        heights = surface.alphas, surface.betas, losses, levels
        filled = ax.contourf(*heights, cmap="viridis", norm="log" if log else None)
        ax.contour(*heights, colors="white", linewidths=0.5, alpha=0.6)
        ax.plot(0, 0, "o", color="white", markeredgecolor=INK, markersize=9)
        dark = {"facecolor": INK, "alpha": 0.6, "linewidth": 0, "pad": 2}
        ax.annotate("trained weights", (0, 0), (9, 9), textcoords="offset points", color="white", bbox=dark)
        what = "loss" if limits is None else "loss / loss in the middle"
        scale = {"label": f"{what}; logarithmic colors", "format": "%.2g"} if log else {"label": what}
        ax.get_figure().colorbar(filled, ax=ax, **scale)
        ax.set_aspect("equal")
    ax.locator_params(nbins=5)
    ax.set(xlabel="along direction 1", ylabel="along direction 2")
    return ax

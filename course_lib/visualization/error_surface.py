"""The error surface: the loss over a two-dimensional slice through trained weights (Li et al. 2018)."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from course_lib import common
from course_lib.visualization.checks import batch_for
from course_lib.visualization.style import INK, new_axes, style

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
    """The mean loss over `images` on a grid of `points`² weights around the model's own, which stay untouched.

    `loss` is "sparse_categorical_crossentropy" (on the logits), "mean_squared_error" (between softmax and
    one-hot), or a function (labels, logits) → a loss or one an example, written in `keras.ops`. `directions`
    are two lists of arrays shaped like `model.trainable_variables`; by default two random ones, scaled
    filter by filter to the norm of the weights and zero for biases and normalization (Li et al. 2018,
    section 4), so that ±1 moves each filter by its own length. A few hundred images are enough.

    Raises:
        ValueError: an even number of points, an unknown loss, images or directions that do not fit.
    """
    batch, labels = batch_for(model, images), np.asarray(labels)
    if labels.shape != (len(batch),):
        raise ValueError(f"labels must be ({len(batch)},), one label an image, not {labels.shape}")
    common.at_least(3, points=points)
    if points % 2 == 0:
        raise ValueError(f"points must be odd, so that the trained weights are in the middle, not {points}")
    import keras

    weights = [keras.ops.convert_to_numpy(variable) for variable in model.trainable_variables]
    if directions is None:
        random = np.random.default_rng(seed)
        directions = [filter_normalized(weights, random) for _ in range(2)]
    for direction in directions:
        if [np.shape(part) for part in direction] != [part.shape for part in weights]:
            raise ValueError("each direction must be a list of arrays shaped like model.trainable_variables")
    evaluate = _compiled(_loss_along(model, weights, directions, batch, labels, _loss_function(loss)))
    steps = np.linspace(-span, span, points, dtype=np.float32)
    steps[points // 2] = 0.0
    tensors = [keras.ops.convert_to_tensor(step) for step in steps]  # a plain number would be compiled anew
    losses = [[float(evaluate(alpha, beta)) for beta in tensors] for alpha in tensors]
    return ErrorSurface(steps, steps, np.array(losses))


def filter_normalized(weights: Sequence[np.ndarray], random: np.random.Generator) -> list[np.ndarray]:
    """A random direction whose every filter (last axis) is as long as that filter's weights; biases get zero."""
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


def _loss_along(model, weights, directions, batch, labels, loss) -> Callable:
    """(alpha, beta) → mean loss, as a pure function: the moved weights never enter the model itself."""
    import keras

    fixed = [keras.ops.convert_to_tensor(variable) for variable in model.non_trainable_variables]

    def evaluate(alpha, beta):
        moved = [w + alpha * a + beta * b for w, a, b in zip(weights, *directions, strict=True)]
        logits, _ = model.stateless_call(moved, fixed, batch, training=False)
        return keras.ops.mean(loss(labels, keras.ops.cast(logits, "float32")))

    return evaluate


def _loss_function(loss: str | Callable) -> Callable:
    """The loss on (labels, logits)."""
    import keras

    if callable(loss):
        return loss
    if loss not in LOSSES:
        raise common.unknown("loss", loss, LOSSES)

    def cross_entropy(labels, logits):
        return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)

    def squared_error(labels, logits):
        answers = keras.ops.one_hot(labels, logits.shape[-1])
        return keras.losses.mean_squared_error(answers, keras.ops.softmax(logits))

    return cross_entropy if loss == LOSSES[0] else squared_error


def _compiled(function: Callable) -> Callable:
    """The function as one TensorFlow graph; Keras' other backends run it as it is."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow

    return tensorflow.function(function, autograph=False)


@style()
def draw_error_surface(surface: ErrorSurface, *, three_d: bool = False, ax=None):
    """The slice as a contour map with the trained weights marked, or `three_d` (or on 3-D axes) as a surface."""
    from matplotlib.ticker import MaxNLocator

    if ax is None:
        ax = new_axes(6.4, 4.8, subplot_kw={"projection": "3d"} if three_d else None)
    losses = surface.losses.T  # Matplotlib's rows go along the vertical axis
    low, high = float(losses.min()), float(losses.max())
    if ax.name == "3d":
        steps = np.meshgrid(surface.alphas, surface.betas)
        ax.plot_surface(*steps, losses, cmap="viridis", rcount=60, ccount=60)
        ax.tick_params(pad=0)
        ax.locator_params(nbins=5)
        ax.set_zlabel("loss", labelpad=6)
    else:
        log = low > 0 and high > 20 * low  # otherwise the floor of the valley is one color
        levels = np.geomspace(low, high, 15) if log else MaxNLocator(15).tick_values(low, high)
        heights = surface.alphas, surface.betas, losses, levels
        filled = ax.contourf(*heights, cmap="viridis", norm="log" if log else None)
        ax.contour(*heights, colors="white", linewidths=0.5, alpha=0.6)
        ax.plot(0, 0, "o", color="white", markeredgecolor=INK, markersize=9)
        dark = {"facecolor": INK, "alpha": 0.6, "linewidth": 0, "pad": 2}
        ax.annotate("trained weights", (0, 0), (9, 9), textcoords="offset points", color="white", bbox=dark)
        ax.get_figure().colorbar(filled, ax=ax, label="loss", format="%.2g" if log else None)
        ax.locator_params(nbins=5)
        ax.set_aspect("equal")
    ax.set(xlabel="along direction 1", ylabel="along direction 2")
    return ax

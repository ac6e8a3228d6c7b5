"""The judge of the paper's residual block with shortcut B in `resnet.toml`."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.judges import compare
from course_lib.exercises.judges.residual_parts import (
    BOTH,
    FLOAT32,
    MAPS,
    OFFSETS,
    SHAPE,
    Parts,
    layers_of,
    noisy,
    normalized,
    output_of,
    parts_of,
    relu,
    set_norm,
    shape_of,
    signed_maps,
)
from course_lib.exercises.judges.stacks import network_of

KNOWN = np.array([0.5, -0.5, 9.0, -0.5])  # what F(x) is made, map by map; one sum is above 6, where some ReLUs end
WIDER = 8  # maps of a block that halves the sides
CHANGES = ((WIDER, 2), (WIDER, 1), (MAPS, 2))  # filters and strides: F(x) has another shape than x


def residual_block(function: Callable) -> str | None:
    """A block with shortcut B from `(x, filters, strides)`: counts, the identity, the gradient, and projections."""
    same = network_of(function, SHAPE, MAPS, 1)
    if isinstance(same, str):
        return same
    if tuple(same.output_shape[1:]) != SHAPE:
        return (
            f"{shape_of(SHAPE)} with {MAPS} filters must stay {shape_of(SHAPE)}; yours become {output_of(same)}. Add."
        )
    if problem := noisy(same) or _wrong_counts(same):
        return problem
    parts = parts_of(same, projects=False)
    if isinstance(parts, str):
        return parts[0].upper() + parts[1:]
    problem = _wrong_sum(same, parts) or _wrong_gradient(same, parts) or _wrong_whole(same, parts, 1)
    return problem or next(filter(None, (_wrong_change(function, *change) for change in CHANGES)), None)


def _wrong_counts(model) -> str | None:
    """What is wrong with the parameters of a block that keeps the shape."""
    found = _trainable(model)
    right = 2 * 9 * MAPS**2 + 2 * 2 * MAPS
    replies = {
        right + MAPS**2 + 2 * MAPS: "You project where x has the right shape already: that is shortcut C. B leads x "
        "itself around there.",
        right
        + MAPS**2: "You project where x has the right shape already: that is shortcut C. B leads x itself around.",
        right + 2 * MAPS: "One normalization too many: the sum is not normalized, nor is x.",
    }
    if found == right:
        return None
    otherwise = "two 3×3 convolutions without biases, two normalizations, and no more"
    return replies.get(found, f"A block of {MAPS} maps has {right} trainable parameters, yours {found}: {otherwise}.")


def _wrong_sum(model, parts: Parts) -> str | None:
    """What is wrong with x + F(x), where F(x) is made known: the last scale is 0, the offsets are `KNOWN`."""
    x = signed_maps()
    set_norm(parts.last, 0, 0)
    if np.allclose(np.asarray(model(np.abs(x))), 0):
        return "With γ = 0 in the last normalization your block puts out 0, not x: the shortcut is missing."
    set_norm(parts.last, 0, KNOWN)
    plausible = {
        "The last ReLU is missing; it stands behind the addition.": x + KNOWN,
        "Your ReLU stands before the addition, so a block can only add, never take away.": x + relu(KNOWN),
        "F passes a ReLU before the addition, so a block can only add; one ReLU, behind the sum, is enough.": relu(
            x + relu(KNOWN)
        ),
        "A ReLU stands on the shortcut; it must lead x around untouched.": relu(relu(x) + KNOWN),
        "Both parts pass a ReLU before they are added; one ReLU stands behind the sum.": relu(x) + relu(KNOWN),
        "The sign is +: F(x) is added to x.": relu(x - KNOWN),
        "The sign is +: x is added to F(x).": relu(KNOWN - x),
        "Your ReLU cuts off what is above 6; the block's has no upper limit.": np.minimum(relu(x + KNOWN), 6),
        "You multiply x and F(x); they are added.": relu(x * KNOWN),
    }
    otherwise = "With F(x) known, the block does not put out ReLU(x + F(x))."
    return compare(np.asarray(model(x)), relu(x + KNOWN), plausible, otherwise, **FLOAT32)


def _wrong_gradient(model, parts: Parts) -> str | None:
    """Whether the gradient has a path around F: with F = 0, that of the outputs' sum is 1 for each x above 0."""
    import tensorflow as tf

    set_norm(parts.last, 0, 0)
    x = tf.constant(np.abs(signed_maps()) + 0.1)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(model(x))
    gradient = tape.gradient(total, x)
    if gradient is None or not np.allclose(gradient, 1, atol=1e-3):
        return "The values are right, but with F = 0 the gradient does not pass along the shortcut unchanged."
    return None


def _wrong_change(function: Callable, filters: int, strides: int) -> str | None:
    """What is wrong with a block whose F(x) has another shape than x, so that x is projected."""
    side = SHAPE[0] // strides
    change = f"With {filters} filters and strides {strides}"
    if (filters, strides) == CHANGES[0]:
        reply = (
            f"{change}, F(x) is {(side, side, filters)} and the shortcut another shape, so they cannot be added: "
            "shortcut B projects x by a 1×1 convolution that takes the same strides."
        )
    else:
        kept = {1: "the sides stay, the number of maps changes", 2: "the number of maps stays, the sides change"}
        reply = f"{change} {kept[strides]}: project there, too, with these strides."
    model = _added(function, filters, strides, reply)
    if isinstance(model, str):
        return model
    if tuple(model.output_shape[1:]) != (side, side, filters):
        return f"{change} it must put out {(side, side, filters)}; yours puts out {output_of(model)}."
    if problem := _wrong_projected_counts(model, filters):
        return problem if (filters, strides) == CHANGES[0] else reply
    parts = parts_of(model, projects=True)
    problem = parts if isinstance(parts, str) else _wrong_projected_sum(model, parts)
    problem = problem or _wrong_projection(model, parts, strides) or _wrong_whole(model, parts, strides)
    return f"{change}: {problem}" if problem else None


def _wrong_projected_counts(model, filters: int) -> str | None:
    """What is wrong with the parameters of a block that projects x."""
    found = _trainable(model)
    plain = 9 * MAPS * filters + 9 * filters**2 + 2 * 2 * filters
    right = plain + MAPS * filters + 2 * filters
    replies = {
        plain: "Your shortcut has no parameters: that is shortcut A. B projects x by a 1×1 convolution.",
        plain + MAPS * filters: "The projection is a convolution like the others: normalize behind it, too.",
        plain + MAPS * filters + filters: "Normalize behind the projection, in place of its bias.",
        right + filters: "The projection has a bias, which the normalization behind it takes away again.",
        plain + 9 * MAPS * filters + 2 * filters: "Your projection is 3×3; that of shortcut B is 1×1.",
    }
    if found == right:
        return None
    if any(tuple(norm.gamma.shape) == (MAPS,) for norm in layers_of(model, "BatchNormalization") if norm.scale):
        return "Normalize behind the projection; you do so before it."
    return replies.get(found, f"With {filters} filters a block on {MAPS} maps has {right} parameters, yours {found}.")


def _wrong_projected_sum(model, parts: Parts) -> str | None:
    """What is wrong with the sum of F(x) and the projected x, where offsets alone make both known."""
    f, x = np.array([(0.75, -0.5), (-0.5, 0.75), (0.75, -2.0), (-2.0, 0.75), (9.0, -0.5)]).T  # two sums are below 0
    sums = []
    for of_f, of_x in zip(f, x, strict=True):
        for norm in parts.norms():
            set_norm(norm, 0, of_x if norm is parts.projected else of_f)
        sums.append(np.asarray(model(signed_maps())).mean())
    plausible = {
        "the last ReLU is missing; it stands behind the sum there, too.": f + x,
        "a ReLU stands behind the projection; only the sum passes one.": relu(f + relu(x)),
        "the ReLU stands behind the projection; it belongs behind the sum.": f + relu(x),
        "F passes a ReLU before the addition; one ReLU, behind the sum, is enough.": relu(relu(f) + x),
        "the ReLU stands behind F; it belongs behind the sum.": relu(f) + x,
        "both parts pass a ReLU before they are added; one ReLU stands behind the sum.": relu(f) + relu(x),
        "the sign is +: the projection is added to F(x).": relu(f - x),
        "the sign is +: F(x) is added to the projection.": relu(x - f),
        "the ReLU cuts off what is above 6; the block's has no upper limit.": np.minimum(relu(f + x), 6),
        "you multiply both parts; they are added.": relu(f * x),
    }
    otherwise = "the block does not put out ReLU(F(x) + projected x)."
    return compare(np.array(sums), relu(f + x), plausible, otherwise, **FLOAT32)


def _wrong_projection(model, parts: Parts, strides: int) -> str | None:
    """What is wrong with what the shortcut makes of signed maps: F is 0 here."""
    for norm in parts.norms():  # with offsets of 0, a normalization and a ReLU could change places
        set_norm(norm, *((1, OFFSETS) if norm is parts.projected else (0, 0)))
    x = signed_maps()
    seen = x[:, ::strides, ::strides]
    squares = x.reshape(len(x), SHAPE[0] // strides, strides, SHAPE[1] // strides, strides, MAPS)

    def put_out(maps: np.ndarray, between: Callable = np.asarray) -> np.ndarray:
        return relu(normalized(between(maps @ parts.kernel()), parts.projected))

    plausible = {
        "the projection's convolution has a ReLU of its own; its normalization follows at once.": put_out(seen, relu),
        "x passes a ReLU before its projection; project x itself.": put_out(relu(seen)),
        "x is averaged before its projection; the 1×1 convolution takes the strides itself.": put_out(
            squares.mean(axis=(2, 4))
        ),
        "x passes max pooling before its projection; the 1×1 convolution takes the strides itself.": put_out(
            squares.max(axis=(2, 4))
        ),
    }
    otherwise = (
        "with F = 0 it does not put out the ReLU of the normalized 1×1 convolution of x with these strides; nothing "
        "else stands on the shortcut."
    )
    return compare(np.asarray(model(x)), put_out(seen), plausible, otherwise, **FLOAT32)


def _wrong_whole(model, parts: Parts, strides: int) -> str | None:
    """Whether the sum is right where F(x) is neither 0 nor a constant: nothing within F has changed."""
    for norm in parts.norms():
        set_norm(norm, 1, BOTH[int(norm is parts.inner)])
    x = signed_maps()
    right = relu(parts.residual(x, strides) + parts.shortcut(x, strides))
    otherwise = (
        "The shortcut is right, F(x) is not: leave the lines above the gap as they are, and the f that they make."
    )
    return compare(np.asarray(model(x)), right, {}, otherwise, **FLOAT32)


def _added(function: Callable, filters: int, strides: int, reply: str):
    """The network of a block, or `reply` where x and F(x) have shapes that cannot be added."""
    try:
        return network_of(function, SHAPE, filters, strides)
    except ValueError as error:
        if "compatible" not in str(error) and "shape" not in str(error):
            raise
        return reply


def _trainable(model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)

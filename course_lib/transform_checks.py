"""Checks that `Split.with_transform` can repeat a transform: it is called once and traced twice, on one image.

A leaf beside `draws`. TensorFlow traces a transform once and then runs the graph: what NumPy or Python draws in it
becomes a constant, and what TensorFlow or a Keras layer draws follows no seed and also changes evaluation.
"""

import functools
import inspect
from collections.abc import Callable

import keras
import tensorflow as tf

from course_lib.draws import Draws

RANDOM_OPS = ("Random", "Stateful", "Multinomial", "ParameterizedTruncatedNormal")  # how their types begin
STATE_OPS = ("AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp")
INSTEAD = (
    "write it as transform(images, draws) and take its random numbers from draws.uniform(count), float32 "
    "(batch, count) from 0 to 1; draws is None in evaluation"
)


def with_draws(transform: Callable) -> Callable:
    """`transform` as a function of (images, draws), whichever of the two forms it came in.

    Raises:
        ValueError: it is no function of one or two arguments, or a Keras layer that draws random numbers.
    """
    if inspect.isclass(transform):
        name = transform.__name__
        raise ValueError(
            f"a transform is a function or an object, and {name} is a class: write {name}(…) with brackets"
        )
    if not callable(transform):
        raise ValueError(f"a transform is a function of images (and draws), not {transform!r}")
    if isinstance(transform, keras.layers.Layer):
        if len(transform.variables) > len(transform.weights):  # the state of random numbers
            raise ValueError(
                f"the Keras layer {transform.name!r} draws random numbers of its own, also in evaluation, and no seed "
                "repeats them: take datasets.RandomFlip() and the like, or make the layer a part of the network"
            )
        return lambda images, draws: transform(images)
    required = [each for each in inspect.signature(transform).parameters.values() if each.default is each.empty]
    positional = [each for each in required if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    if len(positional) > 2:
        names = ", ".join(each.name for each in positional)
        raise ValueError(f"a transform takes images, or images and draws, but this one takes ({names})")
    return transform if len(positional) == 2 else lambda images, draws: transform(images)


def check_transform(transform: Callable, image: tf.Tensor, stream: int) -> None:
    """Checks a function of (images, draws) on `image` `(1, height, width, channels)`, transform `stream` of a chain.

    Raises:
        ValueError: it fails, returns no images, or draws random numbers other than those of `draws`.
    """
    _check_result(_called(lambda: transform(image, None)))
    for draws in (None, Draws(0, 0, tf.constant([0], tf.int64), stream=stream)):
        trace = functools.partial(_graphs, transform, image, draws)
        first = _called(trace, "in a graph, ")
        second = _called(trace, "in a graph, ")
        if _constants(first) != _constants(second):
            raise ValueError(
                "the transform draws NumPy's or Python's random numbers. TensorFlow calls it once and repeats what "
                f"was drawn then in every batch: {INSTEAD}"
            )
        kinds = {node.op for graph in first for node in graph}
        if any(kind.startswith(RANDOM_OPS) for kind in kinds) or kinds & set(STATE_OPS):
            when = "also in evaluation, and " if draws is None else ""
            raise ValueError(f"the transform draws random numbers {when}that no seed repeats: {INSTEAD}")


def _called(call: Callable, where: str = "") -> object:
    try:
        return call()
    except Exception as error:
        if not where and isinstance(error, ValueError) and "course_lib" in _raised_in(error):
            raise  # a transform of the course says itself what is wrong
        first = (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise ValueError(
            f"the transform fails on a batch of one image {where}with {type(error).__name__}: {first}. It gets float32 "
            "tensors (batch, height, width, channels) and must be written with TensorFlow (tf) or keras.ops"
        ) from error


def _raised_in(error: Exception) -> str:
    at = error.__traceback__
    while at.tb_next:
        at = at.tb_next
    return at.tb_frame.f_code.co_filename


def _graphs(transform: Callable, image: tf.Tensor, draws: Draws | None) -> list:
    """The operations of the transform's graph, and those of each inner function."""
    specification = tf.TensorSpec((None, *image.shape[1:]), tf.float32)
    traced = tf.function(lambda images: transform(images, draws)).get_concrete_function(specification)
    graph = traced.graph.as_graph_def()
    return [graph.node, *(function.node_def for function in graph.library.function)]


def _constants(graphs: list) -> list[list[bytes]]:
    """Those of the graph and, sorted, of its inner functions: `tf.cond` has them in another order each time."""
    found = [
        [node.attr["value"].tensor.SerializeToString(deterministic=True) for node in graph if node.op == "Const"]
        for graph in graphs
    ]
    return found[:1] + sorted(found[1:])


def _check_result(images: object) -> None:
    dtype = getattr(images, "dtype", None)
    shape = getattr(images, "shape", None)
    if dtype is None or shape is None:
        raise ValueError(
            f"the transform returns {'nothing' if images is None else f'a {type(images).__name__}'}: it must return "
            "the images, a tensor (batch, height, width, channels). Is a `return` missing?"
        )
    if not tf.as_dtype(dtype).is_floating or len(shape) != 4 or shape[0] != 1 or 0 in shape:
        raise ValueError(
            f"the transform makes {tf.as_dtype(dtype).name} of shape {tuple(shape)} of one image: it must return "
            "floating-point images (batch, height, width, channels), as many as it gets"
        )

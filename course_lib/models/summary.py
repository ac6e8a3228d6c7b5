"""Parameters, multiply-adds, memory and receptive fields of a network, layer by layer; several networks compared.

What a single layer costs, and how one of your own says it, is in `models.summary_layers`.
"""

import gc
import math
from collections.abc import Iterable, Iterator

import keras
from keras import layers

from course_lib import common
from course_lib.model_checks import check_model, described
from course_lib.models import catalog
from course_lib.models.summary_layers import RESHAPING, Pair, costs, needs_input, needs_output, window

BYTES = 4  # of a number in float32


def layer_table(model: keras.Model) -> list[dict[str, object]]:
    """One row for each layer, from the input on; `pandas.DataFrame(rows)` shows them as a table.

    - `layer`, `kind`, `output_shape`: its name, its class, the shape of its output for one image.
    - `parameters`, `trainable_parameters`: the numbers it holds, and those of them that training changes.
    - `multiply_adds`: multiplications by a weight for one image, without the one a value of normalization and
      PReLU.
    - `connections`: the inputs of all its units, and one for each bias (LeCun et al. 1998). Layers that squash,
      normalize, reshape or merge what other units computed have none.
    - `depth`: how many layers with multiply-adds there are from the image to here, on the longest path.
    - `receptive_field`: the side in pixels of what one unit sees of the image, padding included; a pair
      `(height, width)` where the sides differ. Where branches meet, it is the largest.
    - `stride`: how many pixels apart two neighboring units look. Behind the last map it stays, as if the dense
      layers slid over a larger image.
    - `activation_bytes`: its output for one image in float32 if training must keep it until the gradient comes
      back, else 0. Kept is what an activation function puts out, and what enters a layer whose gradient depends
      on its input: convolution, dense, normalization, maximum pooling, PReLU. What is only added, concatenated,
      averaged or activated next is not. Nor are dropout's masks counted, or what a layer keeps in between.

    Raises:
        ValueError: a model that is no graph of layers over images of one fixed size, or a layer of unknown cost.
    """
    check_model(model)
    reach = {id(tensor): (0, (1, 1), (1, 1)) for tensor in _image_inputs(model)}  # depth, field, stride
    calls = list(_calls(model))
    kept = {id(tensor) for layer, inputs, _ in calls if needs_input(layer) for tensor in inputs}
    rows = []
    for layer, inputs, outputs in calls:
        _check_known(inputs, reach, f"at layer {layer.name!r}")
        # The largest input stands for all: only merging layers have several.
        input_shape = max((tensor.shape[1:] for tensor in inputs), key=math.prod)
        output_shape = outputs[0].shape[1:]
        multiply_adds, connections = costs(layer, input_shape, output_shape)
        depths, *views = zip(*(reach[id(tensor)] for tensor in inputs), strict=True)
        depth = max(depths) + (multiply_adds > 0)
        field, stride = _seen(*views, *window(layer, input_shape, output_shape))
        reach.update({id(tensor): (depth, field, stride) for tensor in outputs})
        is_kept = needs_output(layer) or (id(outputs[0]) in kept and not isinstance(layer, RESHAPING))
        rows.append(
            {
                "layer": layer.name,
                "kind": type(layer).__name__,
                "output_shape": output_shape,
                "parameters": layer.count_params(),
                "trainable_parameters": sum(math.prod(weight.shape) for weight in layer.trainable_weights),
                "multiply_adds": multiply_adds,
                "connections": connections,
                "depth": depth,
                "receptive_field": _side(field),
                "stride": _side(stride),
                "activation_bytes": BYTES * math.prod(output_shape) * is_kept,
            }
        )
    if not isinstance(model, keras.Sequential):
        _check_known(model.outputs, reach, "at the output")
    return rows


def compare(names: Iterable[str], batch_size: int = 128) -> list[dict[str, object]]:
    """One row per network of the catalog, built as published: its paper, cost, memory and published errors.

    - `depth`, `trainable_parameters`, `multiply_adds`: of the whole network, as `layer_table` counts them.
    - `weight_bytes`: all parameters; `gradient_bytes` and `momentum_bytes`: the trainable ones once more each.
    - `activation_bytes`: what training keeps of `batch_size` images (see `layer_table`).
    - `memory_bytes`: the sum of these four, which training with momentum in float32 holds at least. The images,
      the gradients of the activations and a library's workspace come on top.
    - `top1_error`, `top5_error`, `test_error` in percent, and how they were `measured`: the network's first
      published measurement, None where there is none.

    Only one network is in memory at a time.

    Raises:
        ValueError: no list of names, an unknown network, or `batch_size` below 1.
    """
    common.at_least(1, batch_size=batch_size)
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ValueError(f"names must be a list of networks, such as ['lenet5', 'resnet20'], not {described(names)}")
    return [_compared(name, batch_size) for name in names]


def _compared(name: str, batch_size: int) -> dict[str, object]:
    rows = layer_table(catalog.build(name))
    gc.collect()  # Layers and tensors refer to each other, so the network is still there until this.

    def total(column: str) -> int:
        return sum(row[column] for row in rows)

    memory = {
        "weight_bytes": BYTES * total("parameters"),
        "gradient_bytes": BYTES * total("trainable_parameters"),
        "momentum_bytes": BYTES * total("trainable_parameters"),
        "activation_bytes": batch_size * total("activation_bytes"),
    }
    errors = ("top1_error", "top5_error", "test_error")
    published = catalog.CATALOG[name].published
    measured = next((row for row in published if any(row[error] is not None for error in errors)), {})
    return {
        "network": name,
        "depth": max(row["depth"] for row in rows),
        "trainable_parameters": total("trainable_parameters"),
        "multiply_adds": total("multiply_adds"),
        **memory,
        "memory_bytes": sum(memory.values()),
        **{column: measured.get(column) for column in (*errors, "measured")},
    }


def _check_known(tensors: list, reach: dict, where: str) -> None:
    if any(id(tensor) not in reach for tensor in tensors):
        raise ValueError(
            "layer_table counts models that use each of their layers once, from the image on; "
            f"{where} this one uses a layer a second time, or a layer of another model"
        )


def _image_inputs(model: keras.Model) -> list[keras.KerasTensor]:
    inputs = getattr(model, "inputs", None)
    if not inputs:
        raise ValueError(
            "layer_table needs a Functional model, or a Sequential one that begins with keras.Input(image_shape), "
            f"not {type(model).__name__}"
        )
    for tensor in inputs:
        if len(tensor.shape) != 4 or None in tensor.shape[1:]:
            raise ValueError(
                "layer_table needs images of one fixed size (batch, height, width, channels) as input, "
                f"not {tensor.shape}"
            )
    return inputs


def _calls(model: keras.Model) -> Iterator[tuple[keras.Layer, list, list]]:
    """Each layer with its input tensors and its output tensors, in the order of computation."""
    previous = model.inputs
    for layer in getattr(model, "operations", model.layers):
        if isinstance(layer, layers.InputLayer):
            continue
        if isinstance(layer, keras.Model):
            raise ValueError(f"{layer.name!r} is a model inside the model: call layer_table on each of them")
        if not isinstance(layer, keras.Layer):
            raise ValueError(
                f"{layer.name!r} is an operation outside of any layer, which layer_table cannot count: "
                "use a layer for it, such as keras.layers.Add"
            )
        outputs = keras.tree.flatten(layer.output)
        # A Sequential model is a chain. It calls its layers anew with each `add`, so the tensors do not say so.
        yield layer, previous if isinstance(model, keras.Sequential) else keras.tree.flatten(layer.input), outputs
        previous = outputs


def _seen(fields: Iterable[Pair], strides: Iterable[Pair], sizes: Pair, steps: Pair) -> tuple[Pair, Pair]:
    """Field and stride in pixels behind a window of `sizes` and `steps` over inputs of these fields and strides."""
    widest = [max(axis) for axis in zip(*fields, strict=True)]
    coarsest = [max(axis) for axis in zip(*strides, strict=True)]
    field = tuple(f + (size - 1) * s for f, size, s in zip(widest, sizes, coarsest, strict=True))
    return field, tuple(s * step for s, step in zip(coarsest, steps, strict=True))


def _side(pair: Pair) -> int | Pair:
    return pair[0] if pair[0] == pair[1] else pair

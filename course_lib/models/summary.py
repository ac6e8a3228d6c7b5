"""What a network costs and sees, layer by layer: parameters, multiply-adds, connections, receptive field.

A layer of your own is counted if it has the methods `multiply_adds(output_shape)` and
`connections(output_shape)`, which take its output's shape for one image, `(height, width, channels)`. If each of
its units sees more than one position of its input, give it `kernel_size` and `strides` too (and
`dilation_rate`), pairs as Keras' convolutions have them.
"""

import math
from collections.abc import Iterator

import keras
from keras import layers

Shape = tuple[int, ...]
Pair = tuple[int, int]  # along height, along width

POOLING = (layers.AveragePooling2D, layers.MaxPooling2D)
GLOBAL_POOLING = (layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D)
# They move the border of a map, and no unit's field of view.
FRAMING = (layers.ZeroPadding2D, layers.Cropping2D)
# They have parameters, yet no unit of theirs sums over others.
SCALING = (layers.BatchNormalization, layers.PReLU)


def layer_table(model: keras.Model) -> list[dict[str, object]]:
    """One row for each layer, from the input on; `pandas.DataFrame(rows)` shows them as a table.

    - `layer`, `kind`, `output_shape`: its name, its class, the shape of its output for one image.
    - `parameters`, `trainable_parameters`: the numbers it holds, and those of them that training changes.
    - `multiply_adds`: multiplications by a weight for one image.
    - `connections`: the inputs of all its units, and one for each bias (LeCun et al. 1998). Layers that squash,
      normalize, reshape or merge what other units computed have none.
    - `receptive_field`: the side in pixels of what one unit sees of the image, padding included; a pair
      `(height, width)` where the sides differ. Where branches meet, it is the largest.
    - `stride`: how many pixels apart two neighboring units look. Behind the last map it stays, as if the dense
      layers slid over a larger image.

    Raises:
        ValueError: a model that is no graph of layers over images of one fixed size, or a layer of unknown cost.
    """
    reach = {id(tensor): ((1, 1), (1, 1)) for tensor in _image_inputs(model)}  # (field, stride) of a tensor
    rows = []
    for layer, inputs, outputs in _calls(model):
        _check_known(inputs, reach, f"at layer {layer.name!r}")
        # The largest input stands for all: only merging layers have several.
        input_shape = max((tensor.shape[1:] for tensor in inputs), key=math.prod)
        output_shape = outputs[0].shape[1:]
        multiply_adds, connections = _costs(layer, input_shape, output_shape)
        field, stride = _seen([reach[id(tensor)] for tensor in inputs], _window(layer, input_shape, output_shape))
        reach.update({id(tensor): (field, stride) for tensor in outputs})
        rows.append(
            {
                "layer": layer.name,
                "kind": type(layer).__name__,
                "output_shape": output_shape,
                "parameters": layer.count_params(),
                "trainable_parameters": sum(math.prod(weight.shape) for weight in layer.trainable_weights),
                "multiply_adds": multiply_adds,
                "connections": connections,
                "receptive_field": _side(field),
                "stride": _side(stride),
            }
        )
    if not isinstance(model, keras.Sequential):
        _check_known(model.outputs, reach, "at the output")
    return rows


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


def _costs(layer: keras.Layer, input_shape: Shape, output_shape: Shape) -> Pair:
    """Multiply-adds and connections for one image."""
    if hasattr(layer, "multiply_adds") and hasattr(layer, "connections"):
        return layer.multiply_adds(output_shape), layer.connections(output_shape)
    units = math.prod(output_shape)
    if isinstance(layer, POOLING):
        return 0, units * math.prod(layer.pool_size)
    if isinstance(layer, GLOBAL_POOLING):
        return 0, math.prod(input_shape)
    if isinstance(layer, layers.Conv2D):
        fan_in = math.prod(layer.kernel_size) * input_shape[-1] // layer.groups
    elif isinstance(layer, layers.DepthwiseConv2D):
        fan_in = math.prod(layer.kernel_size)
    elif isinstance(layer, layers.Dense):
        fan_in = input_shape[-1]
    elif isinstance(layer, SCALING) or not layer.weights:
        return 0, 0
    else:
        raise ValueError(
            f"what layer {layer.name!r} ({type(layer).__name__}) costs is not known: give its class the methods "
            "multiply_adds(output_shape) and connections(output_shape), see course_lib/models/summary.py"
        )
    return units * fan_in, units * (fan_in + layer.use_bias)


def _window(layer: keras.Layer, input_shape: Shape, output_shape: Shape) -> tuple[Pair, Pair]:
    """The window of its input that a unit of the layer sees, in positions, and the window's stride."""
    if len(input_shape) < 3:  # no map any more
        return (1, 1), (1, 1)
    if isinstance(layer, (layers.Flatten, *GLOBAL_POOLING)):
        return input_shape[:2], (1, 1)
    if isinstance(layer, POOLING):
        return layer.pool_size, layer.strides
    if hasattr(layer, "kernel_size"):
        dilation = getattr(layer, "dilation_rate", (1, 1))
        spans = zip(layer.kernel_size, dilation, strict=True)
        return tuple((size - 1) * rate + 1 for size, rate in spans), layer.strides
    if input_shape[:2] == output_shape[:2] or isinstance(layer, FRAMING):
        return (1, 1), (1, 1)
    raise ValueError(
        f"layer {layer.name!r} ({type(layer).__name__}) turns {input_shape} into {output_shape}, and what its "
        "units see is not known: give its class kernel_size and strides, see course_lib/models/summary.py"
    )


def _seen(sources: list[tuple[Pair, Pair]], window: tuple[Pair, Pair]) -> tuple[Pair, Pair]:
    """Field and stride in pixels behind a window over inputs of the given fields and strides."""
    fields, strides = ([max(axis) for axis in zip(*pairs, strict=True)] for pairs in zip(*sources, strict=True))
    sizes, steps = window
    field = tuple(f + (size - 1) * s for f, size, s in zip(fields, sizes, strides, strict=True))
    return field, tuple(s * step for s, step in zip(strides, steps, strict=True))


def _side(pair: Pair) -> int | Pair:
    return pair[0] if pair[0] == pair[1] else pair

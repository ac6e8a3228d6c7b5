"""Cost, receptive field and memory of a single layer: the rules by which `models.summary` counts a network.

A layer of your own is counted if it has the methods `multiply_adds(output_shape)` and
`connections(output_shape)`, which take its output's shape for one image, `(height, width, channels)`; without
weights it needs neither, and costs nothing. If each of its units sees more than one position of its input, and
not all of them, give it `kernel_size` and `strides` too (and `dilation_rate`), pairs as Keras' convolutions have
them.
"""

import math

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
# They put out the very numbers that came in.
RESHAPING = (layers.Flatten, layers.Reshape)
# Their gradient follows from what they put out.
ACTIVATIONS = (layers.Activation, layers.ReLU)
# Their gradient is the same whatever comes in.
BLIND = (
    *(layers.Add, layers.Average, layers.Concatenate, layers.Dropout),
    *(layers.AveragePooling2D, layers.GlobalAveragePooling2D),
    *FRAMING,
)


def costs(layer: keras.Layer, input_shape: Shape, output_shape: Shape) -> Pair:
    """Multiply-adds and connections for one image.

    Raises:
        ValueError: a layer with weights that nothing is known of.
    """
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
            "multiply_adds(output_shape) and connections(output_shape), see course_lib/models/summary_layers.py"
        )
    return units * fan_in, units * (fan_in + layer.use_bias)


def window(layer: keras.Layer, input_shape: Shape, output_shape: Shape) -> tuple[Pair, Pair]:
    """The window of its input that a unit of the layer sees, in positions, and the window's stride.

    Raises:
        ValueError: a layer that changes the size of its map, and not in a way that is known.
    """
    if len(input_shape) < 3:  # no map any more
        return (1, 1), (1, 1)
    if len(output_shape) < 3 or isinstance(layer, GLOBAL_POOLING):  # the map ends here
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
        "units see is not known: give its class kernel_size and strides, see course_lib/models/summary_layers.py"
    )


def needs_input(layer: keras.Layer) -> bool:
    """Whether the layer's gradient depends on its input, so that training must keep it."""
    return not isinstance(layer, (*BLIND, *ACTIVATIONS))


def needs_output(layer: keras.Layer) -> bool:
    """Whether the layer's gradient depends on its output, as that of an activation function does."""
    activation = getattr(layer, "activation", None)
    return isinstance(layer, ACTIVATIONS) or activation not in (None, keras.activations.linear)

"""The layers of LeNet-5 as published that Keras does not have (LeCun et al. 1998, section II-B, appendix A).

Each tells `models.summary` what it costs by `multiply_adds(output_shape)` and `connections(output_shape)`, with
the output's shape for one image.
"""

import math

import keras
import numpy as np
from keras import ops

register = keras.saving.register_keras_serializable(package="course_lib")


@register
def scaled_tanh(a: keras.KerasTensor) -> keras.KerasTensor:
    """f(a) = 1.7159 tanh(2a/3), with f(1) = 1 and f(−1) = −1 (appendix A)."""
    return 1.7159 * ops.tanh(a * (2 / 3))


@register
class FanInUniform(keras.initializers.Initializer):
    """Uniform in ±2.4 / fan-in, the number of inputs of the unit that a weight belongs to (appendix A).

    `fan_in` is one number, or one for each entry of the weight's last axis; where it is not given, the shape of
    a dense layer's or a full convolution's kernel says it.
    """

    def __init__(self, fan_in: int | list[int] | None = None):
        self.fan_in = fan_in

    def __call__(self, shape, dtype=None):
        dtype = dtype or keras.config.floatx()
        fan_in = math.prod(shape[:-1]) if self.fan_in is None else np.asarray(self.fan_in)
        limit = ops.convert_to_tensor(2.4 / fan_in, dtype)
        return limit * keras.initializers.RandomUniform(-1.0, 1.0)(shape, dtype)

    def get_config(self):
        return {"fan_in": self.fan_in}


@register
class PartialConv2D(keras.layers.Layer):
    """A squashed convolution without padding whose every output map sees only some of the input maps.

    `table[i]` lists the input maps that output map i sees. Only the kernels of these connections exist and are
    trained, `(kernel_size, kernel_size, connections)`; one convolution with the dense kernel they fill, zeros
    elsewhere, computes all maps.
    """

    strides = (1, 1)

    def __init__(self, table: list[list[int]], kernel_size: int, **kwargs):
        super().__init__(**kwargs)
        self.table = [list(sources) for sources in table]
        self.kernel_size = (kernel_size, kernel_size)

    def build(self, input_shape):
        pairs = [(source, output) for output, sources in enumerate(self.table) for source in sources]
        self._placement = np.zeros((len(pairs), input_shape[-1], len(self.table)), "float32")
        for connection, (source, output) in enumerate(pairs):
            self._placement[connection, source, output] = 1
        area = math.prod(self.kernel_size)
        self._kernels = self.add_weight(
            shape=(*self.kernel_size, len(pairs)),
            initializer=FanInUniform([len(self.table[output]) * area for _, output in pairs]),
            name="kernel",
        )
        self.bias = self.add_weight(shape=(len(self.table),), initializer="zeros", name="bias")

    @property
    def kernel(self) -> keras.KerasTensor:
        """The dense kernel `(height, width, input maps, output maps)`, zero where nothing is connected."""
        kernels = ops.convert_to_tensor(self._kernels)
        # Placed by a product with zeros and ones: its gradient is a product too, deterministic on any device.
        return ops.tensordot(kernels, ops.cast(self._placement, kernels.dtype), axes=1)

    def call(self, inputs):
        return scaled_tanh(ops.conv(inputs, self.kernel) + self.bias)

    def compute_output_shape(self, input_shape):
        batch, *sides, _ = input_shape
        sides = [side and side - kernel + 1 for side, kernel in zip(sides, self.kernel_size, strict=True)]
        return (batch, *sides, len(self.table))

    def multiply_adds(self, output_shape) -> int:
        return output_shape[0] * output_shape[1] * math.prod(self._kernels.shape)

    def connections(self, output_shape) -> int:
        return output_shape[0] * output_shape[1] * self.count_params()

    def get_config(self):
        return {**super().get_config(), "table": self.table, "kernel_size": self.kernel_size[0]}


@register
class Subsampling2D(keras.layers.Layer):
    """The sum of every 2×2 window, times a trainable coefficient, plus a trainable bias, squashed.

    Every map has one coefficient and one bias.
    """

    kernel_size = strides = (2, 2)

    def build(self, input_shape):
        maps = (input_shape[-1],)
        self.coefficient = self.add_weight(shape=maps, initializer=FanInUniform(4), name="coefficient")
        self.bias = self.add_weight(shape=maps, initializer="zeros", name="bias")

    def call(self, inputs):
        means = ops.average_pool(inputs, self.kernel_size, self.strides)
        return scaled_tanh(means * (4 * self.coefficient) + self.bias)

    def compute_output_shape(self, input_shape):
        batch, height, width, maps = input_shape
        return (batch, height and height // 2, width and width // 2, maps)

    def multiply_adds(self, output_shape) -> int:
        return math.prod(output_shape)  # by the coefficient; the sum multiplies nothing

    def connections(self, output_shape) -> int:
        return math.prod(output_shape) * (4 + 1)


@register
class RadialBasis(keras.layers.Layer):
    """The negated squared distance of the input to each of the fixed `codes` `(units, features)`.

    The paper's units (equation 7) give the distance itself, which is smallest for the answer.
    """

    def __init__(self, codes, **kwargs):
        super().__init__(**kwargs)
        self._codes = np.asarray(codes, "float32")

    def build(self, input_shape):
        self.codes = self.add_weight(
            shape=self._codes.shape,
            initializer=lambda shape, dtype: ops.convert_to_tensor(self._codes, dtype),
            trainable=False,
            name="codes",
        )

    def call(self, inputs):
        return -ops.sum(ops.square(ops.expand_dims(inputs, -2) - self.codes), axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], len(self._codes))

    def multiply_adds(self, output_shape) -> int:
        return self._codes.size

    def connections(self, output_shape) -> int:
        return self._codes.size

    def get_config(self):
        return {**super().get_config(), "codes": self._codes.tolist()}

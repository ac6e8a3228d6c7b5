"""Layers that several families share: local response normalization, convolutions in groups; initializations."""

import keras
import numpy as np
from keras import layers, ops

register = keras.saving.register_keras_serializable(package="course_lib")

INITIALIZATIONS = ("glorot", "he", "normal")


def initializer(name: str) -> keras.initializers.Initializer:
    """The initialization of a layer; a fresh object each time, since one object draws the same numbers again.

    - "glorot": uniform in ±√(6 / (fan-in + fan-out)) (Glorot and Bengio 2010, equation 16).
    - "he": normal with variance 2 / fan-in, cut at two deviations (after He et al. 2015, equation 10).
    - "normal": normal with deviation 0.01, whatever the layer's size (Krizhevsky et al. 2012, section 5).
    """
    if name == "glorot":
        return keras.initializers.GlorotUniform()
    if name == "he":
        return keras.initializers.HeNormal()
    return keras.initializers.RandomNormal(stddev=0.01)


@register
class LocalResponseNormalization(layers.Layer):
    """Divides each value by a power of the squares around it along the channels, AlexNet's brightness control.

    b_i = a_i / (k + alpha · Σ a_j²)^beta, where j runs over the `size` channels around i, fewer at the ends
    (Krizhevsky et al. 2012, section 3.3, whose constants are the defaults). Other libraries take other
    parameters: TensorFlow the half width `depth_radius` = (size − 1) / 2, PyTorch alpha times `size`.
    """

    def __init__(self, size: int = 5, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.k = k
        self.alpha = alpha
        self.beta = beta

    def build(self, input_shape):
        apart = np.subtract.outer(np.arange(input_shape[-1]), np.arange(input_shape[-1]))
        self._near = (np.abs(apart) <= self.size // 2).astype("float32")

    def call(self, inputs):
        values = ops.cast(inputs, "float32")  # in float16 the squares overflow
        # A product with zeros and ones adds up neighbors several times faster than shifted copies do.
        divisor = self.k + self.alpha * ops.matmul(ops.square(values), self._near)
        if self.beta == 0.75:  # two square roots, ten times faster than a power
            root = ops.rsqrt(divisor)
            return ops.cast(values * root * ops.sqrt(root), inputs.dtype)
        return ops.cast(values * divisor**-self.beta, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        constants = {"size": self.size, "k": self.k, "alpha": self.alpha, "beta": self.beta}
        return {**super().get_config(), **constants}


@register
class GroupedConv2D(layers.Conv2D):
    """`Conv2D` with `groups`, each convolved for itself: the same result, ten times faster on a CPU.

    Keras compiles a convolution in groups for the CPU with XLA, which is slow there.
    """

    def convolution_op(self, inputs, kernel):
        parts = zip(ops.split(inputs, self.groups, axis=-1), ops.split(kernel, self.groups, axis=-1), strict=True)
        convolved = [super(GroupedConv2D, self).convolution_op(part, kernels) for part, kernels in parts]
        return ops.concatenate(convolved, axis=-1)

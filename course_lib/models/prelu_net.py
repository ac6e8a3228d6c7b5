"""Model C of the first network below the human error on ImageNet, with parametric ReLUs.

K. He, X. Zhang, S. Ren, J. Sun: Delving Deep into Rectifiers: Surpassing Human-Level Performance on ImageNet
Classification, ICCV 2015, arXiv:1502.01852, Table 3.

| stage | what                                     | output      |  parameters |
|-------|------------------------------------------|-------------|------------:|
| conv1 | 96 filters 7×7, /2                       | 112×112×96  |      14,208 |
|       | 2×2 pooling, /2                          | 56×56×96    |             |
| conv2 | 6 × 384 filters 3×3                      | 56×56×384   |   6,969,600 |
|       | 2×2 pooling, /2                          | 28×28×384   |             |
| conv3 | 6 × 768 filters 3×3                      | 28×28×768   |  29,200,896 |
|       | 2×2 pooling, /2                          | 14×14×768   |             |
| conv4 | 6 × 896 filters 3×3                      | 14×14×896   |  42,326,144 |
| spp   | the largest of 7×7, 3×3, 2×2 and 1×1 bins| 56,448      |             |
| fc1   | dense, dropout                           | 4096        | 231,215,104 |
| fc2   | dense, dropout                           | 4096        |  16,781,312 |
| fc3   | dense                                    | 1000        |   4,097,000 |
|       | and 21 slopes, one per layer            |             | 330,603,389 |

A PReLU follows every layer but the last: its slope for negative values is learned, from 0.25 on; one per layer
(`slopes="shared"`), or one per channel (`slopes="channel"`, 330,623,944 parameters).

What is ambiguous, and what was chosen:
- the pooling bins follow the appendix of the paper on spatial pyramid pooling (He et al. 2014), which rounds the
  bounds of a bin outward and fits any image. This rests on a secondary source. The sliding windows of that
  paper's main text differ in the 3×3 bins only.
- the paper's 53 billion operations lie 0.9 % below a recount of its own table.
"""

import math

import keras
from keras import layers, ops

from course_lib.models.convolutional import register
from course_lib.models.options import scaled

STAGES = {"conv2": 384, "conv3": 768, "conv4": 896}
CONVOLUTIONS = 6  # in each stage
BINS = (7, 3, 2, 1)
SHARED_AXES = {"shared": (1, 2, 3), "channel": (1, 2)}  # of (height, width, channels), from 1 on


@register
class SpatialPyramidPooling(layers.Layer):
    """The largest value of each map in n×n bins, for every n of `bins`: one vector for maps of any size.

    Bin i of n covers the rows from floor(i · height / n) to ceil((i + 1) · height / n), and columns alike.
    """

    def __init__(self, bins: tuple[int, ...] = BINS, **kwargs):
        super().__init__(**kwargs)
        self.bins = tuple(bins)

    def call(self, inputs):
        pooled = []
        for count in self.bins:
            rows = [ops.max(inputs[:, first:last], axis=1) for first, last in _bounds(inputs.shape[1], count)]
            columns = _bounds(inputs.shape[2], count)
            pooled += [ops.max(row[:, first:last], axis=1) for row in rows for first, last in columns]
        return ops.concatenate(pooled, axis=-1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1] * sum(count**2 for count in self.bins))

    def get_config(self):
        return {**super().get_config(), "bins": self.bins}


def _bounds(size: int, count: int) -> list[tuple[int, int]]:
    return [(i * size // count, math.ceil((i + 1) * size / count)) for i in range(count)]


def build(
    name: str, *, image_shape: tuple[int, int, int], num_classes: int, width: float, slopes: str, dropout: float
) -> keras.Model:
    """The PReLU net with logits `(batch, num_classes)`. Use `models.build("prelu_net")`, which checks the arguments."""

    def rectified(x, layer: layers.Layer):
        x = layer(x)
        shared = SHARED_AXES[slopes]
        if len(x.shape) == 2:  # behind a dense layer
            shared = (1,) if slopes == "shared" else None
        return layers.PReLU(keras.initializers.Constant(0.25), shared_axes=shared, name=f"{layer.name}_prelu")(x)

    inputs = keras.Input(image_shape)  # 224×224×3
    x = rectified(inputs, _convolution(scaled(96, width), 7, "conv1", strides=2))  # 112×112×96
    for stage, filters in STAGES.items():
        x = layers.MaxPooling2D(2, name=f"{stage}_pool")(x)  # 56×56, 28×28, 14×14
        for index in range(1, CONVOLUTIONS + 1):
            x = rectified(x, _convolution(scaled(filters, width), 3, f"{stage}_conv{index}"))
    x = SpatialPyramidPooling(name="spp")(x)  # 56448
    for index in (1, 2):
        x = rectified(x, layers.Dense(scaled(4096, width), kernel_initializer=_he(), name=f"fc{index}"))  # 4096
        x = layers.Dropout(dropout, name=f"dropout{index}")(x)
    logits = layers.Dense(num_classes, kernel_initializer=_he(), dtype="float32", name="fc3")(x)  # 1000
    return keras.Model(inputs, logits, name=name)


def _convolution(filters: int, kernel_size: int, name: str, strides: int = 1) -> layers.Layer:
    return layers.Conv2D(filters, kernel_size, strides, padding="same", kernel_initializer=_he(), name=name)


def _he() -> keras.initializers.Initializer:
    """Normal with variance 2 / fan-out: the paper's equation 14."""
    return keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")

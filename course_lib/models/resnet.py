"""Residual networks for ImageNet, and the plain networks they were compared with.

K. He, X. Zhang, S. Ren, J. Sun: Deep Residual Learning for Image Recognition, CVPR 2016, arXiv:1512.03385, Table 1.

| stage | output   | 18       | 34       | 50             | 101             | 152             |
|-------|----------|----------|----------|----------------|-----------------|-----------------|
| conv1 | 112×112  | 7×7, 64, /2, then 3×3 pooling, /2: in all of them                        |
| conv2 | 56×56    | 2 × 64   | 3 × 64   | 3 × 64, 256    | 3 × 64, 256     | 3 × 64, 256     |
| conv3 | 28×28    | 2 × 128  | 4 × 128  | 4 × 128, 512   | 4 × 128, 512    | 8 × 128, 512    |
| conv4 | 14×14    | 2 × 256  | 6 × 256  | 6 × 256, 1024  | 23 × 256, 1024  | 36 × 256, 1024  |
| conv5 | 7×7      | 2 × 512  | 3 × 512  | 3 × 512, 2048  | 3 × 512, 2048   | 3 × 512, 2048   |
| head  | 1000     | mean of each map, then dense: in all of them                             |
| shortcut A       | 11,515,688 | 21,623,848 |              |                 |                 |
| shortcut B       | 11,689,512 | 21,797,672 | 25,557,032   | 44,549,160      | 60,192,808      |

A block of 18 and 34 is two 3×3 convolutions; one of 50, 101 and 152 a bottleneck: 1×1, 3×3 and 1×1. Each
convolution is followed by batch normalization; a ReLU follows the addition. A shortcut is the identity where
shapes allow it. Where they do not, `shortcut` "A" takes every second pixel and fills up with empty maps, "B"
projects by a 1×1 convolution; "C" projects everywhere (section 3.3). The paper compares plain with residual
networks under A, and builds 50 layers and more with B, the default. The layers carry the names of
`keras.applications`; `convolution_bias=True` gives its biases too, which batch normalization makes redundant.

What is ambiguous, and what was chosen:
- a stage's first bottleneck halves the map in its first 1×1 convolution ("version 1"); others moved that
  to the 3×3 (torchvision, "1.5").
- the paper names no constants of batch normalization: epsilon is Keras' 1.001e-5 here, and the running
  statistics forget a tenth a step.
"""

import keras
from keras import layers, ops

from course_lib.models.convolutional import register
from course_lib.models.scaling import scaled

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
FILTERS = (64, 128, 256, 512)


@register
class ShortcutA(layers.Layer):
    """Every `stride`-th pixel of the input, with empty maps added up to `filters`: no parameters."""

    kernel_size = (1, 1)

    def __init__(self, filters: int, stride: int, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.strides = filters, (stride, stride)

    def call(self, inputs):
        missing = self.filters - inputs.shape[-1]
        return ops.pad(inputs[:, :: self.strides[0], :: self.strides[1]], [(0, 0), (0, 0), (0, 0), (0, missing)])

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        return (batch, height and -(-height // self.strides[0]), width and -(-width // self.strides[1]), self.filters)

    def multiply_adds(self, output_shape) -> int:
        return 0

    def connections(self, output_shape) -> int:
        return 0

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "stride": self.strides[0]}


def build(
    name: str,
    *,
    image_shape: tuple[int, int, int],
    num_classes: int,
    width: float,
    shortcut: str | None = None,
    convolution_bias: bool = False,
) -> keras.Model:
    """The network `name` with logits `(batch, num_classes)`. Use `models.build`, which checks the arguments."""
    depth = int(name.removeprefix("plain").removeprefix("resnet"))
    block = bottleneck if depth >= 50 else basic
    inputs = keras.Input(image_shape)  # 224×224×3
    x = layers.ZeroPadding2D(3, name="conv1_pad")(inputs)  # 230×230×3
    x = convolution(x, scaled(64, width), 7, "conv1", strides=2, padding="valid", use_bias=convolution_bias)
    x = layers.ReLU(name="conv1_relu")(x)  # 112×112×64
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)  # 114×114×64
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)  # 56×56×64
    for stage, (blocks, filters) in enumerate(zip(BLOCKS[depth], FILTERS, strict=True), start=2):
        for index in range(1, blocks + 1):
            strides = 2 if index == 1 and stage > 2 else 1  # 56×56, 28×28, 14×14, 7×7
            prefix = f"conv{stage}_block{index}"
            x = block(x, scaled(filters, width), strides, prefix, shortcut=shortcut, use_bias=convolution_bias)
    return keras.Model(inputs, head(x, num_classes), name=name)


def basic(x, filters: int, strides: int, name: str, *, shortcut: str | None, use_bias: bool = False):
    """Two 3×3 convolutions around which the input is led (Figure 2); without a `shortcut`, a plain pair."""
    short = x if shortcut is None else _shortcut(x, filters, strides, name, shortcut, use_bias)
    x = convolution(x, filters, 3, f"{name}_1", strides=strides, use_bias=use_bias)
    x = layers.ReLU(name=f"{name}_1_relu")(x)
    x = convolution(x, filters, 3, f"{name}_2", use_bias=use_bias)
    return _joined(short, x, name, shortcut)


def bottleneck(x, filters: int, strides: int, name: str, *, shortcut: str | None, use_bias: bool = False):
    """1×1 to fewer maps, 3×3, 1×1 to four times as many (Figure 5, right)."""
    short = x if shortcut is None else _shortcut(x, 4 * filters, strides, name, shortcut, use_bias)
    x = convolution(x, filters, 1, f"{name}_1", strides=strides, use_bias=use_bias)
    x = layers.ReLU(name=f"{name}_1_relu")(x)
    x = convolution(x, filters, 3, f"{name}_2", use_bias=use_bias)
    x = layers.ReLU(name=f"{name}_2_relu")(x)
    x = convolution(x, 4 * filters, 1, f"{name}_3", use_bias=use_bias)
    return _joined(short, x, name, shortcut)


def convolution(x, filters: int, kernel_size: int, name: str, *, strides=1, padding="same", use_bias=False):
    """A convolution and its batch normalization."""
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding,
        use_bias=use_bias,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1.001e-5, name=f"{name}_bn")(x)


def head(x, num_classes: int):
    """The mean of each map, then logits `(batch, num_classes)`."""
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)  # 512, or 2048 behind bottlenecks
    return layers.Dense(num_classes, dtype="float32", name="predictions")(x)  # 1000


def _shortcut(x, filters: int, strides: int, name: str, option: str, use_bias: bool):
    if option != "C" and strides == 1 and x.shape[-1] == filters:
        return x
    if option == "A":
        return ShortcutA(filters, strides, name=f"{name}_shortcut")(x)
    return convolution(x, filters, 1, f"{name}_0", strides=strides, use_bias=use_bias)


def _joined(short, x, name: str, shortcut: str | None):
    if shortcut is not None:
        # The order matters to weight files: Keras sorts layers by the order in which a merge takes them.
        x = layers.Add(name=f"{name}_add")([short, x])
    return layers.ReLU(name=f"{name}_out")(x)

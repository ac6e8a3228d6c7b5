"""Residual networks for ImageNet and for CIFAR-10, and the plain networks they were compared with.

K. He, X. Zhang, S. Ren, J. Sun: Deep Residual Learning for Image Recognition, CVPR 2016, arXiv:1512.03385.
For ImageNet, Table 1:

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

For CIFAR-10, section 4.2 and Table 6, on which depth was studied up to 1,202 layers:

| stage | what                            | output   |
|-------|---------------------------------|----------|
| conv1 | 16 filters 3×3                  | 32×32×16 |
| conv2 | n blocks of 2 × 16 filters 3×3  | 32×32×16 |
| conv3 | n blocks of 2 × 32 filters 3×3  | 16×16×32 |
| conv4 | n blocks of 2 × 64 filters 3×3  | 8×8×64   |
| head  | mean of each map, dense         | 10       |

| layers, 6n + 2 |      20 |      32 |      44 |      56 |       110 |       1202 |
|----------------|--------:|--------:|--------:|--------:|----------:|-----------:|
| parameters     | 269,722 | 464,154 | 658,586 | 853,018 | 1,727,962 | 19,421,274 |

A block of 18 and 34 layers, and of all for CIFAR-10, is two 3×3 convolutions; one of 50, 101 and 152 a
bottleneck: 1×1, 3×3 and 1×1. Each convolution is followed by batch normalization; a ReLU follows the addition. A
shortcut is the identity where shapes allow it. Where they do not, `shortcut` "A" takes every second pixel and fills up
with empty maps, "B" projects by a 1×1 convolution; "C" projects everywhere (section 3.3). For ImageNet the paper
compares plain with residual networks under A, and builds 50 layers and more with B, the default. For CIFAR-10 it takes
A, the default there: a residual network and the plain one of its depth then have the same parameters. The layers carry
the names of `keras.applications`; `convolution_bias=True` gives its biases too, which batch normalization makes
redundant.

What is ambiguous, and what was chosen:
- a stage's first bottleneck halves the map in its first 1×1 convolution ("version 1"); others moved that
  to the 3×3 (torchvision, "1.5").
- the paper names no constants of batch normalization: epsilon is Keras' 1.001e-5 here, and the running
  statistics forget a tenth per step.
"""

import contextlib
import dataclasses
import sys
from collections.abc import Iterator

import keras
from keras import layers, ops

from course_lib.models.convolutional import register
from course_lib.models.options import scaled
from course_lib.normalization import BatchNormalization


@dataclasses.dataclass(frozen=True)
class Stages:
    """A column of Table 1: the number of blocks in each stage, and of which kind they are."""

    blocks: tuple[int, int, int, int]
    bottleneck: bool = False


IMAGENET = {
    "plain18": Stages((2, 2, 2, 2)),
    "plain34": Stages((3, 4, 6, 3)),
    "resnet18": Stages((2, 2, 2, 2)),
    "resnet34": Stages((3, 4, 6, 3)),
    "resnet50": Stages((3, 4, 6, 3), bottleneck=True),
    "resnet101": Stages((3, 4, 23, 3), bottleneck=True),
    "resnet152": Stages((3, 8, 36, 3), bottleneck=True),
}
CIFAR_DEPTHS = {  # weight layers, 6n + 2
    "plain20": 20,
    "plain32": 32,
    "plain44": 44,
    "plain56": 56,
    "plain110": 110,
    "resnet20": 20,
    "resnet32": 32,
    "resnet44": 44,
    "resnet56": 56,
    "resnet110": 110,
    "resnet1202": 1202,
}
FILTERS = (64, 128, 256, 512)
CIFAR_FILTERS = (16, 32, 64)
FRAMES_PER_LAYER = 12  # of Python's stack, with room to spare


@register
class ShortcutA(layers.Layer):
    """Every `stride`-th pixel of the input, with maps of zeros added up to `filters`: no parameters."""

    kernel_size = (1, 1)

    def __init__(self, filters: int, stride: int, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.strides = (stride, stride)

    def call(self, inputs):
        pixels = ops.average_pool(inputs, 1, self.strides)  # a slice with steps, and its gradient, are slow
        return ops.pad(pixels, [(0, 0), (0, 0), (0, 0), (0, self.filters - inputs.shape[-1])])

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        return (batch, height and -(-height // self.strides[0]), width and -(-width // self.strides[1]), self.filters)

    def multiply_adds(self, output_shape) -> int:
        return 0

    def connections(self, output_shape) -> int:
        return 0

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "stride": self.strides[0]}


def basic(x, filters: int, strides: int, name: str, *, shortcut: str | None, use_bias: bool = False):
    """Two 3×3 convolutions with a shortcut around them (Figure 2); plain without a `shortcut`."""
    short = x if shortcut is None else _shortcut(x, filters, strides, name, shortcut, use_bias)
    x = convolution(x, filters, 3, f"{name}_1", strides=strides, use_bias=use_bias)
    x = layers.ReLU(name=f"{name}_1_relu")(x)
    x = convolution(x, filters, 3, f"{name}_2", use_bias=use_bias)
    return _joined(short, x, name, shortcut)


def bottleneck(x, filters: int, strides: int, name: str, *, shortcut: str | None, use_bias: bool = False):
    """A bottleneck: 1×1 to fewer maps, 3×3, 1×1 to four times as many (Figure 5, right)."""
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
    return BatchNormalization(momentum=0.9, epsilon=1.001e-5, name=f"{name}_bn")(x)


def head(x, num_classes: int):
    """The mean of each map, then logits `(batch, num_classes)`."""
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)  # 512, 2048 behind bottlenecks, 64 for CIFAR-10
    return layers.Dense(num_classes, dtype="float32", name="predictions")(x)  # 1000, or 10


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
    inputs = keras.Input(image_shape)  # 224×224×3, or 32×32×3
    if name in CIFAR_DEPTHS:
        depth = CIFAR_DEPTHS[name]
        logits = cifar_network(inputs, depth, num_classes, width, shortcut)
        with _recursion_limit(FRAMES_PER_LAYER * depth):
            return keras.Model(inputs, logits, name=name)
    stages = IMAGENET[name]
    block = bottleneck if stages.bottleneck else basic
    x = layers.ZeroPadding2D(3, name="conv1_pad")(inputs)  # 230×230×3
    x = convolution(x, scaled(64, width), 7, "conv1", strides=2, padding="valid", use_bias=convolution_bias)
    x = layers.ReLU(name="conv1_relu")(x)  # 112×112×64
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)  # 114×114×64
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)  # 56×56×64
    for stage, (blocks, filters) in enumerate(zip(stages.blocks, FILTERS, strict=True), start=2):
        for index in range(1, blocks + 1):
            strides = 2 if index == 1 and stage > 2 else 1  # 56×56, 28×28, 14×14, 7×7
            prefix = f"conv{stage}_block{index}"
            x = block(x, scaled(filters, width), strides, prefix, shortcut=shortcut, use_bias=convolution_bias)
    return keras.Model(inputs, head(x, num_classes), name=name)


def cifar_network(inputs, depth: int, num_classes: int, width: float, shortcut: str | None):
    """The logits `(batch, num_classes)` of a network of `depth` = 6n + 2 layers; plain without a `shortcut`."""
    x = convolution(inputs, scaled(CIFAR_FILTERS[0], width), 3, "conv1")
    x = layers.ReLU(name="conv1_relu")(x)  # 32×32×16
    for stage, filters in enumerate(CIFAR_FILTERS, start=2):
        for index in range(1, (depth - 2) // 6 + 1):
            strides = 2 if index == 1 and stage > 2 else 1  # 32×32×16, 16×16×32, 8×8×64
            x = basic(x, scaled(filters, width), strides, f"conv{stage}_block{index}", shortcut=shortcut)
    return head(x, num_classes)


@contextlib.contextmanager
def _recursion_limit(frames: int) -> Iterator[None]:
    """Room for Keras, which follows a network from its output to its input by recursion."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, frames))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)

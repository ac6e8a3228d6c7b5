"""The residual and plain networks for CIFAR-10, on which depth was studied up to 1,202 layers.

K. He, X. Zhang, S. Ren, J. Sun: Deep Residual Learning for Image Recognition, CVPR 2016, arXiv:1512.03385,
section 4.2 and Table 6.

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

The blocks are those of `resnet.py`. All shortcuts are without parameters (option A), as in the paper, so that a
residual network and the plain one of its depth have the same parameters; `shortcut` builds B and C as well.
"""

import contextlib
import sys
from collections.abc import Iterator

import keras
from keras import layers

from course_lib.models.resnet import basic, convolution, head
from course_lib.models.scaling import scaled

FILTERS = (16, 32, 64)
FRAMES_PER_LAYER = 12  # of Python's stack, with room to spare


def build(
    name: str, *, image_shape: tuple[int, int, int], num_classes: int, width: float, shortcut: str | None = None
) -> keras.Model:
    """The network `name` with logits `(batch, num_classes)`. Use `models.build`, which checks the arguments."""
    depth = int(name.removeprefix("plain").removeprefix("resnet"))
    inputs = keras.Input(image_shape)  # 32×32×3
    logits = network(inputs, depth, num_classes, width, shortcut)
    with _recursion_limit(FRAMES_PER_LAYER * depth):
        return keras.Model(inputs, logits, name=name)


def network(inputs, depth: int, num_classes: int, width: float, shortcut: str | None):
    """The logits `(batch, num_classes)` of a network of `depth` = 6n + 2 layers; plain without a `shortcut`."""
    x = convolution(inputs, scaled(FILTERS[0], width), 3, "conv1")
    x = layers.ReLU(name="conv1_relu")(x)  # 32×32×16
    for stage, filters in enumerate(FILTERS, start=2):
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

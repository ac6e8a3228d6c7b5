"""GoogLeNet, winner of 2014: nine Inception modules, each looking at four scales at once.

C. Szegedy, W. Liu, Y. Jia, P. Sermanet, S. Reed, D. Anguelov, D. Erhan, V. Vanhoucke, A. Rabinovich: Going Deeper
with Convolutions, CVPR 2015, arXiv:1409.4842, Table 1.

| stage     | what                                     | output     | parameters |
|-----------|------------------------------------------|------------|-----------:|
| conv1     | 64 filters 7×7, /2; 3×3 pooling, /2; norm| 56×56×64   |      9,472 |
| conv2     | 64 filters 1×1, 192 filters 3×3; norm    | 56×56×192  |    114,944 |
|           | 3×3 pooling, /2                          | 28×28×192  |            |
| 3a, 3b    | Inception                                | 28×28×480  |    552,432 |
|           | 3×3 pooling, /2                          | 14×14×480  |            |
| 4a to 4e  | Inception                                | 14×14×832  |  2,809,192 |
|           | 3×3 pooling, /2                          | 7×7×832    |            |
| 5a, 5b    | Inception                                | 7×7×1024   |  2,487,512 |
| head      | mean of each map, dropout 0.4, dense     | 1000       |  1,025,000 |
|           |                                          |            |  6,998,552 |

`auxiliary=True` adds the two classifiers behind 4a and 4d that the paper trains with, 13,378,280 parameters in
all: the model then has the outputs "predictions", "auxiliary1" and "auxiliary2", and the losses of the last two
count `AUXILIARY_WEIGHT` each. They need 224×224 pixels.

What is ambiguous, and what was chosen:
- the paper's column of parameters adds up to 6.8 million ("12 times fewer" than AlexNet would be 5): its rows
  are rounded, and conv1's 2.7 thousand is not what 7×7 kernels over three channels have (9.4 thousand).
- for the same reason its 1.5 billion operations are too few: a recount gives 1,582,671,872 multiply-adds. 2.7
  thousand and its 34 million operations would fit a separable first convolution, which is not described.
- the constants of the normalization are AlexNet's; how weights start is not said: Glorot's way here.
"""

import keras
from keras import layers

from course_lib.models.convolutional import LocalResponseNormalization
from course_lib.models.options import scaled

# Table 1: filters of the 1×1 branch; reduction and 3×3; reduction and 5×5; 1×1 behind the pooling.
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
AUXILIARY = {"4a": "auxiliary1", "4d": "auxiliary2"}
AUXILIARY_WEIGHT = 0.3  # of their losses, in training (section 5)
AUXILIARY_SIDE = 224  # pixels


def build(
    name: str, *, image_shape: tuple[int, int, int], num_classes: int, width: float, auxiliary: bool, dropout: float
) -> keras.Model:
    """GoogLeNet with logits `(batch, num_classes)`. Use `models.build("googlenet")`, which checks the arguments.

    Raises:
        ValueError: auxiliary classifiers on images too small for them.
    """
    if auxiliary and min(image_shape[:2]) < AUXILIARY_SIDE:
        raise ValueError(
            f"the auxiliary classifiers of {name} need images of at least {AUXILIARY_SIDE}×{AUXILIARY_SIDE} pixels, "
            f"not {image_shape}: leave auxiliary=True out"
        )
    inputs = keras.Input(image_shape)  # 224×224×3
    x = _convolution(inputs, scaled(64, width), 7, "conv1", strides=2)  # 112×112×64
    x = LocalResponseNormalization(name="norm1")(_pooling(x, "pool1"))  # 56×56×64
    x = _convolution(x, scaled(64, width), 1, "conv2_reduce")  # 56×56×64
    x = _convolution(x, scaled(192, width), 3, "conv2")  # 56×56×192
    x = _pooling(LocalResponseNormalization(name="norm2")(x), "pool2")  # 28×28×192
    heads = []
    for module, filters in MODULES.items():
        if module in ("4a", "5a"):
            x = _pooling(x, f"pool{int(module[0]) - 1}")  # 14×14×480, 7×7×832
        x = inception(x, [scaled(count, width) for count in filters], f"inception_{module}")
        if auxiliary and module in AUXILIARY:
            heads.append(_auxiliary(x, AUXILIARY[module], num_classes, width))
    x = layers.GlobalAveragePooling2D(name="mean")(x)  # 1024
    x = layers.Dropout(dropout, name="dropout")(x)
    logits = layers.Dense(num_classes, dtype="float32", name="predictions")(x)  # 1000
    return keras.Model(inputs, [logits, *heads] if heads else logits, name=name)


def inception(x, filters: list[int], name: str):
    """An Inception module: four branches from the same maps, side by side (Figure 2b)."""
    one, three_reduced, three, five_reduced, five, projected = filters
    branch1 = _convolution(x, one, 1, f"{name}_1x1")
    branch2 = _convolution(x, three_reduced, 1, f"{name}_3x3_reduce")
    branch2 = _convolution(branch2, three, 3, f"{name}_3x3")
    branch3 = _convolution(x, five_reduced, 1, f"{name}_5x5_reduce")
    branch3 = _convolution(branch3, five, 5, f"{name}_5x5")
    branch4 = _pooling(x, f"{name}_pool", strides=1)
    branch4 = _convolution(branch4, projected, 1, f"{name}_pool_1x1")
    return layers.Concatenate(name=name)([branch1, branch2, branch3, branch4])


def _convolution(x, filters: int, kernel_size: int, name: str, strides: int = 1):
    return layers.Conv2D(filters, kernel_size, strides, padding="same", activation="relu", name=name)(x)


def _pooling(x, name: str, strides: int = 2):
    return layers.MaxPooling2D(3, strides, padding="same", name=name)(x)


def _auxiliary(x, name: str, num_classes: int, width: float):
    """An auxiliary classifier half way, which gives the early layers a gradient (section 5)."""
    x = layers.AveragePooling2D(5, strides=3, name=f"{name}_pool")(x)  # 4×4
    x = _convolution(x, scaled(128, width), 1, f"{name}_conv")  # 4×4×128
    x = layers.Flatten(name=f"{name}_flatten")(x)  # 2048
    x = layers.Dense(scaled(1024, width), activation="relu", name=f"{name}_fc")(x)  # 1024
    x = layers.Dropout(0.7, name=f"{name}_dropout")(x)
    return layers.Dense(num_classes, dtype="float32", name=name)(x)  # 1000

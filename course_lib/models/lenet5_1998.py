"""LeNet-5 as published, to the parameter.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-Based Learning Applied to Document Recognition,
Proceedings of the IEEE 86(11):2278–2324, 1998, sections II-B and II-C. doi:10.1109/5.726791

| layer  | what                                 | output   | trainable | connections |
|--------|--------------------------------------|----------|----------:|------------:|
| c1     | 6 filters 5×5                        | 28×28×6  |       156 |     122,304 |
| s2     | 2×2 sum × coefficient + bias         | 14×14×6  |        12 |       5,880 |
| c3     | 16 filters 5×5, each on part of s2   | 10×10×16 |     1,516 |     151,600 |
| s4     | 2×2 sum × coefficient + bias         | 5×5×16   |        32 |       2,000 |
| c5     | 120 filters 5×5                      | 1×1×120  |    48,120 |      48,120 |
| f6     | dense                                | 84       |    10,164 |      10,164 |
| output | distance to ten fixed codes          | 10       |         0 |         840 |
|        |                                      |          |    60,000 |     340,908 |

Every unit of c1 to f6 passes its sum through 1.7159 tanh(2a/3).

What differs from the paper, and why:
- the output is negated, so that the largest is the answer as in every network here; the losses take it so.
- the paper does not say whether black is +1 or −1 in the codes; black is +1, as in other implementations.
- it gives the constant j of its second loss no value; see `lenet5_map`.
- it says how weights start (±2.4 / fan-in; a subsampling unit has four inputs) but not biases: zero here.
- `width` and images larger than 32×32 are ours: `width` resamples Table I and leaves f6 at the codes' 84.
"""

import keras
import numpy as np
from keras import layers, ops

from course_lib.models.lenet5_1998_layers import (
    FanInUniform,
    PartialConv2D,
    RadialBasis,
    Subsampling2D,
    register,
    scaled_tanh,
)
from course_lib.models.options import scaled

# Table I: the maps of s2 that each map of c3 sees.
TABLE_I = (
    (0, 1, 2),
    (1, 2, 3),
    (2, 3, 4),
    (3, 4, 5),
    (0, 4, 5),
    (0, 1, 5),
    (0, 1, 2, 3),
    (1, 2, 3, 4),
    (2, 3, 4, 5),
    (0, 3, 4, 5),
    (0, 1, 4, 5),
    (0, 1, 2, 5),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)

# Figure 3: the digits 0 to 9 as 7×12 bitmaps, the codes that f6 is to produce.
BITMAPS = """
.#####. ...##.. .#####. ####### .#####. .#####. ..####. ####### .#####. .#####.
....... ..###.. ....... .....## ....... ....... .##.... .....## ##...## ##..###
..###.. .####.. .#####. ....##. ....... ####### ##..... .....## ##...## ##...##
.##.##. ...##.. ##...## ...##.. .##..## ##..... ##..... ....##. ##...## ##...##
##...## ...##.. #....## ..####. .##..## ##..... ######. ...##.. .#####. ##..###
##...## ...##.. ....##. .....## ###..## .####.. ###..## ...##.. ##...## .######
##...## ...##.. ..###.. .....## ##...## ..####. ##...## ..##... ##...## .....##
##...## ...##.. .##.... .....## ##...## .....## ##...## ..##... ##...## .....##
.##.##. ...##.. ##..... ##...## ##..### ##...## ###..## ..##... ##...## ....##.
..###.. .###### ####### .#####. .###### .#####. .#####. ..##... .#####. .####..
....... ....... ....... ....... .....## ....... ....... ....... ....... .......
....... ....... ....... ....... .....## ....... ....... ....... ....... .......
"""
# (digit, row, column), black +1, white −1
CODES = np.array(
    [
        [[1 if cell == "#" else -1 for cell in row] for row in digit]
        for digit in zip(*map(str.split, BITMAPS.strip().splitlines()), strict=True)
    ]
)


def resampled_table(inputs: int, outputs: int) -> list[list[int]]:
    """Table I for other numbers of maps: its 16×6 crosses resampled to `outputs`×`inputs` like an image."""
    crosses = np.array([[source in sources for source in range(6)] for sources in TABLE_I])
    crosses = crosses[np.arange(outputs) * 16 // outputs][:, np.arange(inputs) * 6 // inputs]
    # With few maps a row can lose all its crosses; such a map sees everything.
    return [np.flatnonzero(row).tolist() or list(range(inputs)) for row in crosses]


SQUASHED = {"activation": scaled_tanh, "kernel_initializer": FanInUniform()}  # for Keras' own layers


def build(name: str, *, image_shape: tuple[int, int, int], num_classes: int, width: float) -> keras.Model:
    """The published LeNet-5; its logits `(batch, num_classes)` are negated squared distances to the codes.

    Use `models.build("lenet5_1998")`, which checks the arguments.

    Raises:
        ValueError: more than ten classes, since the paper draws codes for the ten digits only.
    """
    if num_classes > len(CODES):
        raise ValueError(
            f"num_classes of {name} must be 2 to 10, since the paper has codes for the ten digits only, "
            f"not {num_classes}; models.build('lenet5') takes any number"
        )
    c1, c3, c5 = (scaled(maps, width) for maps in (6, 16, 120))
    inputs = keras.Input(image_shape)  # 32×32×1
    x = layers.Conv2D(c1, 5, **SQUASHED, name="c1")(inputs)  # 28×28×6
    x = Subsampling2D(name="s2")(x)  # 14×14×6
    x = PartialConv2D(resampled_table(c1, c3), 5, name="c3")(x)  # 10×10×16
    x = Subsampling2D(name="s4")(x)  # 5×5×16
    x = layers.Conv2D(c5, 5, **SQUASHED, name="c5")(x)  # 1×1×120
    x = layers.Flatten(name="flatten")(x)  # 120; more where the image is larger than 32×32
    x = layers.Dense(84, **SQUASHED, name="f6")(x)  # 84
    # Distances reach hundreds, where float16 is too coarse: this layer always computes in float32.
    codes = CODES[:num_classes].reshape(num_classes, -1)
    logits = RadialBasis(codes, dtype="float32", name="output")(x)  # 10
    return keras.Model(inputs, logits, name=name)


@register
def lenet5_mse(y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
    """Equation 8, per example: the squared distance to the code of the correct class, `y_D`.

    `y_true` are class numbers `(batch,)` or `(batch, 1)`, `y_pred` the network's logits
    `(batch, num_classes)`; the result is `(batch,)`.
    It is safe only because the codes are fixed: trained ones could all collapse into one (section II-C).
    """
    labels = ops.cast(ops.reshape(y_true, (-1,)), "int32")
    return -ops.sum(ops.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype) * y_pred, axis=-1)


@register
def lenet5_map(y_true: keras.KerasTensor, y_pred: keras.KerasTensor, j: float = 12.0) -> keras.KerasTensor:
    """Equation 9, per example: `y_D + log(exp(−j) + Σ_i exp(−y_i))`, which also pushes wrong classes away.

    Takes and returns what `lenet5_mse` does. A class much farther away than `j` is pushed no further. The paper
    gives `j` no value; 12 is the distance to both codes from half way between the nearest two, those of 6 and 8.
    """
    rubbish = ops.full_like(y_pred[:, :1], -j)
    return lenet5_mse(y_true, y_pred) + ops.logsumexp(ops.concatenate([rubbish, y_pred], axis=-1), axis=-1)

"""LeNet-5 as it is built today: the network of LeCun et al. (1998) in standard layers.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-Based Learning Applied to Document Recognition,
Proceedings of the IEEE 86(11):2278–2324, 1998, section II-B. doi:10.1109/5.726791

| layer  | what                    | output   | parameters |
|--------|-------------------------|----------|-----------:|
| c1     | 6 filters 5×5           | 28×28×6  |        156 |
| s2     | 2×2 average pooling     | 14×14×6  |          0 |
| c3     | 16 filters 5×5          | 10×10×16 |      2,416 |
| s4     | 2×2 average pooling     | 5×5×16   |          0 |
| c5     | dense                   | 120      |     48,120 |
| f6     | dense                   | 84       |     10,164 |
| output | dense                   | 10       |        850 |
|        |                         |          |     61,706 |

What differs from the paper's 60,000 parameters (`lenet5_1998`), and why:
- c3 sees all six maps of s2 (+900): the paper's partial table saved computing time and broke symmetry.
- s2 and s4 only average (−44): their coefficients and biases can be absorbed by the next convolution.
- tanh is not scaled, and follows the convolutions and f6 only.
- c5 is dense: on the 5×5 maps of a 32×32 image that is the paper's convolution, and faster.
- the output is a trained dense layer (+850) for softmax cross-entropy, not ten fixed codes.
"""

import keras
from keras import layers

from course_lib.models.options import scaled

POOLING = {"average": layers.AveragePooling2D, "max": layers.MaxPooling2D}


def build(
    name: str,
    *,
    image_shape: tuple[int, int, int],
    num_classes: int,
    width: float,
    activation: str,
    pooling: str,
) -> keras.Model:
    """LeNet-5 with logits `(batch, num_classes)`. Use `models.build("lenet5")`, which checks the arguments."""
    pool = POOLING[pooling]
    inputs = keras.Input(image_shape)  # 32×32×1
    x = layers.Conv2D(scaled(6, width), 5, activation=activation, name="c1")(inputs)  # 28×28×6
    x = pool(2, name="s2")(x)  # 14×14×6
    x = layers.Conv2D(scaled(16, width), 5, activation=activation, name="c3")(x)  # 10×10×16
    x = pool(2, name="s4")(x)  # 5×5×16
    x = layers.Flatten(name="flatten")(x)  # 400
    x = layers.Dense(scaled(120, width), activation=activation, name="c5")(x)  # 120
    x = layers.Dense(scaled(84, width), activation=activation, name="f6")(x)  # 84
    # Logits stay in float32, so that the loss keeps its precision when the layers below compute in float16.
    logits = layers.Dense(num_classes, dtype="float32", name="output")(x)  # 10
    return keras.Model(inputs, logits, name=name)

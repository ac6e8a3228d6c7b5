"""ZFNet: AlexNet in one tower, with a finer look at the image.

M. D. Zeiler, R. Fergus: Visualizing and Understanding Convolutional Networks, ECCV 2014, arXiv:1311.2901,
section 3 and Figure 3.

| layer | what                  | output    | parameters |
|-------|-----------------------|-----------|-----------:|
| conv1 | 96 filters 7×7, /2    | 110×110×96|     14,208 |
|       | 3×3 pooling, /2, norm | 55×55×96  |            |
| conv2 | 256 filters 5×5, /2   | 26×26×256 |    614,656 |
|       | 3×3 pooling, /2, norm | 13×13×256 |            |
| conv3 | 384 filters 3×3       | 13×13×384 |    885,120 |
| conv4 | 384 filters 3×3       | 13×13×384 |  1,327,488 |
| conv5 | 256 filters 3×3       | 13×13×256 |    884,992 |
|       | 3×3 pooling, /2       | 6×6×256   |            |
| fc6   | dense, dropout        | 4096      | 37,752,832 |
| fc7   | dense, dropout        | 4096      | 16,781,312 |
| fc8   | dense                 | 1000      |  4,097,000 |
|       |                       |           | 62,357,608 |

What is ambiguous, and what was chosen:
- the paper's text gives 7×7 filters at stride 2, pooling to 55×55 and the 9,216 inputs of fc6. The other
  sizes (110, 26, 13; stride 2 of conv2; the numbers of filters from conv2 on) are as secondary sources read
  its Figure 3.
- padding is not stated. One pixel around the image and partial windows in the first two poolings give 110, 55
  and 13; without the pixel conv1 would give 109.
- "contrast normalization across feature maps" comes without constants; here it is AlexNet's.
- filters whose root mean square exceeds 0.1 are scaled back in the paper's training. That is part of the
  training, for images in about ±128, and is left out.
"""

import keras
from keras import layers

from course_lib.models.convolutional import LocalResponseNormalization
from course_lib.models.options import scaled


def build(name: str, *, image_shape: tuple[int, int, int], num_classes: int, width: float, dropout: float):
    """ZFNet with logits `(batch, num_classes)`. Use `models.build("zfnet")`, which checks the arguments."""

    def convolution(x, number: int, filters: int, kernel_size: int, **kwargs):
        kwargs |= {"activation": "relu", "kernel_initializer": _normal()}
        return layers.Conv2D(scaled(filters, width), kernel_size, **kwargs, name=f"conv{number}")(x)

    def pooled(x, number: int):
        x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"pool{number}")(x)
        return LocalResponseNormalization(name=f"norm{number}")(x)

    inputs = keras.Input(image_shape)  # 224×224×3
    x = layers.ZeroPadding2D(1, name="pad1")(inputs)  # 226×226×3
    x = pooled(convolution(x, 1, 96, 7, strides=2), 1)  # 110×110×96, 55×55×96
    x = pooled(convolution(x, 2, 256, 5, strides=2), 2)  # 26×26×256, 13×13×256
    x = convolution(x, 3, 384, 3, padding="same")  # 13×13×384
    x = convolution(x, 4, 384, 3, padding="same")  # 13×13×384
    x = convolution(x, 5, 256, 3, padding="same")  # 13×13×256
    x = layers.MaxPooling2D(3, strides=2, name="pool5")(x)  # 6×6×256
    x = layers.Flatten(name="flatten")(x)  # 9216
    for number in (6, 7):
        x = layers.Dense(
            scaled(4096, width), activation="relu", kernel_initializer=_normal(), name=f"fc{number}"
        )(x)  # 4096  # fmt: skip
        x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    logits = layers.Dense(num_classes, kernel_initializer=_normal(), dtype="float32", name="fc8")(x)  # 1000
    return keras.Model(inputs, logits, name=name)


def _normal() -> keras.initializers.Initializer:
    """Normal with deviation 0.01: how the paper's "initialized to 10⁻²" is read here (section 3.1)."""
    return keras.initializers.RandomNormal(stddev=0.01)

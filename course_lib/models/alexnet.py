"""AlexNet, the network that won the ImageNet challenge of 2012, in two towers and in one.

A. Krizhevsky, I. Sutskever, G. E. Hinton: ImageNet Classification with Deep Convolutional Neural Networks,
Advances in Neural Information Processing Systems 25, 2012, section 3.

| layer | what                  | output    | parameters, two towers | one tower  |
|-------|-----------------------|-----------|-----------------------:|-----------:|
| conv1 | 96 filters 11×11, /4  | 55×55×96  |                 34,944 |     34,944 |
|       | norm, 3×3 pooling, /2 | 27×27×96  |                        |            |
| conv2 | 256 filters 5×5       | 27×27×256 |                307,456 |    614,656 |
|       | norm, 3×3 pooling, /2 | 13×13×256 |                        |            |
| conv3 | 384 filters 3×3       | 13×13×384 |                885,120 |    885,120 |
| conv4 | 384 filters 3×3       | 13×13×384 |                663,936 |  1,327,488 |
| conv5 | 256 filters 3×3       | 13×13×256 |                442,624 |    884,992 |
|       | 3×3 pooling, /2       | 6×6×256   |                        |            |
| fc6   | dense, dropout        | 4096      |             37,752,832 | 37,752,832 |
| fc7   | dense, dropout        | 4096      |             16,781,312 | 16,781,312 |
| fc8   | dense                 | 1000      |              4,097,000 |  4,097,000 |
|       |                       |           |             60,965,224 | 62,378,344 |

Each of the paper's two GPUs holds one tower, half of the filters; conv2, conv4 and conv5 see their own tower
only, which a convolution in two groups computes on any number of devices.

What is ambiguous, and what was chosen:
- the paper says 224×224 pixels, from which 11×11 filters at stride 4 cannot reach 55×55; 227×227 can.
- biases of 1 in conv2, conv4, conv5, fc6 and fc7 are the paper's; Caffe's copy needed 0.1 to train.
- the pooling layers are not padded; the convolutions after the first keep the size of the maps.

`alexnet_one_tower` is the usual simplification: every convolution sees everything, the rest is the same.
`initialization`, `activation`, `normalization` ("batch" normalizes every convolution before its activation),
`overlapping_pooling` and `dropout` take the paper's tricks away one at a time.
"""

import dataclasses

import keras
from keras import layers

from course_lib.models.convolutional import GroupedConv2D, LocalResponseNormalization, initializer
from course_lib.models.options import scaled
from course_lib.normalization import BatchNormalization


@dataclasses.dataclass(frozen=True)
class Convolution:
    """A row of the table above."""

    filters: int
    kernel_size: int
    strides: int = 1
    apart: bool = False  # each tower sees itself only
    bias: float = 0.0  # at the start, in the paper's initialization
    normalized: bool = False
    pooled: bool = False


LAYERS = (
    Convolution(96, 11, strides=4, normalized=True, pooled=True),
    Convolution(256, 5, apart=True, bias=1.0, normalized=True, pooled=True),
    Convolution(384, 3),
    Convolution(384, 3, apart=True, bias=1.0),
    Convolution(256, 3, apart=True, bias=1.0, pooled=True),
)
DENSE = 4096
TOWERS = {"alexnet": 2, "alexnet_one_tower": 1}


def build(name: str, *, image_shape: tuple[int, int, int], num_classes: int, width: float, **options) -> keras.Model:
    """AlexNet with logits `(batch, num_classes)`. Use `models.build("alexnet")`, which checks the arguments."""
    tricks = Tricks(towers=TOWERS[name], **options)
    inputs = keras.Input(image_shape)  # 227×227×3
    return keras.Model(inputs, network(inputs, LAYERS, num_classes, width, tricks), name=name)


@dataclasses.dataclass(frozen=True)
class Tricks:
    """The ideas of the paper that can be switched off."""

    towers: int
    initialization: str
    activation: str
    normalization: str
    overlapping_pooling: bool
    dropout: float

    def weights(self, bias: float) -> dict[str, object]:
        """The initializers of a layer's kernel and bias; only the paper's initialization has biases other than 0."""
        constant = keras.initializers.Constant(bias if self.initialization == "normal" else 0.0)
        return {"kernel_initializer": initializer(self.initialization), "bias_initializer": constant}


def network(inputs, rows: tuple[Convolution, ...], num_classes: int, width: float, tricks: Tricks):
    """The logits `(batch, num_classes)` of AlexNet with the convolutions of these rows."""
    x = inputs
    for number, row in enumerate(rows, start=1):
        x = _convolution(x, number, row, width, tricks)  # 27×27×96, 13×13×256, 13×13×384 twice, 6×6×256
    x = layers.Flatten(name="flatten")(x)  # 9216
    for number in (6, 7):
        x = layers.Dense(scaled(DENSE, width), **tricks.weights(1.0), name=f"fc{number}")(x)  # 4096
        x = layers.Activation(tricks.activation, name=f"activation{number}")(x)
        if tricks.dropout:
            x = layers.Dropout(tricks.dropout, name=f"dropout{number}")(x)
    return layers.Dense(num_classes, **tricks.weights(0.0), dtype="float32", name="fc8")(x)  # 1000


def _convolution(x, number: int, row: Convolution, width: float, tricks: Tricks):
    """Convolution, activation, then normalization and pooling where the row has them."""
    x = GroupedConv2D(
        scaled(row.filters, width, multiple=2),  # the towers are equally wide
        row.kernel_size,
        strides=row.strides,
        padding="valid" if row.strides > 1 else "same",
        groups=tricks.towers if row.apart else 1,
        **tricks.weights(row.bias),
        name=f"conv{number}",
    )(x)
    if tricks.normalization == "batch":
        x = BatchNormalization(name=f"norm{number}")(x)
    x = layers.Activation(tricks.activation, name=f"activation{number}")(x)
    if row.normalized and tricks.normalization == "local_response":
        x = LocalResponseNormalization(name=f"norm{number}")(x)
    if row.pooled:
        x = layers.MaxPooling2D(3 if tricks.overlapping_pooling else 2, strides=2, name=f"pool{number}")(x)
    return x

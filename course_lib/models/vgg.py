"""The VGG networks: nothing but 3×3 convolutions, deeper and deeper.

K. Simonyan, A. Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015,
arXiv:1409.1556, Table 1.

| column | name       | layers | convolutions per block | parameters  |
|--------|------------|-------:|------------------------|------------:|
| A      | vgg11      |     11 | 1, 1, 2, 2, 2          | 132,863,336 |
| A-LRN  | vgg11_lrn  |     11 | 1, 1, 2, 2, 2          | 132,863,336 |
| B      | vgg13      |     13 | 2, 2, 2, 2, 2          | 133,047,848 |
| C      | vgg16_1x1  |     16 | 2, 2, 3, 3, 3          | 133,638,952 |
| D      | vgg16      |     16 | 2, 2, 3, 3, 3          | 138,357,544 |
| E      | vgg19      |     19 | 2, 2, 4, 4, 4          | 143,667,240 |

The blocks have 64, 128, 256, 512 and 512 filters, each followed by a ReLU; 2×2 pooling ends a block. Column C
has 1×1 kernels in the third convolution of blocks 3 to 5. After them come dense layers of 4096, 4096 and 1000,
with dropout in the first two. The layers carry the names of `keras.applications`.

What is ambiguous, and what was chosen:
- A-LRN normalizes once, after the first convolution, as Table 1 shows; the constants are AlexNet's.
- the paper draws initial weights with *variance* 0.01 (others read deviation 0.01), and starts the deep columns
  from the trained column A. It found later that Glorot's initialization does without; that is the default.

`normalization="batch"` is not the paper's: batch normalization, published half a year later, between every
convolution and its ReLU.
"""

import keras
from keras import layers

from course_lib.models.convolutional import LocalResponseNormalization, initializer
from course_lib.models.options import scaled
from course_lib.normalization import BatchNormalization

FILTERS = (64, 128, 256, 512, 512)
# The kernel sizes of each block's convolutions.
A = ((3,), (3,), (3, 3), (3, 3), (3, 3))
B = ((3, 3),) * 5
C = ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1))
D = ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3))
E = ((3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3))
BLOCKS = {"vgg11": A, "vgg11_lrn": A, "vgg13": B, "vgg16_1x1": C, "vgg16": D, "vgg19": E}
DENSE = 4096


def build(
    name: str,
    *,
    image_shape: tuple[int, int, int],
    num_classes: int,
    width: float,
    initialization: str,
    dropout: float,
    normalization: str = "none",
) -> keras.Model:
    """The VGG network `name` with logits `(batch, num_classes)`. Use `models.build`, which checks the arguments."""
    inputs = keras.Input(image_shape)  # 224×224×3
    normalization = "local_response" if name == "vgg11_lrn" else normalization
    logits = network(inputs, BLOCKS[name], num_classes, width, initialization, dropout, normalization)
    return keras.Model(inputs, logits, name=name)


def network(inputs, blocks, num_classes, width, initialization, dropout, normalization):
    """The logits `(batch, num_classes)` of a VGG network with these blocks."""
    batch = normalization == "batch"
    x = inputs
    for number, (kernel_sizes, filters) in enumerate(zip(blocks, FILTERS, strict=True), start=1):
        for index, kernel_size in enumerate(kernel_sizes, start=1):
            name = f"block{number}_conv{index}"
            x = layers.Conv2D(
                scaled(filters, width),
                kernel_size,
                padding="same",
                activation=None if batch else "relu",
                kernel_initializer=initializer(initialization),
                name=name,
            )(x)
            if batch:
                x = BatchNormalization(name=f"{name}_norm")(x)
                x = layers.ReLU(name=f"{name}_relu")(x)
            if normalization == "local_response" and number == index == 1:
                x = LocalResponseNormalization(name="block1_norm")(x)
        x = layers.MaxPooling2D(2, name=f"block{number}_pool")(x)  # 112, 56, 28, 14, 7
    x = layers.Flatten(name="flatten")(x)  # 25088
    for number in (1, 2):
        kernels = initializer(initialization)
        x = layers.Dense(scaled(DENSE, width), activation="relu", kernel_initializer=kernels, name=f"fc{number}")(x)
        x = layers.Dropout(dropout, name=f"dropout{number}")(x)  # 4096
    kernels = initializer(initialization)
    return layers.Dense(num_classes, kernel_initializer=kernels, dtype="float32", name="predictions")(x)  # 1000

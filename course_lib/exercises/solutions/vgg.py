"""Right functions of lesson 06."""

import keras
import numpy as np


def vgg_block(x, filters, kernel_sizes):
    """A block: one convolution with ReLU per kernel size, none of which changes the sides; then 2×2 max pooling."""
    for size in kernel_sizes:
        x = keras.layers.Conv2D(filters, size, padding="same", activation="relu")(x)
    return keras.layers.MaxPooling2D(2)(x)


def build_vgg(column):
    """The network of a column, such as TABLE["A"], from 224×224×3 images to 1,000 logits."""
    x = inputs = keras.Input((224, 224, 3))
    for filters, kernel_sizes in zip((64, 128, 256, 512, 512), column):  # noqa: B905
        x = vgg_block(x, filters, kernel_sizes)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(4096, activation="relu")(x)
    x = keras.layers.Dense(4096, activation="relu")(x)
    return keras.Model(inputs, keras.layers.Dense(1000)(x))


def two_small(x, maps):
    """Two 3×3 convolutions in the place of one 5×5."""
    for _ in range(2):
        x = keras.layers.Conv2D(maps, 3, padding="same", activation="relu")(x)
    return x


def count_paths(kernel_sizes):
    """The number of paths from each pixel of the square that is seen, an array (side, side)."""
    paths = np.ones((1, 1), int)
    for size in kernel_sizes:
        before = np.zeros(np.add(paths.shape, size - 1), int)
        for row, column in np.ndindex(size, size):
            before[row : row + len(paths), column : column + len(paths)] += paths
        paths = before
    return paths

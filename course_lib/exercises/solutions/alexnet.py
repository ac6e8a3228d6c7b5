"""Right functions of lesson 05."""

import keras
import numpy as np


def assemble():
    """AlexNet in two towers: 60,965,224 parameters."""
    layers = keras.layers
    x = inputs = keras.Input((227, 227, 3))
    x = layers.Conv2D(96, 11, strides=4, activation="relu")(x)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = layers.Conv2D(256, 5, padding="same", groups=2, activation="relu")(x)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = layers.Conv2D(384, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(384, 3, padding="same", groups=2, activation="relu")(x)
    x = layers.Conv2D(256, 3, padding="same", groups=2, activation="relu")(x)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(4096, activation="relu")(x)
    x = layers.Dense(4096, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(1000)(x))


def augment(images, draws):
    """More or less light, image by image."""
    if draws is None:
        return images
    light = 0.6 + 0.4 * draws.uniform(1)[:, :, None, None]
    return images * light


def response_normalization(maps):
    """Normalized `maps` (height, width, channels)."""
    squares = np.pad(np.square(maps), ((0, 0), (0, 0), (2, 2)))
    channels = maps.shape[-1]
    added = sum(squares[..., shift : shift + channels] for shift in range(5))
    return maps / (2 + 0.0001 * added) ** 0.75


def dropout(values, rate, random):
    """`values` with the share `rate` of them set to 0, and the same mean."""
    return np.where(random < rate, 0, values / (1 - rate))

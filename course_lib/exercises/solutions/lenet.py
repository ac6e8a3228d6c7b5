"""Right functions of lesson 03."""

import keras
import numpy as np
import tensorflow as tf


def kernel_gradient(image, upstream):
    """The gradient of the loss for each weight of a kernel; `image` and `upstream` are (height, width)."""
    height, width = upstream.shape
    gradient = np.zeros((image.shape[0] - height + 1, image.shape[1] - width + 1))
    for i, j in np.ndindex(gradient.shape):
        gradient[i, j] = (image[i : i + height, j : j + width] * upstream).sum()
    return gradient


def training_step(model, images, labels, learning_rate):
    """One step of gradient descent on the mean cross-entropy; returns the loss before it."""
    with tf.GradientTape() as tape:
        losses = keras.losses.sparse_categorical_crossentropy(labels, model(images), from_logits=True)
        loss = tf.reduce_mean(losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    for weight, gradient in zip(model.trainable_variables, gradients):  # noqa: B905
        weight.assign_sub(learning_rate * gradient)
    return float(loss)


def small_lenet():
    """LeNet-5 with 30 units in c5."""
    layers = keras.layers
    x = inputs = keras.Input((32, 32, 1))
    x = layers.AveragePooling2D(2)(layers.Conv2D(6, 5, activation="tanh", name="c1")(x))
    x = layers.AveragePooling2D(2)(layers.Conv2D(16, 5, activation="tanh", name="c3")(x))
    x = layers.Dense(30, activation="tanh", name="c5")(layers.Flatten()(x))
    x = layers.Dense(84, activation="tanh", name="f6")(x)
    return keras.Model(inputs, layers.Dense(10)(x))


def kernel_gradients(image, upstream):
    """The gradient for every weight (height, width, channels in, channels out) of the kernel."""
    windows = np.lib.stride_tricks.sliding_window_view(image, upstream.shape[:2], axis=(0, 1))
    return np.einsum("ijmrc,rck->ijmk", windows, upstream)

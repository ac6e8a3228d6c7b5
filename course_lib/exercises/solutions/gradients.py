"""Right functions of lesson 04, and what they use of the lesson."""

import keras
import numpy as np
import tensorflow as tf

from course_lib.exercises.judges.deep_networks import sick


def initial_weights(draws, activation):
    """Weights (n_in, n_out) for "relu" or "tanh", from standard normal `draws` of that shape."""
    variance = {"relu": 2, "tanh": 1}[activation] / draws.shape[0]
    return np.sqrt(variance) * draws


def tanh_gradient(weights, x, target):
    """∂E/∂w of the first weight; no biases, error ½(output − target)²."""
    h = [x]
    for w in weights:
        h.append(np.tanh(w * h[-1]))
    back = h[-1] - target
    for n in range(len(weights) - 1, 0, -1):
        back = back * weights[n] * (1 - h[n + 1] ** 2)
    return back * (1 - h[1] ** 2) * x


def layer_norms(model, batch):
    """The norm of the gradient of every dense kernel, from input to output."""
    images, labels = batch
    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True))
    return [float(tf.norm(gradient)) for gradient in tape.gradient(loss, kernels)]


def repair(batch):
    """He's initialization in the place of a standard deviation of 0.01."""
    layers = keras.layers
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((32, 32, 1)), layers.Flatten()])
    for _ in range(9):
        network.add(layers.Dense(50, activation="relu", kernel_initializer="he_normal"))
    network.add(layers.Dense(10))
    before = layer_norms(sick(), batch)
    reached = [number for number, norm in enumerate(before, 1) if norm > 1e-6]
    return network, before, layer_norms(network, batch), reached

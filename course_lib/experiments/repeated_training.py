"""One network trained again and again, from other weights or with other learning rates, and compiled once."""

import functools
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf


class RepeatedTraining:
    """A network and its optimizer, trained by the same function as often as asked for.

    Args:
        model: the network.
        optimizer: a Keras optimizer with a constant learning rate.
        one_epoch: a function `(model, optimizer)` of TensorFlow operations that trains one epoch and returns the
            training error after it, from 0 to 1; it is compiled.
    """

    def __init__(self, model: keras.Model, optimizer: keras.Optimizer, one_epoch: Callable):
        self.model = model
        self.optimizer = optimizer
        optimizer.build(model.trainable_variables)
        self._epoch = tf.function(functools.partial(one_epoch, model, optimizer))

    def run(
        self, weights: Sequence[np.ndarray], learning_rate: float, *, goal: float, most: int
    ) -> tuple[list[float], np.ndarray]:
        """Trains from `weights`, with an optimizer that remembers nothing, until the error is at most `goal`.

        Args:
            weights: as `model.get_weights()` returns them.
            learning_rate: of this training.
            goal: an error from 0 to 1; below 0 to train `most` epochs.
            most: epochs after which training ends anyway.

        Returns:
            The training error after each epoch, and how far the first epoch moved each kernel, as a share of its norm.
        """
        self.model.set_weights(weights)
        for variable in self.optimizer.variables:
            variable.assign(keras.ops.zeros_like(variable))
        self.optimizer.learning_rate = learning_rate
        before = [np.asarray(kernel) for kernel in self._kernels()]
        errors = [float(self._epoch())]
        with np.errstate(all="ignore"):  # weights may have become infinite
            moved = [
                np.linalg.norm(np.asarray(kernel) - old) / np.linalg.norm(old)
                for kernel, old in zip(self._kernels(), before, strict=True)
            ]
        while errors[-1] > goal and len(errors) < most:
            errors.append(float(self._epoch()))
        return errors, np.array(moved)

    def _kernels(self) -> list[keras.Variable]:
        return [layer.kernel for layer in self.model.layers if hasattr(layer, "kernel")]


def redraw(network: keras.Model, seed: int, images: np.ndarray | None = None) -> keras.Model:
    """Gives `network` new random weights and returns it: quicker than to build it anew.

    Convolutions get He's, as those of `models.resnet` begin; dense layers are drawn by the initializer that they were
    built with, and get no bias. Batch normalization begins anew. Other layers keep their weights.

    Args:
        network: a Keras model.
        seed: of the weights.
        images: a batch whose means and variances normalization then uses outside of training; by default 0 and 1.
    """
    generator = keras.random.SeedGenerator(seed)
    norms = []
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            layer.kernel.assign(keras.initializers.HeNormal(generator)(layer.kernel.shape))
        elif isinstance(layer, keras.layers.Dense):
            kernel = _with_seed(layer.kernel_initializer, generator)(layer.kernel.shape)
            layer.set_weights([kernel, np.zeros(layer.bias.shape)])
        elif isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            layer.set_weights([np.ones(shape), np.zeros(shape), np.zeros(shape), np.ones(shape)])
            norms.append((layer, layer.momentum))
    if images is not None:
        for layer, _ in norms:
            layer.momentum = 0.0  # the averages become those of one batch
        network(images, training=True)
        for layer, momentum in norms:
            layer.momentum = momentum
    return network


def _with_seed(initializer: keras.Initializer, generator: keras.random.SeedGenerator) -> keras.Initializer:
    """The same initializer, which draws from `generator` if it draws at all."""
    settings = initializer.get_config()
    return type(initializer)(**settings | {"seed": generator}) if "seed" in settings else initializer


class FixedLengthSGD(keras.optimizers.SGD):
    """Gradient descent whose steps have one length: each array moves along its gradient, `learning_rate` per weight.

    The root mean square of a step is the learning rate, whatever the gradient's size; the direction of each array's
    step is that of plain gradient descent.
    """

    def update_step(self, gradient, variable, learning_rate):
        """Moves one variable."""
        largest = tf.reduce_max(tf.abs(gradient)) + 1e-30
        scaled = gradient / largest  # so that no square becomes 0
        length = tf.sqrt(tf.reduce_mean(scaled**2)) + 1e-30
        super().update_step(scaled / length, variable, learning_rate)

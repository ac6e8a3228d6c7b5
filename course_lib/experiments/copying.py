"""Stacks of layers that learn to put out their input, and networks of which a block does nothing."""

import functools
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

Layers = Sequence[Sequence[np.ndarray]]


def learn_to_copy(
    stack: Callable, start: Layers, rates: Sequence[float], inputs: np.ndarray, *, steps: int, seed: int = 0
) -> list[list[np.ndarray]]:
    """The weights of stacks that were trained by Adam to put out their input, several stacks at once.

    Each stack has its own learning rate: Adam moves by about 1 per step, whatever the gradient's size, and that is
    scaled by the rate.

    Args:
        stack: a function `(x, layers)` that returns what the stacks put out, `(stacks, batch, units)`.
        start: the weights that training begins with: layers of arrays with a leading axis for the stacks.
        rates: a learning rate per stack.
        inputs: `(n, units)`, of which each step draws 128.
        steps: training steps.
        seed: of the order of the inputs.
    """
    rates = np.asarray(rates, "float32")[:, None, None]
    start = [[tf.constant(each, tf.float32) for each in layer] for layer in start]
    moves = [[tf.Variable(tf.zeros_like(each)) for each in layer] for layer in start]
    optimizer = keras.optimizers.Adam(1.0)
    optimizer.build(tf.nest.flatten(moves))
    step = tf.function(functools.partial(_copying_step, stack, start, moves, rates, optimizer))
    draw = np.random.default_rng(seed)
    for _ in range(steps):
        step(tf.constant(inputs[None, draw.integers(0, len(inputs), 128)]))
    return [[np.asarray(each) for each in layer] for layer in _moved(start, moves, rates)]


def _moved(start: list, moves: list, rates: np.ndarray) -> list:
    """The weights: where they began, and how far each stack's rate has moved them."""
    return [[a + rates * b for a, b in zip(*layer, strict=True)] for layer in zip(start, moves, strict=True)]


def _copying_step(stack: Callable, start: list, moves: list, rates: np.ndarray, optimizer, x) -> None:
    """One step on a batch `(1, batch, units)`."""
    weights = tf.nest.flatten(moves)
    with tf.GradientTape() as tape:
        copied = stack(x, _moved(start, moves, rates))
        loss = tf.reduce_sum(tf.reduce_mean((copied - x) ** 2, axis=(1, 2)))
    optimizer.apply(tape.gradient(loss, weights), weights)


def copying_kernel(shape: Sequence[int]) -> np.ndarray:
    """The kernel `(3, 3, maps, maps)` of a convolution that passes every map on as it is."""
    kernel = np.zeros(shape)
    kernel[1, 1] = np.eye(shape[-1])
    return kernel


def without_block(model: keras.Model, block: str, measure: Callable[[keras.Model], float], *, residual: bool) -> float:
    """What `measure(model)` gives while one block of two convolutions does nothing; the model is put back afterwards.

    A residual block does nothing where F(x) = 0; in a plain one both convolutions copy, and normalization keeps that.

    Args:
        model: a network of `models.resnet`'s kind.
        block: the block, such as "conv2_block3"; it must not change the shape of the maps.
        measure: a function of the model, such as its error.
        residual: whether a shortcut leads around the block.
    """
    saved = model.get_weights()
    for number in (1, 2):
        convolution = model.get_layer(f"{block}_{number}_conv")
        norm = model.get_layer(f"{block}_{number}_bn")
        kernel = copying_kernel(convolution.kernel.shape)
        zeros = np.zeros(kernel.shape[-1])
        convolution.set_weights([kernel])
        norm.set_weights([zeros if residual else zeros + 1, zeros, zeros, zeros + 1 - norm.epsilon])
    found = measure(model)
    model.set_weights(saved)
    return found

"""A network and data so small that a training run takes a moment; the CPU as two devices, for `test_mirrored`."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from course_lib.batching import Split
from course_lib.training import Recipe

# Before any test starts TensorFlow: pytest reads this file first.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

SHAPE, CLASSES = (6, 6, 1), 3


def build_tiny() -> keras.Model:
    """A convolution and a dense layer: 119 parameters."""
    inputs = keras.Input(SHAPE)
    x = layers.Conv2D(2, 3, activation="relu", name="conv")(inputs)
    x = layers.Flatten()(x)
    return keras.Model(inputs, layers.Dense(CLASSES, dtype="float32", name="dense")(x), name="tiny")


@pytest.fixture(scope="session")
def tiny():
    return build_tiny


@pytest.fixture(scope="session")
def squares() -> tuple[np.ndarray, np.ndarray]:
    """53 noisy images and labels: class k has a bright k-th pair of rows."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, CLASSES, 53)
    images = generator.integers(0, 128, (53, *SHAPE)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 * label : 2 * label + 2] += 127
    return images, labels


@pytest.fixture(scope="session")
def split(squares) -> Split:
    return Split(*squares)


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    return Recipe(learning_rate=0.1, batch_size=10)


def weights_of(model: keras.Model) -> bytes:
    return b"".join(weight.tobytes() for weight in model.get_weights())


@pytest.fixture(scope="session")
def fingerprint():
    return weights_of


def with_all_states() -> keras.Model:
    """A network with every kind of state that training changes: weights, moving averages, dropout's random state."""
    inputs = keras.Input(SHAPE)
    x = layers.BatchNormalization(name="norm")(layers.Conv2D(4, 3, use_bias=False)(inputs))
    x = layers.Dropout(0.3)(layers.ReLU()(x))
    x = layers.Dropout(0.5)(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(CLASSES, dtype="float32")(x), name="stateful")


@pytest.fixture(scope="session")
def stateful():
    return with_all_states


def everything(run) -> bytes:
    """All that a run came to, bit for bit: network, optimizer, random states, history."""
    variables = [*run.model.variables, *run.model.optimizer.variables]
    arrays = [keras.ops.convert_to_numpy(variable).tobytes() for variable in variables]
    return b"".join(arrays) + repr(run.history).encode()


@pytest.fixture(scope="session")
def all_bits():
    return everything

"""No windows; the CPU as two devices, for networks under a mirrored strategy; figures are closed after each test."""

import matplotlib
import pytest
import tensorflow as tf

matplotlib.use("Agg")

# Before any test starts TensorFlow: pytest reads this file first.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)


@pytest.fixture(autouse=True)
def nothing_left_behind():
    """Drawing changes no global setting and no random state; figures are closed after each test."""
    import matplotlib.pyplot as plt
    import numpy as np

    settings, random = matplotlib.rcParams.copy(), np.random.get_state()[1].copy()  # noqa: NPY002
    yield
    plt.close("all")
    assert dict(matplotlib.rcParams) == dict(settings)
    assert (np.random.get_state()[1] == random).all()  # noqa: NPY002


@pytest.fixture(scope="session")
def two_devices():
    """A mirrored strategy over both devices."""
    from course_lib.training.mirrored import mirrored_strategy

    return mirrored_strategy(("CPU:0", "CPU:1"), "auto")  # one per process, which TensorFlow wants


@pytest.fixture(scope="session")
def lenet():
    """A small network shaped like LeNet-5, on images (12, 12, 1), with random weights that are not all small."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(4, 5, activation="tanh", name="c1"),  # 8×8×4
            layers.AveragePooling2D(2, name="s2"),  # 4×4×4
            layers.Conv2D(6, 3, activation="relu", name="c3"),  # 2×2×6
            layers.BatchNormalization(name="norm"),
            layers.Flatten(name="flatten"),
            layers.Dense(10, name="output"),
        ]
    )


@pytest.fixture
def published(monkeypatch):
    """What a notebook's front end receives: a list of (kind, data, metadata), kind "display" or "update"."""
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell

    received = []

    class Publisher(DisplayPublisher):
        def publish(self, data, metadata=None, *, transient=None, update=False, **_):
            received.append(("update" if update else "display", data, metadata))

    shell = InteractiveShell.instance()
    monkeypatch.setattr(shell, "display_pub", Publisher(parent=shell))
    monkeypatch.setattr(shell, "kernel", object(), raising=False)
    yield received
    InteractiveShell.clear_instance()

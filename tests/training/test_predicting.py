"""`predict`: the network's own outputs, whatever the batch size and the type of the pixels."""

import keras
import numpy as np
import pytest

from course_lib import training

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 4, 4, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_outputs_by_matrix_product(network, batch_size):
    kernel, bias = network.get_weights()
    expected = (IMAGES / 255).reshape(7, -1) @ kernel + bias
    for images in (IMAGES, (IMAGES / 255).astype("float32")):
        found = training.predict(network, images, batch_size=batch_size)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_bar_appears_only_where_it_takes_long(network, capsys, monkeypatch):
    training.predict(network, IMAGES)
    assert capsys.readouterr().out == ""
    from course_lib.training import predicting

    monkeypatch.setattr(predicting, "WAIT", 0)
    training.predict(network, IMAGES, batch_size=2)
    assert "predicting" in capsys.readouterr().out


def test_arguments_are_checked(network):
    with pytest.raises(ValueError, match="batch_size"):
        training.predict(network, IMAGES, batch_size=0)
    with pytest.raises(ValueError, match="height"):
        training.predict(network, IMAGES[0])
    with pytest.raises(ValueError, match="model"):
        training.predict("network", IMAGES)

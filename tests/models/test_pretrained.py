"""Frozen features: what Keras' own preprocessing and network give, and the stand-in where there are no weights."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from course_lib import models
from course_lib.models import pretrained

IMAGES = np.random.default_rng(0).random((2, 64, 64, 3)).astype("float32")


def values(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_pixels_are_scaled_as_keras_does_it(monkeypatch):
    """The weights stay random; preprocessing and the cut before the last layer are compared."""
    bodies = []
    monkeypatch.setattr(pretrained, "load_imagenet_weights", bodies.append)
    features = models.frozen_features("resnet50", 64)
    assert features.name == "imagenet_features" and features.output_shape == (None, 2048)
    assert not features.trainable_variables
    assert models.last_maps(features) == "conv5_block3_out"
    expected = bodies[0].get_layer("avg_pool")
    body = keras.Model(bodies[0].input, expected.output)
    prepared = keras.applications.resnet.preprocess_input(255 * IMAGES)
    found = values(features(IMAGES))
    np.testing.assert_allclose(found, values(body(prepared)), rtol=1e-3, atol=1e-3 * np.abs(found).max())


def test_without_weights_a_line_is_printed_and_seven_classes_stand_in(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_OFFLINE", "1")

    def not_here(model):
        raise FileNotFoundError

    monkeypatch.setattr(pretrained, "load_imagenet_weights", not_here)
    features = models.frozen_features(side=64)
    assert "stands in" in capsys.readouterr().out
    assert features.name == "toy_features" and models.last_maps(features) == "conv3"
    small = models.build("cnn_small", image_shape=(32, 32, 3), num_classes=7)
    small.load_weights(pretrained.SEVEN_CLASSES)
    maps = keras.Model(small.input, small.get_layer("pool3").output)
    halved = IMAGES.reshape(2, 32, 2, 32, 2, 3).mean(axis=(2, 4))
    expected = values(maps(4 * halved - 2)).reshape(2, -1)
    np.testing.assert_allclose(values(features(IMAGES)), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "side", "said"), [("vgg16", 160, "vgg16"), ("resnet50", 100, "multiple of 32")])
def test_what_cannot_be_is_refused(name, side, said):
    with pytest.raises(ValueError, match=said):
        models.frozen_features(name, side)


def test_a_network_without_maps_has_no_last_maps():
    dense = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="no layer that returns feature maps"):
        models.last_maps(dense)


ALONE = """
import sys
import keras, numpy as np
own = {"course_lib>BatchNormalization": keras.layers.BatchNormalization}
network = keras.saving.load_model("network.keras", custom_objects=own, compile=False)
np.save("logits.npy", keras.ops.convert_to_numpy(network(np.load("images.npy"))))
assert not any(name.startswith("course_lib") for name in sys.modules)
"""


def test_the_joined_classifier_loads_without_the_course(monkeypatch, tmp_path):
    """As the lesson's script does it, with Keras' own batch normalization for the course's."""
    monkeypatch.setattr(pretrained, "load_imagenet_weights", lambda model: None)
    features = models.frozen_features("resnet50", 32)
    classifier = keras.Model(features.input, keras.layers.Dense(3)(features.output))
    classifier.save(tmp_path / "network.keras")
    images = IMAGES[:, :32, :32]
    np.save(tmp_path / "images.npy", images)
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE], cwd=tmp_path, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-2000:]
    np.testing.assert_allclose(np.load(tmp_path / "logits.npy"), values(classifier(images)), rtol=1e-3, atol=1e-3)

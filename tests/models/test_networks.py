"""Each network at its paper's size: parameters, sizes of maps, multiply-adds; and each part against plain loops."""

import gc
import math
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from families import FAMILIES, images_for, smallest
from keras import layers

from course_lib import models
from course_lib.models.convolutional import GroupedConv2D, LocalResponseNormalization
from course_lib.models.prelu_net import SpatialPyramidPooling
from course_lib.models.resnet import ShortcutA
from course_lib.normalization import BatchNormalization
from course_lib.training.mirrored import mirrored_strategy

RANDOM = np.random.default_rng(0)

# Trainable parameters as published or counted by hand from the papers' tables, and the sides of the maps.
PUBLISHED = [
    ("alexnet", {}, 60_965_224, [227, 55, 27, 13, 6]),
    ("alexnet_one_tower", {}, 62_378_344, [227, 55, 27, 13, 6]),
    ("zfnet", {}, 62_357_608, [224, 226, 110, 55, 26, 13, 6]),  # 226: padded
    ("vgg11", {}, 132_863_336, [224, 112, 56, 28, 14, 7]),
    ("vgg11_lrn", {}, 132_863_336, [224, 112, 56, 28, 14, 7]),
    ("vgg13", {}, 133_047_848, [224, 112, 56, 28, 14, 7]),
    ("vgg16_1x1", {}, 133_638_952, [224, 112, 56, 28, 14, 7]),
    ("vgg16", {}, 138_357_544, [224, 112, 56, 28, 14, 7]),
    ("vgg19", {}, 143_667_240, [224, 112, 56, 28, 14, 7]),
    ("googlenet", {}, 6_998_552, [224, 112, 56, 28, 14, 7]),
    ("googlenet", {"auxiliary": True}, 13_378_280, None),
    ("prelu_net", {}, 330_603_389, [224, 112, 56, 28, 14]),
    ("prelu_net", {"slopes": "channel"}, 330_623_944, None),
    ("plain18", {}, 11_515_688, [224, 230, 112, 114, 56, 28, 14, 7]),
    ("plain34", {}, 21_623_848, None),
    ("resnet18", {}, 11_689_512, None),
    ("resnet18", {"shortcut": "A"}, 11_515_688, None),
    ("resnet34", {}, 21_797_672, None),
    ("resnet34", {"shortcut": "A"}, 21_623_848, None),
    ("resnet50", {}, 25_557_032, [224, 230, 112, 114, 56, 28, 14, 7]),
    ("resnet101", {}, 44_549_160, None),
    ("resnet152", {}, 60_192_808, None),
    *((f"{kind}{depth}", {}, parameters, [32, 16, 8]) for kind in ("plain", "resnet") for depth, parameters in [
        (20, 269_722), (32, 464_154), (44, 658_586), (56, 853_018), (110, 1_727_962)]),
    ("cnn_small", {}, 286_442, [64, 32, 16, 8]),
    ("alexnet_small", {}, 1_470_506, [64, 29, 14, 6, 2]),
    ("vgg_small", {}, 629_938, [64, 32, 16, 8, 4, 2]),
    ("plain_small", {}, 68_050, [64, 32, 16]),
    ("resnet_small", {}, 68_050, [64, 32, 16]),
]  # fmt: skip


@pytest.fixture
def counted(monkeypatch):
    """Weights start at zero, which takes no time to draw, and are freed after the test: the largest are 1.3 GB."""
    for kind in (keras.initializers.VarianceScaling, keras.initializers.RandomNormal):
        monkeypatch.setattr(kind, "__call__", lambda self, shape, dtype=None: keras.ops.zeros(shape, dtype))
    yield
    keras.backend.clear_session()
    gc.collect()


def trainable(model):
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


@pytest.mark.parametrize(("name", "options", "parameters", "sides"), PUBLISHED)
def test_full_size(name, options, parameters, sides, counted):
    model, entry = models.build(name, **options), models.CATALOG[name]
    assert model.name == name
    assert model.input_shape == (None, *entry.image_shape)
    assert {output.shape[-1] for output in model.outputs} == {entry.num_classes}
    assert trainable(model) == parameters
    if sides:
        maps = [layer.output.shape[1] for layer in model.layers if len(layer.output.shape) == 4]
        assert list(dict.fromkeys(maps)) == sides
    activations = {getattr(layer, "activation", None) for layer in model.layers}
    assert keras.activations.softmax not in activations  # logits
    if not options:
        assert parameters == entry.published[0]["parameters"]


@pytest.mark.slow
def test_resnet1202(counted):
    limit = sys.getrecursionlimit()
    assert trainable(models.build("resnet1202")) == 19_421_274
    assert sys.getrecursionlimit() == limit


@pytest.mark.parametrize(("depth", "parameters"), [(50, 25_636_712), (101, 44_707_176), (152, 60_419_944)])
def test_convolution_biases_make_a_resnet_keras_own(depth, parameters, counted):
    model = models.build(f"resnet{depth}", convolution_bias=True)
    assert model.count_params() == parameters
    keras_own = getattr(keras.applications, f"ResNet{depth}")(weights=None)
    assert [layer.name for layer in model.layers if layer.weights] == [
        layer.name for layer in keras_own.layers if layer.weights
    ]


def test_the_towers_of_alexnet_meet_in_conv3_only():
    model = models.build("alexnet", width=1 / 8)
    for layer, groups in [("conv1", 1), ("conv2", 2), ("conv3", 1), ("conv4", 2), ("conv5", 2)]:
        assert model.get_layer(layer).groups == groups
    assert {model.get_layer(f"pool{number}").pool_size for number in (1, 2, 5)} == {(3, 3)}
    # The first conv2 maps hang on the first half of conv1's only.
    part = keras.Model(model.get_layer("pool1").output, model.get_layer("conv2").output)
    maps = RANDOM.normal(size=(1, *part.input_shape[1:])).astype("float32")
    changed = maps.copy()
    changed[..., 6:] += 1
    before, after = part.predict_on_batch(maps), part.predict_on_batch(changed)
    np.testing.assert_array_equal(before[..., :16], after[..., :16])
    assert np.abs(before[..., 16:] - after[..., 16:]).min() > 0


def test_alexnet_starts_as_the_paper_says():
    model = models.build("alexnet", width=1 / 8)
    biases = [float(layer.bias[0]) for layer in model.layers if hasattr(layer, "bias")]
    assert biases == [0, 1, 0, 1, 1, 1, 1, 0]
    for name in ("conv2", "fc7"):
        kernel = np.asarray(model.get_layer(name).kernel)
        assert kernel.std() == pytest.approx(0.01, rel=0.05) and abs(kernel.mean()) < 0.001
    modern = models.build("alexnet", width=1 / 8, initialization="he")
    assert not any(np.any(layer.bias) for layer in modern.layers if hasattr(layer, "bias"))
    kernel = np.asarray(modern.get_layer("fc6").kernel)
    assert kernel.std() == pytest.approx(math.sqrt(2 / kernel.shape[0]), rel=0.05)


def test_options_of_alexnet_reach_its_layers():
    model = models.build(
        "alexnet_small", activation="tanh", normalization="batch", overlapping_pooling=False, dropout=0
    )
    kinds = [type(layer) for layer in model.layers]
    assert kinds.count(BatchNormalization) == 5
    assert LocalResponseNormalization not in kinds and layers.Dropout not in kinds
    assert {layer.pool_size for layer in model.layers if isinstance(layer, layers.MaxPooling2D)} == {(2, 2)}
    activations = {layer.activation for layer in model.layers if isinstance(layer, layers.Activation)}
    assert activations == {keras.activations.tanh}
    kinds = [type(layer) for layer in models.build("alexnet_small").layers]
    assert (kinds.count(LocalResponseNormalization), kinds.count(layers.Dropout)) == (2, 2)
    assert LocalResponseNormalization not in map(type, models.build("alexnet_small", normalization="none").layers)


def test_columns_of_vgg():
    kernels = {
        name: [layer.kernel_size[0] for layer in models.build(name, width=1 / 64).layers if hasattr(layer, "filters")]
        for name in ("vgg11", "vgg16", "vgg16_1x1", "vgg19")
    }
    assert {name: len(sizes) for name, sizes in kernels.items()} == {
        "vgg11": 8, "vgg16": 13, "vgg16_1x1": 13, "vgg19": 16,
    }  # fmt: skip
    assert kernels["vgg16"] == [3] * 13
    assert [index for index, size in enumerate(kernels["vgg16_1x1"], start=1) if size == 1] == [7, 10, 13]


def test_vgg_with_batch_normalization_between_convolution_and_relu():
    model = models.build("vgg16", normalization="batch")
    # torchvision's vgg16_bn; https://pytorch.org/vision/stable/models/generated/torchvision.models.vgg16_bn.html
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_variables) == 138_365_992
    after = [type(layer).__name__ for layer in model.layers if layer.name.startswith("block1")]
    assert after == ["Conv2D", "BatchNormalization", "ReLU"] * 2 + ["MaxPooling2D"]
    assert model.get_layer("block1_conv1").activation is keras.activations.linear


def test_inception_by_the_papers_table():
    model = models.build("googlenet", width=1 / 8)
    inception = model.get_layer("inception_4c")
    assert [tensor.shape[-1] for tensor in inception.input] == [128 // 8, 256 // 8, 64 // 8, 64 // 8]
    outputs = {name: model.get_layer(f"inception_{name}").output.shape[1:] for name in ("3a", "3b", "4e", "5b")}
    assert outputs == {"3a": (28, 28, 32), "3b": (28, 28, 60), "4e": (14, 14, 104), "5b": (7, 7, 128)}


def test_a_plain_network_differs_from_a_residual_one_in_the_additions_only():
    plain, residual = models.build("plain20"), models.build("resnet20")
    residual.set_weights(plain.get_weights())
    kept = [layer.name for layer in residual.layers if not isinstance(layer, layers.Add | ShortcutA)]
    assert kept[1:] == [layer.name for layer in plain.layers][1:]  # the input's name is a running number
    additions = [layer for layer in residual.layers if isinstance(layer, layers.Add)]
    assert len(additions) == 9
    assert sum(isinstance(layer, ShortcutA) for layer in residual.layers) == 2


def test_projections_of_shortcuts():
    counts = {
        (name, option): sum(
            layer.name.endswith("_0_conv") for layer in models.build(name, width=1 / 16, shortcut=option).layers
        )
        for name in ("resnet18", "resnet50")
        for option in "ABC"
    }
    assert list(counts.values()) == [0, 3, 8, 0, 4, 16]


@pytest.mark.parametrize(("size", "beta"), [(5, 0.75), (3, 0.5)])
def test_local_response_normalization_follows_the_formula(size, beta):
    a = RANDOM.normal(scale=30, size=(2, 3, 3, 7)).astype("float32")
    expected = np.empty_like(a)
    for i in range(7):
        around = a[..., max(0, i - size // 2) : i + size // 2 + 1]
        expected[..., i] = a[..., i] / (2 + 1e-4 * (around**2).sum(axis=-1)) ** beta
    np.testing.assert_allclose(LocalResponseNormalization(size, beta=beta)(a), expected, rtol=1e-5)


def test_local_response_normalization_is_tensorflows_with_half_the_width():
    tf = pytest.importorskip("tensorflow")
    a = RANDOM.normal(scale=30, size=(1, 4, 4, 96)).astype("float32")
    expected = tf.nn.local_response_normalization(a, depth_radius=2, bias=2, alpha=1e-4, beta=0.75)
    np.testing.assert_allclose(LocalResponseNormalization()(a), expected, rtol=1e-5)


def test_local_response_normalization_survives_float16():
    layer = LocalResponseNormalization(dtype="mixed_float16")
    a = np.full((1, 2, 2, 8), 1000, "float16")  # whose square is no float16
    np.testing.assert_allclose(layer(a)[0, 0, 0, 4], 1000 / (2 + 1e-4 * 5e6) ** 0.75, rtol=1e-3)


def test_convolution_in_groups_position_by_position():
    x = RANDOM.normal(size=(2, 6, 5, 4)).astype("float32")
    layer = GroupedConv2D(6, 3, strides=2, groups=2, bias_initializer="random_normal")
    result, kernel, bias = layer(x), np.asarray(layer.kernel), np.asarray(layer.bias)
    assert kernel.shape == (3, 3, 2, 6)
    expected = np.empty((2, 2, 2, 6), "float32")
    for row in range(2):
        for column in range(2):
            for output in range(6):
                source = slice(0, 2) if output < 3 else slice(2, 4)
                window = x[:, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3, source]
                expected[:, row, column, output] = (window * kernel[..., output]).sum(axis=(1, 2, 3)) + bias[output]
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_shortcut_a_takes_every_second_pixel_and_adds_empty_maps():
    x = RANDOM.normal(size=(2, 5, 6, 3)).astype("float32")
    layer = ShortcutA(8, 2)
    result = np.asarray(layer(x))
    assert result.shape == layer.compute_output_shape(x.shape) == (2, 3, 3, 8)
    np.testing.assert_array_equal(result[..., :3], x[:, ::2, ::2])
    assert not result[..., 3:].any()


@pytest.mark.parametrize(("height", "width"), [(14, 14), (7, 9), (3, 2)])
def test_pyramid_pooling_bin_by_bin(height, width):
    x = RANDOM.normal(size=(2, height, width, 3)).astype("float32")
    layer = SpatialPyramidPooling()
    expected = []
    for bins in (7, 3, 2, 1):
        for i in range(bins):
            for j in range(bins):
                rows = slice(math.floor(i * height / bins), math.ceil((i + 1) * height / bins))
                columns = slice(math.floor(j * width / bins), math.ceil((j + 1) * width / bins))
                expected.append(x[:, rows, columns].max(axis=(1, 2)))
    np.testing.assert_array_equal(layer(x), np.concatenate(expected, axis=1))
    assert layer.compute_output_shape(x.shape) == (2, 63 * 3)


def test_slopes_of_prelu_start_at_a_quarter():
    for slopes, count in [("shared", 1), ("channel", 48)]:
        prelu = models.build("prelu_net", image_shape=(16, 16, 3), width=1 / 8, slopes=slopes).get_layer(
            "conv2_conv1_prelu"
        )
        assert prelu.count_params() == count
        np.testing.assert_array_equal(prelu(np.full((1, 1, 1, 48), -2.0)), np.full((1, 1, 1, 48), -0.5))


def test_googlenet_trains_with_its_auxiliary_classifiers():
    model = models.build("googlenet", auxiliary=True, width=1 / 16, num_classes=3)
    assert [output.shape for output in model.outputs] == [(None, 3)] * 3
    assert model.get_layer("auxiliary1_pool").output.shape[1:3] == (4, 4)
    weight = models.googlenet.AUXILIARY_WEIGHT
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", [loss] * 3, loss_weights=[1, weight, weight])
    labels = np.array([0, 1])
    total = model.train_on_batch(RANDOM.normal(size=(2, 224, 224, 3)).astype("float32"), [labels] * 3)
    assert np.isfinite(total).all()


def gradients(model, images):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(images, training=False) ** 2)
    return loss, tape.gradient(loss, model.trainable_variables)


@pytest.mark.parametrize("name", ["lenet5_1998", "alexnet", "prelu_net", "resnet18"])
def test_custom_layers_work_under_a_mirrored_strategy(name):
    strategy = mirrored_strategy(("CPU:0", "CPU:1"), "auto")  # one per process, which TensorFlow wants
    alone = smallest(name)
    with strategy.scope():
        mirrored = smallest(name)
    mirrored.set_weights(alone.get_weights())
    images = tf.constant(images_for(alone))
    halves = strategy.experimental_distribute_values_from_function(
        lambda context: images[4 * context.replica_id_in_sync_group :][:4]
    )
    loss, _ = strategy.run(tf.function(lambda half: gradients(mirrored, half)), args=(halves,))
    expected, _ = gradients(alone, images)
    np.testing.assert_allclose(sum(strategy.experimental_local_results(loss)), expected, rtol=1e-4)


JAX = """
import keras, numpy as np
from families import FAMILIES, images_for, loss_of, smallest
assert keras.backend.backend() == "jax"
for name in FAMILIES:
    model = smallest(name)
    model.compile("sgd", loss_of(name))
    print(name, np.isfinite([model.train_on_batch(images_for(model), np.arange(8)) for _ in range(3)]).all())
"""


def test_networks_train_under_jax():
    pytest.importorskip("jax", reason="needs JAX, Keras' other backend")
    done = run_here(JAX, {"KERAS_BACKEND": "jax"})
    assert done.stdout.splitlines() == [f"{name} True" for name in FAMILIES], done.stderr


def run_here(code: str, environment: dict[str, str]):
    paths = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    environment = {**os.environ, "PYTHONPATH": paths, **environment}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, env=environment)

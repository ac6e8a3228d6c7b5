"""The published LeNet-5 against the paper's counts and against NumPy loops."""

import keras
import numpy as np
import pytest
from keras import ops

from course_lib import models
from course_lib.models.lenet5_1998 import BITMAPS, CODES, TABLE_I, lenet5_map, lenet5_mse, resampled_table
from course_lib.models.lenet5_1998_layers import PartialConv2D, RadialBasis, Subsampling2D

RANDOM = np.random.default_rng(0)


def squash(a):
    return 1.7159 * np.tanh(2 / 3 * a)


def randomized(layer, input_shape):
    """The layer, built, with every weight away from its start."""
    layer.build(input_shape)
    layer.set_weights([RANDOM.normal(size=weight.shape) for weight in layer.get_weights()])
    return layer


def test_every_layer_has_the_papers_parameters():
    model = models.build("lenet5_1998")
    counts = {
        layer.name: sum(np.prod(weight.shape) for weight in layer.trainable_weights)
        for layer in model.layers
        if layer.weights
    }
    assert counts == {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48120, "f6": 10164, "output": 0}


def test_table_1_is_built_by_the_papers_rule():
    # Section II-B: six contiguous subsets of three, six of four, three discontinuous ones of four, and all.
    rule = [{(i + k) % 6 for k in steps} for steps in ((0, 1, 2), (0, 1, 2, 3)) for i in range(6)]
    rule += [{(i + k) % 6 for k in (0, 1, 3, 4)} for i in range(3)] + [set(range(6))]
    assert [set(sources) for sources in TABLE_I] == rule


def test_partial_convolution_equals_a_loop():
    table = [[0, 2], [1], [0, 1, 2]]
    images = RANDOM.normal(size=(2, 7, 6, 3)).astype("float32")
    layer = randomized(PartialConv2D(table, 3), images.shape)
    kernels, biases = layer.get_weights()
    expected = np.zeros((2, 5, 4, 3)) + biases
    connection = 0
    for output, sources in enumerate(table):
        for source in sources:
            for y, x in np.ndindex(5, 4):
                window = images[:, y : y + 3, x : x + 3, source]
                expected[:, y, x, output] += (window * kernels[:, :, connection]).sum(axis=(1, 2))
            connection += 1
    np.testing.assert_allclose(layer(images), squash(expected), atol=1e-5)


def test_c3_trains_exactly_its_1500_connections():
    c3 = models.build("lenet5_1998").get_layer("c3")
    crosses = (ops.convert_to_numpy(c3.kernel) != 0).all(axis=(0, 1))
    assert [tuple(np.flatnonzero(column)) for column in crosses.T] == list(TABLE_I)
    assert np.prod(c3.trainable_weights[0].shape) == 1500


def test_subsampling_equals_a_loop():
    images = RANDOM.normal(size=(2, 5, 7, 3)).astype("float32")  # odd sides lose their last row and column
    layer = randomized(Subsampling2D(), images.shape)
    coefficient, bias = layer.get_weights()
    expected = np.zeros((2, 2, 3, 3))
    for y, x in np.ndindex(2, 3):
        window = images[:, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2]
        expected[:, y, x] = squash(window.sum(axis=(1, 2)) * coefficient + bias)
    np.testing.assert_allclose(layer(images), expected, atol=1e-5)


def test_output_is_the_negated_distance_to_the_codes():
    codes = CODES.reshape(10, 84)
    features = RANDOM.uniform(-1.7, 1.7, (4, 84)).astype("float32")
    expected = [[-sum((x - c) ** 2 for x, c in zip(row, code, strict=True)) for code in codes] for row in features]
    logits = ops.convert_to_numpy(RadialBasis(codes)(features))
    np.testing.assert_allclose(logits, expected, rtol=1e-5)
    np.testing.assert_array_equal(ops.argmax(RadialBasis(codes)(codes.astype("float32")), axis=1), range(10))


@pytest.mark.parametrize(
    "layer", [PartialConv2D([[0, 2], [1]], 3), Subsampling2D(), RadialBasis(np.ones((4, 3)))], ids=lambda x: x.name
)
def test_declared_output_shapes_are_the_computed_ones(layer):
    computed = layer(np.zeros((2, 9, 6, 3), "float32")).shape
    assert layer.compute_output_shape((2, 9, 6, 3)) == tuple(computed)
    assert layer.compute_output_shape((None, None, 6, 3)) == (None, None, *tuple(computed)[2:])


def test_codes_are_the_papers_bitmaps():
    assert CODES.shape == (10, 12, 7)
    black = (CODES == 1).reshape(10, 84)
    assert black.sum(axis=1).tolist() == [35, 27, 33, 32, 41, 35, 39, 25, 43, 39]
    assert ((CODES == -1).reshape(10, 84) == ~black).all()
    distances = (black[:, None] != black).sum(axis=2)
    pairs = distances[np.triu_indices(10, 1)]
    assert (pairs.min(), distances[6, 8], pairs.max(), distances[4, 7]) == (12, 12, 50, 50)
    assert round(pairs.mean(), 1) == 31.1
    assert (~black.any(axis=0)).sum() == 10
    assert "".join("#" if cell == 1 else "." for cell in CODES[3][0]) == BITMAPS.split()[3] == "#######"


def test_weights_start_within_the_papers_bounds():
    keras.utils.set_random_seed(0)
    model = models.build("lenet5_1998")
    fan_in = {"c1": 25, "s2": 4, "s4": 4, "c5": 400, "f6": 120}
    for name, inputs in fan_in.items():
        weights, biases = model.get_layer(name).get_weights()
        assert 0.6 * 2.4 / inputs < np.abs(weights).max() <= 2.4 / inputs
        assert weights.min() < 0 < weights.max() and not biases.any()
    kernel = np.abs(ops.convert_to_numpy(model.get_layer("c3").kernel)).max(axis=(0, 1, 2))
    limits = np.array([2.4 / (25 * len(sources)) for sources in TABLE_I])
    assert (kernel <= limits).all() and (kernel > 0.9 * limits).all()
    assert not model.get_layer("c3").get_weights()[1].any()


def test_channels_count_into_the_fan_in_of_c1():
    kernel = models.build("lenet5_1998", image_shape=(32, 32, 3)).get_layer("c1").get_weights()[0]
    assert 0.9 * 2.4 / 75 < np.abs(kernel).max() <= 2.4 / 75


@pytest.mark.parametrize("width", [0.05, 1 / 8, 0.3, 0.5, 1, 1.5, 2, 3.3])
def test_resampled_tables_connect_every_map(width):
    inputs, outputs = max(1, round(6 * width)), max(1, round(16 * width))
    table = resampled_table(inputs, outputs)
    assert len(table) == outputs and all(table)
    assert {source for sources in table for source in sources} == set(range(inputs))
    if width == 1:
        assert [tuple(sources) for sources in table] == list(TABLE_I)


def test_losses_equal_the_papers_equations():
    distances = RANDOM.uniform(0, 20, (6, 10))
    labels = np.array([0, 3, 9, 9, 5, 1])
    correct = distances[np.arange(6), labels]
    logits = ops.convert_to_tensor(-distances, "float32")
    np.testing.assert_allclose(lenet5_mse(labels, logits), correct, rtol=1e-5)
    for j in (0.5, 12.0):
        expected = correct + np.log(np.exp(-j) + np.exp(-distances).sum(axis=1))
        np.testing.assert_allclose(lenet5_map(labels, logits, j), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(lenet5_map(labels[:, None], logits), lenet5_map(labels, logits))


def test_map_loss_without_rubbish_class_is_cross_entropy():
    labels = np.array([2, 0, 9])
    logits = ops.convert_to_tensor(-RANDOM.uniform(0, 300, (3, 10)), "float32")
    cross_entropy = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    np.testing.assert_allclose(lenet5_map(labels, logits, j=1e6), cross_entropy, rtol=1e-5, atol=1e-4)


def test_map_loss_stays_finite_where_exponentials_underflow():
    logits = ops.convert_to_tensor([[-600.0] * 9 + [-500.0]])
    np.testing.assert_allclose(lenet5_map([0], logits, j=1000.0), [100.0], rtol=1e-5)
    np.testing.assert_allclose(lenet5_map([0], logits, j=12.0), [588.0], rtol=1e-5)


@pytest.mark.parametrize("loss", [lenet5_mse, lenet5_map])
def test_losses_are_found_by_their_registered_names(loss):
    assert keras.saving.get_registered_object(f"course_lib>{loss.__name__}") is loss

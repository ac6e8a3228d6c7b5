"""What a Keras model says of itself: the pixels it takes, what it returns."""

import keras
import pytest
from keras import layers

from course_lib import model_checks, models


def network(*before, dtype="float32"):
    inputs = keras.Input((16, 16, 3), dtype=dtype)
    return keras.Sequential([inputs, *before, layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(3)])


def scaled():
    return network(layers.Rescaling(1 / 255))


def divided():
    inputs = keras.Input((16, 16, 3))
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(layers.Conv2D(2, 3)(inputs / 255.0))))


def normalized():
    return network(layers.Normalization(mean=[120.0] * 3, variance=[60.0**2] * 3))


def pretrained():
    inputs = keras.Input((64, 64, 3))
    base = keras.applications.ResNet50(weights=None, include_top=False, input_shape=(64, 64, 3))
    return keras.Model(inputs, base(keras.applications.resnet.preprocess_input(inputs)))


@pytest.mark.parametrize(
    ("build", "expected"),
    {
        "plain": (network, False),
        "from 0…1 to −1…1": (lambda: network(layers.Rescaling(2.0, -1)), False),
        "Rescaling": (lambda: network(layers.Rescaling(1 / 255)), True),
        "Rescaling behind a random layer": (
            lambda: network(layers.RandomFlip(), layers.Rescaling(1 / 127.5, -1)),
            True,
        ),
        "whole numbers": (lambda: network(layers.Rescaling(1 / 255), dtype="uint8"), True),
        "arithmetic": (divided, True),
        "normalized": (normalized, True),
        "nested": (lambda: keras.Sequential([keras.Input((16, 16, 3)), network(layers.Rescaling(1 / 255))]), True),
        "mean subtracted before a nested network": (pretrained, True),
        "a batch of one size": (lambda: keras.Sequential([keras.Input(batch_shape=(1, 16, 16, 3)), scaled()]), True),
        "the catalog's": (lambda: models.build("resnet_small"), False),
        "the catalog's, with layers of its own": (lambda: models.build("lenet5_1998"), False),
    }.values(),
)
def test_who_scales_the_pixels(build, expected):
    model = build()
    assert model_checks.scales_pixels(model) is expected
    assert not any("call" in vars(layer) for layer in model_checks.leaf_layers(model))


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", None])
@pytest.mark.parametrize("nested", [False, True])
def test_probabilities_are_told_from_logits(activation, nested):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation=activation)])
    if nested:
        model = keras.Sequential([keras.Input((4,)), model])
    assert model_checks.returns_probabilities(model) is (activation is not None)


@pytest.mark.parametrize("after", [[], [layers.Reshape, (3,)], [layers.Dropout, 0.5], [layers.Activation, "linear"]])
def test_a_layer_of_its_own_may_end_a_network(after):
    last = [after[0](after[1])] if after else []
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Softmax(), *last])
    assert model_checks.returns_probabilities(model)


def test_an_operation_may_end_a_network():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.ops.softmax(layers.Dense(3)(inputs)))
    assert model_checks.final_operation(model) == "softmax"
    assert model_checks.final_operation(network()) == "linear"


class Run:
    def __init__(self):
        self.model = network()


@pytest.mark.parametrize(
    ("give", "advice"),
    [
        (Run, r"run\.model"),
        (lambda: "lenet5", r"models\.build\('lenet5'\)"),
        (lambda: None, "not None"),
        (lambda: layers.Dense(3), "whole model"),
        (lambda: network, "call it"),
        (lambda: [1, 2], r"\[1, 2\] \(list\)"),
    ],
)
def test_what_is_no_model_is_named_with_what_to_give(give, advice):
    with pytest.raises(ValueError, match=advice):
        model_checks.check_model(give())
    model_checks.check_model(Run().model)

"""The deep network of lesson 04: each remedy does what its name says, and nothing else."""

import itertools

import keras
import numpy as np
import pytest

from course_lib import experiments
from course_lib.experiments import gradients

IMAGES = np.random.default_rng(4).normal(size=(5, 32, 32, 1)).astype("float32")


@pytest.mark.parametrize("layers", [2, 3, 10, 20])
def test_depth_counts_the_layers_with_weights(layers):
    model = gradients.deep(depth=layers, width=30)
    kernels = [weight.shape for weight in model.weights if weight.name == "kernel"]
    assert kernels == [(1024, 30), *[(30, 30)] * (layers - 2), (30, 10)]


def test_as_a_plain_network_it_is_a_chain_of_products():
    model = gradients.deep(depth=5, width=20, activation="tanh")
    h = IMAGES.reshape(5, -1)
    for number in range(1, 6):
        kernel, bias = model.get_layer(f"dense{number}").get_weights()
        h = (h if number == 1 else np.tanh(h)) @ kernel + bias
    np.testing.assert_allclose(model(IMAGES), h, rtol=1e-4, atol=1e-5)


def test_skip_connections_carry_the_first_layer_to_the_last_where_the_others_put_out_nothing():
    model = gradients.deep(depth=20, width=20, activation="sigmoid", skip=True)
    for number in range(2, 20):
        layer = model.get_layer(f"dense{number}")
        layer.set_weights([0 * weight for weight in layer.get_weights()])
    first, last = model.get_layer("dense1"), model.get_layer("dense20")
    expected = last(keras.ops.sigmoid(first(IMAGES.reshape(5, -1))))
    np.testing.assert_allclose(model(IMAGES), expected, rtol=1e-5, atol=1e-6)
    assert sum(isinstance(layer, keras.layers.Add) for layer in model.layers) == 9


def test_normalization_stands_before_every_activation():
    names = [layer.name for layer in gradients.deep(depth=4, normalization=True).layers]
    for number in (1, 2, 3):
        place = names.index(f"norm{number}")
        assert names[place - 1 : place + 2] == [f"dense{number}", f"norm{number}", f"relu{number}"]


@pytest.mark.parametrize(("name", "variance"), [("glorot", 2 / 600), ("he", 2 / 300)])
def test_weights_are_drawn_after_glorot_and_he(name, variance):
    kernel, bias = gradients.deep(depth=3, width=300, initialization=name).get_layer("dense2").get_weights()
    assert kernel.var() == pytest.approx(variance, rel=0.05) and not bias.any()


def test_the_grid_has_every_combination_once():
    settings = experiments.EXPERIMENTS["activations_depth"].settings
    found = {tuple(setting.options.values()) for setting in settings.values()}
    assert found == set(itertools.product(("sigmoid", "tanh", "relu"), ("glorot", "he"), (False, True), (False, True)))
    assert len(settings) == 24 and len({(s.recipe, s.epochs, s.data) for s in settings.values()}) == 1
    assert settings["tanh, he, skip"].build()().get_layer("add3") is not None


def test_from_seven_layers_on_no_patience_of_ours_is_enough_for_sigmoids():
    waited = {
        name: [experiments.steps_to(run, 0.2) for run in runs]
        for name, runs in experiments.compared("patience").items()
    }
    assert {len(each) for each in waited.values()} == {3} and len(waited) == 15
    late = {name for name, each in waited.items() if max(each) > 1_000}
    assert late == {"sigmoid 7", "sigmoid 10", "sigmoid 20"}
    for run in experiments.recorded("patience")["runs"]:  # at none of the five rates
        if run["setting"].split(",")[0] in late:
            assert experiments.steps_to(run, 0.2) == np.inf and len(run["history"]["loss"]) == 160


def test_thirty_layers_from_glorots_start_wait_and_begin_to_learn():
    """What lesson 04 says: with each start at its best of four rates, in every seed."""
    errors = experiments.errors("relu_thirty")
    assert {len(each) for each in errors.values()} == {3}
    late = errors.pop("30 layers, glorot")
    assert min(late) > 3 * max(itertools.chain(*errors.values()))
    for run in experiments.compared("relu_thirty")["30 layers, glorot"]:
        error = [1 - accuracy for accuracy in run["history"]["accuracy"]]
        assert min(error[:2]) > 0.85 and error[-1] < 0.7  # it had begun to learn
    settings = experiments.EXPERIMENTS["relu_thirty"].settings.values()
    assert {s.recipe.learning_rate for s in settings if s.group == "30 layers, glorot"} == {0.005, 0.02, 0.08, 0.32}


def test_an_initializer_draws_other_numbers_for_every_layer():
    model = gradients.deep(depth=5, width=60, initialization=keras.initializers.RandomNormal(stddev=0.01))
    kernels = [model.get_layer(f"dense{number}").get_weights()[0] for number in (2, 3, 4)]
    assert all(kernel.std() == pytest.approx(0.01, rel=0.1) for kernel in kernels)
    assert all(abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.1 for a, b in itertools.combinations(kernels, 2))

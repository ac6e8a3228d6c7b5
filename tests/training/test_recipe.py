"""A recipe says what it accepts, survives JSON, and does to the weights what the papers wrote."""

import dataclasses
import json
import math

import keras
import numpy as np
import pytest

from course_lib.training import Recipe


def rates(recipe: Recipe, epochs: int, steps: int) -> list[float]:
    """The learning rate of each step, as an optimizer meets it."""
    optimizer = recipe.make_optimizer(epochs, steps)
    variable = keras.Variable(np.zeros(1, np.float32), name="bias")
    optimizer.build([variable])
    found = []
    for _ in range(epochs * steps):
        found.append(float(keras.ops.convert_to_numpy(optimizer.learning_rate)))
        optimizer.apply([keras.ops.zeros(1)], [variable])
    return found


class TestSchedule:
    def test_constant(self):
        assert rates(Recipe(learning_rate=0.25), 2, 3) == [0.25] * 6

    def test_cosine_falls_to_0_over_the_whole_run(self):
        found = rates(Recipe(learning_rate=0.2, schedule="cosine"), 3, 4)
        np.testing.assert_allclose(found, [0.1 * (1 + math.cos(math.pi * step / 12)) for step in range(12)], atol=1e-7)
        assert found[0] == pytest.approx(0.2) and found[-1] < 0.02 * 0.2

    @pytest.mark.parametrize("start", [1, 1.0])
    def test_pairs_switch_at_the_first_step_of_their_epoch(self, start):
        found = rates(Recipe(learning_rate=start, schedule=((1, 0.5), (3, 0.125))), 4, 3)
        assert found == [1.0] * 3 + [0.5] * 6 + [0.125] * 3

    def test_rates_are_for_a_batch_size_and_warm_up_begins_at_it(self):
        """Goyal et al. (2017), section 2.2: k times the batch, k times the rate, reached in even steps."""
        large = Recipe(learning_rate=0.1, schedule=((2, 0.01),), batch_size=512, base_batch_size=128, warm_up=1.5)
        np.testing.assert_allclose(
            rates(large, 3, 4), np.r_[0.1 + 0.3 * np.arange(6) / 6, 0.4, 0.4, [0.04] * 4], rtol=1e-5
        )
        constant = Recipe(learning_rate=0.1, batch_size=64, base_batch_size=128)
        np.testing.assert_allclose(rates(constant, 1, 2), [0.05, 0.05], rtol=1e-6)

    def test_warm_up_of_a_rate_as_given_begins_at_0(self):
        found = rates(Recipe(learning_rate=0.1, schedule="cosine", warm_up=1), 2, 4)
        at_the_end = 0.05 * (1 + math.cos(math.pi / 2))
        np.testing.assert_allclose(found[:5], at_the_end * np.arange(5) / 4, atol=1e-7)


def test_json_and_back():
    recipe = Recipe(optimizer="adamw", learning_rate=1e-3, schedule=((2, 1e-4),), weight_decay=0.01, batch_size=64)
    kept = json.loads(json.dumps(dataclasses.asdict(recipe)))
    assert Recipe(**kept) == recipe and hash(Recipe(**kept)) == hash(recipe)
    assert kept["schedule"] == [[2, 1e-4]]
    assert json.dumps(dataclasses.asdict(Recipe(batch_size=np.int64(64))))


def test_a_recipe_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe().learning_rate = 1.0


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("optimizer", "adm", "unknown optimizer 'adm'. Did you mean 'adam'"),
        ("learning_rate", -0.1, "learning_rate must be a number from 0 to below inf, not -0.1"),
        ("learning_rate", math.nan, "learning_rate must be a number from 0 to below inf, not nan"),
        ("learning_rate", "0.1", "learning_rate must be a number from 0 to below inf, not '0.1'"),
        ("momentum", 1.0, "momentum must be a number from 0 to below 1, not 1.0"),
        ("weight_decay", -1, "weight_decay must be a number from 0"),
        ("batch_size", 0, "batch_size must be a whole number of at least 1, not 0"),
        ("batch_size", 12.5, "batch_size must be a whole number of at least 1, not 12.5"),
        ("schedule", "cosin", "unknown schedule 'cosin'. Did you mean 'cosine'"),
        ("schedule", (), "schedule must be 'constant', 'cosine' or pairs"),
        ("schedule", None, "schedule must be 'constant', 'cosine' or pairs"),
        ("schedule", ((5, 0.1), (2, 0.01)), "epochs that rise from 1 or later"),
        ("schedule", ((2, 0.1), (2, 0.01)), "epochs that rise from 1 or later"),
        ("schedule", ((0, 0.1),), "epochs that rise from 1 or later"),
        ("schedule", ((1, -0.1),), "schedule must be"),
        ("precision", "float16", "unknown precision 'float16'"),
        ("base_batch_size", 0, "base_batch_size must be a whole number of at least 1, not 0"),
        ("warm_up", -1, "warm_up must be a number from 0"),
        ("learning_rate", True, "learning_rate must be a number from 0 to below inf, not True"),
        ("batch_size", None, "batch_size must be a whole number of at least 1, not None"),
        ("steps_per_execution", None, "steps_per_execution must be a whole number of at least 1, not None"),
        ("schedule", ((1.5, 0.1),), "epochs that rise from 1 or later"),
        ("optimizer", ["adam"], "unknown optimizer ['adam']"),
        ("loss", ["x"], "loss must be the name of a loss, not ['x']"),
        ("batch_size", np.array([32]), "batch_size must be a whole number of at least 1"),
        ("schedule", ((math.inf, 0.1),), "epochs that rise from 1 or later"),
        ("xla", "yes", "xla must be one of True, False, 'auto', not 'yes'"),
        ("deterministic", 1, "deterministic must be one of True, False, not 1"),
        ("steps_per_execution", 0, "steps_per_execution must be a whole number of at least 1, not 0"),
        ("cross_device_ops", "ncl", "unknown cross_device_ops 'ncl'. Did you mean 'nccl'"),
    ],
)
def test_what_a_field_does_not_accept(field, value, message):
    with pytest.raises(ValueError) as caught:
        Recipe(**{field: value})
    assert message in str(caught.value)


def test_losses():
    logits = np.array([[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]], np.float32)
    labels = np.array([0, 2])
    found = float(Recipe().make_loss()(labels, logits))
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert found == pytest.approx(-np.log(chances[[0, 1], labels]).mean(), rel=1e-5)  # of logits, averaged

    with pytest.raises(ValueError, match=r"unknown loss 'sparse_crossentropy'\. Did you mean 'sparse_cat"):
        Recipe(loss="sparse_crossentropy").make_loss()

    @keras.saving.register_keras_serializable("test_recipe")
    class Always7(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.ops.zeros_like(y_pred[:, 0]) + 7

    @keras.saving.register_keras_serializable("test_recipe")
    def always_8(y_true, y_pred):
        return keras.ops.zeros_like(y_pred[:, 0]) + 8

    assert float(Recipe(loss="test_recipe>Always7").make_loss()(labels, logits)) == 7
    assert np.allclose(Recipe(loss="test_recipe>always_8").make_loss()(labels, logits), 8)


class TestSteps:
    """Three updates of a kernel and a bias, against the update written out in NumPy."""

    gradients = (np.array([0.5, -1.0]), np.array([0.25, 0.0]), np.array([-2.0, 1.0]))
    start = np.array([1.0, -2.0])

    def taken(self, recipe: Recipe) -> dict[str, np.ndarray]:
        optimizer = recipe.make_optimizer(epochs=1, steps_per_epoch=3)
        variables = [keras.Variable(self.start, name=name, dtype="float32") for name in ("kernel", "bias")]
        optimizer.build(variables)
        for gradient in self.gradients:
            same = keras.ops.convert_to_tensor(gradient, "float32")
            optimizer.apply_gradients([(same, variable) for variable in variables])
        return {variable.name: keras.ops.convert_to_numpy(variable) for variable in variables}

    def sgd(self, decay: float, momentum: float = 0.9, rate: float = 0.1) -> np.ndarray:
        weights, velocity = self.start.copy(), np.zeros(2)
        for gradient in self.gradients:
            velocity = momentum * velocity - rate * (gradient + decay * weights)
            weights = weights + velocity
        return weights

    def test_sgd_adds_the_decay_to_the_gradient_of_kernels_only(self):
        found = self.taken(Recipe(learning_rate=0.1, weight_decay=0.5))
        np.testing.assert_allclose(found["kernel"], self.sgd(decay=0.5), rtol=1e-6)
        np.testing.assert_allclose(found["bias"], self.sgd(decay=0.0), rtol=1e-6)

    def test_sgd_without_decay_or_momentum(self):
        found = self.taken(Recipe(learning_rate=0.1, momentum=0.0))
        np.testing.assert_allclose(found["kernel"], self.start - 0.1 * np.sum(self.gradients, 0), rtol=1e-6)

    def adam(self, coupled: float, decoupled: float, rate: float = 0.1) -> np.ndarray:
        weights, mean, square = self.start.copy(), np.zeros(2), np.zeros(2)
        for step, gradient in enumerate(self.gradients, start=1):
            gradient = gradient + coupled * weights
            weights = weights - rate * decoupled * weights
            mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
            weights = weights - rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-7)
        return weights

    def test_adam_adds_the_decay_to_the_gradient(self):
        found = self.taken(Recipe(optimizer="adam", learning_rate=0.1, weight_decay=0.5))
        np.testing.assert_allclose(found["kernel"], self.adam(coupled=0.5, decoupled=0), rtol=1e-4)
        np.testing.assert_allclose(found["bias"], self.adam(coupled=0, decoupled=0), rtol=1e-4)

    def test_adamw_decays_beside_the_gradient(self):
        found = self.taken(Recipe(optimizer="adamw", learning_rate=0.1, weight_decay=0.5))
        np.testing.assert_allclose(found["kernel"], self.adam(coupled=0, decoupled=0.5), rtol=1e-4)
        np.testing.assert_allclose(found["bias"], self.adam(coupled=0, decoupled=0), rtol=1e-4)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
def test_every_optimizer_is_the_one_that_was_asked_for(optimizer):
    made = Recipe(optimizer=optimizer, weight_decay=0.01).make_optimizer(1, 1)
    assert type(made).__name__.lower().removesuffix("withkerneldecay") == optimizer


@pytest.mark.parametrize("kind", [int, float, np.int64, np.float32])
def test_whole_and_numpys_numbers_are_numbers(kind):
    """Keras refuses a momentum of 0 and a rate of 1 where they are ints."""
    recipe = Recipe(learning_rate=kind(1), momentum=kind(0), weight_decay=kind(0), warm_up=kind(2))
    assert [type(value) for value in (recipe.learning_rate, recipe.momentum, recipe.warm_up)] == [float] * 3
    assert json.loads(json.dumps(recipe.record())) == recipe.record()
    recipe.make_optimizer(2, 3)


def test_losses_are_told_from_layers(monkeypatch):
    @keras.saving.register_keras_serializable("test_recipe")
    def not_a_loss(images):
        return images

    @keras.saving.register_keras_serializable("test_recipe")
    class NotALoss(keras.layers.Layer):
        pass

    for name in ("test_recipe>not_a_loss", "test_recipe>NotALoss"):
        with pytest.raises(ValueError, match="unknown loss"):
            Recipe(loss=name).make_loss()


@pytest.mark.parametrize("decay", [0.0, 0.01])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
def test_an_optimizer_survives_keras_saving(optimizer, decay):
    recipe = Recipe(optimizer, schedule="cosine", weight_decay=decay, warm_up=1)
    made = recipe.make_optimizer(3, 5)
    again = keras.saving.deserialize_keras_object(json.loads(json.dumps(keras.saving.serialize_keras_object(made))))
    assert type(again) is type(made)
    assert keras.saving.serialize_keras_object(again) == keras.saving.serialize_keras_object(made)
    assert float(again.learning_rate) == float(made.learning_rate) == 0

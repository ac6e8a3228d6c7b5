"""The answers of lesson 04, each found by another way, and its judges met with right and wrong functions."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from answers import near

from course_lib import exercises, visualization
from course_lib.exercises.judges import deep_networks
from course_lib.experiments.gradients import deep, sick


class TestGradientsAnswersAreComputed:
    """The answers of lesson 04, each found another way."""

    def test_parameters_of_a_dense_layer(self):
        from course_lib.experiments import gradients

        near(exercises.gradients.w3, gradients.deep(depth=2, width=100).get_layer("dense1").count_params())

    def test_share_of_active_units(self):
        drawn = np.random.default_rng(1).normal(size=1_000_000)
        near(exercises.gradients.q3, (drawn + 0.5 > 0).mean())

    def test_products(self):
        near(exercises.gradients.w1, sum((2, -1, 4)))
        near(exercises.gradients.q8, 0.01 * 10 / (0.1 * 1e-6))
        near(exercises.gradients.e3, 1.25**10)

    def test_a_level_chain(self):
        def slope_between(weight):
            found = visualization.chain(np.full(20, weight), np.full(20, -weight / 2), 0.5, 0.0)
            return np.log(found["norm"][0] / found["norm"][10])

        low, high = 1.0, 8.0
        while high - low > 1e-6:
            middle = (low + high) / 2
            low, high = (middle, high) if slope_between(middle) < 0 else (low, middle)
        near(exercises.gradients.q5, low)

    def test_deviation_of_a_convolution(self):
        keras.utils.set_random_seed(0)
        convolution = keras.layers.Conv2D(256, 3, kernel_initializer="he_normal")
        convolution.build((None, 8, 8, 64))
        near(exercises.gradients.q7, convolution.get_weights()[0].std())


def gradient_by_differences(weights, x, target):
    def error(first):
        h = x
        for weight in (first, *weights[1:]):
            h = np.tanh(weight * h)
        return 0.5 * (h - target) ** 2

    return (error(weights[0] + 1e-6) - error(weights[0] - 1e-6)) / 2e-6


def gradient_going_back(weights, x, target, *, error=True, slope=lambda h: 1 - h**2, first=False):
    h = [x]
    for weight in weights:
        h.append(np.tanh(weight * h[-1]))
    back = h[-1] - target if error else 1.0
    for number in range(len(weights) - 1, 0, -1):
        back = back * slope(h[number + 1]) * weights[number]
    return back * slope(h[1]) * x * (weights[0] if first else 1)


def filling(slope, last):
    """The lesson's cell with its gaps filled: `slope(h, n)` in the loop, `last(back, h, x)` returned."""

    def tanh_gradient(weights, x, target):
        h = [x]
        for w in weights:
            h.append(np.tanh(w * h[-1]))
        back = h[-1] - target
        for n in range(len(weights) - 1, 0, -1):
            back = back * weights[n] * slope(h, n)
        return last(back, h, x)

    return tanh_gradient


def right_slope(h, n):
    return 1 - h[n + 1] ** 2


def right_last(back, h, x):
    return back * (1 - h[1] ** 2) * x


def without_weights(weights, x, target):
    return gradient_going_back(weights, x, target) / np.prod(weights[1:])


class TestTanhGradient:
    @pytest.mark.parametrize(
        "function", [gradient_by_differences, gradient_going_back, filling(right_slope, right_last)]
    )
    def test_right(self, function):
        assert exercises.gradients.q4.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (without_weights, "The weights are missing"),
            (lambda w, x, t: gradient_going_back(w, x, t, first=True), "The first weight does not stand in its own"),
            (lambda w, x, t: gradient_going_back(w, x, t, error=False), "The first factor is missing"),
            (lambda w, x, t: gradient_going_back(w, x, t, slope=lambda h: h * (1 - h)), "is the sigmoid's slope"),
            (lambda w, x, t: -gradient_going_back(w, x, t), "The sign is reversed"),
            (lambda w, x, t: gradient_going_back(w, x, t) / x, "The last factor is missing"),
            (filling(right_slope, lambda back, h, x: back), "The last factors are missing"),
            (filling(right_slope, lambda back, h, x: back * x), "The last slope is missing"),
            (filling(lambda h, n: 1 - h[n] ** 2, right_last), "your slope takes h[n]"),
            (
                filling(lambda h, n: 1 - h[n] ** 2, lambda b, h, x: b * (1 - x**2) * x),
                "yours takes h[n], for the first",
            ),
            (
                filling(lambda h, n: 1 - np.tanh(h[n + 1]) ** 2, lambda b, h, x: b * (1 - np.tanh(h[1]) ** 2) * x),
                "tanh is in",
            ),
            (filling(lambda h, n: 1 - h[n + 1], lambda b, h, x: b * (1 - h[1]) * x), "with the square"),
            (lambda w, x, t: 0.0, "One number, but not the right one"),
            (lambda w, x, t: w, "yours has the shape (4,)"),
            (lambda w: w, "Your function stopped with TypeError"),
            (lambda w, x, t: w[0] * ..., "The gap is still empty"),
            (lambda w, x, t: None, "returns nothing"),
            (0.25, "q4 expects a function of (weights, x, target)"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.gradients.q4.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said


GAINS = {"relu": 2.0, "tanh": 1.0}


def weights_by_their_deviation(draws, activation):
    return draws * np.sqrt(GAINS[activation] / len(draws))


def weights_in_keras(draws, activation):
    variance = keras.ops.divide(GAINS[activation], draws.shape[0])
    return keras.ops.multiply(keras.ops.sqrt(variance), keras.ops.cast(draws, "float32"))


class TestInitialWeights:
    @pytest.mark.parametrize("function", [weights_by_their_deviation, weights_in_keras])
    def test_right(self, function):
        assert exercises.gradients.q1.reply(function).startswith("→ Right")

    def test_the_right_one_equals_keras(self):
        for activation, gain in GAINS.items():
            theirs = keras.initializers.VarianceScaling(gain, "fan_in", "untruncated_normal", seed=1)((30, 20))
            draws = np.asarray(keras.random.normal((30, 20), seed=1))
            np.testing.assert_allclose(weights_by_their_deviation(draws, activation), theirs, rtol=1e-5)

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda d, a: d * GAINS[a] / len(d), "You multiply by the variance"),
            (lambda d, a: d * np.sqrt(GAINS[a] / d.shape[1]), "n is the number of terms in a sum"),
            (lambda d, a: d / np.sqrt(GAINS[a] / len(d)), "You divide by the standard deviation"),
            (lambda d, a: d * np.sqrt(2 / sum(d.shape)), "That is Glorot's"),
            (lambda d, a: d * np.sqrt(GAINS[a] / d.size), "not the number of all weights"),
            (lambda d, a: d * np.sqrt(1 / len(d)), "For ReLU, half of the mean square is lost"),
            (lambda d, a: d * np.sqrt(2 / len(d)), "For tanh nothing is cut off"),
            (lambda d, a: d, "These are the draws as they came"),
            (lambda d, a: 0.01 * d, "For 'relu' and 40 inputs the variance of your weights is"),
            (lambda d, a: d / d.std() * np.sqrt(GAINS[a] / len(d)), "The size is right"),
            (lambda d, a: -weights_by_their_deviation(d, a), "The size is right"),
            (lambda d, a: d[0], "yours have the shape (25,)"),
            (lambda d, a: ..., "The gap is still empty"),
            (lambda d, a: None, "returns nothing"),
            (lambda d: d, "Your function stopped with TypeError"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.gradients.q1.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said


def gradients_of(model, batch, *, reduce=tf.reduce_mean, from_logits=True, variables=None):
    images, labels = batch
    if variables is None:
        variables = [weight for weight in model.trainable_weights if len(weight.shape) == 2]
    with tf.GradientTape() as tape:
        losses = keras.losses.sparse_categorical_crossentropy(labels, model(images), from_logits=from_logits)
        loss = reduce(losses)
    return [gradient.numpy() for gradient in tape.gradient(loss, variables)]


def norms_by_hand(model, batch):
    return [np.sqrt(np.sum(gradient**2)) for gradient in gradients_of(model, batch)]


def norms_by_keras_loss(model, batch):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        error = loss(batch[1], model(batch[0], training=True))
    kernels = [weight for weight in model.trainable_variables if len(weight.shape) == 2]
    return tf.stack([tf.norm(gradient) for gradient in tape.gradient(error, kernels)])


class TestLayerNorms:
    def test_the_judge_measures_as_the_library_does(self):
        images, labels = np.random.default_rng(0).normal(size=(8, 32, 32, 1)).astype("float32"), np.arange(8)
        keras.utils.set_random_seed(0)
        model = with_he()
        found = visualization.gradient_sizes(model, images, labels)
        mine = [np.linalg.norm(gradient) for gradient in deep_networks.gradients_of(model, images, labels)]
        np.testing.assert_allclose(mine, found["norm"], rtol=1e-4)

    @pytest.mark.parametrize("function", [norms_by_hand, norms_by_keras_loss])
    def test_right(self, function):
        assert exercises.gradients.e1.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda m, b: norms_by_hand(m, b)[::-1], "They run from the output to the input"),
            (lambda m, b: [np.linalg.norm(g) for g in gradients_of(m, b, reduce=tf.reduce_sum)], "is summed over"),
            (lambda m, b: [np.sum(g**2) for g in gradients_of(m, b)], "the squares of the norms"),
            (lambda m, b: [np.linalg.norm(layer.kernel) for layer in m.layers], "norms of the weights"),
            (lambda m, b: [np.abs(g).mean() for g in gradients_of(m, b)], "That is the mean of"),
            (lambda m, b: [np.sqrt(np.mean(g**2)) for g in gradients_of(m, b)], "root of the MEAN square"),
            (
                lambda m, b: [np.linalg.norm(g) for g in gradients_of(m, b, variables=m.trainable_variables)],
                "leave the biases out",
            ),
            (lambda m, b: [np.linalg.norm(g) for g in gradients_of(m, b, from_logits=False)], "not the norm"),
            (lambda m, b: norms_by_hand(m, b)[:2], "you return 2 numbers"),
            (lambda m, b: gradients_of(m, b), "one number per dense layer"),
            (lambda m, b: None, "returns nothing"),
            (lambda m: m, "Your function stopped with TypeError"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.gradients.e1.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said


def handing_in(network, reached=()):
    """A function that hands in what `network()` builds, both lists of norms, and the layers of sick() reached."""

    def repair(batch):
        model = network()
        return model, norms_by_hand(sick(), batch), norms_by_hand(model, batch), reached

    return repair


def with_he():
    return deep(depth=10, width=50)


def with_tanh():
    return deep(depth=10, width=50, activation="tanh", initialization="glorot")


def with_default_width():
    return deep(depth=10)


def with_glorot():
    return deep(depth=10, width=50, initialization="glorot")


def with_selu():
    """It learns at the smaller of the judge's rates."""
    dense = functools.partial(keras.layers.Dense, kernel_initializer="lecun_normal")
    inner = [dense(50, activation="selu") for _ in range(9)]
    return keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Flatten(), *inner, dense(10)])


def in_blocks():
    """The same ten layers, nine of them in a nested model."""
    network = with_he()
    inner = keras.Model(network.input, network.layers[-2].output)
    return keras.Model(network.input, network.layers[-1](inner(network.input)))


def with_dropout():
    network = with_he()
    return keras.Model(network.input, network.layers[-1](keras.layers.Dropout(0.1)(network.layers[-2].output)))


def with_normalization():
    return deep(depth=10, width=50, normalization=True)


def sick_with_normalization():
    dense = {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.01)}
    layers = keras.layers
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((32, 32, 1)), layers.Flatten()])
    for _ in range(9):
        for layer in (layers.Dense(50, **dense), layers.BatchNormalization(), layers.ReLU()):
            model.add(layer)
    model.add(layers.Dense(10, **dense))
    return model


def as_in_training(network):
    """Hands in the norms of `network()` with the batch's statistics."""

    def repair(batch):
        model = network()
        return model, norms_by_hand(sick(), batch), [float(norm) for norm in norms_by_keras_loss(model, batch)], []

    return repair


def of_sick_twice(batch):
    norms = norms_by_hand(deep_networks.sick(), batch)
    return sick_with_normalization(), norms, norms, []


def with_softmax():
    model = with_he()
    return keras.Model(model.input, keras.layers.Softmax()(model.output))


def with_huge_weights():
    return deep(depth=10, width=50, initialization=keras.initializers.RandomNormal(stddev=3.0))


def exchanged(batch):
    model, before, after, reached = handing_in(with_he)(batch)
    return model, after, before, reached


def of_four_numbers():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])


def of_another_network(batch):
    model, before, _, reached = handing_in(with_he)(batch)
    return model, before, norms_by_hand(with_tanh(), batch), reached


def on_blank_images(batch):
    """Every norm is that of a batch whose images were wiped out in place."""
    batch[0][:] = 0
    return handing_in(with_he)(batch)


class TestRepair:
    def test_the_judge_knows_the_network_of_the_lesson(self):
        mine, theirs = (network().get_weights() for network in (deep_networks.sick, sick))
        assert [weights.shape for weights in mine] == [weights.shape for weights in theirs]
        for one, other in zip(mine[::2], theirs[::2], strict=True):
            assert one.std() == pytest.approx(0.01, rel=0.2) and other.std() == pytest.approx(0.01, rel=0.2)

    @pytest.mark.parametrize("network", [with_he, with_tanh, with_default_width, with_glorot, in_blocks, with_selu])
    def test_right(self, network):
        assert exercises.gradients.e2.reply(handing_in(network)).startswith("→ Right")

    @pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
    def test_right_with_normalization_and_glorots_start(self, activation):
        """As section 5 shows; with the moving averages of so few steps sigmoids would be wrong on a third."""
        network = functools.partial(
            deep, depth=10, width=50, activation=activation, initialization="glorot", normalization=True
        )
        assert exercises.gradients.e2.reply(as_in_training(network)).startswith("→ Right")

    def test_right_with_normalization_measured_as_in_training(self):
        keras.utils.set_random_seed(3)
        assert exercises.gradients.e2.reply(as_in_training(with_normalization)).startswith("→ Right")

    @pytest.mark.parametrize("network", [with_normalization, sick_with_normalization])
    def test_normalization_measured_as_in_use(self, network):
        keras.utils.set_random_seed(3)
        said = "→ Not yet. Normalization uses the batch's statistics only in training: call `model("
        assert exercises.gradients.e2.reply(handing_in(network)).startswith(said)

    @pytest.mark.filterwarnings("ignore:.*from_logits:UserWarning")  # the network with a softmax
    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (handing_in(lambda: deep(depth=11)), "Yours has 11 layers with weights; 10 are asked"),
            (handing_in(with_dropout), "Leave dropout out"),
            (lambda b: (keras.Sequential([keras.layers.Dense(10)]), [], [], []), "Its layers cannot be told"),
            (of_sick_twice, "The second list does not belong to the network"),
            (handing_in(sick), "The gradient of its first layer had the norm"),
            (handing_in(with_huge_weights), "Its weights start too large"),
            (handing_in(lambda: deep(depth=3)), "A shallow network learns easily"),
            (handing_in(with_softmax), "It must give logits; yours gives probabilities"),
            (lambda b: (of_four_numbers(), [1], [1], []), "It must map 32×32×1"),
            (exchanged, "yours are exchanged"),
            (on_blank_images, "The first list does not show sick()"),
            (of_another_network, "The second list does not belong to the network"),
            (lambda b: (with_he(), np.ones(10), np.ones(10), []), "The first list does not show sick()"),
            (lambda b: (with_he(), [1.0], [1.0], []), "There must be one norm per layer"),
            (lambda b: (with_he(), "vanished", "healthy", []), "must be lists of norms"),
            (lambda b: with_he(), "Hand in four things"),
            (handing_in(with_he, range(1, 11)), "You expect a gradient in every layer"),
            (handing_in(with_he, [8, 9, 10]), "the outputs shrink toward the last layer, too"),
            (handing_in(with_he, [1]), "you name [1]"),
            (handing_in(with_he, [0]), "The layers are counted from 1 to 10"),
            (handing_in(with_he, [...]), "The gap is still empty"),
            (handing_in(with_he, "none"), "must be a list of layers"),
            (lambda b: ([], [], [], []), "The first of the four must be the network"),
            (lambda b: None, "returns nothing"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.gradients.e2.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said

"""Stacks that learn to copy, networks with new random weights, and blocks that do nothing."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_lib import experiments, models

SMALL = {"image_shape": (8, 8, 1), "num_classes": 10}


def linear(x, layers):
    for (weights,) in layers:
        x = x @ weights
    return x


class TestLearnToCopy:
    def test_each_stack_learns_at_its_own_rate(self):
        inputs = np.random.default_rng(0).normal(size=(300, 3)).astype("float32")
        start = [(np.tile(np.eye(3) * 0.5, (2, 1, 1)),)]
        learned = experiments.learn_to_copy(linear, start, (0.01, 1e-9), inputs, steps=100)
        missed = np.mean((linear(inputs[None], learned) - inputs) ** 2, axis=(1, 2))
        assert missed[0] < 0.01 and missed[1] == pytest.approx(0.25 * np.mean(inputs**2), rel=1e-3)

    def test_rate_times_adam_is_adam_with_the_rate(self):
        inputs = np.random.default_rng(0).normal(size=(300, 3)).astype("float32")
        start = np.random.default_rng(1).normal(size=(1, 3, 3)).astype("float32")
        ((learned,),) = experiments.learn_to_copy(linear, [(start,)], (0.01,), inputs, steps=20)
        weights = tf.Variable(start)
        optimizer = keras.optimizers.Adam(0.01)
        draw = np.random.default_rng(0)
        for _ in range(20):
            x = inputs[None, draw.integers(0, 300, 128)]
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((x @ weights - x) ** 2)
            optimizer.apply(tape.gradient(loss, [weights]), [weights])
        np.testing.assert_allclose(learned, weights.numpy(), rtol=1e-3, atol=1e-4)


class TestRedraw:
    def test_other_seeds_other_kernels_of_the_same_size(self):
        network = models.build("plain_small", depth=8, **SMALL)
        kernels = [
            experiments.redraw(network, seed).get_layer("conv4_block1_2_conv").kernel.numpy() for seed in (0, 1, 0)
        ]
        np.testing.assert_array_equal(kernels[0], kernels[2])
        assert not np.array_equal(kernels[0], kernels[1])
        assert kernels[1].std() == pytest.approx(np.sqrt(2 / np.prod(kernels[1].shape[:3])), rel=0.1)

    def test_a_trained_dense_layer_begins_anew(self):
        network = models.build("plain_small", depth=8, **SMALL)
        dense = network.get_layer("predictions")
        begun = [each.copy() for each in experiments.redraw(network, 0).get_layer("predictions").get_weights()]
        dense.set_weights([each + 1 for each in begun])
        for old, new in zip(begun, experiments.redraw(network, 0).get_layer("predictions").get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)
        assert np.abs(begun[0]).max() == pytest.approx(np.sqrt(6 / sum(begun[0].shape)), rel=0.05)
        assert not begun[1].any()

    def test_normalization_begins_anew_or_knows_a_batch(self):
        network = models.build("plain_small", depth=8, **SMALL)
        images = np.random.default_rng(0).normal(size=(20, 8, 8, 1)).astype("float32")
        known = experiments.redraw(network, 0, images)(images).numpy()
        np.testing.assert_allclose(known, network(images, training=True), rtol=1e-3, atol=1e-4)
        norm = network.get_layer("conv1_bn")
        assert norm.momentum == pytest.approx(0.9)
        assert np.ptp(experiments.redraw(network, 0).get_layer("conv1_bn").moving_mean.numpy()) == 0


class TestWithoutBlock:
    @pytest.mark.parametrize("family", ["plain", "resnet"])
    def test_the_blocks_input_comes_out_and_the_network_is_put_back(self, family):
        network = models.build(f"{family}_small", depth=14, **SMALL)
        images = np.random.default_rng(0).normal(size=(5, 8, 8, 1)).astype("float32")
        before = network.get_weights()
        ends = keras.Model(network.input, [network.get_layer(f"conv3_block{n}_out").output for n in (1, 2)])

        def difference(model):
            return float(np.abs(np.subtract(*map(np.asarray, ends(images)))).max())

        assert difference(network) > 0.1
        found = experiments.without_block(network, "conv3_block2", difference, residual=family == "resnet")
        assert found == pytest.approx(0, abs=1e-3)
        for old, new in zip(before, network.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)

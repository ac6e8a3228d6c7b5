"""The answers of lesson 06, each found by another way, and its judges met with right and wrong functions."""

import numpy as np
import pytest

from course_lib import exercises, models


@pytest.fixture(scope="module")
def vgg16():
    return models.build("vgg16", width=1 / 64)


class TestVggsAnswersAreTheNetworks:
    """The answers of lesson 06, counted from networks."""

    def parameters(self, kernel_size, channels, maps, bias=True):
        import keras

        layer = keras.layers.Conv2D(maps, kernel_size, use_bias=bias)
        layer.build((None, 9, 9, channels))
        return layer.count_params()

    def test_layers(self, vgg16):
        asked = exercises.vgg
        assert asked.e3.right == self.parameters(1, 512, 512) and self.parameters(3, 512, 512) in asked.e3.wrong
        assert asked.q3.right == 2 * self.parameters(3, 128, 128, bias=False)
        assert {self.parameters(5, 128, 128, bias=False), 27 * 128**2} <= set(asked.q3.wrong)
        pooled = vgg16.get_layer("block5_pool").output.shape
        assert pooled[1:3] == (7, 7)
        assert asked.q7.right == (512 + 1) * 4096 and (7 * 7 * 512 + 1) * 4096 in asked.q7.wrong

    def test_layers_with_parameters(self, vgg16):
        def depth(blocks):
            return sum(blocks) + sum(1 for layer in vgg16.layers if layer.weights and "conv" not in layer.name)

        convolutions = sum("conv" in layer.name for layer in vgg16.layers)
        assert depth([convolutions]) == 16
        assert exercises.vgg.q1.right == depth([3, 3, 5, 5, 5])

    def test_what_a_unit_sees(self, vgg16):
        field = {row["layer"]: row["receptive_field"] for row in models.summary.layer_table(vgg16)}
        assert exercises.vgg.e1.right == field["block2_conv1"]
        assert {field["block1_pool"], field["block2_conv2"]} <= set(exercises.vgg.e1.wrong)
        assert 1 + 2 * exercises.vgg.q2.right == 11

    def test_arithmetic(self):
        asked = exercises.vgg
        assert asked.w2.right == pytest.approx(np.sqrt(2) ** 8)
        assert asked.q6.right == 370_000 * 256 / 1_024
        assert asked.q8.right == pytest.approx((12 - 1.5) / 0.06)


def paths_by_loops(kernel_sizes):
    paths = np.ones((1, 1), int)
    for size in kernel_sizes:
        before = np.zeros(np.add(paths.shape, size - 1), int)
        for row in range(size):
            for column in range(size):
                before[row : row + len(paths), column : column + len(paths)] += paths
        paths = before
    return paths


def paths_by_tape(kernel_sizes):
    import tensorflow as tf

    side = 1 + sum(size - 1 for size in kernel_sizes)
    x = pixels = tf.ones((1, side, side, 1))
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        for size in kernel_sizes:
            x = tf.nn.conv2d(x, tf.ones((size, size, 1, 1)), 1, "VALID")
    return tape.gradient(x, pixels)[0, :, :, 0]


class TestCountPaths:
    @pytest.mark.parametrize("function", [paths_by_loops, paths_by_tape])
    def test_right(self, function):
        assert exercises.vgg.e2.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda sizes: np.ones_like(paths_by_loops(sizes)), "each pixel has one path"),
            (lambda sizes: paths_by_loops(sizes) / paths_by_loops(sizes).sum(), "these are shares"),
            (lambda sizes: np.add.outer(*[paths_by_loops(sizes)[0]] * 2), "yours add up"),
            (lambda sizes: paths_by_loops(sizes)[0], "the square that is seen has two sides"),
            (lambda sizes: paths_by_loops((3,) * len(sizes)), "see a square of (7, 7); yours has the shape (5, 5)"),
            (lambda sizes: paths_by_loops(sizes) + 1, "274 paths; there are 225"),
            (lambda sizes: sizes + 1, "Your function stopped with TypeError"),
            (49, "e2 expects a function of a tuple of kernel sizes"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.vgg.e2.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said

"""The answers of lesson 03, each found by another way, and its judges met with right and wrong functions."""

import numpy as np
import pytest

from course_lib import exercises, models
from course_lib.exercises.judges import lenet as judges


@pytest.fixture(scope="module")
def lenet5():
    return models.build("lenet5")


class TestLenetsAnswersAreTheNetworks:
    """The answers of lesson 03, counted from the network itself."""

    def test_filters(self, lenet5):
        wrong = exercises.lenet.q1.wrong
        c1, c3 = lenet5.get_layer("c1"), lenet5.get_layer("c3")
        assert exercises.lenet.q1.right == c1.filters
        assert {25, 156, 16, 784} <= set(wrong)
        height, width, _ = c1.output.shape[1:]
        assert (c1.count_params(), c3.filters, height * width) == (156, 16, 784)

    def test_pooling(self, lenet5):
        q2, s2 = exercises.lenet.q2, lenet5.get_layer("s2")
        assert q2.right == tuple(s2.pool_size)
        assert s2.input.shape[1:3] == (28, 28) and s2.output.shape[1:3] == (14, 14)
        assert {(28, 28), (14, 14), (5, 5), (6, 6)} <= set(q2.wrong)

    def test_weights_of_a_filter(self, lenet5):
        height, width, maps_in, maps_out = lenet5.get_layer("c3").kernel.shape
        q3 = exercises.lenet.q3
        assert q3.right == height * width * maps_in
        assert {25, 151, 400} <= set(q3.wrong) and height * width * maps_out == 400
        assert {q3.right * maps_out, lenet5.get_layer("c3").count_params()} <= set(q3.wrong)

    def test_chances(self):
        q6 = exercises.lenet.q6
        assert q6.right == pytest.approx((1 - 0.0082) ** 5, abs=1e-12)
        assert sorted(q6.wrong) == pytest.approx(sorted([0.9918, 1 - 0.9918**5, 0.0082, 0.0082**5]), abs=1e-12)
        differences = np.abs(np.subtract.outer([q6.right, *q6.wrong], [q6.right, *q6.wrong]))
        assert np.sort(differences, axis=None)[5] > 2 * q6.tolerance  # no two answers are taken for each other

    def test_a_larger_image(self):
        larger = models.build("lenet5", image_shape=(40, 40, 1))
        sides = {name: larger.get_layer(name).output.shape[1] for name in ("c1", "s2", "c3", "s4")}
        assert exercises.lenet.e1.right == sides["s4"]
        assert sides["s2"] in exercises.lenet.e1.wrong and sides["c3"] in exercises.lenet.e1.wrong

    def test_colors(self):
        c1 = models.build("lenet5", image_shape=(32, 32, 3)).get_layer("c1")
        e3 = exercises.lenet.e3
        assert e3.right == c1.count_params()
        assert {c1.count_params() - 6, c1.count_params() // 6, 156, 3 * 156} == set(e3.wrong)


def gradient_by_loops(image, upstream):
    height, width = upstream.shape
    rows, columns = image.shape[0] - height + 1, image.shape[1] - width + 1
    kernel = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            for r in range(height):
                for c in range(width):
                    kernel[i, j] += image[r + i, c + j] * upstream[r, c]
    return kernel


def gradient_by_einsum(image, upstream):
    windows = np.lib.stride_tricks.sliding_window_view(image, upstream.shape)
    return np.einsum("ijrc,rc->ij", windows, upstream)


def gradient_by_scipy(image, upstream):
    from scipy.signal import correlate2d

    return correlate2d(image, upstream, mode="valid")


def gradient_by_tensorflow(image, upstream):
    import tensorflow as tf

    kernel = tf.Variable(tf.zeros((5, 5, 1, 1), tf.float64))
    with tf.GradientTape() as tape:
        output = tf.nn.conv2d(image[None, :, :, None], kernel, 1, "VALID")
        loss = tf.reduce_sum(output[0, :, :, 0] * upstream)
    return tape.gradient(loss, kernel)[:, :, 0, 0]


class TestKernelGradient:
    @pytest.mark.parametrize(
        "function", [gradient_by_loops, gradient_by_einsum, gradient_by_scipy, gradient_by_tensorflow]
    )
    def test_right(self, function):
        assert exercises.lenet.q4.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda i, u: gradient_by_loops(i, u) / u.size, "This is the average over the positions"),
            (lambda i, u: gradient_by_loops(i, u)[::-1, ::-1], "turned by 180 degrees"),
            (lambda i, u: -gradient_by_loops(i, u), "The sign is reversed"),
            (lambda i, u: gradient_by_loops(i, u)[:3, :3], "yours has the shape (3, 3)"),
            (lambda i, u: np.pad(gradient_by_loops(i, u), 3), "yours has the shape (11, 11)"),
            (lambda i, u: gradient_by_loops(i, u).sum(), "yours has the shape ()"),
            (lambda i, u: None, "yours has the shape ()"),
            (lambda i, u: gradient_by_loops(i, u).T, "The shape is right, the numbers are not"),
            (lambda i, u: gradient_by_loops(i, np.ones_like(u)), "The shape is right, the numbers are not"),
            (lambda i, u: gradient_by_loops(i, u) + 0.01, "The shape is right, the numbers are not"),
            (lambda i, u: i @ u, "Your function stopped with ValueError"),
            (lambda i: i, "Your function stopped with TypeError"),
            (gradient_by_loops(np.ones((8, 9)), np.ones((4, 5))), "q4 expects a function of (image, upstream)"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.lenet.q4.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said

    def test_a_function_that_spoils_its_input_is_judged_all_the_same(self):
        def spoiling(image, upstream):
            result = gradient_by_loops(image, upstream)
            image[:], upstream[:] = 0, 0
            return result

        assert judges.kernel_gradient(spoiling) is None


class TestSmallLenet:
    def made(self, image_shape=(32, 32, 1), outputs=10, filters=4, convolution=True):
        import keras
        from keras import layers

        inputs = keras.Input(image_shape)
        x = layers.Conv2D(filters, 5, strides=3, name="c1")(inputs) if convolution else layers.MaxPooling2D(4)(inputs)
        return keras.Model(inputs, layers.Dense(outputs, name="output")(layers.Flatten()(x)))

    def test_right(self):
        assert exercises.lenet.e2.reply(lambda: models.build("lenet5", width=0.5)).startswith("→ Right")
        assert exercises.lenet.e2.reply(self.made).startswith("→ Right")

    @pytest.mark.parametrize(
        ("changed", "reply"),
        [
            ({"image_shape": (28, 28, 1)}, "It must map 32×32×1 to 10 logits; yours maps (28, 28, 1) to (10,)"),
            ({"outputs": 2}, "yours maps (32, 32, 1) to (2,)"),
            ({"filters": 60}, "the most, 60,010, are in output"),
            ({"convolution": False}, "has no convolution left: keep the filters"),
        ],
    )
    def test_wrong(self, changed, reply):
        said = exercises.lenet.e2.reply(lambda: self.made(**changed))
        assert said.startswith("→ Not yet. ") and reply in said

    def test_not_a_builder(self):
        assert "Your function stopped with AttributeError" in exercises.lenet.e2.reply(lambda: None)
        assert "That is a network; give the function that builds it" in exercises.lenet.e2.reply(self.made())
        assert "e2 expects a function that builds it" in exercises.lenet.e2.reply(0.5)

    def test_the_full_network_is_too_large(self):
        said = exercises.lenet.e2.reply(lambda: models.build("lenet5"))
        assert said == "→ Not yet. It has 61,706 parameters; the most, 48,120, are in c5."

"""The answers of lesson 07, each found by another way, and its judges met with right and wrong functions."""

import numpy as np
import pytest
from answers import near
from scipy import stats

from course_lib import exercises, models


class TestResnetsAnswersAreComputed:
    """The answers of lesson 07, each counted from networks or found another way."""

    def test_what_four_convolutions_see(self):
        import keras
        from keras import layers

        stack = keras.Sequential([keras.Input((32, 32, 1)), *(layers.Conv2D(1, 3) for _ in range(4))])
        *_, last = models.summary.layer_table(stack)
        near(exercises.resnet.w1, last["receptive_field"])

    def test_what_nine_pictures_of_300_tell(self):
        errors = [stats.binom(300, 0.185).rvs(100_000, random_state=seed) for seed in (0, 1)]  # two equal networks
        assert np.mean(np.abs(errors[0] - errors[1]) >= 9) == pytest.approx(1 / 3, abs=0.05)
        assert "one time in three" in exercises.resnet.w3.wrong["A"]
        assert "about 2.3 points" in exercises.resnet.w3.because
        assert 100 * np.sqrt(0.2 * 0.8 / 300) == pytest.approx(2.3, abs=0.05)

    def test_bottleneck(self):
        import keras

        inputs = keras.Input((4, 4, 256))
        counts = {}
        for block, filters in ((models.resnet.bottleneck, 64), (models.resnet.basic, 256)):
            made = keras.Model(inputs, block(inputs, filters, 1, block.__name__, shortcut="A"))
            kernels = [layer.kernel.shape for layer in made.layers if hasattr(layer, "kernel")]
            counts[block.__name__] = sum(int(np.prod(kernel)) for kernel in kernels)
        near(exercises.resnet.q5, counts["bottleneck"])
        assert counts["basic"] in exercises.resnet.q5.wrong

    def test_shares_and_products(self):
        near(exercises.resnet.q6, (1 - 0.2) ** 3)
        near(exercises.resnet.q7, 2**14 / 2**15)
        near(exercises.resnet.q9, round(100 * np.sqrt(0.051 * (1 - 0.051) / 1_500), 2))

    def test_layers_of_bottlenecks(self):
        assert models.resnet.IMAGENET["resnet101"].blocks == (3, 4, 23, 3)
        near(exercises.resnet.e1, 3 * sum(models.resnet.IMAGENET["resnet101"].blocks) + 2)

    def test_empty_maps(self):
        out = np.asarray(models.resnet.ShortcutA(128, 2)(np.ones((1, 56, 56, 64), "float32")))
        near(exercises.resnet.e3, (out == 0).sum())
        assert out.size in exercises.resnet.e3.wrong

    def test_where_a_zeroed_block_has_gradients(self):
        import keras
        import tensorflow as tf

        inputs = keras.Input((4, 4, 2))
        block = keras.Model(inputs, models.resnet.basic(inputs, 2, 1, "b", shortcut="A"))
        block.get_layer("b_2_bn").gamma.assign([0.0, 0.0])
        images = np.random.default_rng(0).uniform(0.1, 1, (8, 4, 4, 2)).astype("float32")
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(block(images, training=True) ** 2)
        gradients = tape.gradient(loss, block.trainable_variables)
        moving = {v.path for v, g in zip(block.trainable_variables, gradients, strict=True) if np.abs(g).max() > 0}
        assert exercises.resnet.q3.right == "C" and moving == {"b_2_bn/gamma", "b_2_bn/beta"}


def relu(y):
    return np.maximum(y, 0)


def projected_by_loops(x, w1, w2, ws):
    out = np.zeros((len(x), ws.shape[1]))
    for row, each in enumerate(x):
        hidden = [max(0.0, sum(a * b for a, b in zip(each, column, strict=True))) for column in w1.T]
        for unit in range(ws.shape[1]):
            out[row, unit] = max(0.0, np.dot(each, ws[:, unit]) + np.dot(hidden, w2[:, unit]))
    return out


def projected_by_keras(x, w1, w2, ws):
    from keras import ops

    return ops.relu(ops.add(ops.matmul(x, ws), ops.matmul(ops.relu(ops.matmul(x, w1)), w2)))


class TestProjectedBlock:
    @pytest.mark.parametrize("function", [projected_by_loops, projected_by_keras])
    def test_right(self, function):
        assert exercises.resnet.e2.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda x, w1, w2, ws: x @ ws + relu(x @ w1) @ w2, "The last ReLU is missing"),
            (lambda x, w1, w2, ws: x @ ws + relu(relu(x @ w1) @ w2), "Your ReLU stands before the addition"),
            (lambda x, w1, w2, ws: relu(relu(x @ ws) + relu(x @ w1) @ w2), "a ReLU stands on the shortcut as well"),
            (lambda x, w1, w2, ws: relu(relu(x @ w1) @ w2), "The shortcut is missing"),
            (lambda x, w1, w2, ws: relu(x @ ws - relu(x @ w1) @ w2), "not what is taken away from a target"),
            (lambda x, w1, w2, ws: relu(x @ ws + x @ w1 @ w2), "Between the two layers a ReLU is missing"),
            (lambda x, w1, w2, ws: 2 * projected_by_loops(x, w1, w2, ws), "the numbers are not"),
            (lambda x, w1, w2, ws: relu(x @ w1), "yours has the shape (5, 6)"),
            (lambda x, w1, w2, ws: relu(x + x @ w1 @ w2), "Your function stopped with ValueError"),
            (lambda x: x, "Your function stopped with TypeError"),
            (0.5, "e2 expects a function of (x, w1, w2, ws)"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.resnet.e2.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said

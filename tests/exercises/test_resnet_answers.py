"""The answers of lesson 07, each found by another way, and its judges met with right and wrong functions."""

import re

import keras
import nbformat
import numpy as np
import pytest
import tensorflow as tf
from answers import near

from course_lib import common, exercises, models


class TestResnetsAnswersAreComputed:
    """The answers of lesson 07, each counted from networks or found another way."""

    def test_what_four_convolutions_see(self):
        stack = keras.Sequential([keras.Input((32, 32, 1)), *(keras.layers.Conv2D(1, 3) for _ in range(4))])
        *_, last = models.summary.layer_table(stack)
        near(exercises.resnet.w1, last["receptive_field"])

    def test_he_keeps_the_size_of_the_signal(self):
        near(exercises.resnet.w3, np.sqrt(2 / 128))
        drawn = np.asarray(keras.initializers.HeNormal(0)((128, 4000)))
        inputs = np.abs(np.random.default_rng(0).normal(size=(200, 128)))
        assert drawn.std() == pytest.approx(exercises.resnet.w3.right, rel=0.02)
        assert np.mean(np.maximum(inputs @ drawn, 0) ** 2) == pytest.approx(np.mean(inputs**2), rel=0.1)

    def test_bottleneck(self):
        inputs = keras.Input((4, 4, 256))
        counts = {}
        for block, filters in ((models.resnet.bottleneck, 64), (models.resnet.basic, 256)):
            made = keras.Model(inputs, block(inputs, filters, 1, block.__name__, shortcut="A"))
            kernels = [layer.kernel.shape for layer in made.layers if hasattr(layer, "kernel")]
            counts[block.__name__] = sum(int(np.prod(kernel)) for kernel in kernels)
        near(exercises.resnet.q4, counts["bottleneck"])
        assert counts["basic"] in exercises.resnet.q4.wrong

    def test_shares_and_spread(self):
        near(exercises.resnet.q5, 2**14 / 2**15)
        q7, variance = exercises.resnet.q7, 0.051 * (1 - 0.051) / 1_500  # as a share
        near(q7, round(100 * np.sqrt(variance), 2))
        for slip in (np.sqrt(variance), 100**2 * variance, 100 * variance, variance, 2 * np.sqrt(variance)):
            assert q7.tip not in q7.reply(slip) and "Right" not in q7.reply(slip).split(".")[0]
        assert q7.tip in q7.reply(0) and q7.tip in q7.reply(0.02)

    def test_limits_of_one_block_out(self):
        options = exercises.resnet.p7.options
        limits = {letter: [int(n) for n in re.findall(r"\d+", options[letter])] for letter in "ABCD"}
        assert limits == {"A": [10], "B": [10, 15], "C": [15], "D": []}
        lesson = nbformat.read(common.ROOT / "lessons" / "07_resnet.ipynb", 4)
        outcome = next(cell.source for cell in lesson.cells if "p7.outcome(" in cell.source)
        code = outcome.replace("resnet.p7.outcome(", "answer = (")
        for plain, residual, letter in (
            ([27, 30, 53], [2, 4, 6], "B"),
            ([14, 30, 53], [2, 4, 6], "D"),
            ([27, 30, 53], [2, 4, 11], "D"),
            ([9, 8, 7], [2, 4, 6], "A"),
            ([27, 30, 53], [16, 17, 18], "C"),
        ):
            names = {"np": np, "rises": {"plain": plain, "residual": residual}, "rose": ""}
            exec(code, names)
            assert names["answer"][0] == letter

    def test_layers_of_bottlenecks(self):
        assert models.resnet.IMAGENET["resnet101"].blocks == (3, 4, 23, 3)
        near(exercises.resnet.e5, 3 * sum(models.resnet.IMAGENET["resnet101"].blocks) + 2)

    def test_empty_maps(self):
        out = np.asarray(models.resnet.ShortcutA(128, 2)(np.ones((1, 56, 56, 64), "float32")))
        near(exercises.resnet.e2, (out == 0).sum())
        assert out.size in exercises.resnet.e2.wrong

    def test_where_a_zeroed_block_has_gradients(self):
        inputs = keras.Input((4, 4, 2))
        block = keras.Model(inputs, models.resnet.basic(inputs, 2, 1, "b", shortcut="A"))
        block.get_layer("b_2_bn").gamma.assign([0.0, 0.0])
        images = np.random.default_rng(0).uniform(0.1, 1, (8, 4, 4, 2)).astype("float32")
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(block(images, training=True) ** 2)
        gradients = tape.gradient(loss, block.trainable_variables)
        moving = {v.path for v, g in zip(block.trainable_variables, gradients, strict=True) if np.abs(g).max() > 0}
        assert exercises.resnet.q2.right == "C" and moving == {"b_2_bn/gamma", "b_2_bn/beta"}


def with_dropout(function, x, *arguments):
    """A block behind dropout, which no output in evaluation shows."""
    return function(keras.layers.Dropout(0.3)(x), *arguments)


def residual(x, filters, strides, inside=True):
    """F(x) of the block of lesson 07."""
    layers = keras.layers
    f = layers.Conv2D(filters, 3, strides, padding="same", use_bias=False)(x)
    f = layers.BatchNormalization()(f)
    f = layers.ReLU()(f) if inside else f
    f = layers.Conv2D(filters, 3, padding="same", use_bias=False)(f)
    return layers.BatchNormalization()(f)


def block(x, filters, strides=1, *, projection=1, norm=True, bias=False, always=False, join=None, last=True, relu=(),
          limit=None):  # fmt: skip
    """The block of lesson 07, with everything that may be wrong."""
    layers = keras.layers
    f = residual(x, filters, strides)
    if projection and (always or x.shape != f.shape):
        x = layers.Conv2D(filters, projection, strides, padding="same", use_bias=bias)(x)
        x = layers.BatchNormalization()(x) if norm else x
        x = layers.ReLU()(x) if "p" in relu else x
    x = layers.ReLU()(x) if "x" in relu else x
    f = layers.ReLU()(f) if "f" in relu else f
    x = (join or layers.Add())([x, f])
    return layers.ReLU(max_value=limit)(x) if last else x


def projecting(shortcut, where=lambda x, filters, strides: True, *, last=True):
    """The block of lesson 07 with another `shortcut(x, filters, strides)` where it projects and `where` says so."""

    def function(x, filters, strides=1):
        f = residual(x, filters, strides)
        if x.shape == f.shape or not where(x, filters, strides):
            return block(x, filters, strides)
        out = keras.layers.Add()([shortcut(x, filters, strides), f])
        return keras.layers.ReLU()(out) if last else out

    return function


def shortcut(x, filters, strides, **more):
    """The projection of the block of lesson 07."""
    projected = keras.layers.Conv2D(filters, 1, strides, use_bias=False, **more)(x)
    return keras.layers.BatchNormalization()(projected)


def with_own_relu(x, filters, strides):
    return shortcut(x, filters, strides, activation="relu")


def behind_a_relu(x, filters, strides):
    return shortcut(keras.layers.ReLU()(x), filters, strides)


def behind_averages(x, filters, strides):
    return shortcut(keras.layers.AveragePooling2D(strides)(x), filters, 1)


def behind_maxima(x, filters, strides):
    return shortcut(keras.layers.MaxPooling2D(strides)(x), filters, 1)


def of_other_pixels(x, filters, strides):
    return shortcut(x[:, strides - 1 :: strides, strides - 1 :: strides], filters, 1)


def behind_normalization(x, filters, strides):
    return keras.layers.Conv2D(filters, 1, strides, use_bias=False)(keras.layers.BatchNormalization()(x))


def as_a_network(x, filters, strides):
    layers = keras.layers
    return keras.Sequential([layers.Conv2D(filters, 1, strides, use_bias=False), layers.BatchNormalization()])(x)


def of_the_same_pixels(x, filters, strides):
    """The projection, whose strides are those of a slice."""
    return shortcut(x[:, ::strides, ::strides], filters, 1)


def block_of_networks(x, filters, strides=1):
    """The block of lesson 07, whose two ways are networks in networks, and whose addition and ReLU no layers."""
    layers = keras.layers
    path = [layers.Conv2D(filters, 3, strides, padding="same", use_bias=False), layers.BatchNormalization()]
    path += [layers.ReLU(), layers.Conv2D(filters, 3, padding="same", use_bias=False), layers.BatchNormalization()]
    f = keras.Sequential([keras.Sequential(path)])(x)
    return keras.ops.relu(f + (x if x.shape == f.shape else as_a_network(x, filters, strides)))


def block_without_its_inner_relu(x, filters, strides=1):
    f = residual(x, filters, strides, inside=False)
    return keras.layers.ReLU()((x if x.shape == f.shape else shortcut(x, filters, strides)) + f)


def block_with_a_bias_for_an_offset(x, filters, strides=1):
    """As many parameters as the right one: a convolution has a bias, the normalization behind it no offset."""
    layers = keras.layers
    f = layers.Conv2D(filters, 3, strides, padding="same")(x)
    f = layers.ReLU()(layers.BatchNormalization(center=False)(f))
    f = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same", use_bias=False)(f))
    return layers.ReLU()(layers.Add()([x, f]))


class Hidden(keras.layers.Layer):
    """A block within a layer class, whose parts no network lists."""

    def __init__(self, filters):
        super().__init__()
        self.convolutions = [keras.layers.Conv2D(filters, 3, padding="same", use_bias=False) for _ in range(2)]
        self.norms = [keras.layers.BatchNormalization() for _ in range(2)]

    def build(self, shape):
        for layer in self.convolutions + self.norms:
            layer.build(shape)

    def call(self, x):
        f = keras.ops.relu(self.norms[0](self.convolutions[0](x)))
        return keras.ops.relu(x + self.norms[1](self.convolutions[1](f)))


def block_of_the_library(x, filters, strides=1):
    return models.resnet.basic(x, filters, strides, "block", shortcut="B")


def plain_block(x, filters, strides=1):
    return models.resnet.basic(x, filters, strides, "block", shortcut=None)


def block_with_shortcut_a(x, filters, strides=1):
    return models.resnet.basic(x, filters, strides, "block", shortcut="A")


def block_projecting_where(differs):
    """The block of lesson 07, whose shortcut is projected where `differs(x, filters, strides)`."""

    def function(x, filters, strides=1):
        wanted = differs(x, filters, strides)
        return block(x, filters, strides, projection=int(wanted), always=wanted)

    return function


def block_that_pools(x, filters, strides=1):
    """Where only the sides change, the shortcut leaves out pixels in place of a projection."""
    if strides == 1 or x.shape[-1] != filters:
        return block(x, filters, strides)
    return block(x, filters, strides, projection=0, join=lambda parts: parts[0][:, ::2, ::2] + parts[1])


def without_gradient(parts):
    return keras.layers.Add()([keras.ops.stop_gradient(parts[0]), parts[1]])


class TestResidualBlock:
    @pytest.mark.parametrize(
        "function",
        [block, block_of_the_library, projecting(as_a_network), projecting(of_the_same_pixels), block_of_networks],
    )
    def test_right(self, function):
        assert exercises.resnet.q1.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda x, f, s=1: None, "Your function returns nothing"),
            (lambda x, f, s=1: 7, "Your function returns int"),
            (lambda x, f, s=1: with_dropout(block, x, f, s), "Dropout or noise stands in your block"),
            (lambda x, f: x, "Your function stopped with TypeError"),
            (plain_block, "the shortcut is missing"),
            (lambda x, f, s=1: block(x, f, s, last=False), "The last ReLU is missing"),
            (lambda x, f, s=1: block(x, f, s, last=False, relu="f"), "Your ReLU stands before the addition"),
            (lambda x, f, s=1: block(x, f, s, relu="f"), "F passes a ReLU before the addition"),
            (lambda x, f, s=1: block(x, f, s, relu="x"), "A ReLU stands on the shortcut"),
            (lambda x, f, s=1: block(x, f, s, last=False, relu="fx"), "Both parts pass a ReLU"),
            (lambda x, f, s=1: block(x, f, s, join=keras.layers.Subtract()), "The sign is +"),
            (lambda x, f, s=1: block(x, f, s, limit=6), "Your ReLU cuts off what is above 6"),
            (lambda x, f, s=1: block(x, f, s, limit=6 if s > 1 else None), "the ReLU cuts off what is above 6"),
            (lambda x, f, s=1: block(x, f, s, join=keras.layers.Multiply()), "the shortcut is missing"),
            (lambda x, f, s=1: block(x, f, s, join=keras.layers.Concatenate()), "must stay 6×6×4"),
            (lambda x, f, s=1: block(x, f, s, join=without_gradient), "does not pass along the shortcut"),
            (lambda x, f, s=1: block(x, f, s, always=True), "that is shortcut C"),
            (lambda x, f, s=1: block(x, f, s, projection=0), "they cannot be added"),
            (block_with_shortcut_a, "that is shortcut A"),
            (lambda x, f, s=1: block(x, f, s, projection=3), "Your projection is 3×3"),
            (lambda x, f, s=1: block(x, f, s, norm=False), "normalize behind it, too"),
            (lambda x, f, s=1: block(x, f, s, norm=False, bias=True), "in place of its bias"),
            (lambda x, f, s=1: block(x, f, s, bias=True), "has a bias"),
            (lambda x, f, s=1: block(x, f, s, relu="p"), "strides 2: a ReLU stands behind the projection"),
            (projecting(shortcut, last=False), "strides 2: the last ReLU is missing"),
            (projecting(with_own_relu), "strides 2: the projection's convolution has a ReLU of its own"),
            (projecting(behind_a_relu), "strides 2: x passes a ReLU before its projection"),
            (projecting(behind_averages), "strides 2: x is averaged before its projection"),
            (projecting(behind_maxima), "strides 2: x passes max pooling before its projection"),
            (projecting(of_other_pixels), "strides 2: with F = 0 it does not put out"),
            (projecting(behind_normalization), "you do so before it"),
            (projecting(shortcut, lambda x, f, s: s == 1, last=False), "8 filters and strides 1: the last ReLU is"),
            (
                projecting(with_own_relu, lambda x, f, s: s == 1),
                "8 filters and strides 1: the projection's convolution",
            ),
            (projecting(behind_a_relu, lambda x, f, s: s == 1), "8 filters and strides 1: x passes a ReLU before"),
            (projecting(shortcut, lambda x, f, s: f == 4, last=False), "4 filters and strides 2: the last ReLU is"),
            (projecting(behind_averages, lambda x, f, s: f == 4), "4 filters and strides 2: x is averaged before"),
            (block_without_its_inner_relu, "The shortcut is right, F(x) is not"),
            (block_with_a_bias_for_an_offset, "No convolution has a bias"),
            (lambda x, f, s=1: Hidden(f)(x), "found are convolutions of none, and 0 normalizations"),
            (lambda x, f, s=1: block(keras.Input((6, 6, 4)), f, s), "is not made of its first argument"),
            (block_projecting_where(lambda x, f, s: s != 1), "the sides stay, the number of maps changes: project"),
            (block_projecting_where(lambda x, f, s: x.shape[-1] != f), "maps stays, the sides change: project there"),
            (block_that_pools, "maps stays, the sides change: project there"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.resnet.q1.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said


def deepen(shallow, deep, *, window=((0, 0, 0), (0, 1, 0), (0, 0, 0)), maps=np.eye, keep=True, new=True, part=""):
    """The answer of e1, with everything that may be wrong."""
    kept = {layer.name: layer.get_weights() for layer in shallow.layers}
    for layer in deep.layers:
        if layer.name in kept and part == "trainable":
            for mine, theirs in zip(layer.trainable_weights, kept[layer.name], strict=False):
                mine.assign(theirs)
        elif layer.name in kept and keep and (not part or hasattr(layer, part)):
            layer.set_weights(kept[layer.name])
        elif layer.name not in kept and "conv" in type(layer).__name__.lower() and new:
            layer.set_weights([np.array(window)[..., None, None] * maps(layer.filters)])
    return deep


def the_wrong_way(shallow, deep):
    """Copying kernels in the new layers, and the deep network's weights into the shallow one."""
    known = {layer.name: layer for layer in shallow.layers}
    for layer in deepen(shallow, deep, keep=False).layers:
        if layer.name in known:
            known[layer.name].set_weights(layer.get_weights())
    return deep


def all_zero(*networks):
    for network in networks:
        network.set_weights([0 * weights for weights in network.get_weights()])
    return networks[-1]


class TestDeepen:
    @pytest.mark.parametrize(
        "function",
        [deepen, lambda shallow, deep: deepen(shallow, deep, maps=lambda n: np.sqrt(1 + 1.001e-5) * np.eye(n))],
    )
    def test_right(self, function):
        assert exercises.resnet.e1.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda shallow, deep: None, "Your function returns nothing"),
            (lambda shallow, deep: 7, "it must return the deep network"),
            (lambda shallow, deep: shallow, "Return the deep network of 20 layers"),
            (lambda shallow, deep: deepen(shallow, deep, new=False), "still have their random weights"),
            (lambda shallow, deep: deepen(shallow, deep, window=np.zeros((3, 3))), "so they pass on 0"),
            (lambda shallow, deep: deepen(shallow, deep, window=np.full((3, 3), 1 / 9)), "a blur"),
            (lambda shallow, deep: deepen(shallow, deep, window=np.ones((3, 3))), "add up the whole neighborhood"),
            (lambda shallow, deep: deepen(shallow, deep, window=np.eye(3)[:1].T * np.eye(3)[0]), "in a corner"),
            (lambda shallow, deep: deepen(shallow, deep, maps=lambda n: np.ones((n, n))), "sum of all maps"),
            (lambda shallow, deep: deepen(shallow, deep, maps=lambda n: np.full((n, n), 1 / n)), "mean of all maps"),
            (lambda shallow, deep: deepen(shallow, deep, keep=False), "do not have the shallow network's weights"),
            (lambda shallow, deep: deepen(shallow, deep, part="kernel"), "but not all that its normalizations know"),
            (lambda shallow, deep: deepen(shallow, deep, part="trainable"), "but not all that its normalizations know"),
            (lambda shallow, deep: deep, "does not compute what the shallow one does"),
            (the_wrong_way, "You changed the shallow network; it gives, the deep one gets."),
            (all_zero, "You changed the shallow network; it gives, the deep one gets."),
            (lambda shallow, deep: all_zero(deep), "so they pass on 0"),
            (lambda shallow, deep: deepen(shallow, deep, maps=lambda n: np.eye(n)[::-1]), "undo what others do"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.resnet.e1.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said


def in_order(order, *, start=0, end="", epsilon=1e-3, join=None, **more):
    """A block of layers in this order; the shortcut begins behind `start` of them."""

    def function(x, filters):
        make = {
            "n": lambda: keras.layers.BatchNormalization(epsilon=epsilon),
            "r": keras.layers.ReLU,
            "c": lambda: keras.layers.Conv2D(filters, 3, padding="same", **{"use_bias": False} | more),
        }
        short = f = x
        for place, letter in enumerate(order, 1):
            f = make[letter]()(f)
            short = f if place == start else short
        f = (join or keras.layers.Add())([short, f])
        return make[end]()(f) if end else f

    return function


def preactivation_as_a_network(x, filters):
    layers = keras.layers
    path = [layers.BatchNormalization(), layers.ReLU(), layers.Conv2D(filters, 3, padding="same", use_bias=False)]
    path += [layers.BatchNormalization(), layers.ReLU(), layers.Conv2D(filters, 3, padding="same", use_bias=False)]
    return x + keras.Sequential(path)(x)


class TestPreactivationBlock:
    @pytest.mark.parametrize(
        "function",
        [in_order("nrcnrc"), *(in_order("nrcnrc", epsilon=small) for small in (1e-5, 1.001e-5, 0.1)),
         preactivation_as_a_network],
    )  # fmt: skip
    def test_right(self, function):
        assert exercises.resnet.e3.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda x, f: None, "Your function returns nothing"),
            (lambda x, f: keras.layers.Conv2D(f, 3)(x), "must stay 6×6×4"),
            (lambda x, f: with_dropout(in_order("nrcnrc"), x, f), "Dropout or noise stands in your block"),
            (in_order("nrc"), "yours has 1 and 1"),
            (in_order("nrcnrc", use_bias=True), "are wanted without bias"),
            (in_order("nrcnrc", groups=2), "Both convolutions are 3×3 with 4 filters here, without groups"),
            (in_order("nrcnrc", end="r"), "A ReLU still stands behind the addition"),
            (lambda x, f: models.resnet.basic(x, f, 1, "b", shortcut=None), "numbers are not"),
            (in_order("cnrcn"), "The order is the old one"),
            (in_order("cnrcnr"), "normalization and ReLU come before the convolution"),
            (in_order("ncnc"), "The ReLUs are missing"),
            (in_order("ncnrc"), "The first ReLU is missing"),
            (in_order("nrcnc"), "The second ReLU is missing"),
            (in_order("rncrnc"), "The ReLU stands before the normalization"),
            (in_order("nrcnrc", start=2), "must lead x itself around the block"),
            (in_order("nrcnrc", start=2, epsilon=1e-5), "must lead x itself around the block"),
            (in_order("cnrcn", epsilon=0.1), "The order is the old one"),
            (in_order("nrcnrc", join=keras.layers.Subtract()), "The sign is +: F(x) is added"),
            (in_order("nrcnrc", join=lambda parts: parts[1] - parts[0]), "The sign is +: x is added"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.resnet.e3.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said

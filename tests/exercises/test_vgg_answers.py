"""The answers of lesson 06, each found by another way, and its judges met with right and wrong functions."""

import functools

import keras
import numpy as np
import pytest

from course_lib import common, exercises, models
from course_lib.exercises.judges import vgg as judges


@pytest.fixture(scope="module")
def vgg16():
    return models.build("vgg16", width=1 / 64)


class TestVggsAnswersAreTheNetworks:
    """The answers of lesson 06, counted from networks."""

    def parameters(self, kernel_size, channels, maps, bias=True):
        layer = keras.layers.Conv2D(maps, kernel_size, use_bias=bias)
        layer.build((None, 9, 9, channels))
        return layer.count_params()

    def test_layers(self, vgg16):
        asked = exercises.vgg
        assert asked.e3.right == self.parameters(1, 512, 512) and self.parameters(3, 512, 512) in asked.e3.wrong
        assert asked.q3.right == 2 * self.parameters(3, 128, 128, bias=False)
        assert {self.parameters(5, 128, 128, bias=False), 27 * 128**2} <= set(asked.q3.wrong)
        assert {2 * self.parameters(3, 128, 128), self.parameters(3, 128, 128)} <= set(asked.q3.wrong)
        pooled = vgg16.get_layer("block5_pool").output.shape
        assert pooled[1:3] == (7, 7)
        assert asked.q7.right == (512 + 1) * 4096 and (7 * 7 * 512 + 1) * 4096 in asked.q7.wrong

    def test_what_a_unit_sees(self, vgg16):
        field = {row["layer"]: row["receptive_field"] for row in models.summary.layer_table(vgg16)}
        assert exercises.vgg.e1.right == field["block2_conv1"]
        assert {field["block1_pool"], field["block2_conv2"]} <= set(exercises.vgg.e1.wrong)
        assert 1 + 2 * exercises.vgg.q9.right == 11

    def test_arithmetic(self):
        asked = exercises.vgg
        assert asked.w2.right == pytest.approx(np.sqrt(2) ** 8) and "what is left" in asked.w2.reply(np.sqrt(2) ** -8)
        assert asked.q6.right == 370_000 * 256 / 1_024
        steps = [1_281_167 / images for images in (256, 1_024)]  # in one epoch
        assert {*map(int, np.floor(steps)), *map(int, np.ceil(steps))} <= set(asked.q6.wrong)
        assert asked.q8.right == pytest.approx((12 - 1.5) / 0.06)
        assert round((12 - 3 * 1.5) / 0.06) in asked.q8.wrong  # the weights' share taken off three times

    def test_the_judges_columns_are_the_papers(self):
        names = {"A": "vgg11", "B": "vgg13", "C": "vgg16_1x1", "D": "vgg16", "E": "vgg19"}
        assert judges.FILTERS == models.vgg.FILTERS
        assert {letter: models.vgg.BLOCKS[name] for letter, name in names.items()} == judges.COLUMNS
        published = {row["name"]: row["parameters"] for row in common.published("architectures") if row["parameters"]}
        for letter, column in judges.COLUMNS.items():
            assert judges.parameters(column) == int(published[names[letter]])


def block(x, filters, sizes, *, pool=keras.layers.MaxPooling2D, shrink=1, **options):
    for size in sizes:
        x = keras.layers.Conv2D(filters, size, **{"padding": "same", "activation": "relu"} | options)(x)
    return pool(2)(x) if shrink else x


def block_with_relu_layers(x, filters, sizes):
    for size in sizes:
        x = keras.layers.ReLU()(keras.layers.Conv2D(filters, size, padding="same")(x))
    return keras.layers.MaxPooling2D(2)(x)


def block_of_parallel_convolutions(x, filters, sizes):
    for size in sizes:
        y = keras.layers.Conv2D(filters, size, padding="same", activation="relu")(x)
    return keras.layers.MaxPooling2D(2)(y)


def block_of_branches(x, filters, sizes):
    """Three convolutions, but the last one gets the maps of both before it."""
    first, second, third = sizes
    one = keras.layers.Conv2D(filters, first, padding="same", activation="relu")(x)
    two = keras.layers.Conv2D(filters, second, padding="same", activation="relu")(one)
    both = keras.layers.Concatenate()([one, two])
    x = keras.layers.Conv2D(filters, third, padding="same", activation="relu")(both)
    return keras.layers.MaxPooling2D(2)(x)


def as_networks(function):
    """The same layers as `function` puts up, in a network within a network."""

    def nested(x, *arguments):
        inputs = keras.Input(x.shape[1:])
        inner = keras.Model(inputs, function(inputs, *arguments))
        return keras.Sequential([inner])(x)

    return nested


def block_with_one_relu(x, filters, sizes):
    return keras.layers.ReLU()(block(x, filters, sizes, activation=None))


def block_padded_before(x, filters, sizes):
    for size in sizes:
        x = keras.layers.ZeroPadding2D(size // 2)(x)
        x = keras.layers.Conv2D(filters, size, activation="relu")(x)
    return keras.layers.MaxPooling2D(2)(x)


def block_of_overlapping_windows(x, filters, sizes):
    return keras.layers.MaxPooling2D(3, strides=2, padding="same")(block(x, filters, sizes, shrink=0))


def block_pooled_first(x, filters, sizes):
    return block(keras.layers.MaxPooling2D(2)(x), filters, sizes, shrink=0)


def block_pooled_inside(x, filters, sizes):
    return block(block(x, filters, sizes[:1]), filters, sizes[1:], shrink=0)


def block_with_stride(x, filters, sizes):
    return block(block(x, filters, sizes[:-1], shrink=0), filters, sizes[-1:], shrink=0, strides=2)


def block_pooled_by_operation(x, filters, sizes):
    return keras.ops.max_pool(block(x, filters, sizes, shrink=0), 2)


class TestVggBlock:
    @pytest.mark.parametrize(
        "function",
        [block, block_with_relu_layers, as_networks(block), block_padded_before, block_pooled_by_operation],
    )
    def test_right(self, function):
        assert exercises.vgg.q1.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda x, f, s: keras.layers.Conv2D(f, s[0], ...)(x), "The gap is still empty"),
            (lambda x, f, s: block(x, f, s, padding="valid"), "12×16 pixels must become 6×8; yours become 4×6"),
            (lambda x, f, s: block(x, f, s, activation=None), "No convolution has a ReLU"),
            (block_with_one_relu, "Only the last convolution has a ReLU"),
            (lambda x, f, s: block(x, f, s, pool=keras.layers.AveragePooling2D), "That is average pooling"),
            (lambda x, f, s: block(x, f, s, shrink=0), "yours become 12×16"),
            (lambda x, f, s: block(x, f, (3, 3, 3)), "yours are 3×3, 3×3, 3×3"),
            (block_of_parallel_convolutions, "yours are 3×3."),
            (block_of_branches, "must get the maps of the one before it"),
            (lambda x, f, s: block(keras.Input((12, 16, 5)), f, s), "is not made of its first argument"),
            (lambda x, f, s: block(x, 64, s), "needs 6 filters; yours have [64, 64, 64]"),
            (lambda x, f, s: block(x, f, s, use_bias=False), "has a bias per filter"),
            (lambda x, f, s: block(x, f, s, activation="relu6"), "followed by a ReLU and no more"),
            (lambda x, f, s: block(keras.layers.Dropout(0.5)(x), f, s), "There is dropout in your block"),
            (lambda x, f, s: block(x, f, s, activation="tanh"), "the numbers are not"),
            (block_of_overlapping_windows, "It has a pooling of 3×3 with a stride of 2; VGG's are 2×2"),
            (block_pooled_first, "A pooling stands before the convolutions of its block"),
            (block_pooled_inside, "The poolings follow convolution 1; they belong behind 3."),
            (block_with_stride, "has a stride of 2; every convolution of VGG has a stride of 1"),
            (lambda x, f, s: block(x, f, s, dilation_rate=2), "has a dilation of 2, so its filter skips pixels"),
            (lambda x, f, s: None, "Your function returns nothing"),
            (lambda x, f, s: 7, "Your function returns int"),
            (lambda x: x, "Your function stopped with TypeError"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.vgg.q1.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said


def network(
    column,
    *,
    filters=judges.FILTERS,
    units=(4096, 4096),
    flatten=keras.layers.Flatten,
    last=5,
    end=None,
    activation="relu",
    made_of=block,
    **options,
):
    x = inputs = keras.Input((224, 224, 3))
    for number, (sizes, maps) in enumerate(zip(column, filters, strict=True), 1):
        more = {"shrink": number <= last, **options} if made_of is block else {}
        x = made_of(x, maps, sizes, **more)
    x = flatten()(x) if flatten else x
    for width in units:
        x = keras.layers.Dense(width, activation=activation)(x)
    return keras.Model(inputs, keras.layers.Dense(1000, activation=end)(x))


def network_with_relu_in_a_loop(column, last="relu", relu=keras.layers.ReLU):
    network = keras.Sequential([keras.Input((224, 224, 3))])
    for sizes, maps in zip(column, judges.FILTERS, strict=True):
        for size in sizes:
            network.add(keras.layers.Conv2D(maps, size, padding="same"))
            network.add(relu())
        network.add(keras.layers.MaxPooling2D(2))
    network.add(keras.layers.Flatten())
    for units in (4096, 4096, 1000):
        network.add(keras.layers.Dense(units, activation="relu" if units < 4096 and last == "relu" else None))
        if units == 4096:
            network.add(keras.layers.Dropout(0.5))
            network.add(relu())
    return network


def network_with_operations(column):
    x = inputs = keras.Input((224, 224, 3))
    for sizes, maps in zip(column, judges.FILTERS, strict=True):
        for size in sizes:
            x = keras.ops.relu(keras.layers.Conv2D(maps, size, padding="same")(x))
        x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.Flatten()(x)
    for units in (4096, 4096):
        x = keras.ops.relu(keras.layers.Dense(units)(x))
    return keras.Model(inputs, keras.layers.Dense(1000)(x))


def narrow(column, **options):
    return network(column, filters=(2, 3, 4, 5, 5), units=(6, 6), **options)


def all_convolutional(column):
    """The dense layers as convolutions: of 7×7, then of 1×1."""
    x = inputs = keras.Input((224, 224, 3))
    for sizes, maps in zip(column, (2, 3, 4, 5, 5), strict=True):
        x = block(x, maps, sizes)
    for size in (7, 1):
        x = keras.layers.Conv2D(6, size, activation="relu")(x)
    return keras.Model(inputs, keras.layers.Flatten()(keras.layers.Conv2D(1000, 1)(x)))


def shrunk_at_the_end(x):
    return keras.layers.Flatten()(keras.layers.MaxPooling2D(32)(x))


def shrunk_five_times_at_the_end(x):
    for _ in range(5):
        x = keras.layers.MaxPooling2D(2)(x)
    return keras.layers.Flatten()(x)


def larger_at_first(x, filters, sizes):
    """A block that adds four pixels of padding on each side of the images, which the poolings by 2 then lose."""
    if x.shape[-1] == 3:
        x = keras.layers.ZeroPadding2D(4)(x)
    return block(x, filters, sizes)


class TestLayersOfAColumn:
    """What equal counts of parameters do not show, on narrow networks."""

    @pytest.mark.parametrize("column", "ACE")
    @pytest.mark.parametrize(
        "function",
        [narrow, all_convolutional]
        + [
            functools.partial(narrow, made_of=made_of)
            for made_of in (
                *(block_with_relu_layers, as_networks(block)),
                *(block_padded_before, block_pooled_by_operation),
            )
        ],
    )
    def test_right(self, function, column):
        kernel_sizes = judges.COLUMNS[column]
        assert judges.wrong_layers(function(kernel_sizes), kernel_sizes) is None

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda c: narrow(c, made_of=block_of_overlapping_windows), "It has a pooling of 3×3 with a stride of 2"),
            (lambda c: narrow(c, made_of=block_with_stride), "has a stride of 2; every convolution of VGG"),
            (lambda c: narrow(c, made_of=block_pooled_first), "A pooling stands before the convolutions"),
            (
                lambda c: narrow(c, last=0, flatten=lambda: shrunk_at_the_end),
                "It has 1 max pooling(s); wanted is one behind",
            ),
            (
                lambda c: narrow(c, last=0, flatten=lambda: shrunk_five_times_at_the_end),
                "The poolings follow convolution 13, 13, 13, 13, 13; they belong behind 2, 4, 7, 10, 13.",
            ),
            (lambda c: narrow(c, dilation_rate=2), "has a dilation of 2, so its filter skips pixels"),
            (lambda c: narrow([block[::-1] for block in c]), "3-3-1-3-3-1-3-3-1-3-3, the column's 3-3-3-3-3-3-1"),
            (lambda c: narrow(c, made_of=larger_at_first), "have 232×232 pixels; VGG's have 224×224 there"),
        ],
    )
    def test_wrong(self, function, reply):
        kernel_sizes = judges.COLUMNS["C"]
        assert reply in judges.wrong_layers(function(kernel_sizes), kernel_sizes)


class TestBuildVgg:
    @pytest.fixture(autouse=True)
    def nothing_is_drawn(self, monkeypatch):
        """Weights start at zero, which takes no time to draw: up to 144 million, of which the judge reads none."""
        zeros = lambda self, shape, dtype=None: keras.ops.zeros(shape, dtype)  # noqa: E731
        monkeypatch.setattr(keras.initializers.VarianceScaling, "__call__", zeros)

    @pytest.mark.parametrize(
        "function",
        [
            network,
            network_with_operations,
            lambda column: network_with_relu_in_a_loop(column, last=None),
            lambda column: network(column, made_of=block_padded_before),
        ],
    )
    def test_right(self, function):
        assert exercises.vgg.q2.reply(function).startswith("→ Right")

    def test_the_policy_is_restored(self):
        exercises.vgg.q2.reply(lambda column: 7)
        assert keras.config.dtype_policy().name == "float32"

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda c: ..., "The gap is still empty"),
            (lambda c: None, "Your function returns nothing"),
            (lambda c: c, "For column A your function returns tuple, not a network"),
            (
                lambda c: network(c, units=(4096,)),
                "Column A has 132,863,336 parameters, yours 116,082,024: one of the two",
            ),
            (lambda c: network(c, units=()), "no dense layer of 4,096 units"),
            (lambda c: network(c, flatten=keras.layers.GlobalAveragePooling2D), "averaged to one number"),
            (lambda c: network(c, filters=(64, 128, 256, 512, 1024)), "doubles to 1,024 filters"),
            (lambda c: network(c, filters=(64,) * 5), "every block has 64 filters"),
            (lambda c: network(c, last=4), "the last pooling is missing"),
            (lambda c: network(c, use_bias=False), "have no biases"),
            (lambda c: network(c, flatten=None), "Flatten the maps before the dense layers"),
            (lambda c: network(c, end="softmax"), "leave the softmax out"),
            (lambda c: network(c, end="relu"), "The last layer has an activation, relu; logits have none"),
            (network_with_relu_in_a_loop, "The last layer has an activation, relu; logits have none"),
            (lambda c: network(c, activation=None), "has no ReLU; every layer but the last"),
            (lambda c: network(c, activation="tanh"), "has no ReLU, but tanh; every layer but the last"),
            (
                lambda c: network(c, pool=keras.layers.AveragePooling2D),
                "The counts are right, but not the network of column A. It has average pooling",
            ),
            (lambda c: network(c, made_of=block_pooled_first), "A pooling stands before the convolutions"),
            (
                lambda c: network_with_relu_in_a_loop(c, None, lambda: keras.layers.Activation("elu")),
                "has no ReLU, but elu",
            ),
            (
                lambda c: network(tuple((3,) * len(s) for s in c)),
                "Column C has 133,638,952 parameters, yours 138,357,544",
            ),
            (lambda c: network(c, padding="valid"), "compare it with the table's layers"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.vgg.q2.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said


def pair(x, maps, sizes=(3, 3), relu=(True, True), **options):
    for size, cut in zip(sizes, relu, strict=True):
        activation = "relu" if cut else None
        x = keras.layers.Conv2D(maps, size, **{"padding": "same", "activation": activation} | options)(x)
    return x


class TestTwoSmall:
    @pytest.mark.parametrize("function", [pair, as_networks(pair)])
    def test_right(self, function):
        assert exercises.vgg.e5.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda x, m: pair(x, m, (5,), (True,)), "There is still a 5×5"),
            (lambda x, m: pair(x, m, (3,), (True,)), "see 3×3 pixels; the 5×5 saw 5×5"),
            (lambda x, m: pair(x, m, (3, 3, 3), (True,) * 3), "see 7×7 pixels"),
            (lambda x, m: pair(x, m, (2, 4)), "yours are 2×2, 4×4"),
            (lambda x, m: pair(x, m, padding="valid"), "must keep their sides, 9×10 here; yours become 5×6"),
            (lambda x, m: pair(x, m, relu=(False, True)), "There is no ReLU between the two"),
            (lambda x, m: pair(x, m, relu=(True, False)), "The second convolution has no ReLU"),
            (lambda x, m: pair(x, m, relu=(False, False)), "No ReLU: then two 3×3 are one linear 5×5"),
            (lambda x, m: pair(x, 2 * m), "needs 6 filters"),
            (lambda x, m: pair(x, m, use_bias=False), "has a bias per filter"),
            (lambda x, m: pair(x, m, activation="relu6"), "no more"),
            (lambda x, m: ..., "The gap is still empty"),
            (lambda x, m: 25, "Your function returns int"),
            (lambda x: x, "Your function stopped with TypeError"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.vgg.e5.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said


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
            (lambda sizes: None, "Your function returns nothing"),
            (lambda sizes: sizes + 1, "Your function stopped with TypeError"),
            (49, "e2 expects a function of a tuple of kernel sizes"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.vgg.e2.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said

"""Every question of every lesson: its text holds together, its answers get the reply they must get."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from course_lib import exercises, models
from course_lib.exercises import judges
from course_lib.exercises.question import Question
from course_lib.training import Recipe

HOME = Path(exercises.__file__).parent
ENTRIES = {
    f"{lesson}.{name}": entry
    for lesson in exercises.__all__
    for name, entry in tomllib.loads((HOME / f"{lesson}.toml").read_text(encoding="utf-8")).items()
}
CHOICES = [name for name, entry in ENTRIES.items() if "options" in entry]
CHECKED = [name for name, entry in ENTRIES.items() if "right" in entry]
OPEN = [name for name in CHECKED if name not in CHOICES]
JUDGED = [name for name, entry in ENTRIES.items() if "judge" in entry]
GUESSES = [name for name in CHOICES if name not in CHECKED]


def question(name: str) -> Question:
    lesson, name = name.split(".")
    return getattr(getattr(exercises, lesson), name)


def equivalents(right: object) -> list:
    """`right` in the other forms that a student may give it."""
    if isinstance(right, tuple):
        crossed = "x".join(map(str, right))
        return [list(right), np.array(right), crossed, crossed.replace("x", "×"), str(right), str(list(right))]
    if isinstance(right, str):
        return [right.lower(), f" {right} "]
    return [float(right), str(right), np.float64(right), np.array(right)]


@pytest.mark.parametrize("name", ENTRIES)
def test_texts_are_there(name):
    entry = ENTRIES[name]
    assert len(entry["text"]) > 20
    assert set(entry) <= {"text", "right", "because", "wrong", "options", "expects", "tip", "tolerance", "judge"}
    texts = [entry["text"], *entry.get("options", {}).values(), *entry.get("wrong", {}).values()]
    if name not in GUESSES:
        texts += [entry["because"], entry["tip"]]
        assert len(entry["because"]) > 20 and len(entry["tip"]) > 20
    assert all(text == text.strip() and "  " not in text for text in texts)
    assert name in CHECKED or name in JUDGED or name in GUESSES


@pytest.mark.parametrize("name", CHOICES)
def test_every_option_is_answered(name):
    entry = ENTRIES[name]
    options = list(entry["options"])
    assert options == list("ABCDEF"[: len(options)]) and len(options) >= 3
    assert entry.get("right", "A") in options
    # A wrong option has its reply; where the experiment decides, each may come out wrong.
    assert sorted(entry["wrong"]) == [option for option in options if option != entry.get("right")]


@pytest.mark.parametrize("name", OPEN)
def test_at_least_four_wrong_answers_are_foreseen(name):
    assert len(question(name).wrong) >= 4
    assert not any(question(name).reply(wrong).startswith("→ Right") for wrong in question(name).wrong)


@pytest.mark.parametrize("name", CHECKED)
def test_the_solution_is_right_in_every_form(name, capsys):
    asked = question(name)
    for answer in [ENTRIES[name]["right"], asked.right, *equivalents(asked.right)]:
        assert asked.reply(answer) == f"→ Right. {asked.because}", answer
    asked.solution()
    said = capsys.readouterr().out
    assert str(asked.right) in said and asked.because in said


@pytest.mark.parametrize("name", CHECKED)
def test_each_foreseen_wrong_answer_gets_its_own_reply(name):
    asked = question(name)
    for wrong, reply in asked.wrong.items():
        for answer in [wrong, *equivalents(wrong)]:
            said = asked.reply(answer)
            assert said.startswith("→ Not ") and said.endswith(f". {reply}"), (answer, said)
    assert len(set(asked.wrong.values())) == len(asked.wrong)


@pytest.mark.parametrize("name", OPEN)
def test_an_unforeseen_wrong_answer_gets_the_tip(name):
    asked = question(name)
    unforeseen = (97, 89) if isinstance(asked.right, tuple) else 9.7531
    assert asked.reply(unforeseen) == f"→ Not {unforeseen}. {asked.tip}"


@pytest.mark.parametrize("name", [*CHECKED, *JUDGED])
def test_other_kinds_and_nothing_at_all_are_met_with_words(name):
    asked = question(name)
    assert asked.expects in asked.reply("no idea") and asked.expects in asked.reply({})
    for nothing in (None, ...):
        assert "Not answered yet" in asked.reply(nothing)


@pytest.mark.parametrize("name", CHOICES)
def test_guesses_are_taken_and_answered(name, capsys):
    asked = question(name)
    for guess in asked.options:
        for measured in asked.options:
            asked.predict(guess)
            capsys.readouterr()
            asked.outcome(measured, "So many errors.")
            said = capsys.readouterr().out
            assert f"your guess {guess} | measured {measured}: {asked.options[measured]}\nSo many errors.\n" in said
            if guess == measured or guess == asked.right:
                assert said.endswith("So many errors.\n")
            else:
                assert said.endswith(f"{asked.wrong[guess]}\n")
    asked.predict(None)


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


class TestGradientsAnswersAreComputed:
    """The answers of lesson 04, each found another way."""

    def near(self, name, value):
        asked = getattr(exercises.gradients, name)
        assert asked.right == pytest.approx(value, rel=1e-9, abs=asked.tolerance / 2)
        answers = [answer for answer in [asked.right, *asked.wrong] if not isinstance(answer, str)]
        differences = np.abs(np.subtract.outer(answers, answers))[np.triu_indices(len(answers), 1)]
        assert differences.min() > asked.tolerance  # no two answers are taken for each other

    def test_parameters_of_a_dense_layer(self):
        from course_lib.experiments import depth

        self.near("w3", depth.deep(depth=2, width=100).get_layer("dense1").count_params())

    def test_one_step(self):
        import tensorflow as tf

        weight = tf.Variable(0.5)
        with tf.GradientTape() as tape:
            error = 0.5 * (2 * weight - 3) ** 2
        self.near("q1", float(weight - 0.1 * tape.gradient(error, weight)))

    def test_slopes_by_differences(self):
        a, step = 0.0, 1e-5
        for name, function in {
            "q3": lambda a: 1 / (1 + np.exp(-2 * a)),
            "e1": lambda a: 1.7159 * np.tanh(2 * a / 3),
        }.items():
            self.near(name, (function(a + step) - function(a - step)) / (2 * step))

    def test_share_of_active_units(self):
        drawn = np.random.default_rng(1).normal(size=1_000_000)
        self.near("q4", (drawn + 1 > 0).mean())

    def test_products(self):
        self.near("w1", sum((2, -1, 4)))
        self.near("q5", 0.4 * (0.25 * 2) * (0.2 * -1) * (0.25 * 1))
        self.near("q6", next(n for n in range(100) if 0.25**n < 1e-6))
        self.near("q7", 0.01 * 10 / (0.1 * 1e-6))
        self.near("e3", 1.25**10)


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


def without_weights(weights, x, target):
    return gradient_going_back(weights, x, target) / np.prod(weights[1:])


class TestTanhGradient:
    @pytest.mark.parametrize("function", [gradient_by_differences, gradient_going_back])
    def test_right(self, function):
        assert exercises.gradients.e2.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (without_weights, "The weights are missing"),
            (lambda w, x, t: gradient_going_back(w, x, t, first=True), "The first weight does not stand in its own"),
            (lambda w, x, t: gradient_going_back(w, x, t, error=False), "The error is missing"),
            (lambda w, x, t: gradient_going_back(w, x, t, slope=lambda h: h * (1 - h)), "is the sigmoid's slope"),
            (lambda w, x, t: -gradient_going_back(w, x, t), "The sign is reversed"),
            (lambda w, x, t: gradient_going_back(w, x, t) / x, "The last factor is missing"),
            (lambda w, x, t: 0.0, "One number, but not the right one"),
            (lambda w, x, t: w, "yours has the shape (4,)"),
            (lambda w: w, "Your function stopped with TypeError"),
            (0.25, "e2 expects a function of (weights, x, target)"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.gradients.e2.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said


@pytest.fixture(scope="module")
def rows():
    return {row["layer"]: row for row in models.summary.layer_table(models.build("alexnet"))}


class TestAlexnetsAnswersAreTheNetworks:
    """The answers of lesson 05, counted from the network itself or found another way."""

    def test_parameters_of_a_convolution(self):
        import keras

        layer = keras.layers.Conv2D(16, 3)
        layer.build((None, 10, 10, 8))
        w2 = exercises.alexnet.w2
        assert w2.right == layer.count_params() and layer.kernel.shape.num_elements() in w2.wrong

    def test_layers_with_parameters(self, rows):
        learned = [name for name, row in rows.items() if row["trainable_parameters"]]
        pooling = [name for name, row in rows.items() if row["kind"] == "MaxPooling2D"]
        q1 = exercises.alexnet.q1
        assert q1.right == len(learned)
        assert {len(learned) + len(pooling), sum(name.startswith("fc") for name in learned)} <= set(q1.wrong)

    def test_uses_of_a_weight(self, rows):
        height, width, filters = rows["conv1"]["output_shape"]
        weights = rows["conv1"]["trainable_parameters"] - filters
        q2 = exercises.alexnet.q2
        assert q2.right == height * width == rows["conv1"]["multiply_adds"] // weights
        assert {height, filters, height * width * filters} <= set(q2.wrong)

    def test_cuts_of_a_picture(self):
        picture = np.arange(64 * 64).reshape(64, 64)  # every pixel its own value
        cuts = [picture[top : top + 56, left : left + 56] for top in range(9) for left in range(9)]
        different = {cut.tobytes() for cut in cuts} | {cut[:, ::-1].tobytes() for cut in cuts}
        assert exercises.alexnet.q3.right == len(different)
        assert {8 * 8 * 2, len(cuts), 8 * 8, 2 * 8, 2 * 9} <= set(exercises.alexnet.q3.wrong)

    def test_guessing(self):
        from itertools import combinations

        named = list(combinations(range(10), 5))
        q8 = exercises.alexnet.q8
        assert q8.right == pytest.approx(np.mean([3 not in each for each in named]))

    def test_a_finer_grid(self, rows):
        import keras

        finer = keras.layers.Conv2D(96, 11, strides=2)
        height, width = finer.compute_output_shape((1, 227, 227, 3))[1:3]
        e1 = exercises.alexnet.e1
        before = np.prod(rows["conv1"]["output_shape"][:2])
        assert e1.right == pytest.approx(height * width / before, abs=1e-3)
        assert abs(e1.right - 4) > e1.tolerance


def dropout_of_keras(values, rate, random):
    kept = random >= rate
    return np.where(kept, values / (1 - rate), 0)


class TestDropout:
    @pytest.mark.parametrize(
        "function",
        [dropout_of_keras, lambda v, p, r: v * (r >= p) / (1 - p), lambda v, p, r: v / (1 - p) - v * (r < p) / (1 - p)],
    )
    def test_right(self, function):
        assert exercises.alexnet.e2.reply(function).startswith("→ Right")

    def test_the_mean_is_kept(self):
        values, random = np.ones(100_000), np.random.default_rng(1).random(100_000)
        assert dropout_of_keras(values, 0.3, random).mean() == pytest.approx(1, abs=0.02)

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda v, p, r: v * (r >= p), "divide by 1 − rate."),
            (lambda v, p, r: v * (1 - p), "That is the paper's testing"),
            (lambda v, p, r: v * (r < p) / p, "You kept the share"),
            (lambda v, p, r: v * (r >= p) / p, "not by rate"),
            (lambda v, p, r: v * (r >= p) * (1 - p), "must grow, not shrink"),
            (lambda v, p, r: v * (r < 1 - p) / (1 - p), "those BELOW rate"),
            (lambda v, p, r: v[r >= p], "came out: dropped values are 0, not gone"),
            (lambda v, p, r: v, "0% of the values are 0, of "),
            (lambda v, p, r: v / (r - r), "of the values are 0, of "),
            (lambda v: v, "Your function stopped with TypeError"),
            (0.5, "e2 expects a function of (values, rate, random)"),
        ],
    )
    @pytest.mark.filterwarnings("ignore:divide by zero")
    def test_wrong(self, function, reply):
        said = exercises.alexnet.e2.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said


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


class TestResnetsAnswersAreComputed:
    """The answers of lesson 07, each counted from networks or found another way."""

    def near(self, name, value):
        asked = getattr(exercises.resnet, name)
        assert asked.right == pytest.approx(value, rel=1e-9, abs=asked.tolerance / 2)
        answers = [answer for answer in [asked.right, *asked.wrong] if not isinstance(answer, str)]
        differences = np.abs(np.subtract.outer(answers, answers))[np.triu_indices(len(answers), 1)]
        assert differences.min() > asked.tolerance  # no two answers are taken for each other

    def test_what_four_convolutions_see(self):
        import keras
        from keras import layers

        stack = keras.Sequential([keras.Input((32, 32, 1)), *(layers.Conv2D(1, 3) for _ in range(4))])
        *_, last = models.summary.layer_table(stack)
        self.near("w1", last["receptive_field"])

    def test_bottleneck(self):
        import keras

        inputs = keras.Input((4, 4, 256))
        counts = {}
        for block, filters in ((models.resnet.bottleneck, 64), (models.resnet.basic, 256)):
            made = keras.Model(inputs, block(inputs, filters, 1, block.__name__, shortcut="A"))
            kernels = [layer.kernel.shape for layer in made.layers if hasattr(layer, "kernel")]
            counts[block.__name__] = sum(int(np.prod(kernel)) for kernel in kernels)
        self.near("q5", counts["bottleneck"])
        assert counts["basic"] in exercises.resnet.q5.wrong

    def test_shares_and_products(self):
        self.near("q6", (1 - 0.2) ** 3)
        self.near("q7", 2**14 / 2**15)
        self.near("q9", round(100 * np.sqrt(0.051 * (1 - 0.051) / 1_500), 2))

    def test_layers_of_bottlenecks(self):
        assert models.resnet.BLOCKS[101] == (3, 4, 23, 3)
        self.near("e1", 3 * sum(models.resnet.BLOCKS[101]) + 2)

    def test_empty_maps(self):
        out = np.asarray(models.resnet.ShortcutA(128, 2)(np.ones((1, 56, 56, 64), "float32")))
        self.near("e3", (out == 0).sum())
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


class TestManyGpusAnswersAreComputed:
    """The answers of lesson 08 by another way."""

    def near(self, name, value):
        asked = getattr(exercises.many_gpus, name)
        assert asked.right == pytest.approx(value, rel=1e-9)
        assert all(abs(value - wrong) > 2 * asked.tolerance for wrong in asked.wrong)

    def test_products(self):
        self.near("w1", np.mean([2, 5, -1]))
        self.near("w2", 25e6 * np.dtype(np.float32).itemsize / 1e6)
        self.near("q2", (0.5 / 3) / (0.5 / 4))
        self.near("q4", 256 / 8)
        self.near("q5", 1 / (0.2 + 0.8 / 4))
        self.near("q10", 512 / (2 * 4))
        self.near("e1", 14 * 100 / 8)

    def test_the_rate(self):
        recipe = Recipe(learning_rate=0.1, base_batch_size=256, batch_size=32 * 64)
        self.near("q7", recipe.make_optimizer(1, 10).learning_rate.numpy().astype(float).round(6))

    def test_channels_that_look_across_the_border(self):
        maps = np.random.default_rng(0).uniform(1, 9, (1, 2, 2, 96)).astype(np.float32)

        def normalized(values):
            return np.asarray(models.convolutional.LocalResponseNormalization(alpha=1.0)(values))

        halves = np.concatenate([normalized(half) for half in np.split(maps, 2, axis=-1)], axis=-1)
        differ = np.abs(halves - normalized(maps)).max(axis=(0, 1, 2)) > 1e-6
        self.near("e3", differ.sum())


def whole_by_loops(gradients, sizes):
    total = np.zeros_like(gradients[0])
    for gradient, size in zip(gradients, sizes, strict=True):
        total += gradient * size
    return total / sum(sizes)


class TestWholeGradient:
    @pytest.mark.parametrize("function", [whole_by_loops, lambda g, n: np.average(g, axis=0, weights=n)])
    def test_right(self, function):
        assert exercises.many_gpus.q3.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda g, n: np.mean(g, axis=0), "That is the plain mean over the devices"),
            (lambda g, n: whole_by_loops(g, n) * sum(n), "That is the sum over all images"),
            (lambda g, n: np.sum(g, axis=0), "That adds up the devices' means"),
            (lambda g, n: whole_by_loops(g[:2], n[1::-1]), "The sizes are exchanged"),
            (lambda g, n: whole_by_loops(g, n) * sum(n) / len(n), "divide by the number of images"),
            (lambda g, n: whole_by_loops(g, n) + 1, "The shape is right, the numbers are not"),
            (lambda g, n: 0.0, "yours has ()"),
            (lambda g: g, "Your function stopped with TypeError"),
            (2.0, "q3 expects a function of (gradients, sizes)"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.many_gpus.q3.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said


class TestRecipeForManyDevices:
    @pytest.mark.parametrize(
        "fields",
        [
            lambda n: {"learning_rate": 0.02, "base_batch_size": 32, "warm_up": 1.0},
            lambda n: {"learning_rate": 0.02 * n, "warm_up": 5 if n > 1 else 0},
        ],
    )
    def test_right(self, fields):
        answer = exercises.many_gpus.e2.reply(lambda n: Recipe(batch_size=32 * n, **fields(n)))
        assert answer.startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda n: Recipe(learning_rate=0.02, batch_size=32), "batch_size is global: 4 devices"),
            (lambda n: Recipe(learning_rate=0.02, batch_size=32 * n), "With 4 device(s) the rate comes to 0.02"),
            (lambda n: Recipe(learning_rate=0.02 * n, base_batch_size=32, batch_size=32 * n), "the rate comes to 0.32"),
            (lambda n: Recipe(learning_rate=0.02 * n, batch_size=32 * n), "but it is taken at once"),
            (lambda n: {"batch_size": 32 * n}, "It must return a training.Recipe, not dict"),
            (lambda n: Recipe(warm_up=-n), "Your function stopped with ValueError"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.many_gpus.e2.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said

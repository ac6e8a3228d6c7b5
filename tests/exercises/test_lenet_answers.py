"""The answers of lesson 03, each found by another way, and its judges met with right and wrong functions."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_lib import common, exercises, models
from course_lib.exercises.judges import lenet as judges


@pytest.fixture(scope="module")
def lenet5():
    return models.build("lenet5")


class TestLenetsAnswersAreTheNetworks:
    """The answers of lesson 03, counted from the network itself."""

    def test_filters(self, lenet5):
        q1, c1 = exercises.lenet.q1, lenet5.get_layer("c1")
        other = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(q1.right, 5)])
        assert other.count_params() == 208 and "208 parameters" in q1.text
        assert {25, 26, 208, c1.filters} <= set(q1.wrong)
        assert (c1.count_params(), c1.filters) == (156, 6) and "156 are 6 filters" in q1.because

    def test_pooling(self, lenet5):
        q4, s2 = exercises.lenet.q4, lenet5.get_layer("s2")
        other = keras.Sequential([keras.Input((24, 24, 1)), keras.layers.AveragePooling2D(q4.right)])
        assert other.output_shape[1:3] == (8, 8) and "8×8 maps of 24×24" in q4.text
        assert {tuple(s2.pool_size), (5, 5), (8, 8), (24, 24)} <= set(q4.wrong)
        assert s2.input.shape[1:3] == (28, 28) and s2.output.shape[1:3] == (14, 14)
        assert "14×14 of 28×28: 2×2" in q4.because

    def test_what_e1_hints_at(self, lenet5):
        c5, f6 = lenet5.get_layer("c5"), lenet5.get_layer("f6")
        assert c5.count_params() == max(layer.count_params() for layer in lenet5.layers)
        assert c5.count_params() // c5.units == 401 and f6.units == 84
        assert "401 of its own, and 84 weights of f6" in exercises.lenet.e1.tip

    def test_weights_of_a_filter(self, lenet5):
        height, width, maps_in, maps_out = lenet5.get_layer("c3").kernel.shape
        q6 = exercises.lenet.q6
        assert q6.right == height * width * maps_in
        assert {25, 151, 400} <= set(q6.wrong) and height * width * maps_out == 400
        assert {q6.right * maps_out, lenet5.get_layer("c3").count_params()} <= set(q6.wrong)

    def test_chances(self):
        q8 = exercises.lenet.q8
        assert q8.right == pytest.approx((1 - 0.0082) ** 5, abs=1e-4)
        assert sorted(q8.wrong) == pytest.approx(sorted([0.9918, 1 - 0.9918**5, 0.0082, 0.0082**5, 96]), abs=1e-4)
        differences = np.abs(np.subtract.outer([q8.right, *q8.wrong], [q8.right, *q8.wrong]))
        assert np.sort(differences, axis=None)[6] > 2 * q8.tolerance  # no two answers are taken for each other

    def test_a_larger_image(self):
        larger = models.build("lenet5", image_shape=(40, 40, 1))
        sides = {name: larger.get_layer(name).output.shape[1] for name in ("c1", "s2", "c3", "s4")}
        assert exercises.lenet.e2.right == sides["s4"]
        assert sides["s2"] in exercises.lenet.e2.wrong and sides["c3"] in exercises.lenet.e2.wrong

    @pytest.mark.parametrize(
        ("side", "reply"),
        [
            ((40 - 4) // 2 // 2, "9 forgets c3"),
            (((40 - 2) // 2 - 2) // 2, "shortens each side by 4"),
            (40 // 4, "10 would be 40 / 4"),
            (((32 - 4) // 2 - 4) // 2, "5 is the side for 32×32 images"),
        ],
    )
    def test_each_wrong_side_of_a_larger_image_is_replied_to_by_its_own_mistake(self, side, reply):
        assert reply in exercises.lenet.e2.reply(side)


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
    kernel = tf.Variable(tf.zeros((5, 5, 1, 1), tf.float64))
    with tf.GradientTape() as tape:
        output = tf.nn.conv2d(image[None, :, :, None], kernel, 1, "VALID")
        loss = tf.reduce_sum(output[0, :, :, 0] * upstream)
    return tape.gradient(loss, kernel)[:, :, 0, 0]


def gradient_in_float32(image, upstream):
    return gradient_by_einsum(image.astype("float32"), upstream.astype("float32"))


def gradient_by_convolving(image, upstream):
    from scipy.signal import convolve2d

    return convolve2d(image, upstream, mode="valid")


def gradient_with_a_gap(image, upstream):
    gradient = np.zeros((image.shape[0] - upstream.shape[0] + 1, image.shape[1] - upstream.shape[1] + 1))
    for i, j in np.ndindex(gradient.shape):
        gradient[i, j] = ...
    return gradient


def gradient_not_added_up(image, upstream):
    gradient = np.zeros((image.shape[0] - upstream.shape[0] + 1, image.shape[1] - upstream.shape[1] + 1))
    for i, j in np.ndindex(gradient.shape):
        gradient[i, j] = image[i : i + upstream.shape[0], j : j + upstream.shape[1]] * upstream
    return gradient


def gradient_of_the_largest(image, upstream):
    rows, columns = np.subtract(image.shape, upstream.shape) + 1
    return [
        [np.max(image[i : i + len(upstream), j : j + upstream.shape[1]] * upstream) for j in range(columns)]
        for i in range(rows)
    ]


class TestKernelGradient:
    @pytest.mark.parametrize(
        "function",
        [gradient_by_loops, gradient_by_einsum, gradient_by_scipy, gradient_by_tensorflow, gradient_in_float32],
    )
    def test_right(self, function):
        assert exercises.lenet.q2.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda i, u: gradient_by_loops(i, u) / u.size, "This is the average over the positions"),
            (lambda i, u: gradient_by_loops(i, u)[::-1, ::-1], "turned by 180 degrees"),
            (lambda i, u: -gradient_by_loops(i, u), "The sign is reversed"),
            (lambda i, u: gradient_by_loops(i, u)[:3, :3], "yours has the shape (3, 3)"),
            (lambda i, u: np.pad(gradient_by_loops(i, u), 3), "yours has the shape (11, 11)"),
            (lambda i, u: gradient_by_loops(i, u).sum(), "yours has the shape ()"),
            (lambda i, u: None, "returns nothing: is the gap still empty?"),
            (lambda i, u: ..., "The gap is still empty"),
            (gradient_with_a_gap, "The gap is still empty"),
            (gradient_by_convolving, "Upstream is turned by 180 degrees, as convolve2d does it"),
            (lambda i, u: gradient_by_loops(i, u).T, "The shape is right, the numbers are not"),
            (lambda i, u: gradient_by_loops(i, np.ones_like(u)), "The shape is right, the numbers are not"),
            (lambda i, u: gradient_by_loops(i, u) + 0.01, "The shape is right, the numbers are not"),
            (lambda i, u: i @ u, "Your function stopped with ValueError"),
            (gradient_not_added_up, "One weight has one number: add up its products"),
            (gradient_of_the_largest, "This takes the largest product only"),
            (lambda i, u: i[:5, :5] * u.sum(), "This takes one pixel for all positions"),
            (lambda i: i, "Your function stopped with TypeError"),
            (gradient_by_loops(np.ones((8, 9)), np.ones((4, 5))), "q2 expects a function of (image, upstream)"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.lenet.q2.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said

    def test_a_function_that_spoils_its_input_is_judged_all_the_same(self):
        def spoiling(image, upstream):
            result = gradient_by_loops(image, upstream)
            image[:], upstream[:] = 0, 0
            return result

        assert judges.kernel_gradient(spoiling) is None


def gradients_by_channels(image, upstream):
    """One convolution per pair of channels."""
    pairs = [
        [gradient_by_loops(image[..., m], upstream[..., k]) for k in range(upstream.shape[-1])]
        for m in range(image.shape[-1])
    ]
    return np.moveaxis(np.array(pairs), (0, 1), (2, 3))


def gradients_by_finite_differences(image, upstream):
    rows, columns = np.subtract(image.shape[:2], upstream.shape[:2]) + 1
    shape = (rows, columns, image.shape[2], upstream.shape[2])

    def loss(kernel):
        return np.sum(tf.nn.conv2d(image[None], kernel, 1, "VALID")[0] * upstream)

    result = np.empty(shape)
    for place in np.ndindex(shape):
        change = np.zeros(shape)
        change[place] = 0.5  # the loss is linear in the kernel, so that any step is small enough
        result[place] = loss(change) - loss(-change)
    return result


def gradients_in_float32(image, upstream):
    return gradients_by_channels(image.astype("float32"), upstream.astype("float32")).astype("float32")


class TestKernelGradients:
    @pytest.mark.parametrize("function", [gradients_by_channels, gradients_by_finite_differences, gradients_in_float32])
    def test_right(self, function):
        assert exercises.lenet.q7.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda i, u: np.swapaxes(gradients_by_channels(i, u), 2, 3), "last two axes are exchanged"),
            (lambda i, u: gradients_by_channels(i, u).sum(axis=2), "no axis of channels in"),
            (lambda i, u: gradients_by_channels(i, u).sum(axis=(2, 3)), "yours has the shape (3, 5)"),
            (
                lambda i, u: np.repeat(gradients_by_channels(i, u).sum(axis=2, keepdims=True), 3, axis=2),
                "All input channels share one grid",
            ),
            (lambda i, u: gradients_by_channels(i, u) / 20, "average over the positions"),
            (lambda i, u: gradients_by_channels(i, u)[::-1, ::-1], "turned by 180 degrees"),
            (lambda i, u: gradients_by_channels(i, u)[..., ::-1], "The shape is right, the numbers are not"),
            (lambda i, u: gradient_by_einsum(i, u), "Your function stopped with"),
            (lambda i, u: gradients_by_channels(i, u[::-1, ::-1]), "as convolve2d does it"),
            (lambda i, u: None, "returns nothing: is the gap still empty?"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.lenet.q7.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said


def step(change=1.0, *, loss_after=False, reduce=tf.reduce_mean, from_logits=True, variables=slice(None), result=float):
    """A training step, right by default, or with one thing wrong about it."""

    def training_step(model, images, labels, learning_rate):
        def loss_of():
            losses = keras.losses.sparse_categorical_crossentropy(labels, model(images), from_logits=from_logits)
            return reduce(losses)

        with tf.GradientTape() as tape:
            loss = loss_of()
        weights = model.trainable_variables[variables]
        for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(change * learning_rate * gradient)
        return result(loss_of() if loss_after else loss)

    return training_step


def step_with_one_hot(model, images, labels, learning_rate):
    with tf.GradientTape() as tape:
        losses = keras.losses.categorical_crossentropy(tf.one_hot(labels, 10), model(images), from_logits=True)
        loss = tf.reduce_mean(losses)
    for weight, gradient in zip(model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True):
        weight.assign_sub(learning_rate * gradient)
    return float(loss)


class TestTrainingStep:
    def test_ten_classes(self):
        assert exercises.lenet.q3.reply(step_with_one_hot).startswith("→ Right")

    def test_right(self):
        assert exercises.lenet.q3.reply(step()).startswith("→ Right")
        assert exercises.lenet.q3.reply(step(result=lambda loss: loss)).startswith("→ Right")  # a tensor is a number

    def test_it_is_the_step_of_keras(self):
        """A convolution too, whose shared weights the judge's small network does not have."""
        keras.utils.set_random_seed(0)
        mine = models.build("lenet5")
        theirs = keras.models.clone_model(mine)
        theirs.set_weights(mine.get_weights())
        images = np.random.default_rng(0).normal(size=(8, 32, 32, 1)).astype("float32")
        labels = np.arange(8)
        theirs.compile(keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        for _ in range(2):
            step()(mine, images, labels, 0.1)
            theirs.train_on_batch(images, labels)
        for one, other in zip(mine.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda *_: None, "No weight has changed"),
            (step(change=-1.0), "goes uphill"),
            (step(reduce=tf.reduce_sum), "The loss is the sum over the images here"),
            (step(change=2.0), "The learning rate is missing"),  # at the learning rate 0.5 that the judge gives
            (lambda *given: step()(*given[:3], 0.1), "as at a learning rate of 0.1; 0.5 was given"),
            (step(variables=slice(1)), "The biases have not changed"),
            (step(from_logits=False), "take the outputs as logits"),
            (step(loss_after=True), "it returns the loss after the step"),
            (step(result=lambda loss: None), "must also return the loss as a number, not NoneType"),
            (step(result=lambda loss: 6 * float(loss)), "the loss is the sum over the images"),
            (step(reduce=lambda losses: losses, result=lambda losses: losses), "the tape adds them up"),
            (step(result=lambda loss: np.full(6, float(loss))), "returns 6 losses, one per image. Return one number"),
            (step(result=lambda loss: 0.0), "the loss before the step was"),
            (lambda model, images: 0.0, "Your function stopped with TypeError"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.lenet.q3.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said


def small_lenet(c1=6, c3=16, c5=30, side=5, image_shape=(32, 32, 1), outputs=10):
    """LeNet-5 with another number of filters or units, and with another kernel in c3."""
    layers = keras.layers
    inputs = keras.Input(image_shape)
    x = layers.AveragePooling2D(2)(layers.Conv2D(c1, 5, activation="tanh", name="c1")(inputs))
    x = layers.AveragePooling2D(2)(layers.Conv2D(c3, side, activation="tanh", name="c3")(x))
    x = layers.Dense(c5, activation="tanh", name="c5")(layers.Flatten()(x))
    x = layers.Dense(84, activation="tanh", name="f6")(x)
    return keras.Model(inputs, layers.Dense(outputs, name="output")(x))


def small_lenet_all_convolutions():
    """c5 as the paper has it, a convolution; f6 is left out."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((32, 32, 1)),
            layers.Conv2D(6, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(40, 5, activation="relu"),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )


class TestSmallLenet:
    def made(self, image_shape=(32, 32, 1), outputs=10, filters=4, convolution=True):
        layers = keras.layers
        inputs = keras.Input(image_shape)
        x = layers.Conv2D(filters, 5, strides=3, name="c1")(inputs) if convolution else layers.MaxPooling2D(4)(inputs)
        return keras.Model(inputs, layers.Dense(outputs, name="output")(layers.Flatten()(x)))

    @pytest.mark.parametrize("build", [small_lenet, small_lenet_all_convolutions])
    def test_right(self, build):
        assert exercises.lenet.e1.reply(build).startswith("→ Right")

    def test_small_enough_but_it_does_not_learn_enough(self):
        said = exercises.lenet.e1.reply(lambda: small_lenet(c5=3))
        assert said.startswith("→ Not yet. ") and "but its validation error is" in said

    @pytest.mark.parametrize(
        ("build", "reply"),
        [
            (lambda: models.build("lenet5", width=0.5), "have 3 and 8 filters; keep 6 and 16. Shrinking every layer"),
            (lambda: small_lenet(c3=8), "have 6 and 8 filters; keep 6 and 16"),
            (lambda: small_lenet(c5=16, side=3), "first kernels are (5, 5, 1, 6) and (3, 3, 6, 16); c1 and c3 have"),
            (lambda: small_lenet(c5=40), "the most, 16,040, are in c5"),
            (lambda: keras.Sequential([keras.Input((32, 32, 1)), small_lenet(c5=40)]), "the most, 16,040, are in c5"),
        ],
    )
    def test_other_filters_or_too_many_units(self, build, reply):
        said = exercises.lenet.e1.reply(build)
        assert said.startswith("→ Not yet. ") and reply in said

    def test_the_lesson_trains_as_the_judge_does(self):
        source = (common.ROOT / "lessons" / "03_lenet.ipynb").read_text(encoding="utf-8")
        wanted = judges.SMALL_TRAINING
        for said in (
            f"train.take({wanted['digits']:_})",
            f"epochs={wanted['epochs']}",
            f"learning_rate={wanted['learning_rate']}",
            f"batch_size={wanted['batch_size']}",
        ):
            assert said in source
        assert f"at most {judges.MOST_PARAMETERS:,} parameters" in exercises.lenet.e1.text
        assert f"at most {100 * judges.HIGHEST_ERROR:.0f} %" in exercises.lenet.e1.text

    @pytest.mark.parametrize(
        ("changed", "reply"),
        [
            ({"image_shape": (28, 28, 1)}, "It must map 32×32×1 to 10 logits; yours maps (28, 28, 1) to (10,)"),
            ({"outputs": 2}, "yours maps (32, 32, 1) to (2,)"),
            ({"filters": 60}, "the most, 60,010, are in output"),
            ({"convolution": False}, "has no convolution left: keep the filters"),
            ({}, "has one convolution: keep c1 and c3, with 6 and 16 filters of 5×5"),
        ],
    )
    def test_wrong(self, changed, reply):
        said = exercises.lenet.e1.reply(lambda: self.made(**changed))
        assert said.startswith("→ Not yet. ") and reply in said

    def test_not_a_builder(self):
        assert "Your function returns NoneType, not a network" in exercises.lenet.e1.reply(lambda: None)
        assert "That is a network; give the function that builds it" in exercises.lenet.e1.reply(self.made())
        assert "e1 expects a function that builds it" in exercises.lenet.e1.reply(0.5)

    def test_a_softmax_at_the_end(self):
        def with_softmax():
            model = small_lenet()
            return keras.Model(model.input, keras.layers.Softmax()(model.output))

        assert "Its outputs are probabilities, not logits" in exercises.lenet.e1.reply(with_softmax)

    def test_the_full_network_is_too_large(self):
        said = exercises.lenet.e1.reply(lambda: models.build("lenet5"))
        assert said == "→ Not yet. It has 61,706 parameters; the most, 48,120, are in c5."

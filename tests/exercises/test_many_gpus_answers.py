"""The answers of lesson 08, each found by another way, and its judges met with right and wrong functions."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_lib import common, exercises, models
from course_lib.exercises.judges import many_gpus as judges
from course_lib.exercises.solutions.many_gpus import all_reduce, bottleneck
from course_lib.training import Recipe


class TestManyGpusAnswersAreComputed:
    """The answers of lesson 08 by another way."""

    def near(self, name, value):
        asked = getattr(exercises.many_gpus, name)
        assert asked.right == pytest.approx(value, rel=1e-9)
        assert all(abs(value - wrong) > 2 * asked.tolerance for wrong in asked.wrong)

    def test_products(self):
        self.near("w1", np.mean([2, 5, -1]))
        self.near("q3", 768 / 8)
        self.near("q4", 14 * 100 / 8)
        self.near("q5", 1 / (0.2 + 0.8 / 4))
        self.near("q9", 512 / (2 * 4))

    def test_memory_of_vgg(self):
        table = models.summary.layer_table(models.build("vgg16", width=1 / 16))  # activations grow with the width
        image = 16 * sum(row["activation_bytes"] for row in table)
        assert f"{image / 1e6:.1f} MB" in exercises.many_gpus.w2.text
        weights = 4 * models.CATALOG["vgg16"].published[0]["parameters"]
        self.near("w2", round((3 * weights + 256 * image) / 1e9, 1))
        wrong = [256 * image, weights + 256 * image, 3 * weights, weights, 3 * weights + 512 * image]
        assert sorted(exercises.many_gpus.w2.wrong) == sorted(round(each / 1e9, 1) for each in wrong)

    def test_the_mean_of_means_of_unequal_parts(self):
        counts = {"A": 1 / 2 / 3 == 1 / 2 / 4, "B": 1 / 2 / 3 > 1 / 2 / 4, "C": 1 / 2 / 3 < 1 / 2 / 4}
        assert [letter for letter, holds in counts.items() if holds] == ["B"]
        assert exercises.many_gpus.p1.options["B"].startswith("no: an image on the device with three")

    def test_what_sends_less(self):
        sent = {"A": 256 * 40_000, "B": 5_000_000}
        assert exercises.many_gpus.q12.right == min(sent, key=sent.get)

    def test_the_rate(self):
        recipe = Recipe(learning_rate=0.1, base_batch_size=256, batch_size=32 * 64)
        self.near("q7", recipe.make_optimizer(1, 10).learning_rate.numpy().astype(float).round(6))

    def test_channels_that_look_across_the_border(self):
        maps = np.random.default_rng(0).uniform(1, 9, (1, 2, 2, 96)).astype(np.float32)

        def normalized(values):
            return np.asarray(models.convolutional.LocalResponseNormalization(alpha=1.0)(values))

        halves = np.concatenate([normalized(half) for half in np.split(maps, 2, axis=-1)], axis=-1)
        differ = np.abs(halves - normalized(maps)).max(axis=(0, 1, 2)) > 1e-6
        self.near("q10", differ.sum())

    def test_which_size_gains_in_every_turn(self):
        asked = exercises.many_gpus.q13
        turns = {
            size: [
                float(number) for number in re.search(rf"Batches of {size}: ([\d., ]+)\.", asked.text)[1].split(", ")
            ]
            for size in (64, 256)
        }
        assert [size for size, each in turns.items() if min(each) > 1] == [256]
        assert np.median(turns[64]) == 1.22 > np.median(turns[256]) > 1
        assert asked.options[asked.right] == "at 256 alone"

    def test_which_learning_rates_three_seeds_do_not_tell_apart(self):
        asked = exercises.many_gpus.q14
        found = re.findall(r"(0\.\d+): (\d+\.\d) \((\d+\.\d) to (\d+\.\d)\)", asked.text)
        table = {rate: [*map(float, numbers)] for rate, *numbers in found}
        best = min(table, key=lambda rate: table[rate][0])
        as_good = [rate for rate, (_, low, _) in table.items() if low <= table[best][2]]
        assert as_good == ["0.2", "0.4"] and f"{' or '.join(as_good)}:" in asked.options[asked.right]
        assert 0.05 * 1024 / 128 == 0.4

    def test_the_distance_of_the_gradual_warm_up_is_the_published_one(self):
        published = {row["id"]: float(row["number"]) for row in common.published("many_gpus")}
        above = published["goyal_gradual"] - published["goyal_256"]
        assert f"{above:.2f} points above the small batch's" in exercises.many_gpus.p12.text


def means_by_loops(gradients):
    means = []
    for weight in range(len(gradients[0])):
        total = np.zeros_like(gradients[0][weight])
        for held in gradients:
            total += held[weight]
        means.append(total / len(gradients))
    return [list(means) for _ in gradients]


def means_by_zip(gradients):
    means = [np.mean(each, axis=0).astype("float32") for each in zip(*gradients, strict=True)]
    return [means for _ in gradients]


def means_by_sums(gradients):
    means = [sum(each) / len(gradients) for each in zip(*gradients, strict=True)]
    return [means for _ in gradients]


def everywhere(combine):
    """An all-reduce that gives every device the same list, made of one weight's arrays at a time."""
    return lambda gradients: [[combine(each) for each in zip(*gradients, strict=True)] for _ in gradients]


class TestAllReduce:
    @pytest.mark.parametrize("function", [all_reduce, means_by_sums, everywhere(lambda each: tf.add_n(each) / 3)])
    def test_right(self, function):
        assert exercises.many_gpus.q1.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda g: [... for _ in g], "The gap is still empty"),
            (lambda g: None, "returns nothing: is the gap still empty?"),
            (everywhere(sum), "This is the sum over the devices"),
            (everywhere(lambda each: each[0]), "Only the first device's gradient is passed on"),
            (everywhere(lambda each: sum(each) / 2), "divide by the number of devices"),
            (everywhere(lambda each: np.full(each[0].shape, np.mean(each))), "All numbers of a gradient became"),
            (lambda g: g, "Every device still has its own gradient"),
            (lambda g: means_by_loops(g)[0], "That is one list of means; every device must get it"),
            (lambda g: [means_by_loops(g)[0], *g[1:]], "Device 1 has other numbers"),
            (lambda g: means_by_loops(g)[:1], "one list of gradients per device"),
            (lambda g: [[each[0]] for each in means_by_loops(g)], "yours hold 6 numbers, not 10"),
            (means_by_loops, "Right for arrays, but a compiled step has tensors"),
            (means_by_zip, "Right for arrays, but a compiled step has tensors"),
            (
                lambda g: means_by_zip(g) if isinstance(g[0][0], np.ndarray) else g,
                "Right for arrays, but not for tensors",
            ),
            (lambda g: np.mean(g), "Your function stopped with"),
            (2.0, "q1 expects a function of gradients"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.many_gpus.q1.reply(function)
        assert said.startswith("→ Not") and reply in said


def local(divide=lambda labels, parts: sum(len(each) for _, each in parts), *, reduce=tf.reduce_sum, of=None):
    """Each device's gradient, right by default; `divide` says by what its sum of losses is divided."""

    def local_gradients(model, parts):
        found = []
        for images, labels in parts if of is None else of(parts):
            with tf.GradientTape() as tape:
                losses = keras.losses.sparse_categorical_crossentropy(labels, model(images), from_logits=True)
                loss = reduce(losses) / divide(labels, parts)
            found.append(tape.gradient(loss, model.trainable_variables))
        return found

    return local_gradients


def local_by_weights(model, parts):
    """The mean of each part, weighted by its share of all images; a device without images has zeros."""
    count = sum(len(labels) for _, labels in parts)
    full = [part for part in parts if len(part[1])]
    means = iter(local(lambda *_: 1, reduce=tf.reduce_mean)(model, full))
    zeros = [np.zeros(weight.shape) for weight in model.trainable_variables]
    return [[np.multiply(len(y) / count, g) for g in next(means)] if len(y) else zeros for _, y in parts]


def with_a_step(model, parts):
    """The right gradients; then the weights take the step."""
    found = local()(model, parts)
    for weight, *gradients in zip(model.trainable_variables, *found, strict=True):
        weight.assign_sub(sum(gradients))
    return found


def with_blank_images(model, parts):
    for images, _ in parts:
        images[:] = 0
    return local()(model, parts)


class TestLocalGradients:
    @pytest.mark.parametrize("function", [local(), local_by_weights])
    def test_right(self, function):
        assert exercises.many_gpus.q2.reply(function).startswith("→ Right")

    def test_the_sum_over_devices_is_the_step_of_one(self):
        keras.utils.set_random_seed(0)
        model = models.build("lenet5")
        images, labels = np.random.default_rng(0).normal(size=(7, 32, 32, 1)).astype("float32"), np.arange(7)
        whole = local()(model, [(images, labels)])[0]
        parts = local()(model, [(images[:4], labels[:4]), (images[4:], labels[4:])])
        for one, *both in zip(whole, *parts, strict=True):
            np.testing.assert_allclose(np.sum(both, axis=0), one, atol=1e-5)

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda model, parts: None, "returns nothing"),
            (with_a_step, "Your function changes the model's weights"),
            (with_blank_images, "The numbers are not the gradients"),
            (lambda model, parts: local()(model, parts)[0], "one list of gradients per device"),
            (local(lambda labels, parts: len(labels)), "Each device divides by its own number of images"),
            (local(lambda *_: 1, reduce=tf.reduce_mean), "Each device divides by its own number of images"),
            (
                local(lambda labels, parts: len(parts), reduce=tf.reduce_mean),
                "This is the mean of the devices' means",
            ),
            (local(lambda *_: 1), "These are sums over the images"),
            (local(lambda labels, parts: len(parts)), "You divide by the number of devices"),
            (local(lambda labels, parts: len(parts[0][1])), "You divide by the first device's number of images"),
            (
                local(of=lambda parts: [tuple(np.concatenate(each) for each in zip(*parts, strict=True))] * len(parts)),
                "Each device returns the gradient of the whole batch",
            ),
            (
                lambda model, parts: [[2 * g for g in local()(model, parts)[0]], *local()(model, parts)[1:]],
                "The numbers are not the gradients",
            ),
            (
                lambda model, parts: [
                    [sum(each) for each in zip(*local()(model, parts), strict=True)],
                    *[[0 * each for each in held] for held in local()(model, parts)[1:]],
                ],
                "The sum is right, but a device's gradient must come from its own images alone",
            ),
            (
                lambda model, parts: [
                    held if len(labels) else [np.nan * each for each in held]
                    for (_, labels), held in zip(parts, local()(model, parts), strict=True)
                ],
                "the mean over no images is 0/0",
            ),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.many_gpus.q2.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said


def bottleneck_in_a_table(data, one, two, whole):
    lines = {"input": two < data, "overlap": whole / max(two, data) > 1.2, "small step": one / two < 4 / 3}
    return next((name for name, applies in lines.items() if applies), "none")


class TestBottleneck:
    @pytest.mark.parametrize("function", [bottleneck, bottleneck_in_a_table])
    def test_right(self, function):
        assert exercises.many_gpus.e1.reply(function).startswith("→ Right")

    def test_every_mistake_is_one_and_no_two_are_alike(self):
        answers = {reply: [rule(*each) for *each, _ in judges.MEASURED] for reply, rule in judges.MISTAKES.items()}
        assert len({tuple(each) for each in answers.values()}) == len(answers)
        assert [line for *_, line in judges.MEASURED] not in answers.values()
        assert [bottleneck(*each) for *each, _ in judges.MEASURED] == [line for *_, line in judges.MEASURED]

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda *_: None, "returns nothing"),
            (lambda *_: "disk", "It must return 'input', 'overlap', 'small step' or 'none', not 'disk'"),
            (
                lambda data, one, two, whole: "input" if data > one else bottleneck(0, one, two, whole),
                "With data=0.05",
            ),
            (
                lambda d, o, t, w: "input" if d > o else "overlap" if w > 1.2 * max(d, t) else bottleneck(0, o, t, t),
                "You compare the input with the step on one device",
            ),
            (
                lambda d, o, t, w: "input" if d > t else "overlap" if w > d + t else bottleneck(0, o, t, t),
                "You wait for the sum of data and two",
            ),
            (
                lambda d, o, t, w: (
                    "small step"
                    if bottleneck(d, o, t, w) == "none" and t > o
                    else "none"
                    if bottleneck(d, o, t, w) == "small step" and t <= o
                    else bottleneck(d, o, t, w)
                ),
                "barely faster than one are a small step",
            ),
            (
                lambda d, o, t, w: "input" if d > t else "small step" if t > 0.75 * o else bottleneck(d, o, t, w),
                "look at the overlap before the small step",
            ),
            (
                lambda d, o, t, w: "overlap" if w > 1.2 * max(d, t) else bottleneck(d, o, t, w),
                "look at the input first, for it hides the other two",
            ),
            (
                lambda d, o, t, w: "small step" if t > 0.75 * o else bottleneck(d, o, t, w),
                "look at the input first, then at the overlap",
            ),
            (lambda *_: "none", "With data=0.08, one=0.06, two=0.04, whole=0.085 the first line"),
            (lambda data: data, "Your function stopped with TypeError"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.many_gpus.e1.reply(function)
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
            (
                lambda n: Recipe(learning_rate=0.02, batch_size=32 * n),
                "With 4 device(s) the learning rate comes to 0.02",
            ),
            (
                lambda n: Recipe(learning_rate=0.02 * n, base_batch_size=32, batch_size=32 * n),
                "the learning rate comes to 0.32",
            ),
            (lambda n: Recipe(learning_rate=0.02 * n, batch_size=32 * n), "but it is taken at once"),
            (lambda n: {"batch_size": 32 * n}, "It must return a training.Recipe, not dict"),
            (lambda n: Recipe(warm_up=-n), "Your function stopped with ValueError"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.many_gpus.e2.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said

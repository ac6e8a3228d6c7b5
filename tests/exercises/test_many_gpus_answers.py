"""The answers of lesson 08, each found by another way, and its judges met with right and wrong functions."""

import numpy as np
import pytest

from course_lib import exercises, models
from course_lib.training import Recipe


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

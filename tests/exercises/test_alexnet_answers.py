"""The answers of lesson 05, each found by another way, and its judges met with right and wrong functions."""

import numpy as np
import pytest

from course_lib import exercises, models


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
            (lambda v, p, r: v, "0% are 0 and should be "),
            (lambda v, p, r: v / (r - r), "are 0 and should be "),
            (lambda v: v, "Your function stopped with TypeError"),
            (0.5, "e2 expects a function of (values, rate, random)"),
        ],
    )
    @pytest.mark.filterwarnings("ignore:divide by zero")
    def test_wrong(self, function, reply):
        said = exercises.alexnet.e2.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said

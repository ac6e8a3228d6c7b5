"""The answers of lesson 02, each worked out another way, and its judges met with right and wrong functions."""

import numpy as np
import pytest
from scipy import stats

from course_lib import challenge, exercises, models
from course_lib.exercises.judges import challenges as judges

challenges = exercises.challenges


def foreseen(name):
    return {float(answer) for answer in getattr(challenges, name).wrong}


def test_no_two_answers_are_taken_for_each_other():
    asked = challenges.q1
    assert np.diff(np.sort([asked.right, *foreseen("q1")])).min() > asked.tolerance


def test_parameters_of_a_convolution():
    import keras

    layer = keras.layers.Conv2D(8, 5)
    layer.build((None, 20, 30, 3))
    assert challenges.w1.right == layer.count_params()
    assert {int(np.prod(layer.kernel.shape)), layer.count_params() // 8, 8 * (5 * 5 + 1)} <= foreseen("w1")


def test_only_the_network_that_relies_on_neighbors_has_few_parameters():
    conv, dense = (models.build("cnn_small", image_shape=(32, 32, 3), num_classes=10), 32 * 32 * 3 * 128)
    assert conv.count_params() < dense  # so option B of w3 is wrong


@pytest.mark.parametrize(("disagreement", "expected"), [(0.05, 0.12), (0.13, 0.24), (0.234, 0.30)])
def test_how_often_the_worse_method_is_level_or_ahead(disagreement, expected):
    """By drawing: 0.234 is the disagreement of two methods whose errors are independent; 0.13 is option B of p1."""
    alone = [(disagreement + 0.03) / 2, (disagreement - 0.03) / 2]
    drawn = np.random.default_rng(9).multinomial(100, [*alone, 1 - disagreement], size=200_000)
    assert np.mean(drawn[:, 1] >= drawn[:, 0]) == pytest.approx(expected, abs=0.01)
    independent = 0.85 * 0.12 + 0.15 * 0.88
    assert independent == pytest.approx(0.234)


def test_how_often_the_interval_holds_for_patients():
    """By drawing, with SciPy's interval: p10's option C."""
    generator = np.random.default_rng(9)
    held = {}
    for patients in (10_000, 100):
        accuracies = generator.beta(4.4, 0.6, size=(300, patients))
        right = generator.binomial(10_000 // patients, accuracies).sum(axis=1)
        intervals = [stats.binomtest(int(each), 10_000).proportion_ci(method="wilson") for each in right]
        held[patients] = np.mean([each.low <= 0.88 <= each.high for each in intervals])
    assert held[10_000] == pytest.approx(0.95, abs=0.04) and held[100] < 0.5


def test_the_interval_of_one_person():
    interval = stats.binomtest(round(0.051 * 1_500), 1_500).proportion_ci(method="wilson")
    assert f"{interval.low:.2%}".replace("%", " %") in challenges.q2.wrong["C"] and interval.low > 0.0357


def test_top_five_by_guessing():
    generator = np.random.default_rng(9)
    scores, labels = generator.random((5_000, 1000)), generator.integers(1000, size=5_000)
    higher = (scores > scores[np.arange(5_000), labels][:, None]).sum(axis=1)
    assert challenges.q1.right == pytest.approx(np.mean(higher < 5), abs=0.002)
    assert {1 / 1000, 5 / 10, 1 - challenges.q1.right} <= foreseen("q1")


def by_sorting(scores, labels, k):
    return np.mean([label in row for label, row in zip(labels, np.argsort(-scores)[:, :k], strict=True)])


def ranks(scores, labels):
    return (scores > scores[np.arange(len(labels)), labels][:, None]).sum(axis=1)


def by_keras(scores, labels, k):
    import keras

    return np.mean(keras.metrics.sparse_top_k_categorical_accuracy(labels, scores.astype("float32"), k))


class TestTopK:
    @pytest.mark.parametrize("function", [by_sorting, by_keras, lambda s, t, k: np.mean(ranks(s, t) < k)])
    def test_right(self, function):
        assert challenges.e4.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda s, t, k: ..., "The three dots are still there"),
            (lambda s, t, k: np.mean(ranks(s, t) <= k), "one class too many"),
            (lambda s, t, k: np.mean(ranks(s, t) == k - 1), "in place k exactly"),
            (lambda s, t, k: np.mean(s.argmax(axis=1) == t), "That is top-1"),
            (lambda s, t, k: 1 - by_sorting(s, t, k), "That is the top-k error"),
            (lambda s, t, k: by_sorting(-s, t, k), "the k lowest scores"),
            (lambda s, t, k: np.sum(ranks(s, t) < k), "how many examples count"),
            (lambda s, t, k: ranks(s, t) < k, "yours has the shape (40,)"),
            (lambda s, t, k: k / 7, "another share is right"),
            (lambda s, t: 0, "Your function stopped with TypeError"),
            (0.5, "e4 expects a function of scores"),
        ],
    )
    def test_wrong(self, function, reply):
        said = challenges.e4.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said


def by_scipy(right, n):
    interval = stats.binomtest(right, n).proportion_ci(method="wilson")
    return interval.low, interval.high


def by_roots(right, n, z=1.96):
    """The two p where right/n is z standard errors from p."""
    share = right / n
    return np.roots([1 + z**2 / n, -2 * share - z**2 / n, share**2])[::-1]


def usual(right, n):
    half = 1.96 * np.sqrt(right / n * (1 - right / n) / n)
    return right / n - half, right / n + half


def parts(right, n, z=1.96):
    share = right / n
    middle, half = share + z**2 / (2 * n), z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return share, middle, half, 1 + z**2 / n


def undivided(right, n):
    _, middle, half, _ = parts(right, n)
    return middle - half, middle + half


def unmoved(right, n):
    share, _, half, scale = parts(right, n)
    return (share - half) / scale, (share + half) / scale


def short_root(right, n):
    _, middle, _, scale = parts(right, n)
    half = usual(right, n)[1] - right / n
    return (middle - half) / scale, (middle + half) / scale


def with_gap(fill):
    """The lesson's wilson with `fill(p, n, z)` in the gap."""

    def wilson(right, n, z=1.96):
        p = right / n
        middle = p + z**2 / (2 * n)
        half = fill(p, n, z)
        return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)

    return wilson


def root(p, n, z):
    return np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))


class TestWilson:
    @pytest.mark.parametrize("function", [by_scipy, by_roots, with_gap(lambda p, n, z: z * root(p, n, z))])
    def test_right(self, function):
        assert challenges.e1.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (with_gap(lambda p, n, z: ...), "The three dots are still there"),
            (with_gap(lambda p, n, z: root(p, n, z)), "z is missing before the root"),
            (with_gap(lambda p, n, z: z * root(p, n, z) ** 2), "The root is missing"),
            (with_gap(lambda p, n, z: z * np.sqrt(p * (1 - p) / n)), "Under the root z²/(4n²) is missing"),
            (with_gap(lambda p, n, z: z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n))), "z²/(4n) stands instead"),
            (with_gap(lambda p, n, z: z * root(p, n, z) / (1 + z**2 / n)), "divides once more"),
            (usual, "for 10 of 10 it has no width"),
            (undivided, "The division by 1 + z²/n is missing"),
            (unmoved, "The middle is p itself"),
            (short_root, "Under the root z²/(4n²) is missing"),
            (lambda right, n: by_scipy(right, n)[::-1], "High and low are exchanged"),
            (lambda right, n: 100 * np.array(by_scipy(right, n)), "These are percents"),
            (lambda right, n: by_roots(right, n, z=1.645), "For 9 of 10 the interval is 0.596 to 0.982"),
            (lambda right, n: right / n, "It must return two numbers"),
            (lambda right, n: None, "It must return two numbers"),
            (lambda right: right, "Your function stopped with TypeError"),
            ((0.6, 0.98), "e1 expects a function of (right, n)"),
        ],
    )
    def test_wrong(self, function, reply):
        said = challenges.e1.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said

    def test_what_its_solution_says(self):
        assert round(by_scipy(10, 10)[0], 2) == 0.72 and "from 72 % on" in challenges.e1.because


def right_ladder(accuracies, step, *, gate=True, rounded=True, hold=True):
    answers, best = [], 0.0
    for accuracy in accuracies:
        counts = accuracy > best + step if gate else accuracy > best
        if counts:
            best = round(accuracy / step) * step if rounded else accuracy
        answers.append(best if counts or hold else accuracy)
    return answers


def with_loops_over_neighbors(accuracies, step):
    answers, before, best = [], 0.0, 0.0
    for accuracy in accuracies:
        if accuracy > before + step:
            best = round(accuracy / step) * step
        answers.append(best)
        before = accuracy
    return answers


class TestLadder:
    @pytest.mark.parametrize("function", [right_ladder, challenge.ladder])
    def test_right(self, function):
        assert challenges.e3.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda a, step: None, "It returns nothing yet"),
            (lambda a, step: a, "nothing is hidden"),
            (lambda a, step: np.round(a / step) * step, "That is rounding alone"),
            (lambda a, step: np.maximum.accumulate(a), "That is the best accuracy so far"),
            (lambda a, step: np.round(np.maximum.accumulate(a) / step) * step, "must not count"),
            (lambda a, step: right_ladder(a, step, rounded=False), "is not rounded to a multiple"),
            (with_loops_over_neighbors, "Compare with the best answer so far"),
            (lambda a, step: right_ladder(a, step)[-1], "yours have the shape ()"),
            (lambda a, step: right_ladder(a, 0.03), "It is right for a step of 0.03"),
            (lambda a, step: right_ladder(a, step, hold=False), "other answers are right"),
            (lambda a: a, "Your function stopped with TypeError"),
            ([0.1, 0.2], "e3 expects a function of (accuracies, step)"),
        ],
    )
    def test_wrong(self, function, reply):
        said = challenges.e3.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said


def edges(images):
    """Sums of absolute differences between neighbors, by direction, in blocks of 4×4."""
    gray = images.astype(float).mean(axis=-1)
    across, down = np.diff(gray, axis=2)[:, :28, :28], np.diff(gray, axis=1)[:, :28, :28]
    kinds = np.clip(np.arctan2(down, across) % np.pi / np.pi * 8, 0, 7).astype(int)
    size = np.hypot(across, down)
    blocks = [np.where(kinds == kind, size, 0).reshape(-1, 7, 4, 7, 4).sum(axis=(2, 4)) for kind in range(8)]
    found = np.stack(blocks, axis=-1).reshape(len(images), -1)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def with_edges(data):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=10, max_iter=300).fit(edges(data.train[0]), data.train[1])
    return model.predict(edges(data.test_images))


def nearest(data):
    from course_lib import visualization

    return data.train[1][visualization.nearest_training_images(data.test_images, data.train[0], 1)[:, 0]]


def with_some_right(shares):
    """Answers that are right on this share of the test pictures on which the linear classifier is wrong, and right."""

    def function(data):
        _, labels, linear, _ = judges.private_scenes()
        generator = np.random.default_rng(0)
        chance = np.where(linear == labels, shares[1], shares[0])
        return np.where(generator.random(len(labels)) < chance, labels, (labels + 1) % 10)

    return function


class TestMyAnswers:
    def test_right(self):
        assert challenges.e2.reply(with_edges).startswith("→ Right")
        assert challenges.e2.reply(lambda data: np.eye(10)[with_edges(data)]).startswith("→ Right")

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (nearest, "These are the labels of the nearest pictures"),
            (lambda data: judges._linear(data), "These are a linear classifier's answers"),
            (lambda data: np.zeros(len(data.test_images), int), "It gives one class to all"),
            (lambda data: np.random.default_rng(0).integers(10, size=len(data.test_images)), "It is at chance"),
            (lambda data: np.random.default_rng(0).permutation(with_edges(data)), "It is at chance"),
            (with_some_right((0.2, 0.4)), "It is not clearly ahead"),  # right on about as many, and on others
            (lambda data: data.validation[1], "1200 test images get 1200 classes"),
            (lambda data: np.eye(10)[nearest(data)].T, "not (10, 1200)"),
            (lambda data: None, "not ()"),
            (lambda data: data.test_labels, "Your function stopped with AttributeError"),
            ([1, 2], "e2 expects a function of data"),
        ],
    )
    def test_wrong(self, function, reply):
        said = challenges.e2.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said
        assert "%" not in said  # no accuracy on hidden labels

    def test_a_function_may_change_its_pictures(self):
        def in_place(data):
            answer = with_edges(data)
            for images in (data.train[0], data.test_images):
                images[:] = 0
            return answer

        assert all(challenges.e2.reply(in_place).startswith("→ Right") for _ in range(2))

    def test_luck_does_not_pass(self):
        """Methods as good as the linear classifier, which differ from it on many pictures."""
        _, labels, linear, _ = judges.private_scenes()
        share = np.mean(linear == labels)
        passed = 0
        for seed in range(200):
            generator = np.random.default_rng(seed)
            equal = np.where(generator.random(len(labels)) < share, labels, (labels + 1) % 10)
            passed += judges.my_answers(lambda data, equal=equal: equal) is None
        assert passed <= 5


def test_a_larger_public_half_gives_less_away():
    """By drawing: q5's option C, and the numbers of its answer."""
    generator = np.random.default_rng(9)
    climbed = {}
    for n in (250, 2_500):
        labels, answers = generator.integers(10, size=n), generator.integers(10, size=(500, n))
        said = (answers == labels).mean(axis=1)
        kept = answers[said > 0.1]
        votes = np.stack([(kept == label).sum(axis=0) for label in range(10)]).argmax(axis=0)
        climbed[n] = said[said > 0.1].mean(), np.mean(votes == labels)
    assert climbed[250][0] == pytest.approx(0.118, abs=0.002) and climbed[2_500][0] == pytest.approx(0.105, abs=0.001)
    assert climbed[2_500][1] == pytest.approx(0.15, abs=0.02) and climbed[250][1] > 0.25

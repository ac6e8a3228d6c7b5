"""The Neocognitron: each equation against loops written from the paper, and what the whole network learns."""

import itertools
import math

import numpy as np
import pytest

from course_lib.models import neocognitron_cells as cells
from course_lib.models.neocognitron import Neocognitron, falling, initial_a, sixteen

# Five digits as strokes through (column, row), one pixel thick when drawn on 16×16.
STROKES = {
    0: [[(6, 3), (9, 3), (11, 5), (11, 10), (9, 12), (6, 12), (4, 10), (4, 5), (6, 3)]],
    1: [[(6, 5), (8, 3), (8, 12)], [(6, 12), (10, 12)]],
    2: [[(4, 5), (6, 3), (9, 3), (11, 5), (11, 6), (5, 12)], [(4, 12), (11, 12)]],
    3: [[(4, 3), (10, 3), (10, 6), (7, 7), (9, 7), (11, 9), (11, 10), (9, 12), (6, 12), (4, 10)]],
    4: [[(9, 12), (9, 3), (4, 9), (11, 9)]],
}


def drawn(digit, shift=(0, 0), matrix=((1, 0), (0, 1))):
    """A digit as a 16×16 bitmap of zeros and ones; `matrix` deforms it about its middle, `shift` moves it."""
    image = np.zeros((16, 16))
    for stroke in STROKES[digit]:
        points = (np.array(stroke) - 7.5) @ np.transpose(matrix) + 7.5 + shift
        for start, end in itertools.pairwise(points):
            steps = 1 + math.ceil(np.abs(end - start).max() - 1e-9)
            column, row = np.floor(np.linspace(start, end, steps) + 0.5 - 1e-6).astype(int).T
            inside = (column >= 0) & (column < 16) & (row >= 0) & (row < 16)
            image[row[inside], column[inside]] = 1
    return image


def five_shifted(random, largest):
    return [drawn(digit, random.integers(-largest, largest + 1, 2)) for digit in range(5)]


def five_deformed(random, largest_shift, noise=0):
    """The digits turned by up to 8°, stretched by up to 12 %, slanted, shifted, `noise` pixels exchanged."""
    images = []
    for digit in range(5):
        angle, slant = random.uniform(-0.14, 0.14), random.uniform(-0.15, 0.15)
        wide, tall = random.uniform(0.88, 1.12, 2)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        shift = random.integers(-largest_shift, largest_shift + 1, 2)
        image = drawn(digit, shift, turn @ [[wide, slant], [0, tall]])
        places = random.choice(256, noise, replace=False)
        image.flat[places] = 1 - image.flat[places]
        images.append(image)
    return images


@pytest.fixture(scope="module")
def trained():
    """The paper's simulation: 20 presentations of each of the five patterns, at random positions."""
    random = np.random.default_rng(0)
    return Neocognitron().fit_unsupervised([image for _ in range(20) for image in five_shifted(random, 2)], 1)


def right_of(network, images):
    """How many of `images`, 0 to 4 in turn, make the cell of their digit the largest of U_C3."""
    own = network.transform([drawn(digit) for digit in range(5)])["c3"].argmax(axis=1)
    answers = network.transform(images)["c3"]
    return np.sum((answers.argmax(axis=1) == np.resize(own, len(images))) & (answers.max(axis=1) > 0))


def right_of_template(images):
    """The same for the largest normalized correlation with the five patterns where they were drawn."""
    patterns = np.array([drawn(digit) for digit in range(5)]).reshape(5, -1)
    patterns = patterns / np.linalg.norm(patterns, axis=1, keepdims=True)
    answers = (np.reshape(images, (len(images), -1)) @ patterns.T).argmax(axis=1)
    return np.sum(answers == np.resize(range(5), len(images)))


def test_every_pattern_gets_a_cell_of_its_own(trained):
    answers = trained.transform([drawn(digit) for digit in range(5)])["c3"]
    own = answers.argmax(axis=1)
    assert len(set(own)) == 5
    assert (np.sort(answers, axis=1)[:, -2] < answers.max(axis=1) / 3).all()  # no other cell comes near


def test_shifted_patterns_are_recognized_where_templates_fail(trained):
    images = [drawn(digit, shift) for shift in itertools.product(range(-3, 4), repeat=2) for digit in range(5)]
    assert len(images) == 245
    assert right_of(trained, images) >= 230
    assert right_of_template(images) <= 75


@pytest.mark.parametrize("noise", [0, 2])
def test_deformed_shifted_and_noisy_patterns(trained, noise):
    random = np.random.default_rng(100 + noise)
    images = [image for _ in range(60) for image in five_deformed(random, 2, noise)]
    assert right_of(trained, images) >= 1.5 * right_of_template(images)
    assert right_of(trained, images) >= 0.6 * len(images)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_other_random_positions_teach_it_too(seed):
    random = np.random.default_rng(seed)
    shown = [image for _ in range(20) for image in five_shifted(random, 2)]
    network = Neocognitron().fit_unsupervised(shown, 1)
    own = network.transform([drawn(digit) for digit in range(5)])["c3"].argmax(axis=1)
    assert len(set(own)) == 5
    assert right_of(network, shown) == 100


def loop_sum(u, n, size, first, value):
    """Σ over k and v of value(k, v, u(k, n + v)); cells outside the layer are 0. `first` is where n = 0 begins."""
    total = 0.0
    for k in range(u.shape[2]):
        for v in np.ndindex(size, size):
            y, x = n[0] + v[0] + first, n[1] + v[1] + first
            if 0 <= y < u.shape[0] and 0 <= x < u.shape[1]:
                total += value(k, v, u[y, x, k])
    return total


def loop_c(base, planes):
    """c(v) = base^|v|, adding up to 1 over all planes and offsets."""
    falls = {v: base ** math.dist(v, (2, 2)) for v in np.ndindex(5, 5)}
    return {v: fall / (planes * sum(falls.values())) for v, fall in falls.items()}


# U_S1, U_S2, U_S3: sides before and after, planes before, and where the first window begins
GEOMETRY = [(16, 16, 1, -2), (10, 8, 3, -1), (6, 2, 3, 0)]


@pytest.mark.parametrize(("before", "side", "planes", "first"), GEOMETRY)
def test_s_cells_equal_equations_1_and_3(before, side, planes, first):
    random, r = np.random.default_rng(side), 1.5
    u, a, b = random.random((before, before, planes)), random.random((5, 5, planes, 4)), np.linspace(0, 60, 4)
    c = loop_c(0.7, planes)
    expected = np.zeros((side, side, 4))
    for *n, k in np.ndindex(expected.shape):
        excitation = loop_sum(u, n, 5, first, lambda before, v, u, k=k: a[v][before, k] * u)
        v_c = math.sqrt(loop_sum(u, n, 5, first, lambda before, v, u: c[v] * u**2))
        ratio = (1 + excitation) / (1 + 2 * r / (1 + r) * b[k] * v_c)
        expected[*n, k] = r * max(0, ratio - 1)
    assert (expected == 0).any() and (expected > 0).any()
    got = cells.s_cells(cells.framed(u[None], side, 5), a, b, falling(0.7, 5, 1 / planes), r)
    np.testing.assert_allclose(got[0], expected, atol=1e-12)


@pytest.mark.parametrize(("before", "side", "size", "first"), [(16, 16, 5, -2), (8, 6, 5, -1), (2, 1, 2, 0)])
def test_c_cells_equal_equations_4_to_6(before, side, size, first):
    random, alpha = np.random.default_rng(side), 0.5
    u, d = random.random((before, before, 3)) ** 3, random.random((size, size))
    expected = np.zeros((side, side, 3))
    for *n, k in np.ndindex(expected.shape):
        excitation = loop_sum(u[:, :, k : k + 1], n, size, first, lambda _, v, u: d[v] * u)
        v_s = loop_sum(u, n, size, first, lambda _, v, u: d[v] * u) / 3
        x = (1 + excitation) / (1 + v_s) - 1
        expected[*n, k] = x / (alpha + x) if x > 0 else 0
    assert (expected == 0).any() and (expected > 0).any()
    got = cells.c_cells(cells.framed(u[None], side, size), d, alpha)
    np.testing.assert_allclose(got[0], expected, atol=1e-12)


def test_first_c_layer_takes_ten_of_sixteen_places(trained):
    image = drawn(2)[None]
    answers = trained.transform(image)
    every = cells.c_cells(cells.framed(answers["s1"], 16, 5), trained.d[0], 0.5)
    taken = [0, 2, 3, 5, 7, 8, 10, 12, 13, 15]
    np.testing.assert_array_equal(answers["c1"], every[:, taken][:, :, taken])


@pytest.mark.parametrize("column", [2, 5])
def test_representatives_follow_the_papers_rule(column):
    random = np.random.default_rng(column)
    for planes in (2, 24):  # few planes: several candidates in one
        u = random.random((8, 8, planes)) * (random.random((8, 8, planes)) > 0.5)
        u[:column, :column] = 0  # a silent column
        candidates = {}
        for top, left in np.ndindex(9 - column, 9 - column):
            members = itertools.product(range(top, top + column), range(left, left + column), range(planes))
            largest = max(members, key=lambda cell: u[cell])
            if u[largest] > 0:
                candidates.setdefault(largest[2], set()).add(largest[:2])
        expected = {k: max(places, key=lambda place: u[*place, k]) for k, places in candidates.items()}
        assert cells.representatives(u, column) == expected
    assert cells.representatives(np.zeros((8, 8, 3)), column) == {}


def test_one_reinforcement_adds_what_the_paper_says():
    window, c = np.random.default_rng(0).random((5, 5, 3)), falling(0.9, 5, 1 / 3)
    more_a, more_b = cells.reinforcement(window, c, 16.0)
    for k, v in itertools.product(range(3), np.ndindex(5, 5)):
        assert more_a[*v, k] == pytest.approx(16 * c[v] * window[*v, k])
    mean_square = sum(c[v] * window[*v, k] ** 2 for k in range(3) for v in np.ndindex(5, 5))
    assert more_b == pytest.approx(8 * math.sqrt(mean_square))
    # Shown again, the pattern is answered by r φ[(1 + q v²) / (1 + q v² r / (1 + r)) − 1].
    r, gained = 1.5, 16 * mean_square
    answer = cells.s_cells(window[None], more_a[..., None], np.array([more_b]), c, r).item()
    assert answer == pytest.approx(r * ((1 + gained) / (1 + gained * r / (1 + r)) - 1))


@pytest.mark.parametrize(("base", "size"), [(0.95, 5), (0.5, 5), (0.5, 2)])
def test_fixed_weights_fall_with_distance(base, size):
    weights = falling(base, size, 4)
    assert weights.sum() == pytest.approx(4)
    distance = np.array([[math.dist(v, ((size - 1) / 2,) * 2) for v in np.ndindex(size, size)]]).reshape(size, size)
    order = np.argsort(distance, axis=None)
    assert (np.diff(weights.ravel()[order]) <= 1e-12).all()
    assert weights.max() / weights.min() == pytest.approx(base ** (distance.min() - distance.max()))


def test_initial_weights_are_small_positive_and_prefer_a_direction():
    a = initial_a(falling(0.95, 5, 1.0), 1, 24)
    assert a.shape == (5, 5, 1, 24) and a.min() > 0 and a.max() < 0.01
    across, down = a[2, :, 0].sum(axis=0), a[:, 2, 0].sum(axis=0)  # weights along a stroke through the middle
    assert across.argmax() == 0 and down.argmax() == 12 and len(np.unique(a.reshape(25, 24), axis=1).T) == 24
    deeper = initial_a(falling(0.95, 5, 1 / 24), 24, 24)
    assert deeper.min() > 0
    assert (deeper.sum(axis=(0, 1)).argmax(axis=0) == np.arange(24)).all()  # the plane of its own number weighs most


def test_sizes_and_counts_are_the_papers(trained):
    answers = trained.transform(np.stack([drawn(0), drawn(1)])[..., None])
    assert {name: cells.shape[1:] for name, cells in answers.items()} == {
        "s1": (16, 16, 24), "c1": (10, 10, 24), "s2": (8, 8, 24), "c2": (6, 6, 24), "s3": (2, 2, 24), "c3": (24,),
    }  # fmt: skip
    assert 256 + sum(cells[0].size for cells in answers.values()) == 11_320
    assert [a.size + b.size for a, b in zip(trained.a, trained.b, strict=True)] == [624, 14_424, 14_424]
    for c in trained.c[1:]:
        assert 24 * c.sum() == pytest.approx(1)
    assert all(answers[name].min() >= 0 and answers[name].max() < 1 for name in ("c1", "c2", "c3"))


def test_learning_is_deterministic_starts_anew_and_takes_a_width():
    images = [drawn(digit) for digit in range(5)]
    small = Neocognitron(width=1 / 8).fit_unsupervised(images, presentations=2)
    first = [weights.copy() for weights in (*small.a, *small.b)]
    assert first[1].shape == (5, 5, 3, 3) and small.transform(images)["c3"].shape == (5, 3)
    small.fit_unsupervised([drawn(2)], 3).fit_unsupervised(images, 2)
    for before, after in zip(first, (*small.a, *small.b), strict=True):
        np.testing.assert_array_equal(before, after)


def test_presentations_repeat_the_images_in_order():
    images = [drawn(digit) for digit in range(5)]
    one, other = Neocognitron().fit_unsupervised(images, 3), Neocognitron().fit_unsupervised(images * 3, 1)
    np.testing.assert_array_equal(one.a[2], other.a[2])


def test_many_images_are_answered_like_each_alone(trained):
    images = five_deformed(np.random.default_rng(0), 2) * 17  # more than are handled at a time
    together, alone = trained.transform(images), trained.transform(images[83:84])
    for name, answers in together.items():
        np.testing.assert_allclose(answers[83], alone[name][0], atol=1e-12)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 28, 28)), r"\(n, 16, 16\).*not \(2, 28, 28\)"),
        (np.zeros((2, 16, 16, 3)), r"not \(2, 16, 16, 3\)"),
        (np.zeros((0, 16, 16)), "n at least 1"),
        (np.full((1, 16, 16), 255, np.uint8), "divide uint8 images by 255"),
        (np.full((1, 16, 16), -0.5), "go from -0.5"),
        (np.full((1, 16, 16), np.nan), "from 0"),
        ([[1, 2], [3]], "these parts have different shapes"),
        (np.full((1, 16, 16), "1"), "must be an array of numbers"),
    ],
)
def test_images_that_do_not_fit_are_refused(trained, images, message):
    for method in (trained.transform, Neocognitron().fit_unsupervised):
        with pytest.raises(ValueError, match=message):
            method(images)


def test_other_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="fit_unsupervised"):
        Neocognitron().transform([drawn(0)])
    with pytest.raises(ValueError, match="presentations"):
        Neocognitron().fit_unsupervised([drawn(0)], presentations=0)
    for width in (0, -1, True, "half", math.inf):
        with pytest.raises(ValueError, match="width"):
            Neocognitron(width=width)


def test_digits_as_it_takes_them():
    digits = np.zeros((2, 28, 28, 1), np.uint8)
    digits[0, 2:26, 2:26] = 255  # all but the border that is cut off
    digits[1, :2] = 255
    small = sixteen(digits)
    assert small.shape == (2, 16, 16, 1) and small.dtype == np.float32
    np.testing.assert_allclose(small[0], 1, atol=1e-6)
    assert small[1].max() == 0
    Neocognitron(width=0.1).fit_unsupervised(small, presentations=1)

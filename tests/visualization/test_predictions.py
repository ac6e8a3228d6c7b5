import numpy as np
import pytest
from scipy import special, stats

from course_lib import visualization
from course_lib.visualization.style import FAINT, PALETTE

RANDOM = np.random.default_rng(6)


def test_top5_shows_the_likeliest_with_the_right_one_in_color():
    logits, labels = RANDOM.normal(size=(5, 7)), [3, 0, 6, 1, 2]
    names = list("abcdefg")
    axes = visualization.plot_top5(RANDOM.uniform(size=(5, 4, 4, 3)), logits, labels, names, columns=3)
    assert axes.shape == (4, 3)
    for index, label in enumerate(labels):
        bars = axes[2 * (index // 3) + 1, index % 3]
        best = np.argsort(-logits[index])[:5]
        widths = [bar.get_width() for bar in bars.patches]
        np.testing.assert_allclose(widths, special.softmax(logits[index])[best])
        words = [text.get_text() for text in bars.texts]
        assert words[::2] == [names[each] for each in best] and words[1] == f"{widths[0]:.0%}"
        colors = [PALETTE[5] if each == label else FAINT for each in best]
        import matplotlib.colors

        assert [bar.get_facecolor() for bar in bars.patches] == [matplotlib.colors.to_rgba(each) for each in colors]
        assert bars.get_title() == names[label] and bars.get_xlim() == (0, 1)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.zeros((2, 3)), [0], "not 2 images, 2 logits and 1 labels"),
        (np.zeros((1, 3)), [0, 0], "not 2 images, 1 logits"),
        (np.zeros((2, 1)), [0, 0], "two classes need two"),
        (np.zeros((2, 3)), np.eye(3)[:2], "argmax"),
        (np.zeros((2, 3)), [0, 3], "labels must be whole numbers from 0 to 2, but there are 0 to 3"),
    ],
)
def test_top5_bad_input(logits, labels, message):
    with pytest.raises(ValueError, match=message):
        visualization.plot_top5(np.zeros((2, 4, 4, 1)), logits, labels)


def test_accuracy_by_with_scipys_wilson_interval():
    values = RANDOM.uniform(0, 10, size=300)
    correct = RANDOM.uniform(size=300) < values / 8
    found = visualization.accuracy_by(values, correct, [0, 2, 5, 10, 20])
    assert found["center"].tolist() == [1, 3.5, 7.5]  # nothing in the last bin
    for low, high, index in [(0, 2, 0), (2, 5, 1), (5, 10, 2)]:
        inside = correct[(values >= low) & (values < high)]
        assert found["count"][index] == len(inside) and found["accuracy"][index] == inside.mean()
        wilson = stats.binomtest(int(inside.sum()), len(inside)).proportion_ci(method="wilson")
        assert (found["low"][index], found["high"][index]) == pytest.approx(wilson, abs=1e-5)
    with pytest.raises(ValueError, match=r"not \(300,\) and \(299,\)"):
        visualization.accuracy_by(values, correct[1:])


def test_draw_accuracy_by_one_line_a_name_with_its_interval():
    values = np.arange(40)
    found = {"a": visualization.accuracy_by(values, values < 40), "b": visualization.accuracy_by(values, values > 30)}
    ax = visualization.plot_accuracy_by(found, "shift")
    for container, result in zip(ax.containers, found.values(), strict=True):
        line, _, (bars,) = container.lines
        np.testing.assert_allclose(line.get_ydata(), result["accuracy"])
        ends = np.array([segment[:, 1] for segment in bars.get_segments()])
        np.testing.assert_allclose(ends, np.stack([result["low"], result["high"]], axis=1), atol=1e-9)
    assert ax.get_xlabel() == "shift" and [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]


def test_top5_of_probabilities_and_names():
    axes = visualization.plot_top5(np.zeros((1, 4, 4)), [[0.97, 0.02, 0.01]], ["b"], {0: "a", 1: "b", 2: "c"})
    assert [text.get_text() for text in axes[1, 0].texts] == ["a", "97%", "b", "2%", "c", "1%"]
    assert axes[1, 0].get_title() == "b"
    for arguments, message in [
        ({"class_names": ["a", "b"]}, "3 classes need 3 class_names, not 2"),
        ({"columns": 0}, "columns must be a whole number of at least 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            visualization.plot_top5(np.zeros((1, 4, 4)), [[1.0, 2.0, 3.0]], [0], **arguments)


@pytest.mark.parametrize(
    ("values", "correct", "bins", "message"),
    [
        ([1, 2, 3], [0, 1, 1], 5, "correct must be True or False per image"),
        ([1, np.nan, 3], [True] * 3, 5, "values must be finite"),
        ([1, 2, 3], [True] * 3, [0, 1, 2], "from 1 to 3, beyond the edges 0 and 2"),
        ([1, 2, 3], [True] * 3, [3, 2, 0], "edges that increase"),
        ([1, 2, 3], [True] * 3, 0, "bins must be a whole number of at least 1"),
        ([], np.zeros(0, bool), 5, "of the same n"),
    ],
)
def test_accuracy_by_bad_input(values, correct, bins, message):
    with pytest.raises(ValueError, match=message):
        visualization.accuracy_by(values, correct, bins)


def test_draw_accuracy_by_needs_names():
    found = visualization.accuracy_by([1, 2, 3], [True, False, True], 2)
    for series in (found, {}, [found]):
        with pytest.raises(ValueError, match="series must be a dict name → what accuracy_by returns"):
            visualization.plot_accuracy_by(series, "x")

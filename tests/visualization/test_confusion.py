import numpy as np
import pytest

from course_lib import visualization

LABELS, PREDICTIONS = [0, 0, 1, 1, 1, 2], [0, 1, 1, 0, 0, 2]
MATRIX = [[1, 1, 0, 0], [2, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]  # by hand; class 3 never occurs


def test_confusion_matrix_and_most_confused():
    matrix = visualization.confusion_matrix(LABELS, PREDICTIONS, num_classes=4)
    np.testing.assert_array_equal(matrix, MATRIX)
    assert visualization.most_confused(matrix, 1) == [(1, 0, 2)]
    assert visualization.most_confused(matrix, 5) == [(1, 0, 2), (0, 1, 1)]


def test_confusion_colors_mistakes_and_writes_counts():
    matrix = np.array([[1500, 3, 0], [0, 1000, 9], [1, 0, 2]])
    ax = visualization.plot_confusion(matrix, ["ape", "bee", "cat"])
    mistakes, diagonal = ax.images
    assert mistakes.get_clim() == (0, 9)  # by the largest mistake, not by the right answers
    assert mistakes.get_array()[1, 2] == 9 and mistakes.get_array().mask.sum() == 6
    assert (~diagonal.get_array().mask == np.eye(3, dtype=bool)).all()
    counts = {text.get_position(): text.get_text() for text in ax.texts}
    assert counts == {(0, 0): "1,500", (1, 0): "3", (1, 1): "1,000", (2, 1): "9", (0, 2): "1", (2, 2): "2"}
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["ape", "bee", "cat"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted label", "true label")


def test_a_perfect_matrix_can_be_drawn():
    visualization.plot_confusion(np.diag([3, 4])).get_figure().canvas.draw()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: visualization.confusion_matrix([0, 1], [0], 2), "of the same n"),
        (lambda: visualization.confusion_matrix([0, 1], [0, 5], 2), "0 to 1, but there are 0 to 5"),
        (lambda: visualization.plot_confusion(np.zeros((2, 3))), r"square, \(classes, classes\), not \(2, 3\)"),
        (lambda: visualization.plot_confusion(np.zeros((2, 2)), ["a"]), "2 classes need 2 class_names, not 1"),
        (lambda: visualization.most_confused(np.zeros((2, 2)), 0), "k must be"),
        (lambda: visualization.most_confused(np.array([[0.5, 0.5], [0, 1]])), "some entries are shares"),
        (lambda: visualization.plot_confusion(np.array([[np.nan, 1], [1, 1]])), "NaN"),
        (lambda: visualization.plot_confusion(np.array([[-1, 1], [1, 1]])), "no entries below 0"),
        (lambda: visualization.confusion_matrix([0, 1], np.eye(2), 2), "argmax"),
        (lambda: visualization.confusion_matrix([0, 1], [0.5, 1], 2), "predictions must be whole numbers"),
        (lambda: visualization.confusion_matrix([0, 1], [0, 1], ["a", "b"]), "num_classes must be a whole number"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_shares_and_counts_of_any_type():
    ax = visualization.plot_confusion(np.array([[2 / 3, 1 / 3], [0.0, 1.0]]), np.array(["a", "b"]))
    assert [text.get_text() for text in ax.texts] == ["0.67", "0.33", "1.00"]
    assert ax.images[0].get_clim() == (0, 1 / 3)  # the largest mistake is in full color
    assert visualization.most_confused(np.array([[5, 3], [1, 2]], np.uint8)) == [(0, 1, 3), (1, 0, 1)]
    assert visualization.confusion_matrix([[0.0], [1.0]], [0.0, 1.0], 2).tolist() == [[1, 0], [0, 1]]

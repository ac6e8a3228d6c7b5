import numpy as np
import pytest
from scipy import spatial, special

from course_lib import visualization

LOGITS = np.array([[2.0, 0, 0], [0, 3, 0], [500, 0, 900], [0, 1, 2], [0, 0, 0.5]])
LABELS = [1, 1, 0, 0, 2]  # examples 0, 2 and 3 are wrong
FOUND = visualization.find_mistakes(LOGITS, LABELS)
ALL_WRONG = visualization.find_mistakes(np.eye(2)[np.zeros(2000, int)], np.ones(2000))
TILES = np.linspace(0, 255, 20).reshape(5, 2, 2, 1)


def test_find_mistakes_orders_them_by_softmax_confidence():
    found = visualization.find_mistakes(LOGITS, LABELS)
    probabilities = special.softmax(LOGITS, axis=1)
    assert len(found) == 3
    assert found.indices.tolist() == sorted([0, 2, 3], key=lambda index: -probabilities[index].max())
    assert found.indices.tolist() == [2, 0, 3]
    assert (found.labels.tolist(), found.predictions.tolist()) == ([0, 1, 0], [2, 0, 2])
    np.testing.assert_allclose(found.confidence, probabilities[found.indices].max(axis=1))


def test_nearest_training_images_against_scipy_across_blocks():
    random = np.random.default_rng(0)
    train = random.integers(0, 256, (2500, 3, 3, 1), dtype=np.uint8)  # more than one block of each
    images = random.integers(0, 256, (40, 3, 3, 1), dtype=np.uint8)
    nearest = visualization.nearest_training_images(images, train, k=4)
    distances = spatial.distance.cdist(images.reshape(40, 9).astype(float), train.reshape(2500, 9).astype(float))
    np.testing.assert_allclose(np.take_along_axis(distances, nearest, axis=1), np.sort(distances, axis=1)[:, :4])
    assert nearest.shape == (40, 4)


def test_mistakes_draws_answer_and_prediction_most_confident_first():
    images = np.arange(5 * 4).reshape(5, 2, 2, 1).astype(np.uint8) * 10
    found = visualization.find_mistakes(LOGITS, LABELS)
    ax = visualization.plot_mistakes(images, found, class_names=["a", "b", "c"], columns=3)
    assert [text.get_text() for text in ax.texts] == ["a→c", "b→a", "a→c"]
    drawn = np.asarray(ax.images[0].get_array())
    np.testing.assert_allclose(drawn[:2, :2], images[2, ..., 0] / 255, atol=1e-6)
    assert len(visualization.plot_mistakes(images, found, limit=2).texts) == 2


def test_mistakes_with_their_nearest_training_images():
    images = np.zeros((5, 2, 2, 1), np.uint8)
    images[2] = 100
    train = np.array([0, 90, 250, 99], np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 1), np.uint8)
    found = visualization.find_mistakes(LOGITS, LABELS)
    ax = visualization.plot_mistakes(images, found, train=(train, [7, 8, 9, 6]), neighbors=2, columns=1)
    assert [text.get_text() for text in ax.texts] == ["0→2", "6", "8", "1→0", "7", "8", "0→2", "7", "8"]
    assert np.asarray(ax.images[0].get_array())[0, 3] == pytest.approx(99 / 255)  # beside the mistake
    ax = visualization.plot_mistakes(images, found, train=(train, [7, 8, 9, 6]), neighbors=2, columns=2)
    left = ax.lines[3].get_xdata().min() + 0.5  # the frame of the second mistake, right of the first's neighbors
    drawn = np.asarray(ax.images[0].get_array())[0]
    assert np.isnan(drawn[int(left) - 4 : int(left)]).all() and not np.isnan(drawn[int(left) : int(left) + 2]).any()
    ax = visualization.plot_mistakes(images, found, train=(train, [7, 8, 9, 6]), neighbors=2, columns=1)
    heights = [text.get_position()[1] for text in ax.texts]
    assert heights[0] == heights[2] < heights[3]  # one mistake a row


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: visualization.find_mistakes(LOGITS, LABELS[:3]), "labels must be 5 whole numbers from 0 to 2"),
        (lambda: visualization.find_mistakes(LOGITS[0], LABELS), "logits must be"),
        (lambda: visualization.nearest_training_images(np.zeros((1, 2, 2)), np.zeros((1, 3, 2))), "one shape"),
        (lambda: visualization.nearest_training_images(np.zeros((1, 2)), np.zeros((2, 2)), k=3), "at most 2"),
        (lambda: visualization.nearest_training_images(TILES, TILES.astype(np.uint8)), "one range.*float64.*uint8"),
        (lambda: visualization.nearest_training_images(TILES / 255, TILES), "one range.* up to 1 .* up to 255"),
        (lambda: visualization.nearest_training_images(TILES * np.nan, TILES), "NaN"),
        (lambda: visualization.find_mistakes(LOGITS, np.array(LABELS) + 1), "1 to 3: the first class is 0"),
        (lambda: visualization.find_mistakes(LOGITS, np.array(LABELS) + 0.5), "whole numbers"),
        (lambda: visualization.find_mistakes(LOGITS * np.nan, LABELS), "NaN"),
        (lambda: visualization.find_mistakes(np.ones((5, 1)), LABELS), "two classes need two"),
        (lambda: visualization.plot_mistakes(TILES, LABELS), "found must be what find_mistakes"),
        (lambda: visualization.plot_mistakes(np.zeros((9, 2, 2, 1)), FOUND), "of 5 images, but these are 9"),
        (lambda: visualization.plot_mistakes(TILES, FOUND, train=TILES), "train must be a pair"),
        (lambda: visualization.plot_mistakes(TILES, FOUND, train=(TILES, [0])), "the training labels must be 5"),
        (lambda: visualization.plot_mistakes(TILES, FOUND, class_names=["a"]), "from 0 to 0, as many as class_names"),
        (
            lambda: visualization.plot_mistakes(np.zeros((2000, 2, 2)), ALL_WRONG, limit=2000),
            "2,000 mistakes are too many",
        ),
        (
            lambda: visualization.plot_mistakes(np.zeros((2, 2, 2, 1)), visualization.find_mistakes(LOGITS, LABELS)),
            "only 2 images",
        ),
        (
            lambda: visualization.plot_mistakes(
                np.zeros((5, 2, 2, 1)), visualization.find_mistakes(LOGITS, LOGITS.argmax(axis=1))
            ),
            "every prediction is right",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_probabilities_are_the_confidence():
    found = visualization.find_mistakes([[0.97, 0.03], [0.4, 0.6]], [1, 0])
    assert found.confidence.tolist() == [0.97, 0.6] and found.indices.tolist() == [0, 1]


def test_a_split_of_training_images():
    class Split:
        def arrays(self):
            return TILES, np.array(LABELS)

    ax = visualization.plot_mistakes(TILES, FOUND, train=Split(), neighbors=1, class_names=np.array(["a", "b", "c"]))
    assert [text.get_text() for text in ax.texts] == ["a→c", "a", "b→a", "b", "a→c", "a"]  # each its own neighbor


def test_distance_to_the_own_class_alone():
    images = np.array([[[0, 0]], [[255, 255]]], np.uint8).reshape(2, 1, 2, 1)
    train_images = np.array([[0, 0], [255, 0], [255, 255]], np.uint8).reshape(3, 1, 2, 1)
    found = visualization.distance_to_class(images, [1, 0], train_images, [0, 1, 0])
    np.testing.assert_allclose(found, [1.0, 0.0])  # the first image is training image 0, of another class
    with pytest.raises(ValueError, match="no training image has the label 2"):
        visualization.distance_to_class(images, [2, 0], train_images, [0, 1, 0])

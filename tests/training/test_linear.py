"""The last layer that logistic regression fits: its probabilities, its minimum, and what it refuses."""

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from course_lib import training

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(size=(60, 4))


def some_labels(classes):
    return np.argmax(FEATURES[:, :classes] + 0.5 * RANDOM.normal(size=(60, classes)), axis=1)


@pytest.mark.parametrize("classes", [2, 3])
def test_its_probabilities_are_those_of_logistic_regression(classes):
    labels = some_labels(classes)
    layer = training.last_layer(FEATURES, labels)
    found = LogisticRegression(C=0.1, max_iter=2_000).fit(FEATURES, labels).predict_proba(FEATURES)
    assert layer.output_shape == (None, classes)
    np.testing.assert_allclose(keras.ops.softmax(layer(FEATURES)), found, atol=1e-5)


def test_it_lies_in_the_minimum_of_cross_entropy_and_penalty():
    labels = some_labels(3)
    weights, biases = training.last_layer(FEATURES, labels, strength=0.5).get_weights()

    def loss(weights, biases):
        logits = FEATURES @ weights + biases
        own = logits[np.arange(60), labels]
        return np.sum(np.log(np.exp(logits).sum(axis=1)) - own) + np.sum(weights**2) / 2 / 0.5

    least = loss(weights, biases)
    for _ in range(20):
        step = 0.01 * RANDOM.normal(size=weights.shape), 0.01 * RANDOM.normal(size=biases.shape)
        assert loss(weights + step[0], biases + step[1]) > least


@pytest.mark.parametrize(
    ("features", "labels", "said"),
    [
        (FEATURES, np.zeros(60, int), "each at least once"),
        (FEATURES, np.repeat([0, 2], 30), "each at least once"),
        (FEATURES, np.zeros(59, int), r"not \(60, 4\) and \(59,\)"),
        (FEATURES[0], np.zeros(4, int), r"not \(4,\)"),
    ],
)
def test_what_is_no_problem_of_classes_is_refused(features, labels, said):
    with pytest.raises(ValueError, match=said):
        training.last_layer(features, labels)

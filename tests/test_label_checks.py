import numpy as np
import pandas as pd
import pytest
from scipy import special

from course_lib.array_checks import array_of, finite_array
from course_lib.label_checks import class_numbers, name_list, probabilities_of

NAMES = ["ant", "bee", "cat"]


@pytest.mark.parametrize(
    "labels",
    [
        [0, 1, 2],
        [0.0, 1.0, 2.0],
        [[0], [1], [2]],
        np.arange(3, dtype=np.uint8),
        pd.Series([0, 1, 2], index=[7, 8, 9]),
        NAMES,
        pd.Series(NAMES, dtype="category"),
    ],
    ids=["list", "floats", "column", "uint8", "Series", "names", "category"],
)
def test_labels_as_students_have_them(labels):
    found = class_numbers("labels", labels, count=3, classes=3, names=NAMES)
    assert found.dtype == np.int64 and found.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.eye(3), r"not of the shape \(3, 3\): .*argmax"),
        ([0, 1, -1], "from 0 to 2.*but there are -1 to 1"),
        ([1, 2, 3], "there are 1 to 3: the first class is 0, so subtract 1"),
        ([0, 0.5, 1], "but there is 0.5"),
        ([0, np.nan, 1], "but there is nan"),
        ([0, 1], "must be 3 whole numbers .* one per image, not 2"),
        (["ant", "dog", "cat"], "unknown class 'dog'"),
        ([0, None, 1], "must be an array of numbers"),
        ([[0], [1, 2]], "must be one array"),
    ],
)
def test_labels_that_are_none(labels, message):
    with pytest.raises(ValueError, match=message):
        class_numbers("labels", labels, count=3, classes=3, names=NAMES)


def test_labels_that_are_text_need_names():
    with pytest.raises(ValueError, match=r"labels are text: give class numbers, .* or class_names"):
        class_numbers("labels", NAMES)


@pytest.mark.parametrize(
    "names", [NAMES, tuple(NAMES), np.array(NAMES), pd.Index(NAMES), iter(NAMES), {2: "cat", 0: "ant", 1: "bee"}]
)
def test_class_names_as_students_have_them(names):
    assert name_list(names, classes=3) == NAMES


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("abc", "must be a list of names"),
        ({"a", "b", "c"}, "must be a list of names"),
        (3, "must be a list of names"),
        ([["a", "b", "c"]], "must be a list of names"),
        ({"ant": 0, "bee": 1, "cat": 2}, "a dict must name each class from 0 on"),
        ({1: "a", 2: "b", 3: "c"}, "a dict must name each class from 0 on"),
        (["a", "b"], "3 classes need 3 class_names, not 2"),
    ],
)
def test_class_names_that_are_none(names, message):
    with pytest.raises(ValueError, match=message):
        name_list(names, classes=3)


def test_logits_become_probabilities_and_probabilities_stay():
    logits = np.array([[1.0, 2.0, 4.0], [0.0, 0.0, -1.0]])
    np.testing.assert_allclose(probabilities_of("logits", logits), special.softmax(logits, axis=1))
    shares = np.array([[0.97, 0.02, 0.01], [0.3, 0.3, 0.4]])
    np.testing.assert_array_equal(probabilities_of("logits", shares), shares)
    with np.errstate(divide="ignore"):
        certain = np.log([[1.0, 0.0], [0.5, 0.5]])
    np.testing.assert_allclose(probabilities_of("logits", certain), [[1, 0], [0.5, 0.5]])


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (np.ones((4, 1)), r"have one number per image, \(4, 1\), but two classes need two"),
        (np.ones(4), r"must be \(n, classes\)"),
        (np.zeros((0, 3)), r"must be \(n, classes\)"),
        (np.full((2, 3), np.nan), "NaN"),
        ([[97.0, 3.0], [20.0, 80.0]], "in percent"),
    ],
)
def test_outputs_that_are_no_classes(outputs, message):
    with pytest.raises(ValueError, match=message):
        probabilities_of("logits", outputs)


def test_arrays():
    import tensorflow as tf

    assert array_of("images", tf.constant([1.5], tf.bfloat16)).dtype == np.float32
    with pytest.raises(ValueError, match="images must be finite, but 1 of 2 numbers are NaN"):
        finite_array("images", [1.0, np.nan])
    with pytest.raises(ValueError, match="must be an array of numbers, not a generator"):
        array_of("images", (each for each in [1]))

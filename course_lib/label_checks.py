"""Checks of labels, predictions, class names, logits and probabilities.

A leaf beside `common`.
"""

import numbers
from collections.abc import Mapping, Sequence

import numpy as np

from course_lib import common
from course_lib.array_checks import array_of
from course_lib.model_checks import described


def class_numbers(
    name: str, values, *, count: int | None = None, classes: int | None = None, names: list[str] | None = None
) -> np.ndarray:
    """One class per image, int64 `(count,)`: whole numbers from 0 to below `classes`, or some of `names`.

    Takes floats that are whole, one column, one number for one image, and a pandas Series by position.

    Raises:
        ValueError: one-hot labels or logits, another number of them, or one that is no class.
    """
    if is_text(values):
        values = _numbers_of_names(name, values, names)
    found = array_of(name, values)
    if found.dtype == bool:
        found = found.astype(np.int64)
    if found.ndim == 0 or found.shape[1:] == (1,):
        found = found.reshape(-1)
    if found.ndim != 1:
        raise ValueError(
            f"{name} must be one whole number per image, not of the shape {found.shape}: "
            "of one-hot labels, logits or probabilities take .argmax(axis=-1)"
        )
    classes = len(names) if classes is None and names is not None else classes
    span = "from 0 on" if classes is None else f"from 0 to {classes - 1}"
    span += "" if names is None else ", as many as class_names"
    if count is not None and len(found) != count:
        raise ValueError(f"{name} must be {count} whole numbers {span}, one per image, not {len(found)}")
    if not (found == np.floor(found)).all():  # NaN does not equal itself
        odd = found[found != np.floor(found)][0]
        raise ValueError(f"{name} must be whole numbers {span}, one class per image, but there is {odd:g}")
    if found.size and (found.min() < 0 or (classes is not None and found.max() >= classes)):
        from_one = ": the first class is 0, so subtract 1" if found.min() == 1 and found.max() == classes else ""
        raise ValueError(
            f"{name} must be whole numbers {span}, but there are {found.min():g} to {found.max():g}{from_one}"
        )
    return found.astype(np.int64)


def is_text(values) -> bool:
    """Whether `values` are strings, one or many."""
    try:
        found = np.asarray(values)
    except ValueError:
        return False
    texts = found.dtype.kind == "O" and all(isinstance(each, str) for each in found.flat)
    return found.size > 0 and (found.dtype.kind in "UT" or texts)


def _numbers_of_names(name: str, values, names: list[str] | None) -> list[int]:
    if names is None:
        raise ValueError(
            f"{name} are text: give class numbers, for example np.unique(names, return_inverse=True)[1], "
            "or class_names where the function takes them"
        )
    texts = [str(each) for each in np.ravel(np.asarray(values))]
    for each in texts:
        if each not in names:
            raise common.unknown("class", each, names)
    return [names.index(each) for each in texts]


def name_list(class_names: Sequence[str] | None, classes: int | None = None) -> list[str] | None:
    """The class names by number; from a list, an array, a pandas Index, or a dict number → name. None stays None.

    Raises:
        ValueError: text, a set or anything else that gives no name to each number; not one name per class.
    """
    if class_names is None:
        return None
    if isinstance(class_names, Mapping):
        if set(class_names) != set(range(len(class_names))):
            raise ValueError(
                "class_names as a dict must name each class from 0 on, {0: 'ant', 1: 'bee'}, "
                f"but the keys are {described(list(class_names))}"
            )
        class_names = [class_names[number] for number in range(len(class_names))]
    names = [] if isinstance(class_names, (str, bytes, set, frozenset)) else _listed(class_names)
    if not names or not all(isinstance(name, (str, numbers.Real)) for name in names):
        raise ValueError(f"class_names must be a list of names, one per class, not {described(class_names)}")
    if classes is not None and len(names) != classes:
        raise ValueError(f"{classes} classes need {classes} class_names, not {len(names)}")
    return [str(name) for name in names]


def _listed(values) -> list:
    try:
        return list(values)
    except TypeError:
        return []


def probabilities_of(name: str, outputs) -> np.ndarray:
    """Probabilities `(n, classes)`, float64: `outputs` as they are where each row is one, else their softmax.

    Raises:
        ValueError: another shape, one output per image, or NaN.
    """
    found = array_of(name, outputs).astype(np.float64)
    if found.ndim != 2 or not found.size:
        raise ValueError(f"{name} must be (n, classes), one row per image, not {found.shape}")
    if found.shape[1] == 1:
        raise ValueError(
            f"{name} have one number per image, {found.shape}, but two classes need two: of the probability p of class "
            "1 make np.hstack([1 - p, p]), of its logit z make np.hstack([0 * z, z])"
        )
    if np.isnan(found).any() or found.max() == np.inf:  # the logarithm of a probability may be -inf
        raise ValueError(f"{name} must be finite, but some are NaN (not a number) or infinite")
    sums = found.sum(axis=1)
    if found.min() >= 0 and np.allclose(sums, 1, atol=0.01):
        return found
    if found.min() >= 0 and np.allclose(sums, 100, atol=1):
        raise ValueError(f"{name} look like probabilities in percent, as each row adds up to 100: divide them by 100")
    exponentials = np.exp(found - found.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)

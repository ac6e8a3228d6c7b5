"""Class weights and callbacks, as `train` takes them."""

from collections.abc import Iterable, Mapping

import keras
import numpy as np

from course_lib import common
from course_lib.training.recipe import Recipe

MEASURED = ("loss", "accuracy", "val_loss", "val_accuracy")


def class_weights(given: object, feed, num_classes: int) -> list[float] | None:
    """One weight per class from a dict, a sequence or "balanced"; None where none is given.

    "balanced" weighs each class by examples / (classes · examples of the class), so that all classes count alike.

    Raises:
        ValueError: anything else, or "balanced" for data whose labels are not at hand.
    """
    if given is None:
        return None
    if isinstance(given, str) and given == "balanced":
        if not hasattr(feed, "arrays"):
            raise ValueError("class_weight='balanced' needs a split or arrays: for a tf.data.Dataset give a dict")
        counts = np.bincount(feed.arrays()[1], minlength=num_classes)
        return (len(feed) / np.maximum(num_classes * counts, 1)).tolist()
    if hasattr(given, "to_dict"):  # a pandas Series: by its index, whatever its order
        given = given.to_dict()
    weights = given
    if isinstance(given, Mapping):
        unknown = [key for key in given if isinstance(key, bool) or key not in range(num_classes)]
        weights = [given.get(number, 1.0) for number in range(num_classes)] if not unknown else None
    weights = None if isinstance(weights, str) or not np.iterable(weights) else list(weights)
    if weights is None or len(weights) != num_classes:
        raise ValueError(
            f"class_weight must be 'balanced', a dict such as {{0: 2.0}} with classes from 0 to {num_classes - 1} (the "
            f"others weigh 1), or {num_classes} weights, not {given!r}"
        )
    weights = [common.number("class_weight", weight) for weight in weights]
    if not any(weights):
        raise ValueError("class_weight is 0 for every class, so nothing would be learned: give some class a weight")
    return weights


def checked_callbacks(callbacks: object, recipe: Recipe, validated: bool) -> list[keras.callbacks.Callback]:
    """The callbacks as a list; one alone and None are accepted.

    Raises:
        ValueError: something that is no Keras callback, one that waits for what is never measured, or one that sets
            the learning rate where the recipe's schedule does.
    """
    if callbacks is None:
        return []
    listed = [callbacks]
    if isinstance(callbacks, Iterable) and not isinstance(callbacks, str):
        listed = list(callbacks)
    for each in listed:
        if isinstance(each, type):
            raise ValueError(f"callbacks must be objects, and {each.__name__} is a class: write {each.__name__}(…)")
        if not isinstance(each, keras.callbacks.Callback):
            raise ValueError(f"callbacks must be Keras callbacks, not {each!r}")
        name = type(each).__name__
        if name in ("ReduceLROnPlateau", "LearningRateScheduler") and (recipe.schedule != "constant" or recipe.warm_up):
            raise ValueError(
                f"{name} sets the learning rate, and so does the recipe's schedule: take schedule='constant' and "
                f"warm_up=0, or leave {name} out"
            )
        watches = name in ("EarlyStopping", "ReduceLROnPlateau") or getattr(each, "save_best_only", False)
        known = MEASURED if validated else MEASURED[:2]
        if watches and each.monitor not in known:
            needs = "" if validated or each.monitor not in MEASURED else " without validation: give train validation=…"
            raise ValueError(
                f"{name} watches {each.monitor!r}, which is not measured{needs}. Measured: {', '.join(known)}"
            )
    return listed

"""The judge of lesson 09's capstone: a second collection that breaks the shortcut of the first."""

from collections.abc import Callable

import numpy as np

COUNT = 60  # scenes per class in the first collection
TOLD = 0.6  # share of scenes whose class one property tells: of three equal classes a third is chance
FEWEST = 0.5  # of the first collection: smaller ones are refused
KNOBS = ("turn", "tilt", "shift_x", "shift_y", "elevation", "distance", "light_strength", "distractors", "occlusion")
BINS = 4  # equal parts of a numeric property
SIDE = 32


def second_collection(function: Callable) -> str | None:
    """At most as many scenes as it is given, from which a network learns the objects instead of the places."""
    from course_lib.datasets import toy_photos

    first = toy_photos.sample(COUNT, seed=21)
    second = function(list(first))
    return _wrong_kind(first, second) or _told_by_places(second) or _told_by_knobs(second) or _trained(second)


def _wrong_kind(first: list, second: object) -> str | None:
    """What is wrong before the scenes are looked at."""
    from course_lib.datasets import toy_photos
    from course_lib.datasets.toy_scenes import Scene

    if not isinstance(second, list) or not all(isinstance(scene, Scene) for scene in second):
        return f"A list of scenes is asked for, as toy_photos.sample returns one; yours is a {type(second).__name__}."
    if len(second) > len(first):
        return f"{len(second)} scenes are more than the {len(first)} of the first: a larger one proves less."
    if len(second) < FEWEST * len(first):
        return f"{len(second)} scenes are few: take about as many as the first has, {len(first)}."
    counts = {name: sum(scene.class_name == name for scene in second) for name in toy_photos.CLASSES}
    if min(counts.values()) < len(second) / 5:
        listed = ", ".join(f"{count} {name}" for name, count in counts.items())
        return f"Each class must be about a third of the scenes; yours are {listed}."
    return None


def _told_by_places(second: list) -> str | None:
    from course_lib.datasets import toy_photos

    share = _told([scene.background for scene in second], second)
    if share <= TOLD:
        return None
    at_home = np.mean(toy_photos.places(second) == toy_photos.labels(second))
    if at_home > TOLD:
        return f"The place still tells the class: {at_home:.0%} of your scenes are in the usual place of their class."
    return (
        f"The usual places are gone, but new ones tell the class: who knows only the place is right on {share:.0%}. "
        "Each class needs many places, and each place all classes."
    )


def _told_by_knobs(second: list) -> str | None:
    for knob in KNOBS:
        values = np.array([getattr(scene, knob) for scene in second], float)
        edges = np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1])
        share = _told(np.digitize(values, edges), second)
        if share > TOLD:
            return f"The places are mixed, but now {knob} tells the class in {share:.0%}: that is a new shortcut."
    return None


def _told(values, scenes: list) -> float:
    """The share of scenes that is right if each value of a property stands for its most frequent class."""
    groups: dict[object, list[str]] = {}
    for value, scene in zip(values, scenes, strict=True):
        groups.setdefault(value, []).append(scene.class_name)
    return sum(max(map(names.count, names)) for names in groups.values()) / len(scenes)


def _trained(second: list) -> str | None:
    """Trains a small network on the scenes, and shows it objects in the usual places of other classes."""
    from course_lib.datasets import toy_photos
    from course_lib.training import Recipe, predict, train

    images = toy_photos.photograph(second, SIDE)
    labels = toy_photos.labels(second)
    recipe = Recipe("adam", 2e-3, "cosine", batch_size=32)
    run = train(_network, (images, labels), recipe=recipe, epochs=20, progress=False)
    away = toy_photos.elsewhere(toy_photos.sample(20, seed=22))
    said = predict(run.model, toy_photos.photograph(away, SIDE)).argmax(axis=1)
    by_place = np.mean(said == toy_photos.places(away))
    by_object = np.mean(said == toy_photos.labels(away))
    if by_object > by_place:
        return None
    return f"A network trained on it still follows the place in {by_place:.0%}, the object in {by_object:.0%}."


def _network():
    """Three convolutions and a dense layer, as `cnn_small`."""
    import keras
    from keras import layers

    stack = [keras.Input((SIDE, SIDE, 3)), layers.Rescaling(4.0, -2.0)]
    for filters in (16, 32, 64):
        stack += [layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.MaxPooling2D(2)]
    return keras.Sequential([*stack, layers.Flatten(), layers.Dense(64, activation="relu"), layers.Dense(3)])

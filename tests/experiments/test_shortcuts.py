"""The recorded photos of lesson 09: the numbers are possible, and the lesson's sentences about them are so."""

import dataclasses

import numpy as np
import pytest

from course_lib import experiments
from course_lib.datasets import toy_photos, toy_scenes
from course_lib.experiments import shortcuts

NETWORKS = ["efficientnet_lite0", "toy_features"]


@pytest.mark.parametrize("network", NETWORKS)
def test_every_share_has_three_collections(network):
    found = experiments.frozen_photos()[network]
    assert [float(share) for share in found["by share"]] == list(shortcuts.SHARES)
    for of in found["by share"].values():
        numbers = np.array(list(of.values()))
        assert numbers.shape == (3, 3) and (numbers >= 0).all() and (numbers <= 100).all()
        assert (np.add(of["moved, by object"], of["moved, by place"]) <= 100.1).all()
    for name in ("new photos", "another phone", "known", "unknown"):
        assert len(found[name]) == 3 and 0 <= min(found[name]) <= max(found[name]) <= 100


def test_what_the_lesson_says_of_them():
    assert experiments.shortcut_from("toy_features", points=10)[0] == "0.4"
    assert experiments.shortcut_from("efficientnet_lite0", points=10)[0] == "1.0"
    for_imagenet = experiments.lost_by_moving("efficientnet_lite0")  # a few points from 60 % on, in each collection
    assert {share: (round(min(each)), round(max(each))) for share, each in for_imagenet.items() if share > "0.5"} == {
        "0.6": (3, 4),
        "0.8": (4, 7),
        "0.9": (8, 12),
        "1.0": (15, 22),
    }
    lite, toy = (experiments.frozen_photos()[network] for network in NETWORKS)
    assert min(lite["unknown"]) > 34 and max(lite["unknown"]) < min(toy["unknown"])
    without = [np.median(each["by share"]["0.2"]["moved, by object"]) for each in (lite, toy)]
    assert [round(each) for each in without] == [99, 77]  # no shortcut: the moved objects are not too hard
    for network in NETWORKS:
        lost = experiments.lost_by_moving(network)
        medians = [np.median(each) for each in lost.values()]
        assert medians == sorted(medians)
        at_home = [
            np.median(each["right at home"]) for each in experiments.frozen_photos()[network]["by share"].values()
        ]
        assert at_home[-1] == max(at_home) > at_home[0]
        moved = [
            np.median(each["moved, by object"]) for each in experiments.frozen_photos()[network]["by share"].values()
        ]
        assert moved[0] == max(moved)
    at_home = {share: np.median(each["right at home"]) for share, each in lite["by share"].items()}
    assert [share for share, median in at_home.items() if median == 100] == ["0.6", "0.8", "0.9", "1.0"]
    assert max(lite["another phone"]) < min(lite["new photos"])
    of_nine_tenths = lite["by share"]["0.9"]
    assert max(of_nine_tenths["moved, by place"]) < min(of_nine_tenths["moved, by object"]) < 100


def test_a_collection_is_met_in_each_place_equally_often():
    scenes = shortcuts._anywhere(5)
    for name in toy_photos.CLASSES:
        places = [scene.background for scene in scenes if scene.class_name == name]
        assert {place: places.count(place) for place in places} == dict.fromkeys(toy_scenes.BACKGROUNDS, 10)


def test_where_no_share_is_enough_none_is_named(monkeypatch):
    monkeypatch.setattr(shortcuts, "lost_by_moving", lambda network: {"0.2": [1.0, 2.0], "1.0": [30.0, 4.0]})
    assert experiments.shortcut_from("any", points=10) == (
        "",
        "Points lost, by share at home (median): 20%: 2, 100%: 17.",
    )


def test_another_phone_meets_no_object_of_the_training_photos():
    """`sample` draws the same objects for the same seed."""
    scenes = shortcuts._scenes()
    trained_on = {_object(scene) for seed in shortcuts.COLLECTIONS for scene in scenes[f"at home {seed}"]}
    for name in ("home", "moved", "new photos", "another phone", "unknown"):
        assert not trained_on & {_object(scene) for scene in scenes[name]}, name


def _object(scene: toy_scenes.Scene) -> toy_scenes.Scene:
    return dataclasses.replace(scene, background="yard", light_strength=1.0)

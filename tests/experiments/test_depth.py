"""What an unfinished record of `depth_steps` says, and a residual network that is made deeper without a change."""

import itertools
import json

import keras
import numpy as np

from course_lib import common, experiments, models
from course_lib.experiments import resnet


def record(*runs):
    """A record of runs (setting, seed, training error after each epoch of 10 steps)."""
    return {
        "runs": [
            {"setting": name, "seed": seed, "steps_per_epoch": 10, "history": {"accuracy": [1 - e for e in errors]}}
            for name, seed, errors in runs
        ]
    }


def write(folder, *runs):
    (folder / "depth_steps.json").write_text(json.dumps(record(*runs)), encoding="utf-8")


def test_a_depth_counts_with_the_rate_that_was_soonest(tmp_path, monkeypatch):
    monkeypatch.setattr(common, "RUNS", tmp_path)
    low, middle, high = resnet.RATES
    write(tmp_path)
    assert experiments.steps_by_depth() == {"plain": {}, "resnet": {}}
    shallow = [(f"plain 8, rate {low}", 0, [0.5, 0.4, 0.1]), (f"plain 8, rate {middle}", 0, [0.5, 0.08])]
    write(tmp_path, *shallow)
    assert experiments.steps_by_depth()["plain"] == {}  # one rate is missing
    shallow += [(f"plain 8, rate {high}", 0, [0.9, 0.9, 0.9, 0.9])]
    late = [(f"plain 14, rate {rate}", 0, [0.9, 0.5]) for rate in resnet.RATES]
    write(tmp_path, *shallow, *late, (f"plain 8, rate {middle}", 1, [0.5, 0.2, 0.2, 0.05]))
    assert experiments.steps_by_depth() == {"plain": {8: [20, 40], 14: [float("inf")]}, "resnet": {}}
    assert experiments.steps_by_depth(fewest_seeds=2) == {"plain": {8: [20, 40]}, "resnet": {}}


def test_without_a_record_no_depth_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(common, "RUNS", tmp_path)
    assert experiments.steps_by_depth() == {"plain": {}, "resnet": {}}


def test_depths_of_the_definition_are_those_that_are_read():
    parts = itertools.product(resnet.KINDS, resnet.DEPTHS, resnet.RATES)
    names = {f"{kind} {depth}, rate {rate}" for kind, depth, rate in parts}
    settings = experiments.EXPERIMENTS["depth_steps"].settings
    assert set(settings) == names
    assert [settings[name].options["depth"] for name in settings] == sorted(6 * resnet.DEPTHS)


def test_blocks_that_add_0_leave_a_residual_network_as_it_was():
    small = {"image_shape": (16, 16, 3), "num_classes": 10}
    images = np.random.default_rng(0).normal(size=(6, 16, 16, 3)).astype("float32")
    shallow = models.build("resnet_small", depth=8, **small)
    shallow(images, training=True)
    deep = models.build("resnet_small", depth=20, **small)
    assert not np.array_equal(deep(images), shallow(images))
    resnet.deepened_by_zeros(shallow, deep)
    np.testing.assert_array_equal(deep(images), shallow(images))
    shares = [network(images, training=True) for network in (deep, shallow)]
    np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, shares))

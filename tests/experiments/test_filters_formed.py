"""The recorded filters of lesson 05: kept whole, small, and of the kept network."""

import dataclasses

import lesson_rules
import numpy as np
import pytest

from course_lib import common, experiments, models, training
from course_lib.batching import Split
from course_lib.experiments import Experiment, Setting, filters, reproduce
from course_lib.experiments.experiment import data_id
from course_lib.training import Recipe

SETTING = experiments.EXPERIMENTS["filters_formed"].settings["forming_alexnet"]


@data_id("noise")
def noise() -> tuple[Split, Split, Split]:
    """Noise."""
    images = np.random.default_rng(0).integers(0, 256, (24, 32, 32, 1)).astype(np.uint8)
    split = Split(images, np.arange(24) % 10)
    return split, split, split


def test_kernels_are_recorded_before_training_and_at_each_measurement(tmp_path, monkeypatch):
    monkeypatch.setattr(common, "RUNS", tmp_path)
    recipe = Recipe(learning_rate=0.05, batch_size=12)
    setting = Setting("lenet5", recipe, 3, noise, {"width": 0.5}, measure_every=2, watch="c1", keep=tmp_path / "kept")
    reproduce.reproduce("toy", Experiment("A toy", "nothing", {"small": setting}), [0, 1])
    epochs, found = experiments.watched("toy")
    assert epochs == [0, 2, 3] and len(found) == 2
    assert all(kernels.shape == (3, 5, 5, 1, 3) for kernels in found)
    kept = training.Run.load(tmp_path / "kept", setting.build()).model.get_layer("c1").get_weights()[0]
    np.testing.assert_allclose(found[0][-1], kept, atol=np.abs(kept).max() / 254 * 1.01)
    assert np.abs(found[0][0] - kept).max() > 0.01  # and the start is another
    assert setting.describe()["watch"] == "c1"


def test_a_record_of_kernels_is_off_by_half_a_step():
    kernels = [scale * np.random.default_rng(0).normal(size=(7, 7, 3, 4)) for scale in (0.01, 1.0)]
    back = filters.unpacked(filters.packed([0, 5], kernels))
    assert back.shape == (2, 7, 7, 3, 4)
    for one, other in zip(kernels, back, strict=True):
        np.testing.assert_allclose(one, other, atol=np.abs(one).max() / 250)
    assert not filters.unpacked(filters.packed([0], [np.zeros((1, 1, 1, 1))])).any()


def test_neighbors_are_alike_in_smooth_filters_alone():
    noise = np.random.default_rng(0).normal(size=(7, 7, 3, 200))
    ramp = np.broadcast_to(np.linspace(-1, 1, 7)[:, None, None, None], (7, 7, 3, 1)) + 0.3
    found = filters.neighbor_correlation(noise)
    assert found.shape == (200,) and abs(found.mean()) < 0.05 and np.abs(found).max() < 0.5
    assert filters.neighbor_correlation(ramp) > 0.8
    checks = np.indices((7, 7)).sum(axis=0)[:, :, None, None] % 2 * np.ones((1, 1, 3, 1))
    assert filters.neighbor_correlation(checks) < -0.9


def test_it_is_the_small_alexnet_with_narrow_dense_layers():
    whole = models.build("alexnet_small", image_shape=(56, 56, 3))
    model = filters.forming_alexnet()
    for number in range(1, 6):
        assert model.get_layer(f"conv{number}").kernel.shape == whole.get_layer(f"conv{number}").kernel.shape
    assert model.get_layer("fc6").units == model.get_layer("fc7").units == 128
    start = model.get_layer("conv1").get_weights()[0]
    assert start.std() == pytest.approx(0.01, rel=0.1)


def test_the_setting_is_recorded_with_three_seeds():
    assert experiments.EXPERIMENTS["filters_formed"].seeds == 3 and SETTING.watch == "conv1"
    assert dataclasses.replace(SETTING, watch="").describe() != SETTING.describe()


@pytest.mark.skipif("status" in experiments.recorded("filters_formed"), reason="not recorded yet")
def test_the_kept_network_is_that_of_seed_0_and_its_file_is_small():
    model = training.Run.load(filters.FORMED, SETTING.build()).model
    epochs, found = experiments.watched("filters_formed")
    assert epochs[-1] == SETTING.epochs
    kernel = model.get_layer("conv1").get_weights()[0]
    np.testing.assert_allclose(found[0][-1], kernel, atol=np.abs(kernel).max() / 250)
    files = {path.name: path for path in filters.FORMED.iterdir()}
    assert set(files) == {"model.weights.h5", "run.json"}
    assert sum(path.stat().st_size for path in files.values()) < 1_500_000
    for content in (path.read_bytes() for path in files.values()):
        assert not lesson_rules.MACHINE_PATH.search(content.decode("ascii", errors="replace"))

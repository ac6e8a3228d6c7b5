"""What is compared of a recorded experiment."""

import json

import numpy as np
import pytest

from course_lib import common, experiments


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """An experiment with a group of two learning rates and a setting alone."""

    def run(setting, seed, errors):
        final = {"test_errors": errors, "test_examples": 1000}
        return {"setting": setting, "seed": seed, "final": final, "history": {"accuracy": [0.1, 0.75]}}

    settings = {"net, rate 0.1": {"group": "net"}, "net, rate 0.2": {"group": "net"}, "other": {}}
    runs = [run("net, rate 0.1", 0, 50), *(run("net, rate 0.2", seed, 40 + seed) for seed in range(3))]
    measured = {"measured": {"training": {"error": [0.9, 0.125]}}}
    runs += [run("other", seed, 9) | measured for seed in range(3)]
    (tmp_path / "made_up.json").write_text(json.dumps({"settings": settings, "runs": runs}), encoding="utf-8")
    monkeypatch.setattr(common, "RUNS", tmp_path)


def test_of_a_group_the_chosen_setting_alone_counts(recorded):
    found = experiments.compared("made_up")
    assert list(found) == ["net", "other"]
    assert [run["seed"] for run in found["net"]] == [0, 1, 2]
    assert {run["setting"] for run in found["net"]} == {"net, rate 0.2"}


def test_an_unfinished_record_gives_no_figure(tmp_path, monkeypatch):
    monkeypatch.setattr(common, "RUNS", tmp_path)
    runs = [{"setting": setting, "seed": 0} for setting in ("one", "other")]
    for settings in ({"one": {}, "other": {}}, {"one": {"group": "both"}, "other": {"group": "both"}}):
        for listed in (runs[:1], runs):
            record = {"settings": settings, "status": "unfinished", "runs": listed}
            (tmp_path / "made_up.json").write_text(json.dumps(record), encoding="utf-8")
            for read in (experiments.compared, experiments.both_errors):
                with pytest.raises(FileNotFoundError, match="is recorded as unfinished"):
                    read("made_up")


def test_errors_are_in_percent_one_per_seed(recorded):
    assert experiments.errors("made_up") == {"net": [4.0, 4.1, 4.2], "other": [0.9, 0.9, 0.9]}


def test_training_errors_are_those_measured_or_those_of_the_last_epoch(recorded):
    found = experiments.both_errors("made_up")
    assert found["other"] == {"training": [12.5] * 3, "test": [0.9] * 3}
    assert found["net"] == {"training": [25.0] * 3, "test": [4.0, 4.1, 4.2]}


def test_what_was_not_recorded_is_named(recorded):
    with pytest.raises(FileNotFoundError, match="no recorded run 'elsewhere'"):
        experiments.errors("elsewhere")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([4, 2, 1, 2, 3, 4], 100 * (3 / (5 / 3) - 1)),  # lowest: 2, 1, 2; last: 2, 3, 4
        ([3, 3, 3, 1.5, 3, 3, 3, 3], 20),  # one dip moves a mean by a third of it
        ([6, 5, 4, 3], 0),
        ([2, 2, 2], 0),
    ],
)
def test_a_rise_is_that_of_means_of_three(values, expected):
    assert experiments.rise(values) == pytest.approx(expected)
    assert experiments.rise(np.multiply(values, 1e-3)) == pytest.approx(expected)


@pytest.mark.parametrize("values", [[1, 2], [], [[1, 2, 3]], [1, float("nan"), 2], [0, 0, 0, 1], ["a", "b", "c"]])
def test_of_what_no_rise_is_known(values):
    with pytest.raises(ValueError):
        experiments.rise(values)


def test_a_linear_classifier_tells_apart_what_a_line_separates_at_any_scale():
    generator = np.random.default_rng(0)
    features = generator.normal(size=(300, 2, 3))
    labels = (features[:, 0, 0] > 0).astype(int)
    for scale in (1e-3, 1e3):
        error = experiments.linear_error(scale * features[:200], labels[:200], scale * features[200:], labels[200:])
        assert error < 5
    shuffled = generator.permutation(labels[:200])
    assert 30 < experiments.linear_error(features[:200], shuffled, features[200:], labels[200:]) < 70

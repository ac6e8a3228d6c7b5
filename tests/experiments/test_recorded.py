"""The recorded runs that the lessons read: made with the code as it is, by three seeds or more."""

import pytest

from course_lib import common, experiments

RECORDED = sorted(file.stem for file in common.RUNS.glob("*.json"))
TRAINED = [name for name in RECORDED if experiments.recorded(name).get("status") != "not run"]


def test_the_first_experiments_are_there():
    assert {"lenet5", "lenet5_1998", "lenet5_distortions"} <= set(experiments.EXPERIMENTS)


@pytest.mark.parametrize("name", sorted(experiments.EXPERIMENTS))
def test_every_experiment_is_recorded(name):
    assert name in RECORDED, f"record it with: python -m course_lib reproduce {name}"


@pytest.mark.parametrize("name", sorted({*RECORDED} - {*TRAINED}))
def test_what_was_not_run_says_why_and_holds_no_figure(name):
    record, experiment = experiments.recorded(name), experiments.EXPERIMENTS[name]
    assert record["settings"] == {key: setting.describe() for key, setting in experiment.settings.items()}
    assert record["runs"] == [] and record["why"].endswith(".")


@pytest.mark.parametrize("name", TRAINED)
class TestRecord:
    def test_it_was_made_with_the_settings_in_the_code(self, name):
        record, experiment = experiments.recorded(name), experiments.EXPERIMENTS[name]
        assert record["name"] == name
        assert record["settings"] == {key: setting.describe() for key, setting in experiment.settings.items()}

    def test_three_seeds_or_more_of_each_setting(self, name):
        record = experiments.recorded(name)
        for setting in record["settings"]:
            seeds = [run["seed"] for run in record["runs"] if run["setting"] == setting]
            assert len(seeds) == len(set(seeds)) >= 3, (setting, seeds)
        assert {run["setting"] for run in record["runs"]} == set(record["settings"])

    def test_its_runs_are_whole(self, name):
        record = experiments.recorded(name)
        for run in record["runs"]:
            epochs = record["settings"][run["setting"]]["epochs"]
            assert all(len(values) == epochs for values in run["history"].values())
            errors, examples = run["final"]["test_errors"], run["final"]["test_examples"]
            assert 0 < errors < examples and examples > 600
            assert run["seconds"] > 0 and run["hardware"]["cores"] >= 1 and "tensorflow" in run["versions"]
            # The errors agree with what training ended at: a mixed-up test set would not.
            watched = run["history"].get("val_accuracy", run["history"]["accuracy"])
            assert errors / examples < 1 - watched[-1] + 0.04


def test_what_makes_vision_hard_costs_accuracy():
    """Each knob of the toy scenes, turned to its hard end at test time only, in every run of a network."""
    runs = [run for run in experiments.recorded("toy_scenes_baselines")["runs"] if run["setting"] != "linear"]
    for run in runs:
        errors = {knob: found["errors"] / found["examples"] for knob, found in run["final"]["also"].items()}
        usual = errors.pop("none")
        assert len(errors) == 6 and min(errors.values()) > usual


def test_toy_scenes_are_neither_easy_nor_hopeless():
    def accuracies(setting):
        runs = experiments.recorded("toy_scenes_baselines")["runs"]
        finals = [run["final"] for run in runs if run["setting"] == setting]
        return [1 - final["test_errors"] / final["test_examples"] for final in finals]

    assert max(accuracies("linear")) < 0.45
    assert min(accuracies("cnn_small")) >= 0.6 and max(accuracies("cnn_small")) <= 0.8
    assert min(accuracies("resnet_small")) > max(accuracies("cnn_small")) + 0.05  # clearly above: in every seed


def test_the_distortions_that_are_described_are_those_in_the_code():
    from course_lib.experiments import digits

    distortion, words = digits.DISTORTION, digits.distorted.__doc__
    for said in (
        f"shifts to {distortion.shift:g} pixels",
        f"rotations to {distortion.rotation:g} degrees",
        f"scales to {distortion.scale:.0%}".replace("%", " %"),
        f"shears to {distortion.shear:g}",
    ):
        assert said in " ".join(words.split())

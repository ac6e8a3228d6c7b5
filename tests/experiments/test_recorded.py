"""The recorded runs that the lessons read: made with the code as it is, by three seeds or more."""

import collections

import numpy as np
import pytest

from course_lib import common, experiments, models
from course_lib.experiments.experiment import identity

RECORDED = sorted(file.stem for file in common.RUNS.glob("*.json"))
TRAINED = [name for name in RECORDED if experiments.recorded(name).get("status") != "not run"]


def described(experiment) -> dict[str, dict]:
    return {key: setting.describe() for key, setting in experiment.settings.items()}


def identities(settings: dict[str, dict]) -> dict[str, dict]:
    return {key: identity(setting) for key, setting in settings.items()}


def test_the_first_experiments_are_there():
    assert {"lenet5", "lenet5_1998", "lenet5_distortions"} <= set(experiments.EXPERIMENTS)


@pytest.mark.parametrize("name", sorted(experiments.EXPERIMENTS))
def test_every_experiment_is_recorded(name):
    assert name in RECORDED, f"record it with: python -m course_lib reproduce {name}"


@pytest.mark.parametrize("name", sorted({*RECORDED} - {*TRAINED}))
def test_what_was_not_run_says_why_and_holds_no_figure(name):
    record, experiment = experiments.recorded(name), experiments.EXPERIMENTS[name]
    assert identities(record["settings"]) == identities(described(experiment))
    assert record["runs"] == [] and record["why"].endswith(".")


@pytest.mark.parametrize("name", TRAINED)
class TestRecord:
    def test_it_was_made_with_the_settings_in_the_code(self, name):
        record, experiment = experiments.recorded(name), experiments.EXPERIMENTS[name]
        assert record["name"] == name
        assert identities(record["settings"]) == identities(described(experiment))

    def test_as_many_seeds_of_each_setting_as_it_needs(self, name):
        record = experiments.recorded(name)
        needed = experiments.EXPERIMENTS[name].seeds
        assert needed == 3 or name in ("depth_thrice", "resnet20_cifar10_short")
        for setting in record["settings"]:
            seeds = [run["seed"] for run in record["runs"] if run["setting"] == setting]
            assert len(seeds) == len(set(seeds)) >= needed, (setting, seeds)
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


class TestDepth:
    """What lesson 07 rests on: one change between two networks, and how it came out in every seed."""

    @pytest.fixture(scope="class")
    def record(self):
        return experiments.recorded("depth_toy_scenes")

    def test_plain_and_residual_differ_by_the_additions_alone(self, record):
        settings = record["settings"]
        for depth in (8, 20, 32):
            plain, residual = settings[f"plain{depth}"], settings[f"resnet{depth}"]
            assert plain | {"network": "resnet_small"} == residual
            built = [models.build(each["network"], **each["options"]) for each in (plain, residual)]
            shapes = [sorted(tuple(weight.shape) for weight in network.weights) for network in built]
            assert shapes[0] == shapes[1]
            kinds = [collections.Counter(type(layer).__name__ for layer in network.layers) for network in built]
            added = kinds[1] - kinds[0]
            assert added.pop("Add") == (depth - 2) / 2
            assert set(added) == {"ShortcutA"}

    def test_the_deepest_plain_network_ends_highest_in_training_in_every_seed(self, record):
        error = {(run["setting"], run["seed"]): 1 - run["history"]["accuracy"][-1] for run in record["runs"]}
        for seed in {seed for _, seed in error}:
            assert error["plain32", seed] > error["plain8", seed] + 0.1
            assert error["plain32", seed] > error["resnet32", seed] + 0.1

    def test_training_loss_has_flattened(self, record):
        for run in record["runs"]:
            first, second = np.split(np.array(run["history"]["loss"][-8:]), 2)  # the last fifth of 40 passes
            assert abs(1 - second.mean() / first.mean()) < 0.02, (run["setting"], run["seed"])


def test_each_setting_of_the_ablation_lacks_one_trick():
    settings = experiments.recorded("alexnet_ablation")["settings"]
    whole = settings.pop("all tricks")
    assert len(settings) == 6
    for name, setting in settings.items():
        flat = [{**each, **each["options"], **each["recipe"]} for each in (whole, setting)]
        differ = {key for key in flat[0].keys() | flat[1].keys() if flat[0].get(key) != flat[1].get(key)}
        assert len(differ - {"about", "options", "recipe"}) == 1, (name, differ)


def test_kernels_are_compared_at_equal_sight_and_equal_parameters():
    settings = experiments.EXPERIMENTS["vgg_kernels"].settings
    built = {name: setting.build()() for name, setting in settings.items()}
    stage = {
        name: sum(int(np.prod(layer.kernel.shape)) for layer in network.layers if layer.name.startswith("conv2_"))
        for name, network in built.items()
    }
    assert stage["one 7×7"] == 49 * 20**2 and stage["three 3×3"] == 27 * 20**2
    assert stage["three 3×3, equal parameters"] == pytest.approx(stage["one 7×7"], rel=0.01)
    for network in built.values():
        sizes = [layer.kernel_size[0] for layer in network.layers if layer.name.startswith("conv2_")]
        assert 1 + sum(size - 1 for size in sizes) == 7

"""The recorded runs that the lessons read: made with the code as it is, by three seeds or more."""

import collections

import numpy as np
import pytest

from course_lib import common, experiments, models, visualization
from course_lib.experiments.experiment import identity

RECORDED = sorted(file.stem for file in common.RUNS.glob("*.json"))
TRAINED = [name for name in RECORDED if "status" not in experiments.recorded(name)]


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
def test_what_is_not_whole_says_so_and_gives_no_lesson_a_figure(name):
    record, experiment = experiments.recorded(name), experiments.EXPERIMENTS[name]
    assert identities(record["settings"]) == identities(described(experiment))
    if record["status"] == "not run":
        assert record["runs"] == [] and record["why"].endswith(".")
    else:
        assert record["status"] == "unfinished" and record["runs"]
    with pytest.raises(FileNotFoundError, match=f"is recorded as {record['status']}"):
        experiments.compared(name)


@pytest.mark.parametrize("name", TRAINED)
class TestRecord:
    def test_it_was_made_with_the_settings_in_the_code(self, name):
        record, experiment = experiments.recorded(name), experiments.EXPERIMENTS[name]
        assert record["name"] == name
        assert identities(record["settings"]) == identities(described(experiment))

    def test_as_many_seeds_of_each_setting_as_it_needs(self, name):
        record, experiment = experiments.recorded(name), experiments.EXPERIMENTS[name]
        assert experiment.seeds >= 3 or name in ("depth_thrice", "resnet20_cifar10_short")
        chosen = experiment.chosen(record["runs"])
        for setting in record["settings"]:
            seeds = [run["seed"] for run in record["runs"] if run["setting"] == setting]
            needed = experiment.seeds if setting in chosen else 1
            assert len(seeds) == len(set(seeds)) >= needed, (setting, seeds)
        assert {run["setting"] for run in record["runs"]} == set(record["settings"])

    def test_its_runs_are_whole(self, name):
        record = experiments.recorded(name)
        for run in record["runs"]:
            setting = record["settings"][run["setting"]]
            if run.get("status") == "diverged":
                continue
            (epochs,) = {len(values) for values in run["history"].values()}
            ended = "until" in setting and 1 - run["history"]["accuracy"][-1] <= setting["until"] + 1e-4
            assert epochs == setting["epochs"] or (ended and epochs < setting["epochs"])
            if "measured" in run:
                assert all(history["epoch"][-1] == epochs for history in run["measured"].values())
            errors, examples = run["final"]["test_errors"], run["final"]["test_examples"]
            assert 0 < errors < examples and examples > 600
            assert run["seconds"] > 0 and run["hardware"]["cores"] >= 1 and "tensorflow" in run["versions"]
            # The errors agree with what training ended at: a mixed-up test set would not.
            if "measured" in run:
                expected = run["measured"]["validation"]["error"][-1]
            else:
                expected = 1 - run["history"].get("val_accuracy", run["history"]["accuracy"])[-1]
            assert errors / examples < expected + 0.04


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
    from course_lib.experiments import lenet

    distortion, words = lenet.DISTORTION, lenet.distorted.__doc__
    for said in (
        f"shifts to {distortion.shift:g} pixels",
        f"rotations to {distortion.rotation:g} degrees",
        f"scales to {distortion.scale:.0%}".replace("%", " %"),
        f"shears to {distortion.shear:g}",
    ):
        assert said in " ".join(words.split())


class TestDepth:
    """What lesson 07 rests on: one change between two networks, and how it came out in every seed."""

    @pytest.fixture
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

    def test_random_weights_are_far_behind_deepened_ones_after_as_many_epochs(self):
        error = {}
        for run in experiments.recorded("depth_identity")["runs"]:
            error[run["setting"], run["seed"]] = run["measured"]["training"]["error"]
        after = 60 // experiments.recorded("depth_identity")["settings"]["plain 32"]["measure_every"]
        for seed in range(3):
            deepened = error["plain 32 of plain 8", seed]
            assert len(deepened) == after + 1 and error["plain 32", seed][after] > deepened[-1] + 0.1

    def test_training_loss_has_flattened(self, record):
        for run in record["runs"]:
            first, second = np.split(np.array(run["history"]["loss"][-8:]), 2)  # the last fifth of 40 passes
            assert abs(1 - second.mean() / first.mean()) < 0.02, (run["setting"], run["seed"])


def test_each_setting_of_the_ablation_lacks_one_trick():
    settings = experiments.recorded("alexnet_ablation_short")["settings"]
    whole = settings.pop("all tricks")
    assert len(settings) == 6
    for name, setting in settings.items():
        flat = [{**each, **each["options"], **each["recipe"]} for each in (whole, setting)]
        differ = {key for key in flat[0].keys() | flat[1].keys() if flat[0].get(key) != flat[1].get(key)}
        assert len(differ - {"about", "options", "recipe"}) == 1, (name, differ)


class TestLessonFive:
    """What lesson 05 compares, and what it says of its recorded runs."""

    def test_each_setting_of_the_ablation_changes_one_thing(self):
        settings = described(experiments.EXPERIMENTS["alexnet_ablation"])
        whole = settings.pop("all tricks")
        for name, setting in settings.items():
            changed = set(setting["options"])
            changed |= {key for key, value in setting["recipe"].items() if value != whole["recipe"].get(key)}
            changed |= {"data"} if setting["data"] != whole["data"] else set()
            expected = {"no regularizer": 3, "padded pooling without overlap": 2}.get(name, 1)
            assert len(changed) == expected, (name, changed)

    def test_much_augmentation_errs_more_than_a_little_in_every_seed(self):
        found = experiments.compared("augmentation_few")
        errors = {name: [1 - run["history"]["val_accuracy"][-1] for run in runs] for name, runs in found.items()}
        assert max(errors["mild"]) < min(errors["strong"]) and max(errors["mild"]) < min(errors["plain"])

    def test_overlap_is_compared_at_equal_shapes_and_depth_without_conv4(self):
        settings = experiments.EXPERIMENTS["alexnet_ablation"].settings
        built = {name: settings[name].build()() for name in ("padded pooling", "padded pooling without overlap")}
        shapes = [[tuple(weight.shape) for weight in network.weights] for network in built.values()]
        assert shapes[0] == shapes[1]
        names = [layer.name for layer in settings["without conv4"].build()().layers]
        assert sum(name.startswith("conv") for name in names) == 4

    def test_relu_and_tanh_differ_in_activation_initialization_and_rate_alone(self):
        settings = described(experiments.EXPERIMENTS["relu_tanh_cifar10"])
        alike = [
            {**setting, "options": {}, "group": "", "recipe": {**setting["recipe"], "learning_rate": 0}}
            for setting in settings.values()
        ]
        assert all(each == alike[0] for each in alike)
        assert len({setting["group"] for setting in settings.values()}) == 4
        assert all(setting["recipe"].get("weight_decay", 0) == 0 for setting in settings.values())

    @pytest.fixture
    def ablation(self):
        """Setting → part → (seeds, measurements), in percent, after 0, 10, 20, ... 150 epochs."""
        runs = experiments.compared("alexnet_ablation")
        return {
            name: {
                part: 100 * np.array([run["measured"][part]["error"] for run in seeds])
                for part in ("training", "validation")
            }
            for name, seeds in runs.items()
        }

    def test_five_seeds_of_each_setting(self, ablation):
        assert {errors["validation"].shape for errors in ablation.values()} == {(5, 16)}

    def test_no_regularizer_leads_early_and_loses_in_the_end(self, ablation):
        none, full = (ablation[name]["validation"] for name in ("no regularizer", "all tricks"))
        assert none[:, 1].max() < full[:, 1].min()  # after 10 epochs
        assert none[:, -1].min() > full[:, -1].max() + 10
        assert ablation["no regularizer"]["training"][:, -1].max() < 0.5

    def test_beside_augmentation_no_other_regularizer_shows(self, ablation):
        full = ablation["all tricks"]["validation"][:, -1]
        assert ablation["without augmentation"]["validation"][:, -1].min() > full.max() + 9
        for name in ("without dropout", "without weight decay"):
            errors = ablation[name]["validation"][:, -1]
            assert errors.min() < full.max() and full.min() < errors.max(), name

    def test_without_augmentation_dropout_and_decay_together_pay(self, ablation):
        with_both, none = (ablation[name]["validation"][:, -1] for name in ("without augmentation", "no regularizer"))
        assert sum(none > with_both.max()) == 4  # of five seeds
        assert round(np.median(none) - np.median(with_both)) == 5

    @pytest.mark.parametrize(("case", "clearly_above"), [("without response normalization", 2), ("all tricks", 5)])
    def test_measured_alike_training_is_above_validation_in_each_seed(self, ablation, case, clearly_above):
        known, new = (100 - ablation[case][part][:, 2] for part in ("training", "validation"))  # after 20 epochs
        assert np.all(known > new)
        clear = 2 * np.sqrt(new * (100 - new) * (1 / 1_000 + 1 / 2_000))  # two standard errors
        assert np.sum(known - new > clear) == clearly_above
        reported = [100 * run["history"]["accuracy"][19] for run in experiments.compared("alexnet_ablation")[case]]
        assert np.sum(reported < new) == (3 if case != "all tricks" else 4)

    def test_without_overlap_every_seed_errs_more(self):
        errors = experiments.errors("alexnet_ablation")
        one, other = errors["padded pooling"], errors["padded pooling without overlap"]
        assert max(one) < min(other) and np.median(other) - np.median(one) == pytest.approx(2.6, abs=0.05)

    def test_a_division_alone_errs_less_than_neither_it_nor_normalization(self):
        errors = experiments.both_errors("alexnet_ablation")
        full, without = (errors[name] for name in ("all tricks", "without response normalization"))
        divided = errors["division instead of response normalization"]
        assert max(divided["test"]) < min(without["test"])
        assert max(full["training"] + divided["training"]) < min(without["training"])

    def test_strong_augmentation_still_errs_on_a_third_of_its_images(self):
        for run in experiments.compared("augmentation_few")["strong"]:
            assert 0.3 < 1 - run["history"]["accuracy"][-1] < 0.36

    def test_mild_augmentation_errs_least_in_every_seed(self):
        errors = {
            name: [100 - 100 * run["history"]["val_accuracy"][-1] for run in runs]
            for name, runs in experiments.compared("augmentation_few").items()
        }
        assert visualization.clearly_lowest(errors) == "mild"
        assert round(588 * (min(errors["plain"]) - max(errors["mild"])) / 100) == 1  # one image of 588

    def test_large_pixels_hold_tanh_up_and_small_ones_do_not(self):
        epochs = {
            (name, key): [len(run["history"]["accuracy"]) for run in runs]
            for name in ("relu_tanh_pixels", "relu_tanh_cifar10")
            for key, runs in experiments.compared(name).items()
        }
        assert max(epochs["relu_tanh_pixels", "relu"]) < 30 < min(epochs["relu_tanh_pixels", "tanh"]) == 40
        for start in ("paper", "he"):
            small = [epochs["relu_tanh_cifar10", f"{kind}, {start}"] for kind in ("tanh", "relu")]
            assert max(small[0]) < min(small[1])
        for run in experiments.recorded("relu_tanh_pixels")["runs"]:
            if run["setting"].startswith("tanh"):
                assert 1 - run["history"]["accuracy"][-1] > 0.25, run["setting"]


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


class TestLessonSix:
    """What lesson 06 says of its columns on 12,000 scenes, of three seeds."""

    @pytest.fixture
    def errors(self):
        return experiments.both_errors("vgg_depth")

    @pytest.mark.parametrize("part", ["training", "test"])
    def test_nineteen_layers_fail_in_every_seed_and_two_changes_mend_them_alone(self, errors, part):
        assert min(errors["E"][part]) > 80
        for name in ("E, normalized", "E, from A"):
            assert max(errors[name][part]) < 50, name

    def test_without_dropout_nineteen_layers_learn_in_one_seed_of_three(self, errors):
        assert sorted(error < 50 for error in errors["E, no dropout"]["test"]) == [False, False, True]

    def test_what_depth_does_to_normalized_columns(self, errors):
        a, b, d, e = (errors[f"{column}, normalized"] for column in "ABDE")
        assert max(d["training"]) < min(a["training"]) and max(d["training"]) < min(e["training"])
        assert max(b["test"]) < min(a["test"]) and max(b["test"]) < min(d["test"])
        assert np.median(a["test"]) - np.median(b["test"]) == pytest.approx(0.7)
        assert min(d["test"]) < max(a["test"]) and min(a["test"]) < max(d["test"])  # not clear
        assert [round(float(np.ptp(each["test"])), 1) for each in (a, d)] == [2.2, 2.1]

    @pytest.mark.parametrize("part", ["training", "test"])
    @pytest.mark.parametrize("name", ["vgg_depth", "vgg_depth_short"])
    def test_without_normalization_columns_train_about_like_a_to_sixteen_layers_only(self, name, part):
        a, b, d, e = (experiments.both_errors(name)[column][part] for column in "ABDE")
        for deeper in (b, d):
            assert min(deeper) < max(a) and min(a) < max(deeper)
        assert min(e) > max(a)

    def test_the_column_of_sixteen_layers_needs_none_of_the_changes(self, errors):
        assert max(errors["D"]["test"]) < 50

    def test_how_the_lesson_says_that_we_trained(self):
        names = ("vgg_kernels", "vgg_pairs", "vgg_depth", "vgg_depth_short", "vgg_starts")
        settings = {name: experiments.EXPERIMENTS[name].settings.values() for name in names}
        each = [setting for of in settings.values() for setting in of]
        assert {setting.recipe.batch_size for setting in each} == {50, 64}
        assert {min(setting.epochs for setting in each), max(setting.epochs for setting in each)} == {1, 40}
        assert {setting.recipe.optimizer for setting in each} == {"adam"}
        for name, of in settings.items():
            digits = name in ("vgg_pairs", "vgg_starts")
            assert {setting.recipe.weight_decay for setting in of} == {0.0 if digits else 1e-4}
            assert {setting.recipe.schedule for setting in of} == {"constant" if name == "vgg_starts" else "cosine"}


class TestLenet:
    """What lesson 03 concludes from its recorded runs."""

    COUNTS = 2  # percent: what the lesson calls a rise

    def rise(self, name: str, metric: str) -> list[float]:
        """By how many percent the validation curve ends above its lowest, both as means of three, one per seed."""
        runs = experiments.compared("lenet5_overfits")[name]
        return [experiments.rise(run["measured"]["validation"][metric][1:]) for run in runs]

    def test_with_500_correct_labels_the_loss_rises_and_the_error_does_not(self):
        assert min(self.rise("500 digits", "loss")) > 5 * self.COUNTS
        assert max(self.rise("500 digits", "error")) < self.COUNTS

    @pytest.mark.parametrize(("name", "error"), [("500 digits, 10 % wrong", 3), ("500 digits, 50 % wrong", 15)])
    def test_wrong_labels_raise_the_error_too(self, name, error):
        assert min(self.rise(name, "loss")) > 20 and min(self.rise(name, "error")) > error

    def test_the_training_digits_are_learned_by_heart(self):
        for name, runs in experiments.compared("lenet5_overfits").items():
            assert all(run["measured"]["training"]["error"][-1] < 0.001 for run in runs), name

    @pytest.mark.parametrize("metric", ["loss", "error"])
    def test_with_50000_digits_the_seeds_differ(self, metric):
        rises = self.rise("50,000 digits", metric)
        assert min(rises) < self.COUNTS < max(rises) < 5

    def test_after_one_epoch_the_training_loss_is_the_lower_one_once_both_are_measured_then(self):
        for run in experiments.compared("lenet5_overfits")["50,000 digits"]:
            assert run["measured"]["training"]["loss"][1] < run["measured"]["validation"]["loss"][1]

    def test_no_rate_clearly_ends_farther_above_its_lowest_loss(self):
        runs = {float(name.split()[1]): each for name, each in experiments.compared("lenet5_rates").items()}
        losses = {rate: [experiments.rise(run["history"]["val_loss"]) for run in each] for rate, each in runs.items()}
        assert sorted(losses) == [0.01, 0.05, 0.2]
        assert max(losses[0.01]) > min(losses[0.2]) and max(losses[0.2]) > min(losses[0.01])
        assert [sum(rise > self.COUNTS for rise in losses[rate]) for rate in sorted(losses)] == [1, 3, 2]
        for run in (run for each in runs.values() for run in each):
            means = np.convolve(1 - np.array(run["history"]["val_accuracy"]), np.ones(3) / 3, "valid")
            assert means[-1] - means.min() < 0.0006  # 6 of 10,000 digits, less than the standard error of 10

    def test_at_the_smallest_rate_no_run_fits_all_training_digits(self):
        for run in experiments.compared("lenet5_rates")["rate 0.01"]:
            assert run["history"]["accuracy"][-1] < 0.999

    @pytest.mark.parametrize("name", ["lenet5_1998", "lenet5"])
    def test_no_run_can_be_told_apart_from_the_paper(self, name):
        """All lie within two standard errors of a difference from the published 0.95 %."""
        (errors,) = (np.array(each) for each in experiments.errors(name).values())
        variance = (errors * (100 - errors) + 0.95 * (100 - 0.95)) / 10_000
        assert (np.abs(errors - 0.95) < 2 * np.sqrt(variance)).all()

    def test_all_three_ideas_cost_less_than_the_fixed_codes_alone(self):
        errors = experiments.errors("lenet5_steps")
        assert max(errors["all three"]) < min(errors["fixed codes"])
        for name in ("trained subsampling", "fixed codes", "all three"):
            assert min(errors[name]) > max(errors["today's"])
        assert min(errors["partial c3"]) < max(errors["today's"])

    def test_each_step_changes_one_simplification(self):
        settings = experiments.recorded("lenet5_steps")["settings"]
        undone = {setting["group"]: sum(setting["options"].values()) for setting in settings.values()}
        assert undone == {
            "today's": 0,
            "partial c3": 1,
            "trained subsampling": 1,
            "fixed codes": 1,
            "all three": 3,
        }
        recipes = [{**setting["recipe"], "learning_rate": 0} for setting in settings.values()]
        assert all(recipe == recipes[0] for recipe in recipes)

    def test_no_idea_of_1998_alone_lowers_the_test_error_in_every_seed(self):
        errors = experiments.errors("lenet5_steps")
        usual = errors.pop("today's")
        assert not any(max(each) < min(usual) for each in errors.values())

    def test_the_best_learning_rate_is_none_at_the_end_of_what_was_tried(self):
        rates = {}
        for run in experiments.recorded("lenet5_steps")["runs"]:
            group, rate = run["setting"].split(", rate ")
            if run["seed"] == 0:
                rates.setdefault(group, {})[float(rate)] = run["measured"]["validation"]["error"][-1]
        for errors in rates.values():
            assert min(errors) < min(errors, key=errors.get) < max(errors)


class TestLessonOne:
    """What lesson 01 says of its recorded runs."""

    def test_a_shuffle_costs_the_convolutional_network_alone(self):
        errors = experiments.errors("shuffled_pixels")
        dense, shuffled = (errors[f"dense, {order}"] for order in ("as they are", "shuffled"))
        assert abs(np.median(dense) - np.median(shuffled)) < 3
        assert max(errors["convolutional, as they are"]) + 20 < min(errors["convolutional, shuffled"])
        assert max(errors["convolutional, as they are"]) < min(dense)
        assert min(errors["convolutional, shuffled"]) > max(shuffled)

    def test_the_best_learning_rate_is_none_at_the_end_of_what_was_tried(self):
        runs = [run for run in experiments.recorded("shuffled_pixels")["runs"] if run["seed"] == 0]
        rates = {}
        for run in runs:
            group, rate = run["setting"].split(", rate ")
            rates.setdefault(group, {})[float(rate)] = run["history"]["val_accuracy"][-1]
        for group, accuracies in rates.items():
            if group.startswith("convolutional"):
                assert min(accuracies) < max(accuracies, key=accuracies.get) < max(accuracies)

    def test_coordinates_mend_the_network_that_averages(self):
        errors = experiments.errors("left_or_right")
        assert max(errors["averages, with coordinates"]) < min(errors["averages"])
        assert min(errors["averages"]) > 30

    def test_elsewhere_the_median_error_is_higher(self):
        errors = experiments.other_errors("places")
        for place in errors:
            home = np.median(errors[place][place])
            assert all(np.median(found[place]) >= home for found in errors.values())


class TestLessonTwo:
    """What lesson 02 says of its recorded runs."""

    def test_more_images_lower_the_error_and_random_labels_are_learned(self):
        errors = experiments.errors("training_set_size")
        medians = [np.median(errors[count]) for count in ("125", "500", "2000", "8000")]
        assert np.diff(medians).max() < -2
        training = [
            run["history"]["accuracy"][-1] for run in experiments.compared("training_set_size")["2000, random labels"]
        ]
        assert min(training) > 0.5 and min(errors["2000, random labels"]) > 85

    def test_digits_are_easier(self):
        digits = experiments.errors("digits_or_scenes")["digits"]
        assert max(digits) < 0.5 * min(experiments.errors("training_set_size")["2000"])


def test_further_test_sets_are_asked_for_where_there_are_any():
    errors = experiments.other_errors("toy_scenes_baselines")
    assert {len(values) for found in errors.values() for values in found.values()} == {3}
    with pytest.raises(ValueError, match="no further test sets"):
        experiments.other_errors("lenet5")


class TestBatchAndRate:
    """What lesson 08 concludes from its recorded runs: validation digits choose, test digits give the error."""

    BATCHES, RATES = (32, 128, 512, 2048), (0.01, 0.03, 0.1, 0.3, 1.0)

    @staticmethod
    def in_percent(runs):
        """The test error in percent, per seed."""
        assert all("status" not in run and run["final"]["test_examples"] == 10_000 for run in runs)
        return [run["final"]["test_errors"] / 100 for run in runs]

    @pytest.fixture
    def errors(self):
        """The last validation error in percent, per batch size, learning rate and seed."""
        found = experiments.compared("batch_and_rate")
        return {
            (batch, rate): [
                100 * run["measured"]["validation"]["error"][-1] for run in found[f"batch {batch}, rate {rate}"]
            ]
            for batch in self.BATCHES
            for rate in self.RATES
        }

    @pytest.fixture
    def tested(self):
        """The test error in percent, per batch size, learning rate and seed."""
        found = experiments.compared("batch_and_rate")
        return {
            (batch, rate): self.in_percent(found[f"batch {batch}, rate {rate}"])
            for batch in self.BATCHES
            for rate in self.RATES
        }

    @pytest.fixture
    def best(self, errors):
        return {batch: min(self.RATES, key=lambda rate: np.median(errors[batch, rate])) for batch in self.BATCHES}

    @pytest.mark.parametrize("part", ["errors", "tested"])
    def test_a_larger_batch_at_the_same_rate_errs_more_and_another_rate_wins_back_a_part(self, part, best, request):
        found = request.getfixturevalue(part)
        base, same, tuned = found[32, best[32]], found[512, best[32]], found[512, best[512]]
        assert min(same) > max(base) and min(tuned) > max(base)
        assert np.median(tuned) < min(same)

    def test_every_larger_batch_errs_more_on_the_test_digits(self, tested, best):
        assert all(min(tested[batch, best[batch]]) > max(tested[32, best[32]]) for batch in self.BATCHES[1:])

    def test_a_third_of_the_best_rate_is_a_little_worse_for_the_smallest_batch(self, errors, tested, best):
        assert best[32] == 0.03
        for found in (errors, tested):
            assert np.greater(found[32, 0.01], found[32, 0.03]).all()  # in every seed
        assert np.median(tested[32, 0.01]) - np.median(tested[32, 0.03]) == pytest.approx(0.1, abs=0.05)

    def test_the_best_rate_grows_with_the_batch_and_falls_behind_the_linear_rule(self, best):
        chosen = list(best.values())
        assert chosen == sorted(chosen) and chosen[-1] > chosen[0]
        assert best[128] == 0.1 and best[2048] < 64 * best[32] / 4

    def test_at_a_rate_of_1_most_seeds_fail_for_every_batch_size(self, errors):
        assert min(np.median(errors[batch, 1.0]) for batch in self.BATCHES) > 80

    def test_the_settings_differ_in_batch_and_rate_alone(self):
        settings = experiments.recorded("batch_and_rate")["settings"].values()
        rest = [each | {"recipe": {**each["recipe"], "batch_size": 0, "learning_rate": 0}} for each in settings]
        assert all(each == rest[0] for each in rest)

    def test_a_larger_batch_can_fit_the_training_digits_and_still_err_more(self, errors, tested, best):
        found = experiments.compared("batch_and_rate")
        fit = {
            name: [100 * run["measured"]["training"]["error"][-1] for run in found[name]]
            for name in ("batch 32, rate 0.03", "batch 512, rate 0.03", "batch 512, rate 0.3")
        }
        assert max(fit["batch 512, rate 0.3"] + fit["batch 32, rate 0.03"]) < 0.02
        assert min(fit["batch 512, rate 0.03"]) > 1
        assert min(errors[512, 0.3]) > max(errors[32, best[32]])
        assert min(tested[512, 0.3]) > max(tested[32, best[32]])

    def test_256_steps_of_512_images_end_lower_than_512_steps_of_32(self):
        found = experiments.compared("batch_and_rate")
        large, small = (
            [run["measured"]["validation"]["error"][place] for run in found[name]]
            for name, place in (("batch 512, rate 0.1", -1), ("batch 32, rate 0.03", 1))
        )
        assert max(large) < min(small)
        assert [8_192 // 512 * 16, 8_192 // 32 * 2] == [256, 512]  # measured after every second epoch

    def test_a_warm_up_lets_the_largest_batch_train_at_a_rate_of_1(self, errors, tested):
        found = experiments.compared("large_batch_warm_up")
        assert list(found) == ["batch 2048, rate 0.3, warm-up", "batch 2048, rate 1.0, warm-up"]
        late = dict(zip((0.3, 1.0), map(self.in_percent, found.values()), strict=True))
        assert max(late[1.0]) < 10 < np.median(tested[2048, 1.0])
        low, high = min(tested[2048, 0.3]), max(tested[2048, 0.3])
        assert min(late[1.0]) < low and high < max(late[1.0])  # no clear difference

    def test_where_no_warm_up_is_needed_it_makes_no_clear_difference(self, errors, tested):
        runs = experiments.compared("large_batch_warm_up")["batch 2048, rate 0.3, warm-up"]
        validation = [100 * run["measured"]["validation"]["error"][-1] for run in runs]
        assert np.greater(validation, errors[2048, 0.3]).all()  # slightly higher there, slightly lower here
        assert np.less(self.in_percent(runs), tested[2048, 0.3]).all()
        assert max(self.in_percent(runs)) > min(tested[2048, 0.3])

    def test_a_warm_up_is_all_that_differs(self):
        plain = experiments.EXPERIMENTS["batch_and_rate"].settings
        for name, setting in experiments.EXPERIMENTS["large_batch_warm_up"].settings.items():
            before, after = plain[name.removesuffix(", warm-up")].describe(), setting.describe()
            assert after["recipe"].pop("warm_up") == 5
            before["recipe"].pop("warm_up", 0)
            assert after == before

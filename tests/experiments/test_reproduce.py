"""`reproduce`: every finished run is kept, and what is kept fits the code."""

import dataclasses
import functools
import json

import numpy as np
import pytest

from course_lib import common, experiments
from course_lib.batching import Split
from course_lib.experiments import Experiment, Setting, reproduce
from course_lib.experiments.experiment import data_id, identity, soonest, steps_to
from course_lib.training import Recipe, Stopped

RECIPE = Recipe(learning_rate=0.05, batch_size=16)


@data_id("random")
def toy_digits() -> tuple[Split, Split, Split]:
    """Random pictures, 24 in each part."""
    images = np.random.default_rng(0).integers(0, 256, (24, 32, 32, 1)).astype(np.uint8)
    split = Split(images, np.arange(24) % 10)
    return split, split, split


def toy(recipe: Recipe = RECIPE, epochs: int = 2) -> Experiment:
    setting = Setting("lenet5", recipe, epochs, toy_digits, {"width": 0.1})
    return Experiment("A toy", "nothing", {"small": setting})


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """An empty folder of recorded runs, and `toy` as the one experiment."""
    monkeypatch.setattr(common, "RUNS", tmp_path / "runs")
    monkeypatch.setitem(reproduce.EXPERIMENTS, "toy", toy())
    monkeypatch.setattr(reproduce.startup, "setup", lambda: None)
    return tmp_path / "runs"


@pytest.fixture
def trained(monkeypatch):
    """The seeds that were trained, in order."""
    seeds, train = [], reproduce.train

    def noting(*arguments, seed, **given):
        seeds.append(seed)
        return train(*arguments, seed=seed, **given)

    monkeypatch.setattr(reproduce, "train", noting)
    return seeds


def test_the_command_trains_records_and_prints_its_figures(runs, trained, capsys):
    assert reproduce.main(["toy", "--seeds", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["A toy", "published: nothing"]
    record = json.loads((runs / "toy.json").read_text(encoding="utf-8"))
    errors = [run["final"]["test_errors"] for run in record["runs"]]
    for seed in (0, 1):
        (line,) = [line for line in lines if line.startswith(f"small, seed {seed}: ")]
        assert line.startswith(f"small, seed {seed}: {errors[seed]} errors of 24 ({errors[seed] / 24:.2%}), ")
    assert lines[-1].startswith(f"small: median test error {np.median(errors) / 24:.2%} over 2 seeds, ")
    assert trained == [0, 1]


def test_the_layout_of_a_record(runs):
    record = reproduce.reproduce("toy", toy(), [0])
    assert json.loads((runs / "toy.json").read_text(encoding="utf-8")) == json.loads(json.dumps(record))
    assert (record["name"], record["title"], record["published"]) == ("toy", "A toy", "nothing")
    assert record["settings"]["small"] == {
        "network": "lenet5",
        "options": {"width": 0.1},
        "recipe": RECIPE.record(),
        "epochs": 2,
        "data": "random",
        "about": "Random pictures, 24 in each part.",
    }
    (run,) = record["runs"]
    assert (run["setting"], run["seed"]) == ("small", 0)
    assert {"model", "versions", "hardware", "data", "history", "seconds", "images_per_second", "final"} <= set(run)
    assert run["data"]["examples"] == 24 and run["model"]["name"] == "lenet5"
    assert sorted(run["history"]) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    for values in run["history"].values():
        assert len(values) == 2 and all(len(f"{value:.10g}".replace(".", "").lstrip("0")) <= 5 for value in values)
    assert run["final"]["test_examples"] == 24


def test_errors_are_those_of_the_last_epoch_on_the_test_images(runs):
    (run,) = reproduce.reproduce("toy", toy(), [3])["runs"]
    # Here the test images are the validation images too.
    assert run["final"]["test_errors"] == round(24 * (1 - run["history"]["val_accuracy"][-1]))


def test_a_stopped_command_continues_after_the_last_finished_seed(runs, trained, monkeypatch, capsys):
    train = reproduce.train

    def stopped(*arguments, seed, **given):
        run = train(*arguments, seed=seed, **given)
        if seed == 1:
            raise Stopped(run, "stopped by hand")
        return run

    with monkeypatch.context() as stop:
        stop.setattr(reproduce, "train", stopped)
        assert reproduce.main(["toy"]) == 130
    assert "continues after the last finished seed" in capsys.readouterr().err
    assert [run["seed"] for run in json.loads((runs / "toy.json").read_text())["runs"]] == [0]
    first = (runs / "toy.json").read_text()
    trained.clear()
    assert reproduce.main(["toy"]) == 0
    assert trained == [1, 2]
    record = json.loads((runs / "toy.json").read_text())
    assert [run["seed"] for run in record["runs"]] == [0, 1, 2]
    assert record["runs"][0] == json.loads(first)["runs"][0]
    trained.clear()
    assert reproduce.main(["toy"]) == 0 and trained == []  # nothing is left to do; its figures are printed again
    assert "small, seed 2: " in capsys.readouterr().out


def test_a_killed_command_leaves_whole_files(runs, monkeypatch):
    def killed(*_, seed, **__):
        raise SystemExit

    reproduce.reproduce("toy", toy(), [0])
    monkeypatch.setattr(reproduce, "train", killed)
    with pytest.raises(SystemExit):
        reproduce.reproduce("toy", toy(), [0, 1])
    assert [file.name for file in runs.iterdir()] == ["toy.json"]
    assert len(json.loads((runs / "toy.json").read_text())["runs"]) == 1


def test_an_unfinished_record_says_so_until_it_is_whole(runs, monkeypatch):
    train = reproduce.train

    def stopped(*arguments, seed, **options):
        if seed == 1:
            raise KeyboardInterrupt
        return train(*arguments, seed=seed, **options)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(reproduce, "train", stopped)
        reproduce.reproduce("toy", toy(), [0, 1])
    assert (experiments.recorded("toy")["status"], len(experiments.recorded("toy")["runs"])) == ("unfinished", 1)
    with pytest.raises(FileNotFoundError, match=r"'toy' is recorded as unfinished; python -m course_lib reproduce toy"):
        experiments.compared("toy")
    reproduce.reproduce("toy", toy(), [0, 1])
    assert "status" not in experiments.recorded("toy")
    assert len(experiments.compared("toy")["small"]) == 2


@pytest.mark.parametrize(
    "changed",
    [toy(Recipe(learning_rate=0.01, batch_size=16)), toy(epochs=1)],
    ids=["another recipe", "other epochs"],
)
def test_what_the_code_has_changed_is_trained_again(changed, runs, trained, capsys):
    reproduce.reproduce("toy", toy(), [0, 1])
    trained.clear()
    record = reproduce.reproduce("toy", changed, [0])
    assert trained == [0] and len(record["runs"]) == 1
    assert "small was recorded with another network, recipe or data: it is trained again" in capsys.readouterr().out
    assert record["settings"] == {"small": changed.settings["small"].describe()}


def test_rewording_what_is_said_of_the_data_changes_nothing(runs, trained):
    reproduce.reproduce("toy", toy(), [0])
    said = toy_digits.__doc__
    try:
        toy_digits.__doc__ = "Pictures of noise, two dozen per part."
        record = reproduce.reproduce("toy", toy(), [0])
    finally:
        toy_digits.__doc__ = said
    assert trained == [0] and record["settings"]["small"]["about"].startswith("Pictures of noise")


def test_a_field_that_recipes_get_later_changes_nothing():
    described = toy().settings["small"].describe()
    older = described | {"recipe": {"learning_rate": 0.05, "batch_size": 16}}
    assert identity(older) == identity(described)
    for name, other in (("data", "noise"), ("epochs", 3), ("options", {"width": 0.2}), ("network", "lenet5_1998")):
        assert identity(described | {name: other}) != identity(described)


def test_again_forgets(runs, trained):
    reproduce.main(["toy", "--seeds", "1"])
    reproduce.main(["toy", "--seeds", "1", "--again"])
    assert trained == [0, 0]
    assert len(json.loads((runs / "toy.json").read_text())["runs"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lenet"], "unknown experiment 'lenet'. Did you mean 'lenet5'"),
        (["toy", "--seeds", "0"], "seeds must be a whole number of at least 1, not 0"),
    ],
)
def test_what_the_command_refuses(arguments, message, runs, capsys):
    assert reproduce.main(arguments) == 1
    assert message in capsys.readouterr().err


def test_a_run_that_was_not_recorded(runs):
    with pytest.raises(FileNotFoundError, match=r"no recorded run 'toy' \(recorded: none yet\); make it with: python"):
        experiments.recorded("toy")
    reproduce.reproduce("toy", toy(), [0])
    assert experiments.recorded("toy")["title"] == "A toy"
    with pytest.raises(FileNotFoundError, match=r"no recorded run 'tou' \(recorded: toy\)"):
        experiments.recorded("tou")


def test_what_could_not_be_trained_is_recorded_as_that(runs, trained, capsys):
    assert reproduce.main(["toy", "--not-run", "no GPU"]) == 0
    record = experiments.recorded("toy")
    assert (record["status"], record["why"], record["runs"], trained) == ("not run", "no GPU", [], [])
    assert reproduce.main(["toy", "--seeds", "1"]) == 0 and trained == [0]
    assert "status" not in experiments.recorded("toy")
    assert reproduce.main(["toy", "--not-run", "no GPU"]) == 1
    assert "has recorded runs, which would be lost" in capsys.readouterr().err
    assert len(experiments.recorded("toy")["runs"]) == 1


def several(best=None, **changed) -> Experiment:
    """Settings of one toy network, by name; each a dict of what differs."""
    whole = toy().settings["small"]
    return Experiment(
        "Toys", "nothing", {name: dataclasses.replace(whole, **given) for name, given in changed.items()}, best=best
    )


def test_training_and_validation_are_measured_without_dropout_every_few_epochs(runs):
    options = {"activation": "relu", "width": 0.1}
    experiment = several(small={"epochs": 5, "measure_every": 2, "options": options})
    (run,) = reproduce.reproduce("toy", experiment, [0])["runs"]
    assert sorted(run["history"]) == ["accuracy", "loss"]
    for history in run["measured"].values():
        assert history["epoch"] == [0, 2, 4, 5]
        assert history["loss"][0] == pytest.approx(np.log(10), rel=0.2)
    # Here both are the same pictures, and the test pictures too.
    assert run["measured"]["training"] == run["measured"]["validation"]
    assert run["measured"]["training"]["error"][-1] == pytest.approx(run["final"]["test_errors"] / 24, rel=1e-4)


def test_a_run_ends_once_its_error_is_reached(runs):
    experiment = several(small={"epochs": 200, "until": 0.5, "measure_every": 1000})
    (run,) = reproduce.reproduce("toy", experiment, [0])["runs"]
    accuracy = run["history"]["accuracy"]
    assert len(accuracy) < 200 and accuracy[-1] >= 0.5 and max(accuracy[:-1]) < 0.5
    assert run["measured"]["training"]["epoch"] == [0, len(accuracy)]
    assert steps_to(run, 0.5) == 2 * len(accuracy)  # 24 pictures in batches of 16
    assert steps_to(run, 0.0) == float("inf")


def test_only_the_best_of_a_group_gets_the_other_seeds(runs):
    slow = {"recipe": Recipe(learning_rate=1e-6, batch_size=16), "epochs": 3, "group": "rates"}
    fast = slow | {"recipe": Recipe(learning_rate=0.1, batch_size=16)}
    experiment = several(lambda run: run["history"]["loss"][-1], slow=slow, fast=fast, alone={})
    found = reproduce.reproduce("toy", experiment, [0, 1])["runs"]
    assert [(run["setting"], run["seed"]) for run in found] == [
        *(("slow", 0), ("fast", 0), ("alone", 0)),
        *(("fast", 1), ("alone", 1)),
    ]


def test_a_better_setting_that_comes_later_takes_the_place_of_the_former_best(runs):
    slow = {"recipe": Recipe(learning_rate=1e-6, batch_size=16), "epochs": 3, "group": "rates"}
    fast = slow | {"recipe": Recipe(learning_rate=0.1, batch_size=16)}
    best = functools.partial(several, lambda run: run["history"]["loss"][-1])
    reproduce.reproduce("toy", best(slow=slow), [0, 1])
    found = reproduce.reproduce("toy", best(slow=slow, fast=fast), [0, 1])["runs"]
    assert [(run["setting"], run["seed"]) for run in found] == [("slow", 0), ("fast", 0), ("fast", 1)]
    assert [run["seed"] for run in experiments.compared("toy")["rates"]] == [0, 1]


def halved(source, model) -> None:
    model.set_weights([weights / 2 for weights in source.get_weights()])


def test_a_setting_can_start_from_the_trained_network_of_another(runs, trained):
    still = Recipe(learning_rate=1e-30, batch_size=16)
    experiment = several(first={"measure_every": 2}, second={"recipe": still, "start": ("first", halved)})
    networks = {}
    _, source = reproduce._run(experiment, "first", 0, networks)
    _, model = reproduce._run(experiment, "second", 0, networks)
    assert trained == [0, 0, 0]  # the first again, since nobody kept it: the same seed gives the same weights
    for one, other in zip(source.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(one / 2, other, rtol=1e-6)
    assert experiment.settings["second"].describe()["start"] == ["first", "halved"]


def test_a_run_whose_loss_is_no_longer_finite_is_recorded_as_that(runs, capsys):
    (run,) = reproduce.reproduce("toy", toy(Recipe(learning_rate=1e38, batch_size=16), epochs=5), [0])["runs"]
    assert run["status"] == "diverged" and steps_to(run, 0.1) == float("inf")
    assert "seed 0: the loss became " in capsys.readouterr().out


def test_a_run_that_diverged_in_its_first_epoch_is_never_the_soonest():
    slow = {"history": {"accuracy": [0.2, 0.3]}, "steps_per_epoch": 5}
    fast = {"history": {"accuracy": [0.5, 0.9]}, "steps_per_epoch": 5}
    diverged = {"history": {}, "steps_per_epoch": 5, "status": "diverged"}
    assert sorted((diverged, slow, fast), key=soonest(0.1)) == [fast, slow, diverged]
    assert soonest(0.1)(fast)[0] == 10

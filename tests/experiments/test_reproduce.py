"""`reproduce`: every finished run is kept, and what is kept fits the code."""

import json

import numpy as np
import pytest

from course_lib import common, experiments
from course_lib.batching import Split
from course_lib.experiments import Experiment, Setting, reproduce
from course_lib.experiments.experiment import data_id, identity
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

"""`python -m course_lib reproduce NAME`: train an experiment again, seed by seed, and record it.

Each finished run is written to `data/runs/NAME.json` at once, so a stopped command continues where it was; until the
last one has ended, the record says that it is unfinished, and no lesson can read it.
"""

import argparse
import dataclasses
import statistics
import sys
from collections.abc import Callable

import keras
import numpy as np

from course_lib import common, startup
from course_lib.batching import Split
from course_lib.experiments.experiment import Experiment, Setting, identity, recorded
from course_lib.experiments.filters import packed
from course_lib.experiments.measuring import Measured
from course_lib.experiments.registry import EXPERIMENTS
from course_lib.training import last_run, train

DIGITS_KEPT = 5  # of a history's values: more is noise, and makes the files long


def main(arguments: list[str]) -> int:
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m course_lib reproduce", description=__doc__.splitlines()[0])
    parser.add_argument("name", metavar="NAME", help=", ".join(sorted(EXPERIMENTS)))
    parser.add_argument("--seeds", type=int, help="how many seeds, from 0 (default: 3, of the longest ones 1)")
    parser.add_argument("--again", action="store_true", help="forget what is recorded, start afresh")
    parser.add_argument("--not-run", metavar="WHY", help="train nothing, record why: a run is never guessed")
    options = parser.parse_args(arguments)
    startup.setup()
    try:
        if options.name not in EXPERIMENTS:
            raise common.unknown("experiment", options.name, EXPERIMENTS)
        experiment = EXPERIMENTS[options.name]
        seeds = experiment.seeds if options.seeds is None else options.seeds
        common.at_least(1, seeds=seeds)
        if options.not_run:
            _say_not_run(options.name, experiment, options.not_run)
        else:
            reproduce(options.name, experiment, range(seeds), again=options.again)
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; the same command continues after the last finished seed", file=sys.stderr)
        return 130
    return 0


def reproduce(name: str, experiment: Experiment, seeds, *, again: bool = False) -> dict[str, object]:
    """Trains what is not recorded yet, writes each run as it ends, prints and returns the record."""
    print(f"{experiment.title}\npublished: {experiment.paper}")
    record = _empty(name, experiment)
    record["runs"] = [] if again else _still_valid(name, record["settings"])
    record["status"] = "unfinished"  # in the file until the last run
    networks = {}  # trained in this process, by setting and seed
    first = list(seeds)[:1]
    _train_missing(record, experiment, experiment.settings, first, networks)
    chosen = experiment.chosen(record["runs"])
    # A setting that came later may be the best of its group: the other seeds of the former best would pass for it.
    record["runs"] = [run for run in record["runs"] if run["seed"] in first or run["setting"] in chosen]
    _train_missing(record, experiment, chosen, seeds, networks)
    del record["status"]
    _write(record)
    for key in experiment.settings:
        _report(key, [run for run in record["runs"] if run["setting"] == key])
    return record


def _train_missing(record: dict, experiment: Experiment, names, seeds, networks: dict) -> None:
    """Trains those settings with those seeds that are not recorded, and records each run as it ends."""
    done = {(run["setting"], run["seed"]) for run in record["runs"]}
    sources = {setting.start[0] for setting in experiment.settings.values() if setting.start}
    for key in experiment.settings:
        for seed in seeds:
            if key in names and (key, seed) not in done:
                print(f"{key}, seed {seed}")
                run, network = _run(experiment, key, seed, networks)
                if key in sources:
                    networks[key, seed] = network
                record["runs"].append({"setting": key, **run})
                _write(record)


def _say_not_run(name: str, experiment: Experiment, why: str) -> None:
    record = _empty(name, experiment)
    if _still_valid(name, record["settings"]):
        raise ValueError(f"{name} has recorded runs, which would be lost: delete {name}.json if you mean it")
    _write(record | {"status": "not run", "why": why})


def _empty(name: str, experiment: Experiment) -> dict[str, object]:
    settings = {key: setting.describe() for key, setting in experiment.settings.items()}
    return {"name": name, "title": experiment.title, "published": experiment.paper, "settings": settings, "runs": []}


def _write(record: dict[str, object]) -> None:
    common.RUNS.mkdir(parents=True, exist_ok=True)
    common.write_json(common.RUNS / f"{record['name']}.json", record)


def _still_valid(name: str, settings: dict) -> list[dict]:
    """The recorded runs whose setting is still the one in the code."""
    try:
        record = recorded(name)
    except FileNotFoundError:
        return []
    changed = [
        key
        for key, kept in record["settings"].items()
        if key not in settings or identity(kept) != identity(settings[key])
    ]
    for key in changed:
        print(f"{key} was recorded with another network, recipe or data: it is trained again")
    return [run for run in record["runs"] if run["setting"] not in changed]


def _run(experiment: Experiment, key: str, seed: int, networks: dict) -> tuple[dict[str, object], keras.Model]:
    """The record of one run, and its network."""
    setting = experiment.settings[key]
    data, validation, test = setting.data()
    measured = Measured({"training": data, "validation": validation} if setting.measure_every else {}, setting)
    status = {}
    try:
        run = train(
            _builder(experiment, setting, seed, networks),
            data,
            recipe=setting.recipe,
            epochs=setting.epochs,
            validation=None if setting.measure_every else validation,
            seed=seed,
            callbacks=[measured],
        )
    except FloatingPointError as error:
        print(f"{key}, seed {seed}: {error}")
        run = last_run()
        status = {"status": "diverged"}
    if setting.keep and seed == 0:
        with setting.recipe.building():
            bare = setting.build()()
        bare.set_weights(run.model.get_weights())
        dataclasses.replace(run, model=bare).save(setting.keep)  # the optimizer's state would treble the file
    record = run.record()
    del record["recipe"], record["epochs"], record["status"]  # the setting says them
    record["history"] = _rounded(run.history)
    record["steps_per_epoch"] = -(-len(data) // setting.recipe.batch_size)
    if setting.measure_every:
        record["measured"] = {name: _rounded(history) for name, history in measured.history.items()}
    if setting.watch:
        record["kernels"] = packed(measured.history["training"]["epoch"], measured.kernels)
    record |= {"seconds": round(run.seconds, 1), "images_per_second": round(run.images_per_second)}
    final = {"test_errors": _errors(run.model, test), "test_examples": len(test)}
    if setting.also:
        others = setting.also()
        final["also"] = {
            name: {"errors": _errors(run.model, split), "examples": len(split)} for name, split in others.items()
        }
    return record | {"final": final} | status, run.model


def _builder(experiment: Experiment, setting: Setting, seed: int, networks: dict) -> Callable[[], keras.Model]:
    """What `train` calls: the network, where the setting says so with weights of another setting's trained one."""
    build = setting.build()
    if setting.start is None:
        return build
    source, transfer = setting.start
    if (source, seed) not in networks:  # recorded by an earlier process: the same seed gives the same weights again
        networks[source, seed] = _run(experiment, source, seed, networks)[1]

    def started() -> keras.Model:
        model = build()
        transfer(networks[source, seed], model)
        return model

    return started


def _rounded(history: dict[str, list]) -> dict[str, list]:
    return {
        name: [float(f"{value:.{DIGITS_KEPT}g}") if isinstance(value, float) else value for value in values]
        for name, values in history.items()
    }


def _errors(model, split: Split) -> int:
    logits = model.predict(split.batches(500, training=False), verbose=0)
    return int(np.sum(np.argmax(logits, axis=-1) != split.arrays()[1]))


def _report(key: str, runs: list[dict]) -> None:
    if not runs:
        return
    for run in sorted(runs, key=lambda run: run["seed"]):
        final = run["final"]
        print(
            f"{key}, seed {run['seed']}: {final['test_errors']} errors of {final['test_examples']:,} "
            f"({final['test_errors'] / final['test_examples']:.2%}), {run['seconds']:.0f} s"
        )
    shares = [run["final"]["test_errors"] / run["final"]["test_examples"] for run in runs]
    print(
        f"{key}: median test error {statistics.median(shares):.2%} over {len(runs)} seeds, "
        f"{min(shares):.2%} to {max(shares):.2%}"
    )

"""What an experiment is, and where its recorded runs are read."""

import dataclasses
import functools
import json
import pathlib
from collections.abc import Callable

from course_lib import common, models
from course_lib.batching import Split
from course_lib.training import Recipe

Parts = tuple[Split, Split | None, Split]  # training, validation and test images


def data_id(text: str) -> Callable[[Callable], Callable]:
    """Gives a function of data the name by which recorded runs know it; its docstring may be reworded then.

    Change the name where the function's result changes: what was recorded with it counts no more.
    """

    def named(function: Callable) -> Callable:
        function.data_id = text
        return function

    return named


@dataclasses.dataclass(frozen=True)
class Setting:
    """One way to train: a network, a recipe, data."""

    network: str | Callable  # a name of the catalog, or a function that builds it
    recipe: Recipe
    epochs: int  # at most, where `until` is given
    data: Callable[[], Parts]  # with a `data_id`
    options: dict[str, object] = dataclasses.field(default_factory=dict)  # of the network
    measure_every: int = 0  # epochs between two measurements of training and validation images, the last one included;
    # 0: validation images alone, after each epoch
    until: float = 0.0  # training ends after the first epoch whose training error is at most this
    group: str = ""  # settings to choose from by their first seed; the best of them alone gets the other seeds
    start: tuple[str, Callable] | None = None  # (a setting, a function of its trained network and the new one)
    also: Callable[[], dict[str, Split]] | None = None  # further images to report on, by name
    keep: pathlib.Path | None = None  # a folder for the weights of seed 0, where a lesson goes on from them
    watch: str = ""  # a layer whose kernels are recorded at each measurement

    def build(self) -> Callable:
        """The builder that `train` takes."""
        if callable(self.network):
            return functools.partial(self.network, **self.options)
        return functools.partial(models.build, self.network, **self.options)

    def describe(self) -> dict[str, object]:
        """The setting as JSON values; "about" says in words what the data are."""
        described = {
            "network": self.network.__name__ if callable(self.network) else self.network,
            "options": self.options,
            "recipe": self.recipe.record(),
            "epochs": self.epochs,
            "data": self.data.data_id,
            "about": " ".join((self.data.__doc__ or "").split()),  # Python 3.13 strips a docstring's indents
        }
        rarer = {"measure_every": self.measure_every, "until": self.until, "group": self.group, "watch": self.watch}
        described |= {name: value for name, value in rarer.items() if value}
        if self.start:
            described["start"] = [self.start[0], self.start[1].__name__]
        return json.loads(json.dumps(described))  # tuples become lists, as in a file


DECIDING = ("network", "options", "epochs", "data", "measure_every", "until", "start", "watch")


def identity(described: dict[str, object]) -> dict[str, object]:
    """What decides a setting's runs, of what `Setting.describe` returns or a record holds.

    Words do not count, nor do fields of the recipe that are at their default: later versions may add some.
    """
    deciding = {name: described[name] for name in DECIDING if name in described}
    recipe = Recipe(**described["recipe"]).chosen()
    return json.loads(json.dumps(deciding | {"recipe": recipe}))


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Settings to be compared, and what the paper found."""

    title: str
    paper: str  # the published figure and where it stands
    settings: dict[str, Setting]
    seeds: int = 3  # as many a setting as a record needs
    best: Callable[[dict], float] | None = None  # a figure of a run, the smaller the better, to choose in a group by

    def chosen(self, runs: list[dict[str, object]]) -> set[str]:
        """The settings that are to be run with every seed; in a group it is the one whose seed 0 did best."""
        first = {run["setting"]: run for run in runs if run["seed"] == 0}
        names = {name for name, setting in self.settings.items() if not setting.group}
        for group in {setting.group for setting in self.settings.values()} - {""}:
            members = [name for name, setting in self.settings.items() if setting.group == group]
            if all(name in first for name in members):
                names.add(min(members, key=lambda name: self.best(first[name])))
        return names


def steps_to(run: dict[str, object], error: float) -> float:
    """Training steps of a recorded run until an epoch's training error was at most `error`; infinite if it never was.

    The training error is the mean over the epoch's batches, while they are trained on.
    """
    steps_per_epoch = run.get("steps_per_epoch") or -(-run["data"]["examples"] // run["data"]["batch_size"])
    for epoch, accuracy in enumerate(run["history"].get("accuracy", ()), start=1):
        if 1 - accuracy <= error + 1e-9:
            return epoch * steps_per_epoch
    return float("inf")


def soonest(error: float) -> Callable[[dict], tuple[float, float]]:
    """To choose a learning rate by: steps to this training error; where none gets there, the last error.

    A run that diverged in its first epoch has learned nothing.
    """

    def figure(run: dict[str, object]) -> tuple[float, float]:
        last = run["history"].get("accuracy", [])[-1:]
        return steps_to(run, error), 1 - sum(last)

    return figure


def last_validation_error(run: dict[str, object]) -> float:
    """To choose a learning rate by: the validation error after the last epoch."""
    return run["measured"]["validation"]["error"][-1]


def recorded(name: str) -> dict[str, object]:
    """The recorded runs of experiment `name`, as `data/runs/<name>.json` holds them.

    Raises:
        FileNotFoundError: it has not been recorded; the message says how it is.
    """
    path = common.RUNS / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in common.RUNS.glob("*.json"))) or "none yet"
        raise FileNotFoundError(
            f"no recorded run {name!r} (recorded: {known}); make it with: python -m course_lib reproduce {name}"
        )
    return json.loads(path.read_text(encoding="utf-8"))


def compared(name: str) -> dict[str, list[dict[str, object]]]:
    """The runs that recorded experiment `name` compares: setting → its runs, one per seed.

    Of a group, such as one network with three learning rates, only the chosen setting counts, under the group's name.

    Args:
        name: of the experiment.

    Raises:
        FileNotFoundError: it has not been recorded, or not all of it.
    """
    record = recorded(name)
    if "status" in record:
        raise FileNotFoundError(
            f"experiment {name!r} is recorded as {record['status']}; python -m course_lib reproduce {name} trains what "
            "is missing"
        )
    found: dict[str, list[dict[str, object]]] = {}
    for name, setting in record["settings"].items():
        runs = [run for run in record["runs"] if run["setting"] == name]
        group = setting.get("group", name)
        if len(runs) > len(found.get(group, [])):
            found[group] = runs
    return found


def errors(name: str) -> dict[str, list[float]]:
    """The test errors of what recorded experiment `name` compares, in percent: setting → one per seed.

    Raises:
        FileNotFoundError: it has not been recorded.
    """
    return {setting: _test_errors(runs) for setting, runs in compared(name).items()}


def _test_errors(runs: list[dict[str, object]]) -> list[float]:
    """The test errors of recorded runs, in percent."""
    finals = [run["final"] for run in runs]
    return [100 * final["test_errors"] / final["test_examples"] for final in finals]


def both_errors(name: str) -> dict[str, dict[str, list[float]]]:
    """Training and test errors of what recorded experiment `name` compares: setting → "training" and "test" → seeds.

    All are in percent, after the last epoch. Where a record did not measure the training images by themselves, the
    training error is the mean over the last epoch's batches while it went on, with dropout and augmentation.

    Args:
        name: of the experiment.

    Raises:
        FileNotFoundError: it has not been recorded.
    """
    return {
        setting: {"training": [_training_error(run) for run in runs], "test": _test_errors(runs)}
        for setting, runs in compared(name).items()
    }


def _training_error(run: dict[str, object]) -> float:
    """The training error of a recorded run after its last epoch, in percent."""
    if "training" in run.get("measured", {}):
        return 100 * run["measured"]["training"]["error"][-1]
    return 100 - 100 * run["history"]["accuracy"][-1]


def other_errors(name: str) -> dict[str, dict[str, list[float]]]:
    """The errors on the further test sets of recorded experiment `name`, in percent: setting → set → one per seed.

    Raises:
        FileNotFoundError: it has not been recorded.
        ValueError: it has no further test sets.
    """
    found: dict[str, dict[str, list[float]]] = {}
    for setting, runs in compared(name).items():
        sets = [run["final"].get("also", {}) for run in runs]
        if not all(sets):
            raise ValueError(f"{name} has no further test sets; experiments.errors({name!r}) gives its test errors")
        found[setting] = {key: [100 * each[key]["errors"] / each[key]["examples"] for each in sets] for key in sets[0]}
    return found

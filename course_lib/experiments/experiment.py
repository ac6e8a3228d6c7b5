"""What an experiment is, and where its recorded runs are read."""

import dataclasses
import functools
import json
import pathlib
from collections.abc import Callable

from course_lib import common, models
from course_lib.batching import Split
from course_lib.training import Recipe


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
    epochs: int
    data: Callable[[], tuple[Split, Split | None, Split]]  # to train on, to watch, to report on; with a `data_id`
    options: dict[str, object] = dataclasses.field(default_factory=dict)  # of the network
    also: Callable[[], dict[str, Split]] | None = None  # further images to report on, by name
    keep: pathlib.Path | None = None  # a folder for the weights of seed 0, where a lesson goes on from them

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
        return json.loads(json.dumps(described))  # tuples become lists, as in a file


def identity(described: dict[str, object]) -> dict[str, object]:
    """What decides a setting's runs, of what `Setting.describe` returns or a record holds.

    Words do not count, nor do fields of the recipe that are at their default: later versions may add some.
    """
    deciding = {name: described.get(name) for name in ("network", "options", "epochs", "data")}
    recipe = Recipe(**described["recipe"]).chosen()
    return json.loads(json.dumps(deciding | {"recipe": recipe}))


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Settings to be compared, and what the paper found."""

    title: str
    paper: str  # the published figure and where it stands
    settings: dict[str, Setting]
    seeds: int = 3  # as many a setting as a record needs


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

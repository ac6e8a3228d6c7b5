"""The catalog: what networks there are, and `build`, which makes any of them by name.

To add a network, write its family's file with `build(name, *, image_shape, num_classes, width, **options)`,
add one `Entry` below and its published figures to `data/published/architectures.csv`.
"""

import dataclasses
import importlib
import math
import numbers
from collections.abc import Mapping
from typing import TYPE_CHECKING

from course_lib import common

if TYPE_CHECKING:
    import keras

ACTIVATIONS = ("tanh", "sigmoid", "relu", "leaky_relu", "gelu", "linear")


@dataclasses.dataclass(frozen=True)
class Option:
    """One choice that a network leaves open."""

    default: object  # the paper's
    accepted: tuple  # every value there is


@dataclasses.dataclass(frozen=True)
class Entry:
    """What is known of a network before it is built."""

    name: str
    title: str
    module: str  # the file of its family in course_lib/models
    image_shape: tuple[int, int, int]  # the paper's (height, width, channels)
    num_classes: int  # the paper's
    smallest_side: int  # pixels; a smaller image leaves some layer nothing to look at
    options: Mapping[str, Option] = dataclasses.field(default_factory=dict)

    @property
    def published(self) -> tuple[dict[str, object], ...]:
        """The network's rows of `data/published/architectures.csv`, one a measurement.

        The first row also holds the counts. Errors are in percent; None stands for a figure not published.
        """
        rows = [row for row in common.published("architectures") if row["name"] == self.name]
        return tuple({column: _value(cell) for column, cell in row.items()} for row in rows)

    @property
    def year(self) -> int:
        """The year of the paper."""
        return self.published[0]["year"]

    @property
    def authors(self) -> str:
        """The authors of the paper."""
        return self.published[0]["authors"]

    @property
    def paper(self) -> str:
        """The paper: its title, where it appeared, and its DOI or arXiv number."""
        return self.published[0]["paper"]


_ENTRIES = (
    Entry(
        name="lenet5_1998",
        title="LeNet-5 as published",
        module="lenet5_1998",
        image_shape=(32, 32, 1),
        num_classes=10,
        smallest_side=32,
    ),
    Entry(
        name="lenet5",
        title="LeNet-5 as it is built today",
        module="lenet5",
        image_shape=(32, 32, 1),
        num_classes=10,
        smallest_side=16,
        options={
            "activation": Option("tanh", ACTIVATIONS),
            "pooling": Option("average", ("average", "max")),
        },
    ),
)

CATALOG: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}


def build(
    name: str,
    *,
    image_shape: tuple[int, int, int] | None = None,
    num_classes: int | None = None,
    width: float = 1.0,
    **options: object,
) -> "keras.Model":
    """The network `name`, freshly initialized; what is not given is the paper's.

    It maps float images `(batch, height, width, channels)` to logits `(batch, num_classes)`. `width` scales
    the number of filters of its layers. `CATALOG[name].options` lists its options.

    Raises:
        ValueError: an unknown network or option, or a value that the network cannot be built with.
    """
    if not isinstance(name, str) or name not in CATALOG:
        raise common.unknown("network", name, CATALOG)
    entry = CATALOG[name]
    chosen = {option: spec.default for option, spec in entry.options.items()}
    for option, value in options.items():
        _check_option(entry, option, value)
        chosen[option] = value
    image_shape = entry.image_shape if image_shape is None else image_shape
    num_classes = entry.num_classes if num_classes is None else num_classes
    image_shape = common.check_image_shape(image_shape, entry.smallest_side)
    common.at_least(2, num_classes=num_classes)
    if isinstance(width, bool) or not isinstance(width, numbers.Real) or not 0 < width < math.inf:
        raise ValueError(f"width must be a number above 0 (1.0 is the paper's network), not {width!r}")
    family = importlib.import_module(f"course_lib.models.{entry.module}")
    return family.build(name, image_shape=image_shape, num_classes=int(num_classes), width=width, **chosen)


def _check_option(entry: Entry, option: str, value: object) -> None:
    if option not in entry.options:
        known = ("image_shape", "num_classes", "width", *entry.options)
        raise common.unknown(f"option of {entry.name}", option, known)
    accepted = entry.options[option].accepted
    if not any(type(value) is type(choice) and value == choice for choice in accepted):
        raise common.unknown(f"{option} of {entry.name}", value, map(str, accepted))


def _value(cell: str) -> object:
    """A cell of the table as a number where it is one, and None where it is empty."""
    for convert in (int, float):
        try:
            return convert(cell)
        except ValueError:
            pass
    return cell or None

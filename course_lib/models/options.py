"""What a choice that a network leaves open may be."""

import dataclasses
import numbers

from course_lib import common

ACTIVATIONS = ("tanh", "sigmoid", "relu", "leaky_relu", "gelu", "linear")


@dataclasses.dataclass(frozen=True)
class Option:
    """One choice that a network leaves open."""

    default: object  # the paper's, where it is a paper's network
    accepted: tuple  # every value there is

    def check(self, what: str, value: object) -> None:
        if not any(type(value) is type(choice) and value == choice for choice in self.accepted):
            raise common.unknown(what, value, map(str, self.accepted))


@dataclasses.dataclass(frozen=True)
class Share:
    """A choice of any number from 0 to below 1."""

    default: float

    def check(self, what: str, value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= value < 1:
            raise ValueError(f"{what} must be a number from 0 to below 1, not {value!r}")

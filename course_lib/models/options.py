"""Builder options: defaults, accepted values, and what `width` does."""

import dataclasses

from course_lib import common

ACTIVATIONS = ("tanh", "sigmoid", "relu", "leaky_relu", "gelu", "linear")


@dataclasses.dataclass(frozen=True)
class Option:
    """One choice that a network leaves open."""

    default: object  # the paper's, where it is a paper's network
    accepted: tuple  # every value there is

    def checked(self, what: str, value: object) -> object:
        """`value` as the builders take it; NumPy's numbers and texts are accepted too.

        Raises:
            ValueError: it is not accepted; the message lists what is.
        """
        plain = value.item() if hasattr(value, "item") and getattr(value, "shape", None) == () else value
        for choice in self.accepted:
            if type(plain) is type(choice) and plain == choice:
                return choice
        if isinstance(value, str) and all(isinstance(choice, str) for choice in self.accepted):
            raise common.unknown(what, value, self.accepted)
        raise ValueError(f"{what} must be one of {', '.join(map(repr, self.accepted))}, not {value!r}")


@dataclasses.dataclass(frozen=True)
class Share:
    """A choice of any number from 0 to below 1."""

    default: float

    def checked(self, what: str, value: object) -> float:
        """`value` as a float.

        Raises:
            ValueError: it is no number from 0 to below 1.
        """
        return common.number(what, value, 0, 1)


def scaled(filters: int, width: float, multiple: int = 1) -> int:
    """`filters` times `width`, rounded to a whole multiple of `multiple`, at least one of it."""
    return max(1, round(filters * width / multiple)) * multiple

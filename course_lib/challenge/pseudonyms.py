"""Pseudonyms for the board: two words that are no team's name, and that no team can take as its name afterwards."""

import functools
import itertools
import random
import re
import secrets
from collections.abc import Iterable

from course_lib.challenge.lookalikes import keys

COLORS = re.findall(
    r"\w+", "Amber Azure Coral Crimson Emerald Golden Indigo Ivory Jade Lilac Olive Orange Pearl Ruby Silver Violet"
)
ANIMALS = re.findall(
    r"\w+",
    "Badger Beaver Bison Camel Cheetah Crane Dolphin Eagle Falcon Ferret Fox Gazelle Gecko Heron Ibex Jackal Koala "
    "Lemur Lynx Marten Mole Moose Newt Octopus Otter Owl Panda Parrot Penguin Puffin Rabbit Raven Salmon Seal Sparrow "
    "Stork Swan Tiger Toucan Turtle Walrus Wolf Wombat Zebra",
)


def give(database, team: int, present: str | None = None, reserved: Iterable[str] = ()) -> None:
    """Gives the team a pseudonym, drawn at random, so that it tells nothing about the order of entry.

    Args:
        database: where the teams are, this one's name among them.
        team: its number.
        present: the pseudonym that it has already, which it keeps unless a team is called so.
        reserved: names that teams will have.
    """
    taken = {row["look"] for row in database.all("SELECT look FROM looks")}
    taken.update(key for name in reserved for key in keys(name))
    if present is None or not taken.isdisjoint(keys(present)):
        free = [pair for pair, its_keys in _pairs().items() if taken.isdisjoint(its_keys)]
        present = random.SystemRandom().choice(free) if free else f"Team {secrets.token_hex(4)}"
    database.all("UPDATE teams SET pseudonym = ? WHERE id = ?", present, team)
    for look in set(keys(present)):
        database.insert("looks", {"look": look, "team": team})


@functools.cache
def _pairs() -> dict[str, tuple[str, str]]:
    """Every pseudonym with its keys."""
    return {pair: keys(pair) for pair in map(" ".join, itertools.product(COLORS, ANIMALS))}

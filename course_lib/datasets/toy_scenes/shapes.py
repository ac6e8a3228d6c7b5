"""Things and distractors as rows of solids; `shapes.toml` says how each class is built."""

import colorsys
import functools
import itertools
import math
import pathlib
import re
import tomllib

import numpy as np

from course_lib.datasets.toy_scenes import solids

KINDS = {"ball": solids.BALL, "block": solids.BLOCK, "cone": solids.CONE, "ring": solids.RING}
REPEATED = {"side": (-1, 1), "end": (-1, 1), "tier": range(3), "sixth": range(6)}
FUNCTIONS = {
    "sin": lambda degrees: math.sin(math.radians(degrees)),
    "cos": lambda degrees: math.cos(math.radians(degrees)),
    "tan": lambda degrees: math.tan(math.radians(degrees)),
    "atan": lambda slope: math.degrees(math.atan(slope)),
}
FREE = {"hue": (0, 1), "saturation": (0.15, 0.95), "value": (0.2, 0.95)}  # of colors that nothing is said about


@functools.cache
def _table() -> dict:
    """`shapes.toml`, each part as (the names to repeat it for, its fields as compiled expressions)."""
    table = tomllib.loads(pathlib.Path(__file__).with_name("shapes.toml").read_text(encoding="utf-8"))
    for variant in itertools.chain.from_iterable(table[name] for name in table if name != "paint"):
        for index, (kind, color, center, half, more) in enumerate(variant["parts"]):
            fields = {"center": center, "half": half, **more}
            repeat = [name for name in REPEATED if re.search(rf"\b{name}\b", f"{fields}")]
            code = {field: compile(f"{text}".strip(), "shapes.toml", "eval") for field, text in fields.items()}
            variant["parts"][index] = (kind, color, repeat, code)
    return table


def thing(class_name: str, seed: int, variety: float, turn: float, tilt: float) -> np.ndarray:
    """A thing's `PART` rows: scaled to radius 1 about the origin, then tilted and turned."""
    random = np.random.RandomState(seed)
    table = _table()
    variant = table[class_name][random.randint(len(table[class_name]))]
    colors = dict(table["paint"])
    for name, limits in variant["colors"].items():
        ranges = (FREE | limits).values()
        colors[name] = colorsys.hsv_to_rgb(*(low + (high - low) * random.random_sample() for low, high in ranges))
    names = dict(FUNCTIONS)
    for name, (low, high) in variant["vary"].items():
        names[name] = (low + high) / 2 + variety * (random.random_sample() - 0.5) * (high - low)
    rows = []
    for kind, color, repeat, code in variant["parts"]:
        for values in itertools.product(*(REPEATED[name] for name in repeat)):
            here = names | dict(zip(repeat, values, strict=True))
            fields = {field: eval(text, here) for field, text in code.items()}  # texts of the kit's own file
            rows.append(_part(kind, colors[color], **fields))
    return _posed(np.array(rows, solids.PART), rotation(0, turn, 0) @ rotation(0, 0, tilt))


def clutter(count: int, kind: str, seed: int, floor: float) -> np.ndarray:
    """The `PART` rows of `count` distractors that stand around the thing on the ground at height `floor`."""
    random = np.random.RandomState(seed)
    rows = []
    for _ in range(count):
        form, size, angle, away, hue, bright = random.random_sample(6)
        form = list(KINDS)[int(form * 4)] if kind == "mixed" else kind
        size = 0.14 + 0.26 * size
        away = 0.95 + 0.9 * away
        angle = 2 * math.pi * angle
        half = {"cone": (0.8 * size, size, 0.8 * size), "ring": (size, size, 0.25 * size)}.get(form, (size,) * 3)
        place = (away * math.cos(angle), floor + size, away * math.sin(angle))
        color = colorsys.hsv_to_rgb(hue, 0.75, 0.3 + 0.6 * bright)
        rows.append(_part(form, color, place, half, taper=0.08 if form == "cone" else 1, turn=(0, 360 * hue, 0)))
    return np.array(rows, solids.PART)


def lowest(parts: np.ndarray) -> float:
    """How far down the parts reach."""
    down = np.abs(parts["turned"][:, 1]) * parts["half"]
    reach = np.where(parts["kind"] == solids.BLOCK, down.sum(1), np.sqrt((down**2).sum(1)))
    return (parts["center"][:, 1] - reach).min()


@functools.lru_cache(1000)
def rotation(x: float, y: float, z: float) -> np.ndarray:
    """The matrix that turns by these degrees about z, then y, then x."""
    matrix = np.eye(3)
    for axis, angle in enumerate(map(math.radians, (x, y, z))):
        turn = np.eye(3)
        plane = [(axis + 1) % 3, (axis + 2) % 3]
        turn[np.ix_(plane, plane)] = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
        matrix = matrix @ turn
    return matrix


def _part(kind: str, color, center, half, taper=1.0, taper_z=1.0, turn=(0, 0, 0), shine=0.25) -> tuple:
    return KINDS[kind], center, half, taper, taper_z, rotation(*turn), color, shine


def _posed(parts: np.ndarray, pose: np.ndarray) -> np.ndarray:
    reach = solids.radii(parts)[:, None]
    parts["center"] -= ((parts["center"] - reach).min(0) + (parts["center"] + reach).max(0)) / 2
    scale = 1 / (np.sqrt((parts["center"] ** 2).sum(1)) + reach[:, 0]).max()
    parts["half"] *= scale
    parts["center"] = scale * parts["center"] @ pose.T
    parts["turned"] = pose @ parts["turned"]
    return parts

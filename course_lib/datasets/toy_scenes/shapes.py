"""Ten everyday things built of solids, no two of a class alike: each as a list of parts, upright, front along x.

In a shape function `vary(low, high)` is the middle of that range for variety 0, and anything in it for 1.
"""

import colorsys
import math
from collections.abc import Callable

import numpy as np

from course_lib.datasets.toy_scenes.solids import BOX, CONE, ELLIPSOID, PART, TORUS, bounding_radii

DARK, GLASS, WHITE, COFFEE, YELLOW = (0.05, 0.05, 0.06), (0.1, 0.16, 0.22), (0.9, 0.9, 0.9), (0.1, 0.05, 0.03), (0.9, 0.7, 0.2)


class Vary:
    """The random choices of one thing: how far each is from the middle of its range grows with `variety`."""

    def __init__(self, seed: int, variety: float):
        self._random, self._variety = np.random.RandomState(seed), variety

    def __call__(self, low: float, high: float) -> float:
        return (low + high) / 2 + (self._random.random_sample() * 2 - 1) * self._variety * (high - low) / 2

    def either(self) -> bool:
        return self(0, 1) > 0.5

    def color(self, saturation=(0.15, 0.95), value=(0.2, 0.95), hue=(0.0, 1.0)) -> tuple[float, float, float]:
        """A color anywhere in these ranges, whatever the variety: color does not give a class away."""
        picked = (low + (high - low) * self._random.random_sample() for low, high in (hue, saturation, value))
        return colorsys.hsv_to_rgb(*picked)


def part(kind: int, color: tuple, center: tuple, half: tuple, taper=1.0, taper_z=1.0, turn=(0, 0, 0), shine=0.25):
    """One row of `PART`; `turn` is in degrees about z, then y, then x."""
    return (kind, center, half, taper, taper_z, rotation(*turn), color, shine)


def rotation(x: float, y: float, z: float) -> np.ndarray:
    """The matrix that turns by these degrees about z, then y, then x."""
    matrix = np.eye(3)
    for axis, degrees in enumerate((x, y, z)):
        cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        first, second = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[[first, second], [first, second]] = cosine
        turn[first, second], turn[second, first] = -sine, sine
        matrix = matrix @ turn
    return matrix


def airplane(vary: Vary) -> list:
    body, accent = vary.color(), vary.color()
    length, thick, span, sweep = vary(0.9, 1.1), vary(0.1, 0.17), vary(0.8, 1.1), vary(5, 35)
    chord, tail = vary(0.14, 0.22), vary(0.2, 0.32)
    parts = [
        part(ELLIPSOID, body, (0, 0, 0), (length, thick, thick), shine=0.5),
        part(ELLIPSOID, GLASS, (0.68 * length, 0.45 * thick, 0), (0.16, 0.6 * thick, 0.6 * thick), shine=0.9),
        part(BOX, accent, (-0.85 * length, tail * 0.7, 0), (0.2, tail, 0.025), taper=0.5, turn=(0, 0, 20)),
    ]
    for side in (-1, 1):
        turn = (0, -side * sweep, 0)
        back = math.tan(math.radians(sweep)) * span / 2
        parts.append(part(BOX, body, (0.12 - back, -0.02, side * span / 2), (chord, 0.025, span / 2), turn=turn))
        parts.append(part(BOX, accent, (-0.85 * length, 0.05, side * 0.2), (0.11, 0.02, 0.22), turn=turn))
        engine = (0.2 - back, -0.09, side * span * 0.45)
        parts.append(part(CONE, accent, engine, (0.07, 0.16, 0.07), turn=(0, 0, 90)))
    return parts


def car(vary: Vary) -> list:
    body = vary.color()
    length, high, wide, cabin = vary(0.85, 1.15), vary(0.15, 0.24), vary(0.36, 0.48), vary(0.35, 0.65)
    wheel, back, roof = vary(0.15, 0.24), vary(-0.3, 0.05), vary(0.17, 0.28)
    top = wheel + 2 * high
    middle = (back * length, top + roof, 0)
    parts = [
        part(BOX, body, (0, wheel + high, 0), (length, high, wide), taper=0.94, shine=0.7),
        part(BOX, GLASS, middle, (cabin, roof, 0.9 * wide), taper=0.65, taper_z=0.85, shine=0.9),
        part(BOX, body, (back * length, top + 2 * roof, 0), (0.68 * cabin, 0.03, 0.8 * wide), shine=0.7),
    ]
    for side in (-1, 1):
        light = (length, wheel + 1.2 * high, side * 0.65 * wide)
        parts.append(part(ELLIPSOID, (1.0, 0.95, 0.6), light, (0.05, 0.07, 0.09)))
        for end in (-0.6, 0.6):
            place = (end * length, wheel, side * wide)
            parts.append(part(CONE, DARK, place, (wheel, 0.08, wheel), turn=(90, 0, 0)))
            hub = (end * length, wheel, side * (wide + 0.08))
            parts.append(part(CONE, (0.6, 0.6, 0.6), hub, (0.5 * wheel, 0.02, 0.5 * wheel), turn=(90, 0, 0)))
    return parts


def chair(vary: Vary) -> list:
    wood = vary.color()
    cushion = vary.color() if vary.either() else wood
    wide, deep, leg, back = vary(0.38, 0.52), vary(0.38, 0.5), vary(0.3, 0.45), vary(0.4, 0.65)
    thick, lean, seat = vary(0.035, 0.065), vary(0, 14), 0.05
    parts = [part(BOX, cushion, (0, 2 * leg + seat, 0), (deep, seat, wide))]
    parts += _legs(wood, deep - thick, wide - thick, leg, thick)
    rise, tilt = 2 * (leg + seat), math.radians(lean)
    def behind(along: float) -> tuple:
        return -deep + 0.04 - math.sin(tilt) * along, rise + math.cos(tilt) * along
    if vary.either():  # slats
        for end in (-1, 0, 1):
            x, y = behind(back)
            parts.append(part(BOX, wood, (x, y, end * (wide - 0.06)), (0.035, back, 0.06), turn=(0, 0, lean)))
        x, y = behind(2 * back - 0.08)
        parts.append(part(BOX, wood, (x, y, 0), (0.04, 0.08, wide), turn=(0, 0, lean)))
    else:
        x, y = behind(back)
        parts.append(part(BOX, wood, (x, y, 0), (0.04, back, wide), turn=(0, 0, lean)))
    return parts


def table(vary: Vary) -> list:
    wood, cover = vary.color(), vary.color()
    long, deep, leg, thick = vary(0.7, 1.0), vary(0.45, 0.7), vary(0.28, 0.42), vary(0.04, 0.075)
    place = (0, 2 * leg + 0.05, 0)
    if vary.either():  # round, on one foot
        return [
            part(CONE, cover, place, (0.9 * long, 0.05, 0.9 * long)),
            part(CONE, wood, (0, leg, 0), (1.6 * thick, leg, 1.6 * thick)),
            part(CONE, wood, (0, 0.04, 0), (0.4, 0.04, 0.4), taper=0.6),
        ]
    return [part(BOX, cover, place, (long, 0.05, deep)), *_legs(wood, long - 0.1, deep - 0.1, leg, thick)]


def _legs(color: tuple, x: float, z: float, leg: float, thick: float) -> list:
    return [
        part(BOX, color, (right * x, leg, front * z), (thick, leg, thick)) for right in (-1, 1) for front in (-1, 1)
    ]


def house(vary: Vary) -> list:
    wall, roof = vary.color(), vary.color()
    wide, deep, high, rise = vary(0.5, 0.7), vary(0.55, 0.95), vary(0.28, 0.5), vary(0.2, 0.42)
    door = vary.color()
    parts = [
        part(BOX, wall, (0, high, 0), (wide, high, deep)),
        part(BOX, roof, (0, 2 * high + rise, 0), (1.18 * wide, rise, 1.1 * deep), taper=0.02),
        part(BOX, roof, (0.5 * wide, 2 * high + 1.5 * rise, -0.4 * deep), (0.09, 0.7 * rise, 0.09)),
        part(BOX, door, (wide, 0.55 * high, 0), (0.02, 0.55 * high, 0.14)),
        part(BOX, door, (0, 0.55 * high, deep), (0.14, 0.55 * high, 0.02)),
    ]
    for side in (-1, 1):
        pane = 0.24 * high
        across = (side * 0.62 * wide, 1.15 * high)
        parts.append(part(BOX, GLASS, (wide, 1.15 * high, side * 0.6 * deep), (0.02, pane, pane), shine=0.9))
        parts.append(part(BOX, GLASS, (-wide, 1.15 * high, side * 0.5 * deep), (0.02, pane, pane), shine=0.9))
        parts.append(part(BOX, GLASS, (*across, deep), (0.8 * pane, pane, 0.02), shine=0.9))
        parts.append(part(BOX, GLASS, (*across, -deep), (0.8 * pane, pane, 0.02), shine=0.9))
    return parts


def mug(vary: Vary) -> list:
    color = vary.color()
    wide, high, taper, loop = vary(0.42, 0.6), vary(0.42, 0.68), vary(0.85, 1.2), vary(0.24, 0.36)
    rim = wide * taper
    return [
        part(CONE, color, (0, high, 0), (wide, high, wide), taper=taper, shine=0.7),
        part(TORUS, color, (0, 2 * high, 0), (rim + 0.02, rim + 0.02, 0.06), turn=(90, 0, 0), shine=0.7),
        part(CONE, COFFEE, (0, 2 * high - 0.01, 0), (rim - 0.06, 0.03, rim - 0.06), shine=0.6),
        part(TORUS, color, (wide * (1 + taper) / 2 + 0.4 * loop, high, 0), (loop, loop, 0.075), shine=0.7),
    ]


def mushroom(vary: Vary) -> list:
    cap, stem = vary.color(), vary.color((0.05, 0.5), (0.5, 0.95))
    wide, dome, high, foot = vary(0.5, 0.85), vary(0.28, 0.5), vary(0.3, 0.55), vary(0.14, 0.24)
    parts = [
        part(CONE, stem, (0, high, 0), (foot, high, foot), taper=0.7),
        part(ELLIPSOID, cap, (0, 2 * high, 0), (wide, dome, wide), shine=0.5),
        part(CONE, stem, (0, 2 * high - 0.62 * dome, 0), (0.55 * wide, 0.18 * dome, 0.55 * wide), taper=1.5),
    ]
    for spot in range(7):
        angle, steep = math.radians(60 * spot + vary(-20, 20)), math.radians(35 if spot < 6 else 88)
        x, y, z = math.cos(steep) * math.cos(angle), math.sin(steep), math.cos(steep) * math.sin(angle)
        size = vary(0.08, 0.17)
        parts.append(part(ELLIPSOID, WHITE, (wide * x, 2 * high + dome * y, wide * z), (size, 0.5 * size, size)))
    return parts


def sailboat(vary: Vary) -> list:
    hull, sail, jib = vary.color(), vary.color(), vary.color()
    long, high, wide, mast = vary(0.55, 0.75), vary(0.1, 0.18), vary(0.16, 0.26), vary(0.6, 0.85)
    main, front, deck = vary(0.24, 0.36), vary(0.14, 0.24), 2 * high
    parts = [
        part(BOX, hull, (0, high, 0), (long * 0.75, high, wide * 0.7), taper=1.4, taper_z=1.5, shine=0.5),
        part(BOX, (0.5, 0.32, 0.15), (0, deck, 0), (long, 0.025, wide)),
        part(CONE, (0.35, 0.22, 0.1), (0.08, deck + mast, 0), (0.03, mast, 0.03)),
    ]
    for half, tall, color, side in ((main, 0.88 * mast, sail, -1), (front, 0.7 * mast, jib, 1)):
        lean = math.degrees(math.atan(half / (2 * tall)))  # stands one edge along the mast
        middle = (0.08 + side * (0.5 * half + 0.06), deck + 0.1 + tall, 0)
        parts.append(part(BOX, color, middle, (half, tall, 0.022), taper=0.02, turn=(0, 0, -side * -lean)))
    return parts


def snowman(vary: Vary) -> list:
    snow, hat, scarf = vary.color((0.0, 0.35), (0.6, 1.0)), vary.color(), vary.color()
    base, middle, head = vary(0.38, 0.5), vary(0.27, 0.36), vary(0.19, 0.27)
    chest = 1.6 * base + 0.6 * middle
    face = chest + 0.75 * (middle + head)
    parts = [
        part(ELLIPSOID, snow, (0, 0.9 * base, 0), (base, 0.9 * base, base), shine=0.1),
        part(ELLIPSOID, snow, (0, chest, 0), (middle, middle, middle), shine=0.1),
        part(ELLIPSOID, snow, (0, face, 0), (head, head, head), shine=0.1),
        part(CONE, (0.9, 0.4, 0.05), (head + 0.1, face, 0), (0.06, 0.14, 0.06), taper=0.1, turn=(0, 0, -90)),
        part(CONE, hat, (0, face + 0.75 * head, 0), (1.25 * head, 0.03, 1.25 * head)),
        part(CONE, hat, (0, face + 1.2 * head, 0), (0.75 * head, 0.5 * head, 0.75 * head)),
        part(TORUS, scarf, (0, face - 0.85 * head, 0), (0.95 * head, 0.95 * head, 0.07), turn=(90, 0, 0)),
    ]
    for side in (-1, 1):
        eye = (0.85 * head, face + 0.3 * head, side * 0.38 * head)
        parts.append(part(ELLIPSOID, DARK, eye, (0.045, 0.045, 0.045)))
        arm = (0, chest + 0.12, side * (middle + 0.2))
        parts.append(part(CONE, (0.25, 0.14, 0.06), arm, (0.025, 0.26, 0.025), turn=(side * 65, 0, 0)))
    return parts


def tree(vary: Vary) -> list:
    leaves, bark = vary.color(hue=(0.0, 0.45)), vary.color((0.3, 0.8), (0.15, 0.5), (0.0, 0.13))
    wide, high, trunk, thick = vary(0.42, 0.65), vary(0.5, 0.75), vary(0.15, 0.3), vary(0.06, 0.12)
    parts = [part(CONE, bark, (0, trunk + 0.1, 0), (thick, trunk + 0.1, thick), taper=0.8)]
    if vary.either():  # a conifer
        for tier in range(3):
            half, rise = wide * (1 - 0.24 * tier), 0.42 * high
            middle = (0, 2 * trunk + rise + tier * 0.5 * high, 0)
            parts.append(part(CONE, leaves, middle, (half, rise, half), taper=0.05, shine=0.05))
        return parts
    for blob in range(6):
        angle, out = math.radians(72 * blob + vary(-25, 25)), 0.0 if blob == 5 else vary(0.4, 0.65) * wide
        size = wide * (vary(0.5, 0.75) if blob < 5 else 0.8)
        rise = 2 * trunk + wide * (vary(0.5, 0.9) if blob < 5 else 1.1)
        middle = (out * math.cos(angle), rise, out * math.sin(angle))
        parts.append(part(ELLIPSOID, leaves, middle, (size, size * 0.85, size), shine=0.05))
    return parts


SHAPES: dict[str, Callable[[Vary], list]] = {
    shape.__name__: shape
    for shape in (airplane, car, chair, house, mug, mushroom, sailboat, snowman, table, tree)
}


def thing(class_name: str, seed: int, variety: float, turn: float, tilt: float) -> np.ndarray:
    """A thing's `PART` rows: scaled to radius 1 about the origin, then tilted and turned."""
    parts = np.array(SHAPES[class_name](Vary(seed, variety)), PART)
    reach = bounding_radii(parts)[:, None]
    low, high = (parts["center"] - reach).min(0), (parts["center"] + reach).max(0)
    parts["center"] -= (low + high) / 2
    scale = 1 / (np.sqrt((parts["center"] ** 2).sum(1)) + reach[:, 0]).max()
    parts["center"] *= scale
    parts["half"] *= scale
    pose = (rotation(0, turn, 0) @ rotation(0, 0, tilt)).astype(np.float32)
    parts["center"] = parts["center"] @ pose.T
    parts["turned"] = pose @ parts["turned"]
    return parts


def lowest(parts: np.ndarray) -> float:
    """How far down the parts reach."""
    sides = np.abs(parts["turned"][:, 1]) * parts["half"]
    round_ones = np.sqrt((sides**2).sum(1))
    return float((parts["center"][:, 1] - np.where(parts["kind"] == BOX, sides.sum(1), round_ones)).min())


def clutter(count: int, kind: str, seed: int, floor: float) -> np.ndarray:
    """The `PART` rows of `count` distractors that stand around the thing on the ground at height `floor`."""
    random, kinds = np.random.RandomState(seed), ("ball", "block", "cone", "ring")
    rows = []
    for _ in range(count):
        size, angle, away, hue, form, bright = random.random_sample(6)
        form = kinds[int(form * 4)] if kind == "mixed" else kind
        size, away, angle = 0.14 + 0.26 * size, 0.95 + 0.9 * away, 2 * math.pi * angle
        color = colorsys.hsv_to_rgb(hue, 0.75, 0.3 + 0.6 * bright)
        place = (away * math.cos(angle), floor + size, away * math.sin(angle))
        solid, half, taper = {
            "ball": (ELLIPSOID, (size, size, size), 1),
            "block": (BOX, (size, size, 0.8 * size), 1),
            "cone": (CONE, (0.8 * size, size, 0.8 * size), 0.08),
            "ring": (TORUS, (size, size, 0.25 * size), 1),
        }[form]
        rows.append(part(solid, color, place, half, taper=taper, turn=(0, 360 * hue, 0), shine=0.4))
    return np.array(rows, PART)

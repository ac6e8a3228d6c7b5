"""What is in a picture: every parameter by name, with its range, and how scenes are drawn at random."""

import dataclasses
from collections.abc import Iterable

import numpy as np

from course_lib import common
from course_lib.model_checks import described

CLASS_NAMES = (
    *("airplane", "car", "chair", "house", "mug"),
    *("mushroom", "sailboat", "snowman", "table", "tree"),
)
BACKGROUNDS = ("beach", "lake", "meadow", "room", "yard")
DISTRACTORS = ("ball", "block", "cone", "ring", "mixed")
OCCLUDERS = ("hedge", "post", "wall")
COUNTS = {"train": 12_000, "validation": 2_000, "test": 2_000}  # of the rendered data set
QUICK_COUNTS = {"train": 2_000, "validation": 300, "test": 300}
SEEDS = {"train": 1, "validation": 2, "test": 3}
HARD_ENDS = {  # the six difficulties, each as what to pass to `sample`
    "illumination": {"light_strength": (0.04, 0.08)},
    "pose": {"tilt": (90, 180)},
    "clutter": {"distractors": (18, 20)},
    "occlusion": {"occlusion": (0.6, 0.7)},
    "intra-class": {"variety": (2.5, 2.5)},
    "viewpoint": {"elevation": (70, 88)},
}


@dataclasses.dataclass(frozen=True)
class Range:
    """The values a parameter may take, and those that `sample` draws, both ends included."""

    allowed: tuple[float, float]
    usual: tuple[float, float]  # what is drawn below 0 where it is not allowed counts as 0


def _number(default: float, allowed: tuple, usual: tuple | None = None):
    return dataclasses.field(default=default, metadata={"range": Range(allowed, usual or allowed)})


def _name(default: str, names: tuple[str, ...]):
    return dataclasses.field(default=default, metadata={"names": names})


@dataclasses.dataclass(frozen=True)
class Scene:
    """One picture's parameters, each with what is allowed and what is usual; angles in degrees.

    The label depends on `class_name` alone: `dataclasses.replace(scene, tilt=90)` turns one knob.

    Raises:
        ValueError: a value outside `RANGES`, or an unknown name.
    """

    class_name: str = _name("mug", CLASS_NAMES)
    shape_seed: int = _number(0, (0, 2**31 - 1))  # proportions and colors: which one of its class
    variety: float = _number(0.0, (0, 2.5), (0, 0.7))  # intra-class: how far from the middle of its class it may be
    turn: float = _number(35.0, (-360, 360), (0, 360))  # pose: about its upright axis
    tilt: float = _number(0.0, (-180, 180), (-30, 30))  # pose: out of the upright
    shift_x: float = _number(0.0, (-0.4, 0.4), (-0.15, 0.15))  # to the right, in widths of the picture
    shift_y: float = _number(0.0, (-0.4, 0.4), (-0.12, 0.12))  # downwards
    azimuth: float = _number(0.0, (-360, 360), (0, 360))  # viewpoint: the camera's way around the object
    elevation: float = _number(20.0, (2, 88), (5, 50))  # viewpoint: the camera above the horizon
    distance: float = _number(3.2, (2.5, 12), (2.7, 4.2))  # viewpoint: of the camera, in radii of the object
    light_azimuth: float = _number(60.0, (-360, 360), (0, 360))
    light_elevation: float = _number(50.0, (10, 90), (28, 75))
    light_strength: float = _number(1.0, (0.02, 1.5), (0.5, 1.2))  # illumination
    distractors: int = _number(0, (0, 20), (0, 5))  # clutter: how many
    distractor: str = _name("mixed", DISTRACTORS)  # clutter: of which kind
    occlusion: float = _number(0.0, (0, 0.9), (-0.3, 0.3))  # the share of the object that the occluder covers
    occluder: str = _name("wall", OCCLUDERS)
    background: str = _name("meadow", BACKGROUNDS)
    background_seed: int = _number(0, (0, 2**31 - 1))  # its colors, and where distractors lie

    def __post_init__(self) -> None:
        for name, names in CHOICES.items():
            if getattr(self, name) not in names:
                raise common.unknown(name, getattr(self, name), names)
        for name in RANGES:
            _check_number(name, getattr(self, name))

    @property
    def label(self) -> int:
        """The position of its class in `CLASS_NAMES`."""
        return CLASS_NAMES.index(self.class_name)


RANGES = {field.name: field.metadata["range"] for field in dataclasses.fields(Scene) if "range" in field.metadata}
CHOICES = {field.name: field.metadata["names"] for field in dataclasses.fields(Scene) if "names" in field.metadata}
MOVING = [name for name in RANGES if isinstance(getattr(Scene, name), float)]


def sample(n: int, seed: int | list[int], **ranges: object) -> list[Scene]:
    """`n` scenes at random, the same to the bit for the same seed.

    Each parameter has a random number of its own, so narrowing one range leaves the others as they were, and
    the first scenes of a longer list are those of a shorter one.

    Args:
        n: the number of scenes, at least 1.
        seed: a whole number below 2³², or a list of them, where nobody is to find it by trying.
        ranges: parameters of `Scene`: a value, for numbers also `(low, high)`, for names also a list of them.
            Those not given are drawn from `RANGES[name].usual`, or from all names.

    Raises:
        ValueError: fewer than one scene, another seed, an unknown parameter or name, or a range beyond what is allowed.
    """
    common.at_least(1, n=n)
    _check_seed(seed)
    fields = [field.name for field in dataclasses.fields(Scene)]
    for name in ranges:
        if name not in fields:
            raise common.unknown("parameter", name, fields)
    units = np.random.RandomState(seed).random_sample((n, len(fields)))
    columns = [_column(name, ranges.get(name), units[:, index]) for index, name in enumerate(fields)]
    return [Scene(*values) for values in zip(*columns, strict=True)]


def clip(scene: Scene, frames: int, **paths: tuple[float, float]) -> list[Scene]:
    """The scenes of a moving picture: each parameter in `paths` goes evenly from its first to its second value.

    `render(clip(scene, 24, azimuth=(0, 90)), 64)` has the frames as `images` and the object's track as `boxes`.

    Raises:
        ValueError: no scene, fewer than two frames, an unknown parameter, or a path that is no two allowed values.
    """
    check_scenes([scene])
    common.at_least(2, frames=frames)
    for name, path in paths.items():
        if name not in MOVING:
            raise common.unknown("parameter that can move", name, MOVING)
        if not isinstance(path, (tuple, list)) or len(path) != 2:
            raise ValueError(f"{name} must be its first and its last value, as in {name}=(0, 0.4), not {path!r}")
    columns = {name: _column(name, path, np.linspace(0, 1, frames)) for name, path in paths.items()}
    return [dataclasses.replace(scene, **{name: columns[name][frame] for name in paths}) for frame in range(frames)]


def scenes_of(split: str, quick: bool = False) -> list[Scene]:
    """The scenes of a split of `datasets.load("toy_scenes")`, in the order of its images.

    `quick`: those of the small configurations, the first of the large ones'.
    """
    if split not in SEEDS:
        raise common.unknown("split", split, SEEDS)
    return sample((QUICK_COUNTS if quick else COUNTS)[split], SEEDS[split])


def check_scenes(scenes: list) -> None:
    """Raises ValueError where one is no `Scene`."""
    for scene in scenes:
        if not isinstance(scene, Scene):
            what = described(scene)
            raise ValueError(f"a scene is a toy_scenes.Scene, as toy_scenes.sample(1, seed=0)[0] is one, not {what}")


def _check_seed(seed: object) -> None:
    numbers = seed if isinstance(seed, list) else [seed]
    whole = [isinstance(number, (int, np.integer)) and not isinstance(number, bool) for number in numbers]
    if not numbers or not all(whole) or not 0 <= min(numbers) <= max(numbers) < 2**32:
        raise ValueError(f"seed must be a whole number of at least 0 and below 2³², or a list of them, not {seed!r}")


def _column(name: str, given: object, units: np.ndarray) -> list:
    """The values of one parameter, made of numbers from 0 to 1."""
    if name in CHOICES:
        several = isinstance(given, Iterable) and not isinstance(given, (str, set))  # a set has no order
        names = (given,)
        if given is None:
            names = CHOICES[name]
        elif several:
            names = tuple(given)
        for each in names or (given,):
            if each not in CHOICES[name]:
                raise common.unknown(name, each, CHOICES[name])
        return [names[int(unit * len(names))] for unit in units]
    low, high = RANGES[name].usual
    if given is not None:
        low, high = given if isinstance(given, (tuple, list)) and len(given) == 2 else (given, given)
        for value in (low, high):
            _check_number(name, value)
    if isinstance(getattr(Scene, name), int):
        low, high = sorted((low, high))
        return [int(low) + int(unit * (high - low + 1)) for unit in units]
    return np.maximum(low + units * (high - low), RANGES[name].allowed[0]).tolist()


def _check_number(name: str, value: object) -> None:
    least, most = RANGES[name].allowed
    whole = isinstance(getattr(Scene, name), int)
    numeric = hasattr(value, "__index__") or (not whole and isinstance(value, (float, np.floating)))
    if not numeric or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(
            f"{name} must be {'a whole number' if whole else 'a number'} from {least:g} to {most:g}, "
            f"or in `sample` two of them, (low, high); not {value!r}"
        )

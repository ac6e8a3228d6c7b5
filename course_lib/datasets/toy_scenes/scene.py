"""What is in a picture: every parameter by name, with its range, and how scenes are drawn at random."""

import dataclasses

import numpy as np

from course_lib import common

CLASS_NAMES = (
    *("airplane", "car", "chair", "house", "mug"),
    *("mushroom", "sailboat", "snowman", "table", "tree"),
)
BACKGROUNDS = ("beach", "lake", "meadow", "room", "yard")
DISTRACTORS = ("ball", "block", "cone", "ring", "mixed")
OCCLUDERS = ("hedge", "post", "wall")
CHOICES = {
    "class_name": CLASS_NAMES,
    "background": BACKGROUNDS,
    "distractor": DISTRACTORS,
    "occluder": OCCLUDERS,
}
COUNTS = {"train": 12_000, "validation": 2_000, "test": 2_000}  # of the rendered data set
QUICK_COUNTS = {"train": 2_000, "validation": 300, "test": 300}
SEEDS = {"train": 1, "validation": 2, "test": 3}


@dataclasses.dataclass(frozen=True)
class Range:
    """The values a parameter may take, and those that `sample` draws, both ends included."""

    allowed: tuple[float, float]
    usual: tuple[float, float]  # what is drawn below 0 where it is not allowed counts as 0


RANGES = {
    "shape_seed": Range((0, 2**31 - 1), (0, 2**31 - 1)),
    "variety": Range((0, 1), (0, 0.7)),
    "turn": Range((-360, 360), (0, 360)),
    "tilt": Range((-180, 180), (-35, 35)),
    "shift_x": Range((-0.4, 0.4), (-0.2, 0.2)),
    "shift_y": Range((-0.4, 0.4), (-0.15, 0.15)),
    "azimuth": Range((-360, 360), (0, 360)),
    "elevation": Range((2, 88), (5, 50)),
    "distance": Range((2.5, 12), (2.7, 4.4)),
    "light_azimuth": Range((-360, 360), (0, 360)),
    "light_elevation": Range((10, 90), (28, 75)),
    "light_strength": Range((0.02, 1.5), (0.5, 1.2)),
    "distractors": Range((0, 12), (0, 5)),
    "occlusion": Range((0, 0.9), (-0.3, 0.3)),
    "background_seed": Range((0, 2**31 - 1), (0, 2**31 - 1)),
}
HARD_ENDS = {  # the six difficulties, each as what to pass to `sample`
    "illumination": {"light_strength": (0.04, 0.08)},
    "pose": {"tilt": (90, 180)},
    "clutter": {"distractors": (10, 12)},
    "occlusion": {"occlusion": (0.6, 0.7)},
    "intra-class": {"variety": (1, 1)},
    "viewpoint": {"elevation": (70, 88)},
}


@dataclasses.dataclass(frozen=True)
class Scene:
    """One picture's parameters; angles in degrees, lengths in radii of the object.

    The label depends on `class_name` alone: `dataclasses.replace(scene, tilt=90)` turns one knob.

    Raises:
        ValueError: a value outside `RANGES`, or an unknown name.
    """

    class_name: str = "mug"
    shape_seed: int = 0  # proportions and colors: which one of its class
    variety: float = 0.0  # intra-class: how far from the middle of its class it may be
    turn: float = 35.0  # pose: about its upright axis
    tilt: float = 0.0  # pose: out of the upright
    shift_x: float = 0.0  # in widths of the picture, to the right
    shift_y: float = 0.0  # in heights of the picture, downwards
    azimuth: float = 0.0  # viewpoint: the camera's way around the object
    elevation: float = 20.0  # viewpoint: the camera above the horizon
    distance: float = 3.2  # viewpoint: from the camera to the object's middle
    light_azimuth: float = 60.0
    light_elevation: float = 50.0
    light_strength: float = 1.0  # illumination
    distractors: int = 0  # clutter: how many
    distractor: str = "mixed"  # clutter: of which kind
    occlusion: float = 0.0  # the share of the object that the occluder covers
    occluder: str = "wall"
    background: str = "meadow"
    background_seed: int = 0  # its colors, and where distractors lie

    def __post_init__(self) -> None:
        for name, names in CHOICES.items():
            if getattr(self, name) not in names:
                raise common.unknown(name, getattr(self, name), names)
        for name in RANGES:
            _check_range(name, getattr(self, name), getattr(self, name))

    @property
    def label(self) -> int:
        """The position of its class in `CLASS_NAMES`."""
        return CLASS_NAMES.index(self.class_name)


def sample(n: int, seed: int, **ranges: object) -> list[Scene]:
    """`n` scenes at random, the same to the bit for the same seed.

    Each parameter has a random number of its own, so narrowing one range leaves the others as they were, and
    the first scenes of a longer list are those of a shorter one.

    Args:
        ranges: parameters of `Scene`: a value, for numbers also `(low, high)`, for names also a list of them.
            Those not given are drawn from `RANGES[name].usual`, or from all names.

    Raises:
        ValueError: fewer than one scene, an unknown parameter or name, or a range beyond what is allowed.
    """
    common.at_least(1, n=n)
    common.at_least(0, seed=seed)
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
        ValueError: fewer than two frames, an unknown parameter, or a path beyond what is allowed.
    """
    common.at_least(2, frames=frames)
    for name, (start, stop) in paths.items():
        if name not in RANGES:
            raise common.unknown("parameter that can move", name, RANGES)
        _check_range(name, start, stop)
    steps = {name: np.linspace(*path, frames).tolist() for name, path in paths.items()}
    return [
        dataclasses.replace(scene, **{name: steps[name][frame] for name in paths}) for frame in range(frames)
    ]


def scenes_of(split: str, quick: bool = False) -> list[Scene]:
    """The scenes of a split of `datasets.load("toy_scenes")`, in the order of its images.

    `quick`: those of the small configurations, the first of the large ones'.
    """
    if split not in SEEDS:
        raise common.unknown("split", split, SEEDS)
    return sample((QUICK_COUNTS if quick else COUNTS)[split], SEEDS[split])


def _column(name: str, given: object, units: np.ndarray) -> list:
    """The values of one parameter, made of random numbers from 0 to 1."""
    if name in CHOICES:
        names = CHOICES[name] if given is None else (given,) if isinstance(given, str) else tuple(given)
        for each in names:
            if each not in CHOICES[name]:
                raise common.unknown(name, each, CHOICES[name])
        return [names[int(unit * len(names))] for unit in units]
    low, high = RANGES[name].usual
    if given is not None:
        low, high = given if isinstance(given, (tuple, list)) and len(given) == 2 else (given, given)
        _check_range(name, low, high)
    if isinstance(getattr(Scene, name), int):
        return [int(low) + int(unit * (high - low + 1)) for unit in units]
    return np.maximum(low + units * (high - low), RANGES[name].allowed[0]).tolist()


def _check_range(name: str, low: object, high: object) -> None:
    least, most = RANGES[name].allowed
    whole = isinstance(getattr(Scene, name), int)
    for value in (low, high):
        numeric = hasattr(value, "__index__") or (not whole and isinstance(value, (float, np.floating)))
        if not numeric or isinstance(value, bool) or not least <= low <= high <= most:
            raise ValueError(
                f"{name} must be {'a whole number' if whole else 'a number'} from {least:g} to {most:g}, "
                f"or in sample a range (low, high) within; not {value!r}"
            )

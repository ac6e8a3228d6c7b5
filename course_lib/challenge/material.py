"""The images of a challenge: rendered in secret, from a data set, or from a folder of the instructor's own."""

import dataclasses
import pathlib
import secrets

from course_lib import common
from course_lib.challenge.pictures import Arrays, divided, secret

QUICK = ("toy_scenes/quick32", 500)  # what is trained on, number of test images
FULL = ("toy_scenes/32", 2_000)


@dataclasses.dataclass(frozen=True)
class Material:
    """What a challenge is made of."""

    class_names: tuple[str, ...]
    train: Arrays
    validation: Arrays
    test: Arrays
    warning: str = ""  # for all to read


def gather(name: str, quick: bool, test_images: int | None) -> Material:
    """The material of the challenge `name`; see `making.make`."""
    if pathlib.Path(name).is_dir():
        return Material(*divided(pathlib.Path(name), test_images))
    from course_lib import datasets
    from course_lib.datasets import toy_scenes

    if name != "toy_scenes":
        data = _public_set(name)
        test = shuffled(data.test.arrays(), test_images)
        warning = f"The test labels of {name} are public: this challenge rests on nobody looking them up."
        return Material(data.class_names, data.train.arrays(), data.validation.arrays(), test, warning)
    training, usual = QUICK if quick else FULL
    data = datasets.load(training)
    seed = [secrets.randbits(32) for _ in range(8)]  # too many to try them all and render the answers
    rendered = toy_scenes.render(toy_scenes.sample(test_images or usual, seed), data.image_shape[0])
    # The order in which they were drawn comes from a linear generator: some labels would give away others.
    test = shuffled((rendered.images, rendered.labels), None)
    return Material(data.class_names, data.train.arrays(), data.validation.arrays(), test)


def _public_set(name: str):
    """The data set `name`, whose test labels anybody can have."""
    from course_lib import datasets
    from course_lib.datasets import builders, errors

    wanted = builders.parsed(name)
    if wanted and wanted.set == "toy_scenes":  # its known test labels are not meant: a challenge renders new ones
        raise common.unknown("challenge", name, ["toy_scenes"])
    try:
        return datasets.load(name)
    except errors.UnknownSetError:
        known = common.unknown("challenge", name, datasets.DATASETS)
        raise ValueError(f"{known} There is no folder {name!r} here either.") from None


def shuffled(pair: Arrays, count: int | None) -> Arrays:
    """The first `count`, or all, in an order that nobody can know."""
    if count is not None and count > len(pair[1]):
        raise ValueError(f"There are {len(pair[1])} test images, not {count}.")
    order = secret().permutation(len(pair[1]))[:count]
    return pair[0][order], pair[1][order]

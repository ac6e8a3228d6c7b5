"""The network that lesson 09 hands on: trained on the seven classes of toy scenes that its own folder lacks.

The recipe was chosen on validation images. The weights of the first seed are kept in `data/seven_classes`, in the
layout of `Run.save`.
"""

import functools

import numpy as np

from course_lib import common, datasets
from course_lib.batching import Split
from course_lib.datasets import toy_scenes
from course_lib.experiments.digits import Parts
from course_lib.experiments.experiment import Experiment, Setting
from course_lib.training import Recipe

OWN = ("car", "mug", "sailboat")  # the lesson's own folder
SEVEN = tuple(name for name in toy_scenes.CLASS_NAMES if name not in OWN)
KEPT = common.ROOT / "data" / "seven_classes"


def seven_classes() -> Parts:
    """Seven classes of toy scenes, all but car, mug and sailboat, 32×32, from -2 to 2; trained on those among the
    12,000, each pass newly flipped and cropped out of a frame of 4 pixels, watched on those among 2,000 of validation,
    tested on those among 2,000."""
    data = datasets.load("toy_scenes/32")
    train, validation, test = (_of_seven(*part.arrays()) for part in (data.train, data.validation, data.test))
    moved = train.with_transform(datasets.RandomCrop(32, padding=4)).with_transform(datasets.RandomFlip())
    return tuple(part.with_transform(centered) for part in (moved, validation, test))


@functools.cache
def first_scenes() -> dict[str, Split]:
    """Those of the seven among the first 300 test scenes: few enough to be rendered again by a test."""
    rendered = toy_scenes.render(toy_scenes.scenes_of("test", quick=True), 32)
    return {"first 300 scenes": _of_seven(rendered.images, rendered.labels).with_transform(centered)}


def centered(images):
    """From 0…1 to −2…2."""
    return 4 * images - 2


def _of_seven(images: np.ndarray, labels: np.ndarray) -> Split:
    names = np.array(toy_scenes.CLASS_NAMES)[labels]
    kept = np.isin(names, SEVEN)
    return Split(images[kept], np.array([SEVEN.index(name) for name in names[kept]]))


EXPERIMENTS = {
    "seven_classes": Experiment(
        "A small network on seven of the ten classes of toy scenes, to be taken further in lesson 09",
        "none: the pictures are this course's own",
        {
            "cnn_small": Setting(
                "cnn_small",
                Recipe("adam", 2e-3, "cosine", batch_size=64),
                epochs=30,
                data=seven_classes,
                options={"image_shape": (32, 32, 3), "num_classes": len(SEVEN)},
                also=first_scenes,
                keep=KEPT,
            )
        },
    ),
}

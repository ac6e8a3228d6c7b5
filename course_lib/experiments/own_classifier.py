"""The runs behind lesson 09: a network to be taken further, and how much augmentation few pictures bear.

The network is trained on the seven classes of toy scenes that the lesson's own folder lacks; the weights of the first
seed are kept in `data/seven_classes`, in the layout of `Run.save`. Its recipe was chosen on validation images.
"""

import functools
from collections.abc import Callable

import numpy as np

from course_lib import common, datasets
from course_lib.batching import Split
from course_lib.datasets import toy_scenes
from course_lib.experiments.data import FLIPPED, centered, centered_parts
from course_lib.experiments.experiment import Experiment, Parts, Setting, data_id
from course_lib.training import Recipe, train

OWN = ("car", "mug", "sailboat")  # the lesson's own folder
SEVEN = tuple(name for name in toy_scenes.CLASS_NAMES if name not in OWN)
KEPT = common.ROOT / "data" / "seven_classes"


@data_id("toy_scenes/32, seven classes")
def seven_classes() -> Parts:
    """Seven classes of toy scenes, all but car, mug and sailboat, 32×32, from -2 to 2.

    Trained on those among the 12,000, each pass newly flipped and cropped out of a frame of 4 pixels, watched on those
    among 2,000 of validation, tested on those among 2,000.
    """
    data = datasets.load("toy_scenes/32")
    train, validation, test = (_only(SEVEN, part.arrays()) for part in (data.train, data.validation, data.test))
    return centered_parts(train, validation, test, *FLIPPED)


@functools.cache
def first_scenes() -> dict[str, Split]:
    """Those of the seven among the first 300 test scenes: few enough to be rendered again by a test."""
    rendered = toy_scenes.render(toy_scenes.scenes_of("test", quick=True), 32)
    return {"first 300 scenes": _only(SEVEN, (rendered.images, rendered.labels)).with_transform(centered)}


@data_id("toy_scenes/32, three classes")
def plain() -> Parts:
    """Cars, mugs and sailboats of toy scenes, 32×32, from -2 to 2.

    Trained on the first 240, watched on those among 2,000 of validation, tested on those among 2,000.
    """
    return centered_parts(*_three())


@data_id("toy_scenes/32, three classes, mild augmentation")
def mild() -> Parts:
    """As plain, each pass newly flipped and cropped out of a frame of 4 pixels."""
    return centered_parts(*_three(), *FLIPPED)


@data_id("toy_scenes/32, three classes, strong augmentation")
def strong() -> Parts:
    """As plain, with augmentation that is too strong.

    Each pass newly flipped, shifted to 8 pixels, turned to 90 degrees, scaled to 50 %, sheared to 0.7 and shifted in
    color by ten times the usual.
    """
    train, *others = _three()
    color = datasets.PCAColor.of(train.arrays()[0], sigma=1.0)
    turned = datasets.AffineDistortion(shift=8, rotation=90, scale=0.5, shear=0.7)
    return centered_parts(train, *others, datasets.RandomFlip(), turned, color)


def _three() -> Parts:
    data = datasets.load("toy_scenes/32")
    train, validation, test = (_only(OWN, part.arrays()) for part in (data.train, data.validation, data.test))
    return train.take(240), validation, test


def _only(classes: tuple[str, ...], pair: tuple[np.ndarray, np.ndarray]) -> Split:
    """The scenes of `classes`, numbered in their order."""
    names = np.array(toy_scenes.CLASS_NAMES)[pair[1]]
    kept = np.isin(names, classes)
    return Split(pair[0][kept], np.array([classes.index(name) for name in names[kept]]))


FEW = Recipe("adam", 1e-3, "cosine", batch_size=32)
THREE = {"image_shape": (32, 32, 3), "num_classes": len(OWN)}

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
    "augmentation_few": Experiment(
        "No augmentation, mild, and much of it, on 240 pictures of three classes",
        "none: the pictures are this course's own",
        {
            data.__name__: Setting("cnn_small", FEW, epochs=100, data=data, options=THREE)
            for data in (plain, mild, strong)
        },
    ),
}


def errors_with(transform: Callable, seeds: int = 3) -> list[float]:
    """Validation errors in percent, one per seed, of the experiment "augmentation_few" with another augmentation.

    Args:
        transform: a function of (images, draws), as `Split.with_transform` takes it.
        seeds: how many trainings; each takes about 20 seconds on two CPU cores.
    """
    setting = EXPERIMENTS["augmentation_few"].settings["plain"]
    data, validation, _ = centered_parts(*_three(), transform)
    found = []
    for seed in range(seeds):
        run = train(
            setting.build(),
            data,
            recipe=setting.recipe,
            epochs=setting.epochs,
            validation=validation,
            seed=seed,
            progress=False,
        )
        found.append(100 - 100 * run.history["val_accuracy"][-1])
    return found

"""Judges of the answers that are functions in `own_classifier.toml`."""

import pathlib
import tempfile
from collections.abc import Callable

import numpy as np
from scipy import special, stats

from course_lib.exercises.judges import compare
from course_lib.exercises.judges.own_collection import second_collection

__all__ = ["keep_together", "paired_p", "predict", "second_collection"]

CLASSES = ["cat", "dog", "owl"]
SIDE = 32  # pixels that the judge's classifier takes
FLOAT32 = {"rtol": 1e-3, "atol": 1e-4}  # an answer is computed in float32


def predict(function: Callable) -> str | None:
    """Class → probability of a photo from `(path, classifier, class_names)`, the most likely class first."""
    classifier = _classifier()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "IMG_1.JPG"
        _save_upright(path)
        right = special.softmax(_logits(classifier, path))
        stored = special.softmax(_logits(classifier, path, as_stored=True))
        bright = special.softmax(_logits(classifier, path, scale=255))
        centered = special.softmax(_logits(classifier, path, scale=2, shift=-1))
        answer = function(path, classifier, list(CLASSES))
    if answer is None or isinstance(answer, (str, tuple, list)) or not hasattr(answer, "items"):
        return f"A dict is asked for, class name → probability; yours is a {type(answer).__name__}."
    if set(answer) != set(CLASSES):
        return f"The keys must be the class names, {', '.join(CLASSES)}; yours are {', '.join(map(str, answer))}."
    found = np.array([float(answer[name]) for name in CLASSES])
    if not np.isclose(found.sum(), 1, atol=1e-3) or (found < 0).any():
        return f"Probabilities add up to 1; yours add up to {found.sum():.3g}. Is the softmax missing, or taken twice?"
    plausible = {
        "The pixels go in from 0 to 255. In training they were divided by 255: do the same here.": bright,
        "The pixels go in from −1 to 1. In training they were divided by 255, from 0 to 1.": centered,
        "The photo lies on its side: a note in the file says how the phone was held. read_photo obeys it.": stored,
        "The probabilities are right, but belong to other classes: name k belongs to output k.": np.sort(right)[::-1],
        "The softmax is taken twice.": special.softmax(right),
    }
    if np.ptp(found) < 1e-6:
        return "All classes are equally likely: the line is still to be written."
    otherwise = "The probabilities are those of another photo: does the classifier get what read_photo returns?"
    if problem := compare(found, right, plausible, otherwise, **FLOAT32):
        return problem
    in_order = list(answer.values())
    return None if in_order == sorted(in_order, reverse=True) else "All right but the order: the most likely first."


def _classifier():
    """A network for the judge alone: one dense layer with fixed weights."""
    import keras

    network = keras.Sequential([keras.Input((SIDE, SIDE, 3)), keras.layers.Flatten(), keras.layers.Dense(3)])
    generator = np.random.default_rng(4)
    network.set_weights([generator.normal(scale=0.04, size=(3 * SIDE**2, 3)), np.zeros(3)])
    return network


def _save_upright(path: pathlib.Path) -> None:
    """A photo that was taken with the phone held upright: stored on its side, with a note that says so.

    It is square, so that cropped and padded it is the same: the lesson lets its reader choose.
    """
    from PIL import Image

    colors = np.random.default_rng(7).integers(0, 256, (5, 5, 3), np.uint8)
    photo = Image.fromarray(colors).resize((80, 80), Image.Resampling.BICUBIC)
    note = Image.Exif()
    note[0x0112] = 6
    photo.transpose(Image.Transpose.ROTATE_90).save(path, exif=note, quality=95)


def _logits(classifier, path: pathlib.Path, *, scale: float = 1, shift: float = 0, as_stored: bool = False):
    from PIL import Image, ImageOps

    from course_lib import datasets

    lying = np.asarray(ImageOps.fit(Image.open(path), (SIDE, SIDE)))
    image = lying if as_stored else datasets.read_photo(path, SIDE)
    return np.asarray(classifier(image[None].astype("float32") / 255 * scale + shift))[0]


def keep_together(function: Callable) -> str | None:
    """Which photos are for the test, from `(bursts, share, seed)`: whole bursts, drawn at random."""
    sizes = [1, 4, 2, 7, 3, 4, 5, 2, 6, 4, 3, 9]
    bursts = np.random.default_rng(0).permutation(np.repeat(np.arange(100, 112), sizes))
    aside = [np.asarray(function(bursts.copy(), 0.25, seed)) for seed in (0, 1, 2, 3, 0, 0, 0)]
    for mask in aside:
        if mask.shape != bursts.shape or mask.dtype != bool:
            return (
                f"{len(bursts)} times True or False is asked for, one per photo; yours is {mask.dtype} of the shape "
                f"{mask.shape}. np.isin(bursts, chosen) makes it."
            )
        divided = [burst for burst in np.unique(bursts) if len(set(mask[bursts == burst])) > 1]
        if divided:
            return f"Burst {divided[0]} is divided: draw bursts, not photos. ({len(divided)} of 12 are divided.)"
    counts = [len(np.unique(bursts[mask])) for mask in aside]
    if set(counts) == {9}:
        return "9 of 12 bursts are for the test, and a share of 0.25 is 3: is your True for the training photos?"
    if set(counts) != {3}:
        return f"A share of 0.25 of 12 bursts is 3 for every seed; yours put {min(counts)} to {max(counts)} aside."
    if not all(np.array_equal(aside[0], mask) for mask in aside[4:]):  # three, since chance may agree once
        return "The same seed gave another test set: draw with np.random.default_rng(seed)."
    if all(np.array_equal(aside[0], mask) for mask in aside[1:4]):
        return "Every seed gives the same bursts: draw them at random. The first ones of a folder are no fair sample."
    return None


def paired_p(function: Callable) -> str | None:
    """The exact p-value of two classifiers from `(first, second)`, boolean arrays `(n,)`: who is right on what."""
    only_first = 9
    only_second = 2
    counts = [30, only_first, only_second, 4]  # both right, only the first, only the second, neither
    first = np.repeat([True, True, False, False], counts)
    second = np.repeat([True, False, True, False], counts)

    def p(one: int, of: int, **more) -> float:
        return float(stats.binomtest(one, of, **more).pvalue)

    differ = only_first + only_second
    right = p(only_first, differ)
    returned = function(first.copy(), second.copy())
    if returned is None or returned is ...:
        return "Your function returns nothing yet: one number is asked for."
    answer = np.asarray(returned, float)
    if answer.shape != ():
        return f"One number is asked for; yours has the shape {answer.shape}."
    right_first = int(first.sum())
    right_second = int(second.sum())
    table = [[right_first, len(first) - right_first], [right_second, len(first) - right_second]]
    plausible = {
        "Only one side is counted: as uneven the other way round is as rare, so add that.": p(
            only_first, differ, alternative="greater"
        ),
        "All photos are counted; those on which both are right, or both wrong, favor neither.": p(
            only_first, len(first)
        ),
        "That is the lead, as a share of the photos; how often does luck alone make one like it?": (
            only_first - only_second
        )
        / len(first),
        "Here they were taken for two separate tests; but they met the same photos.": float(
            stats.fisher_exact(table).pvalue
        ),
        "Both right counts for both here; those photos favor neither.": p(right_first, right_first + right_second),
    }
    otherwise = f"For 9 photos that only the first gets right and 2 that only the second does, it gave {answer:.3g}."
    if problem := compare(answer, right, plausible, otherwise):
        return problem
    same = np.array([True, False, True])
    again = float(function(same, same))
    return None if again == 1 else "Two that agree on every photo: nothing tells them apart, and p is 1."

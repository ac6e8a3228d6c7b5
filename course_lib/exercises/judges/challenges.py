"""Judges of the answers that are functions in `challenges.toml`."""

import copy
import functools
from collections.abc import Callable

import numpy as np

from course_lib.exercises.judges import compare

Z = 1.959964  # 95 % of a normal distribution lie within so many standard deviations
TESTS = ((9, 10), (10, 10), (0, 20), (88, 100), (8_800, 10_000))  # right of n


def top_k(function: Callable) -> str | None:
    """The share of examples whose label is among the k highest of `scores`, from `(scores, labels, k)`."""
    generator = np.random.default_rng(2)
    scores = generator.normal(size=(40, 7))
    labels = generator.integers(7, size=40)
    k = 3
    rank = (scores > scores[np.arange(40), labels][:, None]).sum(axis=1)
    answer = function(scores.copy(), labels.copy(), k)
    if answer is ...:
        return "The three dots are still there: return the share of examples that count as right."
    answer = np.asarray(answer, float)
    if answer.shape != ():
        return f"One share of all examples is asked for; yours has the shape {answer.shape}. Take the mean."
    plausible = {
        "That counts one class too many: with higher = k the label is in place k + 1.": np.mean(rank <= k),
        "That counts only labels in place k exactly; those before it are right as well.": np.mean(rank == k - 1),
        "That is top-1: k is not used.": np.mean(rank == 0),
        "That is the top-k error; the accuracy is 1 minus it.": np.mean(rank >= k),
        "That counts labels among the k lowest scores.": np.mean(rank >= 7 - k),
        "That is how many examples count as right; divide by their number.": np.sum(rank < k),
    }
    return compare(answer, np.mean(rank < k), plausible, "For 40 examples, 7 classes and k = 3 another share is right.")


def wilson(function: Callable) -> str | None:
    """Wilson's 95 % interval `(low, high)` from `(right, n)`."""
    try:
        answers = [np.ravel(np.asarray(function(right, n), float)) for right, n in TESTS]
    except TypeError as error:
        if "ellipsis" in str(error):
            return "The three dots are still there: put z times the root of the formula in their place."
        raise
    if any(answer.shape != (2,) for answer in answers):
        return f"It must return two numbers, low and high; for 9 of 10 it gave {answers[0].tolist()}."
    expected, plausible = _intervals(*np.array(TESTS, float).T)
    if np.allclose(answers, expected, atol=5e-4):
        return None
    for reply, wrong in plausible.items():
        if np.allclose(answers, np.stack(wrong, axis=1), atol=5e-4 * (100 if "percents" in reply else 1)):
            return reply
    low, high = expected[0]
    return f"For 9 of 10 the interval is {low:.3f} to {high:.3f}; yours is {answers[0][0]:.3f} to {answers[0][1]:.3f}."


def _intervals(right: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, dict[str, tuple]]:
    """Wilson's intervals `(tests, 2)`, and reply → the (low, high) that a plausible mistake gives."""
    p = right / n
    usual = Z * np.sqrt(p * (1 - p) / n)
    half = Z * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    wide = Z * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n))
    middle = p + Z**2 / (2 * n)
    scale = 1 + Z**2 / n
    plausible = {
        "That is p ± z standard errors: for 10 of 10 it has no width, and it leaves 0 to 1.": (p - usual, p + usual),
        "The division by 1 + z²/n is missing.": (middle - half, middle + half),
        "The middle is p itself; Wilson's is moved towards one half by z²/(2n).": (
            (p - half) / scale,
            (p + half) / scale,
        ),
        "Under the root z²/(4n²) is missing.": ((middle - usual) / scale, (middle + usual) / scale),
        "z is missing before the root.": ((middle - half / Z) / scale, (middle + half / Z) / scale),
        "The root is missing: z multiplies the square root of the sum.": (
            (middle - half**2 / Z) / scale,
            (middle + half**2 / Z) / scale,
        ),
        "Under the root z²/(4n) stands instead of z²/(4n²).": ((middle - wide) / scale, (middle + wide) / scale),
        "That is half of it already divided by 1 + z²/n; the last line divides once more.": (
            (middle - half / scale) / scale,
            (middle + half / scale) / scale,
        ),
        "High and low are exchanged.": ((middle + half) / scale, (middle - half) / scale),
        "These are percents; give shares from 0 to 1.": (100 * (middle - half) / scale, 100 * (middle + half) / scale),
    }
    return np.stack([(middle - half) / scale, (middle + half) / scale], axis=1), plausible


STEPS = np.array([0.10, 0.11, 0.125, 0.09, 0.31, 0.32, 0.29, 0.345, 0.5])  # accuracies of one team's submissions


def ladder(function: Callable) -> str | None:
    """The Ladder's answers from `(accuracies, step)`, both from 0 to 1."""
    from course_lib import challenge

    step = 0.03
    answer = function(STEPS.copy(), step)
    if answer is None:
        return "It returns nothing yet."
    answer = np.asarray(answer, float)
    if answer.shape != STEPS.shape:
        return f"{len(STEPS)} submissions get {len(STEPS)} answers; yours have the shape {answer.shape}."
    best = np.maximum.accumulate(STEPS)
    plausible = {
        "These are the accuracies themselves: nothing is hidden.": STEPS,
        "That is rounding alone: a worse submission must get the best answer so far.": _rounded(STEPS, step),
        "That is the best accuracy so far: round it, and let only steps larger than `step` count.": best,
        "That is the best so far, rounded: an improvement smaller than `step` must not count.": _rounded(best, step),
        "The answer that counts is not rounded to a multiple of `step`: its digits give labels away.": _climb(
            step, digits=False
        ),
        "Each submission is compared with the one before it. Compare with the best answer so far.": _by_neighbor(step),
    }
    otherwise = f"For the accuracies {STEPS.tolist()} and step 0.03 other answers are right."
    problem = compare(answer, challenge.ladder(STEPS, step), plausible, otherwise)
    if problem is None and not np.allclose(function(STEPS[:4].copy(), 0.2), 0):
        return "It is right for a step of 0.03; with 0.2 the first four submissions must all get 0."
    return problem


def _rounded(values: np.ndarray, step: float) -> np.ndarray:
    return np.round(values / step) * step


def _climb(step: float, digits: bool) -> np.ndarray:
    answers = []
    for accuracy in STEPS:
        best = answers[-1] if answers else 0.0
        higher = _rounded(accuracy, step) if digits else accuracy
        answers.append(higher if accuracy > best + step else best)
    return np.array(answers)


def _by_neighbor(step: float) -> np.ndarray:
    answers = [0.0]
    for before, accuracy in zip(np.concatenate([[0.0], STEPS[:-1]]), STEPS, strict=True):
        answers.append(_rounded(accuracy, step) if accuracy > before + step else answers[-1])
    return np.array(answers[1:])


P_BELOW = 0.01  # an equal method is clearly ahead by luck in at most 1 of 200 tries
ALIKE = 0.9  # of the predictions


@functools.cache
def private_scenes() -> tuple[object, np.ndarray, np.ndarray, np.ndarray]:
    """What a team gets of a small challenge, its hidden test labels, and what two simple classifiers predict.

    These are the linear classifier and the label of the nearest training picture.
    """
    from sklearn.neighbors import KNeighborsClassifier

    from course_lib.challenge.client import ChallengeData
    from course_lib.datasets import toy_scenes

    train, validation, test = (
        toy_scenes.render(toy_scenes.sample(count, seed), 32) for count, seed in ((800, 71), (200, 72), (1200, 73))
    )
    data = ChallengeData(
        (train.images, train.labels), (validation.images, validation.labels), test.images, toy_scenes.CLASS_NAMES
    )
    pixels, unseen = (part.images.reshape(len(part.images), -1).astype(np.float32) for part in (train, test))
    near = KNeighborsClassifier(1, algorithm="brute").fit(pixels, train.labels).predict(unseen)
    return data, test.labels, _linear(data), near


def _linear(data: object) -> np.ndarray:
    """Predictions of a linear classifier on the pixels (ridge regression), its strength chosen by validation."""
    parts = (data.train[0], data.validation[0], data.test_images)
    pixels, validation, test = (images.reshape(len(images), -1) / 255 - 0.5 for images in parts)
    products = pixels @ pixels.T
    targets = np.eye(10)[data.train[1]] - 0.1
    weights = [pixels.T @ np.linalg.solve(products + 10.0**power * np.eye(len(pixels)), targets) for power in range(5)]
    right = [np.mean((validation @ each).argmax(axis=1) == data.validation[1]) for each in weights]
    return (test @ weights[int(np.argmax(right))]).argmax(axis=1)


def my_answers(function: Callable) -> str | None:
    """Predictions for `data.test_images` that are clearly more often right than a linear classifier's.

    Clearly: by McNemar's exact test. No reply tells an accuracy on hidden labels, so that none can be climbed by.
    """
    from scipy import stats

    data, labels, linear, near = private_scenes()
    answer = np.asarray(function(copy.deepcopy(data)))  # the next function gets the pictures as they are
    if answer.shape == (len(labels), 10):
        answer = answer.argmax(axis=1)
    if answer.shape != labels.shape:
        return f"{len(labels)} test images get {len(labels)} classes or ({len(labels)}, 10) scores, not {answer.shape}."
    right = answer == labels
    by_linear = linear == labels
    alone = int(np.sum(right & ~by_linear))
    linear_alone = int(np.sum(by_linear & ~right))
    if len(np.unique(answer)) == 1:
        return "It gives one class to all."
    if np.mean(answer == near) > ALIKE:
        return (
            "These are the labels of the nearest pictures, nearly all. Near in pixels is near in place, not in object."
        )
    if np.mean(answer == linear) > ALIKE:
        return "These are a linear classifier's answers, nearly all. It weighs each pixel; shapes are made of several."
    if alone > linear_alone and stats.binomtest(alone, alone + linear_alone).pvalue < P_BELOW:
        return None
    if stats.binomtest(int(right.sum()), len(labels), 0.1).pvalue > P_BELOW:
        return "It is at chance: are the answers in the order of the test images, and classes counted from 0?"
    return (
        "It is not clearly ahead of a linear classifier: luck with the pictures can explain the difference, or it is "
        "behind. By how much, only data.validation may tell you."
    )

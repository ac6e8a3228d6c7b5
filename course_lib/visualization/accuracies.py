"""Accuracies of few pictures: their intervals (E. B. Wilson 1927), drawn and as text, and two of them compared."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from course_lib import common
from course_lib.array_checks import array_of, finite_array
from course_lib.model_checks import described
from course_lib.visualization.style import MUTED, PALETTE, given_or_new, style


def wilson_interval(correct: Sequence[bool]) -> tuple[float, float]:
    """The 95 % interval (low, high) of an accuracy, in percent.

    Args:
        correct: for each picture whether it was classified correctly.

    Raises:
        ValueError: no pictures, or values that are not True or False.
    """
    from scipy import stats

    right = _booleans(correct)
    found = stats.binomtest(int(right.sum()), len(right)).proportion_ci(0.95, method="wilson")
    return 100 * float(found.low), 100 * float(found.high)


def accuracy_with_interval(correct: Sequence[bool]) -> str:
    """The text "85 % (64 to 95), 17 of 20": an accuracy, its 95 % interval, and what it counts.

    Raises:
        ValueError: as `wilson_interval`.
    """
    right = _booleans(correct)
    low, high = wilson_interval(right)
    return f"{100 * right.mean():.0f} % ({low:.0f} to {high:.0f}), {right.sum()} of {len(right)}"


def clear_winner(correct: Mapping[str, Sequence[Sequence[bool]]], level: float = 0.05) -> tuple[str | None, str]:
    """The best of several classifiers over draws of their training pictures, and how clear that is, as a sentence.

    All meet the same pictures, so that only those count on which the best two differ: the exact test of Q. McNemar
    (1947) says how often a fair coin would split them as unevenly. Clear is a lead in every draw whose p-value, in the
    median over the draws, is below `level`.

    Args:
        correct: name → for each draw, for each picture whether it was classified correctly.
        level: the largest p-value of a clear lead.

    Returns:
        The name, or None where no lead is clear; and the sentence.

    Raises:
        ValueError: fewer than two names, other numbers of draws or pictures, or values that are not True or False.
    """
    if not isinstance(correct, Mapping) or len(correct) < 2:
        raise ValueError(f"correct must be a dict with two classifiers or more, not {described(correct)}")
    rows = {str(name): [_booleans(draw) for draw in draws] for name, draws in correct.items()}
    if len({tuple(map(len, draws)) for draws in rows.values()}) > 1:
        raise ValueError("each classifier needs the same draws, each with the same pictures")
    first, second = sorted(rows, key=lambda name: -np.mean(rows[name]))[:2]
    pairs = [_split(one, other) for one, other in zip(rows[first], rows[second], strict=True)]
    leads = all(only_first > only_second for only_first, only_second, _ in pairs)
    clear = leads and float(np.median([p for *_, p in pairs])) < level
    wins = ", ".join(f"{only_first} to {only_second}" for only_first, only_second, _ in pairs)
    chances = ", ".join(f"{p:.2g}" for *_, p in pairs)
    sentence = f"Photos that only {first} or only {second} gets right, per training: {wins} (p = {chances})."
    return first if clear else None, sentence


def _split(first: np.ndarray, second: np.ndarray) -> tuple[int, int, float]:
    """How many pictures only the first gets right, only the second, and how rare so uneven a split is."""
    from scipy import stats

    only_first = int(np.sum(first & ~second))
    only_second = int(np.sum(~first & second))
    differ = only_first + only_second
    return only_first, only_second, float(stats.binomtest(only_first, differ).pvalue) if differ else 1.0


@style()
def plot_accuracies(correct: Mapping[str, Sequence[bool]], label: str = "accuracy in %, 95 % interval", *, ax=None):
    """One accuracy per name as a dot with its 95 % interval, from 0 to 100 %, with the number of pictures.

    Args:
        correct: name → for each picture whether it was classified correctly.
        label: what is drawn, with its unit.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no names, no pictures, or values that are not True or False.
    """
    if not isinstance(correct, Mapping) or not correct:
        raise ValueError(f"correct must be a dict name → True or False per picture, not {described(correct)}")
    rows = {str(name): _booleans(values) for name, values in correct.items()}
    ax = given_or_new(ax, 7.5, 1.0 + 0.45 * len(rows))
    for place, right in enumerate(rows.values()):
        color = PALETTE[place % len(PALETTE)]
        low, high = wilson_interval(right)
        ax.plot([low, high], [place, place], color=color, linewidth=9, alpha=0.4, solid_capstyle="butt")
        ax.plot(100 * right.mean(), place, "o", color=color)
        ax.annotate(f"{right.sum()} of {len(right)}", (high, place), (6, 0), textcoords="offset points", va="center")
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set(xlabel=label, xlim=(0, 115), ylim=(len(rows) - 0.5, -0.5))
    ax.set_xticks(range(0, 101, 20))
    ax.tick_params(axis="y", length=0)
    return ax


@style()
def plot_confidence(confidence: Mapping[str, Sequence[float]], threshold: float = 0.9, *, ax=None):
    """Histograms of the largest probability, one per kind of pictures, with a threshold below which none is answered.

    Args:
        confidence: name → the largest probability of each picture, 0 to 1.
        threshold: the share of pictures at or above it is named in the legend.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no names, no numbers, or numbers that are not from 0 to 1.
    """
    if not isinstance(confidence, Mapping) or not confidence:
        raise ValueError(f"confidence must be a dict name → probability per picture, not {described(confidence)}")
    common.number("threshold", threshold, 0, 1 + 1e-9)
    rows = {str(name): finite_array(f"the values of {name!r}", values) for name, values in confidence.items()}
    for name, values in rows.items():
        if values.ndim != 1 or not len(values) or values.min() < 0 or values.max() > 1 + 1e-6:
            raise ValueError(f"the values of {name!r} must be probabilities, one per picture from 0 to 1")
    ax = given_or_new(ax, 7.5, 3.2)
    lowest = min(values.min() for values in rows.values())
    for color, (name, values) in zip(itertools.cycle(PALETTE), rows.items(), strict=False):
        shares = np.full(len(values), 100 / len(values))
        answered = f"{name}: {np.mean(values >= threshold):.0%} answered"
        ax.hist(values, np.linspace(lowest, 1, 16), weights=shares, color=color, alpha=0.5, label=answered)
    ax.axvline(threshold, color=MUTED, linestyle="--", label=f"threshold {threshold:.3f}")
    ax.set(xlabel="confidence: the largest probability", ylabel="photos in %")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    return ax


def _booleans(correct: Sequence[bool]) -> np.ndarray:
    """`correct` as an array `(n,)` of True and False."""
    right = array_of("correct", correct)
    if right.ndim != 1 or not len(right) or right.dtype != bool:
        raise ValueError(
            "correct must be True or False for each picture, such as predictions == labels, not "
            f"{described(correct)} of the shape {right.shape}"
        )
    return right

"""Judges of the answers that are functions in `alexnet.toml`."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.judges import compare


def dropout(function: Callable) -> str | None:
    """Dropout of `(values, rate, random)` as in training: dropped where `random < rate`, the mean kept."""
    generator = np.random.default_rng(0)
    values, rate, random = generator.normal(size=(6, 50)), 0.2, generator.random(size=(6, 50))
    kept, share = values * (random >= rate), 1 - rate
    answer = np.asarray(function(values.copy(), rate, random.copy()), float)
    if answer.shape != values.shape:
        return f"Values of the shape {values.shape} went in, {answer.shape} came out: dropped values are 0, not gone."
    plausible = {
        "What is kept must grow, or the next layer gets less than in testing: divide by 1 − rate.": kept,
        "That is the paper's testing, everything times 1 − rate; in training values become 0.": values * share,
        "You kept the share `rate` and dropped the rest.": values * (random < rate) / rate,
        "Divide by 1 − rate, the share that is kept, not by rate.": kept / rate,
        "What is kept must grow, not shrink: divide by 1 − rate in place of multiplying.": kept * share,
        "The right share, but other values: those BELOW rate are dropped.": values * (random < share) / share,
    }
    otherwise = f"{np.mean(answer == 0):.0%} are 0 and should be {np.mean(kept == 0):.0%}; or the others are not right."
    return compare(answer, kept / share, plausible, otherwise)

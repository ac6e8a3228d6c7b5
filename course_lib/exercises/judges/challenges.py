"""Judges of the answers that are functions in `challenges.toml`."""

from collections.abc import Callable

import numpy as np


def better_vote(function: Callable) -> str | None:
    """A vote over `(submissions, scores, classes)` that gets more out of the scores than counting the good ones."""
    generator = np.random.default_rng(0)
    labels, submissions = generator.integers(10, size=300), generator.integers(10, size=(500, 300))
    scores = (submissions == labels).mean(axis=1)
    answer = np.asarray(function(submissions.copy(), scores.copy(), 10))
    if answer.shape != labels.shape:
        return f"500 submissions for 300 pictures become 300 answers; yours have the shape {answer.shape}."

    def vote(weights: np.ndarray) -> np.ndarray:
        return np.argmax([(weights[:, None] * (submissions == name)).sum(axis=0) for name in range(10)], axis=0)

    above = scores - 0.1  # chance
    plausible = {
        "That is the lesson's vote: each submission above chance counts once, the rest not at all.": vote(above > 0),
        "Every submission counts alike: the scores are not used.": vote(np.ones(500)),
        "That is the best single submission; the other 499 scores are wasted.": submissions[scores.argmax()],
        "The sign is reversed: what scores badly counts most.": vote(-above),
        "The scores themselves are nearly alike; what tells is how far each is from chance.": vote(scores),
        "Good ones count by how good they are; those below chance still say which answers are unlikely.": vote(
            np.maximum(above, 0)
        ),
    }
    for reply, wrong in plausible.items():
        if np.mean(answer == wrong) > 0.95:  # sums in another order may settle a tie the other way
            return reply
    right = np.mean(answer == labels)
    return None if right > 0.4 else f"It is right on {right:.0%} of the public labels; more than 40 % can be had."

"""A leaderboard as a figure, how random submissions vote their way up, and what the Ladder answers instead."""

import numpy as np

from course_lib import common
from course_lib.array_checks import finite_array
from course_lib.model_checks import described
from course_lib.visualization.style import INK, MUTED, PALETTE, WRONG, given_or_new, new_axes, style

COLUMNS = {"team", "kind", "public", "private"}
BELOW = 0.22  # of the distance of two lines: how far below its public score a private one stands


@style()
def plot_leaderboard(board, public_images: int, *, ax=None):
    """Every line's public accuracy with its 95 % interval, best first; below it, once revealed, its private accuracy.

    Lines that the server adds, such as baselines, are gray. The interval is E. B. Wilson's (1927).

    Args:
        board: the DataFrame of `Client.leaderboard()`.
        public_images: how many test images the public accuracy is measured on.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no leaderboard, or one without lines.
    """
    common.at_least(1, public_images=public_images)
    if not hasattr(board, "itertuples") or not set(board.columns) >= COLUMNS or not len(board):
        raise ValueError(
            f"board must be what client.leaderboard() returns, with a line or more, not {described(board)}"
        )
    from scipy import stats

    ax = given_or_new(ax, 7.5, 1.0 + 0.44 * len(board))
    for place, line in enumerate(board.itertuples()):
        color = PALETTE[0] if line.kind == "team" else MUTED
        test = stats.binomtest(round(line.public * public_images), public_images)
        interval = test.proportion_ci(method="wilson")
        ends = [100 * interval.low, 100 * interval.high]
        ax.plot(ends, [place, place], color=color, linewidth=6, alpha=0.35, solid_capstyle="butt")
        ax.plot(100 * line.public, place, "o", color=color)
        if not np.isnan(line.private):
            ax.plot(100 * line.private, place + BELOW, "D", color=WRONG, markersize=6)
    for name, color, there in (
        ("team", PALETTE[0], board["kind"] == "team"),
        ("server", MUTED, board["kind"] != "team"),
    ):
        if there.any():
            ax.plot([], [], "o", color=color, label=f"{name}: public, 95 % interval")
    if board["private"].notna().any():
        ax.plot([], [], "D", color=WRONG, label="private")
    ax.set_yticks(range(len(board)), board["team"])
    ax.set(ylim=(len(board) - 0.4, -0.6), xlim=(0, None), xlabel="accuracy in %")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    return ax


@style()
def plot_vote(answers: np.ndarray, labels: np.ndarray, kept: np.ndarray, pictures=(0, 1, 2)):
    """How many of the submissions that vote name each class, for some pictures; the label is blue.

    Lines stand where the label and any other class are on average, over all pictures.

    Args:
        answers: `(submissions, pictures)`, class numbers from 0.
        labels: `(pictures,)`, the true classes.
        kept: `(submissions,)`, whether a submission votes.
        pictures: the numbers of the pictures that are shown, one panel each.

    Raises:
        ValueError: arrays of other shapes, nobody who votes, or no such pictures.
    """
    answers = finite_array("answers", answers).astype(int)
    labels = np.asarray(labels)
    kept = np.asarray(kept, bool)
    if answers.ndim != 2 or (*kept.shape, *labels.shape) != answers.shape or not kept.any():
        raise ValueError(
            "answers must be (submissions, pictures), kept (submissions,) with one that votes, and labels (pictures,), "
            f"not {answers.shape}, {kept.shape} and {labels.shape}"
        )
    pictures = [int(picture) for picture in pictures]
    if not pictures or not all(0 <= picture < len(labels) for picture in pictures):
        raise ValueError(f"pictures must be numbers from 0 to {len(labels) - 1}, not {pictures}")
    voters = answers[kept]
    classes = int(max(answers.max(), labels.max())) + 1
    share = np.mean(voters == labels)
    average = len(voters) * np.array([share, (1 - share) / (classes - 1)])
    axes = np.atleast_1d(new_axes(9, 3.2, columns=len(pictures), sharey=True))
    for ax, picture in zip(axes, pictures, strict=True):
        votes = np.bincount(voters[:, picture], minlength=classes)
        colors = [PALETTE[0] if each == labels[picture] else MUTED for each in range(classes)]
        ax.bar(range(classes), votes, color=colors)
        for height, color, name in zip(average, (PALETTE[0], INK), ("label", "other class"), strict=True):
            ax.axhline(height, color=color, linestyle="--", linewidth=1.5, label=f"{name}, on average {height:.0f}")
        won = votes.argmax() == labels[picture]
        ax.set(title=f"picture {picture}: vote {'right' if won else 'wrong'}", xlabel="class", xticks=range(classes))
    axes[0].set_ylabel("votes")
    axes[0].set_ylim(0, 1.3 * axes[0].get_ylim()[1])
    axes[0].legend(loc="upper left", fontsize=9)
    return axes


@style()
def plot_ladder(accuracies: np.ndarray, answers: np.ndarray, *, ax=None):
    """A team's submissions in their order: the exact accuracy of each, and what the board answers.

    Args:
        accuracies: `(submissions,)`, from 0 to 1.
        answers: `(submissions,)`, from 0 to 1, such as those of `challenge.ladder`.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: other shapes, or NaN.
    """
    accuracies = finite_array("accuracies", accuracies)
    answers = finite_array("answers", answers)
    if accuracies.ndim != 1 or accuracies.shape != answers.shape:
        raise ValueError(
            f"accuracies and answers must be (submissions,), one each, not {accuracies.shape} and {answers.shape}"
        )
    ax = given_or_new(ax, 7.5, 3.4)
    places = np.arange(1, len(accuracies) + 1)
    ax.plot(places, 100 * accuracies, "o", color=MUTED, markersize=3, alpha=0.6, label="exact accuracy")
    ax.plot(places, 100 * answers, color=PALETTE[2], linewidth=2.5, drawstyle="steps-post", label="the board's answer")
    ax.set(xlabel="submission", ylabel="accuracy in %", xlim=(0, len(places) + 1), ylim=(0, None))
    ax.grid(True, axis="y")
    ax.legend(loc="lower right", ncols=2)
    return ax

"""Work shared by several devices: who holds what, what a ring of devices sends, how much faster they are."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from course_lib import common
from course_lib.array_checks import finite_array
from course_lib.model_checks import described
from course_lib.visualization.style import INK, MUTED, PALETTE, given_or_new, new_axes, style

KINDS = ("batch", "network")
CENTERS = (0.0, 3.0)  # of the two devices, horizontally
WIDTH = 1.6  # of a whole layer
LATENCY = 5e-5  # seconds that a message takes, however short


@style()
def plot_parallelism(split: str, layers: Sequence[str], crossing: Collection[str] = (), *, batch: int = 128, ax=None):
    """What each of two devices holds of a network, and what travels between them in a training step.

    Args:
        split: "batch": each device holds all weights and half of the images; "network": each holds half of every
            layer and all images.
        layers: names of the layers, the first one first.
        crossing: where the network is split, the layers that need the activations of both halves.
        batch: images per step.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: another kind of split, no layers, or a crossing layer that is none of them.
    """
    if split not in KINDS:
        raise common.unknown("split", split, KINDS)
    layers = list(layers)
    unknown = set(crossing) - set(layers)
    if not layers or unknown:
        raise ValueError(f"layers must name the layers, those of crossing too, not {described(layers)}")
    common.at_least(2, batch=batch)
    ax = given_or_new(ax, 5.0, 0.8 + 0.42 * len(layers))
    halved = split == "network"
    for device, center in enumerate(CENTERS):
        images = f"all {batch} images" if halved else f"{batch // 2} of {batch} images"
        ax.text(center, -1, f"device {device}\n{images}", ha="center", va="center", color=PALETTE[device])
        for row, name in enumerate(layers):
            width = WIDTH / 2 if halved else WIDTH
            ax.barh(row, width, left=center - width / 2, height=0.62, color=PALETTE[device], alpha=0.35)
            ax.text(center, row, name, ha="center", va="center", fontsize=10)
    exchanged = [layers.index(name) - 0.5 for name in crossing] if halved else [len(layers) - 0.1]
    for row in exchanged:
        ends = [(CENTERS[1] - 0.2, row), (CENTERS[0] + 0.2, row)]
        ax.annotate("", *ends, arrowprops={"arrowstyle": "<->", "color": INK, "linewidth": 1.6})
    label = "activations cross, their gradients return" if halved else "all-reduce of every layer's gradient"
    ax.text(np.mean(CENTERS), len(layers) + 0.5, label, ha="center", va="center")
    ax.set_title("the network is split (model parallelism)" if halved else "the batch is split (data parallelism)")
    ax.set(xlim=(CENTERS[0] - 1.1, CENTERS[1] + 1.1), ylim=(len(layers) + 0.9, -1.7))
    ax.set_axis_off()
    return ax


@style()
def plot_parts(values: Sequence[float], sizes: Sequence[int], label: str, *, ax=None):
    """One number per image with the mean on each device; beside them the mean of these means and that of all images.

    Args:
        values: one number per image, such as its gradient for one weight; the first device's images come first.
        sizes: how many images each device has.
        label: what the numbers are.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: sizes that do not add up to the number of values, or a device without images.
    """
    values = finite_array("values", values)
    sizes = [int(size) for size in sizes]
    if values.ndim != 1 or min(sizes, default=0) < 1 or sum(sizes) != len(values):
        raise ValueError(f"values must be one number per image, sizes the images per device, not {sizes} of them")
    ax = given_or_new(ax, 8.5, 3.6)
    means = []
    for device, places in enumerate(np.split(np.arange(len(values)), np.cumsum(sizes)[:-1])):
        color = PALETTE[device % len(PALETTE)]
        means.append(values[places].mean())
        ax.bar(places, values[places], color=color, alpha=0.5)
        width = places[0] - 0.4, places[-1] + 0.4
        ax.hlines(means[-1], *width, color=color, linewidth=3, label=f"mean, device {device}")
    ends = len(values) + np.array([0.5, 2])
    ax.bar(ends, [np.mean(means), values.mean()], color=(MUTED, INK))
    ax.axhline(values.mean(), color=INK, linestyle=":", linewidth=1.2, zorder=0, label="mean of all images")
    ax.axhline(0, color=INK, linewidth=0.8)
    names = [*range(1, len(values) + 1), "mean of\nthe means", "mean of\nall images"]
    ax.set_xticks([*range(len(values)), *ends], names)
    ax.set(xlabel="image", ylabel=label)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.2)
    return ax


def weight_distance(model, other) -> float:
    """How far the trainable weights of two copies of a network are apart, relative to the length of the second one's.

    Moving averages of batch normalization do not count: no step changes them by a gradient.

    Raises:
        ValueError: networks whose weights differ in number or shape.
    """
    ours, theirs = ([weight.numpy() for weight in each.trainable_weights] for each in (model, other))
    if [weight.shape for weight in ours] != [weight.shape for weight in theirs]:
        raise ValueError("the two networks must be copies of each other: their weights have other shapes")
    ours, theirs = (np.concatenate([np.ravel(weight) for weight in weights]) for weights in (ours, theirs))
    return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))


def ring_turns(vectors: np.ndarray) -> tuple[list[np.ndarray], int]:
    """An all-reduce in a ring: what each device holds at the start and after every turn, and the numbers it sends.

    Each device sends one n-th of its numbers per turn to its neighbor: for n - 1 turns the neighbor adds them to its
    own, for n - 1 turns it takes over complete sums. After P. Patarasuk, X. Yuan: Bandwidth optimal all-reduce
    algorithms for clusters of workstations, 2009.

    Args:
        vectors: one row of numbers per device, `(devices, numbers)`, with at least as many numbers as devices.

    Returns:
        The arrays `(devices, numbers)`, 2 n - 1 of them, and how many numbers the first device sends in all.

    Raises:
        ValueError: another shape, or fewer numbers than devices.
    """
    held = finite_array("vectors", vectors).astype(float)
    if held.ndim != 2 or not 1 <= held.shape[0] <= held.shape[1]:
        raise ValueError(f"vectors must be (devices, numbers), numbers >= devices, not the shape {held.shape}")
    n = len(held)
    chunks = np.array_split(np.arange(held.shape[1]), n)
    turns = [held]
    sent = 0
    for turn in range(2 * (n - 1)):
        before = held
        held = held.copy()
        for device in range(n):
            chunk = chunks[(device - turn) % n]
            neighbor = (device + 1) % n
            kept = before[neighbor, chunk] if turn < n - 1 else 0
            held[neighbor, chunk] = kept + before[device, chunk]
        sent += len(chunks[-turn % n])
        turns.append(held)
    return turns, sent


@style()
def plot_ring(turns: Sequence[np.ndarray]):
    """What each device of a ring holds after every turn of an all-reduce, as numbers in colored squares.

    Args:
        turns: one array `(devices, chunks)` per turn, the first one before anything was sent; each number says how
            many devices' values are summed up in that chunk.

    Returns:
        The Axes, one per turn.

    Raises:
        ValueError: no turns, or arrays that are not `(devices, chunks)`.
    """
    held = finite_array("turns", np.array(list(turns)))
    if held.ndim != 3 or not held.size:
        raise ValueError(f"turns must be arrays (devices, chunks) of one shape, not the shape {held.shape[1:]}")
    axes = np.atleast_1d(new_axes(1.6 * len(held), 2.4, columns=len(held)))
    for turn, (ax, numbers) in enumerate(zip(axes, held, strict=True)):
        ax.imshow(numbers, cmap="Blues", vmin=0, vmax=1.25 * held.max())
        for (row, column), count in np.ndenumerate(numbers):
            color = "white" if count > 0.7 * held.max() else INK
            ax.text(column, row, f"{count:g}", ha="center", va="center", color=color)
        ax.set(title=f"turn {turn}" if turn else "start", xticks=[], yticks=[])
        ax.set_xlabel("chunk", fontsize=10)
    axes[0].set_yticks(range(held.shape[1]), [f"device {device}" for device in range(held.shape[1])])
    return axes


def speedup(compute: float, amount: float, devices, bandwidth: float, latency: float = LATENCY) -> np.ndarray:
    """How many times as fast several devices take a training step as one, by a model of two costs.

    The computation is divided evenly; then a ring all-reduce takes 2 (n - 1) / n · amount / bandwidth for what each
    device sends, and 2 (n - 1) · latency for its turns. Nothing overlaps, and input is free.

    Args:
        compute: seconds of computation on one device.
        amount: bytes of the gradient.
        devices: how many devices, n; a number or an array.
        bandwidth: bytes per second that a device sends.
        latency: seconds that each turn takes at least.

    Raises:
        ValueError: numbers that are not above 0, or fewer devices than one.
    """
    for name, value in (("compute", compute), ("amount", amount), ("bandwidth", bandwidth)):
        common.number(name, value, 1e-15)
    devices = finite_array("devices", devices).astype(float)
    if devices.size == 0 or devices.min() < 1:
        raise ValueError(f"devices must be 1 or more, not {devices}")
    agree = 2 * (devices - 1) / devices * amount / bandwidth + 2 * (devices - 1) * latency
    return compute / (compute / devices + agree)


@style()
def plot_speedup(
    networks: Mapping[str, tuple[float, float]],
    bandwidth: float = 6.0,
    devices: int = 8,
    *,
    measured: Mapping[str, tuple[int, float]] | None = None,
    ax=None,
):
    """How many times as fast 1 to n devices are, by the model of `speedup`, one line per network.

    Args:
        networks: name → (seconds of computation on one device, bytes of the gradient).
        bandwidth: of the connection, in GB per second.
        devices: the largest number of devices, n.
        measured: label → (devices, times as fast) of points that were measured.
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: no networks, or numbers that `speedup` refuses.
    """
    if not isinstance(networks, Mapping) or not networks:
        raise ValueError(f"networks must be a dict name → (seconds, bytes), not {described(networks)}")
    common.at_least(2, devices=devices)
    ax = given_or_new(ax, 7.0, 3.8)
    numbers = np.arange(1, devices + 1)
    ax.plot(numbers, numbers, "--", color=MUTED, label="n times as fast")
    for number, (name, (compute, amount)) in enumerate(networks.items()):
        values = speedup(compute, amount, numbers, 1e9 * bandwidth)
        ax.plot(numbers, values, "o-", color=PALETTE[number % len(PALETTE)], markersize=4, label=name)
    for label, (count, times) in (measured or {}).items():
        ax.plot(count, times, "D", color=INK, markersize=8, fillstyle="none", markeredgewidth=2, label=label)
    ax.axhline(1, color=INK, linewidth=1)
    ax.set(
        xlabel="devices n", ylabel="times as fast as one", title=f"{bandwidth:.3g} GB/s between devices", ylim=(0, None)
    )
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend()
    return ax

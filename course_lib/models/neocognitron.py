"""Fukushima's Neocognitron: the first network of layers that detect and layers that pool; it learns without labels.

K. Fukushima: Neocognitron: A Self-organizing Neural Network Model for a Mechanism of Pattern Recognition
Unaffected by Shift in Position, Biological Cybernetics 36:193–202, 1980. doi:10.1007/BF00344251

| layer | what                                    | output   |  cells | modifiable weights, a + b |
|-------|-----------------------------------------|----------|-------:|--------------------------:|
| U_0   | input                                   | 16×16    |    256 |                           |
| U_S1  | S-cells: look for a learned 5×5 pattern | 16×16×24 |  6,144 |         5×5×24 + 24 = 624 |
| U_C1  | C-cells: pool 5×5, each plane alone     | 10×10×24 |  2,400 |                           |
| U_S2  | S-cells, 5×5 on all 24 planes           | 8×8×24   |  1,536 |   5×5×24×24 + 24 = 14,424 |
| U_C2  | C-cells, 5×5                            | 6×6×24   |    864 |                           |
| U_S3  | S-cells, 5×5 on all 24 planes           | 2×2×24   |     96 |   5×5×24×24 + 24 = 14,424 |
| U_C3  | C-cells, 2×2                            | 24       |     24 |                           |
|       |                                         |          | 11,320 |                    29,472 |

Not counted are the inhibitory cells V_C, one for each place of an S-layer, and V_S, one for each of a C-layer.

From the paper: the equations (`neocognitron_cells`), the sizes above, r, q, α, the S-columns, b = 0 at the start,
Σc = 1, and how representatives are chosen. It was read in a machine-made copy in which the denominator of
equation 1 and the numbers of equations 4 and 5 are garbled; their form rests on two secondary sources (a term paper
by N. Conn with code, and reading notes).

Not in the paper, and chosen here, on distorted patterns other than those of the tests:
- c(v) and d(v), of which it says only that they fall with |v|: γ^|v| with Σc = 1, δ^|v| with Σd = 4.
- how a starts: "small", not random, a function of v, k/K and |k'/K' − k/K|; see `initial_a`.
- where cells lie: windows side by side over the middle of the layer before. Only 16 → 10 fits no such row: U_C1
  takes ten of the sixteen places, spread evenly. (A crop to the middle ten tolerates smaller shifts.)
- S-columns lie wholly inside a layer, one at every place, and a silent cell is no candidate.
- the order: layer by layer, each after the one before has learned all it will, so that no plane is spent on what
  an untrained layer put out.
- ψ of the C-cells for negative sums; see `c_cells`.
`width`, which scales the planes, is ours. The paper found patterns at fixed positions easier to learn (footnote 4).
With these choices it is the other way round: the tests' five digits get four cells of U_C3 when shown at fixed
positions, one each when shown at random ones.
"""

import numbers
from typing import NamedTuple

import keras
import numpy as np

from course_lib import common
from course_lib.models import neocognitron_cells as cells
from course_lib.models.options import scaled

SIDE = 16  # of the input
PLANES = 24  # of every layer
S_AREA = 5  # side of the area that an S-cell sees
ALPHA = 0.5  # where C-cells saturate
GAMMA = 0.95  # these three are not the paper's: how fast c falls,
DELTA = 0.5  # how fast d falls,
POOLED = 4.0  # and Σd
START = 0.01  # not the paper's: how small a starts, beside c
BATCH = 40  # images at a time: few enough for the processor's cache, which makes it twice as fast


class Stage(NamedTuple):
    """An S-layer and the C-layer behind it."""

    s_side: int  # S-cells along a side
    column: int  # side of an S-column
    r: float  # selectivity: a trained S-cell responds to correlations above r / (1 + r)
    q: float  # speed of learning
    places: int  # C-cells along a side that there is room for
    c_side: int  # those there are
    c_area: int  # side of what a C-cell sees


STAGES = (
    Stage(s_side=16, column=5, r=4.0, q=1.0, places=16, c_side=10, c_area=5),
    Stage(s_side=8, column=5, r=1.5, q=16.0, places=6, c_side=6, c_area=5),
    Stage(s_side=2, column=2, r=1.5, q=16.0, places=1, c_side=1, c_area=2),
)


def falling(base: float, size: int, total: float) -> np.ndarray:
    """`(size, size)` weights base^|v| that fall with the distance |v| from the middle and add up to `total`."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    weights = base ** np.hypot(x, y)
    return weights * (total / weights.sum())


def initial_a(c: np.ndarray, planes_before: int, planes: int) -> np.ndarray:
    """The excitatory weights before learning, `(size, size, planes before, planes)`: small, positive, not random.

    Plane k weakly prefers strokes of direction πk/K, and the planes before whose number k'/K' is near its own.
    """
    y, x = np.mgrid[: len(c), : len(c)] - (len(c) - 1) / 2
    k = np.arange(planes) / planes
    # |v|² cos 2(direction of v − πk/K), at most 8 for 5×5
    along = np.multiply.outer(x**2 - y**2, np.cos(2 * np.pi * k)) + np.multiply.outer(2 * x * y, np.sin(2 * np.pi * k))
    near = 1 - np.abs(np.arange(planes_before)[:, None] / planes_before - k)
    if planes_before == 1:  # the input: no plane of it is nearer than another
        near = np.ones((1, planes))
    return START * c[..., None, None] * (1 + along / 16)[:, :, None, :] * near


def sixteen(images: np.ndarray) -> np.ndarray:
    """MNIST's digits `(n, 28, 28, 1)` of uint8 as this network takes them: `(n, 16, 16, 1)` from 0 to 1.

    Two pixels of the border, which are empty, are cut off before the rest is shrunk.
    """
    inner = images[:, 2:-2, 2:-2].astype("float32") / 255
    return keras.ops.convert_to_numpy(keras.ops.image.resize(inner, (SIDE, SIDE), antialias=True)).clip(0, 1)


class Neocognitron:
    """The network of 1980: `fit_unsupervised(images)` learns, `transform(images)` returns the activations.

    Attributes:
        planes: cell-planes of each layer, 24 times `width`.
        a, b: after learning, the modifiable weights of the three S-layers: excitatory
            `(5, 5, planes before, planes)` and inhibitory `(planes,)`. A plane whose b is 0 has learned nothing.
        c, d: the fixed weights of the three S-layers' and C-layers' windows.
    """

    def __init__(self, *, width: float = 1.0):
        if isinstance(width, bool) or not isinstance(width, numbers.Real) or not 0 < width < float("inf"):
            raise ValueError(f"width must be a number above 0 (1.0 is the paper's network), not {width!r}")
        self.planes = scaled(PLANES, width)
        self.c = [falling(GAMMA, S_AREA, 1 / before) for before in (1, self.planes, self.planes)]
        self.d = [falling(DELTA, stage.c_area, POOLED) for stage in STAGES]
        self.a: list[np.ndarray] = []
        self.b: list[np.ndarray] = []

    def fit_unsupervised(self, images: np.ndarray, presentations: int = 20) -> "Neocognitron":
        """Starts anew and learns, layer by layer, each shown all `images` in order `presentations` times.

        `images` are `(n, 16, 16)` or `(n, 16, 16, 1)` from 0 (paper) to 1 (ink).

        Raises:
            ValueError: images of another shape or range, or `presentations` below 1.
        """
        common.at_least(1, presentations=presentations)
        u = _checked(images)
        self.a = [initial_a(c, before, self.planes) for c, before in zip(self.c, (1, *[self.planes] * 2), strict=True)]
        self.b = [np.zeros(self.planes) for _ in STAGES]
        for number, stage in enumerate(STAGES):
            inputs = cells.framed(u, stage.s_side, S_AREA)
            for _ in range(presentations):
                for one in inputs:
                    self._present(number, one)
            u = self._stage(number, u)[1]
        return self

    def transform(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """The activations of every layer: "s1", "c1", "s2", "c2", "s3" as `(n, height, width, planes)`.

        "c3" is `(n, planes)`: the largest cell is the prediction; there is none where all are 0. C-cells stay
        between 0 and 1. `images` are as in `fit_unsupervised`.

        Raises:
            ValueError: images of another shape or range, or a network that has not learned yet.
        """
        if not self.a:
            raise ValueError("this Neocognitron has not learned yet: call fit_unsupervised(images) first")
        activations = {}
        u = _checked(images)
        for number in range(len(STAGES)):
            activations[f"s{number + 1}"], u = self._stage(number, u)
            activations[f"c{number + 1}"] = u
        return activations | {"c3": u.reshape(len(u), -1)}

    def _present(self, number: int, one: np.ndarray) -> None:
        """Shows an S-layer one image of the layer before, framed: its representatives teach their planes."""
        stage = STAGES[number]
        c = self.c[number]
        u_s = cells.s_cells(one[None], self.a[number], self.b[number], c, stage.r)[0]
        for plane, (y, x) in cells.representatives(u_s, stage.column).items():
            more_a, more_b = cells.reinforcement(one[y : y + S_AREA, x : x + S_AREA], c, stage.q)
            self.a[number][..., plane] += more_a
            self.b[number][plane] += more_b

    def _stage(self, number: int, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The S-layer and the C-layer that follow the cells `u`."""
        stage = STAGES[number]
        u_s = []
        u_c = []
        taken = np.linspace(0, stage.places - 1, stage.c_side).round().astype(int)
        for start in range(0, len(u), BATCH):
            seen = cells.framed(u[start : start + BATCH], stage.s_side, S_AREA)
            u_s.append(cells.s_cells(seen, self.a[number], self.b[number], self.c[number], stage.r))
            pooled = cells.c_cells(cells.framed(u_s[-1], stage.places, stage.c_area), self.d[number], ALPHA)
            u_c.append(pooled[:, taken][:, :, taken])
        return np.concatenate(u_s), np.concatenate(u_c)


def _checked(images: np.ndarray) -> np.ndarray:
    """`images` as float64 `(n, 16, 16, 1)`."""
    try:
        images = np.asarray(images)
    except ValueError:
        raise ValueError("images must be one array (n, 16, 16): these parts have different shapes") from None
    if images.dtype.kind not in "biuf":
        raise ValueError(f"images must be an array of numbers, not of {images.dtype}")
    if images.shape[1:] not in ((SIDE, SIDE), (SIDE, SIDE, 1)) or len(images) == 0:
        raise ValueError(f"images must have the shape (n, 16, 16) or (n, 16, 16, 1), n at least 1, not {images.shape}")
    if not (images.min() >= 0 and images.max() <= 1):  # also where a value is NaN
        raise ValueError(
            "images must go from 0 (paper) to 1 (ink), but these go from "
            f"{images.min():g} to {images.max():g}: divide uint8 images by 255"
        )
    return images.reshape(-1, SIDE, SIDE, 1).astype(float)

"""The cells of the Neocognitron, one function per equation (Fukushima 1980).

Cells are arrays `(n, height, width, planes)`. The cell at (y, x) sees the cells before it from (y, x) to
(y + size − 1, x + size − 1), so those must come `framed`.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def framed(cells: np.ndarray, side: int, size: int) -> np.ndarray:
    """`cells` with as many silent cells around them as let windows of `size` fit at `side`×`side` places."""
    margin = (side + size - 1 - cells.shape[1]) // 2
    return np.pad(cells, ((0, 0), (margin, margin), (margin, margin), (0, 0)))


def weighted(cells: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Σ_v weights(v)·u(k, n + v), each plane k alone: `(n, height, width, planes)` for all places n."""
    height = cells.shape[1] - len(weights) + 1
    width = cells.shape[2] - len(weights) + 1
    return sum(weights[y, x] * cells[:, y : y + height, x : x + width] for y, x in np.ndindex(weights.shape))


def s_cells(u_c: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray, r: float) -> np.ndarray:
    """Equation 1: what excites an S-cell against what inhibits it, a division ("shunting").

    `a` are the excitatory weights `(size, size, planes before, planes)`, `b` the inhibitory ones `(planes,)`.
    A trained cell responds where its window correlates with what it learned by more than r / (1 + r).
    """
    windows = sliding_window_view(u_c, a.shape[:2], axis=(1, 2))  # (n, height, width, planes before, size, size)
    excitation = np.tensordot(windows, a, axes=((3, 4, 5), (2, 0, 1)))
    inhibition = 2 * r / (1 + r) * b * v_c_cells(u_c, c)
    return r * np.maximum((1 + excitation) / (1 + inhibition) - 1, 0)


def v_c_cells(u_c: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Equation 3: the weighted root mean square of a window over all planes, `(n, height, width, 1)`."""
    return np.sqrt(weighted(np.square(u_c).sum(axis=-1, keepdims=True), c))


def c_cells(u_s: np.ndarray, d: np.ndarray, alpha: float) -> np.ndarray:
    """Equations 4 and 5: each plane blurred, against the mean of all planes, saturating towards 1.

    The paper's ψ[x] = φ[x / (α + x)] would answer strongest of all to an x just below −α; meant must be that
    every negative x gives 0.
    """
    x = np.maximum((1 + weighted(u_s, d)) / (1 + v_s_cells(u_s, d)) - 1, 0)
    return x / (alpha + x)


def v_s_cells(u_s: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Equation 6: the blurred mean of all planes, `(n, height, width, 1)`."""
    return weighted(u_s.mean(axis=-1, keepdims=True), d)


def representatives(u_s: np.ndarray, column: int) -> dict[int, tuple[int, int]]:
    """The S-cells that learn from one presentation: plane → (y, x); `u_s` is `(height, width, planes)`.

    Every `column`×`column` window through all planes names its largest cell a candidate, if it answers at all.
    The largest candidate of a plane represents it. A plane without one learns nothing.
    """
    columns = sliding_window_view(u_s, (column, column), axis=(0, 1))  # (rows, columns, planes, column, column)
    flat = columns.reshape(*columns.shape[:2], -1)
    plane, down, across = np.unravel_index(flat.argmax(axis=-1), columns.shape[2:])
    largest = flat.max(axis=-1)
    top, left = np.indices(largest.shape)
    ordered = np.argsort(largest, axis=None, kind="stable")
    ordered = ordered[largest.ravel()[ordered] > 0]
    found = (each.ravel()[ordered].tolist() for each in (plane, top + down, left + across))
    return {k: (y, x) for k, y, x in zip(*found, strict=True)}  # of a plane's candidates the last, the largest, stays


def reinforcement(window: np.ndarray, c: np.ndarray, q: float) -> tuple[np.ndarray, float]:
    """How much a representative that sees `window` `(size, size, planes)` adds to the a and b of its plane."""
    return q * c[..., None] * window, q / 2 * float(v_c_cells(window[None], c).item())

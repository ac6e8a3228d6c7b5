"""Signed distance functions of four solids, and rays marched along them until they touch.

A hard union's first touch is the first of its solids' touches, so each pair of a ray and a solid whose bounding
sphere it crosses is marched for itself (sphere tracing: Hart 1996): a whole batch's pairs of one kind together.
Arrays of vectors are `(3, n)` float32.
"""

import numpy as np

ELLIPSOID, BOX, CONE, TORUS = range(4)
PART = np.dtype(
    [
        ("kind", "i4"),
        ("center", "f4", 3),
        ("half", "f4", 3),  # half the size along x, y, z before it is turned; a torus lies in x and y, z: its tube
        ("taper", "f4"),  # width at the top of a box or cone as a share of that at the bottom, along x
        ("taper_z", "f4"),
        ("turned", "f4", (3, 3)),  # from the solid's own axes to the scene's
        ("color", "f4", 3),
        ("shine", "f4"),
    ]
)
ROUNDS, STEPS = 20, 2  # at most 40 steps; rays that are through are dropped after each round
NEAR = 1.5e-3  # closer than this is a touch
FIRST = 0.03  # where a ray that starts on a solid looks first
CAUTION = 0.85  # of the way that `distance` allows: near edges it promises a little too much
ROUNDING = 0.02  # of edges


def shape_constants(parts: np.ndarray) -> np.ndarray:
    """What `distance` needs of each part: float32 `(6, n)`: sizes, slopes, rounding."""
    x, y, z = parts["half"].T
    rounding = np.minimum(ROUNDING, 0.4 * parts["half"].min(1))
    (wide, slope), (deep, slope_z) = (
        (half * (1 + taper) / 2, half * (taper - 1) / (2 * y)) for half, taper in ((x, parts["taper"]), (z, parts["taper_z"]))
    )
    tapered = np.stack([wide - rounding, y - rounding, deep - rounding, slope, slope_z, rounding])
    plain = np.stack([x, y, z, 0 * x, 0 * x, 0 * x])
    return np.where(np.isin(parts["kind"], (BOX, CONE)), tapered, plain).astype(np.float32)


def extents(parts: np.ndarray) -> np.ndarray:
    """Half the size of each part's box along its own axes, `(n, 3)`."""
    half = parts["half"].copy()
    half[:, 0] *= np.maximum(parts["taper"], 1)
    half[:, 2] *= np.maximum(parts["taper_z"], 1)
    return half


def bounding_radii(parts: np.ndarray) -> np.ndarray:
    """The radius of a sphere about each part's center that holds it."""
    half, kind = extents(parts), parts["kind"]
    corner, rim = np.sqrt((half**2).sum(1)), np.hypot(half[:, 0], half[:, 1])
    return np.where(kind == BOX, corner, np.where(kind == CONE, rim, half.max(1)))


def distance(kind: int, point: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """The signed distance, or a lower bound of it, from each point to its solid, in the solid's own axes."""
    x, y, z = point
    if kind == ELLIPSOID:
        scaled = point / shape[:3]
        outer = np.sqrt((scaled * scaled).sum(0))
        scaled /= shape[:3]
        return outer * (outer - 1) / np.maximum(np.sqrt((scaled * scaled).sum(0)), 1e-6)
    if kind == TORUS:
        ring = np.sqrt(x * x + y * y) - (shape[0] - shape[2])
        return np.sqrt(ring * ring + z * z) - shape[2]
    up = np.abs(y) - shape[1]
    if kind == CONE:
        side = (np.sqrt(x * x + z * z) - shape[0] - shape[3] * y) / np.sqrt(1 + shape[3] * shape[3])
        outside = np.maximum(side, 0) ** 2 + np.maximum(up, 0) ** 2
        return np.sqrt(outside) + np.minimum(np.maximum(side, up), 0) - shape[5]
    side = (np.abs(x) - shape[0] - shape[3] * y) / np.sqrt(1 + shape[3] * shape[3])
    front = (np.abs(z) - shape[2] - shape[4] * y) / np.sqrt(1 + shape[4] * shape[4])
    outside = np.maximum(side, 0) ** 2 + np.maximum(up, 0) ** 2 + np.maximum(front, 0) ** 2
    return np.sqrt(outside) + np.minimum(np.maximum(np.maximum(side, front), up), 0) - shape[5]


def march(parts: list[np.ndarray], starts: list[int], origins: np.ndarray, directions: np.ndarray, wider: float):
    """Marches each ray of scene `i`, those from `starts[i]` to `starts[i + 1]`, along the solids `parts[i]`.

    Args:
        wider: how near to a solid's box a ray must come to be marched along it.

    Returns, one value for each pair of a ray and a solid that it comes near to:
        the rays' indices; the indices of the solids in `np.concatenate(parts)`; the distance along the ray at
        which they touch, infinite where they do not; the smallest gap between them in shares of the way to it.
    """
    pairs, first_part = [], 0
    for each, first, last in zip(parts, starts, starts[1:], strict=False):
        rays, which = _crossing(each, origins[:, first:last], directions[:, first:last], wider)
        pairs.append((rays + first, which + first_part))
        first_part += len(each)
    rays, which = map(np.concatenate, zip(*pairs, strict=True))
    parts = np.concatenate(parts)
    boxes, shapes, kinds = (extents(parts) + wider).T, shape_constants(parts), parts["kind"][which]
    results = []
    for kind in range(4):
        mine = np.flatnonzero(kinds == kind)
        ray, part = rays[mine], which[mine]
        start = to_own_axes(parts, part, origins[:, ray] - parts["center"].T[:, part])
        direction = to_own_axes(parts, part, directions[:, ray])
        begin, end = _through_box(start, direction, boxes[:, part])
        meets = np.flatnonzero(end > np.maximum(begin, FIRST))
        ray, part, start, direction = ray[meets], part[meets], start[:, meets], direction[:, meets]
        touch, clearance = _march(kind, start, direction, shapes[:, part], begin[meets], end[meets])
        results.append((ray, part, touch, clearance))
    return tuple(map(np.concatenate, zip(*results, strict=True)))


def _crossing(parts, origins, directions, wider) -> tuple[np.ndarray, np.ndarray]:
    """The pairs (ray, part) of one scene whose bounding spheres, `wider` than needed, are crossed."""
    centers = parts["center"]
    along = directions.T @ centers.T - (origins * directions).sum(0)[:, None]
    apart = (origins * origins).sum(0)[:, None] - 2 * (origins.T @ centers.T) + (centers * centers).sum(1)
    radii = (bounding_radii(parts) + wider).astype(np.float32)
    return np.nonzero((apart - along * along < radii**2) & (along > -radii))


def _through_box(start, direction, box) -> tuple[np.ndarray, np.ndarray]:
    """Where rays enter and leave boxes about the origin; they miss where the first is not before the second."""
    inverse = 1 / np.where(np.abs(direction) < 1e-7, np.float32(1e-7), direction)
    middle, reach = -start * inverse, box * np.abs(inverse)
    return (middle - reach).max(0), (middle + reach).min(0)


def _march(kind, start, direction, shape, begin, end) -> tuple[np.ndarray, np.ndarray]:
    """`march` for pairs of one kind in the solids' own axes: where they touch, the smallest gap."""
    touch, clearance = np.full(len(end), np.inf, np.float32), np.full(len(end), np.inf, np.float32)
    going, way = np.arange(len(end)), np.maximum(begin, FIRST)
    for _ in range(ROUNDS):
        closest = clearance[going]
        for _ in range(STEPS):
            gap = distance(kind, start + way * direction, shape)
            closest = np.minimum(closest, gap / way)
            way = np.maximum(way + CAUTION * gap, FIRST)
        clearance[going] = closest
        touched = gap < NEAR
        touch[going[touched]] = way[touched]
        keep = np.flatnonzero(~touched & (way < end))
        going, way, end = going[keep], way[keep], end[keep]
        start, direction, shape = start[:, keep], direction[:, keep], shape[:, keep]
        if not len(going):
            break
    return touch, clearance


def normals(parts: np.ndarray, which: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The unit normals `(3, n)` of solids `which` at points on them: the distance's gradient, by differences."""
    local = to_own_axes(parts, which, points - parts["center"].T[:, which])
    shapes, slope = shape_constants(parts)[:, which], np.zeros_like(local)
    for kind in range(4):
        (mine,) = np.nonzero(parts["kind"][which] == kind)
        for corner in ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)):  # of a tetrahedron
            corner = np.array(corner, np.float32)[:, None]
            slope[:, mine] += corner * distance(kind, local[:, mine] + 2e-3 * corner, shapes[:, mine])
    outward = np.einsum("nij,jn->in", parts["turned"][which], slope)
    return outward / np.maximum(np.sqrt((outward * outward).sum(0)), 1e-12)


def to_own_axes(parts: np.ndarray, which: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.einsum("nji,jn->in", parts["turned"][which], vectors)

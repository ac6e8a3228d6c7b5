"""Signed distance functions of four solids, and rays marched along them until they touch.

The first touch of a union is the first of its solids' touches, so each pair of a ray and a solid whose bounds it
crosses is marched for itself (sphere tracing: Hart 1996), all pairs of one kind together. Vectors are `(3, n)`
float32 arrays.
"""

import numpy as np

BALL, BLOCK, CONE, RING = range(4)  # an ellipsoid, a box, a cylinder or cone, a torus around the z axis
# half: half the size along x, y, z before it is turned, of a ring z is its tube; taper: of blocks and cones, the
# width at the top as a share of that at the bottom, along x and along z; turned: from its own axes to the scene's.
_VALUES = {"center": 3, "half": 3, "taper": (), "taper_z": (), "turned": (3, 3), "color": 3, "shine": ()}
PART = np.dtype([("kind", "i4"), *((name, "f4", shape) for name, shape in _VALUES.items())])
ROUNDS = 20  # after each, rays that have ended are dropped
STEPS = 2  # in a round, so at most 40 in all
NEAR = 1.5e-3  # closer than this is a touch
FIRST = 0.03  # where a ray that starts on a solid looks first
CAUTION = 0.85  # of the way that `distance` allows: near edges it promises a little too much
ROUNDING = 0.02  # of edges


def distance(kind: int, point: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """The signed distance, nearly, from points to solids of one kind in their own axes; `shape` of `constants`."""
    x, y, z = point
    if kind == BALL:
        scaled = point / shape[:3]
        outer = np.sqrt((scaled * scaled).sum(0))
        scaled /= shape[:3]
        return outer * (outer - 1) / np.maximum(np.sqrt((scaled * scaled).sum(0)), 1e-6)
    if kind == RING:
        return np.sqrt((np.sqrt(x * x + y * y) - (shape[0] - shape[2])) ** 2 + z * z) - shape[2]
    across = np.sqrt(x * x + z * z) if kind == CONE else np.abs(x)
    faces = [np.abs(y) - shape[1], (across - shape[0] - shape[3] * y) / np.sqrt(1 + shape[3] * shape[3])]
    if kind == BLOCK:
        faces.append((np.abs(z) - shape[2] - shape[4] * y) / np.sqrt(1 + shape[4] * shape[4]))
    outside = sum(np.maximum(face, 0) ** 2 for face in faces)
    return np.sqrt(outside) + np.minimum(np.maximum.reduce(faces), 0) - shape[5]


def constants(parts: np.ndarray) -> np.ndarray:
    """What `distance` needs of each part, `(6, n)`: half sizes in the middle, slopes along x and z, rounding."""
    tapers = np.stack([parts["taper"], parts["taper_z"]])
    half = parts["half"].T
    straight = np.isin(parts["kind"], (BALL, RING))
    rounding = np.where(straight, 0, np.minimum(ROUNDING, 0.4 * half.min(0)))
    slopes = half[::2] * (tapers - 1) / (2 * half[1])
    middles = half[::2] * (1 + tapers) / 2
    return np.stack([middles[0], half[1], middles[1], *slopes, 2 * rounding]) - rounding * [
        [1],
        [1],
        [1],
        [0],
        [0],
        [1],
    ]


def extents(parts: np.ndarray) -> np.ndarray:
    """Half the size of each part's box along its own axes, `(n, 3)`."""
    half = parts["half"].copy()
    half[:, 0] *= np.maximum(parts["taper"], 1)
    half[:, 2] *= np.maximum(parts["taper_z"], 1)
    return half


def radii(parts: np.ndarray) -> np.ndarray:
    """The radius of a sphere about each part's center that holds it, `(n,)`."""
    half = extents(parts)
    kind = parts["kind"]
    corner = np.sqrt((half**2).sum(1))
    rim = np.hypot(half[:, 0], half[:, 1])
    return np.select([kind == BLOCK, kind == CONE], [corner, rim], half.max(1))


def march(parts: list[np.ndarray], starts: np.ndarray, origins: np.ndarray, directions: np.ndarray, wider: float):
    """Marches each ray of scene `i`, those from `starts[i]` to `starts[i + 1]`, along the solids `parts[i]`.

    `wider`: how near to a solid's box a ray must come to be marched along it.

    Returns, one value for each pair of a ray and a solid that it comes near to:
        the rays' indices; the indices of the solids in `np.concatenate(parts)`; the distance along the ray at
        which they touch, infinite where they do not; the smallest gap between them in shares of the way to it.
    """
    ends = np.cumsum([len(each) for each in parts])
    pairs = []
    for each, first, last, end in zip(parts, starts, starts[1:], ends, strict=False):
        rays, which = _crossing(each, origins[:, first:last], directions[:, first:last], wider)
        pairs.append((rays + first, which + end - len(each)))
    rays, which = map(np.concatenate, zip(*pairs, strict=True))
    parts = np.concatenate(parts)
    boxes = (extents(parts) + wider).T
    shapes = constants(parts).astype(np.float32)
    kinds = parts["kind"][which]
    results = []
    for kind in range(4):
        mine = np.flatnonzero(kinds == kind)
        ray = rays[mine]
        part = which[mine]
        start = to_own_axes(parts, part, origins[:, ray] - parts["center"].T[:, part])
        direction = to_own_axes(parts, part, directions[:, ray])
        begin, end = _through_box(start, direction, boxes[:, part])
        meets = np.flatnonzero(end > np.maximum(begin, FIRST))
        ray = ray[meets]
        part = part[meets]
        found = _march(kind, start[:, meets], direction[:, meets], shapes[:, part], begin[meets], end[meets])
        results.append((ray, part, *found))
    return tuple(map(np.concatenate, zip(*results, strict=True)))


def normals(parts: np.ndarray, which: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The unit normals `(3, n)` of solids `which` at points on them: the distance's gradient, by differences."""
    local = to_own_axes(parts, which, points - parts["center"].T[:, which])
    shapes = constants(parts).astype(np.float32)[:, which]
    slope = np.zeros_like(local)
    for kind in range(4):
        mine = np.flatnonzero(parts["kind"][which] == kind)
        for corner in ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)):  # of a tetrahedron
            corner = np.array(corner, np.float32)[:, None]
            slope[:, mine] += corner * distance(kind, local[:, mine] + 2e-3 * corner, shapes[:, mine])
    outward = np.einsum("nij,jn->in", parts["turned"][which], slope)
    return outward / np.maximum(np.sqrt((outward * outward).sum(0)), 1e-12)


def to_own_axes(parts: np.ndarray, which: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """`vectors` `(3, n)` in the axes of the parts `which` `(n,)`."""
    return np.einsum("nji,jn->in", parts["turned"][which], vectors)


def _crossing(parts, origins, directions, wider) -> tuple[np.ndarray, np.ndarray]:
    """The pairs (ray, part) of one scene whose bounding spheres, `wider` than needed, are crossed."""
    centers = parts["center"]
    reach = (radii(parts) + wider).astype(np.float32)
    along = directions.T @ centers.T - (origins * directions).sum(0)[:, None]
    apart = (origins * origins).sum(0)[:, None] - 2 * (origins.T @ centers.T) + (centers * centers).sum(1)
    return np.nonzero((apart - along * along < reach**2) & (along > -reach))


def _through_box(start, direction, box) -> tuple[np.ndarray, np.ndarray]:
    """Where rays enter and leave boxes about the origin; they miss where the first is not before the second."""
    inverse = 1 / np.where(np.abs(direction) < 1e-7, np.float32(1e-7), direction)
    middle = -start * inverse
    reach = box * np.abs(inverse)
    return (middle - reach).max(0), (middle + reach).min(0)


def _march(kind, start, direction, shape, begin, end) -> tuple[np.ndarray, np.ndarray]:
    """`march` for pairs of one kind in the solids' own axes: where they touch, the smallest gap."""
    touch, clearance = np.full((2, len(end)), np.inf, np.float32)
    going = np.arange(len(end))
    way = np.maximum(begin, FIRST)
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
        going = going[keep]
        way = way[keep]
        end = end[keep]
        start = start[:, keep]
        direction = direction[:, keep]
        shape = shape[:, keep]
    return touch, clearance

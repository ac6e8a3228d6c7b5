"""The five places: what lies on the ground, and what stands behind. Colors are linear, from 0 to 1."""

import functools

import numpy as np

TILE = 256  # texels a side, of the noise that repeats every 4 units

SKY = ((0.13, 0.33, 0.75), (0.62, 0.75, 0.88))  # above; at the horizon
GROUNDS = {
    "beach": (0.62, 0.47, 0.27),
    "lake": (0.04, 0.2, 0.3),
    "meadow": (0.1, 0.26, 0.05),
    "room": (0.34, 0.18, 0.08),
    "yard": (0.33, 0.29, 0.26),
}
HILLS = np.float32([[0.12], [0.22], [0.16]])
SEA = np.float32([[0.05], [0.25], [0.4]])
WALLS = {"room": (0.55, 0.53, 0.42), "yard": (0.36, 0.14, 0.09)}


@functools.cache
def noise_tile() -> np.ndarray:
    """Noise that repeats, strong in large patches and weak in small ones: `(TILE, TILE)`, mean 0, spread 1."""
    random = np.fft.fft2(np.random.RandomState(0).standard_normal((TILE, TILE)))
    frequency = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.fftfreq(TILE)) * TILE
    tile = np.fft.ifft2(random / np.maximum(frequency, 2) ** 0.8).real
    return ((tile - tile.mean()) / tile.std()).astype(np.float32)


def noise(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The noise at these places, between texels in proportion."""
    tile = noise_tile()
    u = u * np.float32(TILE / 4)
    v = v * np.float32(TILE / 4)
    left = np.floor(u)
    top = np.floor(v)
    u = u - left
    v = v - top
    left = left.astype(np.int32) & (TILE - 1)
    top = top.astype(np.int32) & (TILE - 1)
    right = (left + 1) & (TILE - 1)
    below = (top + 1) & (TILE - 1)
    upper = tile[top, left] * (1 - u) + tile[top, right] * u
    return upper * (1 - v) + (tile[below, left] * (1 - u) + tile[below, right] * u) * v


def bricks(u: np.ndarray, v: np.ndarray, wide: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Of a wall of bricks, each row shifted by half: every brick's own tone, about 0, and where mortar is."""
    row = np.floor(v / high)
    across = u / wide + 0.5 * (row % 2)
    tone = noise(np.floor(across) * 0.37, row * 0.53)
    return tone, (across % 1 < 0.06) | (v / high % 1 < 0.12)


def tint(place: str, seed: int) -> np.ndarray:
    """The ground's, the wall's and the sky's colors here: each place has its own light and paint, `(3, 3)`."""
    random = np.random.RandomState(seed)
    scale = 0.65 + 0.7 * random.random_sample((3, 1)) + 0.3 * (random.random_sample((3, 3)) - 0.5)
    return (scale * [GROUNDS[place], WALLS.get(place, SKY[0]), SKY[1]]).astype(np.float32)


def ground(place: str, seed: int, x: np.ndarray, z: np.ndarray, away: np.ndarray) -> np.ndarray:
    """The ground's color `(3, n)` at `(x, z)`; its texture fades where it is far `away` from the camera."""
    color, _, horizon = tint(place, seed)[:, :, None]
    fine = 1 / (1 + (away / 9) ** 2)
    haze = 0 if place in WALLS else away * away / (away * away + 2500)
    color = color * (1 - haze) + horizon * haze
    if place in WALLS:  # boards or slabs
        wide, high, grain = (2.5, 0.42, 0.3) if place == "room" else (0.8, 0.8, 1.0)
        tone, seam = bricks(x, z, wide, high)
        bright = 1 + fine * (0.14 * tone + 0.1 * noise(x * grain, z / grain) - 0.4 * seam)
    elif place == "lake":
        waves = noise(x * 0.25, z * 0.9) + 0.6 * noise(z * 0.5 + 1, x * 1.4)
        bright = 1 + fine * (0.4 * waves + 0.9 * np.maximum(waves - 1.1, 0))
        color = color + 0.25 * (1 - fine) * horizon
    else:
        rough = 0.34 if place == "meadow" else 0.1
        bright = 1 + 0.12 * noise(x * 0.2, z * 0.2) + rough * fine * noise(x * 1.3, z * 1.3)
    return color * np.maximum(bright, 0.1)


def behind(place: str, seed: int, directions: np.ndarray) -> np.ndarray:
    """What is seen along directions `(3, n)` that meet neither thing nor ground: sky or wall, `(3, n)`."""
    x, y, z = directions
    _, wall, horizon = tint(place, seed)[:, :, None]
    around = np.arctan2(x, z) * 8
    up = np.maximum(y, 0) / np.maximum(np.sqrt(x * x + z * z), 1e-3)
    if place == "room":  # striped paper above a skirting board
        stripes = 1 + 0.08 * (np.floor(around * 1.6) % 2) + 0.03 * noise(around, up * 8)
        return wall * np.where(up < 0.05, 1.25, stripes)
    if place == "yard":
        tone, mortar = bricks(around, up * 8, 0.75, 0.3)
        return wall * np.where(mortar, 1.5, 1 + 0.18 * tone) + 0.06 * mortar
    share = np.sqrt(np.minimum(up, 1))
    clouds = np.clip(noise(around * 0.12, up * 1.4 + seed % 97) * 0.8 - 0.2, 0, 0.9) * np.minimum(8 * up, 1)
    sky = (horizon * (1 - share) + wall * share) * (1 - clouds) + 0.9 * clouds
    if place == "meadow":
        return np.where(up < 0.05 + 0.03 * noise(around * 0.1, around * 0.05), HILLS, sky)
    return np.where(up < 0.06, SEA, sky) if place == "beach" else sky

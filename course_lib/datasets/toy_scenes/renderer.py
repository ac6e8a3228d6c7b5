"""From scenes to pictures: a pinhole camera, one sun, soft shadows, four rays where a pixel lies on an edge."""

import concurrent.futures
import dataclasses
import math
import os

import numpy as np

from course_lib import common
from course_lib.datasets.toy_scenes import backgrounds, shapes, solids
from course_lib.datasets.toy_scenes.scene import Scene

SIZES = (16, 512)  # pixels a side
FIELD = 0.42  # tangent of half the field of view: 46 degrees in all
SOFT = 9.0  # sharpness of shadows
GROUND, BEHIND = -1, -2  # in place of a part's index
LIFT = 0.45  # of an airplane above the ground
OCCLUDER_AWAY = 1.2  # in front of the camera
SHADOWS_END = 14.0  # farther ground is taken as sunlit
AT_ONCE = 16 * 64 * 64  # pixels that are marched together: their arrays fit a core's cache
OCCLUDERS = {"wall": (0.42, 0.36, 0.3), "post": (0.28, 0.17, 0.09), "hedge": (0.09, 0.2, 0.06)}


@dataclasses.dataclass(frozen=True)
class Rendered:
    """Pictures and what is true of them."""

    images: np.ndarray  # (n, size, size, 3) uint8
    masks: np.ndarray  # (n, size, size) bool: where the object is seen
    boxes: np.ndarray  # (n, 4) int64: left, top, right, bottom of the mask in pixels, ends exclusive; 0 if unseen
    depth: np.ndarray  # (n, size, size) float32: distance from the camera; infinite where sky or wall is
    labels: np.ndarray  # (n,) int64: positions in CLASS_NAMES


def render(scenes: list[Scene], size: int = 64) -> Rendered:
    """The scenes' pictures, `size` pixels a side, their masks, boxes and depth.

    Raises:
        ValueError: no scenes, or a size below 16 or above 512.
    """
    scenes = [scenes] if isinstance(scenes, Scene) else list(scenes)
    common.at_least(1, **{"the number of scenes": len(scenes)})
    if isinstance(size, bool) or not hasattr(size, "__index__") or not SIZES[0] <= size <= SIZES[1]:
        raise ValueError(f"size must be a whole number of pixels from {SIZES[0]} to {SIZES[1]}, not {size!r}")
    step = max(1, AT_ONCE // size**2)
    parts = [scenes[first : first + step] for first in range(0, len(scenes), step)]
    backgrounds.noise_tile()  # once, before the threads
    with concurrent.futures.ThreadPoolExecutor(min(len(parts), os.cpu_count() or 1, 8)) as pool:
        images, masks, depth = map(np.concatenate, zip(*pool.map(lambda part: _render(part, size), parts), strict=True))
    boxes = np.array([_box(mask) for mask in masks])
    return Rendered(images, masks, boxes, depth, np.array([scene.label for scene in scenes]))


def _box(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    return (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1) if len(rows) else (0, 0, 0, 0)


class _Worlds:
    """Scenes as solids on their grounds, to be looked at along many rays at once."""

    def __init__(self, scenes: list[Scene]):
        self.scenes = scenes
        self.parts, self.floors, is_object = [], np.empty(len(scenes), np.float32), []
        for index, s in enumerate(scenes):
            thing = shapes.thing(s.class_name, s.shape_seed, s.variety, s.turn, s.tilt)
            self.floors[index] = shapes.lowest(thing) - LIFT * (s.class_name == "airplane")
            clutter = shapes.clutter(s.distractors, s.distractor, s.background_seed, self.floors[index])
            self.parts.append(np.concatenate([thing, clutter]))
            is_object += [True] * len(thing) + [False] * len(clutter)
        self.all_parts, self.is_object = np.concatenate(self.parts), np.array([*is_object, False, False])

    def look(self, pixels: list[np.ndarray], size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What is seen at the places `pixels[i]` of scene i's picture, each `(2, n)`: to the right, down.

        Returns: linear colors `(3, rays)`; the part's index in `all_parts`, GROUND or BEHIND; how far away it is.
        """
        starts = np.cumsum([0, *(each.shape[1] for each in pixels)])
        cameras = [_camera(scene, each, size) for scene, each in zip(self.scenes, pixels, strict=True)]
        origins = np.repeat(np.stack([origin for origin, _ in cameras], 1), np.diff(starts), 1)
        directions = np.concatenate([direction for _, direction in cameras], 1)
        down = np.minimum(directions[1], -1e-6)
        away = (np.repeat(self.floors, np.diff(starts)) - origins[1]) / down
        seen = np.where(directions[1] < -1e-6, GROUND, BEHIND)
        away[seen == BEHIND] = np.inf
        rays, which, touch, _ = solids.march(self.parts, starts, origins, directions, wider=0.0)
        nearer = np.flatnonzero(touch < away[rays])
        nearer = nearer[np.argsort(-touch[nearer])]  # so that of one ray's touches the nearest is written last
        away[rays[nearer]], seen[rays[nearer]] = touch[nearer], which[nearer]
        points = origins + np.where(seen == BEHIND, 0, away) * directions
        return self._shade(starts, points, directions, away, seen), seen, away

    def _shade(self, starts, points, directions, away, seen) -> np.ndarray:
        """Diffuse light of sun and sky, and the sun's gloss (Blinn 1977)."""
        sun, colors, normal = np.empty_like(points), np.empty_like(points), np.zeros_like(points)
        normal[1] = 1
        solid = np.flatnonzero(seen >= 0)
        normal[:, solid] = solids.normals(self.all_parts, seen[solid], points[:, solid])
        for scene, first, last in zip(self.scenes, starts, starts[1:], strict=False):
            sun[:, first:last] = _toward(scene.light_azimuth, scene.light_elevation).astype(np.float32)[:, None]
            colors[:, first:last] = self._own_colors(
                scene, *(each[..., first:last] for each in (points, directions, away, seen))
            )
        facing = (normal * sun).sum(0)
        lit = np.flatnonzero((facing > 0) & (away < SHADOWS_END))
        direct = np.maximum(facing, 0)
        direct[lit] *= _sunlight(
            self.parts, np.searchsorted(lit, starts), (points + 0.01 * normal)[:, lit], sun[:, lit]
        )
        colors *= np.where(seen == BEHIND, 1, 0.32 + 0.13 * normal[1] + 0.9 * direct)
        halfway = sun[:, solid] - directions[:, solid]
        gloss = np.maximum((normal[:, solid] * halfway).sum(0), 0) / np.sqrt((halfway * halfway).sum(0))
        for _ in range(5):
            gloss = gloss * gloss  # to the power of 32
        colors[:, solid] += self.all_parts["shine"][seen[solid]] * gloss * np.minimum(3 * direct[solid], 1)
        return colors * np.repeat(np.float32([scene.light_strength for scene in self.scenes]), np.diff(starts))

    def _own_colors(self, scene: Scene, points, directions, away, seen) -> np.ndarray:
        """The colors of one scene's things, ground and background under white light."""
        colors = self.all_parts["color"].T[:, np.maximum(seen, 0)]
        below, beyond = np.flatnonzero(seen == GROUND), np.flatnonzero(seen == BEHIND)
        place, seed = scene.background, scene.background_seed
        colors[:, beyond] = backgrounds.behind(place, seed, directions[:, beyond])
        colors[:, below] = backgrounds.ground(place, seed, points[0, below], points[2, below], away[below])
        return colors


def _render(scenes: list[Scene], size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, masks and depth of scenes that are marched together: one ray a pixel, then four on edges."""
    worlds = _Worlds(scenes)
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size))).reshape(2, -1) + 0.5
    colors, seen, away = worlds.look([grid] * len(scenes), size)
    objects = worlds.is_object[seen]
    edges = _edges(seen.reshape(-1, size, size)).reshape(len(scenes), -1)
    corners = np.array([[-0.25, 0.25, -0.25, 0.25], [-0.25, -0.25, 0.25, 0.25]])
    finer, seen, nearer = worlds.look([(grid[:, each, None] + corners[:, None]).reshape(2, -1) for each in edges], size)
    edges = np.flatnonzero(edges)
    colors[:, edges] = np.clip(finer, 0, 1).reshape(3, -1, 4).mean(2)
    objects[edges] = worlds.is_object[seen].reshape(-1, 4).sum(1) >= 2
    away[edges] = nearer.reshape(-1, 4).min(1)
    pixels = (len(scenes), size, size)
    colors, objects, away = colors.reshape(3, *pixels), objects.reshape(pixels), away.reshape(pixels)
    for index, scene in enumerate(scenes):
        if scene.occlusion > 0 and objects[index].any():
            _cover(scene, colors[:, index], objects[index], away[index])
    images = np.rint(255 * np.sqrt(np.clip(colors, 0, 1))).astype(np.uint8)  # a screen's gamma, taken as 2
    return images.transpose(1, 2, 3, 0), objects, away


def _edges(seen: np.ndarray) -> np.ndarray:
    """Which pixels meet another part than one of their neighbors: `(n, height, width)` bool."""
    framed = np.pad(seen, ((0, 0), (1, 1), (1, 1)), "edge")
    rows, columns = framed[:, :, 1:-1], framed[:, 1:-1]
    return (seen != rows[:, 2:]) | (seen != rows[:, :-2]) | (seen != columns[:, :, 2:]) | (seen != columns[:, :, :-2])


def _toward(azimuth: float, elevation: float) -> np.ndarray:
    """The unit vector in that direction, angles in degrees: x to the right, y up, z to the front."""
    around, up = math.radians(azimuth), math.radians(elevation)
    return np.array([math.cos(up) * math.sin(around), math.sin(up), math.cos(up) * math.cos(around)])


def _camera(scene: Scene, pixels: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Where it is `(3,)`, and the unit directions of its rays through `pixels`, `(3, n)`."""
    back, right = _toward(scene.azimuth, scene.elevation), _toward(scene.azimuth + 90, 0)
    axes = np.stack([right, -np.cross(back, right), -back], 1)
    shift = np.array([[scene.shift_x], [scene.shift_y]])
    rays = axes @ np.concatenate([(2 * (pixels / size - shift) - 1) * FIELD, np.ones((1, pixels.shape[1]))])
    return (scene.distance * back).astype(np.float32), (rays / np.sqrt((rays * rays).sum(0))).astype(np.float32)


def _sunlight(parts, starts, points, sun) -> np.ndarray:
    """How much of the sun each point sees, from 0 to 1: the narrowest gap on the way there makes the penumbra."""
    rays, _, _, clearance = solids.march(parts, starts, points, sun, wider=0.1)
    share = np.ones(points.shape[1], np.float32)
    order = np.argsort(-clearance)
    share[rays[order]] = np.clip(SOFT * clearance[order], 0, 1)
    return share


def _cover(scene: Scene, colors: np.ndarray, objects: np.ndarray, away: np.ndarray) -> None:
    """Puts the occluder in front of one scene, in place: it ends where the wanted share of the object is covered."""
    size = len(objects)
    steps = (2 * np.arange(size, dtype=np.float32) + 1) / size - 1
    x, y = np.meshgrid(steps, steps)
    x = x + 0.07 * y  # posts and walls lean a little
    from_edge = {
        "wall": x if scene.background_seed % 2 else -x,
        "post": np.abs(x - np.median(x[objects])),
        "hedge": 0.07 * backgrounds.noise(x * 2, np.zeros_like(x)) - y,
    }[scene.occluder]
    inside = np.quantile(from_edge[objects], scene.occlusion).astype(np.float32) - from_edge
    opaque = np.clip(inside * size / 2 + 0.5, 0, 1)  # in part where the edge runs through a pixel
    rough = backgrounds.noise(x * 2, y * (0.6 if scene.occluder == "post" else 2))
    if scene.occluder == "wall":
        tone, mortar = backgrounds.bricks(x, y, 0.4, 0.16)
        rough = 0.5 * tone + mortar
    color = scene.light_strength * np.float32(OCCLUDERS[scene.occluder])[:, None, None] * (0.75 + 0.22 * rough)
    colors[:] = np.clip(colors, 0, 1) * (1 - opaque) + opaque * color
    objects[inside > 0], away[inside > 0] = False, OCCLUDER_AWAY

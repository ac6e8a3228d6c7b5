"""From scenes to pictures: a pinhole camera, one sun, soft shadows, four rays a pixel."""

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
GROUND, BEHIND = -1, -2
LIFT = 0.45  # of an airplane above the ground
OCCLUDER_AWAY = 1.2  # in front of the camera
AT_ONCE = 8 * 64 * 64  # pixels that are marched together: their arrays fit a core's cache
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


def _render(scenes: list[Scene], size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, masks and depth of scenes that are marched together."""
    fine = 2 * size  # rays a side
    starts = np.arange(len(scenes) + 1) * fine * fine
    things = [shapes.thing(each.class_name, each.shape_seed, each.variety, each.turn, each.tilt) for each in scenes]
    floors = np.float32([shapes.lowest(thing) for thing in things])
    floors -= [LIFT if each.class_name == "airplane" else 0 for each in scenes]
    clutter = [
        shapes.clutter(each.distractors, each.distractor, each.background_seed, floor)
        for each, floor in zip(scenes, floors, strict=True)
    ]
    parts = [np.concatenate(pair) for pair in zip(things, clutter, strict=True)]
    is_thing = np.concatenate([np.arange(len(all_of)) < len(thing) for all_of, thing in zip(parts, things, strict=True)])
    cameras = [_camera(scene, fine) for scene in scenes]
    origins = np.repeat(np.stack([origin for origin, _ in cameras], 1), fine * fine, 1)
    directions = np.concatenate([direction for _, direction in cameras], 1)
    away, seen = _first_seen(parts, starts, origins, directions, np.repeat(floors, fine * fine))
    everything = np.concatenate(parts)
    colors = _shade(scenes, parts, everything, starts, origins, directions, away, seen)
    objects = (seen >= 0) & is_thing[seen]
    for scene, first, last in zip(scenes, starts, starts[1:], strict=False):
        if scene.occlusion:
            _cover(scene, fine, *(each[..., first:last] for each in (colors, objects, away)))
    pixels = (len(scenes), size, 2, size, 2)
    colors = np.clip(colors, 0, 1).reshape(3, *pixels).mean((3, 5)).transpose(1, 2, 3, 0)
    images = np.rint(255 * np.sqrt(colors)).astype(np.uint8)  # a screen's gamma, as 2
    return images, objects.reshape(pixels).sum((2, 4)) >= 2, away.reshape(pixels).min((2, 4))


def _camera(scene: Scene, fine: int) -> tuple[np.ndarray, np.ndarray]:
    """Where it is `(3,)`, and the unit direction of each of its rays `(3, fine * fine)`."""
    around, up = math.radians(scene.azimuth), math.radians(scene.elevation)
    to_camera = np.array([math.cos(up) * math.sin(around), math.sin(up), math.cos(up) * math.cos(around)])
    right = np.array([math.cos(around), 0, -math.sin(around)])
    axes = np.stack([right, np.cross(to_camera, right), -to_camera], 1)
    steps = (2 * np.arange(fine) + 1) / fine - 1
    across, down = (FIELD * (steps - 2 * shift) for shift in (scene.shift_x, scene.shift_y))
    rays = np.stack([*(each.ravel() for each in np.meshgrid(across, -down)), np.ones(fine * fine)])
    rays = axes @ (rays / np.sqrt((rays * rays).sum(0)))
    return (scene.distance * to_camera).astype(np.float32), rays.astype(np.float32)


def _first_seen(parts, starts, origins, directions, floors) -> tuple[np.ndarray, np.ndarray]:
    """How far each ray goes, and which part it meets: GROUND and BEHIND are no parts."""
    with np.errstate(divide="ignore"):
        away = np.where(directions[1] < 0, (floors - origins[1]) / directions[1], np.inf).astype(np.float32)
    seen = np.where(away < np.inf, GROUND, BEHIND)
    rays, which, touch, _ = solids.march(parts, starts, origins, directions, wider=0.0)
    nearer = np.flatnonzero(touch < away[rays])
    nearer = nearer[np.argsort(-touch[nearer])]  # so that of one ray's touches the nearest is written last
    away[rays[nearer]], seen[rays[nearer]] = touch[nearer], which[nearer]
    return away, seen


def _shade(scenes, parts, everything, starts, origins, directions, away, seen) -> np.ndarray:
    """The linear color of what each ray meets: `(3, rays)`."""
    sun, colors = np.empty_like(directions), np.empty_like(directions)
    normal = np.zeros_like(directions)
    normal[1] = 1
    points = origins + np.where(away < np.inf, away, 0) * directions
    solid = np.flatnonzero(seen >= 0)
    normal[:, solid] = solids.normals(everything, seen[solid], points[:, solid])
    for scene, first, last in zip(scenes, starts, starts[1:], strict=False):
        around, up = math.radians(scene.light_azimuth), math.radians(scene.light_elevation)
        toward = (math.cos(up) * math.sin(around), math.sin(up), math.cos(up) * math.cos(around))
        sun[:, first:last] = np.float32(toward)[:, None]
        colors[:, first:last] = _own_colors(scene, everything, *(
            each[..., first:last] for each in (seen, points, directions, away)
        ))
    facing = (normal * sun).sum(0)
    lit = np.flatnonzero((seen != BEHIND) & (facing > 0))
    direct = np.zeros_like(facing)
    direct[lit] = facing[lit] * _sunlight(parts, np.searchsorted(lit, starts), (points + 0.01 * normal)[:, lit], sun[:, lit])
    light = np.where(seen == BEHIND, 1, 0.32 + 0.13 * normal[1] + 0.85 * direct)
    colors *= light
    halfway = sun[:, solid] - directions[:, solid]
    gloss = (normal[:, solid] * halfway).sum(0) / np.sqrt((halfway * halfway).sum(0))
    gloss = np.maximum(gloss, 0) ** 2  # squared four times over: to the power of 32
    for _ in range(4):
        gloss = gloss * gloss
    colors[:, solid] += everything["shine"][seen[solid]] * gloss * np.minimum(3 * direct[solid], 1)
    strengths = np.float32([scene.light_strength for scene in scenes])
    return colors * np.repeat(strengths, np.diff(starts))


def _own_colors(scene: Scene, everything: np.ndarray, seen, points, directions, away) -> np.ndarray:
    """The colors of one scene's things, ground and background under white light."""
    colors = everything["color"].T[:, np.maximum(seen, 0)]
    below, beyond = np.flatnonzero(seen == GROUND), np.flatnonzero(seen == BEHIND)
    place, seed = scene.background, scene.background_seed
    colors[:, beyond] = backgrounds.behind(place, seed, directions[:, beyond])
    far = away[below]
    floor = backgrounds.ground(place, seed, points[0, below], points[2, below], far)
    haze = far * far / (far * far + 900)
    colors[:, below] = floor * (1 - haze) + haze * backgrounds.tint(place, seed)[2][:, None]
    return colors


def _sunlight(parts, starts, points, sun) -> np.ndarray:
    """How much of the sun each point sees, from 0 to 1: the narrowest gap on the way there makes the penumbra."""
    rays, _, _, clearance = solids.march(parts, starts, points, sun, wider=0.05)
    share = np.ones(points.shape[1], np.float32)
    order = np.argsort(-clearance)
    share[rays[order]] = np.clip(SOFT * clearance[order], 0, 1)
    return share


def _cover(scene: Scene, fine: int, colors, objects, away) -> None:
    """Puts the occluder in front of one scene, in place: it ends where the wanted share of the object is covered."""
    if not objects.any():
        return
    steps = (2 * np.arange(fine, dtype=np.float32) + 1) / fine - 1
    x, y = (each.ravel() for each in np.meshgrid(steps, steps))
    from_edge = {
        "wall": x if scene.background_seed % 2 else -x,
        "post": np.abs(x - np.median(x[objects])),
        "hedge": 0.07 * backgrounds.noise(x * 2, np.zeros_like(x)) - y,
    }[scene.occluder]
    covered = from_edge < np.quantile(from_edge[objects], scene.occlusion)
    rough = backgrounds.noise(x[covered] * 2, y[covered] * (0.6 if scene.occluder == "post" else 2))
    color = np.float32(OCCLUDERS[scene.occluder])[:, None]
    colors[:, covered] = scene.light_strength * color * (0.75 + 0.22 * rough)
    objects[covered], away[covered] = False, OCCLUDER_AWAY

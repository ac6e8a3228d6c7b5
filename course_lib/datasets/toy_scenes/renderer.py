"""From scenes to pictures: a ray a pixel, four where it lies on an edge; the occluder is put before them."""

import concurrent.futures
import dataclasses
import os
from collections.abc import Iterable

import numpy as np

from course_lib import common
from course_lib.datasets.toy_scenes import backgrounds
from course_lib.datasets.toy_scenes.scene import Scene, check_scenes
from course_lib.datasets.toy_scenes.worlds import Worlds

SIZES = (16, 512)  # pixels a side
OCCLUDER_AWAY = 1.2  # in front of the camera
AT_ONCE = 32 * 64 * 64  # pixels that are marched together: their arrays fit a core's cache
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
    scenes = list(scenes) if isinstance(scenes, Iterable) else [scenes]
    check_scenes(scenes)
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
    rows = np.nonzero(mask.any(1))[0]
    columns = np.nonzero(mask.any(0))[0]
    return (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1) if len(rows) else (0, 0, 0, 0)


def _render(scenes: list[Scene], size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, masks and depth of scenes that are marched together: one ray a pixel, then four on edges."""
    worlds = Worlds(scenes)
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
    colors = colors.reshape(3, *pixels)
    objects = objects.reshape(pixels)
    away = away.reshape(pixels)
    for index, scene in enumerate(scenes):
        if scene.occlusion > 0 and objects[index].any():
            _cover(scene, colors[:, index], objects[index], away[index])
    images = np.rint(255 * np.sqrt(np.clip(colors, 0, 1))).astype(np.uint8)  # a screen's gamma, taken as 2
    return np.ascontiguousarray(images.transpose(1, 2, 3, 0)), objects, away


def _edges(seen: np.ndarray) -> np.ndarray:
    """Which pixels meet another part than one of their neighbors: `(n, height, width)` bool."""
    framed = np.pad(seen, ((0, 0), (1, 1), (1, 1)), "edge")
    rows = framed[:, :, 1:-1]
    columns = framed[:, 1:-1]
    return (seen != rows[:, 2:]) | (seen != rows[:, :-2]) | (seen != columns[:, :, 2:]) | (seen != columns[:, :, :-2])


def _cover(scene: Scene, colors: np.ndarray, objects: np.ndarray, away: np.ndarray) -> None:
    """Puts the occluder in front of one scene, in place: it ends where the wanted share of the object is covered."""
    size = len(objects)
    steps = (2 * np.arange(size, dtype=np.float32) + 1) / size - 1
    x, y = np.meshgrid(steps, steps)
    x = x + 0.07 * y  # posts and walls lean a little
    if scene.occluder == "wall":
        from_edge = x if scene.background_seed % 2 else -x
    elif scene.occluder == "post":
        from_edge = np.abs(x - np.median(x[objects]))
    else:  # a hedge
        from_edge = 0.07 * backgrounds.noise(x * 2, np.zeros_like(x)) - y
    inside = np.quantile(from_edge[objects], scene.occlusion).astype(np.float32) - from_edge
    opaque = np.clip(inside * size / 2 + 0.5, 0, 1)  # in part where the edge runs through a pixel
    rough = backgrounds.noise(x * 2, y * (0.6 if scene.occluder == "post" else 2))
    if scene.occluder == "wall":
        tone, mortar = backgrounds.bricks(x, y, 0.4, 0.16)
        rough = 0.5 * tone + mortar
    color = scene.light_strength * np.float32(OCCLUDERS[scene.occluder])[:, None, None] * (0.75 + 0.22 * rough)
    colors[:] = np.clip(colors, 0, 1) * (1 - opaque) + opaque * color
    objects[inside > 0] = False
    away[inside > 0] = OCCLUDER_AWAY

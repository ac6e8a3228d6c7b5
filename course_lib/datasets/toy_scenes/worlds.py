"""What is seen along rays: a pinhole camera, solids on a ground, diffuse and glossy light of one sun, soft shadows."""

import math

import numpy as np

from course_lib.datasets.toy_scenes import backgrounds, shapes, solids
from course_lib.datasets.toy_scenes.scene import Scene

FIELD = 0.42  # tangent of half the field of view: 46 degrees in all
SOFT = 9.0  # sharpness of shadows
GROUND = -1  # in place of a part's index
BEHIND = -2
LIFT = 0.45  # of an airplane above the ground
SHADOWS_END = 14.0  # farther ground is taken as sunlit


class Worlds:
    """Scenes as solids on their grounds, to be looked at along many rays at once."""

    def __init__(self, scenes: list[Scene]):
        self.scenes = scenes
        self.parts = []
        self.floors = np.empty(len(scenes), np.float32)
        is_object = []
        for index, s in enumerate(scenes):
            thing = shapes.thing(s.class_name, s.shape_seed, s.variety, s.turn, s.tilt)
            self.floors[index] = shapes.lowest(thing) - (LIFT if s.class_name == "airplane" else 0)
            clutter = shapes.clutter(s.distractors, s.distractor, s.background_seed, self.floors[index])
            self.parts.append(np.concatenate([thing, clutter]))
            is_object += [True] * len(thing) + [False] * len(clutter)
        self.all_parts = np.concatenate(self.parts)
        self.is_object = np.array([*is_object, False, False])

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
        away[rays[nearer]] = touch[nearer]
        seen[rays[nearer]] = which[nearer]
        points = origins + np.where(seen == BEHIND, 0, away) * directions
        return self._shade(starts, points, directions, away, seen), seen, away

    def _shade(self, starts, points, directions, away, seen) -> np.ndarray:
        """Diffuse light of sun and sky, and the sun's gloss (Blinn 1977)."""
        sun = np.empty_like(points)
        colors = np.empty_like(points)
        normal = np.zeros_like(points)
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
        below = np.flatnonzero(seen == GROUND)
        beyond = np.flatnonzero(seen == BEHIND)
        place = scene.background
        seed = scene.background_seed
        colors[:, beyond] = backgrounds.behind(place, seed, directions[:, beyond])
        colors[:, below] = backgrounds.ground(place, seed, points[0, below], points[2, below], away[below])
        return colors


def _toward(azimuth: float, elevation: float) -> np.ndarray:
    """The unit vector in that direction, angles in degrees: x to the right, y up, z to the front."""
    around = math.radians(azimuth)
    up = math.radians(elevation)
    return np.array([math.cos(up) * math.sin(around), math.sin(up), math.cos(up) * math.cos(around)])


def _camera(scene: Scene, pixels: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Where it is `(3,)`, and the unit directions of its rays through `pixels`, `(3, n)`."""
    back = _toward(scene.azimuth, scene.elevation)
    right = _toward(scene.azimuth + 90, 0)
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

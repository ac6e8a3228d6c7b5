"""Toy scenes: what is drawn at random, what is rendered, what is true of it."""

import dataclasses
import pathlib

import numpy as np
import pytest

from course_lib.datasets import toy_scenes
from course_lib.datasets.toy_scenes import solids
from course_lib.datasets.toy_scenes.scene import CHOICES

STORED = pathlib.Path(__file__).with_name("toy_scenes.npz")  # 20 pictures: write them anew with `python <this file>`
FIRST_OF_SEED_1 = (
    "mug",
    1546885070,
    8.006237214142065e-05,
    108.83972614746231,
    -21.194646550973218,
    -0.12229842156936066,
    -0.07529754926935897,
    124.40186173549719,
    22.854536340380147,
    3.508225101005036,
    150.91002518518613,
    60.2053165186477,
    0.6431165748120622,
    5,
    "ball",
    0.10228050610704131,
    "post",
    "meadow",
    301478655,
)


def twenty() -> list[toy_scenes.Scene]:
    return toy_scenes.sample(20, 1)


def change(**parameters) -> toy_scenes.Scene:
    return dataclasses.replace(toy_scenes.Scene(), **parameters)


class TestSample:
    def test_the_first_scene_of_seed_1_is_this_one_everywhere(self):
        first = toy_scenes.sample(3, 1)[0]
        assert dataclasses.astuple(first) == FIRST_OF_SEED_1

    def test_each_parameter_has_random_numbers_of_its_own(self):
        wide, narrow = toy_scenes.sample(30, 7), toy_scenes.sample(20, 7, tilt=(100, 110), class_name=("car", "mug"))
        for before, after in zip(wide, narrow, strict=False):
            assert 100 <= after.tilt <= 110 and after.class_name in ("car", "mug")
            assert dataclasses.replace(after, tilt=before.tilt, class_name=before.class_name) == before

    def test_usual_values_fill_their_ranges_and_a_fixed_one_stays(self):
        scenes = toy_scenes.sample(2000, 3, light_strength=0.5, background="room")
        assert {(scene.light_strength, scene.background) for scene in scenes} == {(0.5, "room")}
        assert {scene.distractors for scene in scenes} == set(range(toy_scenes.RANGES["distractors"].usual[1] + 1))
        for name in ("turn", "tilt", "azimuth", "elevation", "distance", "variety"):
            low, high = toy_scenes.RANGES[name].usual
            values = np.array([getattr(scene, name) for scene in scenes])
            assert low <= values.min() < low + 0.01 * (high - low) and high - 0.01 * (high - low) < values.max() <= high
        counts = np.bincount([scene.label for scene in scenes], minlength=10)
        assert counts.min() > 150 and counts.max() < 250
        unoccluded = np.mean([scene.occlusion == 0 for scene in scenes])
        assert 0.45 < unoccluded < 0.55

    def test_hard_ends_lie_beyond_what_is_usual(self):
        assert len(toy_scenes.HARD_ENDS) == 6
        for ranges in toy_scenes.HARD_ENDS.values():
            ((name, (low, high)),) = ranges.items()
            least, most = toy_scenes.RANGES[name].usual
            assert low > most or high < least
            assert len(toy_scenes.sample(5, 0, **ranges)) == 5


class TestSolids:
    """Rays from all sides against each solid, by closed forms and by brute force."""

    SIZES = (0.5, 0.7, 0.4)

    def rays(self, count: int = 4000):
        random = np.random.RandomState(0)
        origins = random.standard_normal((3, count))
        origins *= 3 / np.linalg.norm(origins, axis=0)
        directions = random.uniform(-0.7, 0.7, (3, count)) - origins
        return origins.astype(np.float32), (directions / np.linalg.norm(directions, axis=0)).astype(np.float32)

    def marched(self, kind: int, half: tuple, taper: float = 1) -> np.ndarray:
        parts = np.array([(kind, (0, 0, 0), half, taper, 1, np.eye(3), (1, 1, 1), 0)], solids.PART)
        origins, directions = self.rays()
        rays, _, touch, _ = solids.march([parts], [0, origins.shape[1]], origins, directions, 0.0)
        away = np.full(origins.shape[1], np.inf)
        away[rays] = touch
        return away

    def agree(self, marched: np.ndarray, expected: np.ndarray, rounded: float = 0.0):
        both = np.isfinite(marched) & np.isfinite(expected)
        assert both.sum() > 300 and (np.isfinite(marched) != np.isfinite(expected)).mean() < 0.01 + rounded
        assert np.quantile(np.abs(marched[both] - expected[both]), 0.97 - rounded) < 0.006

    def test_a_sphere_and_an_ellipsoid(self):
        for half in ((0.6, 0.6, 0.6), self.SIZES):
            o, d = (each.astype(float) / np.array(half)[:, None] for each in self.rays())
            a, b, c = (d * d).sum(0), (o * d).sum(0), (o * o).sum(0) - 1
            with np.errstate(invalid="ignore"):
                expected = (-b - np.sqrt(b * b - a * c)) / a
            self.agree(self.marched(solids.BALL, half), np.where(b * b > a * c, expected, np.inf))

    def test_a_block_a_roof_a_frustum_and_a_ring(self):
        cases = {
            "block": (solids.BLOCK, self.SIZES, {}),
            "roof": (solids.BLOCK, self.SIZES, {"taper": 0.1}),
            "frustum": (solids.CONE, (0.5, 0.7, 0.5), {"taper": 0.4}),
            "ring": (solids.RING, (0.7, 0.7, 0.2), {}),
        }
        origins, directions = (each.astype(float) for each in self.rays())
        steps = np.linspace(1.5, 4.5, 1500)
        for name, (kind, half, more) in cases.items():
            x, y, z = origins[..., None] + directions[..., None] * steps
            wide = half[0] * (1 + (more.get("taper", 1) - 1) * (y / half[1] + 1) / 2)
            inside = {
                "block": (np.abs(x) < half[0]) & (np.abs(y) < half[1]) & (np.abs(z) < half[2]),
                "roof": (np.abs(x) < wide) & (np.abs(y) < half[1]) & (np.abs(z) < half[2]),
                "frustum": (np.hypot(x, z) < wide) & (np.abs(y) < half[1]),
                "ring": np.hypot(np.hypot(x, y) - 0.5, z) < 0.2,
            }[name]
            expected = np.where(inside.any(1), steps[inside.argmax(1)], np.inf)
            self.agree(self.marched(kind, half, **more), expected, rounded=0.06)  # edges are rounded


class TestRender:
    def test_twenty_stored_pictures(self):
        images = toy_scenes.render(twenty(), 32).images
        stored = np.load(STORED)["images"]
        differ = np.abs(images.astype(int) - stored) > 2
        assert images.shape == stored.shape and differ.mean() <= 0.001

    def test_a_picture_does_not_depend_on_its_company(self):
        scenes = toy_scenes.sample(70, 4)
        together, alone = toy_scenes.render(scenes, 16), [toy_scenes.render([scene], 16) for scene in scenes]
        assert np.abs(together.images - np.concatenate([each.images for each in alone]).astype(int)).max() <= 1
        assert np.array_equal(together.labels, [toy_scenes.CLASS_NAMES.index(scene.class_name) for scene in scenes])

    def test_boxes_are_the_masks_extents(self):
        rendered = toy_scenes.render(toy_scenes.sample(20, 5), 48)
        assert rendered.images.dtype == np.uint8 and rendered.images.shape == (20, 48, 48, 3)
        for mask, (left, top, right, bottom) in zip(rendered.masks, rendered.boxes, strict=True):
            rows, columns = np.argwhere(mask).T
            assert (left, top, right, bottom) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)

    @pytest.mark.parametrize("elevation", [8, 35, 88])
    def test_depth_puts_the_ground_in_one_plane(self, elevation):
        scene = change(elevation=elevation, azimuth=70, distance=4, shift_x=0.1)
        rendered = toy_scenes.render([scene], 64)
        # A camera of its own: turned from looking along -z, first up, then around.
        steps = ((np.arange(64) + 0.5) / 32 - 1) * 0.42
        x, y = np.meshgrid(steps - 0.2 * 0.42, -steps)
        rays = np.stack([x, y, -np.ones_like(x)], -1)
        rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
        up, around = np.radians(elevation), np.radians(70)
        tip = np.array([[1, 0, 0], [0, np.cos(up), -np.sin(up)], [0, np.sin(up), np.cos(up)]])
        turn = np.array([[np.cos(around), 0, np.sin(around)], [0, 1, 0], [-np.sin(around), 0, np.cos(around)]])
        rays = rays @ (turn @ tip.T).T
        height = 4 * np.sin(up) + rendered.depth[0] * rays[..., 1]
        ground = np.isfinite(rendered.depth[0]) & ~rendered.masks[0]
        floor = np.median(height[ground & (rendered.depth[0] < 12)])
        assert -1 < floor < -0.3
        assert (np.abs(height - floor)[ground & (rendered.depth[0] < 12)] < 0.1).mean() > 0.95
        on_thing = height[rendered.masks[0]]
        assert on_thing.min() > floor - 0.02 and on_thing.max() < 1
        assert np.isinf(rendered.depth[0]).any() == (elevation == 8)

    @pytest.mark.parametrize("occluder", toy_scenes.OCCLUDERS)
    @pytest.mark.parametrize("share", [0.25, 0.6])
    def test_the_occluder_covers_the_share_it_should(self, occluder, share):
        scenes = [dataclasses.replace(scene, occluder=occluder) for scene in toy_scenes.sample(10, 6, occlusion=share)]
        free = toy_scenes.render([dataclasses.replace(scene, occlusion=0) for scene in scenes], 64)
        covered = toy_scenes.render(scenes, 64)
        left = covered.masks.sum((1, 2)) / free.masks.sum((1, 2))
        assert np.abs(left - (1 - share)).max() < 0.06
        assert not (covered.masks & ~free.masks).any()
        gone = free.masks & ~covered.masks
        assert (covered.depth[gone] < free.depth[gone]).all()

    def test_shift_moves_the_object_by_that_share_of_the_picture(self):
        still, moved = toy_scenes.render([change(), change(shift_x=0.25, shift_y=-0.125)], 64).boxes
        assert np.abs(moved - still - [16, -8, 16, -8]).max() <= 1

    def test_twice_as_far_is_half_as_large(self):
        near, far = toy_scenes.render([change(distance=5), change(distance=10)], 128).masks.sum((1, 2))
        assert near / far == pytest.approx(4, rel=0.15)

    def test_light_scales_and_shadows_fall_away_from_it(self):
        full, half = toy_scenes.render([change(light_strength=0.8), change(light_strength=0.2)], 64).images
        dim = full.max(-1) < 240
        assert half[dim].mean() / full[dim].mean() == pytest.approx(0.5, abs=0.01)  # a gamma of 2
        side = dict(class_name="snowman", azimuth=0, elevation=30, light_elevation=30, background="lake")
        left, right = toy_scenes.render([change(**side, light_azimuth=around) for around in (-90, 90)], 64).images
        # The snowman's shadow lies to the right of its foot in the first, to the left in the second.
        left, right = left[40:56].astype(float), right[40:56].astype(float)
        assert (left - right)[:, 44:60].mean() < -4 < 4 < (left - right)[:, 4:20].mean()

    def test_every_knob_changes_the_picture_and_none_the_label(self):
        start = change(variety=0.5, tilt=10, distractors=4, occlusion=0.2)
        before = toy_scenes.render([start], 32)
        others = {name: (limits.allowed[0] + 2 * limits.allowed[1]) / 3 for name, limits in toy_scenes.RANGES.items()}
        others |= {name: int(others[name]) for name in ("shape_seed", "distractors", "background_seed")}
        others |= {name: names[-2] for name, names in CHOICES.items() if name != "class_name"}
        for name, value in others.items():
            after = toy_scenes.render([dataclasses.replace(start, **{name: value})], 32)
            assert (after.images != before.images).mean() > 0.02, name
            assert after.labels == before.labels == toy_scenes.CLASS_NAMES.index("mug")

    def test_no_two_of_a_class_are_alike_unless_variety_is_0(self):
        scenes = [change(class_name="house", shape_seed=seed, variety=v) for v in (0, 1) for seed in range(6)]
        masks = toy_scenes.render(scenes, 32).masks
        assert (masks[:6] == masks[0]).all()
        assert len({mask.tobytes() for mask in masks[6:]}) == 6


def test_a_clip_moves_evenly_and_its_boxes_are_the_track():
    frames = toy_scenes.clip(change(distance=5), 5, shift_x=(-0.25, 0.25))
    rendered = toy_scenes.render(frames, 64)
    assert rendered.images.shape == (5, 64, 64, 3)
    assert np.abs(np.diff(rendered.boxes[:, 0]) - 8).max() <= 1
    assert toy_scenes.clip(change(), 3) == [change()] * 3
    around = toy_scenes.clip(change(), 4, azimuth=(90, 0), elevation=(10, 40))
    assert [(scene.azimuth, scene.elevation) for scene in around] == [(90, 10), (60, 20), (30, 30), (0, 40)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: change(tilt=181), "tilt must be a number from -180 to 180"),
        (lambda: change(variety="much"), "variety must be a number from 0 to 2.5"),
        (lambda: change(tilt=float("nan")), "tilt must be a number"),
        (lambda: change(distractors=1.5), "distractors must be a whole number from 0 to 20"),
        (lambda: change(class_name="mugg"), "unknown class_name 'mugg'. Did you mean 'mug'"),
        (lambda: change(background="moon"), "unknown background 'moon'.* Known: beach, lake, meadow, room, yard"),
        (lambda: toy_scenes.sample(0, 1), "n must be a whole number of at least 1"),
        (lambda: toy_scenes.sample(2, 1, tilt=(20, 200)), "tilt must be a number from -180 to 180.*not 200"),
        (lambda: toy_scenes.sample(2, 1, distractors=(0, 21)), "distractors must be.*not 21"),
        (lambda: toy_scenes.sample(3, 2**32), "seed must be a whole number .* below 2³², .* not 4294967296"),
        (lambda: toy_scenes.sample(3, []), r"or a list of them, not \[\]"),
        (lambda: toy_scenes.sample(3, [1, 2**33]), r"seed must be .* not \[1, 8589934592\]"),
        (lambda: toy_scenes.sample(3, True), "seed must be .* not True"),
        (lambda: toy_scenes.sample(3, np.arange(2)), "seed must be .* not array"),
        (lambda: toy_scenes.sample(3, 0, class_name=0), "unknown class_name 0"),
        (lambda: toy_scenes.sample(3, 0, class_name={"mug"}), "unknown class_name {'mug'}"),
        (lambda: toy_scenes.sample(2, 1, tlit=3), "unknown parameter 'tlit'. Did you mean 'tilt'"),
        (lambda: toy_scenes.sample(2, 1, occluder=("wall", "door")), "unknown occluder 'door'"),
        (lambda: toy_scenes.render([], 64), "the number of scenes must be a whole number of at least 1"),
        (lambda: toy_scenes.render("train", 64), "a scene is a toy_scenes.Scene, as .* is one, not 't'"),
        (lambda: toy_scenes.render(None, 64), "a scene is a toy_scenes.Scene, as .* is one, not None"),
        (lambda: toy_scenes.clip([change()], 3, tilt=(0, 9)), "a scene is a toy_scenes.Scene, as .* not a list"),
        (lambda: toy_scenes.clip(change(), 3, tilt=9), "tilt must be its first and its last value"),
        (lambda: toy_scenes.render([change()], 15), "from 16 to 512, not 15"),
        (lambda: toy_scenes.render([change()], 513), "from 16 to 512, not 513"),
        (lambda: toy_scenes.clip(change(), 1, tilt=(0, 9)), "frames must be a whole number of at least 2"),
        (lambda: toy_scenes.clip(change(), 3, background=("room", "yard")), "unknown parameter that can move"),
        (lambda: toy_scenes.clip(change(), 3, tilt=(0, 999)), "tilt must be"),
        (lambda: toy_scenes.scenes_of("tset"), "unknown split 'tset'. Did you mean 'test'"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


if __name__ == "__main__":
    np.savez_compressed(STORED, images=toy_scenes.render(twenty(), 32).images)
    print(dataclasses.astuple(toy_scenes.sample(3, 1)[0]))

"""Toy photos: what is said of the scenes is so, and the loader reads them as `photograph` shows them."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from course_lib import datasets
from course_lib.datasets import toy_photos
from course_lib.datasets.pictures import reads_heic


def test_most_are_in_the_usual_place_and_the_objects_do_not_depend_on_it():
    usual = toy_photos.sample(40, seed=3)
    anywhere = toy_photos.sample(40, seed=3, usual=0)
    at_home = toy_photos.places(usual) == toy_photos.labels(usual)
    assert 0.8 < at_home.mean() < 1
    assert [scene.turn for scene in usual] == [scene.turn for scene in anywhere]
    assert np.bincount(toy_photos.labels(usual)).tolist() == [40, 40, 40]
    assert np.mean(toy_photos.places(anywhere) == toy_photos.labels(anywhere)) < 0.4


def test_elsewhere_changes_the_place_alone():
    scenes = toy_photos.sample(4, seed=1, usual=1)
    away = toy_photos.elsewhere(scenes)
    assert len(away) == 2 * len(scenes)
    assert not (toy_photos.places(away) == toy_photos.labels(away)).any()
    assert set(toy_photos.places(away)) == {0, 1, 2}
    for one, other, scene in zip(away[::2], away[1::2], scenes, strict=True):
        assert one.background != other.background
        assert one.shape_seed == other.shape_seed == scene.shape_seed


def test_four_ways_change_what_they_say_and_nothing_else():
    ways = toy_photos.four_ways(20, seed=3)
    assert list(ways) == ["as before", "less light", "other places", "both"]
    assert len({tuple(scene.shape_seed for scene in scenes) for scenes in ways.values()}) == 1
    for before, darker, away, both in zip(*ways.values(), strict=True):
        assert dataclasses.replace(darker, light_strength=before.light_strength) == before
        assert dataclasses.replace(away, background=before.background) == before
        assert dataclasses.replace(both, background=darker.background) == darker
        assert darker.light_strength <= 0.6 and away.background != toy_photos.USUAL[away.class_name]
    at_home = toy_photos.places(ways["as before"]) == toy_photos.labels(ways["as before"])
    assert 0.75 < at_home.mean() < 1


def test_another_phone_meets_no_object_in_its_usual_place():
    scenes = toy_photos.another_phone(20)
    assert len(scenes) == 20 and set(toy_photos.labels(scenes)) == {0, 1, 2}
    assert not (toy_photos.places(scenes) == toy_photos.labels(scenes)).any()
    assert max(scene.light_strength for scene in scenes) <= 0.6


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_photographs_are_what_is_read_from_the_files(fit, tmp_path):
    scenes = toy_photos.sample(2, seed=5)
    toy_photos.write(scenes, tmp_path)
    taken = toy_photos.photograph(scenes, 32, fit)
    for image, scene, path in zip(taken, scenes, sorted(tmp_path.rglob("*.JPG"), key=lambda p: p.name), strict=True):
        assert path.parent.name == scene.class_name
        read = datasets.read_photo(path, 32, fit)
        assert np.abs(read.astype(int) - image).mean() < 4  # JPEG


def test_trouble_is_loaded_or_named(tmp_path, capsys):
    toy_photos.write(toy_photos.sample(12, seed=1), tmp_path)
    toy_photos.add_trouble(tmp_path)
    data = datasets.load(tmp_path, side=32)
    said = capsys.readouterr().out
    for name in ("cut_short.jpg", "shopping.jpg", "moving.gif", "scan_16_bits.png", "red_too.jpg"):
        assert name in said
    files = sum(path.is_file() for path in tmp_path.rglob("*"))
    assert len(data.train) + len(data.validation) + len(data.test) == files - 2
    upright = datasets.read_photo(tmp_path / "car" / "held_upright.jpg", 64, "pad")
    assert (upright[:, 0] == 128).all() and not (upright[0] == 128).all()  # gray at the sides: higher than wide
    assert ("IMG_2044.HEIC" in said) == (not reads_heic())


def test_frames_of_a_burst_are_near_their_image():
    images = np.random.default_rng(0).integers(60, 200, (3, 16, 16, 3)).astype(np.uint8)
    frames = toy_photos.in_bursts(images, seed=2)
    assert frames.shape == (12, 16, 16, 3) and frames.dtype == np.uint8
    middle = frames[:, 4:12, 4:12].astype(float)
    for number, image in enumerate(images):
        shifts = [np.roll(image, (y, x), (0, 1))[4:12, 4:12] for y in (-1, 0, 1) for x in (-1, 0, 1)]
        for frame in middle[4 * number : 4 * number + 4]:
            nearest = min(shifts, key=lambda shift: np.abs(frame / frame.mean() - shift / shift.mean()).sum())
            light = frame.mean() / nearest.mean()
            assert 0.89 < light < 1.11
            assert np.abs(frame - light * nearest).max() < 2
    assert np.array_equal(frames, toy_photos.in_bursts(images, seed=2))


def test_less_light_darkens_every_pixel_and_nearly_keeps_their_order():
    ways = toy_photos.four_ways(4, seed=8)
    bright, dark = (toy_photos.photograph(ways[way]).astype(int).reshape(-1, 3) for way in ("as before", "less light"))
    assert np.mean(dark <= bright) > 0.999
    pairs = np.random.default_rng(0).integers(64 * 64, size=(2, 5_000))
    for before, after in zip(bright.reshape(-1, 64 * 64, 3), dark.reshape(-1, 64 * 64, 3), strict=True):
        differences = [np.subtract(*each[pairs]) for each in (before, after)]
        assert np.mean(differences[0] * differences[1] < 0) < 0.02


def test_photos_are_wider_than_high(tmp_path):
    toy_photos.write(toy_photos.sample(1, seed=1), tmp_path)
    assert {Image.open(path).size for path in tmp_path.rglob("*.JPG")} == {(64, 48)}

"""`datasets.load("toy_scenes")`: rendered on first use, then read as every other set."""

import json

import numpy as np
import pytest
import tensorflow_datasets as tfds

from course_lib import datasets
from course_lib.datasets import DATASETS, toy_scenes
from course_lib.datasets.toy_scenes import builder, scene


@pytest.fixture
def few(monkeypatch):
    """Twelve training, five validation and four test pictures in quick, twice as many in full."""
    monkeypatch.setattr(scene, "QUICK_COUNTS", {"train": 12, "validation": 5, "test": 4})
    monkeypatch.setattr(scene, "COUNTS", {"train": 24, "validation": 10, "test": 8})
    monkeypatch.setattr(builder, "AT_ONCE", 5)


def test_it_is_rendered_once_without_a_connection(few, tmp_path, no_connections, monkeypatch, capsys):
    first = datasets.load("toy_scenes/quick32", data_dir=tmp_path, offline=True)
    screen = capsys.readouterr()
    assert "toy_scenes train" in screen.out and "12" in screen.out  # the bar
    assert "ownload" not in screen.out + screen.err and str(tmp_path) not in screen.out + screen.err
    monkeypatch.setattr(builder, "render", None)
    again = datasets.load("toy_scenes/quick32", data_dir=tmp_path, offline=True)
    assert capsys.readouterr().out == ""
    assert (first.name, first.image_shape, first.class_names) == (
        "toy_scenes/quick32", (32, 32, 3), toy_scenes.CLASS_NAMES
    )  # fmt: skip
    for split, count in (("train", 12), ("validation", 5), ("test", 4)):
        images, labels = getattr(first, split).arrays()
        expected = toy_scenes.render(toy_scenes.scenes_of(split, quick=True), 32)
        assert len(labels) == count and np.array_equal(labels, expected.labels)
        assert np.abs(images - expected.images.astype(int)).max() <= 1  # other company when it was rendered
        assert np.array_equal(images, getattr(again, split).arrays()[0])


def test_two_programs_prepare_it_at_once(few, tmp_path, monkeypatch):
    """The second to end finds the set there and reads it."""
    render = builder.render
    others = []

    def overtaken(*arguments, **options):
        if not others:
            others.append("on its way")
            others.append(datasets.load("toy_scenes/quick32", data_dir=tmp_path, offline=True))
        return render(*arguments, **options)

    monkeypatch.setattr(builder, "render", overtaken)
    mine = datasets.load("toy_scenes/quick32", data_dir=tmp_path, offline=True)
    assert np.array_equal(mine.train.arrays()[0], others[1].train.arrays()[0]) and len(mine.train) == 12


def test_each_pictures_parameters_are_kept_with_it_to_the_bit(few, tmp_path):
    datasets.load("toy_scenes/quick", data_dir=tmp_path, offline=True)
    stored = tfds.load("toy_scenes/quick", split="test", data_dir=tmp_path, download=False)
    examples = list(tfds.as_numpy(stored))
    scenes = [toy_scenes.Scene(**json.loads(example["scene"])) for example in examples]
    assert scenes == toy_scenes.scenes_of("test", quick=True)
    assert [each.label for each in scenes] == [example["label"] for example in examples]


def test_the_whole_set_is_the_plain_name_and_quick_its_beginning(few, tmp_path):
    whole = datasets.load("toy_scenes", data_dir=tmp_path, offline=True)
    assert whole.image_shape == (64, 64, 3) == DATASETS["toy_scenes"].image_shape
    assert (len(whole.train), len(whole.validation), len(whole.test)) == (24, 10, 8)
    quick = datasets.load("toy_scenes/quick", data_dir=tmp_path, offline=True)
    for split in ("train", "validation", "test"):
        images, labels = getattr(quick, split).arrays()
        count = len(labels)
        assert np.array_equal(labels, getattr(whole, split).arrays()[1][:count])
        assert np.abs(images - getattr(whole, split).arrays()[0][:count].astype(int)).max() <= 1


def test_counts_and_splits_apart():
    assert DATASETS["toy_scenes"].counts == (12_000, 2_000, 2_000)
    assert [len(toy_scenes.scenes_of(split, quick=True)) for split in ("train", "validation", "test")] == [
        2000,
        300,
        300,
    ]
    seeds = [{each.shape_seed for each in toy_scenes.scenes_of(split)} for split in ("train", "validation", "test")]
    assert not (seeds[0] & seeds[1] or seeds[0] & seeds[2] or seeds[1] & seeds[2])


def test_an_unknown_configuration_says_which_there_are(tmp_path):
    with pytest.raises(
        ValueError, match=r"unknown configuration of toy_scenes '128'.*Known: 32, 64, 96, quick, quick32, quick96"
    ):
        datasets.load("toy_scenes/128", data_dir=tmp_path)


def test_a_folder_that_cannot_be_written_is_said(few, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(FileNotFoundError, match=r"toy_scenes could not be prepared: .* is there room"):
        datasets.load("toy_scenes/quick32", data_dir=tmp_path / "file", offline=True)

"""A set's name in whatever spelling, and what is said of one that TFDS does not open."""

import pytest
import tensorflow_datasets as tfds

from course_lib import datasets
from course_lib.datasets.builders import open_builder, parsed


@pytest.mark.parametrize(
    ("name", "plain", "in_tfds"),
    [
        ("MNIST", "mnist", "mnist"),
        (" mnist ", "mnist", "mnist"),
        ("mnist:3.0.1", "mnist", "mnist:3.0.1"),
        ("mnist/3.0.1", "mnist", "mnist:3.0.1"),
        ("CIFAR-10", "cifar10", "cifar10"),
        ("cifar 10:3.*.*", "cifar10", "cifar10:3.*.*"),
        ("Imagenette", "imagenette", "imagenette/160px-v2"),
        ("imagenette/160px-v2/1.0.0", "imagenette", "imagenette/160px-v2:1.0.0"),
        ("imagenette/320px-v2", "imagenette/320px-v2", "imagenette/320px-v2"),
        ("ToyScenes/64", "toy_scenes", "toy_scenes/64"),
        ("toy_scenes/quick32", "toy_scenes/quick32", "toy_scenes/quick32"),
        ("eurosat/rgb:2.0.0", "eurosat/rgb", "eurosat/rgb:2.0.0"),
    ],
)
def test_a_name_in_its_parts(name, plain, in_tfds):
    assert (parsed(name).plain, parsed(name).tfds) == (plain, in_tfds)
    assert (parsed(name).info is not None) == (plain in datasets.DATASETS)


@pytest.mark.parametrize("name", ["MNIST", "mnist:3.0.1", "mnist/3.0.1", "Mnist "])
def test_a_set_of_the_catalog_is_cut_alike_however_it_is_spelled(name, prepared, pictures, tmp_path, monkeypatch):
    prepared("mnist", train=pictures(70), test=pictures(9))
    entry = datasets.DATASETS["mnist"]
    monkeypatch.setitem(datasets.DATASETS, "mnist", type(entry)(**{**vars(entry), "counts": (50, 20, 9)}))
    data = datasets.load(name, data_dir=tmp_path, offline=True)
    assert (data.name, len(data.train), len(data.validation), len(data.test)) == ("mnist", 50, 20, 9)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mnist:9.9.9", r"mnist has no version 9\.9\.9, but 3\.0\.1"),
        ("mnist/large", "mnist has no configurations: load it without 'large'"),
        ("eurosat/rbg", "unknown configuration of eurosat 'rbg'. Did you mean 'rgb'"),
        ("huggingface:mnist", "unknown data set 'huggingface:mnist'"),
        ("mypic", r"unknown data set 'mypic'\. .* no folder of that name here either: .* such as './pictures'"),
    ],
)
def test_what_tfds_does_not_open_is_said(name, said, tmp_path, no_connections, monkeypatch):
    monkeypatch.setattr(tfds.core.community, "community_register", None, raising=False)  # it lies in the cloud
    with pytest.raises(ValueError, match=said):
        datasets.load(name, data_dir=tmp_path)


@pytest.mark.parametrize("data_dir", [5, True, ["a"], "gs://tfds-data/datasets"])
def test_a_data_dir_that_is_no_folder(data_dir, no_connections):
    for call in (lambda: datasets.load("mnist", data_dir=data_dir), lambda: datasets.status(data_dir)):
        with pytest.raises(
            ValueError, match="data_dir must be a folder on this machine, or None for the usual one, not"
        ):
            call()


@pytest.mark.parametrize("below", ["mnist", "mnist/3.0.1"])
def test_a_data_dir_that_is_one_sets_own(below, prepared, pictures, tmp_path, no_connections):
    prepared("mnist", train=pictures(3), test=pictures(3))
    assert open_builder("mnist", tmp_path).is_prepared()
    with pytest.raises(ValueError, match=r"must be the folder that holds all sets; .* holds one: give the one above"):
        datasets.load("mnist", data_dir=tmp_path / below)

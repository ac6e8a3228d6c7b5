"""What is said to be on this machine, without loading it."""

import pytest

from course_lib import datasets
from course_lib.datasets import inventory

SHIPPED = {"toy_scenes": "shipped", "uci_digits": "shipped"}


def states(folder) -> dict[str, str]:
    return {row["name"]: row["state"] for row in datasets.status(folder)}


def test_each_cataloged_set_has_its_state(prepared, pictures, tmp_path, no_connections):
    mnist = prepared("mnist", train=pictures(3), test=pictures(3))
    cifar10 = prepared("cifar10", train=pictures(3, (32, 32, 3)), test=pictures(3, (32, 32, 3)))
    assert states(tmp_path) == {
        "mnist": "here", "cifar10": "here", "imagenette": "missing", **SHIPPED
    }  # fmt: skip
    (mnist / "dataset_info.json").write_text("{")
    (cifar10 / "cifar10-test.tfrecord-00000-of-00001").unlink()
    assert states(tmp_path) == {
        "mnist": "damaged", "cifar10": "damaged", "imagenette": "missing", **SHIPPED
    }  # fmt: skip
    rows = {row["name"]: row for row in datasets.status(tmp_path)}
    assert rows["mnist"]["where"] == str(tmp_path / "mnist") and rows["cifar10"]["where"] == str(cifar10)
    assert rows["imagenette"]["download_mb"] == 94.2


@pytest.mark.parametrize(
    ("state", "offline", "phrase"),
    [
        ("here", "", "MNIST is here"),
        ("missing", "", "MNIST missing: 11.6 MB to download"),
        ("missing", "1", "MNIST missing, offline: UCI digits stand in"),
        ("damaged", "", "MNIST damaged: UCI digits stand in"),
    ],
)
def test_which_digits_a_lesson_will_get(state, offline, phrase, monkeypatch, prepared, pictures, tmp_path):
    if state != "missing":
        folder = prepared("mnist", train=pictures(3), test=pictures(3))
        if state == "damaged":
            (folder / "dataset_info.json").unlink()
    there = inventory.open_builder
    monkeypatch.setattr(inventory, "open_builder", lambda name, _: there(name, tmp_path))
    monkeypatch.setenv("COURSE_OFFLINE", offline)
    assert datasets.digits_status() == phrase

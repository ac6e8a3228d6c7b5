"""Where TFDS cannot be imported, one sentence says so, and everything that does not need it works."""

import sys
import types

import pytest

from course_lib import datasets
from course_lib.datasets import errors
from course_lib.datasets.tfds_import import import_tfds

MEND = 'Type: pip install --no-deps "tensorflow-metadata<1.21" importlib_resources'


class VersionError(Exception):
    """What protobuf raises where it is older than tensorflow-metadata."""


class Raising:
    """Finds the module of this name, and fails while it is imported."""

    def __init__(self, error):
        self.error = error

    def find_spec(self, name, path=None, target=None):
        if name == "tensorflow_datasets.core":
            raise self.error


@pytest.fixture(params=["protobuf", "not installed", "another"])
def broken(request, monkeypatch):
    """TFDS that cannot be used; gives why, as it is to be said, and what to type."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorflow_datasets"]:
        monkeypatch.delitem(sys.modules, name)
    if request.param == "not installed":
        monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
        return "import of tensorflow_datasets halted", "Type: pip install tensorflow-datasets importlib_resources"
    hollow = types.ModuleType("tensorflow_datasets")  # as TFDS is after it has hidden an error
    hollow.__path__ = []
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", hollow)
    error = VersionError("gencode 6.31.1 runtime 5.29.6") if request.param == "protobuf" else OSError("disk on fire\nx")
    monkeypatch.setattr(sys, "meta_path", [Raising(error), *sys.meta_path])
    return (
        "tensorflow-metadata .* does not work with protobuf" if request.param == "protobuf" else "disk on fire"
    ), MEND


def test_the_reason_and_what_to_type_are_said(broken):
    why, mend = broken
    for call in (
        import_tfds,
        lambda: datasets.load("mnist"),
        lambda: datasets.load("toy_scenes/32"),
        lambda: datasets.load("kmnist"),
        lambda: datasets.load("eurosat/rgb"),
    ):
        with pytest.raises(errors.UnusableTfdsError, match=rf"TFDS\) cannot be imported \({why}") as caught:
            call()
        assert mend in str(caught.value) and isinstance(caught.value, FileNotFoundError)
    assert "eurosat/rgb is no folder here" in str(caught.value)


def test_digits_are_uci_digits_and_a_line_says_so(broken, capsys):
    _, mend = broken
    assert datasets.load("digits").name == "uci_digits" and datasets.load("uci_digits").num_classes == 10
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("UCI digits (8×8 handwriting from scikit-learn) stand in for MNIST: TensorFlow Datasets")
    assert mend in line


def test_status_says_so_in_a_phrase(broken):
    assert datasets.digits_status().startswith("UCI digits stand in for MNIST: TensorFlow Datasets (TFDS) cannot be")
    states = {row["name"]: row["state"] for row in datasets.status()}
    assert states.pop("uci_digits") == "shipped" and set(states.values()) == {"unusable"}
    assert all("cannot be imported" in row["where"] for row in datasets.status() if row["name"] != "uci_digits")


def test_what_is_no_set_of_tfds_is_loaded_or_refused_as_ever(broken, pets):
    assert datasets.load(pets).num_classes == 2
    with pytest.raises(FileNotFoundError, match=r"the folder .* is not there"):
        datasets.load("my pictures")
    with pytest.raises(ValueError, match="load takes one name"):
        datasets.load(5)


def test_tfds_is_imported_in_one_place():
    from course_lib import common

    holding = [
        path.name
        for path in (common.ROOT / "course_lib").rglob("*.py")
        if "import tensorflow_datasets" in path.read_text(encoding="utf-8")
    ]
    assert holding == ["tfds_import.py"]

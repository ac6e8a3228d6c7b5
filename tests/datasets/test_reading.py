"""The decoded copy that a second load takes: the same arrays, and never those of other records."""

import numpy as np
import pytest

from course_lib import datasets
from course_lib.datasets import reading


@pytest.fixture
def load(prepared, pictures, tmp_path, monkeypatch):
    """`load()` gives the images of a small MNIST and how many splits were decoded for it."""
    prepared("mnist", train=pictures(50), test=pictures(10))
    decoded, blocks = [], reading._blocks
    monkeypatch.setattr(reading, "_blocks", lambda *records: decoded.append(1) or blocks(*records))

    def images():
        decoded.clear()
        data = datasets.load("mnist", data_dir=tmp_path, offline=True)
        parts = [split.arrays() for split in (data.train, data.validation, data.test)]
        return np.concatenate([images for images, _ in parts]), len(decoded)

    return images


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "course_lib" / "mnist-3.0.1" / "train.npz"


def test_a_second_load_decodes_nothing(load, kept):
    first, decoded = load()
    assert decoded == 2 and kept.is_file()
    assert sorted(file.name for file in kept.parent.iterdir()) == ["test.npz", "train.npz"]
    second, decoded = load()
    assert decoded == 0 and np.array_equal(first, second)


def test_other_records_are_decoded_anew(load, prepared, pictures, tmp_path):
    first, _ = load()
    for file in (tmp_path / "mnist").rglob("*"):
        if file.is_file():
            file.unlink()
    (tmp_path / "mnist" / "3.0.1").rmdir()
    pictures(7)  # so that the next ones differ
    prepared("mnist", train=pictures(50), test=pictures(10))
    second, decoded = load()
    assert decoded == 2 and not np.array_equal(first, second)


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "text"])
def test_a_damaged_copy_is_not_used(load, kept, damage):
    first, _ = load()
    content = bytearray(kept.read_bytes())
    middle = len(content) // 2
    content[middle] ^= 0xFF
    kept.write_bytes({"cut": content[:middle], "flip": content, "empty": b"", "text": b"not a copy"}[damage])
    second, decoded = load()
    assert decoded == 1 and np.array_equal(first, second)
    assert load()[1] == 0  # and it was written again


def test_where_no_copy_can_be_written_loading_goes_on(load, tmp_path):
    (tmp_path / "course_lib").write_text("a file where a folder should be")
    assert load()[1] == 2 and load()[1] == 2

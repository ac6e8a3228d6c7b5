"""The leaf: argument checks, published tables, names that are not known, JSON for people."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from course_lib import common


@pytest.mark.parametrize("value", [1, 7, np.int64(3), np.uint8(1)])
def test_whole_numbers_pass(value):
    common.at_least(1, epochs=value)


@pytest.mark.parametrize("value", [0, -1, 1.0, "3", None, True, np.float32(2), [2]])
def test_other_values_are_named(value):
    with pytest.raises(ValueError) as caught:
        common.at_least(1, batch_size=5, epochs=value)
    assert str(caught.value) == f"epochs must be a whole number of at least 1, not {value!r}"


@pytest.mark.parametrize("shape", [(32, 32, 1), [28, 28, 3], (np.int64(5), 7, 1)])
def test_image_shapes_come_back_as_three_ints(shape):
    checked = common.check_image_shape(shape)
    assert checked == tuple(shape) and [type(size) for size in checked] == [int] * 3


@pytest.mark.parametrize(
    "shape", [(32, 32), (32, 32, 1, 1), (32, 32, 0), (-32, 32, 1), (32.0, 32, 1), (True, 32, 1), 32, "32x32", None, ()]
)
def test_image_shapes_that_are_none(shape):
    with pytest.raises(ValueError) as caught:
        common.check_image_shape(shape)
    message = str(caught.value)
    assert message.startswith("image_shape must be three positive whole numbers") and message.endswith(f"not {shape!r}")


def test_a_small_image_hears_the_smallest_that_fits():
    assert common.check_image_shape((32, 40, 3), smallest=32) == (32, 40, 3)
    for shape in ((31, 40, 3), (40, 31, 3)):
        with pytest.raises(ValueError, match=r"too small for this network: the smallest that fits is \(32, 32, 3\)"):
            common.check_image_shape(shape, smallest=32)


def test_an_unknown_name_hears_the_nearest_and_all():
    error = common.unknown("network", "lenet", ["vgg16", "lenet5"], ["lenet_large"])
    assert isinstance(error, ValueError)
    assert str(error) == "unknown network 'lenet'. Did you mean 'lenet5' or 'lenet_large'? Known: lenet5, vgg16."
    assert str(common.unknown("network", "zzz", ["lenet5"])) == "unknown network 'zzz'. Known: lenet5."
    assert "Did you mean 'ReLU'?" in str(common.unknown("activation", "relu", ["tanh", "ReLU"]))
    assert str(common.unknown("network", 7, ["a"])) == "unknown network 7. Known: a."


@pytest.mark.parametrize(("value", "offline"), [(None, False), ("", False), ("0", False), ("1", True), ("yes", True)])
def test_the_offline_flag(value, offline, monkeypatch):
    monkeypatch.delenv("COURSE_OFFLINE", raising=False)
    if value is not None:
        monkeypatch.setenv("COURSE_OFFLINE", value)
    assert common.offline() is offline


def test_published_tables():
    rows = common.published("architectures")
    assert {"lenet5", "lenet5_1998"} <= {row["name"] for row in rows}
    with pytest.raises(FileNotFoundError, match=r"no table 'architecture' in .*there are: architectures, "):
        common.published("architecture")


def test_a_slide_beside_what_is_right(capsys):
    (row,) = [row for row in common.published("lecture") if row["id"] == "L5"]
    common.compare_with_slide("L5")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    assert " ".join(lines) == f"The slide: {row['slide']} In fact: {row['right']} Source: {row['source']}"
    with pytest.raises(ValueError, match=r"unknown claim 'L99'"):
        common.compare_with_slide("L99")


def test_a_broken_table_is_not_filled_in(tmp_path, monkeypatch):
    monkeypatch.setattr(common, "PUBLISHED", tmp_path)
    (tmp_path / "é.csv").write_text('a,b\n"x, y",ü\n', encoding="utf-8")
    assert common.published("é") == [{"a": "x, y", "b": "ü"}]
    with pytest.raises(FileNotFoundError, match=r"there are: é"):
        common.published("none")


AWKWARD = {
    "name": "Fälle  [a,   b]",  # what looks like a list in a string stays as it is
    "list": [1, 2.5, "two  spaces"],
    "nested": [[1, 2], [3]],
    "open": ["[", "{", "]"],
    "empty": [],
    "line": "one\ntwo [\n 3 ]",
    "runs": [{"history": {"loss": [0.5, 0.25]}}],
}


class TestJson:
    def test_nothing_is_lost(self, tmp_path):
        common.write_json(tmp_path / "a.json", AWKWARD)
        assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == AWKWARD
        assert [file.name for file in tmp_path.iterdir()] == ["a.json"]

    def test_a_list_of_numbers_stands_on_one_line(self, tmp_path):
        common.write_json(tmp_path / "a.json", {"loss": list(range(50)), "seed": 3})
        lines = (tmp_path / "a.json").read_text().splitlines()
        assert len(lines) == 4 and lines[1].startswith(' "loss": [') and lines[2] == ' "seed": 3'

    def test_a_full_disk_leaves_the_old_file(self, tmp_path, monkeypatch):
        path, write = tmp_path / "a.json", pathlib.Path.write_text
        common.write_json(path, {"a": 1})

        def half(self, text, **given):
            write(self, text[: len(text) // 2], **given)
            raise OSError("No space left on device")

        monkeypatch.setattr(pathlib.Path, "write_text", half)
        with pytest.raises(OSError, match="No space"):
            common.write_json(path, {"a": 2})
        assert json.loads(path.read_text()) == {"a": 1}

    def test_what_cannot_be_written_leaves_the_old_file(self, tmp_path):
        path = tmp_path / "a.json"
        common.write_json(path, {"a": 1})
        with pytest.raises(TypeError):
            common.write_json(path, {"a": object()})
        assert json.loads(path.read_text()) == {"a": 1}


def test_a_plain_python_is_no_notebook(monkeypatch):
    import IPython

    assert not common.in_notebook()
    monkeypatch.setattr(IPython, "get_ipython", lambda: type("Kernel", (), {"kernel": 1})())
    assert common.in_notebook()


def test_the_leaf_loads_nothing_heavy():
    code = "import sys; from course_lib import common; print({'numpy', 'tensorflow', 'keras'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"

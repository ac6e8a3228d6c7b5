"""The benchmarks run: each side once on a few images, in this process; the workers with a script that only answers."""

import json
import sys

import lenet5_epoch
import numpy as np
import pytest
import ratios
import tensorflow as tf
import training

from course_lib import datasets
from course_lib.batching import Split

WORKER = """
import sys
for line in range(int(sys.argv[sys.argv.index("--epochs") + 1])):
    print(0.5, 0.25, flush=True)
    sys.stdin.readline()
"""


class Turns:
    """A worker's end of the line, with nobody at the other."""

    def __init__(self):
        self.accuracies = []

    def report(self, accuracy: float) -> None:
        self.accuracies.append(accuracy)


@pytest.fixture
def turns():
    return Turns()


@pytest.mark.parametrize("side", sorted({*training.SIDES} - {"PyTorch"}))
def test_each_side_of_what_train_costs(side, turns, monkeypatch):
    monkeypatch.setitem(training.EXAMPLES, "lenet5", 256)
    monkeypatch.setattr("course_lib.setup", lambda **options: None)  # these tests have two devices already
    training.SIDES[side](turns, "lenet5", 2, quick=False)
    assert len(turns.accuracies) == 2


def test_a_network_is_described_for_pytorch(tmp_path, monkeypatch):
    monkeypatch.setitem(training.EXAMPLES, "resnet20", 16)
    training.describe("resnet20", tmp_path / "network.npz", quick=False)
    with np.load(tmp_path / "network.npz") as file:
        assert file["parameters"] == 269_722 and file["images"].shape == (16, 32, 32, 3)
        described = json.loads(str(file["layers"]))
    merged = next(layer for layer in described if layer["kind"] == "Add")
    assert merged["inputs"] == ["conv1_relu", "conv2_block1_2_bn"]


@pytest.mark.parametrize("side", ["ours", "tutorial"])
def test_each_side_of_an_epoch_of_lenet5(side, turns, monkeypatch):
    images = np.zeros((256, 28, 28, 1), np.uint8)
    labels = np.arange(256) % 10
    split = Split(images, labels)
    digits = datasets.ImageDataset("mnist", (28, 28, 1), tuple("0123456789"), split, split, split)
    monkeypatch.setattr("course_lib.datasets.load", lambda name, offline: digits)
    monkeypatch.setattr(
        "tensorflow_datasets.load", lambda *_, **options: tf.data.Dataset.from_tensor_slices((images, labels))
    )
    lenet5_epoch.SIDES[side](turns, 1, "")
    assert len(turns.accuracies) == 1


def worker(tmp_path, code: str) -> lenet5_epoch.Worker:
    (tmp_path / "worker.py").write_text(code)
    return lenet5_epoch.Worker("side", sys.executable, 3, str(tmp_path / "worker.py"), [])


def test_workers_take_turns_and_are_ended(tmp_path, capfd):
    (done,) = lenet5_epoch.measured([lambda: worker(tmp_path, WORKER)], alternations=2)
    assert done.seconds == [0.5, 0.5] and done.accuracy == 0.25 and not done.process.is_running()
    said = capfd.readouterr().err
    assert "side: starts" in said and "alternation 2 of 2" in said


def test_a_worker_that_fails_ends_the_others_too(tmp_path):
    others = []

    def first():
        others.append(worker(tmp_path, WORKER))
        return others[0]

    with pytest.raises(SystemExit, match="side stopped with exit code 7"):
        lenet5_epoch.measured([first, lambda: worker(tmp_path, "raise SystemExit(7)")], alternations=1)
    assert not others[0].process.is_running()


def test_a_ratio_says_whether_its_bar_is_met():
    assert "ratio 2.000 (1.000 to 3.000, n=3)  bar 1.05 NOT met" in ratios.line("x", [1, 2, 3], [1, 1, 1], 1.05)

"""Challenges made of random images in the place of a data set: what matters here is what happens to the labels."""

import contextlib
import pathlib

import numpy as np
import pytest
from arena import ServeProcess

from course_lib.challenge import asking, making, material, serving

CLASS_NAMES = tuple("abcdefghij")


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A client waits longer than a student's: what answers here may share a busy machine with much else."""
    monkeypatch.setattr(asking, "FIRST", 300.0)
    monkeypatch.setattr(asking, "EACH", 300.0)


@pytest.fixture
def random_images(monkeypatch):
    """Every challenge is made of 60 training, 30 validation and 200 (or `test_images`) test images, 4×4."""

    def gather(name: str, quick: bool, test_images: int | None) -> material.Material:
        random = np.random.RandomState(0)
        sizes = (60, 30, test_images or 200)
        parts = [(random.randint(0, 256, (n, 4, 4, 3), np.uint8), random.permutation(np.arange(n) % 10)) for n in sizes]
        return material.Material(CLASS_NAMES, *parts, warning="random images")

    monkeypatch.setattr(material, "gather", gather)


@pytest.fixture
def make(tmp_path, random_images):
    """`make(**options)`: the folder of such a challenge."""

    def make(**options) -> pathlib.Path:
        making.make(tmp_path / "challenge", "random", **options)
        return tmp_path / "challenge"

    return make


@pytest.fixture
def local(random_images):
    """`local(**options)`: such a challenge on a server in this process."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(serving.local("random", **options))


@pytest.fixture
def serve():
    """`serve(folder, *options)`: a challenge on a server in a process of its own."""
    with contextlib.ExitStack() as stack:

        def serve(folder: pathlib.Path, *options: str, **popen) -> ServeProcess:
            running = ServeProcess(folder, *options, **popen)
            stack.callback(running.kill)
            return running

        yield serve

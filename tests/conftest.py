"""For all tests: the quick profile, oneDNN, no windows, and MNIST where it is here.

`COURSE_REQUIRE_MNIST=1` makes tests that need MNIST fail where it is not, instead of being skipped.
"""

import os
import random

os.environ["COURSE_PROFILE"] = "quick"  # nbval's kernels inherit it
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib
import numpy as np
import pytest

import course_lib  # noqa: F401  turns on oneDNN before any test imports TensorFlow

matplotlib.use("Agg")  # not by MPLBACKEND: the lessons' kernels would inherit it and show no figure


def _seed() -> None:
    random.seed(0)  # Keras draws from it the seeds of layers that were given none
    np.random.seed(0)  # noqa: NPY002


@pytest.fixture(scope="module", autouse=True)
def the_same_numbers_in_each_module():
    """What a module builds once is the same each time."""
    _seed()


@pytest.fixture(autouse=True)
def the_same_numbers_in_each_test(the_same_numbers_in_each_module):
    """No test fails by chance: its networks get the same weights each time, whatever ran before."""
    _seed()


@pytest.fixture(scope="session")
def mnist():
    """MNIST as `course_lib.datasets` loads it, never downloaded here."""
    from course_lib import datasets

    try:
        return datasets.load("mnist", offline=True)
    except FileNotFoundError as error:
        missing = pytest.fail if os.environ.get("COURSE_REQUIRE_MNIST", "") not in ("", "0") else pytest.skip
        missing(f"needs MNIST: {error}")

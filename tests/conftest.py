"""For all tests: the quick profile, oneDNN, no windows, and MNIST where it is here.

`COURSE_REQUIRE_MNIST=1` makes tests that need MNIST fail where it is not, instead of being skipped.
"""

import collections
import gc
import os
import random

os.environ["COURSE_PROFILE"] = "quick"  # nbval's kernels inherit it
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
if "PYTEST_XDIST_WORKER" in os.environ:  # as many workers as cores: NumPy's threads would wait for those of others
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when NumPy is imported; the lessons' kernels inherit it

import matplotlib
import numpy as np
import pytest

import course_lib  # noqa: F401  turns on oneDNN before any test imports TensorFlow
from course_lib.startup import quiet_start

if "PYTEST_XDIST_WORKER" in os.environ:  # whose log lines pytest does not hold back while it collects
    with quiet_start():
        import tensorflow as tf

        tf.config.list_physical_devices("GPU")  # it says that it looks for one

matplotlib.use("Agg")  # not by MPLBACKEND: the lessons' kernels would inherit it and show no figure


# About how many seconds the longest files take, on one of two cores: with `--dist loadfile` they begin first, so that
# at the end no worker is left with a long one alone. All others, by their number of tests, come after them.
SECONDS = {
    "lessons/": 75,
    "training/test_cluster.py": 70,
    "training/test_mirrored.py": 70,
    "training/test_resume.py": 65,
    "models/test_catalog.py": 65,
    "training/test_compatibility.py": 60,
    "models/test_weights.py": 55,
    "classroom/test_grade.py": 55,
    "classroom/test_site.py": 55,
    "test_startup.py": 50,
    "challenge/test_page.py": 45,
    "test_card_in_jupyterlab.py": 45,
    "experiments/test_reproduce.py": 40,
    "exercises/test_challenges_answers.py": 40,
    "exercises/test_solutions.py": 40,
    "training/test_train.py": 40,
    "visualization/test_gallery.py": 30,
    "models/test_networks.py": 30,
    "exercises/test_resnet_answers.py": 25,
    "models/test_summary.py": 25,
    "visualization/test_architecture.py": 20,
    "challenge/test_client.py": 15,
    "models/test_pretrained.py": 10,
    "exercises/test_own_classifier_answers.py": 10,
    "visualization/test_any_model.py": 10,
}


def pytest_configure(config):
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False  # else pytest-xdist begins with the files of many tests


def pytest_collection_modifyitems(config, items):
    if not hasattr(config, "workerinput"):  # of pytest-xdist; one after the other, files keep their order
        return
    counts = collections.Counter(item.path for item in items)
    lasting = {
        path: max((each for part, each in SECONDS.items() if part in path.as_posix()), default=min(40, count / 10))
        for path, count in counts.items()
    }
    items.sort(key=lambda item: -lasting[item.path])


def _seed() -> None:
    random.seed(0)  # Keras draws from it the seeds of layers that were given none
    np.random.seed(0)  # noqa: NPY002


@pytest.fixture(scope="module", autouse=True)
def memory_is_freed_by_module():
    """What is still there when a module begins stays: Python need not look through it again for what can be freed."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # networks and figures are thousands of objects each


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

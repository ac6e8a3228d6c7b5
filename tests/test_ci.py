"""What `.ci/run` and the README promise each other: one command, the same for a reader and for the machine."""

import os
import shutil
import subprocess
import sys

import pytest

from course_lib import common

COMMAND = "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/pytest -n 2 --dist loadfile"
SCRIPT = common.ROOT / ".ci" / "run"


def test_readme_gives_the_test_command():
    assert COMMAND in (common.ROOT / "README.md").read_text(encoding="utf-8").splitlines()


@pytest.fixture
def checkout(tmp_path):
    """A checkout whose test command only says what it would do, and a function that runs `.ci/run` there."""
    if sys.platform == "win32" or not shutil.which("bash"):
        pytest.skip("needs bash")
    checkout = tmp_path / "course"
    for folder in (".ci", ".venv/bin"):
        (checkout / folder).mkdir(parents=True)
    shutil.copy(SCRIPT, checkout / ".ci" / "run")
    for path, says in {
        "python3": "venv",
        "npm": "fetch",
        "course/.venv/bin/pip": "install",
        "course/.venv/bin/python": "prepare $1",
        "course/.venv/bin/pytest": "test $*, MNIST required: ${COURSE_REQUIRE_MNIST:-no}",
    }.items():
        (tmp_path / path).write_text(f'#!/bin/sh\necho "{says}"\n')
        (tmp_path / path).chmod(0o755)

    def run():
        environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
        environment.pop("COURSE_REQUIRE_MNIST", None)
        done = subprocess.run([checkout / ".ci" / "run"], env=environment, capture_output=True, text=True)
        lines = [line for line in done.stdout.splitlines() if not line.startswith("+")]
        return done.returncode, lines, done.stderr

    return checkout, run


def test_readme_command_is_run_as_it_stands(checkout):
    folder, run = checkout
    (folder / "README.md").write_text(f"# Course\n```sh\n{COMMAND}\n```\n")
    tested = "test -n 2 --dist loadfile, MNIST required: no"
    assert run() == (0, ["venv", "install", "install", "fetch", tested], "")


def test_mnist_is_prepared_between_install_and_tests(checkout):
    folder, run = checkout
    (folder / "README.md").write_text(f"# Course\n```sh\n{COMMAND}\n```\n")
    prepare = folder.parent / "shared" / "data" / "prepare.py"
    prepare.parent.mkdir(parents=True)
    prepare.touch()
    status, lines, _ = run()
    assert status == 0
    assert lines == [
        "venv",
        "install",
        "install",
        "fetch",
        "prepare ../shared/data/prepare.py",
        "test -n 2 --dist loadfile, MNIST required: 1",
    ]


def test_readme_without_the_command_is_refused(checkout):
    folder, run = checkout
    (folder / "README.md").write_text("# Course\n")
    status, lines, errors = run()
    assert status == 1 and lines == [] and "README.md has no line" in errors


def test_failing_tests_fail_the_run(checkout):
    folder, run = checkout
    (folder / "README.md").write_text(f"{COMMAND}\n")
    (folder / ".venv" / "bin" / "pytest").write_text("#!/bin/sh\nexit 3\n")
    assert run()[0] == 3

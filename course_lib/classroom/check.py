"""Is this machine ready for the lessons? One screen, and the command that mends what is not.

It imports only the standard library, so that it can also say that nothing is installed yet.
TensorFlow starts in a process of its own: where that crashes, this one is left to say so.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
import textwrap

from course_lib import common

REQUIREMENTS = common.ROOT / "requirements.txt"
PYTHON_FLOOR = (3, 11)
PYTHON_TOP = (3, 13)  # for newer ones there is no TensorFlow yet
MEMORY_GB = 1.5  # free; the largest lesson takes less
DISK_GB = 1.0  # free; room for the data of the `full` profile
PYTHON = f'"{sys.executable}"' if " " in sys.executable else sys.executable
PIP = f"{PYTHON} -m pip install"
INSTALL = f'{PIP} -r "{REQUIREMENTS}"'
START = """import course_lib, json; from course_lib import datasets
course_lib.setup(); print(json.dumps(datasets.status()))"""

Problem = tuple[str, str]  # what is wrong; the command or step that mends it


def main(arguments: list[str]) -> int:
    """Says whether this machine is ready, or runs the lessons. Returns 1 where a lesson cannot run."""
    parser = argparse.ArgumentParser(
        prog="python -m course_lib check",
        description="Says whether this machine is ready for the lessons; exit status 1 where it is not.",
    )
    parser.add_argument("--lessons", nargs="*", metavar="NAME", help="run these lessons, or all, in fresh kernels")
    parser.add_argument("--save", action="store_true", help="write the executed notebooks back")
    parser.add_argument("--fold", action="store_true", help="run nothing: fold cells as their tags say")
    options = parser.parse_args(arguments)
    if options.lessons is None:
        if options.save or options.fold:
            parser.error(f"--{'save' if options.save else 'fold'} goes with --lessons")
        return report()
    from course_lib.classroom import lesson_runs  # imports what the report may find missing

    try:
        paths = lesson_runs.find(options.lessons)
    except ValueError as error:
        parser.error(str(error))
    return lesson_runs.fold(paths) if options.fold else lesson_runs.run(paths, save=options.save)


def report() -> int:
    """Prints the screen; returns 1 where a lesson cannot run."""
    problems = check_packages() or check_start() + check_room()  # without packages nothing starts or measures
    for what, mend in problems:
        print()
        line("Not ready", what)
        print(f"Mend it   {mend}")  # in one piece, to be copied
    if not problems:
        print("\nReady: every lesson can run here.")
    return 1 if problems else 0


def check_python() -> list[Problem]:
    """Whether TensorFlow can be installed here at all; where not, no `pip install` mends it."""
    here, floor, top = (f"{major}.{minor}" for major, minor in (sys.version_info[:2], PYTHON_FLOOR, PYTHON_TOP))
    if not PYTHON_FLOOR <= sys.version_info[:2] <= PYTHON_TOP:
        old = sys.version_info < PYTHON_FLOOR
        what = f"Python {here}, needed {floor} or newer" if old else f"no TensorFlow for Python {here} yet, up to {top}"
        anew = f"{'py -' if sys.platform == 'win32' else 'python'}{top} -m venv .venv"
        return [(what, f"install Python {top} from python.org, delete the folder .venv and make it anew: {anew}")]
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        what = "no TensorFlow for Macs with an Intel processor, for which this Python is made"
        mend = (
            "on an Intel Mac open the lessons in Colab; on another install Python from python.org and make .venv anew"
        )
        return [(what, mend)]
    return []


def check_packages() -> list[Problem]:
    """Prints the versions of Python and of what requirements.txt asks for; returns what does not fit."""
    found = []
    wrong = []
    line("Python", f"{platform.python_version()} at {sys.executable}")
    if problems := check_python():
        return problems
    try:
        from packaging.requirements import Requirement  # pytest and JupyterLab bring it
    except ImportError:
        return [("the packages of requirements.txt are not installed", INSTALL)]
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    for needed in [Requirement(text.split("#")[0]) for text in lines if text[:1].isalpha()]:
        try:
            version = importlib.metadata.version(needed.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{needed.name} is not installed")
            continue
        found.append(f"{needed.name} {version}")
        if not needed.specifier.contains(version, prereleases=True):
            wrong.append(f"{needed.name} {version} is not {needed.specifier}")
    line("Packages", ", ".join(found) or "none")
    return [(", ".join(wrong), INSTALL)] if wrong else []


def check_start() -> list[Problem]:
    """Starts TensorFlow in a fresh process; prints its line and the data there is."""
    started = subprocess.run(
        [sys.executable, "-c", START],
        cwd=common.ROOT,
        env={**os.environ, "COURSE_VERBOSE": "1"},  # a crash would take held-back lines with it
        capture_output=True,
        text=True,
    )
    if started.returncode:
        reason = "\n".join(started.stderr.strip().splitlines()[-3:])
        what = f"a lesson does not start (exit status {started.returncode}):\n{reason}"
        return [(what, f'{PIP} --force-reinstall -r "{REQUIREMENTS}"')]
    *_, devices, data = started.stdout.splitlines()
    line("Start", devices)
    if "no GPU" in devices and sys.platform == "linux" and shutil.which("nvidia-smi"):
        line("", f'to use the NVIDIA GPU of this machine:\n{PIP} "tensorflow[and-cuda]"')
    label = "Data"
    for row in json.loads(data):
        line(label, f"{row['name']:11} {describe_data(row)}")
        label = ""
    return []


def describe_data(row: dict) -> str:
    """What there is of one data set, and what to do where it is not as it should be."""
    if row["state"] == "damaged":
        return f"damaged, so it is not used: delete {row['where']}"
    if row["state"] != "missing":
        return f"{row['state']}: {row['where']}"
    if common.offline():
        return "missing, and COURSE_OFFLINE forbids to download it"
    fetch = f"{PYTHON} -c \"from course_lib import datasets; datasets.load('{row['name']}')\""
    return f"missing: {row['download_mb']:g} MB when a lesson asks for it, or now by\n{fetch}"


def check_room() -> list[Problem]:
    """Prints free memory and disk; returns which of them is too small."""
    import psutil

    memory = psutil.virtual_memory()
    disk = shutil.disk_usage(common.ROOT)
    line("Memory", f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB free")
    line("Disk", f"{disk.free / 1e9:.1f} of {disk.total / 1e9:.1f} GB free")
    problems = []
    if memory.available < MEMORY_GB * 1e9:
        problems.append((f"less than {MEMORY_GB} GB of memory is free", "close other programs and notebooks"))
    if disk.free < DISK_GB * 1e9:
        problems.append((f"less than {DISK_GB} GB of disk is free", "delete or move files"))
    return problems


def line(label: str, text: str) -> None:
    """Prints one entry of the screen; text that is too long goes on under itself."""
    for part in text.splitlines():
        for row in textwrap.wrap(part, 110, break_long_words=False, break_on_hyphens=False):
            print(f"{label:<10}{row}")
            label = ""

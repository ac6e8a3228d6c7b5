"""`python -m course_lib`: what `check` says of good and bad machines, and how it runs lessons."""

import collections
import importlib.metadata
import io
import json
import platform
import shutil
import subprocess
import sys
import types

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course_lib import __main__ as command_line
from course_lib.classroom import check, lesson_runs

LINE = "Python 3.13.0, TensorFlow 2.20.0, Keras 3.13.2 | 2 CPU cores, no GPU | digits | profile quick"
DATA = [
    {"name": "mnist", "state": "here", "where": "data/mnist", "download_mb": 11.6},
    {"name": "cifar10", "state": "missing", "where": "data/cifar10", "download_mb": 162.2},
    {"name": "imagenette", "state": "damaged", "where": "data/imagenette", "download_mb": 94.2},
    {"name": "uci_digits", "state": "shipped", "where": "scikit-learn", "download_mb": 0},
]


@pytest.fixture
def ready(monkeypatch):
    """A machine on which everything is as it should be, whatever this one is."""
    memory = collections.namedtuple("memory", "available total")(8e9, 16e9)
    started = subprocess.CompletedProcess([], 0, f"{LINE}\n{json.dumps(DATA)}\n", "")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **options: started)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.delenv("COURSE_OFFLINE", raising=False)
    return types.SimpleNamespace(started=started)


def test_ready_machine(ready, capsys):
    assert command_line.main(["check"]) == 0
    screen = capsys.readouterr().out
    assert LINE in screen and "8.0 of 16.0 GB free" in screen and "Ready: every lesson can run here." in screen
    assert "cifar10     missing: 162.2 MB" in screen and "datasets.load('cifar10')" in screen
    assert "imagenette  damaged, so it is not used: delete data/imagenette" in screen
    assert "mnist       here: data/mnist" in screen and "uci_digits  shipped: scikit-learn" in screen


def test_this_machine_starts():
    """Nothing stands in here: TensorFlow starts in a process of its own, and the data is looked for."""
    command = [sys.executable, "-m", "course_lib", "check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert "TensorFlow 2." in done.stdout and "mnist" in done.stdout and done.stderr == ""


def test_offline_is_said(ready, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    check.main([])
    screen = capsys.readouterr().out
    assert "missing, and COURSE_OFFLINE forbids to download it" in screen and "datasets.load" not in screen


def test_missing_and_old_packages(ready, monkeypatch, capsys):
    def version(name):
        if name == "keras":
            raise importlib.metadata.PackageNotFoundError(name)
        return "2.19.1" if name == "tensorflow" else real(name)

    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", version)
    assert check.main([]) == 1
    screen = capsys.readouterr().out
    assert "tensorflow 2.19.1 is not <3,>=2.20, keras is not installed" in screen
    assert "-m pip install -r" in screen and LINE not in screen


def test_no_package_at_all(ready, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)
    assert check.main([]) == 1
    assert check.INSTALL in capsys.readouterr().out


@pytest.mark.parametrize(
    ("version", "machine", "what", "mend"),
    [
        ((3, 10, 2), ("linux", "x86_64"), "Python 3.10, needed 3.11 or newer", "python3.13 -m venv .venv"),
        ((3, 14, 0), ("linux", "x86_64"), "no TensorFlow for Python 3.14 yet, up to 3.13", "python3.13 -m venv .venv"),
        ((3, 14, 0), ("win32", "AMD64"), "no TensorFlow for Python 3.14 yet, up to 3.13", "py -3.13 -m venv .venv"),
        ((3, 12, 0), ("darwin", "x86_64"), "no TensorFlow for Macs with an Intel processor", "Colab"),
    ],
)
def test_a_python_for_which_there_is_no_tensorflow(ready, monkeypatch, capsys, version, machine, what, mend):
    """Said before anything else: no `pip install` would mend it."""
    monkeypatch.setattr(sys, "version_info", version)
    monkeypatch.setattr(sys, "platform", machine[0])
    monkeypatch.setattr(platform, "machine", lambda: machine[1])
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)  # nothing is installed
    assert check.main([]) == 1
    screen = capsys.readouterr().out
    assert what in screen and mend in screen and "pip install" not in screen


def test_a_mac_of_today_is_ready(ready, monkeypatch, capsys):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert check.main([]) == 0


def test_crash_of_tensorflow(ready, capsys):
    ready.started.returncode = -4
    ready.started.stderr = "noise\nThe TensorFlow library was compiled to use AVX instructions\n"
    assert check.main([]) == 1
    screen = capsys.readouterr().out
    assert "does not start (exit status -4)" in screen and "AVX" in screen and "--force-reinstall" in screen


@pytest.mark.skipif(sys.platform != "linux", reason="TensorFlow's own packages use a GPU on Linux only")
def test_unused_gpu(ready, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda name: "found")
    check.main([])
    assert '"tensorflow[and-cuda]"' in capsys.readouterr().out


def test_little_room(ready, monkeypatch, capsys):
    little = collections.namedtuple("room", "available total used free")(1e9, 16e9, 9e9, 0.5e9)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: little)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: little)
    assert check.main([]) == 1
    screen = capsys.readouterr().out
    assert "less than 1.5 GB of memory" in screen and "less than 1.0 GB of disk" in screen


def test_arguments_are_forwarded(monkeypatch):
    reproduce = types.SimpleNamespace(main=lambda arguments: len(arguments))
    monkeypatch.setitem(sys.modules, "course_lib.experiments.reproduce", reproduce)
    assert command_line.main(["reproduce", "lenet5", "--seeds", "3"]) == 3
    assert command_line.main(["reproduce", "--help"]) == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["chek"], "invalid choice: 'chek'"),
        (["check", "--save"], "--save goes with --lessons"),
        (["check", "--fold"], "--fold goes with --lessons"),
        (["check", "--lessons", "42"], "unknown lesson '42'"),
    ],
)
def test_wrong_arguments(arguments, reason, capsys):
    with pytest.raises(SystemExit) as stopped:
        command_line.main(arguments)
    assert stopped.value.code == 2 and reason in capsys.readouterr().err


@pytest.fixture
def lessons(tmp_path):
    """A folder for lessons, and a function that writes one there from the sources of its cells."""

    def write(name, *sources):
        path = tmp_path / f"{name}.ipynb"
        nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
        return path

    return tmp_path, write


def test_lessons_are_found_by_number_name_or_path(lessons):
    folder, write = lessons
    first, second = write("01_seeing"), write("02_data")
    for name in ("02", "02_data", "lessons/02_data.ipynb"):
        assert lesson_runs.find([name], folder) == [second]
    assert lesson_runs.find([], folder) == lesson_runs.find(["02", "01"], folder) == [first, second]
    with pytest.raises(ValueError, match=r"unknown lesson '02_date'. Did you mean '02_data'"):
        lesson_runs.find(["02_date"], folder)


def test_lesson_is_run_and_saved(lessons, capsys, monkeypatch):
    folder, write = lessons
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    path = write(
        "01_seeing",
        "import os, time\nprint('one', flush=True)\ntime.sleep(0.5)\n"
        "print(os.environ['COURSE_PROFILE'], os.path.basename(os.getcwd()))",
        "block = bytearray(400_000_000)\ntime.sleep(1)",
        "import warnings\nwarnings.warn('mind the gap')",
        "import ipywidgets\nipywidgets.IntSlider()",
        "from IPython.display import display\n"
        f"card = {{'{lesson_runs.WIDGET_VIEW}': {{'model_id': 'x'}}, 'text/html': 'card', 'text/plain': 'card'}}\n"
        "display(card, raw=True)",
        "import os\nfrom course_lib import exercises\nprint(os.environ['COURSE_SAVING'])",
        "print('\\rreading: 10%', end='')\nprint('\\r            \\rdone: 12', flush=True)",
    )
    assert lesson_runs.run([path], save=True) == 0
    printed = capsys.readouterr().out
    name, verdict, _, _, memory, _, warnings = printed.splitlines()[1].split()
    assert (name, verdict, warnings) == ("01_seeing", "PASS", "1") and 0.4 <= float(memory) <= 0.9
    assert "cell 3: " in printed and "mind the gap" in printed

    text = path.read_text(encoding="utf-8")
    saved = nbformat.reads(text, as_version=4)
    assert text.endswith("}\n") and saved.metadata == lesson_runs.METADATA
    assert [cell.execution_count for cell in saved.cells] == [1, 2, 3, 4, 5, 6, 7]
    assert saved.cells[0].outputs[0].text == f"one\nquick {folder.name}\n"
    assert saved.cells[6].outputs[0].text == "done: 12\n"  # as a terminal shows it in the end
    assert saved.cells[4].outputs[0].data == {"text/html": "card", "text/plain": "card"}
    assert saved.cells[5].outputs[0].text == "1\n"
    assert not saved.cells[3].outputs and all(not cell.metadata for cell in saved.cells)


def test_saving_again_changes_nothing(lessons):
    _, write = lessons
    path = write("01_seeing", "print(6 * 7)")
    lesson_runs.run([path], save=True)
    once = path.read_bytes()
    lesson_runs.run([path], save=True)
    assert path.read_bytes() == once


def test_failing_lesson_is_told_and_not_saved(lessons, capsys):
    _, write = lessons
    path, other = write("01_seeing", "print(1)", "raise ValueError('no such digit')"), write("02_data", "print(2)")
    before = path.read_bytes()
    assert lesson_runs.run([path, other], save=True) == 1
    printed = capsys.readouterr().out
    assert "in cell 2 of 2, CellExecutionError" in printed and "ValueError: no such digit" in printed
    assert "02_data" in printed and path.read_bytes() == before


@pytest.mark.parametrize(
    ("source", "seconds", "reason"),
    [("import os; os._exit(1)", 300, "DeadKernelError"), ("import time; time.sleep(600)", 2, "CellTimeoutError")],
)
def test_dead_or_endless_lesson(lessons, capsys, monkeypatch, source, seconds, reason):
    _, write = lessons
    monkeypatch.setattr(lesson_runs, "CELL_TIMEOUT", seconds)
    assert lesson_runs.run([write("01_seeing", source)], save=False) == 1
    assert f"in cell 1 of 1, {reason}" in capsys.readouterr().out


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_running_cell_is_shown_in_a_terminal_and_now_and_then_in_a_log(lessons, capsys, monkeypatch):
    _, write = lessons
    path = write("01_seeing", "1", "2")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    lesson_runs.run([path], save=False)
    first, second, cleared, rest = terminal.getvalue().split("\r")[1:]
    assert first.rstrip() == "01_seeing: cell 1 of 2" and second.rstrip() == "01_seeing: cell 2 of 2"
    assert cleared.strip() == rest == "" and len(cleared) == len(first)
    assert capsys.readouterr().out.splitlines()[1].startswith("01_seeing ")

    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    running = lesson_runs.RunningCell("01_seeing", 9)
    running.show(1)
    running.shown -= lesson_runs.LOG_INTERVAL
    for number in (2, 3):
        running.show(number)
    running.clear()
    assert log.getvalue() == "01_seeing: cell 2 of 9\n"

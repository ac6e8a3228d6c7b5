"""Runs lessons from top to bottom in fresh kernels: how long, how much memory, what went wrong.

Behind `python -m course_lib check --lessons`. With `--save` the executed notebooks are written back,
without anything that differs from one run or machine to the next for no reader's good.
"""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import nbclient
import nbformat
import psutil
from jupyter_client import kernelspec, manager
from nbclient import exceptions

from course_lib import common
from course_lib.classroom import cells, seconds

LESSONS = common.ROOT / "lessons"
CELL_TIMEOUT = 300  # seconds, as in the tests
STARTING = 300  # seconds that a kernel may take to start, on a busy machine too
LOG_INTERVAL = 10  # seconds
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
FAILURES = (exceptions.CellExecutionError, exceptions.CellTimeoutError, exceptions.DeadKernelError)
METADATA = {  # no versions: a notebook saved under another Python shows no difference
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "name": "python", "pygments_lexer": "ipython3"},
}


def run(paths: list[pathlib.Path], *, save: bool) -> int:
    """Runs these lessons and prints a line each, more where it is due; returns 1 where one failed."""
    failed = False
    print(f"{'lesson':26} {'':4} {'time':>7} {'memory':>9}  warnings")
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        start = time.perf_counter()
        running = RunningCell(path.stem, len(notebook.cells))
        with sampled_memory() as memory:
            failure = execute(notebook, path.parent, running.show)
        running.clear()
        verdict = "FAIL" if failure else "PASS"
        lasted = time.perf_counter() - start
        warnings = stderr_lines(notebook)
        print(f"{path.stem:26} {verdict} {lasted:5.0f} s {max(memory) / 1e9:6.1f} GB  {len(warnings)}")
        for text in [*warnings, *failure.splitlines()]:
            print(f"    {text}")
        failed = failed or bool(failure)
        if save and not failure:
            clean(notebook)
            nbformat.write(notebook, path)
            if path.parent == LESSONS:
                seconds.record(path.stem, seconds.by_section(notebook, running.timer.seconds))
    return 1 if failed else 0


def fold(paths: list[pathlib.Path]) -> int:
    """Folds the cells of these lessons as their tags say, without running them; returns 1 where a title is missing."""
    incomplete = False
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        before = nbformat.writes(notebook)
        missing = cells.fold(notebook)
        changed = nbformat.writes(notebook) != before
        if changed:
            nbformat.write(notebook, path)
        print(f"{path.stem:26} {'folded' if changed else 'as before'}")
        for text in missing:
            print(f"    {text}")
        incomplete = incomplete or bool(missing)
    return 1 if incomplete else 0


def find(names: list[str], folder: pathlib.Path = LESSONS) -> list[pathlib.Path]:
    """The notebooks that `names` mean ("03", "03_lenet" or a path), in order; all where none is named.

    Raises:
        ValueError: there is no such lesson.
    """
    known = {path.stem: path for path in sorted(folder.glob("*.ipynb"))}
    found = set()
    for name in names:
        stem = pathlib.Path(name).stem
        matches = [known[key] for key in known if stem in (key, key.split("_")[0])]
        if not matches:
            raise common.unknown("lesson", name, known)
        found.update(matches)
    return sorted(found) or list(known.values())


class RunningCell:
    """Says on stderr which cell runs: in a terminal on a line that changes, in a log on a line every ten seconds.

    Its `timer` measures the cells.
    """

    def __init__(self, name: str, count: int):
        self.name = name
        self.count = count
        self.live = sys.stderr.isatty()
        self.shown = time.perf_counter()
        self.timer = seconds.Timer()

    def show(self, number: int) -> None:
        """Cell `number`, counted from 1, begins."""
        self.timer.begin(number)
        text = f"{self.name}: cell {number} of {self.count}"
        if self.live:
            print(f"\r{text:<60}", end="", file=sys.stderr, flush=True)
        elif time.perf_counter() - self.shown > LOG_INTERVAL:
            print(text, file=sys.stderr, flush=True)
            self.shown = time.perf_counter()

    def clear(self) -> None:
        """The last cell has ended: leaves the line to what is printed next."""
        self.timer.end()
        if self.live:
            print(f"\r{'':60}\r", end="", file=sys.stderr, flush=True)


def execute(notebook: nbformat.NotebookNode, folder: pathlib.Path, show: Callable[[int], None]) -> str:
    """Runs `notebook`, in place, in a fresh kernel of this very Python; returns where and how it failed, or "".

    `show` is called with the number of each cell, counted from 1, before it runs.
    """
    begun = []

    def begin(cell: nbformat.NotebookNode, cell_index: int) -> None:
        begun.append(cell_index + 1)
        show(cell_index + 1)

    client = nbclient.NotebookClient(
        notebook,
        # no kernel folders: then "python3" is this environment's, whatever else is installed under that name
        km=manager.AsyncKernelManager(kernel_spec_manager=kernelspec.KernelSpecManager(kernel_dirs=[])),
        timeout=CELL_TIMEOUT,
        startup_timeout=STARTING,
        record_timing=False,
        coalesce_streams=True,
        on_cell_execute=begin,
    )
    environment = {"COURSE_PROFILE": "quick", **os.environ, "COURSE_SAVING": "1"}  # cards without controls
    try:  # what cells write to stderr is an output; the kernel's own descriptor would repeat it here
        client.execute(cleanup_kc=True, cwd=str(folder), env=environment, stderr=subprocess.DEVNULL)
    except FAILURES as error:
        plain = re.sub(r"\x1b\[[\d;]*m", "", str(error))  # without colors
        last = [line for line in plain.splitlines() if line.strip()][-5:]
        return "\n".join([f"in cell {begun[-1]} of {len(notebook.cells)}, {type(error).__name__}:", *last])
    return ""


@contextlib.contextmanager
def sampled_memory(interval: float = 0.2):
    """A list that fills, five times a second, with the resident bytes of all processes this one started."""
    samples = [0]
    done = threading.Event()

    def sample() -> None:
        while not done.wait(interval):
            with contextlib.suppress(psutil.Error):  # one of them has just ended
                children = psutil.Process().children(recursive=True)
                samples.append(sum(child.memory_info().rss for child in children))

    threading.Thread(target=sample, daemon=True).start()
    try:
        yield samples
    finally:
        done.set()


def stderr_lines(notebook: nbformat.NotebookNode) -> list[str]:
    """Where cells wrote to stderr: the cell, counted from 1, and the first line."""
    return [
        f"cell {number}: {output.text.strip().splitlines()[0]}"
        for number, cell in enumerate(notebook.cells, start=1)
        for output in cell.get("outputs", [])
        if output.get("name") == "stderr" and output.text.strip()
    ]


def clean(notebook: nbformat.NotebookNode) -> None:
    """Takes out what is no use to a reader: widget views without their state, timings, versions, progress bars."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata.update(METADATA)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if not _is_only_a_widget(output)]
            for output in cell.outputs:
                output.get("data", {}).pop(WIDGET_VIEW, None)
                if output.output_type == "stream":
                    output.text = _as_shown(output.text)
            cell.outputs = [output for output in cell.outputs if output.output_type != "stream" or output.text]


def _as_shown(text: str) -> str:
    """What a terminal shows of `text` in the end: a progress bar writes over itself, and clears its line."""
    lines = []
    for line in text.split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part) :]
        lines.append(shown.rstrip() if "\r" in line else shown)
    return "\n".join(lines)


def _is_only_a_widget(output: nbformat.NotebookNode) -> bool:
    """Whether an output shows nothing but controls, which need a kernel."""
    return WIDGET_VIEW in output.get("data", {}) and "text/html" not in output.data

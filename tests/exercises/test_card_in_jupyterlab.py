"""A card as a student meets it: in JupyterLab, in a browser, by keyboard alone."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
import tomllib
import urllib.request

import browser
import nbformat
import ports
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course_lib import common

KEYS = {"Tab": 9, "Enter": 13, " ": 32}
CELLS = "document.querySelectorAll('.jp-Cell').length"
CARD = "document.querySelectorAll('.course-card')[{}]"
TEXTS = tomllib.loads((common.ROOT / "course_lib" / "exercises" / "lenet.toml").read_text(encoding="utf-8"))


@contextlib.contextmanager
def jupyterlab(folder):
    """JupyterLab in `folder`, with settings of its own; gives its address."""
    port = ports.free()
    homes = {name: str(folder / "home" / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    homes |= {f"JUPYTERLAB_{name}_DIR": str(folder / "home" / name) for name in ("SETTINGS", "WORKSPACES")}
    options = [
        f"--port={port}",
        "--ServerApp.port_retries=0",
        "--no-browser",
        "--allow-root",
        "--IdentityProvider.token=",
    ]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={folder}"],
        cwd=folder,
        env={**os.environ, **homes, "PYTHONPATH": str(common.ROOT), "COURSE_ANSWERS": str(folder / "answers.json")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/api", server)
        yield address
    finally:
        running = psutil.Process(server.pid)
        for process in [*running.children(recursive=True), running]:  # kernels too
            process.kill()
        server.wait()


def wait_for(url: str, server: subprocess.Popen) -> None:
    for _ in range(10 * browser.PATIENCE):
        assert server.poll() is None, "JupyterLab has ended"
        with contextlib.suppress(OSError), urllib.request.urlopen(url):
            return
        time.sleep(0.1)
    raise AssertionError(f"nothing answers at {url}")


async def press(page: browser.Page, key: str, modifiers: int = 0) -> None:
    """Presses and releases a key, as a keyboard does."""
    text = {"Enter": "\r", "Tab": ""}.get(key, key)
    named = {"key": key, "windowsVirtualKeyCode": KEYS.get(key) or ord(key.upper()), "modifiers": modifiers}
    await page.send("Input.dispatchKeyEvent", type="keyDown", text="" if modifiers else text, **named)
    await page.send("Input.dispatchKeyEvent", type="keyUp", **named)


async def click(page: browser.Page, element: str) -> None:
    """Clicks into the element that a JavaScript expression gives."""
    box = json.loads(await page.run(f"JSON.stringify({element}.getBoundingClientRect())"))
    place = {"x": box["x"] + min(box["width"], 40) / 2, "y": box["y"] + box["height"] / 2}
    for kind in ("mousePressed", "mouseReleased"):
        await page.send("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)


async def run_cell(page: browser.Page, number: int) -> None:
    """Runs a cell with Shift+Enter until its card is there: before the kernel has started, JupyterLab does nothing."""
    for _ in range(browser.PATIENCE // 3):
        await click(page, f"document.querySelectorAll('.jp-CodeCell .cm-line:last-child')[{number}]")
        await press(page, "Enter", modifiers=8)
        for _ in range(30):
            if await page.run(f"document.querySelectorAll('.course-card').length > {number}"):
                return
            await asyncio.sleep(0.1)
    raise AssertionError(f"cell {number} shows no card")


async def focus(page: browser.Page, label: str) -> None:
    """Presses Tab until the control with this label has the focus."""
    for _ in range(12):
        if await page.run("document.activeElement.innerText") == label:
            return
        await press(page, "Tab")
    raise AssertionError(f"Tab does not lead to {label}")


async def replied(page: browser.Page, number: int, words: str) -> None:
    await page.until(f"{CARD.format(number)}.innerText.includes({json.dumps(words)})")


async def answer_by_keyboard(address: str) -> None:
    async with browser.opened(f"{address}/lab/tree/cards.ipynb?reset") as page:
        await page.resize(1280)
        await page.until("document.querySelector('.jp-Notebook-ExecutionIndicator[data-status=idle]') !== null")
        await page.until("document.querySelector('.jp-Spinner') === null")
        for number in range(2):
            await run_cell(page, number)
        await page.until("document.querySelector('.jp-Notebook-ExecutionIndicator[data-status=idle]') !== null")
        cells = await page.run(CELLS)

        await page.run(f"{CARD.format(0)}.querySelector('input').focus()")  # from here on by keyboard alone
        for key in "25":
            await press(page, key)
        await press(page, "Enter")
        await replied(page, 0, f"→ Not 25. {TEXTS['q1']['wrong']['25']}")
        await focus(page, "Hint")
        await press(page, "Enter")
        await replied(page, 0, f"Hint: {TEXTS['q1']['tip']}")
        await press(page, "Tab")
        assert await page.run("document.activeElement.innerText") == "Give up"

        await page.run(f"{CARD.format(1)}.querySelector('input').focus()")
        await press(page, "Tab")
        await press(page, "Tab")
        await press(page, " ")
        await focus(page, "Check")
        await press(page, " ")
        await replied(page, 1, f"→ Right. {TEXTS['q5']['because']}")
        assert await page.run(CELLS) == cells  # no key went to the notebook
        assert await page.run(f"{CARD.format(1)}.querySelector('[role=alert]').innerText.startsWith('→ Right')")


def test_a_number_and_a_choice_are_answered_by_keyboard_alone(tmp_path):
    if not any(map(browser.shutil.which, browser.PROGRAMS)):
        pytest.skip(f"needs a browser: none of {', '.join(browser.PROGRAMS)} is here")
    sources = ["from course_lib import exercises\nexercises.lenet.q1", "exercises.lenet.q5"]
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    notebook.metadata.kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(notebook, tmp_path / "cards.ipynb")
    with jupyterlab(tmp_path) as address:
        asyncio.run(answer_by_keyboard(address))
    kept = json.loads((tmp_path / "answers.json").read_text(encoding="utf-8"))["lessons"]["lenet"]
    assert (
        kept["q1"]["answer"] == 25 and kept["q1"]["hint"] and kept["q5"] == {"answer": "C", "right": True, "tries": 1}
    )

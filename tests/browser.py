"""Headless Chromium, told what to do over its DevTools protocol; Tornado brings the websocket."""

import asyncio
import contextlib
import json
import pathlib
import shutil
import subprocess
import tempfile
import urllib.request

import pytest
from tornado import websocket

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 200  # seconds: a browser on a busy machine


class Page:
    """One tab: `send` a DevTools command, `run` JavaScript, `until` it is true."""

    def __init__(self, connection: websocket.WebSocketClientConnection):
        self.connection, self.number = connection, 0
        self.patience = PATIENCE
        self.complaints: list[dict] = []
        self.requests: list[str] = []  # the addresses that the page asked for

    async def send(self, method: str, **parameters) -> dict:
        self.number += 1
        await self.connection.write_message(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = json.loads(await asyncio.wait_for(self.connection.read_message(), self.patience))
            if message.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                self.complaints.append(message["params"])
            if message.get("method") == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            if message.get("id") == self.number:
                assert "error" not in message, message
                return message["result"]

    async def run(self, script: str) -> object:
        answer = await self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def go(self, url: str) -> None:
        """Another page in the same tab."""
        await self.run("window.left = true")
        await self.send("Page.navigate", url=url)
        await self.until("!window.left && document.readyState === 'complete'")

    async def until(self, script: str) -> None:
        for _ in range(10 * PATIENCE):
            if await self.run(script):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"never true: {script}")

    async def resize(self, width: int, height: int = 900) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.send("Emulation.setDeviceMetricsOverride", **size)

    async def prefer(self, scheme: str) -> None:
        await self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])


@contextlib.asynccontextmanager
async def opened(url: str, *flags: str):
    """A page on `url`, in Chromium with these further flags; the test is skipped where there is no Chromium."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"needs a browser: none of {', '.join(PROGRAMS)} is here")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0"]
        command = [program, *options, *flags, f"--user-data-dir={profile}", "about:blank"]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port = await _soon(lambda: _port(pathlib.Path(profile) / "DevToolsActivePort"), "Chromium does not start")
            page = Page(await websocket.websocket_connect(await _soon(lambda: _tab(port), "Chromium has no tab")))
            for domain in ("Page", "Runtime", "Log", "Network"):
                await page.send(f"{domain}.enable")
            await page.send("Page.navigate", url=url)
            await page.until(f"location.href.startsWith({url!r}) && document.readyState === 'complete'")
            yield page
        finally:
            browser.kill()
            browser.wait()


async def _soon(look, complaint: str):
    """What `look` gives as soon as it gives anything."""
    for _ in range(10 * PATIENCE):
        if found := look():
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(complaint)


def _port(path: pathlib.Path) -> int | None:
    lines = path.read_text().splitlines() if path.is_file() else []
    return int(lines[0]) if len(lines) == 2 else None  # both, for it may be half written


def _tab(port: int) -> str | None:
    """The address of the first tab, which may open after the port."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
        return next((tab["webSocketDebuggerUrl"] for tab in json.load(answer) if tab["type"] == "page"), None)

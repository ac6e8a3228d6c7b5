"""The leaderboard in a real browser: it changes by itself, at both widths, light and dark, for everybody."""

import asyncio
import base64
import os
import pathlib

import browser
import numpy as np
from arena import truth

NOTE = "<b>bold</b> <img src=x onerror=alert(1)>"
# Of every text on the page the ratio between its color and the nearest background that is not transparent (WCAG 2).
CONTRAST = """
(() => {
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255)
      .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    const color = getComputedStyle(node).backgroundColor;
    return /, 0\\)$/.test(color) && node.parentElement ? behind(node.parentElement) : color;
  };
  const texts = [...document.querySelectorAll("body *")].filter((node) =>
    [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim()) && node.offsetParent);
  return texts.map((node) => {
    const [a, b] = [light(getComputedStyle(node).color), light(behind(node))].sort((x, y) => y - x);
    return [(a + 0.05) / (b + 0.05), node.textContent.trim().slice(0, 30)];
  });
})()
"""
COLUMNS = "[...document.querySelectorAll('thead th')].map((cell) => cell.textContent)"


def with_page(server, check) -> None:
    async def run() -> None:
        async with browser.opened(server.url) as page:
            await check(page)

    asyncio.run(run())


def test_the_board_changes_by_itself_and_shows_text_as_text(local):
    server = local(human=0.9)

    async def check(page) -> None:
        assert await page.run(COLUMNS) == ["Rank", "Team", "Public", "Sent", "Best at"]
        await page.run("window.marker = 1")
        labels, _ = truth(server.folder)
        client = server.connect().register("Team A")
        await asyncio.to_thread(client.submit, np.where(np.arange(200) < 100, labels, 0), NOTE)
        await page.until("document.querySelector('tbody').textContent.includes('Team A')")
        assert await page.run("window.marker") == 1  # without a reload
        assert "In the lead: Team A" in await page.run("document.querySelector('[role=status]').textContent")
        assert NOTE in await page.run("document.querySelector('tbody').textContent")
        assert await page.run("document.querySelectorAll('tbody b, tbody img').length") == 0
        assert await page.run("[...document.querySelectorAll('.kind')].map((kind) => kind.textContent).sort()") == [
            *("baseline", "baseline", "human")
        ]
        await asyncio.to_thread(client.submit, np.eye(10)[labels])
        await page.until("document.querySelector('thead').textContent.includes('Top-5')")
        server.reveal()
        await page.until("document.querySelector('thead').textContent.includes('Private')")
        sources = await page.run("performance.getEntriesByType('resource').map((entry) => entry.name)")
        assert sources and all(source.startswith(server.url) for source in sources)
        assert page.complaints == []
        await asyncio.to_thread(server.stop)
        await page.until("document.getElementById('state').textContent.startsWith('No connection')")

    with_page(server, check)


def test_it_fits_and_is_legible_everywhere(local):
    server = local(human=0.9)
    labels, _ = truth(server.folder)
    for name, right in (("A team with the longest of names"[:30], 150), ("W" * 30, 90), ("c", 0)):
        scores = np.random.RandomState(right).random_sample((200, 10)) + 2 * np.eye(10)[labels] * (
            np.arange(200)[:, None] < right
        )
        server.connect().register(name).submit(
            scores, "a note that is about as long as notes may be, more or less, here"
        )
    shots = os.environ.get("CHALLENGE_SHOTS")  # a folder, to look at them

    async def check(page) -> None:
        for state in ("open", "revealed"):
            for width in (1280, 390):
                for scheme in ("light", "dark"):
                    await page.resize(width)
                    await page.prefer(scheme)
                    assert await page.run("document.documentElement.scrollWidth") <= width
                    weak = [pair for pair in await page.run(CONTRAST) if pair[0] < 4.5]
                    assert weak == [], (width, scheme)
                    dark = await page.run("getComputedStyle(document.body).backgroundColor")
                    assert (int(dark[4:].split(",")[0]) < 60) == (scheme == "dark")
                    if shots:
                        await page.resize(width, int(await page.run("document.documentElement.scrollHeight")))
                        image = await page.send("Page.captureScreenshot")
                        path = pathlib.Path(shots) / f"{state}-{width}-{scheme}.png"
                        path.write_bytes(base64.b64decode(image["data"]))
            if state == "open":
                server.reveal()
                await page.until("document.querySelector('thead').textContent.includes('Private')")
                await asyncio.sleep(2.5)  # the mark of a changed row fades

    with_page(server, check)


def test_it_speaks_to_keyboards_and_screen_readers(local):
    server = local()
    server.connect().register("Team A").submit(np.zeros(200, int))

    async def check(page) -> None:
        await page.send("Accessibility.enable")
        nodes = (await page.send("Accessibility.getFullAXTree"))["nodes"]
        names = {
            (node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]
        }
        roles = [role for role, _ in names]
        assert any(role == "table" and "best first" in name for role, name in names)
        assert {"columnheader", "rowheader", "status", "heading", "main"} <= set(roles)
        assert any(role == "rowheader" and "Team A" in name for role, name in names)
        for kind in ("keyDown", "keyUp"):
            await page.send("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        assert (
            await page.run("document.activeElement.tagName") == "PRE"
        )  # wider than a phone: it must scroll by keyboard
        assert await page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"

    with_page(server, check)

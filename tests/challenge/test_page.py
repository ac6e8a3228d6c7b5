"""The leaderboard in a real browser: it changes by itself, at both widths, light and dark, for everybody."""

import asyncio
import base64
import os
import pathlib
import re
import signal

import accessibility
import browser
import numpy as np
from arena import ask, truth

from course_lib import challenge
from course_lib.challenge import making

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
LOOK_NOW = "document.dispatchEvent(new Event('visibilitychange'))"  # as when its tab comes to the front
IMPATIENT = "window.wait = AbortSignal.timeout; AbortSignal.timeout = () => wait.call(AbortSignal, 300); 0"
PATIENT = "AbortSignal.timeout = () => wait.call(AbortSignal, 60000); 0"  # on a busy machine
COLUMNS = "[...document.querySelectorAll('thead th')].map((cell) => cell.textContent)"


def with_page(server, check) -> None:
    async def run() -> None:
        async with browser.opened(server.url) as page:
            await check(page)

    asyncio.run(run())


def test_the_board_changes_by_itself_shows_text_as_text_and_is_live_only_then(make, serve):
    server = serve(make(human=0.9))
    state = "document.getElementById('state').textContent"

    async def check(page) -> None:
        assert await page.run(COLUMNS) == ["Rank", "Team", "Public", "Sent", "Best at"]
        await page.run("window.marker = 1")
        labels, _ = truth(server.folder)
        client = challenge.connect(server.url, token_dir=server.folder.parent / "tokens").register("Team A")
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
        await page.run(LOOK_NOW)
        await page.until("document.querySelector('thead').textContent.includes('Top-5')")
        with making.opened(server.folder) as store:
            store.reveal()
        await page.run(LOOK_NOW)
        await page.until("document.querySelector('thead').textContent.includes('Private')")
        sources = await page.run("performance.getEntriesByType('resource').map((entry) => entry.name)")
        assert sources and all(source.startswith(server.url) for source in sources)
        assert page.complaints == []
        # It hangs: connections are accepted, and nothing comes back.
        server.process.send_signal(signal.SIGSTOP)
        await page.run(IMPATIENT)
        await page.run(LOOK_NOW)
        await page.until(f"{state}.startsWith('No connection')")
        server.process.send_signal(signal.SIGCONT)
        await page.run(PATIENT)
        await page.run(LOOK_NOW)
        await page.until(f"{state} === 'Live'")
        server.kill()
        await page.run(LOOK_NOW)
        await page.until(f"{state}.startsWith('No connection')")

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
                    if accessibility.AXE.is_file():
                        assert await accessibility.violations(page) == [], (width, scheme)
                    if shots:
                        await page.resize(width, int(await page.run("document.documentElement.scrollHeight")))
                        image = await page.send("Page.captureScreenshot")
                        path = pathlib.Path(shots) / f"{state}-{width}-{scheme}.png"
                        path.write_bytes(base64.b64decode(image["data"]))
            if state == "open":
                server.reveal()
                await page.run(LOOK_NOW)
                await page.until("document.querySelector('thead').textContent.includes('Private')")
                await page.run("document.getAnimations().forEach((fading) => fading.finish())")  # of a changed row

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


def board(server) -> str:
    return ask(server, "GET", "/board")[2].decode()


def test_all_who_lead_and_all_who_win_are_named(local):
    server = local()
    labels, _ = truth(server.folder)
    for team in ("A", "B", "C", "D", "E"):
        server.connect().register(team).submit(labels)
    server.connect().register("Z").submit((labels + 1) % 10)
    leading = board(server)
    assert all(f"<b><bdi>{team}</bdi></b>" in leading for team in "ABCD") and "and 1 more with 100%" in leading
    server.reveal()
    won = board(server)
    assert "Winners, with equal scores" in won and "Z</bdi></b>" not in won
    assert all(f"<b><bdi>{team}</bdi></b>" in won for team in "ABCDE") and won.count('class="team first"') == 5


def test_a_note_does_not_pass_for_the_servers_words(local):
    server = local()
    server.connect().register("A").submit(np.zeros(200, int), "rank 1 in public")
    server.reveal()
    assert '<span class="place">rank 1 in public</span>' in board(server)
    assert '<q class="note"><bdi>rank 1 in public</bdi></q>' in board(server)


def test_the_page_gives_the_address_of_the_network(make, serve):
    """Opened as localhost on the instructor's machine, and projected."""
    server = serve(make(codes=1), "--host", "0.0.0.0")
    assert ask(server, "GET", "/")[0] == 200  # by now all is printed
    told = server.output.read_text()
    address = re.search(r"leaderboard: (http://\S+:\d+) ", told).group(1)
    assert "localhost" not in address and "0.0.0.0" not in address
    for asked, shown in ((f"localhost:{server.port}", address), ("challenge.local", "http://challenge.local")):
        page = ask(server, "GET", "/", Host=asked)[2].decode()
        assert f'connect("{shown}").register("our name", code="from your slip")' in page
    assert address in (server.folder / "private" / "codes.html").read_text()


def test_head_is_answered_as_get_without_the_body(local):
    server = local()
    for path in ("/", "/board", "/page.css", "/api/challenge", "/api/leaderboard", "/files/train.npz"):
        status, headers, body = ask(server, "HEAD", path)
        assert status == 200 and body == b"" and int(headers["Content-Length"]) > 0

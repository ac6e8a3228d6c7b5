"""axe-core in a page: what breaks WCAG 2.1 AA. `.ci/run` puts it where it is looked for, into .venv/node_modules."""

import pathlib
import sys

import browser
import pytest

AXE = pathlib.Path(sys.prefix) / "node_modules" / "axe-core" / "axe.min.js"
INSTALL = f"npm install --no-save --no-package-lock --prefix {sys.prefix} axe-core@4"
RUN = """axe.run(document, {runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}).then(
  (found) => found.violations.map(({id, nodes}) => `${id} ${nodes.length}×: ${nodes[0].target} ${nodes[0].html}`))"""
STILL = """(() => { const style = document.createElement("style");
  style.textContent = "* { transition: none !important; animation: none !important }"; document.head.append(style);
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))); })()"""


def require() -> None:
    """Skips the test where axe-core is not to be had."""
    if not AXE.is_file():
        pytest.skip(f"needs axe-core: {INSTALL}")


async def violations(page: browser.Page) -> list[str]:
    """What axe-core finds in the page as it is shown now, one sentence per rule."""
    page.patience = 600  # a long lesson with everything open takes a minute on a busy machine
    await page.run(STILL)  # a color that is just changing has no contrast yet
    await page.run(AXE.read_text(encoding="utf-8"))
    return await page.run(RUN)

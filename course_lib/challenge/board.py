"""The leaderboard as it is sent: computed when something was written, not when somebody looks."""

import hashlib
import json
import pathlib

from tornado import template

from course_lib.challenge.store import Store

PAGE = pathlib.Path(__file__).with_name("page")


class Board:
    """The leaderboard as HTML and as JSON.

    Args:
        store: where the lines come from.
        about: what everybody may know of the challenge.
    """

    def __init__(self, store: Store, about: dict):
        self.store = store
        self.about = about
        self._templates = template.Loader(str(PAGE))
        self._state = None
        self._lines: list[dict] = []
        self._sent: dict[str, bytes] = {}

    def html(self) -> bytes:
        """The part of the page that changes."""
        self._refresh()
        if "html" not in self._sent:
            lines = self._lines
            revealed = self.store.revealed()
            page = self._templates.load("board.html").generate(lines=lines, revealed=revealed, about=self.about)
            self._sent["html"] = page
        return self._sent["html"]

    def page(self, address: str) -> bytes:
        """The whole page, with the address that the class connects to."""
        board = self.html().decode()
        return self._templates.load("index.html").generate(board=board, about=self.about, address=address)

    def json(self, team: int | None = None) -> bytes:
        """The lines for a program; the team that asks finds its own name even where others see a pseudonym."""
        self._refresh()
        if team is None or not self.about["pseudonyms"]:
            if "json" not in self._sent:
                self._sent["json"] = _encoded(self._lines)
            return self._sent["json"]
        return _encoded([line | {"team": line["name"]} if line["id"] == team else line for line in self._lines])

    def tag(self, content: bytes) -> str:
        """An ETag."""
        return f'"{hashlib.sha1(content, usedforsecurity=False).hexdigest()}"'

    def _refresh(self) -> None:
        state = self.store.database.state()
        if state != self._state:
            self._sent = {}
            self._lines = self.store.leaderboard()
            self._state = state


def _encoded(lines: list[dict]) -> bytes:
    hidden = ("id", "name", "pseudonym")
    shown = [{name: value for name, value in line.items() if name not in hidden} for line in lines]
    return json.dumps({"lines": shown}).encode()

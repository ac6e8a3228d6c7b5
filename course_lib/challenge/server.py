"""The evaluation server: which request gets which answer. It gives images and scores, never a label."""

import pathlib
from collections.abc import Iterator

from tornado import web

from course_lib.challenge import predictions
from course_lib.challenge.board import PAGE, Board
from course_lib.challenge.connections import Bucket, Connections
from course_lib.challenge.handlers import Handler, UploadHandler
from course_lib.challenge.rules import RefusedError
from course_lib.challenge.store import Store

# Requests per second of one address, and the surplus after a pause: behind one address there may be a class whose
# hundred pages ask 33 times per second, and whose hundred teams send within one second.
READING = (60, 240)
SENDING = (60, 400)
# Submissions per second of one team: to read one of 10,000 lines takes the server 16 ms, even where none is left. The
# surplus is at least what the challenge lets a team send in one day.
SUBMITTING = (2, 30)
# Requests per second of a team that shows its token: they do not wait for those of others behind the same address.
KNOWN = (10, 60)
PIECE = 2**16  # bytes of a file that are sent at a time


def application(
    about: dict, public: pathlib.Path, store: Store, connections: Connections, address: str = ""
) -> web.Application:
    """The server's routes.

    Args:
        about: what everybody may know of the challenge.
        public: the folder that everybody may read.
        store: what the teams sent.
        connections: who is connected.
        address: how the class reaches this server; "" where only this machine does.
    """
    routes = [
        (r"/(board|)", BoardHandler),
        (r"/(page\.css|page\.js)", FileHandler, {"path": str(PAGE)}),
        (r"/files/((?:train|validation|test)\.npz)", FileHandler, {"path": str(public)}),
        (r"/api/challenge", AboutHandler),
        (r"/api/leaderboard", LeaderboardHandler),
        (r"/api/teams", TeamsHandler),
        (r"/api/submissions", SubmissionsHandler),
    ]
    daily = about["daily_limit"]
    settings = {
        "store": store,
        "about": about,
        "board": Board(store, about),
        "connections": connections,
        "address": address,
        "sizes": (about["test_images"], len(about["class_names"])),
        "reading": Bucket(*READING),
        "sending": Bucket(*SENDING),
        "submitting": Bucket(SUBMITTING[0], max(SUBMITTING[1], daily)),
        "known": Bucket(KNOWN[0], max(KNOWN[1], daily)),
    }
    return web.Application(routes, log_function=lambda _: None, default_handler_class=MissingHandler, **settings)


class MissingHandler(Handler):
    """The answer where there is nothing."""

    async def prepare(self) -> None:
        await super().prepare()
        raise RefusedError(404, "There is nothing at this address.")


class FileHandler(Handler, web.StaticFileHandler):
    """The images for the teams, and what the page needs."""

    async def head(self, path: str) -> None:
        await self.get(path, include_body=False)

    @classmethod
    def get_content(cls, abspath: str, start: int | None = None, end: int | None = None) -> Iterator[bytes]:
        """The file in pieces; it is closed between them, so that a slow reader holds one descriptor, not two."""
        position = start or 0
        while end is None or position < end:
            with open(abspath, "rb") as file:
                file.seek(position)
                piece = file.read(PIECE if end is None else min(PIECE, end - position))
            if not piece:
                return
            position += len(piece)
            yield piece


class AboutHandler(Handler):
    """What the challenge is: names of classes, sizes, limits."""

    def get(self) -> None:
        self.finish(self.settings["about"])


class KeptHandler(Handler):
    """An answer that is kept until something changes, with its tag."""

    tag = None

    def compute_etag(self) -> str | None:
        return self.tag

    def answer(self, content: bytes, kind: str) -> None:
        self.set_header("Content-Type", kind)
        self.tag = self.settings["board"].tag(content)
        self.finish(content)


class LeaderboardHandler(KeptHandler):
    """The leaderboard as JSON; a team that shows its token finds its own name in it."""

    def get(self) -> None:
        team, token = self.team_and_token()
        number = self.settings["store"].teams.owner(team, token) if team else None
        self.answer(self.settings["board"].json(number), "application/json; charset=UTF-8")


class BoardHandler(KeptHandler):
    """The leaderboard as HTML, whole or the part that changes; the templates escape every text."""

    def get(self, part: str) -> None:
        board = self.settings["board"]
        content = board.html() if part else board.page(self.address())
        self.answer(content, "text/html; charset=UTF-8")

    def address(self) -> str:
        """What the class connects to: not localhost, where that was typed to open the page on the server's machine."""
        asked = f"{self.request.protocol}://{self.request.host}"
        here = self.request.host_name in ("localhost", "127.0.0.1", "::1", "[::1]", "0.0.0.0")
        return self.settings["address"] or asked if here else asked


class TeamsHandler(UploadHandler):
    """Registration; the body is the team's code, or empty."""

    def longest(self) -> int:
        return 100

    async def take(self, team: str, token: str) -> dict:
        code = self.body.decode("ascii", errors="replace")
        return self.settings["store"].teams.register(team, token, code)


class SubmissionsHandler(UploadHandler):
    """Predictions of a team, which its token shows it to be; the answer is the public score."""

    def longest(self) -> int:
        return predictions.largest(*self.settings["sizes"])

    async def take(self, team: str, token: str) -> dict:
        number = self.settings["store"].teams.owner(team, token)
        if number is None:
            raise RefusedError(401, "Team and token do not belong together. Register first: client.register(team).")
        await self.turn(self.settings["submitting"], str(number), "team")
        form = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        try:
            ranked = predictions.read(bytes(self.body), form, *self.settings["sizes"])
        except ValueError as error:
            raise RefusedError(400, str(error)) from None
        return self.settings["store"].submit(number, ranked, self.get_query_argument("note", ""), token)

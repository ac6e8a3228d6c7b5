"""The evaluation server: which request gets which answer. It gives images and scores, never a label."""

import pathlib
import time
from collections.abc import Callable

from tornado import web

from course_lib.challenge import predictions
from course_lib.challenge.store import RefusedError, Store

PAGE = pathlib.Path(__file__).with_name("page")
HEADERS = {
    # The page uses this server's own files alone; pages of this machine may frame it, as notebooks do.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self' http://localhost:* http://127.0.0.1:*",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",  # ask each time whether it has changed
}


def application(about: dict, public: pathlib.Path, store: Store) -> web.Application:
    """The server's routes: `about` is what all may know of the challenge, `public` the folder they may read."""
    sizes = about["test_images"], len(about["class_names"])
    routes = [
        (r"/", BoardHandler, {"template": "index.html"}),
        (r"/board", BoardHandler, {"template": "board.html"}),
        (r"/(page\.css|page\.js)", FileHandler, {"path": str(PAGE)}),
        (r"/files/((?:train|validation|test)\.npz)", FileHandler, {"path": str(public)}),
        (r"/api/challenge", JSONHandler, {"value": lambda: about}),
        (r"/api/leaderboard", JSONHandler, {"value": lambda: {"lines": store.leaderboard()}}),
        (r"/api/teams", TeamsHandler, {"limit": 0}),
        (r"/api/submissions", SubmissionsHandler, {"limit": predictions.largest(*sizes)}),
    ]
    settings = {"store": store, "about": about, "sizes": sizes, "template_path": str(PAGE)}
    return web.Application(routes, log_function=lambda handler: None, **settings)


class Handler(web.RequestHandler):
    """What all answers share; a refusal is `{"error": a sentence}` with a status from 400 to 499."""

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def refuse(self, status: int, reason: str) -> None:
        self.set_status(status)
        self.finish({"error": reason})

    def write_error(self, status_code: int, **details) -> None:
        error = details.get("exc_info", (None, None))[1]
        known = isinstance(error, RefusedError)
        self.refuse(*((error.status, str(error)) if known else (status_code, "The server cannot answer this.")))

    def log_exception(self, kind, error, trace) -> None:
        if not isinstance(error, RefusedError):  # a mistake in a request is none of the server's
            super().log_exception(kind, error, trace)


class FileHandler(Handler, web.StaticFileHandler):
    """The images for the teams, and what the page needs."""


class JSONHandler(Handler):
    def initialize(self, value: Callable[[], dict]) -> None:
        self.value = value

    def get(self) -> None:
        self.finish(self.value())


@web.stream_request_body
class UploadHandler(Handler):
    """A body taken in pieces, so that one that is too long is refused before it is here; the team and its token."""

    def initialize(self, limit: int) -> None:
        self.limit, self.body = limit, bytearray()

    def prepare(self) -> None:
        self.team = self.get_query_argument("team", "")
        self.token = self.request.headers.get("Authorization", "").removeprefix("Bearer ")
        declared = self.request.headers.get("Content-Length", "")
        self.check_length(int(declared[:18]) if declared.isdecimal() else 0)

    def data_received(self, piece: bytes) -> None:
        self.body += piece
        self.check_length(len(self.body))

    def check_length(self, length: int) -> None:
        """Refuses too much at once, upon which Tornado closes the connection and reads no further."""
        if length > self.limit:
            self.refuse(413, f"This is too much data: at most {self.limit:,} bytes are read here.")


class TeamsHandler(UploadHandler):
    def post(self) -> None:
        self.settings["store"].register(self.team, self.token)
        self.finish({"team": self.team})


class SubmissionsHandler(UploadHandler):
    def post(self) -> None:
        self.settings["store"].authenticate(self.team, self.token)
        form = self.request.headers.get("Content-Type", "")
        try:
            ranked = predictions.read(bytes(self.body), form, *self.settings["sizes"])
        except ValueError as error:
            raise RefusedError(400, str(error)) from None
        self.finish(self.settings["store"].submit(self.team, ranked, self.get_query_argument("note", "")))


class BoardHandler(Handler):
    """The leaderboard as HTML, whole or the part that changes; Tornado's templates escape every text."""

    def initialize(self, template: str) -> None:
        self.template = template

    def get(self) -> None:
        lines, about = self.settings["store"].leaderboard(), self.settings["about"]
        self.render(self.template, about=about, lines=lines, revealed=self.settings["store"].revealed(), time=time)

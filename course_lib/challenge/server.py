"""The evaluation server: which request gets which answer. It gives images and scores, never a label."""

import json
import pathlib
from collections.abc import Callable

from tornado import web

from course_lib.challenge import predictions
from course_lib.challenge.store import RefusedError, Store

LINGER = 2**24  # bytes of a body that are read at most, though kept are far fewer
PAGE = pathlib.Path(__file__).with_name("page")
HEADERS = {
    # The page uses this server's own files alone; pages of this machine may frame it, as notebooks do.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self' http://localhost:* http://127.0.0.1:*",
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
    return web.Application(
        routes, store=store, about=about, sizes=sizes, template_path=PAGE, log_function=lambda _: None
    )


class Handler(web.RequestHandler):
    """What all answers share; a refusal is `{"error": a sentence}` with a status from 400 to 499."""

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def write_error(self, status_code: int, **details) -> None:
        error = details.get("exc_info", (None, None))[1]
        known = isinstance(error, RefusedError)
        self.set_status(error.status if known else status_code)
        self.finish({"error": str(error) if known else "The server cannot answer this."})

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
    """A body taken in pieces, so that one that is too long is refused before it is here."""

    def initialize(self, limit: int) -> None:
        self.limit, self.length, self.body = limit, 0, bytearray()

    def prepare(self) -> None:
        declared = self.request.headers.get("Content-Length", "")
        if declared.isdecimal() and int(declared[:18]) > self.limit:
            self.refuse_length()

    def data_received(self, piece: bytes) -> None:
        self.length += len(piece)
        if self.length > LINGER:
            self.finish()  # upon which Tornado closes the connection
        elif self.length > self.limit:
            self.refuse_length()
        else:
            self.body += piece

    def refuse_length(self) -> None:
        """Answers at once, but reads on for a while: many programs only look for an answer when all is sent."""
        if self.get_status() != 413:
            answer = json.dumps({"error": f"This is too much data: at most {self.limit:,} bytes are read here."})
            self.set_status(413)
            self.set_header("Content-Length", len(answer))
            self.write(answer)
            self.flush()

    def post(self) -> None:
        if self.get_status() != 413:
            token = self.request.headers.get("Authorization", "").removeprefix("Bearer ")
            self.finish(self.take(self.get_query_argument("team", ""), token))


class TeamsHandler(UploadHandler):
    def take(self, team: str, token: str) -> dict:
        self.settings["store"].register(team, token)
        return {"team": team}


class SubmissionsHandler(UploadHandler):
    def take(self, team: str, token: str) -> dict:
        if not self.settings["store"].owns(team, token):
            raise RefusedError(401, "Team and token do not belong together. Register first: client.register(team).")
        form = self.request.headers.get("Content-Type", "")
        try:
            ranked = predictions.read(bytes(self.body), form, *self.settings["sizes"])
        except ValueError as error:
            raise RefusedError(400, str(error)) from None
        return self.settings["store"].submit(team, ranked, self.get_query_argument("note", ""))


class BoardHandler(Handler):
    """The leaderboard as HTML, whole or the part that changes; Tornado's templates escape every text."""

    def initialize(self, template: str) -> None:
        self.template = template

    def get(self) -> None:
        lines, about = self.settings["store"].leaderboard(), self.settings["about"]
        self.render(self.template, about=about, lines=lines, revealed=self.settings["store"].revealed())

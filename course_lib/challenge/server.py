"""The evaluation server: what it answers to which request. It hands out images, takes predictions, never a label."""

import asyncio
import importlib.resources
import json
import pathlib
import time

from tornado import escape, iostream, web

from course_lib.challenge import making, predictions
from course_lib.challenge.store import RefusedError, Store

PAGE = pathlib.Path(str(importlib.resources.files(__package__))) / "page"
LOOK_EVERY = 0.5  # seconds between two looks whether the leaderboard has changed
HEARTBEAT = 15.0  # seconds between two signs of life to an open page
REGISTRATION = 1024  # bytes at most
# Only files of this server; other pages may show this one if they come from this machine, as notebooks do.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self' http://localhost:* http://127.0.0.1:*",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Server": "challenge",
}


def application(folder: pathlib.Path, store: Store) -> web.Application:
    """The server's routes. `settings["changed"]` is replaced and set whenever the leaderboard changes."""
    about = making.describe(folder)
    settings = {"store": store, "about": about, "changed": asyncio.Event(), "template_path": str(PAGE)}
    routes = [
        (r"/", PageHandler),
        (r"/board", BoardHandler),
        (r"/events", EventsHandler),
        (r"/api/challenge", AboutHandler),
        (r"/api/leaderboard", LeaderboardHandler),
        (r"/api/teams", TeamsHandler),
        (r"/api/submissions", SubmissionsHandler),
        (r"/files/((?:train|validation|test)\.npz)", FileHandler, {"path": str(folder / "public")}),
        (r"/(page\.css|page\.js)", FileHandler, {"path": str(PAGE)}),
    ]
    return web.Application(routes, default_handler_class=NothingHandler, log_function=lambda handler: None, **settings)


async def watch(app: web.Application) -> None:
    """Wakes the open pages when the file has changed, whoever changed it: this server or the instructor's command."""
    seen = None
    while True:
        version = app.settings["store"].version()
        if version != seen:
            seen, waiting = version, app.settings["changed"]
            app.settings["changed"] = asyncio.Event()
            waiting.set()
        await asyncio.sleep(LOOK_EVERY)


class Handler(web.RequestHandler):
    """Answers JSON; a refusal is `{"error": a sentence}` with a status from 400 to 499."""

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)

    @property
    def store(self) -> Store:
        return self.settings["store"]

    def answer(self, value: object) -> None:
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(json.dumps(value, ensure_ascii=False))

    def write_error(self, status_code: int, **details) -> None:
        error = details.get("exc_info", (None, None))[1]
        if isinstance(error, RefusedError):
            self.set_status(error.status)
            self.answer({"error": str(error)})
        elif isinstance(error, web.MissingArgumentError):
            self.answer({"error": f"The request says no {error.arg_name}."})
        else:
            self.answer({"error": f"This cannot be answered: {self._reason}."})

    def log_exception(self, kind, error, trace) -> None:
        if not isinstance(error, RefusedError):  # a student's mistake is none of the server's
            super().log_exception(kind, error, trace)


class NothingHandler(Handler):
    def prepare(self) -> None:
        raise RefusedError(404, f"There is nothing at {self.request.path[:80]}.")


class FileHandler(Handler, web.StaticFileHandler):
    """The images for the teams, and what the page needs."""


@web.stream_request_body
class UploadHandler(Handler):
    """A body that is taken in pieces, so that one that is too long is refused before it is here."""

    limit = REGISTRATION

    def prepare(self) -> None:
        self.body = bytearray()
        declared = self.request.headers.get("Content-Length", "0")
        if declared.isdecimal() and int(declared) > self.limit:
            self.refuse_length()

    def data_received(self, piece: bytes) -> None:
        self.body += piece
        if len(self.body) > self.limit:
            self.body.clear()
            self.refuse_length()

    def refuse_length(self) -> None:
        self.set_status(413)
        self.set_header("Connection", "close")
        self.answer({"error": f"This is too much data: at most {self.limit:,} bytes are read."})


class TeamsHandler(UploadHandler):
    def post(self) -> None:
        try:
            given = json.loads(self.body)
            team, token = given["team"], given["token"]
            assert isinstance(team, str) and isinstance(token, str)
        except (ValueError, TypeError, KeyError, AssertionError, RecursionError):
            raise RefusedError(400, 'To register send the JSON {"team": "…", "token": "…"}.') from None
        self.store.register(team, token)
        self.answer({"team": team})


class SubmissionsHandler(UploadHandler):
    @property
    def limit(self) -> int:
        about = self.settings["about"]
        return predictions.largest(about["test_images"], len(about["class_names"]))

    def prepare(self) -> None:
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        self.store.authenticate(self.get_query_argument("team"), token if scheme == "Bearer" else "")
        super().prepare()

    def post(self) -> None:
        about, form = self.settings["about"], self.request.headers.get("Content-Type", "")
        try:
            ranked = predictions.read(bytes(self.body), form, about["test_images"], len(about["class_names"]))
        except ValueError as error:
            raise RefusedError(400, str(error)) from None
        team, note = self.get_query_argument("team"), self.get_query_argument("note", "")
        self.answer(self.store.submit(team, ranked, note))


class AboutHandler(Handler):
    def get(self) -> None:
        self.answer(self.settings["about"])


class LeaderboardHandler(Handler):
    def get(self) -> None:
        self.answer(self.store.leaderboard())


class BoardHandler(Handler):
    """The leaderboard as HTML; Tornado's templates escape every text they are given."""

    template = "board.html"

    def get(self) -> None:
        lines, about = self.store.leaderboard(), self.settings["about"]
        teams = [line for line in lines if line["kind"] == "team"]
        self.render(
            self.template,
            about=about,
            lines=lines,
            leader=teams[0] if teams else None,
            teams=len(teams),
            submissions=sum(line["submissions"] for line in teams),
            revealed=self.store.revealed(),
            top5=any(line["public_top5"] is not None for line in lines),
            clock=lambda at: time.strftime("%H:%M", time.localtime(at)),
        )


class PageHandler(BoardHandler):
    template = "index.html"


class EventsHandler(Handler):
    """Server-sent events: one line each time the leaderboard changes, so that pages fetch it anew."""

    async def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        try:
            while True:
                self.write("data: changed\n\n")
                await self.flush()
                try:
                    await asyncio.wait_for(self.settings["changed"].wait(), HEARTBEAT)
                except TimeoutError:
                    continue
        except iostream.StreamClosedError:
            pass

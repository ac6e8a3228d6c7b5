"""What all answers of the server share: headers, the turn of an address, refusals, bodies taken in pieces."""

import asyncio
import functools
import json
import sys
import time

from tornado import web

from course_lib.challenge import predictions
from course_lib.challenge.connections import Bucket, address_of
from course_lib.challenge.rules import RefusedError

LINGER = 2**24  # bytes of a refused body that are read all the same, though none is kept
QUIET = 60  # seconds before the instructor is told the same again
HEADERS = {
    # The page uses this server's own files alone; pages of this machine may frame it, as notebooks do.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self' http://localhost:* http://127.0.0.1:*",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",  # ask each time whether it has changed
}


@web.stream_request_body  # no body is kept or parsed unless a handler does it
class Handler(web.RequestHandler):
    """What all answers share; a refusal is `{"error": a sentence}` with a status from 400 on."""

    takes_body = False

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)

    async def prepare(self) -> None:
        """Waits for the turn of whoever asks, then refuses a body that cannot be taken."""
        self.note_movement()
        await self.turn(*self.queue())
        length = self.request.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.request.headers:  # a thousand pieces of one byte cost as much as a megabyte
            raise RefusedError(411, "Send the body in one piece, with its length in the header Content-Length.")
        if not self.takes_body and length != "0":
            raise RefusedError(413, "This is too much data: nothing is read here.")

    def queue(self) -> tuple[Bucket, str, str]:
        """Where this request waits, for whom, and what that is: a team that shows its token, else an address."""
        token = self.token()
        if team := token and self.settings["store"].teams.of_token(token):
            return self.settings["known"], str(team), "team"
        bucket = self.settings["reading" if self.request.method in ("GET", "HEAD") else "sending"]
        return bucket, address_of(self.request.remote_ip), "address"

    async def turn(self, bucket: Bucket, who: str, kind: str) -> None:
        """Waits for the turn of `who`, an address or a team.

        Raises:
            RefusedError: the queue is too long.
        """
        seconds = bucket.wait(who)
        if seconds is None:
            await asyncio.sleep(1)  # so that asking on and on costs the server little
            raise RefusedError(429, f"Too many requests come from your {kind}. Wait a few seconds.", retry=2)
        if seconds:
            await asyncio.sleep(seconds)

    def head(self, *arguments) -> None:
        self.get(*arguments)

    def flush(self, include_footers: bool = False) -> asyncio.Future:
        sent = super().flush(include_footers)
        sent.add_done_callback(lambda _: self.note_movement())
        return sent

    def note_movement(self) -> None:
        """Tells that this connection is alive."""
        self.settings["connections"].moved(self.request.connection.stream)

    def write_error(self, status_code: int, **details) -> None:
        error = details.get("exc_info", (None, None))[1]
        if isinstance(error, RefusedError):
            self.set_status(error.status)
            if error.retry:
                self.set_header("Retry-After", str(error.retry))
                self.set_header("Connection", "close")  # with all that was sent on it in advance
            sent = self.finish({"error": str(error)})
            if error.retry:
                sent.add_done_callback(lambda _: self.request.connection.stream.close())
        elif status_code == 405:
            self.finish({"error": f"This address takes no {self.request.method}."})
        elif status_code == 400:
            self.finish({"error": "The request is not formed as HTTP and UTF-8 want it."})
        else:
            self.finish({"error": "The server cannot answer this."})

    def log_exception(self, kind, error, trace) -> None:
        if isinstance(error, RefusedError):
            if error.told:
                tell(error.told, int(time.monotonic() / QUIET))
        elif not isinstance(error, web.HTTPError):  # a mistake in a request is none of the server's
            super().log_exception(kind, error, trace)

    def team_and_token(self) -> tuple[str, str]:
        return self.get_query_argument("team", ""), self.token()

    def token(self) -> str:
        return self.request.headers.get("Authorization", "").removeprefix("Bearer ")


@functools.lru_cache(maxsize=32)
def tell(sentence: str, period: int) -> None:
    """Tells the instructor, once in each period."""
    print(f"{time.strftime('%H:%M')} {sentence}", file=sys.stderr, flush=True)


class UploadHandler(Handler):
    """A body taken in pieces, so that one that is too long is refused before it is here."""

    takes_body = True

    def initialize(self) -> None:
        self.limit = self.longest()
        self.length = 0
        self.body = bytearray()

    async def prepare(self) -> None:
        await super().prepare()
        declared = self.request.headers.get("Content-Length", "")
        if declared.isdecimal() and int(declared[:18]) > self.limit:
            self.refuse_length()

    def data_received(self, piece: bytes) -> None:
        self.note_movement()
        self.length += len(piece)
        if self.length > self.limit + LINGER:
            self.request.connection.stream.close()
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

    async def post(self) -> None:
        if self.get_status() != 413:
            self.finish(await self.take(*self.team_and_token()))


def longest_body(about: dict) -> int:
    """Bytes of the longest body that is read, were it only to refuse it."""
    return LINGER + predictions.largest(about["test_images"], len(about["class_names"]))

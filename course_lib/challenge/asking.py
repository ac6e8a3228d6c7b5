"""How a team's side asks the server: quick to notice that nobody is there, patient once somebody was, never led on."""

import contextlib
import http.client
import json
import re
import socket
import threading
import time
from urllib import error, parse, request

FIRST = 5.0  # seconds for the first answer: an address that is wrong shows at once
PAUSES = (0.2, 1.0, 3.0, 6.0)  # seconds before a request is sent again: a server that is started anew needs them
BUSY = 60.0  # seconds for which a request is sent again that the server puts off: a class may have one address
EACH = 15.0  # seconds for one attempt, in which nothing comes
SLOWEST = 10_000  # bytes per second: an answer may come as slowly as that, once so many seconds are over
LATER = (429, 503)  # with Retry-After these mean: the same request, a little later


class StaysHere(request.HTTPRedirectHandler):
    """Follows no redirect: a token is meant for one server."""

    def redirect_request(self, asked, answer, code, message, headers, address):
        raise ValueError(f"{asked.full_url} redirects to {address}. A challenge never redirects. Is the address right?")


class Connection(http.client.HTTPConnection):
    """A connection on which the head of an answer must come within the timeout, however small its pieces are."""

    def getresponse(self) -> http.client.HTTPResponse:
        late = threading.Event()
        ending = threading.Timer(self.timeout, _end, [self.sock, late])
        ending.daemon = True
        ending.start()
        try:
            return super().getresponse()
        finally:
            ending.cancel()
            ending.join()
            if late.is_set():
                raise TimeoutError("timed out")


class Connecting(request.HTTPHandler):
    """Opens such connections."""

    def http_open(self, asked: request.Request) -> http.client.HTTPResponse:
        return self.do_open(Connection, asked)


class Asker:
    """Requests to the server at `url`, such as "http://192.168.0.10:8899"."""

    def __init__(self, url: str):
        self.url = url
        # no proxy: the server is in the same room
        self._opener = request.build_opener(request.ProxyHandler({}), StaysHere(), Connecting())

    def first(self, path: str) -> bytes:
        """The answer's body, asked for once, and again only where the server says that it is there, but busy.

        Raises:
            ValueError: no answer within seconds, or a refusal.
        """
        advice = "Is the address right, is the server running, and is this computer in its network?"
        if self.url.startswith("https:"):
            advice = f"A challenge speaks plain HTTP: try {self.url.replace('https:', 'http:')}"
        return self._patiently(request.Request(f"{self.url}/{path}"), FIRST, (), advice)

    def send(self, path: str, body: bytes | None = None, form: str = "", token: str = "", **query: str) -> bytes:
        """The answer's body; a request that gets no answer is sent again after each pause.

        Raises:
            ValueError: the server refuses, or is gone; the message says why.
        """
        url = f"{self.url}/{path}?{parse.urlencode(query)}"
        asked = request.Request(url, body, {"Content-Type": form, "Authorization": f"Bearer {token}"})
        return self._patiently(asked, EACH, PAUSES, "Is the server running?")

    def _patiently(self, asked: request.Request, seconds: float, pauses: tuple[float, ...], advice: str) -> bytes:
        """The answer's body; after silence the request is sent again after each pause, else when the server says so."""
        left = iter(pauses)
        end = time.monotonic() + BUSY
        while True:
            try:
                return self._once(asked, seconds)
            except error.HTTPError as refused:
                wait = refused.headers.get("Retry-After", "")
                pause = min(float(wait), 10.0) if refused.code in LATER and wait.isdecimal() else BUSY
                if time.monotonic() + pause >= end:
                    raise ValueError(_sentence(refused)) from refused
            except (OSError, http.client.HTTPException) as silence:
                pause = next(left, None)
                if pause is None:
                    raise ValueError(f"no answer from {self.url} ({silence}). {advice}") from silence
            time.sleep(pause)

    def _once(self, asked: request.Request, seconds: float) -> bytes:
        with self._opener.open(asked, timeout=seconds) as answer:
            return _content(answer, seconds)


def address(url: object) -> parse.SplitResult:
    """The parts of a challenge's address. Raises ValueError where it is none."""
    try:
        url = url.strip()
        parts = parse.urlsplit(url if "//" in url else f"http://{url}")
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        if known and parts.hostname.encode("idna").isascii() and not re.search(r"\s", parts.netloc):
            return parts._replace(netloc=parts.netloc.lower())  # one name of a server, however it is typed
    except (AttributeError, TypeError, ValueError):  # no text, or one with brackets, a port or a name that cannot be
        pass
    raise ValueError(f"{url!r} is no address of a challenge; one looks like http://192.168.0.10:8899")


def fields(content: bytes, **kinds: type) -> dict[str, object]:
    """The JSON object of an answer. Raises ValueError where a field of `kinds` is missing or of another kind."""
    try:
        found = json.loads(content)
        if all(isinstance(found[name], kind) for name, kind in kinds.items()):
            return found
    except (ValueError, TypeError, KeyError):
        pass
    raise ValueError(f"this is no answer of a challenge: {content[:40]!r}; is the address right?")


def _end(connected: socket.socket, late: threading.Event) -> None:
    late.set()  # first: the other thread wakes as soon as the connection ends
    with contextlib.suppress(OSError):  # the other side was first
        connected.shutdown(socket.SHUT_RDWR)


def _content(answer: http.client.HTTPResponse, seconds: float) -> bytes:
    """The answer's body. Raises TimeoutError where it comes too slowly."""
    begin = time.monotonic()
    content = bytearray()
    while piece := answer.read1(2**16):
        content += piece
        if time.monotonic() - begin > seconds + len(content) / SLOWEST:
            raise TimeoutError("timed out")
    if answer.length:
        raise http.client.IncompleteRead(bytes(content), answer.length)
    return bytes(content)


def _sentence(refused: error.HTTPError) -> str:
    """What the server says; where it says nothing, or not in JSON, its status."""
    try:
        return str(json.loads(_content(refused, EACH))["error"])
    except (OSError, http.client.HTTPException, ValueError, TypeError, KeyError):
        return f"{refused.url} answers {refused.code}; is the address right?"

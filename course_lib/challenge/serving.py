"""The server on its sockets: for `serve` in the program itself, for a notebook in a thread beside it."""

import asyncio
import atexit
import contextlib
import inspect
import pathlib
import socket
import tempfile
import threading

from tornado import httpserver, netutil

from course_lib import common
from course_lib.challenge import making
from course_lib.challenge.client import Client, connect
from course_lib.challenge.server import application

LOOPBACK = "127.0.0.1"


def local(name: str = "toy_scenes", **options) -> "LocalServer":
    """A challenge inside this program: a server on a free loopback port, stopped by `.stop()` or with the program.

    Its labels lie in a temporary folder of this very user, hidden from a mistake but not from a cheat.
    `options` are those of `making.make`; toy scenes are `quick` (500 test images) unless told otherwise.

    Raises:
        ValueError, FileNotFoundError: see `making.make`.
    """
    known = inspect.getfullargspec(making.make).kwonlyargs
    for option in options:
        if option not in known:
            raise common.unknown("option of a challenge", option, known)
    return LocalServer(name, {"quick": True} | options)


class LocalServer(contextlib.AbstractContextManager):
    """A local challenge, also for a `with` block; `url` opens its leaderboard in a browser."""

    def __init__(self, name: str, options: dict[str, object]):
        self._temporary = tempfile.TemporaryDirectory(prefix="challenge-", ignore_cleanup_errors=True)
        self.folder = pathlib.Path(self._temporary.name) / "challenge"
        making.make(self.folder, name, **options)
        sockets = netutil.bind_sockets(0, LOOPBACK)
        self.url = f"http://{LOOPBACK}:{sockets[0].getsockname()[1]}"
        self._stopping = threading.Event()
        work = serve(self.folder, sockets, self._stopping)
        self._thread = threading.Thread(target=asyncio.run, args=[work], daemon=True)
        self._thread.start()
        atexit.register(self.stop)

    def connect(self) -> Client:
        """A client for one team; its token is forgotten with the server. Raises ValueError after `stop`."""
        self._check_running()
        return connect(self.url, token_dir=pathlib.Path(self._temporary.name) / "tokens")

    def reveal(self) -> None:
        """Ends the challenge and shows the private half, as the instructor does. Raises ValueError after `stop`."""
        self._check_running()
        with making.opened(self.folder) as store:
            store.reveal()

    def stop(self) -> None:
        """Stops the server and deletes its folder; harmless where that is done."""
        self._stopping.set()
        self._thread.join()
        self._temporary.cleanup()

    def _check_running(self) -> None:
        if self._stopping.is_set():
            raise ValueError(
                "This challenge was stopped, and all it held is deleted. challenge.local() starts another."
            )

    def __exit__(self, *_) -> None:
        self.stop()


async def serve(folder: pathlib.Path, sockets: list[socket.socket], stopping: threading.Event) -> None:
    """Answers on the sockets until `stopping` is set."""
    with making.opened(folder) as store:
        app = application(making.describe(folder), folder / "public", store)
        server = httpserver.HTTPServer(app, max_buffer_size=2**20, idle_connection_timeout=120, body_timeout=120)
        server.add_sockets(sockets)
        while not stopping.is_set():
            await asyncio.sleep(0.05)
        server.stop()
        await server.close_all_connections()

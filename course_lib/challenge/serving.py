"""The server on its sockets: for `serve` in the program itself, for a notebook in a thread beside it."""

import asyncio
import atexit
import contextlib
import inspect
import pathlib
import socket
import tempfile
import threading

from tornado import netutil

from course_lib import common
from course_lib.challenge import handlers, making
from course_lib.challenge.client import Client, connect
from course_lib.challenge.connections import Connections, Server
from course_lib.challenge.rules import RefusedError
from course_lib.challenge.server import application
from course_lib.challenge.store import Store

LOOPBACK = "127.0.0.1"
LOOK = 0.05  # seconds between two looks whether to stop
PIECE = 2**15  # bytes of a body that are taken at a time
HEADERS = 2**13  # bytes of a request's headers: 60 kB of them cost as much as thirty requests
SETTLE = 200  # looks between two times that the database settles


def local(name: str = "toy_scenes", **options) -> "LocalServer":
    """A challenge inside this program: a server on a free loopback port, stopped by `.stop()` or with the program.

    Its labels lie in a temporary folder of this very user, hidden from a mistake but not from a cheat.
    `options` are those of `making.make`; toy scenes are `quick` (500 test images) unless told otherwise, and
    entry is open unless `codes` or a `roster` is given.

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


async def serve(
    folder: pathlib.Path, sockets: list[socket.socket], stopping: threading.Event, address: str = ""
) -> None:
    """Answers on the sockets until `stopping` is set; `address` is how the class reaches them."""
    with making.opened(folder) as store:
        about = making.describe(folder)
        connections = Connections()
        server = Server(
            application(about, folder / "public", store, connections, address),
            connections=connections,
            max_buffer_size=2 * PIECE,  # more of what is sent in advance waits at the sender's
            chunk_size=PIECE,
            max_header_size=HEADERS,
            max_body_size=handlers.longest_body(about),
            idle_connection_timeout=120,
            body_timeout=120,
        )
        server.add_sockets(sockets)
        await _keep_house(store, connections, stopping)
        server.stop()
        await server.close_all_connections()


async def _keep_house(store: Store, connections: Connections, stopping: threading.Event) -> None:
    """Until `stopping` is set: ends stalled connections, and lets the database settle after something was written."""
    settled = store.database.state()
    looks = 0
    while not stopping.is_set():
        await asyncio.sleep(LOOK)
        looks += 1
        if looks % SETTLE:
            continue
        connections.sweep()
        with contextlib.suppress(RefusedError):  # the next request says what is wrong with the disk
            if settled != store.database.state():
                store.database.settle()
                settled = store.database.state()

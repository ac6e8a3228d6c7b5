"""The server as a process or, in a notebook, as a thread with an event loop of its own."""

import asyncio
import atexit
import contextlib
import os
import pathlib
import signal
import socket
import tempfile
import threading

from tornado import httpserver, netutil

from course_lib.challenge import making
from course_lib.challenge.client import Client, connect
from course_lib.challenge.server import application, watch
from course_lib.challenge.store import Store

LOOPBACK = "127.0.0.1"
IDLE = 120  # seconds after which a silent connection is closed


def local(name: str = "toy_scenes", **options) -> "LocalServer":
    """A challenge inside this program: a server on a free loopback port, stopped by `.stop()` or with the program.

    Its labels lie in this process's own temporary folder: it hides them from a mistake, not from a cheat.
    `options` are those of `making.make`: `test_images=500`, `daily_limit=10`, `decimals=2`.

    Raises:
        ValueError, FileNotFoundError: see `making.make`.
    """
    return LocalServer(name, **{"quick": True} | options)


class LocalServer:
    """A running local challenge: `url` for a browser, `connect()` for a team, `reveal()` for the instructor."""

    def __init__(self, name: str, human: float | None = None, **options):
        self._temporary = tempfile.TemporaryDirectory(prefix="challenge-", ignore_cleanup_errors=True)
        self.folder = pathlib.Path(self._temporary.name) / "challenge"
        try:
            making.make(self.folder, name, **options)
            self._store = making.open_store(self.folder)
        except BaseException:
            self._temporary.cleanup()
            raise
        if human is not None:
            self._store.enter("human", "human", {"public": human, "private": human})
        sockets = netutil.bind_sockets(0, LOOPBACK)
        self.url = f"http://{LOOPBACK}:{sockets[0].getsockname()[1]}"
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        work = serve(self.folder, self._store, sockets, self._stopping)
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[work], daemon=True)
        self._thread.start()
        atexit.register(self.stop)

    def connect(self) -> Client:
        """A client for one team; its token is forgotten with the server."""
        return connect(self.url, token_dir=pathlib.Path(self._temporary.name) / "tokens")

    def reveal(self) -> None:
        """Ends the challenge and shows the private half, as the instructor does."""
        with contextlib.closing(making.open_store(self.folder)) as store:  # the other belongs to the server's thread
            store.reveal()

    def stop(self) -> None:
        """Stops the server and deletes its folder; harmless if it is stopped."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
            self._loop.close()
            self._store.close()
            self._temporary.cleanup()
        atexit.unregister(self.stop)

    def __enter__(self) -> "LocalServer":
        return self

    def __exit__(self, *_) -> None:
        self.stop()


async def serve(folder: pathlib.Path, store: Store, sockets: list[socket.socket], stopping: asyncio.Event) -> None:
    """Answers on the sockets until `stopping` is set."""
    app = application(folder, store)
    server = httpserver.HTTPServer(app, max_buffer_size=2**20, idle_connection_timeout=IDLE, body_timeout=IDLE)
    server.add_sockets(sockets)
    watching = asyncio.create_task(watch(app))
    await stopping.wait()
    watching.cancel()
    server.stop()
    await server.close_all_connections()


def run(folder: pathlib.Path, store: Store, host: str, port: int) -> None:
    """Serves until Ctrl-C or a signal to end.

    Raises:
        OSError: the port or the address cannot be used.
    """
    sockets = netutil.bind_sockets(port, host)

    async def until_stopped() -> None:
        stopping = asyncio.Event()
        if os.name == "posix":
            for each in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(each, stopping.set)
        await serve(folder, store, sockets, stopping)

    asyncio.run(until_stopped())

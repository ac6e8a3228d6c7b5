"""What one address may ask of the server: requests per second, connections, descriptors, and time to take an answer.

A class may sit behind one address, so nothing here refuses a hundred pages that look every three seconds.
"""

import collections
import dataclasses
import errno
import ipaddress
import socket
import time

from tornado import http1connection, httpserver, httputil, iostream

try:
    import resource
except ImportError:  # Windows
    resource = None

MOST = 1000  # connections in all; the descriptors of this process allow fewer on some machines
MOST_ON_WINDOWS = 400  # select() there watches 512 at most
WANTED = 4096  # descriptors to ask for
SPARE = 96  # of them, kept for files, the database and whatever else
STALLED = 30.0  # seconds within which a reader must take the next piece of an answer
PATIENCE = 2.0  # seconds that a request waits for its turn before it is refused
REMEMBERED = 4096  # addresses
EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def address_of(ip: str) -> str:
    """What counts as one address: with IPv6 the network of 64 bits, of which one computer has all addresses."""
    if ":" not in ip:
        return ip
    address = ipaddress.ip_address(ip.partition("%")[0])
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False))


class Bucket:
    """So many requests per second and address, and a surplus of `burst` after a pause."""

    def __init__(self, rate: float, burst: float):
        self.rate = rate
        self.burst = burst
        self._levels: dict[str, tuple[float, float]] = {}  # how full, and when that was so

    def wait(self, address: str) -> float | None:
        """Seconds until the address's request has its turn; None: the queue is too long, ask again later."""
        now = time.monotonic()
        level, at = self._levels.pop(address, (0.0, now))
        level = max(0.0, level - (now - at) * self.rate)
        waiting = max(0.0, (level + 1 - self.burst) / self.rate)
        refused = waiting > PATIENCE
        self._levels[address] = (level if refused else level + 1, now)  # the newest comes last
        while len(self._levels) > REMEMBERED:
            del self._levels[next(iter(self._levels))]
        return None if refused else waiting


@dataclasses.dataclass
class Open:
    """An open connection: its address, and when something last moved on it."""

    address: str
    moved: float


class Connections:
    """The open connections. Where there are too many, the one on which nothing moved for longest makes room."""

    def __init__(self, most: int | None = None):
        self.most = most or _most()
        self.most_per_address = max(8, self.most // 2)
        self._open: collections.OrderedDict[iostream.IOStream, Open] = collections.OrderedDict()

    def admit(self, stream: iostream.IOStream, ip: str) -> None:
        """Takes a connection in."""
        self._forget_closed()
        address = address_of(ip)
        counts = collections.Counter(entry.address for entry in self._open.values())
        if counts[address] >= self.most_per_address:
            self.make_room(address)
        elif len(self._open) >= self.most:
            self.make_room(counts.most_common(1)[0][0])
        self._open[stream] = Open(address, time.monotonic())

    def moved(self, stream: iostream.IOStream) -> None:
        """Notes that a request came, or that a piece of an answer was taken."""
        if stream in self._open:
            self._open[stream].moved = time.monotonic()
            self._open.move_to_end(stream)

    def make_room(self, address: str | None = None) -> bool:
        """Closes the connection (of this address) on which nothing moved for longest; False: there is none."""
        self._forget_closed()
        for stream, entry in self._open.items():
            if address in (None, entry.address):
                stream.close()
                del self._open[stream]
                return True
        return False

    def sweep(self) -> None:
        """Closes the connections whose reader has stopped taking its answer."""
        self._forget_closed()
        before = time.monotonic() - STALLED
        for stream, entry in list(self._open.items()):
            if entry.moved < before and stream.writing():
                stream.close()

    def _forget_closed(self) -> None:
        for stream in [stream for stream in self._open if stream.closed()]:
            del self._open[stream]


class Server(httpserver.HTTPServer):
    """An HTTP server that keeps account of its connections."""

    def initialize(self, *arguments, connections: Connections, **options) -> None:
        super().initialize(*arguments, **options)
        self.connections = connections

    def add_sockets(self, sockets: list[socket.socket]) -> None:
        super().add_sockets([Listener(each, self.connections) for each in sockets])

    def handle_stream(self, stream: iostream.IOStream, address: tuple) -> None:
        self.connections.admit(stream, address[0])
        return super().handle_stream(stream, address)

    def start_request(
        self, server: http1connection.HTTP1ServerConnection, connection: httputil.HTTPConnection
    ) -> httputil.HTTPMessageDelegate:
        if connection.stream.closed():
            return Departed(connection)
        return super().start_request(server, connection)


class Departed(httputil.HTTPMessageDelegate):
    """Takes no further request from a connection that is closed, however many were sent on it in advance."""

    def __init__(self, connection: http1connection.HTTP1Connection):
        self.connection = connection

    def headers_received(self, start: httputil.RequestStartLine, headers: httputil.HTTPHeaders) -> None:
        self.connection.detach()  # which ends Tornado's loop over the requests


class Listener(socket.socket):
    """A listening socket that outlives a lack of descriptors: it closes a connection and goes on."""

    def __init__(self, bound: socket.socket, connections: Connections):
        super().__init__(fileno=bound.detach())
        self.setblocking(False)
        self.connections = connections

    def accept(self) -> tuple[socket.socket, object]:
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in EXHAUSTED:
                raise
        if not self.connections.make_room():
            time.sleep(0.1)  # nobody is connected, so nobody waits
        raise BlockingIOError  # upon which Tornado comes back


def raise_descriptor_limit() -> None:
    """Lets this process have more open files and connections than the 256 of macOS."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _most() -> int:
    """How many connections this process can hold."""
    if resource is None:
        return MOST_ON_WINDOWS
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST if soft == resource.RLIM_INFINITY else max(16, min(MOST, soft - SPARE))

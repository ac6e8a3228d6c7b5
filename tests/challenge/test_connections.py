"""What reading costs, and what stalled or greedy readers do to the rest of the class."""

import asyncio
import concurrent.futures
import contextlib
import json
import pathlib
import socket
import sqlite3
import sys
import threading
import time
import types

import numpy as np
import psutil
import pytest
from arena import ask, register

from course_lib import challenge
from course_lib.challenge import asking, board, connections, handlers, making, serving
from course_lib.challenge import server as server_module
from course_lib.challenge.connections import Bucket, Connections, address_of

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks from several addresses of this machine")
TEAMS = 100
ENTRIES = 100
PATIENCE = 300  # seconds: what happens here, happens late on a busy machine
LARGE = 100_000  # images, 4.8 MB: more than lies in the buffers of a connection


def fill(folder, count: int = TEAMS, entries: int = ENTRIES) -> None:
    """So many teams with so many submissions each, as if they had been sent."""
    with making.opened(folder) as store, store.database.transaction():
        random = np.random.RandomState(0)
        for number in range(count):
            team = store.teams.add(f"Class {number}")
            for entry in range(entries):
                digest = f"{number} {entry}".encode()
                row = {"team": team, "at": time.time(), "digest": digest, "top1": digest, "note": f"try {entry}"}
                scores = {name: round(random.random_sample(), 2) for name in ("public", "private")}
                store.database.insert("submissions", row | scores)


def until(happened) -> None:
    """Waits until `happened()` is true."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it has not happened"
        time.sleep(0.02)


def cost(server, path: str, status: int, **headers) -> float:
    """How many times as much processor time the server needs for a request as for one of what never changes.

    Both 100 times, by turns: how long the same work takes depends on what else the machine does.
    """
    spent = pathlib.Path(f"/proc/{server.process.pid}/schedstat")  # in nanoseconds, not hundredths of a second
    used = {path: 0.0, "/api/challenge": 0.0}
    for _ in range(4):
        for asked, expected, sent in ((path, status, headers), ("/api/challenge", 200, {})):
            before = int(spent.read_text().split()[0])
            statuses = {ask(server, "GET", asked, source=f"127.0.0.{2 + n % 8}", **sent)[0] for n in range(25)}
            used[asked] += (int(spent.read_text().split()[0]) - before) / 1e9
            assert statuses == {expected}
    print(f"{path} {headers}: {10 * used[path]:.2f} ms of the processor per request, {10 * used['/api/challenge']:.2f}")
    return used[path] / used["/api/challenge"]


def test_a_look_at_the_board_costs_little(make, serve):
    """Of 100 teams with 100 submissions each: a few times as much as an answer that is the same for ever."""
    server = serve(make())
    fill(server.folder)
    tag = ask(server, "GET", "/board")[1]["Etag"]
    assert cost(server, "/board", 304, **{"If-None-Match": tag}) < 3
    for path in ("/board", "/api/leaderboard", "/"):
        assert cost(server, path, 200) < 3  # computed anew: above 5


def test_the_board_is_computed_when_something_was_written(make, monkeypatch):
    folder = make()
    with making.opened(folder) as store, making.opened(folder) as elsewhere:
        computed = []
        leaderboard = store.leaderboard
        monkeypatch.setattr(store, "leaderboard", lambda: computed.append(1) or leaderboard())
        shown = board.Board(store, making.describe(folder))

        def look() -> int:
            shown.html()
            shown.json()
            shown.page("http://x")
            return len(computed)

        assert (look(), look()) == (1, 1)
        store.teams.register("A", "a" * 43)
        assert (look(), look()) == (2, 2)
        store.submit(store.teams.find("A"), np.zeros((200, 1), int))
        assert (look(), look()) == (3, 3)
        elsewhere.reveal()  # as the instructor's commands do, in a program of their own
        assert (look(), look()) == (4, 4)
        assert json.loads(shown.json())["lines"][0]["private"] is not None


def test_who_asks_too_much_waits_and_others_do_not(local, monkeypatch):
    monkeypatch.setattr(server_module, "READING", (0.005, 5))  # so slow that the machine's pace does not matter
    monkeypatch.setattr(connections, "PATIENCE", 2000)  # the queue: ten requests
    waits, go_on = [], threading.Event()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        while not go_on.is_set():
            await asyncio.sleep(0.02)

    monkeypatch.setattr(handlers, "asyncio", types.SimpleNamespace(sleep=sleep))
    server = local()
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        greedy = [pool.submit(ask, server, "GET", "/board", source="127.0.0.9") for _ in range(30)]
        try:
            until(lambda: len(waits) == 25 and sum(each.done() for each in greedy) == 5)
            assert ask(server, "GET", "/board", source="127.0.0.2")[0] == 200
            assert register(server, "A", source="127.0.0.9")[0] == 200  # sending has a turn of its own
            assert len(waits) == 25 and sum(each.done() for each in greedy) == 5  # neither has waited for them
        finally:
            go_on.set()
        answers = [each.result() for each in greedy]
    assert sorted(waits)[:15] == [1] * 15  # the refused, so that asking on and on costs the server little
    assert sorted(waits)[15:] == pytest.approx([200 * place for place in range(1, 11)], abs=100)
    assert sorted(status for status, _, _ in answers) == [200] * 15 + [429] * 15
    assert {headers["Retry-After"] for status, headers, _ in answers if status == 429} == {"2"}


def test_a_class_behind_one_address_connects_and_sends_beside_greedy_readers(local, monkeypatch, tmp_path):
    """The address's turns are used up: who shows a token has its own, and others ask again when they are told to."""
    waited = []
    clock = types.SimpleNamespace(monotonic=lambda: 1000 * len(waited))  # a thousand seconds for each that is waited
    monkeypatch.setattr(connections, "time", clock)
    monkeypatch.setattr(server_module, "READING", (0.001, 1))
    monkeypatch.setattr(server_module, "SENDING", (0.001, 2))
    monkeypatch.setattr(connections, "PATIENCE", 0)
    server = local()
    client = challenge.connect(server.url, token_dir=tmp_path).register("A")
    assert register(server, "B", token="b" * 43)[0] == 200
    assert register(server, "C", token="c" * 43)[0] == 429
    monkeypatch.setattr(asking, "time", types.SimpleNamespace(sleep=waited.append, monotonic=time.monotonic))
    assert client.submit(np.zeros(200, int)).counted and client.register("A").team == "A"
    assert len(client.leaderboard()) == 3 and len(client.download().test_images) == 200
    assert waited == []
    ask(server, "GET", "/board")
    assert challenge.connect(server.url, token_dir=tmp_path).about["name"] == "random"
    assert waited == [2.0]
    monkeypatch.setattr(asking, "BUSY", 1.0)
    with pytest.raises(ValueError, match="Too many requests come from your address"):
        challenge.connect(server.url, token_dir=tmp_path)


def test_a_bucket_lets_a_surplus_pass_and_makes_the_rest_wait(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(connections.time, "monotonic", lambda: now[0])
    bucket = Bucket(rate=10, burst=5)
    assert [bucket.wait("a") for _ in range(7)] == pytest.approx([0, 0, 0, 0, 0, 0.1, 0.2])
    waits = [bucket.wait("a") for _ in range(50)]
    assert waits[17] == pytest.approx(2) and set(waits[18:]) == {None}
    assert bucket.wait("b") == 0
    now[0] = 100.0
    assert bucket.wait("a") == 0
    monkeypatch.setattr(connections, "REMEMBERED", 3)
    for number in range(10):
        bucket.wait(str(number))
    assert len(bucket._levels) == 3


def test_an_address_is_a_computer():
    assert address_of("192.168.0.7") == "192.168.0.7" == address_of("::ffff:192.168.0.7")
    assert address_of("fe80::1%eth0") == address_of("fe80::2") != address_of("fe81::1")


def stall(port: int, count: int, source: str = "127.0.0.1") -> list[socket.socket]:
    """So many connections that ask for the test images and read nothing."""
    held = []
    for _ in range(count):
        with contextlib.suppress(OSError):
            reader = socket.socket()
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**15)
            reader.bind((source, 0))
            reader.settimeout(PATIENCE)
            reader.connect(("127.0.0.1", port))
            reader.sendall(b"GET /files/test.npz HTTP/1.1\r\nHost: x\r\n\r\n")
            held.append(reader)
    return held


def test_stalled_readers_leave_descriptors_to_the_class(make, serve):
    """300 of them, where a process may have 256: half come from the address of the class itself."""
    server = serve(make(test_images=LARGE), preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)))
    held = stall(server.port, 150, "127.0.0.9") + stall(server.port, 150, "127.0.0.1")
    begin = time.perf_counter()
    for number in range(8):
        assert register(server, f"team {number}", token=f"{number:043}")[0] == 200
        assert ask(server, "GET", "/board")[0] == 200
    seconds = (time.perf_counter() - begin) / 16
    open_now = psutil.Process(server.process.pid).num_fds()
    print(f"{len(held)} stalled readers: {seconds:.3f} s per request, {open_now} descriptors")
    assert seconds < 60 and open_now < 256  # without a limit the first request waits for ever
    for each in held:
        each.close()


def test_the_limit_of_descriptors_is_raised_and_a_lack_of_them_survived(make, serve):
    """The limit falls while the server runs, below what it counts on: it closes connections and goes on."""
    few = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 1024))}
    server = serve(make(test_images=LARGE), **few)
    process = psutil.Process(server.process.pid)
    assert process.rlimit(psutil.RLIMIT_NOFILE) == (1024, 1024)
    before = process.num_fds()
    held = stall(server.port, 40)
    until(lambda: process.num_fds() >= before + len(held) - 2)  # a connection of before may have been closed since
    process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds() + 2, 1024))
    held += stall(server.port, 40)
    statuses = []
    for _ in range(10):
        with contextlib.suppress(OSError):
            statuses.append(ask(server, "GET", "/api/challenge")[0])
    assert statuses.count(200) >= 8 and server.process.poll() is None
    assert "Traceback" not in server.output.read_text()
    for each in held:
        each.close()


def test_a_reader_that_stops_loses_its_connection(local, monkeypatch):
    monkeypatch.setattr(connections, "STALLED", 0.3)
    monkeypatch.setattr(serving, "SETTLE", 2)
    swept, sweep = threading.Event(), Connections.sweep

    def watched(self) -> None:
        streams = list(self._open)
        sweep(self)
        if any(stream.closed() for stream in streams):
            swept.set()

    monkeypatch.setattr(Connections, "sweep", watched)
    server = local(test_images=LARGE)
    (reader,) = stall(int(server.url.rsplit(":", 1)[1]), 1)
    assert swept.wait(PATIENCE)
    received = 0
    with contextlib.suppress(ConnectionError):
        while piece := reader.recv(2**20):
            received += len(piece)
    reader.close()
    assert 0 < received < (server.folder / "public" / "test.npz").stat().st_size  # what was under way, then the end


class Stream:
    """As much of a connection as `Connections` asks of it."""

    def __init__(self, stalled: bool = False):
        self.stalled = stalled
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True

    def closed(self) -> bool:
        return self.is_closed

    def writing(self) -> bool:
        return self.stalled


def test_the_connection_on_which_nothing_moved_for_longest_makes_room():
    open_connections = Connections(most=20)
    mine = [Stream() for _ in range(10)]
    others = [Stream() for _ in range(15)]
    for stream in mine:
        open_connections.admit(stream, "10.0.0.1")
    open_connections.moved(mine[0])
    for stream in others:
        open_connections.admit(stream, "10.0.0.2")
    # at most ten from one address: its own oldest ones went
    assert [stream.is_closed for stream in others] == [True] * 5 + [False] * 10
    third = Stream()
    open_connections.admit(third, "10.0.0.3")  # the twenty-first
    assert [stream.is_closed for stream in mine] == [False, True] + [False] * 8 and not third.is_closed


def test_large_valid_scores_are_taken(local):
    """More than a mebibyte: Tornado's own limit was lower than the challenge's."""
    server = local(test_images=30_000)
    client = server.connect().register("A")
    assert 0 <= client.submit(np.random.RandomState(0).random_sample((30_000, 10))).public <= 1


def test_another_programs_lock_is_answered_at_once(make, serve):
    server = serve(make())
    assert register(server, "A")[0] == 200
    with contextlib.closing(sqlite3.connect(server.folder / "private" / making.DATABASE)) as other:
        other.execute("BEGIN IMMEDIATE")
        waited = []
        for _ in range(3):  # the machine may be busy with something else once or twice
            begin = time.perf_counter()
            status, answer = register(server, "B", token="b" * 43)
            waited.append(time.perf_counter() - begin)
            assert status == 503 and "busy" in answer["error"]
        assert min(waited) < 5  # SQLite's own patience
        assert ask(server, "GET", "/board")[0] == 200
        assert ask(server, "POST", "/api/teams?team=C", b"", token="c" * 43)[1]["Retry-After"] == "1"
        other.rollback()
    assert register(server, "B", token="b" * 43)[0] == 200
    assert "Another program holds the lock" in server.output.read_text()

"""What a request, a team or a connection that is gone may cost the rest of the class."""

import contextlib
import json
import re
import socket
import threading

import pytest
from arena import ask, register

from course_lib.challenge import connections, predictions
from course_lib.challenge import server as server_module

GET = b"GET /board HTTP/1.1\r\nHost: x\r\n\r\n"
GOOD = "\n".join(["id,label", *(f"{index},{index % 10}" for index in range(200))]).encode()


def connected(server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), timeout=300)


def told(server, sent: bytes) -> bytes:
    """All that is answered to these bytes, until the server closes the connection."""
    with connected(server) as connection:
        connection.sendall(sent)
        answer = b""
        with contextlib.suppress(ConnectionResetError):  # closed before all was read
            while piece := connection.recv(65536):
                answer += piece
    return answer


@pytest.fixture
def turns(monkeypatch) -> list[str]:
    """Who has waited for a turn at the server in this process: an address per request, a team per submission."""
    waited, wait = [], connections.Bucket.wait
    monkeypatch.setattr(connections.Bucket, "wait", lambda self, who: waited.append(who) or wait(self, who))
    return waited


def test_what_the_departed_have_asked_for_is_not_answered(local, monkeypatch, turns):
    monkeypatch.setattr(server_module, "READING", (10**6, 10**6))  # nobody waits
    departed, wait = threading.Event(), connections.Bucket.wait
    monkeypatch.setattr(connections.Bucket, "wait", lambda self, who: departed.wait(300) and wait(self, who))
    server = local()
    for _ in range(20):
        with connected(server) as connection:
            connection.sendall(GET * 500)
    departed.set()  # the server has answered nobody so far: the first of them waits for this
    seen = -2
    while seen + 1 != len(turns):  # somebody else came to a turn while this one asked
        seen = len(turns)
        assert ask(server, "GET", "/board")[0] == 200
    print(f"{seen} of 10,000 requests came to their turn")
    assert seen < 1000


def test_who_is_refused_is_forgotten_with_all_that_was_sent_in_advance(local, monkeypatch, turns):
    monkeypatch.setattr(server_module, "READING", (0.001, 2))  # so slow that no third comes in time on any machine
    monkeypatch.setattr(connections, "PATIENCE", 0)
    answer = told(local(), GET * 6)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"200", b"429"]
    assert answer.count(b"Connection: close") == 1 and len(turns) == 3


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS"])
def test_no_body_is_read_where_none_is_taken(local, method):
    """Not a byte: a form of a megabyte would be parsed, and bodies that never end would be kept."""
    server = local()
    head = "{} {} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n"
    for path in ("/", "/board", "/page.css", "/files/test.npz", "/api/challenge", "/api/leaderboard", "/nowhere"):
        answer = told(server, head.format(method, path, 10**6).encode())
        assert answer.startswith((b"HTTP/1.1 413", b"HTTP/1.1 405")), path
    assert ask(server, method, "/nowhere")[0] in (404, 405)


def test_headers_are_short(local):
    server = local()
    answer = told(server, GET.replace(b"\r\n\r\n", b"\r\nX: y" * 10_000 + b"\r\n\r\n"))
    assert answer == b"" and ask(server, "GET", "/board", X="y" * 6000)[0] == 200


@pytest.mark.parametrize("path", ["/api/submissions?team=A", "/api/teams?team=A", "/board", "/nowhere"])
def test_a_body_comes_in_one_piece(local, path):
    """A thousand pieces of one byte would cost as much as a megabyte."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    assert told(local(), head).startswith(b"HTTP/1.1 411")


def test_a_team_that_has_used_all_up_cannot_keep_the_server_busy(local, monkeypatch):
    monkeypatch.setattr(server_module, "SUBMITTING", (0.001, 5))  # the sixth is too many however long five take
    monkeypatch.setattr(connections, "PATIENCE", 0)
    parsed, read = [], predictions.read
    monkeypatch.setattr(predictions, "read", lambda *arguments: parsed.append(1) or read(*arguments))
    server = local(daily_limit=1)

    def submit(team: str, body: bytes) -> tuple[int, dict]:
        status, _, content = ask(server, "POST", f"/api/submissions?team={team}", body, token=team * 43)
        return status, json.loads(content)

    for team in "AB":
        assert register(server, team, token=team * 43)[0] == 200
    assert submit("A", GOOD)[1]["counted"]
    statuses = [submit("A", GOOD[:-1] + b"%d" % digit)[0] for digit in range(3)]
    assert statuses == [429] * 3 and submit("A", GOOD)[1]["counted"] is False  # the same once more is answered
    status, answer = submit("A", GOOD)
    assert status == 429 and "from your team" in answer["error"] and len(parsed) == 5
    assert submit("B", GOOD)[0] == 200


def test_what_a_day_allows_may_be_sent_in_one_go(local, monkeypatch):
    """Lesson 02 sends 500 random submissions to a server of its own: at 2 per second it waited for 4 minutes."""
    monkeypatch.setattr(server_module, "SUBMITTING", (0.01, 2))
    monkeypatch.setattr(connections, "PATIENCE", 0)
    server = local(daily_limit=8)
    assert register(server, "A")[0] == 200
    bodies = [GOOD[:-1] + b"%d" % digit for digit in range(8)]
    assert [ask(server, "POST", "/api/submissions?team=A", body)[0] for body in bodies] == [200] * 8

"""Over HTTP: what comes in wrong is refused with a sentence, what goes out holds no label, and nothing is unescaped."""

import http.client
import json
import select
import socket
import threading
import time
import urllib.parse

import numpy as np
import psutil
import pytest
from arena import TOKEN, ask, set_clock, truth

from course_lib.challenge import making
from course_lib.challenge.predictions import SCORES, largest

GOOD = "\n".join(["id,label", *(f"{index},{index % 10}" for index in range(200))]).encode()
GIGABYTE = 2**30


def submit(server, body: bytes, note: str = "", **options):
    query = urllib.parse.urlencode({"team": "Team A", "note": note})
    status, _, content = ask(server, "POST", f"/api/submissions?{query}", body, **options)
    return status, json.loads(content)


@pytest.fixture
def server(local):
    running = local()
    assert ask(running, "POST", "/api/teams?team=Team+A", b"")[0] == 200
    return running


def kept(server) -> list[dict]:
    with making.opened(server.folder) as store:
        return store.submissions()


@pytest.mark.parametrize(
    ("body", "options", "status", "sentence"),
    [
        (b"", {}, 400, "empty"),
        (GOOD[:-6], {}, 400, "id 199 is missing"),
        (b"PK\x03\x04" + GOOD, {}, 400, "ZIP"),
        (GOOD.decode().encode("utf-16"), {}, 400, "UTF-8"),
        (GOOD.replace(b"\n7,7", b"\n7,nan"), {}, 400, "label 'nan'"),
        (np.full((200, 10), np.nan, "<f4").tobytes(), {"Content-Type": SCORES}, 400, "NaN"),
        (GOOD + b"\n" * largest(200, 10), {}, 413, "too much"),
        (GOOD, {"token": "x" * 43}, 401, "Register first"),
        (GOOD, {"token": ""}, 401, "Register first"),
        (GOOD, {"note": "a\nb"}, 400, "note"),
    ],
)
def test_bad_submissions_are_refused_and_not_kept(server, body, options, status, sentence):
    answered, content = submit(server, body, **options)
    assert answered == status and sentence in content["error"] and content["error"].endswith((".", "?"))
    assert kept(server) == []


@pytest.mark.parametrize(
    ("method", "path", "status", "sentence"),
    [
        ("POST", "/api/teams?team=%ff", 400, "The request is not formed as HTTP and UTF-8 want it."),
        ("POST", "/api/submissions?team=Team+A&note=%ff", 400, "The request is not formed as HTTP and UTF-8 want it."),
        ("DELETE", "/board", 405, "This address takes no DELETE."),
        ("GET", "/api/teams", 405, "This address takes no GET."),
    ],
)
def test_a_mistaken_request_has_its_sentence_and_tells_the_instructor_nothing(
    server, caplog, method, path, status, sentence
):
    answered, _, content = ask(server, method, path, GOOD if "submissions" in path else b"")
    assert answered == status and json.loads(content)["error"] == sentence
    assert caplog.records == []  # nothing a student writes comes to the instructor's terminal


@pytest.mark.parametrize("form", [SCORES, SCORES.title(), f"{SCORES}; charset=binary"])
def test_scores_are_known_by_their_form_however_it_is_written(server, form):
    scores = np.zeros((200, 10), "<f4").tobytes()
    assert submit(server, scores, **{"Content-Type": form})[0] == 200


def test_the_limits_of_a_day_and_in_all_whatever_the_clock_said(local, monkeypatch):
    """Three days, of which the first one is a mistake of the clock, a year ahead."""
    server = local(daily_limit=2, total_limit=4)
    assert ask(server, "POST", "/api/teams?team=Team+A", b"")[0] == 200
    bodies = iter([GOOD[:-1] + b"%d" % digit for digit in range(10)])

    def day(days: int) -> list[tuple[int, object, object]]:
        with monkeypatch.context() as clock:
            set_clock(clock, days)
            answers = [submit(server, next(bodies)) for _ in range(3)]
        return [
            (status, said.get("left_today", said.get("error")), said.get("left_in_all")) for status, said in answers
        ]

    used = (429, "Today's 2 submissions are used up. Go on tomorrow.", None)
    assert day(365) == [(200, 1, 3), (200, 0, 2), used]
    assert day(0) == [(200, 1, 1), (200, 0, 0), (429, "All 4 submissions of your team are used up.", None)]
    assert day(1)[0] == (429, "All 4 submissions of your team are used up.", None)
    assert len(kept(server)) == 4


@pytest.mark.parametrize(
    ("team", "token"), [("<script>", TOKEN), ("", TOKEN), ("Team B", ""), ("Team A", "x" * 43), ("Team B", TOKEN)]
)
def test_bad_registrations_are_refused(server, team, token):
    status, _, content = ask(server, "POST", f"/api/teams?{urllib.parse.urlencode({'team': team})}", b"", token)
    assert 400 <= status < 500 and json.loads(content)["error"]


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/files/labels.npz",
            "/files/../private/labels.npz",
            "/files/%2e%2e/private/labels.npz",
            "/private/labels.npz",
        ),
        *("/private/labels.npz", "/page/index.html", "/index.html", "/files/", "/schema.sql"),
    ],
)
def test_only_what_is_public_is_given(server, path):
    assert ask(server, "GET", path)[0] == 404


def test_no_answer_carries_a_label(server):
    labels, _ = truth(server.folder)
    answer = submit(server, GOOD)[1]
    assert set(answer) == {"public", "public_top5", "rank", "left_today", "left_in_all", "counted"}
    lines = json.loads(ask(server, "GET", "/api/leaderboard")[2])["lines"]
    assert all(line[name] is None for line in lines for name in line if "private" in name)
    with np.load(server.folder / "public" / "test.npz") as stored:
        assert stored.files == ["images"]
    public = b"".join(path.read_bytes() for path in (server.folder / "public").glob("*.json"))
    assert labels.tobytes() not in public and str(labels.tolist())[1:-1].encode() not in public


def test_the_page_escapes_every_text(server):
    note = "<script>alert('&\"1')</script>"
    assert submit(server, GOOD, note=note)[0] == 200
    for path in ("/", "/board"):
        status, headers, content = ask(server, "GET", path)
        page = content.decode()
        assert status == 200 and note not in page
        assert "&lt;script&gt;alert(&#x27;&amp;&quot;1&#x27;)&lt;/script&gt;" in page
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert "http://" not in page.replace(server.url, "")  # nothing from elsewhere


def test_the_board_is_sent_again_only_when_it_has_changed(server):
    tag = ask(server, "GET", "/board")[1]["Etag"]
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc)
    connection.request("GET", "/board", headers={"If-None-Match": tag})
    assert connection.getresponse().status == 304
    connection.close()
    submit(server, GOOD)
    assert ask(server, "GET", "/board")[1]["Etag"] != tag


def test_a_gigabyte_is_refused_in_little_memory(make, serve):
    running = serve(make())
    for length in ("declared", "chunked"):
        refuse_gigabyte(running, length)
    assert ask(running, "GET", "/api/challenge")[0] == 200


def refuse_gigabyte(running, length: str) -> None:
    process, done = psutil.Process(running.process.pid), threading.Event()
    before = process.memory_info().rss
    peaks = [before]

    def watch() -> None:
        while not done.wait(0.005):
            peaks.append(process.memory_info().rss)

    watching = threading.Thread(target=watch)
    watching.start()
    answer, sent = send_gigabyte(running.port, chunked=length == "chunked")
    done.set()
    watching.join()
    more = max(peaks) - before
    print(f"{length}: {sent / 1e6:.1f} MB sent, {more / 1e6:.1f} MB more memory, {before / 1e6:.0f} MB before")
    status, sentence = (b"411", b"in one piece") if length == "chunked" else (b"413", b"too much data")
    assert answer.startswith(b"HTTP/1.1 " + status) and sentence in answer
    assert more < 50e6 and sent < GIGABYTE / 4


def send_gigabyte(port: int, chunked: bool) -> tuple[bytes, int]:
    """What the server answered while it was sent to, and how many bytes it let come."""
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {GIGABYTE}"
    head = f"POST /api/submissions?team=A HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n"
    piece = bytes(2**20)
    if chunked:
        piece = b"100000\r\n" + piece + b"\r\n"
    answer, sent = b"", 0
    with socket.create_connection(("127.0.0.1", port), timeout=300) as connection:
        connection.sendall(head.encode())
        try:
            answer = connection.recv(65536)  # refused before a byte of it was sent
            while sent < GIGABYTE:
                connection.sendall(piece)
                sent += len(piece)
                # What is unread when the server closes is lost, so it gets time to answer.
                if select.select([connection], [], [], 0 if answer else 5)[0]:
                    answer += connection.recv(65536)
        except (ConnectionError, TimeoutError):  # the server has closed
            pass
    return answer, sent


def test_slow_pages_do_not_hold_up_a_submission(server):
    for _ in range(20):
        idle = socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])))
        idle.sendall(b"POST /api/submissions?team=Team+A HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nid")
    begin = time.perf_counter()
    assert submit(server, GOOD)[0] == 200
    assert time.perf_counter() - begin < 30  # what has not come within two minutes is given up

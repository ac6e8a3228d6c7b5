"""The team's side: what a student calls, and what a student is told."""

import contextlib
import hashlib
import http.server
import json
import os
import socket
import sqlite3
import stat
import threading
import time
import types
import typing

import numpy as np
import pandas
import pytest
from arena import truth

from course_lib import challenge
from course_lib.challenge import asking, making, material, serving, tokens
from course_lib.challenge.client import Receipt


@pytest.fixture
def server(local):
    return local(daily_limit=4)


def test_the_images_arrive_whole(server):
    data = server.connect().download()
    assert data.train[0].shape == (60, 4, 4, 3) and data.train[1].shape == (60,)
    assert data.validation[0].shape == (30, 4, 4, 3) and data.test_images.shape == (200, 4, 4, 3)
    assert data.class_names == tuple("abcdefghij") and data.test_images.dtype == np.uint8
    assert repr(data) == "<challenge data: 60 training, 30 validation, 200 test images of 4×4×3, 10 classes>"


def test_a_damaged_file_is_noticed(server):
    client = server.connect()
    path = server.folder / "public" / "test.npz"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match=r"test\.npz arrived damaged"):
        client.download()


def test_a_challenge_played_out(server, tmp_path):
    labels, public = truth(server.folder)
    guess = np.zeros(200, int)
    client = server.connect().register("Team A")
    receipt = client.submit(guess, "all zero")
    assert receipt == Receipt(round((labels[public] == 0).mean() * 25) / 25, None, 1, 3, True, 11)
    assert "8.0%, rank 1, 3 left today, 11 in all." in str(receipt)
    assert not client.submit(guess).counted
    pandas.DataFrame({"id": range(200), "label": labels}).to_csv(tmp_path / "mine.csv", index=False)
    assert server.connect().register("Team B").submit(tmp_path / "mine.csv").public == 1
    scores = np.eye(10)[labels] * 1e-3
    assert client.submit(scores).public_top5 == 1
    table = client.leaderboard()
    assert table["team"][:2].tolist() == ["Team B", "Team A"] and table["rank"][:2].tolist() == [1, 1]
    assert table["kind"].tolist() == ["team", "team", "baseline", "baseline"] and table["private"].isna().all()
    server.reveal()
    assert client.leaderboard()["private"][:2].tolist() == [1, 1]
    with pytest.raises(ValueError, match="over"):
        client.submit(np.ones(200, int))


@pytest.mark.parametrize(
    ("predictions", "sentence"),
    [
        (np.zeros(199, int), "199 predictions for 200 test images"),
        (np.full(200, 10), "label '10' is no class"),
        (np.zeros(200), r"label '0\.0' is no class.*predictions\.astype\(int\)"),
        (np.zeros(200, bool), r"label 'False' is no class.*predictions\.astype\(int\)"),
        ([[1, 2], [3]], "must be one array; the rows of this list differ"),
        (np.zeros((200, 10), complex), "class indices or scores"),
        ("", "'' is no file that can be read"),
        (".", "'.' is no file that can be read"),
        (np.full((200, 10), np.nan), "NaN"),
        (np.zeros((200, 9)), r"scores of shape \(200, 10\)"),
        (np.full((200, 10), "a"), "class indices or scores"),
        (["\ud800"] * 200, r"label '\?' is no class"),
        (None, "class indices or scores"),
    ],
)
def test_a_student_is_told_what_is_wrong(server, predictions, sentence):
    with pytest.raises(ValueError, match=sentence):
        server.connect().register("A").submit(predictions)


def test_scores_may_have_any_range(server):
    """Also one that single precision has not: the server only wants their order."""
    labels, _ = truth(server.folder)
    client = server.connect().register("A")
    for scores in (1e300 * np.eye(10)[labels], 1 + 1e-12 * np.eye(10)[labels], 2**40 + np.eye(10, dtype=int)[labels]):
        assert client.submit(scores).public == 1


def test_a_missing_file_is_named(server):
    with pytest.raises(FileNotFoundError, match=r"there is no file 'missing\.csv' in /"):
        server.connect().register("A").submit("missing.csv")


@pytest.mark.parametrize(
    ("note", "came"), [("x" * 70_000, "70,000 characters"), (None, "None"), (5, "5"), ("=1", "2 characters")]
)
def test_a_note_is_checked_before_it_is_sent(server, note, came, monkeypatch):
    client = server.connect().register("A")
    monkeypatch.setattr(client, "_asker", None)
    with pytest.raises(ValueError, match=f"at most 80 characters.* this is {came}"):
        client.submit(np.zeros(200, int), note)


@pytest.mark.parametrize("team", [None, 7, "", "a" * 70_000])
def test_a_team_name_is_checked_before_its_token_is_kept(server, team, tmp_path):
    with pytest.raises(ValueError, match="cannot be used: take 1 to 30 letters"):
        challenge.connect(server.url, token_dir=tmp_path / "tokens").register(team)
    assert not (tmp_path / "tokens").exists()


@pytest.mark.parametrize("token_dir", [None, 7, "", __file__])
def test_tokens_are_kept_in_a_folder(server, token_dir):
    with pytest.raises(ValueError, match="token_dir must be a folder"):
        challenge.connect(server.url, token_dir=token_dir)


def test_a_folder_that_cannot_keep_tokens_is_named(server):
    with pytest.raises(ValueError, match=r"cannot be kept in .*below.*token_dir=\.\.\."):
        challenge.connect(server.url, token_dir=f"{__file__}/below").register("A")


@pytest.mark.parametrize(
    "url", [None, 8899, "", "ftp://x", "http://[::1", "http://localhost:abc", "localhost:99999", "http://a b", "x..y"]
)
def test_what_is_no_address_is_refused_at_once(url):
    with pytest.raises(ValueError, match="is no address of a challenge"):
        challenge.connect(url)


@pytest.mark.parametrize("ask", [serving.LocalServer.reveal, serving.LocalServer.connect])
def test_a_stopped_challenge_says_so(server, ask):
    server.stop()
    with pytest.raises(ValueError, match="was stopped"):
        ask(server)


def test_the_wrong_file_is_not_sent(server, tmp_path):
    (tmp_path / "photo.csv").write_bytes(bytes(10**6))
    with pytest.raises(ValueError, match="1,000,000 bytes are too many"):
        server.connect().register("A").submit(tmp_path / "photo.csv")


def test_the_token_is_kept_for_this_user_alone(server, tmp_path):
    tokens = tmp_path / "tokens"
    challenge.connect(server.url, token_dir=tokens).register("Team A").submit(np.zeros(200, int))
    (path,) = tokens.iterdir()
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(tokens.stat().st_mode) == 0o700
    again = challenge.connect(server.url, token_dir=tokens).register("Team A")  # after a restart of the kernel
    assert not again.submit(np.zeros(200, int)).counted
    with pytest.raises(ValueError, match="taken"):
        challenge.connect(server.url, token_dir=tmp_path / "other").register("Team A")
    with pytest.raises(ValueError, match="register a team first"):
        challenge.connect(server.url, token_dir=tokens).submit(np.zeros(200, int))


def test_a_lost_answer_is_asked_for_again(server, monkeypatch):
    """A relay passes the first submission on and cuts the line before its answer comes back."""
    client = server.connect().register("A")
    relay = socket.create_server(("127.0.0.1", 0))
    target = ("127.0.0.1", int(server.url.rsplit(":", 1)[1]))

    def pass_on() -> None:
        for cut in (True, False):
            incoming, _ = relay.accept()
            with incoming, socket.create_connection(target) as outgoing:
                threading.Thread(target=pump, args=[incoming, outgoing], daemon=True).start()
                answer = outgoing.recv(65536)
                while not cut and answer:
                    incoming.sendall(answer)
                    answer = outgoing.recv(65536)
                incoming.shutdown(socket.SHUT_RDWR)

    def pump(source, sink) -> None:
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
        except OSError:
            pass

    threading.Thread(target=pass_on, daemon=True).start()
    monkeypatch.setattr(asking, "PAUSES", (0.01,))
    client._asker.url = f"http://127.0.0.1:{relay.getsockname()[1]}"
    receipt = client.submit(np.zeros(200, int))
    relay.close()
    assert (receipt.counted, receipt.left_today) == (False, 3)  # it had counted the first time


def test_what_is_no_challenge_is_said_so(monkeypatch, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ValueError, match="is the server running"):
        challenge.connect(f"127.0.0.1:{port}")
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    with pytest.raises(ValueError, match="COURSE_OFFLINE"):
        challenge.connect("http://192.168.0.10:8899")


def test_a_local_server_leaves_nothing_behind(random_images):
    before = set(threading.enumerate())
    with serving.local("random") as server:
        folder = server.folder
        assert folder.exists() and server.url.startswith("http://127.0.0.1:")
        server.connect().register("A")
    server.stop()
    assert not folder.parent.exists() and set(threading.enumerate()) <= before


def test_a_local_server_runs_beside_a_running_event_loop(random_images):
    """As in a notebook, where the kernel's loop is already running."""
    import asyncio

    async def cell() -> float:
        with serving.local("random") as server:
            return server.connect().register("A").submit(np.zeros(200, int)).public

    assert asyncio.run(cell()) == 0.08  # 10 of 100, in steps of 4


def test_toy_scenes_start_in_seconds_and_cannot_be_rendered_by_others():
    from course_lib import datasets
    from course_lib.datasets import toy_scenes

    datasets.load("toy_scenes/quick32")  # rendered once for all
    begin = time.process_time()
    toy_scenes.render(toy_scenes.sample(500, 0), 32)
    rendering = time.process_time() - begin
    begin = time.process_time()
    with challenge.local("toy_scenes") as server:
        used = time.process_time() - begin
        print(f"started in {used:.1f} s of the processor, of which {rendering:.1f} s for 500 test images")
        assert used < 2 * rendering + 2  # seconds; as a ratio, for on a busy machine both take longer
        data, (labels, _) = server.connect().download(), truth(server.folder)
    assert data.test_images.shape == (500, 32, 32, 3) and len(data.train[1]) == 2_000
    other = material.gather("toy_scenes", True, 20).test[0]
    assert not np.array_equal(other, data.test_images[:20])
    for seed in (*toy_scenes.SEEDS.values(), 0, 4, 42):
        rendered = toy_scenes.render(toy_scenes.sample(5, seed), 32)
        assert not np.array_equal(rendered.images, data.test_images[:5])
    counts = np.bincount(labels, minlength=10)
    assert len(counts) == 10 and counts.min() > 20


class Impostor(http.server.BaseHTTPRequestHandler):
    """A server that repeats what another one says of its challenge, and notes what it is sent; or leads elsewhere."""

    about = b""
    leads_to = ""
    seen: typing.ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization", "")))
        if self.leads_to and "files" in self.path:
            self.send_response(302)
            self.send_header("Location", self.leads_to)
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.about)

    def do_POST(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization", "")))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"team": "A", "shown_as": "A"}')

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def impostor():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Impostor) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        Impostor.seen.clear()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_a_server_that_repeats_the_id_is_not_sent_the_token(server, impostor, tmp_path):
    mine = challenge.connect(server.url, token_dir=tmp_path).register("A")
    Impostor.about = json.dumps(mine.about).encode()
    challenge.connect(impostor, token_dir=tmp_path).register("A")
    (sent,) = [token for path, token in Impostor.seen if "teams" in path]
    assert len(sent) == len("Bearer ") + 43 and mine._token not in sent


def test_a_redirect_is_not_followed(server, impostor, monkeypatch):
    client = server.connect().register("A")
    Impostor.about = json.dumps(client.about).encode()
    monkeypatch.setattr(Impostor, "leads_to", f"{server.url}/files/train.npz")
    with pytest.raises(ValueError, match=r"redirects to http.*\. A challenge never redirects\. Is the address right"):
        challenge.connect(impostor).download()


def test_an_address_where_nobody_answers_shows_within_seconds(monkeypatch):
    """A listener that never answers, and https:// to a server of plain HTTP."""
    monkeypatch.setattr(asking, "FIRST", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begin = time.perf_counter()
        with pytest.raises(ValueError, match=r"no answer from .*timed out.*Is the address right"):
            challenge.connect(f"127.0.0.1:{silent.getsockname()[1]}")
        assert time.perf_counter() - begin < 30  # half a second, and what else the machine does


def test_https_is_answered_with_the_right_address(server, monkeypatch):
    monkeypatch.setattr(asking, "FIRST", 0.5)
    begin = time.perf_counter()
    with pytest.raises(ValueError, match=rf"speaks plain HTTP: try {server.url}"):
        challenge.connect(server.url.replace("http:", "https:"))
    assert time.perf_counter() - begin < 30


@pytest.mark.parametrize("left", ["", "half a tok"])
def test_a_token_file_that_was_cut_short_is_made_anew(server, tmp_path, left):
    tokens.kept(tmp_path, server.url, server.connect().about["id"], "Team A")
    (path,) = tmp_path.iterdir()
    path.write_text(left)
    assert challenge.connect(server.url, token_dir=tmp_path).register("Team A ").team == "Team A"
    assert len(path.read_text()) == 43 and list(tmp_path.iterdir()) == [path]


def test_a_token_is_never_half_written(server, tmp_path, monkeypatch):
    def power_cut(_) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(tokens.os, "fsync", power_cut)
        with pytest.raises(KeyboardInterrupt):
            challenge.connect(server.url, token_dir=tmp_path).register("A")
    assert challenge.connect(server.url, token_dir=tmp_path).register("A").team == "A"


@pytest.mark.parametrize("links", [True, False])
def test_two_notebooks_at_once_are_one_team(server, tmp_path, monkeypatch, links):
    """The second one registers while the first is about to keep its token; some disks know no links."""
    clients, fsync = [], os.fsync

    def unknown(*_) -> None:
        raise OSError

    def second(descriptor: int) -> None:
        monkeypatch.setattr(tokens.os, "fsync", fsync)
        clients.append(challenge.connect(server.url, token_dir=tmp_path).register("A"))
        fsync(descriptor)

    if not links:
        monkeypatch.setattr(tokens.pathlib.Path, "hardlink_to", unknown)
    monkeypatch.setattr(tokens.os, "fsync", second)
    clients.append(challenge.connect(server.url, token_dir=tmp_path).register("A"))
    assert [client.team for client in clients] == ["A", "A"] and len(list(tmp_path.iterdir())) == 1
    assert challenge.connect(server.url, token_dir=tmp_path).register("A").team == "A"


def test_a_name_is_one_however_it_is_typed(server, tmp_path):
    first = challenge.connect(server.url, token_dir=tmp_path).register("Solo ")
    again = challenge.connect(server.url, token_dir=tmp_path).register("solo")
    assert first.team == again.team == "Solo" and first._token == again._token


@pytest.mark.parametrize("answer", [b"", b"<html>", b'{"error"', b"[]", b"HTTP"])
def test_a_refusal_that_says_nothing_is_a_sentence(answer, monkeypatch):
    head = f"HTTP/1.1 413 Too Large\r\nContent-Length: {len(answer) + (answer == b'HTTP')}\r\n\r\n".encode()

    def refuse(listener: socket.socket) -> None:
        with listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(head + answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=refuse, args=[listener], daemon=True).start()
        with pytest.raises(ValueError, match=r"answers 413; is the address right"):
            challenge.connect(f"127.0.0.1:{listener.getsockname()[1]}")


@pytest.mark.parametrize("dripping", ["head", "body", "refusal"])
def test_an_answer_that_comes_in_drops_is_given_up(monkeypatch, dripping):
    """One byte each 50 ms never runs into the timeout of a socket."""
    monkeypatch.setattr(asking, "EACH" if dripping == "refusal" else "FIRST", 0.4)  # the refusal's head has time
    status = b"413 Too Large" if dripping == "refusal" else b"200 OK"
    head = b"HTTP/1.1 " + status + b"\r\nContent-Length: 100000\r\n"
    begin = b"" if dripping == "head" else head + b"\r\n"

    def drip(listener: socket.socket) -> None:
        with contextlib.suppress(OSError), listener.accept()[0] as connection:
            connection.sendall(begin)
            for byte in head * 100:  # 200 seconds and more
                connection.sendall(bytes([byte]))
                time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=[listener], daemon=True).start()
        begun = time.perf_counter()
        with pytest.raises(ValueError, match="answers 413" if dripping == "refusal" else "no answer from .*timed out"):
            challenge.connect(f"127.0.0.1:{listener.getsockname()[1]}")
        assert time.perf_counter() - begun < 60


@pytest.mark.parametrize("lacking", ["id", "name", "files", "class_names", "test_images"])
def test_a_description_that_lacks_something_is_no_challenge(server, impostor, lacking):
    about = server.connect().about
    for changed in ({lacking: None}, {}):
        Impostor.about = json.dumps({name: about[name] for name in about if name != lacking} | changed).encode()
        with pytest.raises(ValueError, match="is no challenge; is the address right"):
            challenge.connect(impostor)


@pytest.mark.parametrize("answer", [b"{}", b"[]", b"<html>", b'{"team": 7}', b"\xff"])
def test_an_answer_that_lacks_something_is_said(server, impostor, monkeypatch, tmp_path, answer):
    Impostor.about = json.dumps(server.connect().about).encode()
    client = challenge.connect(impostor, token_dir=tmp_path)
    monkeypatch.setattr(client._asker, "send", lambda *_, **__: answer)
    client.team = "A"
    for ask in (lambda: client.register("A"), lambda: client.submit(np.zeros(200, int)), client.leaderboard):
        with pytest.raises(ValueError, match="this is no answer of a challenge"):
            ask()
    client.about["files"]["train"] = hashlib.sha256(answer).hexdigest()
    with pytest.raises(ValueError, match=r"train\.npz is no file of a challenge"):
        client.download()


def test_a_busy_server_is_asked_again(server, monkeypatch):
    """Another program holds the database's lock until the client waits for it."""
    client, waited = server.connect().register("A"), []
    with contextlib.closing(sqlite3.connect(server.folder / "private" / making.DATABASE)) as other:
        other.execute("BEGIN IMMEDIATE")
        sleeping = types.SimpleNamespace(sleep=lambda seconds: (waited.append(seconds), other.rollback()))
        sleeping.monotonic = time.monotonic
        monkeypatch.setattr(asking, "time", sleeping)
        assert client.submit(np.zeros(200, int)).counted
    assert waited == [1.0]  # as long as the server asked for

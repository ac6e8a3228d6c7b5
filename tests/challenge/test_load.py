"""A hundred teams at once, and a server that is killed while they send: every answered submission is kept, once."""

import contextlib
import json
import pathlib
import sqlite3
import statistics
import subprocess
import sys
import threading
import time

import crowd
import numpy as np
import psutil
import pytest
from arena import ask, teams

from course_lib.challenge import asking, making

TEAMS = 100
IMAGES = 500


def send(clients: list, predictions: list, within: float = 1.0) -> tuple[list[float], dict, list[ValueError]]:
    """All submit at random moments `within` so many seconds: how long each answer took, the answers, the errors."""
    seconds, answers, errors = [], {}, []
    moments = np.random.RandomState(len(clients)).random_sample(len(clients)) * within

    def submit(client, mine, moment: float) -> None:
        time.sleep(moment)
        begin = time.perf_counter()
        try:
            answers[client.team] = client.submit(mine, note=f"note of {client.team}")
        except ValueError as error:
            errors.append(error)
        seconds.append(time.perf_counter() - begin)

    threads = [threading.Thread(target=submit, args=pair) for pair in zip(clients, predictions, moments, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seconds, answers, errors


def kept(folder) -> list[dict]:
    with making.opened(folder) as store:
        return store.submissions()


@pytest.mark.parametrize(("form", "median"), [("indices", 0.2), ("scores", 0.5)])
def test_a_hundred_teams_within_a_second(make, serve, tmp_path, form, median):
    folder = make(test_images=IMAGES)
    server = serve(folder)
    clients = teams(server.url, TEAMS, tmp_path / "tokens")
    process = psutil.Process(server.process.pid)

    def processor() -> float:
        return sum(process.cpu_times()[:2])

    before = processor()
    for _ in range(TEAMS):
        ask(server, "GET", "/api/challenge")
    easy = processor() - before
    draws = np.random.RandomState(1)
    sizes = (TEAMS, IMAGES) if form == "indices" else (TEAMS, IMAGES, 10)
    sent = draws.randint(10, size=sizes) if form == "indices" else draws.standard_normal(sizes)
    before, here, machine = processor(), time.process_time(), psutil.cpu_times()
    seconds, answers, errors = send(clients, list(sent))
    used = processor() - before
    spent = [now - then for now, then in zip(psutil.cpu_times(), machine, strict=True)]
    idle = spent[machine._fields.index("idle")] + used + time.process_time() - here
    others = 1 - idle / sum(spent)
    print(f"server: {used:.2f} s of the processor for {TEAMS} submissions, {easy:.2f} s for as many descriptions")
    print(f"{form}: median {statistics.median(seconds):.3f} s, longest {max(seconds):.3f} s, {len(errors)} errors")
    assert errors == [] and len(answers) == TEAMS
    rows = kept(folder)
    assert sorted(row["team"] for row in rows) == sorted(client.team for client in clients)  # none lost, none doubled
    assert all(answers[row["team"]].public == row["public"] for row in rows)
    # so a second's submissions do not pile up; on a busy machine every answer costs more
    assert used < max(0.8, 10 * easy)
    print(f"meanwhile others used {others:.0%} of the machine's processors")
    assert statistics.median(seconds) <= (median if others < 0.2 else 15)  # a busy machine lets everybody wait


def killed(make, serve, tmp_path, monkeypatch, rounds: int, count: int) -> None:
    """Kills the server in the middle of each round and starts it again; the clients ask until it answers."""
    monkeypatch.setattr(asking, "PAUSES", (*asking.PAUSES, *[6.0] * 20))  # a busy machine takes its time to start it
    folder = make(test_images=IMAGES, daily_limit=rounds, total_limit=rounds)
    server, answered, repeated = serve(folder), {}, 0
    clients = teams(server.url, count, tmp_path / "tokens")
    for number in range(rounds):
        sent = np.random.RandomState(number).randint(10, size=(count, IMAGES))
        moment = 0.4 * np.random.RandomState(number).random_sample()
        killer = threading.Timer(moment, lambda: (server.kill(), server.start()))
        killer.start()
        _, answers, errors = send(clients, list(sent), within=0.4)
        killer.join()
        assert errors == [] and len(answers) == count
        repeated += sum(not answer.counted for answer in answers.values())  # kept, but killed before it was answered
        rows = kept(folder)
        assert len(rows) == (number + 1) * count
        assert {row["team"]: row["public"] for row in rows[-count:]} == {team: answers[team].public for team in answers}
        assert answered.items() <= {(at, row["team"]): row["public"] for at, row in enumerate(rows)}.items()
        answered = {(at, row["team"]): row["public"] for at, row in enumerate(rows)}
        with contextlib.closing(sqlite3.connect(folder / "private" / making.DATABASE)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    print(f"{rounds} kills: {len(answered)} submissions answered and kept once, {repeated} of them asked for again")


def test_a_killed_server_keeps_what_it_answered(make, serve, tmp_path, monkeypatch):
    killed(make, serve, tmp_path, monkeypatch, rounds=2, count=40)


@pytest.mark.slow
def test_a_server_killed_forty_times_keeps_what_it_answered(make, serve, tmp_path, monkeypatch):
    killed(make, serve, tmp_path, monkeypatch, rounds=40, count=TEAMS)


@pytest.mark.slow
def test_a_class_that_looks_lets_others_send(make, serve, tmp_path):
    """100 teams with 100 submissions each, 100 pages that look every 3 s, 20 connections that read without a pause."""
    from test_connections import fill

    server = serve(make(test_images=2_000, daily_limit=1_000, total_limit=1_000))
    fill(server.folder, TEAMS - 5)
    clients = teams(server.url, 5, tmp_path / "tokens")
    process = psutil.Process(server.process.pid)
    seconds = []
    command = [sys.executable, str(pathlib.Path(crowd.__file__)), str(server.port), "100", "20", "25"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as looking:
        time.sleep(3)
        before = sum(process.cpu_times()[:2])
        began = time.perf_counter()
        for number in range(40):
            begin = time.perf_counter()
            clients[number % 5].submit(np.random.RandomState(number).randint(10, size=2_000))
            seconds.append(time.perf_counter() - begin)
            time.sleep(0.4)
        used = (sum(process.cpu_times()[:2]) - before) / (time.perf_counter() - began)
        told = json.loads(looking.communicate()[0])
    print(f"submissions: median {statistics.median(seconds):.3f} s, longest {max(seconds):.3f} s; {told}")
    print(f"server: {used:.1%} of one processor core")
    assert told["pages_refused"] == 0
    assert statistics.median(seconds) <= 0.3

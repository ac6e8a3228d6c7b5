"""What the tests of the challenge share: a server as a process of its own, its secrets, requests, and teams."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import secrets
import subprocess
import sys
import time
import types
import urllib.parse

import numpy as np
import ports

from course_lib import common
from course_lib.challenge import store
from course_lib.challenge.client import Client, connect

TOKEN = "t" * 43
STARTING = PATIENCE = 300  # seconds for a Python to start, and for an answer, on a busy machine


class PortTaken(Exception):
    """Another program got the port that was free a moment ago."""


class ServeProcess:
    """`python -m course_lib challenge serve`, on a free port, as the instructor starts it.

    `popen` goes to `subprocess.Popen`, for limits of the process; what it prints lies in `output`.
    """

    def __init__(self, folder: pathlib.Path, *options: str, **popen):
        self.folder = folder
        self.options = options
        self.popen = popen
        self.output = folder.with_name(f"output-{secrets.token_hex(4)}.txt")
        while True:  # another process may take the port before the server does
            self.port = ports.free()
            self.url = f"http://127.0.0.1:{self.port}"
            with contextlib.suppress(PortTaken):
                self.start()
                return

    def start(self) -> None:
        command = [sys.executable, "-m", "course_lib", "challenge", "serve", "random", "--data", str(self.folder)]
        command += ["--port", str(self.port), *self.options]
        environment = os.environ | {"COURSE_OFFLINE": "1"}
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                command, cwd=common.ROOT, env=environment, stdout=output, stderr=output, **self.popen
            )
        end = time.monotonic() + STARTING
        while time.monotonic() < end:
            with contextlib.suppress(OSError, http.client.HTTPException):
                ask(self, "GET", "/api/challenge")  # it listens before it has printed and checked everything
                return
            if self.process.poll() is not None:
                said = self.output.read_text().rstrip()
                taken = "is in use by another program" in said.rpartition("\n")[2]
                raise (PortTaken if taken else AssertionError)(said)
            time.sleep(0.05)
        raise AssertionError("the server does not answer")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def truth(folder: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    """The labels, and which of them are public: read as no team can."""
    with np.load(folder / "private" / "labels.npz") as kept:
        return kept["labels"], kept["public"]


def set_clock(monkeypatch, days: int) -> None:
    """The clock of a server in this process stands just after midnight, so many days from now."""
    now, local = time.localtime(), time.localtime
    then = time.mktime((now.tm_year, now.tm_mon, now.tm_mday + days, 0, 0, 1, 0, 0, -1))
    clock = types.SimpleNamespace(time=lambda: then, mktime=time.mktime)
    clock.localtime = lambda seconds=None: local(then if seconds is None else seconds)
    monkeypatch.setattr(store, "time", clock)


def teams(url: str, count: int, tokens: pathlib.Path) -> list[Client]:
    """Registered clients, one per team."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda number: connect(url, token_dir=tokens).register(f"team {number}"), range(count)))


def ask(server, method: str, path: str, body: bytes | None = None, token: str = TOKEN, **headers):
    """Status, headers and body of the answer; `source` is the address that asks."""
    source = headers.pop("source", "127.0.0.1")
    headers = {"Content-Type": "text/csv", "Authorization": f"Bearer {token}"} | headers
    netloc = urllib.parse.urlsplit(server.url).netloc
    connection = http.client.HTTPConnection(netloc, timeout=PATIENCE, source_address=(source, 0))
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, answer.headers, content


def register(server, team: str, code: str = "", **options) -> tuple[int, dict]:
    """Status and content of a registration."""
    query = urllib.parse.urlencode({"team": team})
    status, _, content = ask(server, "POST", f"/api/teams?{query}", code.encode(), **options)
    return status, json.loads(content)

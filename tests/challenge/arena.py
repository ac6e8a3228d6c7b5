"""What the tests of the challenge share: a server as a process of its own, its secrets, and teams."""

import concurrent.futures
import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import time

import numpy as np

from course_lib import common
from course_lib.challenge.client import Client, connect


class ServeProcess:
    """`python -m course_lib challenge serve`, on a free port, as the instructor starts it."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "course_lib", "challenge", "serve", "random", "--data", str(self.folder)]
        environment = os.environ | {"COURSE_OFFLINE": "1"}
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port)], cwd=common.ROOT, env=environment, stdout=subprocess.DEVNULL
        )
        for _ in range(1200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            assert self.process.poll() is None, "the server ended"
            time.sleep(0.05)
        raise AssertionError("the server does not answer")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def truth(folder: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    """The labels, and which of them are public: read as no team can."""
    with np.load(folder / "private" / "labels.npz") as kept:
        return kept["labels"], kept["public"]


def teams(url: str, count: int, tokens: pathlib.Path) -> list[Client]:
    """Registered clients, one a team."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda number: connect(url, token_dir=tokens).register(f"team {number}"), range(count)))

"""Ports for servers that tests start: below those that a system gives away by itself, and of each test process its own.

A port that was free a moment ago is then still free when the server opens it, also a second time.
"""

import itertools
import os
import socket

FIRST, EACH, PROCESSES = 15_000, 1_000, 16
_PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % PROCESSES
_offered = itertools.count(os.getpid())  # two runs of the tests at once begin at different ones


def free() -> int:
    """A port of this machine on which nothing listens."""
    while True:
        port = FIRST + EACH * _PROCESS + next(_offered) % EACH
        try:
            socket.create_server(("", port)).close()
        except OSError:
            continue
        return port

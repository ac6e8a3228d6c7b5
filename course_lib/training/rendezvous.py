"""The rendezvous of a cluster's machines, before TensorFlow starts.

TensorFlow waits for the other machines inside one call that prints nothing and that Ctrl-C does not end. So the
machines wait for each other in Python first. Each listens on its own port and asks all others, until each knows of
every other that it has reached all. Then they close the ports, and TensorFlow, which opens them again, need not wait.
"""

import contextlib
import dataclasses
import json
import socket
import threading
import time

PAUSE = 0.2  # seconds before a machine is asked again
PATIENCE = 10.0  # seconds for one answer: who asks gives up only where nothing will come any more


@dataclasses.dataclass(frozen=True)
class Machine:
    """One machine of the cluster: its type and number, its address."""

    kind: str
    index: int
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.kind} {self.index} at {self.host}:{self.port}"


class Rendezvous:
    """Inside `with`, this machine answers on its port and asks `others`; `wait` returns when all have reached all.

    A question, and its answer, is one line of JSON: the machine that sends it, and whether all others have answered it.
    """

    def __init__(self, this: Machine, others: list[Machine]):
        self.this = this
        self.others = others
        self.states = dict.fromkeys(others, "not asked yet")
        self.present: set[Machine] = set()  # they have answered
        self.complete: set[Machine] = set()  # they have said that all have answered there
        self.informed: set[Machine] = set()  # they have heard the same from here
        self.mistake = ""
        self.over = threading.Event()

    def __enter__(self) -> "Rendezvous":
        both = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if both else socket.AF_INET
        try:
            self.listener = socket.create_server(("", self.this.port), family=family, dualstack_ipv6=both)
        except OSError as error:
            raise RuntimeError(
                f"port {self.this.port} of this machine, {self.this}, cannot be opened ({error.strerror}): another "
                "program has it, or another process was given the same task in TF_CONFIG"
            ) from error
        self.listener.settimeout(PAUSE)
        self.answering = threading.Thread(target=self._answer, daemon=True)
        self.answering.start()
        for other in self.others:
            threading.Thread(target=self._ask, args=[other], daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        self.answering.join()  # then the port is closed

    def wait(self, seconds: float) -> None:
        """Returns when every machine knows of every other that it has reached all.

        Raises:
            RuntimeError: that is not so within `seconds`, or another machine has another TF_CONFIG.
        """
        end = time.monotonic() + seconds
        while not len(self.complete) == len(self.informed) == len(self.others):
            if self.over.wait(PAUSE / 4):
                raise RuntimeError(self.mistake)
            if time.monotonic() > end:
                reached = self.complete & self.informed
                missing = "; ".join(f"{each} ({self.states[each]})" for each in self.others if each not in reached)
                raise RuntimeError(
                    f"{self.this} has waited {seconds:g} s in vain for {missing}. Start the program on every machine; "
                    "check the addresses in TF_CONFIG, and that no firewall closes the ports. COURSE_CLUSTER_WAIT in "
                    "the environment sets how many seconds to wait"
                )

    def _message(self) -> bytes:
        said = {"machines": len(self.others) + 1, "kind": self.this.kind, "index": self.this.index}
        return json.dumps({**said, "complete": len(self.present) == len(self.others)}).encode() + b"\n"

    def _answer(self) -> None:
        with self.listener:
            while not self.over.is_set():
                with contextlib.suppress(OSError):  # nobody asks, or somebody has hung up
                    connection, _ = self.listener.accept()
                    with connection:
                        connection.settimeout(PATIENCE)
                        said = _read(connection)
                        answer = self._message()
                        connection.sendall(answer)
                        if json.loads(answer)["complete"]:
                            self.informed |= {each for each in self.others if _is(said, each)}

    def _ask(self, other: Machine) -> None:
        while other not in self.complete and not self.over.wait(PAUSE):
            try:
                with socket.create_connection((other.host, other.port), PATIENCE) as connection:
                    connection.sendall(self._message())
                    self._hear(other, _read(connection))
            except (OSError, UnicodeError) as error:  # UnicodeError: no name of a machine
                self.states[other] = getattr(error, "strerror", None) or str(error)

    def _hear(self, other: Machine, said: dict) -> None:
        if not said:
            self.states[other] = "another program answers"
        elif said["machines"] != len(self.others) + 1 or not _is(said, other):
            self.mistake = (
                f"the machine at {other.host}:{other.port} has another TF_CONFIG: there it is {said['kind']} "
                f"{said['index']} of {said['machines']} machines, here {other.kind} {other.index} of "
                f"{len(self.others) + 1}. Give all the same cluster, and each its own task"
            )
            self.over.set()
        else:
            self.states[other] = "it waits for others itself"
            self.present.add(other)
            if said["complete"]:
                self.complete.add(other)


def _read(connection: socket.socket) -> dict:
    """What the machine at the other end says; empty where it is no machine of a cluster."""
    try:
        said = json.loads(connection.makefile("rb").readline(1000))
        return said if {"machines", "kind", "index", "complete"} <= said.keys() else {}
    except (ValueError, AttributeError):
        return {}


def _is(said: dict, machine: Machine) -> bool:
    return bool(said) and (said["kind"], said["index"]) == (machine.kind, machine.index)

"""Has a student's function judged: the function in a process of its own, the judge out of its reach.

The judge calls a stand-in, which sends the arguments to the other process and waits for what comes back.
"""

import contextlib
import dataclasses
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading

from course_lib import common
from course_lib.classroom import sandboxed
from course_lib.exercises import judging
from course_lib.exercises.question import Question

LONGEST_ANSWER = 50_000_000  # characters that a function may return
STARTING_SECONDS = 300  # until the process is ready for the answer, on a busy machine too: that is not the student's
KERAS_SECONDS = 60  # what is built with Keras takes several more


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a student's function may use."""

    seconds: int = 30
    memory: int = 2_000_000_000  # bytes
    address_space: int = 10_000_000_000  # bytes; TensorFlow reserves far more than it uses
    file_size: int = 1_000_000  # bytes of a file in its own folder


@dataclasses.dataclass(frozen=True)
class Judged:
    """What became of one answer: is it right, what to reply, and what it did that no answer should."""

    right: bool
    reply: str
    incident: str = ""


class FunctionStoppedError(Exception):
    """The student's function raised an error, or its process was ended."""


def judge(question: Question, source: str, name: str, limits: Limits) -> Judged:
    """Returns what the question's judge says of the function `name` that the program `source` defines."""
    if not source or not name.isidentifier():
        return Judged(False, "The source of the function was not handed in.")
    incidents: list[str] = []
    try:
        with Process(question, source, name, limits, incidents) as process:
            problem = process.reply() if question.returns_object else _problem(question, process)
    except FunctionStoppedError as error:
        problem = f"Your function stopped with {error}"
        if "MemoryError" in problem:
            incidents.append(f"asked for more than {limits.memory / 1e9:g} GB of memory")
    reply = question.because if problem is None else str(problem)[:1000]
    return Judged(problem is None, reply, "; ".join(dict.fromkeys(incidents)))


def _problem(question: Question, process: "Process") -> str | None:
    try:
        return question.judge(process.call)
    except FunctionStoppedError:
        raise
    except Exception as error:  # the judge met a value it cannot compute with
        return judging.not_checked(f"{type(error).__name__}: {error}")


class Process:
    """A process that holds one student's function; a context manager, which ends it."""

    def __init__(self, question: Question, source: str, name: str, limits: Limits, incidents: list[str]):
        self.incidents = incidents
        self.limits = limits
        self.job = {
            "source": source,
            "name": name,
            "lesson": question.lesson,
            "question": question.name,
            "judge": question.returns_object,
            "limits": dataclasses.asdict(limits),
        }
        heavy = question.returns_object or any(library in source for library in sandboxed.HEAVY)
        self.seconds = limits.seconds + KERAS_SECONDS * heavy
        self.ended_by_time = False

    def __enter__(self) -> "Process":
        self.folder = tempfile.TemporaryDirectory(prefix="answer-", ignore_cleanup_errors=True)
        self.process = subprocess.Popen(
            [*without_network(), sys.executable, "-B", "-m", sandboxed.__name__],
            cwd=self.folder.name,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._limit(STARTING_SECONDS)
        try:
            self._send(self.job)
            self._receive()  # started
            self.timer.cancel()
            self._limit(self.seconds)
            self._receive()  # ready
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.timer.cancel()
        self._kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        self.folder.cleanup()

    def call(self, *arguments: object, **named: object) -> object:
        """Calls the student's function.

        Raises:
            FunctionStoppedError: it raised an error, took too long, or returned what cannot be handed over.
        """
        self._send({"arguments": sandboxed.encode(list(arguments)), "named": sandboxed.encode(named)})
        answer = self._receive()
        try:
            return sandboxed.decode(answer.get("value"))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise FunctionStoppedError(f"ValueError: {error}") from None

    def reply(self) -> str | None:
        """The reply of a judge that runs beside the function."""
        return self._receive().get("reply")

    def _send(self, message: dict) -> None:
        with contextlib.suppress(OSError):  # it has ended; what is received next says why
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()

    def _receive(self) -> dict:
        while True:
            line = self.process.stdout.readline(LONGEST_ANSWER)
            if not line.endswith(b"\n"):
                raise FunctionStoppedError(self._reason(too_long=len(line) >= LONGEST_ANSWER))
            message = json.loads(line)
            if "tried" in message:
                self.incidents.append(f"tried {message['tried']} (refused)")
            elif "failed" in message or "error" in message:
                raise FunctionStoppedError(str(message.get("failed") or message.get("error")))
            else:
                return message

    def _reason(self, too_long: bool) -> str:
        if self.ended_by_time:
            self.incidents.append(f"was stopped after {self.seconds} s")
            return f"TimeoutError: it was not done after {self.seconds} seconds."
        if too_long:
            self.incidents.append("returned more than can be read")
            return "ValueError: it returned more than can be read."
        self.incidents.append("ended its process")
        return "its process, which must not end."

    def _limit(self, seconds: int) -> None:
        self.timer = threading.Timer(seconds, self._end)
        self.timer.start()

    def _end(self) -> None:
        self.ended_by_time = True
        self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()


def environment() -> dict[str, str]:
    """What the process knows: where the course is, and nothing of the grader's other variables."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LANG") if name in os.environ}
    threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    return {**kept, **threads, "PYTHONPATH": str(common.ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}


@functools.cache
def without_network() -> tuple[str, ...]:
    """The command that starts a program without a network, empty where the system has or permits none."""
    for command in (("unshare", "--net"), ("unshare", "--user", "--map-root-user", "--net")):
        try:
            if subprocess.run([*command, "true"], capture_output=True, timeout=10).returncode == 0:
                return command
        except (OSError, subprocess.SubprocessError):
            continue
    return ()

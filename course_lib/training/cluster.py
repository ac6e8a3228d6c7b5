"""A cluster of machines: reads and checks TF_CONFIG, waits for the other machines, then lets TensorFlow join them."""

import contextlib
import dataclasses
import faulthandler
import functools
import json
import os
import re
import signal
import threading
from collections.abc import Iterator

import tensorflow as tf

from course_lib import common
from course_lib.training.rendezvous import Machine, Rendezvous

WAIT = 120.0  # seconds, unless COURSE_CLUSTER_WAIT says otherwise
TRAINING = ("chief", "worker")  # types of task; the first machine writes and prints
EXAMPLE = '{"cluster": {"worker": ["10.0.0.1:12345", "10.0.0.2:12345"]}, "task": {"type": "worker", "index": 0}}'


@dataclasses.dataclass(frozen=True)
class Cluster:
    """All machines that train, the chief first; `this` is the one that runs this process."""

    machines: tuple[Machine, ...]
    this: Machine


def read_cluster() -> Cluster:
    """The cluster that TF_CONFIG describes.

    Raises:
        ValueError: TF_CONFIG does not say, as cluster managers set it, who they are and which of them this is.
    """
    if not os.environ.get("TF_CONFIG", "").strip():
        raise _refused("TF_CONFIG is not set on this machine.")
    try:
        config = json.loads(os.environ["TF_CONFIG"])
        jobs = config["cluster"]
        kind = str(config["task"]["type"])
        index = int(str(config["task"]["index"]))
        addresses = {name: list(jobs[name]) for name in TRAINING if name in jobs}
    except (ValueError, KeyError, TypeError):
        raise _refused("TF_CONFIG has another form than it should.") from None
    if kind not in addresses:
        raise _refused(f"No machine of task type {kind!r} trains in this cluster.")
    if not 0 <= index < len(addresses[kind]):
        raise _refused(f"Task index {index} is not among the {len(addresses[kind])} of type {kind}, counted from 0.")
    if len(addresses.get("chief", ())) > 1:
        raise _refused("There are two chiefs, and one at most may be.")
    machines = [Machine(name, i, *_address(text)) for name in addresses for i, text in enumerate(addresses[name])]
    addressed = [(machine.host.lower(), machine.port) for machine in machines]
    if twice := {address for address in addressed if addressed.count(address) > 1}:
        raise _refused(f"Two machines have one address, {':'.join(map(str, min(twice)))}.")
    return Cluster(tuple(machines), next(each for each in machines if (each.kind, each.index) == (kind, index)))


def _address(text: object) -> tuple[str, int]:
    host, _, port = str(text).rpartition(":")
    if not re.fullmatch(r"[^\s/]+", host) or not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise _refused(f"{text!r} is no address: it must be host:port, with a port from 1 to 65535.")
    return host.strip("[]"), int(port)  # IPv6 stands in brackets


def _refused(reason: str) -> ValueError:
    return ValueError(
        f"{reason} devices='multi_worker' needs TF_CONFIG in each machine's environment, with all machines and its "
        f"own number: {EXAMPLE}; here it is {os.environ.get('TF_CONFIG', '')!r}"
    )


def is_chief() -> bool:
    """Whether this machine of the cluster is the one that writes and prints."""
    cluster = read_cluster()
    return cluster.this == cluster.machines[0]


@functools.cache
def join_cluster() -> tf.distribute.Strategy:
    """Makes this process a part of the cluster that TF_CONFIG describes, as soon as all its machines have started.

    Raises:
        ValueError: TF_CONFIG describes no cluster, or COURSE_CLUSTER_WAIT is no number of seconds.
        RuntimeError: TensorFlow has started on its own, this machine's port is taken, the others do not come or
            have another TF_CONFIG.
    """
    cluster = read_cluster()
    seconds = _seconds()
    if _tensorflow_has_started():
        raise RuntimeError(
            "a cluster must be joined before TensorFlow starts, so before data is loaded: begin the program with "
            "course_lib.setup(multi_worker=True)"
        )
    others = [machine for machine in cluster.machines if machine != cluster.this]
    if others:
        print(f"{cluster.this} waits for {', '.join(map(str, others))}, at most {seconds:g} s", flush=True)
    with Rendezvous(cluster.this, others) as rendezvous:
        rendezvous.wait(seconds)
    if others:
        print(f"all are there; TensorFlow joins them, or ends this process after {seconds:g} s", flush=True)
    with _ended_after(seconds):
        return tf.distribute.MultiWorkerMirroredStrategy()


def _seconds() -> float:
    text = os.environ.get("COURSE_CLUSTER_WAIT") or WAIT
    try:
        return common.number("COURSE_CLUSTER_WAIT", float(text), 1)
    except ValueError:
        raise ValueError(f"COURSE_CLUSTER_WAIT must be seconds to wait, at least 1, not {text!r}") from None


def _tensorflow_has_started() -> bool:
    """Whether TensorFlow has started: then it refuses another number of threads, as it would refuse the cluster."""
    threads = tf.config.threading.get_inter_op_parallelism_threads()
    try:
        tf.config.threading.set_inter_op_parallelism_threads(threads + 1)
    except RuntimeError:
        return True
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    return False


@contextlib.contextmanager
def _ended_after(seconds: float) -> Iterator[None]:
    """Inside, the system ends this process after `seconds`, or at Ctrl-C: Python itself may not get to run."""
    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.SIG_DFL) if in_main else None
    with open(os.devnull, "w") as nowhere:  # the stack of Python's calls goes there: it helps nobody
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
            if in_main:
                signal.signal(signal.SIGINT, before)

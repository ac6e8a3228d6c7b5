"""Two machines of a cluster, played by two processes: killed in the midst, started again, equal to one machine.

And what comes before: TF_CONFIG is checked, and the machines wait for each other only as long as they say.
"""

import json
import os
import pathlib
import re
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time

import numpy as np
import ports
import pytest

from course_lib import common
from course_lib.training import Recipe, cluster, train
from course_lib.training.rendezvous import Machine, Rendezvous

WORKER = pathlib.Path(__file__).with_name("cluster_worker.py")
PATIENCE = 300.0  # seconds: a busy machine
INTERRUPTIBLE = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # pytest may run as "… &"


def free_addresses(count: int) -> list[str]:
    return [f"127.0.0.1:{ports.free()}" for _ in range(count)]


def start(run_dir: pathlib.Path, *death: str) -> list[subprocess.Popen]:
    """Both machines; what each says goes to a file, for a full pipe would hold it up."""
    addresses, started = free_addresses(2), []
    for index in range(2):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environment = {**os.environ, "TF_CONFIG": json.dumps(config), "OMP_NUM_THREADS": "1"}
        environment |= {"PYTHONPATH": str(common.ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "COURSE_CLUSTER_WAIT": "600"}
        with run_dir.with_name(f"said{index}").open("w") as said:
            command = [sys.executable, WORKER, run_dir, *death]
            started.append(subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env=environment))
    return started


def said(run_dir: pathlib.Path, index: int) -> str:
    return run_dir.with_name(f"said{index}").read_text(encoding="utf-8")


def test_a_cluster_that_loses_a_machine_and_is_started_again(tmp_path):
    import cluster_worker

    run_dir = tmp_path / "run"
    survivor, victim = start(run_dir, "2")
    try:
        victim.wait(timeout=600)
        survivor.wait(timeout=300)  # seconds, on a busy machine more: TensorFlow would wait for ever
    finally:
        for process in (survivor, victim):
            process.kill()
    message = said(run_dir, 0).strip().splitlines()[-1]
    assert message.startswith("RuntimeError: another machine of the cluster has stopped answering"), said(run_dir, 0)
    assert "Start all of them again" in message
    assert sorted(path.name[:16] for path in run_dir.glob("checkpoint-*")) == ["checkpoint-00001", "checkpoint-00002"]

    for process in start(run_dir):
        assert process.wait(timeout=600) == 0, said(run_dir, 0) + said(run_dir, 1)
    assert "continues after epoch 2 of 4" in said(run_dir, 0)
    results = [json.loads(said(run_dir, index).rsplit("RESULT ")[1]) for index in range(2)]
    assert results[0]["weights"] == results[1]["weights"] and results[0]["history"] == results[1]["history"]
    for line in ("epoch 4/4", "continues after"):  # the chief alone prints
        assert line in said(run_dir, 0) and line not in said(run_dir, 1)

    alone = cluster_worker.run_of(str(tmp_path / "alone"), 1, [])
    for weights, expected in zip(results[0]["weights"], alone.model.get_weights(), strict=True):
        np.testing.assert_allclose(weights, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    for name, values in alone.history.items():
        np.testing.assert_allclose(results[0]["history"][name], values, rtol=1e-5)
    assert len((run_dir / "history.csv").read_text().splitlines()) == 5


def described(*workers: str, index: object = 0, kind: str = "worker", **others: list) -> str:
    return json.dumps({"cluster": {"worker": workers, **others}, "task": {"type": kind, "index": index}})


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("", "TF_CONFIG is not set on this machine"),
        ("worker", "another form"),
        ("{}", "another form"),
        (described("a:1", index=1.5), "another form"),
        ('{"cluster": {"worker": 1}, "task": {"type": "worker", "index": 0}}', "another form"),
        (described("a:1", index=1), "index 1 is not among the 1 of type worker"),
        (described("a:1", index=-1), "index -1 is not among"),
        (described("a:1", kind="chief"), "No machine of task type 'chief'"),
        (described("a:1", kind="ps", ps=["b:1"]), "No machine of task type 'ps'"),
        (described("a:1", chief=["b:1", "c:1"]), "two chiefs"),
        (described("a:1", "b"), r"'b' is no address.*port from 1 to 65535"),
        (described("a:1", "b:0"), "'b:0' is no address"),
        (described("a:1", "b:65536"), "'b:65536' is no address"),
        (described("a:1", "http://b:1"), "'http://b:1' is no address"),
        (described("a:1", ""), "'' is no address"),
        (described("a:1", "A:1"), "one address, a:1"),
        (described("a:1", chief=["a:1"]), "one address, a:1"),
    ],
)
def test_without_a_cluster(config, reason, tiny, split, recipe, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(ValueError, match=rf"{reason}.* needs TF_CONFIG in each machine's environment, .* here it is"):
        train(tiny, split, recipe=recipe, epochs=1, devices="multi_worker")


def test_the_first_machine_is_the_chief(monkeypatch):
    for config, first in {
        described("a:1", "[::1]:2", index="0"): True,
        described("a:1", "b:1", index=1): False,
        described("a:1", chief=["c:1"]): False,
        described("a:1", chief=["c:1"], kind="chief"): True,
    }.items():
        monkeypatch.setenv("TF_CONFIG", config)
        assert cluster.is_chief() is first


@pytest.mark.parametrize("seconds", ["soon", "0", "-1", "nan", "inf"])
def test_the_time_to_wait_is_a_number_of_seconds(seconds, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", described("127.0.0.1:1"))
    monkeypatch.setenv("COURSE_CLUSTER_WAIT", seconds)
    with pytest.raises(ValueError, match=f"COURSE_CLUSTER_WAIT must be seconds to wait.*{seconds}"):
        cluster.join_cluster()


def machines(count: int) -> list[Machine]:
    return [Machine("worker", i, *cluster._address(text)) for i, text in enumerate(free_addresses(count))]


def meet(index: int, everyone: list[Machine], seconds: float = PATIENCE, **known: str) -> None:
    """Waits as a machine does; before its `seconds` begin, until it knows of the others what `known` says."""
    with Rendezvous(everyone[index], [each for each in everyone if each.index != index]) as rendezvous:
        end = time.monotonic() + PATIENCE
        while not all(re.match(known.get(f"of_{each.index}", ""), said) for each, said in rendezvous.states.items()):
            assert time.monotonic() < end, rendezvous.states
            time.sleep(0.05)
        rendezvous.wait(seconds)


def test_machines_that_come_one_after_the_other_all_meet():
    everyone, met = machines(3), []
    threads = [threading.Thread(target=lambda i=i: met.append(meet(i, everyone))) for i in range(3)]
    for thread in threads:
        assert not met
        thread.start()
        time.sleep(0.5)
    for thread in threads:
        thread.join(PATIENCE)
    assert len(met) == 3
    for each in everyone:  # TensorFlow can have it
        socket.create_server(("", each.port)).close()


def test_a_machine_that_does_not_come_is_named_by_all_others():
    everyone, said = machines(3), {}

    def wait(index, seconds):
        here = {f"of_{1 - index}": "it waits for others itself", "of_2": "Connection refused"}
        with pytest.raises(RuntimeError) as error:
            meet(index, everyone, seconds, **here)
        said[index] = str(error.value)

    threads = [threading.Thread(target=wait, args=[index, 2 + index]) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert f"worker 1 at 127.0.0.1:{everyone[1].port} (it waits for others itself); worker 2" in said[0]
    for index, text in said.items():
        assert f"waited {2 + index} s in vain" in text and "COURSE_CLUSTER_WAIT" in text
        assert f"worker 2 at 127.0.0.1:{everyone[2].port} (Connection refused)" in text


def test_a_name_that_no_machine_can_have():
    (this,) = machines(1)
    with pytest.raises(RuntimeError, match=r"worker 1 at a\.\.b:1 \(.*label"):
        meet(0, [this, Machine("worker", 1, "a..b", 1)], 1, of_1="(?!not asked yet)")


def test_another_program_at_the_address_is_no_machine():
    everyone = machines(2)

    class Greeting(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

    with socketserver.TCPServer((everyone[1].host, everyone[1].port), Greeting) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        with pytest.raises(RuntimeError, match="another program answers"):
            meet(0, everyone, 1, of_1="another program")
        other.shutdown()


@pytest.mark.parametrize("other", [Machine("worker", 0, "a", 1), Machine("chief", 1, "a", 1)])
def test_a_machine_with_another_tf_config_ends_the_waiting(other):
    everyone = machines(2)
    there = Machine(other.kind, other.index, everyone[1].host, everyone[1].port)
    with (
        Rendezvous(there, [everyone[0]]),
        pytest.raises(RuntimeError, match=rf"there it is {other.kind} {other.index} of 2"),
    ):
        meet(0, everyone)


def test_a_port_that_is_taken():
    everyone = machines(2)
    with (
        socket.create_server(("", everyone[0].port)),
        pytest.raises(RuntimeError, match=r"cannot be opened.*same task"),
    ):
        meet(0, everyone)


def setting_up(address: str, **environment: str) -> subprocess.Popen:
    """The first of two machines, with the second at `address`."""
    variables = {**os.environ, "PYTHONPATH": str(common.ROOT), **environment}
    variables["TF_CONFIG"] = described(*free_addresses(1), address)
    return subprocess.Popen(
        [sys.executable, "-c", f"{INTERRUPTIBLE}; import course_lib; course_lib.setup(multi_worker=True)"],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_who_is_waited_for_is_said_and_control_c_ends_it():
    machine = setting_up("127.0.0.1:9")
    line = machine.stdout.readline()
    assert re.fullmatch(r"worker 0 at .* waits for worker 1 at 127\.0\.0\.1:9, at most 120 s\n", line)
    machine.send_signal(signal.SIGINT)
    assert machine.communicate(timeout=PATIENCE)[0].strip().endswith("KeyboardInterrupt")


def test_a_machine_that_stops_before_tensorflow_joins_holds_the_others_no_longer_than_said():
    """TensorFlow itself would wait for an hour, deaf to Ctrl-C."""
    (second,) = machines(1)
    machine = setting_up(f"{second.host}:{second.port}", COURSE_CLUSTER_WAIT="5")
    port = int(re.search(r":(\d+) waits", machine.stdout.readline())[1])
    meet(1, [Machine("worker", 0, "127.0.0.1", port), Machine("worker", 1, second.host, second.port)])
    assert machine.stdout.readline() == "all are there; TensorFlow joins them, or ends this process after 5 s\n"
    assert machine.wait(timeout=PATIENCE) == 1


def test_a_cluster_is_joined_before_tensorflow_starts(tiny, split, monkeypatch):
    task = {"cluster": {"worker": ["127.0.0.1:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(task))
    with pytest.raises(RuntimeError, match=r"begin the program with course_lib.setup\(multi_worker=True\)"):
        train(tiny, split, recipe=Recipe(), epochs=1, devices="multi_worker")

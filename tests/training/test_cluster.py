"""Two machines of a cluster, played by two processes: killed in the midst, started again, equal to one machine."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from course_lib import common
from course_lib.training import Recipe, train

WORKER = pathlib.Path(__file__).with_name("cluster_worker.py")


def free_addresses(count: int) -> list[str]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return addresses


def start(run_dir: pathlib.Path, *death: str) -> list[subprocess.Popen]:
    """Both machines; what each says goes to a file, for a full pipe would hold it up."""
    addresses, started = free_addresses(2), []
    for index in range(2):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environment = {**os.environ, "TF_CONFIG": json.dumps(config), "OMP_NUM_THREADS": "1"}
        environment |= {"PYTHONPATH": str(common.ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
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
        victim.wait(timeout=120)
        died = time.monotonic()
        survivor.wait(timeout=60)
        assert time.monotonic() - died < 30
    finally:
        for process in (survivor, victim):
            process.kill()
    message = said(run_dir, 0).strip().splitlines()[-1]
    assert message.startswith("RuntimeError: another machine of the cluster has stopped answering"), said(run_dir, 0)
    assert "Start all of them again" in message
    assert sorted(path.name[:16] for path in run_dir.glob("checkpoint-*")) == ["checkpoint-00001", "checkpoint-00002"]

    for process in start(run_dir):
        assert process.wait(timeout=120) == 0, said(run_dir, 0) + said(run_dir, 1)
    assert "continues after epoch 2 of 4" in said(run_dir, 0)
    results = [json.loads(said(run_dir, index).rsplit("RESULT ")[1]) for index in range(2)]
    assert results[0]["weights"] == results[1]["weights"] and results[0]["history"] == results[1]["history"]
    assert "epoch 4/4" in said(run_dir, 0) and "epoch 4/4" not in said(run_dir, 1)  # the chief alone speaks

    alone = cluster_worker.run_of(str(tmp_path / "alone"), 1, [])
    for weights, expected in zip(results[0]["weights"], alone.model.get_weights(), strict=True):
        np.testing.assert_allclose(weights, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    for name, values in alone.history.items():
        np.testing.assert_allclose(results[0]["history"][name], values, rtol=1e-5)
    assert len((run_dir / "history.csv").read_text().splitlines()) == 5


@pytest.mark.parametrize(
    "config",
    [
        "",
        "worker",
        "{}",
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "ps", "index": 0}}',
    ],
)
def test_without_a_cluster(config, tiny, split, recipe, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(ValueError, match=r"needs TF_CONFIG in each machine's environment, .* here it is"):
        train(tiny, split, recipe=recipe, epochs=1, devices="multi_worker")


def test_a_cluster_is_joined_before_tensorflow_starts(tiny, split, monkeypatch):
    task = {"cluster": {"worker": ["127.0.0.1:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(task))
    with pytest.raises(RuntimeError, match=r"begin the program with course_lib.setup\(multi_worker=True\)"):
        train(tiny, split, recipe=Recipe(), epochs=1, devices="multi_worker")

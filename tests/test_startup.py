"""`course_lib.setup`: quiet where TensorFlow chatters, and nowhere else; devices before TensorFlow starts."""

import concurrent.futures
import io
import os
import re
import subprocess
import sys

import pytest

import course_lib
from course_lib import startup

NOISE = (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "I0000 00:00:1795363567.937188    6570 port.cc:153] oneDNN custom operations are on. You may see",
    "2026-11-22 16:05:59.515387: I external/local_xla/xla/tsl/cuda/cudart_stub.cc:31] "
    "Could not find cuda drivers on your machine, GPU will not be used.",
    "2026-11-22 16:05:59.555267: I tensorflow/core/platform/cpu_feature_guard.cc:210] "
    "This TensorFlow binary is optimized to use available CPU instructions",
    "To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow",
    "E0000 00:00:1795363570.585016    6570 cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA error: "
    "Failed call to cuInit: UNKNOWN ERROR (303)",
    "E0000 00:00:1736163964.084812 3415088 cuda_dnn.cc:8310] Unable to register cuDNN factory: Attempting",
    "I0000 00:00:1795967457.392973   18112 grpc_server_lib.cc:466] Started server with target: grpc://localhost:23456",
    "",
)
NEWS = (
    "E0000 00:00:1795363570.585016    6570 cuda_platform.cc:52] failed call to cuInit: UNKNOWN ERROR (999)",
    "F0000 00:00:1795363570.585016    6570 port.cc:153] oneDNN custom operations are on",  # fatal
    "UserWarning: oneDNN custom operations are on",
    "Traceback (most recent call last):",
)


def run(code: str, before: str = "", **environment: str) -> subprocess.CompletedProcess:
    """`before`, `import course_lib` and `code` in a fresh Python, in which no data set is looked for."""
    code = f"{before}\nimport course_lib, course_lib.datasets as d; d.digits_status = lambda: 'digits'\n{code}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COURSE_", "TF_"))}
    return subprocess.run(
        [sys.executable, "-c", code], env={**kept, **environment}, capture_output=True, text=True, timeout=600
    )


def test_setup_is_quiet_and_makes_logical_devices_once():
    done = run(
        "course_lib.setup(logical_cpus=2); course_lib.setup(2); course_lib.setup()\n"
        "import tensorflow as tf; print(len(tf.config.list_logical_devices('CPU')))\n"
        "try: course_lib.setup(logical_cpus=3)\nexcept RuntimeError as error: print(error)"
    )
    assert done.returncode == 0 and done.stderr == ""
    *lines, devices, error = done.stdout.splitlines()
    assert devices == "2" and len(lines) == 3 and len(set(lines)) == 1
    assert re.fullmatch(
        rf"Python 3\.\S+, TensorFlow 2\.\S+, Keras 3\.\S+ \| {startup.cpu_cores()} CPU cores as 2 logical devices, .*"
        r" \| digits \| profile (quick|full)",
        lines[0],
    )
    assert "with 2 CPU device(s)" in error and "restart the kernel and pass logical_cpus=3 to setup" in error


ONEDNN_LINE = "oneDNN custom operations are on"  # TensorFlow's own word for it
EARLY = "import tensorflow\n"
needs_x86 = pytest.mark.skipif(not startup.X86, reason="oneDNN is for x86 processors")


@needs_x86
@pytest.mark.parametrize(
    ("before", "environment", "line"),
    [
        ("", {startup.ONEDNN: "0"}, r"CPU cores, oneDNN off \(TF_ENABLE_ONEDNN_OPTS=0\), "),
        (EARLY, {}, r"oneDNN (on|off: TensorFlow was imported too early; .*restart the kernel and call setup first), "),
    ],
)
def test_onednn_is_on_where_the_user_does_not_forbid_it(before, environment, line):
    """The line and TensorFlow agree; that it is on by itself, `test_two_seeded_runs…` says."""
    done = run("course_lib.setup()", before, COURSE_VERBOSE="1", TF_CPP_MIN_LOG_LEVEL="0", **environment)
    assert re.search(line, done.stdout), done.stdout
    assert ("oneDNN on" in done.stdout) == (ONEDNN_LINE in done.stderr)


@needs_x86
@pytest.mark.parametrize(("flags", "said"), [({"avx2"}, "oneDNN off: "), ({"avx2", "avx_vnni"}, "oneDNN on")])
def test_onednn_of_a_tensorflow_that_was_imported_too_early(monkeypatch, flags, said):
    monkeypatch.delenv(startup.ONEDNN)
    monkeypatch.setattr(startup, "_processor_flags", lambda: flags)
    assert said in startup._describe_devices()
    startup.turn_on_onednn()  # too late: it would be said to be on
    assert startup.ONEDNN not in os.environ


def test_the_warning_about_retracing_alone_is_silenced():
    code = """
import tensorflow as tf
traced = []
def trace():
    traced.append(square := tf.function(lambda x: x * x))
    for number in range(9):
        square(number)
    tf.get_logger().warning("mind the gap")
trace()
course_lib.setup()
course_lib.setup()
trace()
"""
    plain, after, rest = run(code).stderr.split("mind the gap")
    assert "triggered tf.function retracing" in plain
    assert "retracing" not in after + rest


def test_two_seeded_runs_with_onednn_are_equal_bit_for_bit():
    code = """
import hashlib, keras, numpy as np
from keras import layers
from course_lib.training import Recipe, train
draws = np.random.default_rng(0)
data = draws.integers(0, 256, (150, 16, 16, 3)).astype("uint8"), draws.integers(0, 4, 150)
def build():
    maps = [layers.Conv2D(24, 3, activation="relu"), layers.Conv2D(32, 3, strides=2), layers.BatchNormalization()]
    return keras.Sequential([keras.Input((16, 16, 3)), *maps, layers.Flatten(), layers.Dropout(0.3), layers.Dense(4)])
course_lib.setup()
for _ in range(2):
    run = train(build, data, recipe=Recipe(batch_size=40), epochs=2, progress=False, seed=5)
    print(hashlib.sha256(b"".join(each.tobytes() for each in run.model.get_weights())).hexdigest(), run.history)
"""

    def verbose(code: str) -> subprocess.CompletedProcess:
        return run(code, COURSE_VERBOSE="1", TF_CPP_MIN_LOG_LEVEL="0")

    with concurrent.futures.ThreadPoolExecutor() as both:
        done, other = both.map(verbose, [code] * 2)
    (line, *first), (_, *second) = (each.stdout.splitlines() for each in (done, other))
    assert re.search(r"CPU cores, oneDNN on, ", line) or not startup.X86
    assert ("oneDNN on" in line) == (ONEDNN_LINE in done.stderr)
    assert len(first) == 2 and len({*first, *second}) == 1


def test_verbose_hides_nothing(monkeypatch, capfd):
    monkeypatch.setenv("COURSE_VERBOSE", "1")
    with startup.quiet_start():
        os.write(2, f"{NOISE[1]}\n".encode())
    assert "oneDNN" in capfd.readouterr().err


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "2", True])
def test_logical_cpus_must_be_a_count(wrong):
    with pytest.raises(ValueError, match="logical_cpus"):
        course_lib.setup(logical_cpus=wrong)


@pytest.mark.parametrize("line", NOISE)
def test_known_lines_are_dropped(line, capfd):
    with startup.quiet_start():
        os.write(2, f"{line}\n".encode())
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("line", NEWS)
def test_other_lines_are_printed_again(line, capfd):
    with startup.quiet_start():
        os.write(2, f"{NOISE[1]}\n{line}\n".encode())
    assert capfd.readouterr().err == f"{line}\n"


def test_warnings_and_errors_of_python_come_through():
    """In a fresh Python, because in a plain terminal, unlike under pytest, `sys.stderr` is descriptor 2."""
    done = run(
        "import warnings\nfrom course_lib import startup\n"
        "with startup.quiet_start():\n    warnings.warn('mind the gap')\n    raise OSError('no room')"
    )
    assert "UserWarning: mind the gap" in done.stderr and "OSError: no room" in done.stderr


def test_descriptor_is_given_back_after_an_error(capfd):
    with pytest.raises(KeyError), startup.quiet_start():
        os.write(2, b"said before the error\n")
        raise KeyError("inside")
    os.write(2, b"said after it\n")
    assert capfd.readouterr().err == "said before the error\nsaid after it\n"


def test_no_descriptor_is_left_open():
    def next_free():
        descriptors = [os.dup(2) for _ in range(3)]
        for descriptor in descriptors:
            os.close(descriptor)
        return descriptors

    before = next_free()
    with startup.quiet_start():
        pass
    assert next_free() == before


def test_closed_stderr_is_left_alone():
    done = run(
        "import os; from course_lib import startup; os.close(0); os.close(2)\n"
        "with startup.quiet_start(): print('started')\n"
        "try: os.fstat(2)\nexcept OSError: print('still closed')"
    )
    assert done.stdout.splitlines() == ["started", "still closed"]


def test_stderr_replaced_as_in_a_notebook(monkeypatch, capfd):
    """There `sys.stderr` is not descriptor 2: what it is given appears, and so does an unknown line."""
    notebook = io.StringIO()
    monkeypatch.setattr(sys, "stderr", notebook)
    with startup.quiet_start():
        print("from Python", file=sys.stderr)
        os.write(2, b"from C++\n")
    assert notebook.getvalue() == "from Python\nfrom C++\n"


def test_profile(monkeypatch):
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    assert course_lib.profile("full") == "full" and course_lib.profile("quick") == "quick"
    monkeypatch.setenv("COURSE_PROFILE", "full")
    assert course_lib.profile() == "full" and course_lib.profile("quick") == "full"
    monkeypatch.setenv("COURSE_PROFILE", "fast")
    with pytest.raises(ValueError, match=r"unknown profile 'fast'.*auto, full, quick"):
        course_lib.profile("quick")


@pytest.mark.parametrize(("gpus", "expected"), [([], "quick"), (["a GPU"], "full")])
def test_automatic_profile_follows_the_gpu(monkeypatch, gpus, expected):
    import tensorflow as tf

    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    assert course_lib.profile("auto") == expected

"""The first cell of a lesson: start TensorFlow quietly, say in one line what this machine offers.

TensorFlow's C++ code writes a dozen lines to file descriptor 2 while it starts, whatever its log level.
`quiet_start` holds them back, drops those it knows to be harmless and prints every other one again.
Python's warnings and errors are not among the known ones, so they always come through.
`COURSE_VERBOSE=1` lets everything through as it is written.

`import course_lib` turns on oneDNN, Intel's faster convolutions, by the environment variable that TensorFlow reads
when it is imported; where the variable is set already, it stays as it is. TensorFlow itself leaves oneDNN off on
Windows and on processors without AVX-512 VNNI, AVX-VNNI or AMX: convolutions then take two to three times as long.
"""

import contextlib
import gc
import logging
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator

from course_lib import common

PROFILES = ("quick", "full")
ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
X86 = platform.machine() in ("x86_64", "AMD64")  # the processors that it is for
# flags of the processors on which TensorFlow turns it on itself
BY_DEFAULT = {"avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_int8", "amx_bf16"}

# "I0000 00:00:1795363401.894576    5599 port.cc:153] " or
# "2026-11-22 16:05:59.515387: I tensorflow/core/util/port.cc:153] "
LOG_PREFIX = r"(?:[IWE]\d{4} [^\]]*|\d{4}-\d\d-\d\d [^\]]*: [IWE] [^\]]*)\] "
HARMLESS = (
    "oneDNN custom operations are on",  # rounding differs in the last digits
    "Could not find cuda drivers on your machine",  # a machine without an NVIDIA GPU
    r"failed call to cuInit: .*(?:UNKNOWN ERROR \(303\)|no CUDA-capable device)",  # the same
    "This TensorFlow binary is optimized to use available CPU instructions",
    r"Unable to register cu\w+ factory",  # a plugin registered twice
    "computation placer already registered",
    "TF-TRT Warning: Could not find TensorRT",  # the course never uses it
    "Started server with target",  # a machine of a cluster
    "successful NUMA node read from SysFS had negative value",  # common on virtual machines
    r"Created device /job:localhost/\S* with \d+ MB memory",  # `setup` names the GPU itself
)
KNOWN_LINE = re.compile(
    rf"{LOG_PREFIX}(?:{'|'.join(HARMLESS)})"
    "|WARNING: All log messages before absl::InitializeLog"
    "|To enable the following instructions: "  # second line of the message on CPU instructions
    r"|\s*$"
)


def turn_on_onednn() -> None:
    """Makes TensorFlow use oneDNN, unless the user has decided, or TensorFlow is imported already."""
    if X86 and "tensorflow" not in sys.modules:
        os.environ.setdefault(ONEDNN, "1")


def setup(logical_cpus: int | None = None, multi_worker: bool = False) -> None:
    """Starts TensorFlow and prints one line: versions, devices, the digits there are, the profile.

    `logical_cpus` divides the CPU into that many devices, on which lessons show many-device training.
    TensorFlow fixes them when it starts; calling `setup` again with the same number, or none, is harmless.
    `multi_worker` joins the cluster that `TF_CONFIG` describes, for `train(devices="multi_worker")`; it says which
    machines it waits for, and gives up after 120 seconds, or as many as `COURSE_CLUSTER_WAIT` says.

    Raises:
        ValueError: `logical_cpus` is not a whole number of at least 1, or `TF_CONFIG` describes no cluster.
        RuntimeError: TensorFlow has already started, with another number of CPU devices or before the cluster; or the
            other machines do not come.
    """
    if logical_cpus is not None:
        common.at_least(1, logical_cpus=logical_cpus)
    with quiet_start():
        import keras
        import tensorflow as tf

        tf.get_logger().addFilter(_is_no_retracing)
        if logical_cpus is not None:
            _divide_cpu(logical_cpus)
        if multi_worker:  # first of all: TensorFlow starts as a part of the cluster, or cannot join it
            from course_lib.training import cluster

            cluster.join_cluster()
        devices = _describe_devices()
        from course_lib import datasets

        digits = datasets.digits_status()
    gc.freeze()  # Python need not look again and again through the half million objects that importing made
    versions = f"Python {platform.python_version()}, TensorFlow {tf.__version__}, Keras {keras.__version__}"
    print(f"{versions} | {devices} | {digits} | profile {profile()}")


def profile(value: str = "auto") -> str:
    """`"quick"` or `"full"`: `COURSE_PROFILE` if set, else `value`; `"auto"` is quick unless a GPU is found.

    Raises:
        ValueError: a profile of another name.
    """
    value = os.environ.get("COURSE_PROFILE") or value
    if value not in (*PROFILES, "auto"):
        raise common.unknown("profile", value, (*PROFILES, "auto"))
    if value != "auto":
        return value
    with quiet_start():
        import tensorflow as tf

        return "full" if tf.config.list_physical_devices("GPU") else "quick"


def cpu_cores() -> int:
    """How many CPU cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux, where a container may offer fewer than the machine has
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _is_no_retracing(record: logging.LogRecord) -> bool:
    """Drops TensorFlow's warning that functions are compiled again and again: each training call compiles its own."""
    return "triggered tf.function retracing" not in record.getMessage()


def _divide_cpu(count: int) -> None:
    """Makes `count` logical CPU devices. Raises RuntimeError where TensorFlow has started with others."""
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    try:
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
        if count > 1:  # each has its share of the cores; else all would compete for all of them
            tf.config.threading.set_intra_op_parallelism_threads(max(1, cpu_cores() // count))
    except RuntimeError:
        present = len(tf.config.list_logical_devices("CPU"))
        if present != count:
            raise RuntimeError(
                f"TensorFlow has already started, with {present} CPU device(s): "
                f"restart the kernel and pass logical_cpus={count} to setup before anything else runs"
            ) from None


def _describe_devices() -> str:
    """The devices TensorFlow computes on, in words. Starts TensorFlow's runtime."""
    import tensorflow as tf

    tf.config.list_logical_devices()  # starts the runtime; in a cluster they are those of all machines
    parts = tf.config.get_logical_device_configuration(tf.config.list_physical_devices("CPU")[0]) or ()
    cpu = f"{cpu_cores()} CPU cores" + (f" as {len(parts)} logical devices" if len(parts) > 1 else "")
    gpus = [
        tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")
        for gpu in tf.config.list_physical_devices("GPU")
    ]
    return f"{cpu}{_describe_onednn()}, {', '.join(gpus) or 'no GPU'}"


def _describe_onednn() -> str:
    """Whether TensorFlow uses oneDNN, and what to do where it started too early for that; "" where it has none."""
    if not X86:
        return ""
    value = os.environ.get(ONEDNN)  # not set: TensorFlow was imported before course_lib
    if value is not None:
        return ", oneDNN on" if value.lower() in ("1", "true") else f", oneDNN off ({ONEDNN}={value})"
    if _processor_flags() & BY_DEFAULT:
        return ", oneDNN on"
    return ", oneDNN off: TensorFlow was imported too early; to be faster restart the kernel and call setup first"


def _processor_flags() -> set[str]:
    """What this processor can do, as Linux names it; empty elsewhere."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next((set(line.split()) for line in file if line.startswith("flags")), set())
    except OSError:
        return set()


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Holds back what is written to file descriptor 2 inside; then prints it again, less the known lines."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # from here on errors only
    if os.environ.get("COURSE_VERBOSE", "") not in ("", "0") or not _stderr_is_open():
        yield
        return
    with tempfile.TemporaryFile() as held:
        terminal = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
            held.seek(0)
            for line in held.read().decode(errors="replace").splitlines():
                if not KNOWN_LINE.match(line):
                    print(line, file=sys.stderr)


def _stderr_is_open() -> bool:
    """Whether file descriptor 2 leads anywhere: a service or a windowed Python may have closed it."""
    try:
        os.fstat(2)
    except OSError:
        return False
    return True

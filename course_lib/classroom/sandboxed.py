"""The process that runs one student's function: it reads calls from its standard input and answers on its output.

`sandbox` starts it. What goes over the two pipes is JSON, arrays as their bytes: nothing is unpickled on either side.
The judge is not here but in the grader's process, where the student's code cannot reach it. An exception are functions
that return an object, such as a network, or are given one, such as a tensor without numbers, which cannot be handed
over: their judge runs here, as confined as the function.
"""

import base64
import dataclasses
import json
import os
import sys
import tempfile
import traceback
import types

import numpy as np

from course_lib.classroom import confinement

PLAIN_KINDS = "biufc"  # arrays of these kinds of numbers are handed over
HEAVY = ("keras", "tensorflow", "course_lib", "scipy", "sklearn")  # imported before the process is confined


def encode(value: object) -> object:
    """Returns `value` as JSON can carry it; a dataclass arrives as an object with its fields.

    Raises:
        TypeError: it is neither a number, text, an array of numbers, nor a list, tuple, dict or dataclass of these.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is list:
        return [encode(part) for part in value]
    if type(value) is tuple:
        return {"tuple": [encode(part) for part in value]}
    if type(value) is dict:
        return {"dict": [[encode(key), encode(content)] for key, content in value.items()]}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):  # such as a challenge's data
        return {"fields": {field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)}}
    if hasattr(value, "__array__"):
        array = np.asarray(value)
        if array.dtype.kind in PLAIN_KINDS:
            data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
            return {"array": data, "type": array.dtype.str, "shape": list(array.shape)}
    raise TypeError(f"it returned a {type(value).__name__}, where numbers, arrays or text are expected")


def decode(value: object) -> object:
    """Returns what `encode` was given.

    Raises:
        ValueError: `encode` did not make this.
    """
    if isinstance(value, list):
        return [decode(part) for part in value]
    if not isinstance(value, dict):
        return value
    if "tuple" in value:
        return tuple(decode(part) for part in value["tuple"])
    if "dict" in value:
        return {decode(key): decode(content) for key, content in value["dict"]}
    if "fields" in value:
        return types.SimpleNamespace(**{name: decode(content) for name, content in value["fields"].items()})
    if set(value) != {"array", "type", "shape"} or np.dtype(value["type"]).kind not in PLAIN_KINDS:
        raise ValueError("this is no answer of a student's function")
    data = base64.b64decode(value["array"], validate=True)
    return np.frombuffer(data, np.dtype(value["type"])).reshape(value["shape"]).copy()


class Channel:
    """The two pipes, out of the way of the student's `print` and `input`."""

    def __init__(self):
        self.calls = os.fdopen(os.dup(0), "r", encoding="utf-8")
        self.answers = os.dup(1)
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)

    def next(self) -> dict | None:
        """The next call, or None where there are no more."""
        line = self.calls.readline()
        return json.loads(line) if line else None

    def tell(self, **answer: object) -> None:
        """Sends one line."""
        line = json.dumps(answer).encode() + b"\n"
        while line:
            line = line[os.write(self.answers, line) :]


def main() -> None:
    """Runs the job that comes first on standard input, then every call that follows."""
    channel = Channel()
    job = channel.next()
    judge = _judge(job) if job["judge"] else None
    for name in HEAVY:
        if name in job["source"]:
            __import__(name)
    confine(job, channel)
    channel.tell(started=True)
    try:
        namespace = {"__name__": "answer"}
        exec(compile(job["source"], "<answer>", "exec"), namespace)
        function = namespace[job["name"]]
    except BaseException as error:
        channel.tell(failed=_last_line(error))
        return
    channel.tell(ready=True)
    if judge is not None:
        channel.tell(reply=judge(function))
        return
    while (call := channel.next()) is not None:
        channel.tell(**_called(function, call))


def confine(job: dict, channel: Channel) -> None:
    """Confines this process for good to what a student's function needs."""
    folder = os.getcwd()
    tempfile.tempdir = folder  # TensorFlow writes the functions that it compiles into temporary files
    limits = job["limits"]
    heavy = any(name in job["source"] for name in HEAVY)
    room = limits["address_space"] if heavy or job["judge"] else limits["memory"]
    confinement.limit_resources(limits["memory"], room, limits["seconds"], limits["file_size"])
    confinement.lock_folder(folder)
    confinement.watch(folder, lambda tried: channel.tell(tried=tried))


def _called(function, call: dict) -> dict:
    try:
        return {"value": encode(function(*decode(call["arguments"]), **decode(call["named"])))}
    except BaseException as error:  # sys.exit() among them
        return {"error": _last_line(error)}


def _judge(job: dict):
    """The judge of a function whose result cannot be handed over, with what it imports loaded."""
    from course_lib.exercises import judging, lessons

    question = lessons.named(job["lesson"]).questions()[job["question"]]
    import IPython  # noqa: F401  asked for while the function is judged
    import keras  # noqa: F401  most of these judges look at a network

    return lambda function: judging.problem(question.judge, function)


def _last_line(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].strip()[:500]


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()

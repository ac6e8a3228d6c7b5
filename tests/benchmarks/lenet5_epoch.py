"""One epoch of `lenet5` over MNIST's 60,000 images, batch 128: ours, a tutorial's, PyTorch's. No network.

    python tests/benchmarks/lenet5_epoch.py [--alternations 9] [--torch PYTHON]

Each side is a process of its own that trains one epoch when told to. While another side is measured it is suspended:
one that only waits lets its threads spin, which costs the other side half its speed. A side's first epoch, which
compiles, is not counted. PYTHON (or the variable TORCH_PYTHON) is an interpreter that can
import torch; without one PyTorch is left out.
"""

import argparse
import functools
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import warnings

BATCH_SIZE, LEARNING_RATE, MOMENTUM = 128, 0.05, 0.9


class Turns:
    """A worker's end of the line: reports an epoch, then waits for the next turn."""

    def __init__(self):
        self.line = os.fdopen(os.dup(1), "w")
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  progress bars are drawn, but to nowhere
        self.began = time.perf_counter()

    def report(self, accuracy: float) -> None:
        print(time.perf_counter() - self.began, accuracy, file=self.line, flush=True)
        sys.stdin.readline()
        self.began = time.perf_counter()


def start_tensorflow() -> None:
    from course_lib import startup

    with startup.quiet_start():
        import tensorflow as tf

        tf.constant(0)


def keras_turns(turns: Turns):
    import keras

    class Turn(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            turns.report(logs["accuracy"])

    return Turn()


def ours(turns: Turns, epochs: int, _: str) -> None:
    start_tensorflow()
    from course_lib import datasets, models
    from course_lib.training import Recipe, train

    mnist = datasets.load("mnist", offline=True)
    digits = mnist.train.joined(mnist.validation).with_transform(datasets.paper_frame)
    recipe = Recipe(optimizer="sgd", learning_rate=LEARNING_RATE, momentum=MOMENTUM, batch_size=BATCH_SIZE)
    train(lambda: models.build("lenet5"), digits, recipe=recipe, epochs=epochs, callbacks=[keras_turns(turns)])


def tutorial(turns: Turns, epochs: int, _: str) -> None:
    """What tutorials do: a map for each image, nothing cached, `fit` with its own settings."""
    start_tensorflow()
    import keras
    import tensorflow as tf
    import tensorflow_datasets as tfds

    from course_lib import models

    def prepare(image, label):
        image = tf.pad(tf.cast(image, tf.float32) / 255.0, [[2, 2], [2, 2], [0, 0]])
        return image * 1.275 - 0.1, label

    train = tfds.load("mnist", split="train", as_supervised=True, shuffle_files=True, download=False)
    train = train.map(prepare, num_parallel_calls=tf.data.AUTOTUNE)
    train = train.shuffle(10_000).batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE)
    model = models.build("lenet5")
    model.compile(
        optimizer=keras.optimizers.SGD(LEARNING_RATE, momentum=MOMENTUM),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    warnings.simplefilter("ignore")  # fit's default shuffle=True means nothing for a dataset, and it says so
    model.fit(train, epochs=epochs, callbacks=[keras_turns(turns)])


def pytorch(turns: Turns, epochs: int, arrays: str) -> None:
    import numpy as np
    import torch
    from torch import nn

    with np.load(arrays) as file:
        images = torch.from_numpy(file["images"]).permute(0, 3, 1, 2).contiguous()
        labels = torch.from_numpy(file["labels"])
    model = nn.Sequential(
        *(nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.Tanh()),
        *(nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10)),
    )
    assert sum(weights.numel() for weights in model.parameters()) == 61_706
    optimizer = torch.optim.SGD(model.parameters(), LEARNING_RATE, momentum=MOMENTUM)
    for _ in range(epochs):
        total_loss, right = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for batch in torch.randperm(len(labels)).split(BATCH_SIZE):
            pixels = nn.functional.pad(images[batch].float() / 255, (2, 2, 2, 2)) * 1.275 - 0.1
            logits = model(pixels)
            loss = nn.functional.cross_entropy(logits, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                total_loss += loss * len(batch)
                right += (logits.argmax(1) == labels[batch]).sum()
        assert torch.isfinite(total_loss)
        turns.report(right.item() / len(labels))


SIDES = {"ours": ours, "tutorial": tutorial, "PyTorch": pytorch}


class Worker:
    """A side's process, as the one who measures sees it: suspended whenever it is not its turn."""

    def __init__(self, side: str, python: str, epochs: int, script: str, arguments: list[str]):
        import psutil  # here: an interpreter with torch need not have it

        print(f"{side}: starts, compiles and trains an epoch that is not counted", file=sys.stderr, flush=True)
        command = [python, script, "--side", side, "--epochs", str(epochs), *arguments]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        self.process = psutil.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.side, self.seconds, self.accuracy = side, [], 0.0
        self.read()

    def read(self) -> float:
        answer = self.process.stdout.readline().split()
        if not answer:
            sys.exit(f"{self.side} stopped with exit code {self.process.wait()}")
        self.process.suspend()
        self.accuracy = float(answer[1])
        return float(answer[0])

    def epoch(self) -> None:
        self.process.resume()
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.seconds.append(self.read())


def measured(start: list, alternations: int) -> list[Worker]:
    """The workers that the functions in `start` make, each measured once per alternation, in turn; then ended."""
    workers = []
    try:
        for each in start:
            workers.append(each())
        for turn in range(alternations):
            print(f"alternation {turn + 1} of {alternations}", file=sys.stderr, flush=True)
            for worker in workers if turn % 2 == 0 else reversed(workers):
                worker.epoch()
    finally:  # also where one has failed
        for worker in workers:
            worker.process.kill()
            worker.process.wait()
    return workers


def torch_version(python: str) -> str | None:
    done = subprocess.run(
        [python, "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None


def keep_arrays(path: str) -> None:
    """MNIST's 60,000 training images as arrays, for an interpreter without TensorFlow."""
    start_tensorflow()
    import numpy as np

    from course_lib import datasets

    mnist = datasets.load("mnist", offline=True)
    images, labels = mnist.train.joined(mnist.validation).arrays()
    np.savez(path, images=images, labels=labels)


def measure(alternations: int, torch_python: str | None) -> None:
    import ratios

    pythons = {"ours": sys.executable, "tutorial": sys.executable}
    version = torch_python and torch_version(torch_python)
    if version:
        pythons["PyTorch"] = torch_python
    with tempfile.TemporaryDirectory() as folder:
        arrays = str(pathlib.Path(folder) / "mnist.npz")
        keep_arrays(arrays)
        start = [
            functools.partial(Worker, side, python, alternations + 1, __file__, ["--arrays", arrays])
            for side, python in pythons.items()
        ]
        workers = measured(start, alternations)
    mine, *others = workers
    bars = {"tutorial": 0.65, "PyTorch": 1.05}
    for other in others:
        name = f"ours / {other.side}" + (f" {version}" if other.side == "PyTorch" else "'s")
        print(ratios.line(name, mine.seconds, other.seconds, bars[other.side]))
    reached = ", ".join(f"{worker.side} {worker.accuracy:.4f}" for worker in workers)
    print(f"training accuracy after {alternations + 1} epochs: {reached}")
    if not version:
        print("PyTorch was left out: give --torch PYTHON, an interpreter with torch 2.13.0")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alternations", type=int, default=9)
    parser.add_argument("--torch", metavar="PYTHON", default=os.environ.get("TORCH_PYTHON"))
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--epochs", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--arrays", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        SIDES[options.side](Turns(), options.epochs, options.arrays)
    else:
        measure(options.alternations, options.torch)


if __name__ == "__main__":
    main()

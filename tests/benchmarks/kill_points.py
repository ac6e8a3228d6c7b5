"""Kills training with SIGKILL at many moments, continues it, and compares the final weights bit for bit.

    python tests/benchmarks/kill_points.py [--points 100] [--seed 0]

The run has dropout, augmentation, BatchNorm, Adam and a schedule, all of whose states a checkpoint must hold. The
moments are uniform between the first step and the end; each fourth is inside the writing of a checkpoint, whose
rename is held back until the process is dead. A child is a fork of this process, which has imported TensorFlow
but not started it.
"""

import argparse
import hashlib
import os
import pathlib
import random
import signal
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
EPOCHS = 5


def train_here(folder: pathlib.Path, pipe, hold: int | None) -> None:
    """The child: trains in `folder`, and says so through `pipe`; holds the rename of its `hold`-th checkpoint."""
    import keras
    import numpy as np
    import tensorflow as tf

    from course_lib.batching import Split
    from course_lib.training import Recipe, train

    tf.config.threading.set_intra_op_parallelism_threads(2)
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (1200, 12, 12, 3)).astype(np.uint8)
    labels = generator.integers(0, 4, 1200)

    def shift(images, draws):
        return images if draws is None else images + 0.2 * draws.uniform(1)[:, :, None, None]

    def build():
        return keras.Sequential(
            [
                keras.Input((12, 12, 3)),
                keras.layers.Conv2D(12, 3, use_bias=False),
                keras.layers.BatchNormalization(),
                keras.layers.ReLU(),
                keras.layers.Dropout(0.3),
                keras.layers.Flatten(),
                keras.layers.Dropout(0.5),
                keras.layers.Dense(4),
            ]
        )

    class Tell(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            print("step", file=pipe, flush=True)

    if hold is not None:
        hold_rename(hold, pipe)
    data = Split(images, labels).with_transform(shift)
    recipe = Recipe("adam", 0.01, "cosine", weight_decay=1e-3, batch_size=50, steps_per_execution=1)
    run = train(
        build, data, recipe=recipe, epochs=EPOCHS, run_dir=folder, callbacks=[Tell()], progress=False,
        validation=data.take(100),
    )  # fmt: skip
    arrays = [variable.numpy().tobytes() for variable in [*run.model.variables, *run.model.optimizer.variables]]
    figures = repr(run.history).encode()
    print("end", hashlib.sha256(b"".join([*arrays, figures])).hexdigest(), file=pipe, flush=True)


def hold_rename(number: int, pipe) -> None:
    rename, count = pathlib.Path.replace, [0]

    def replace(self, target):
        if pathlib.Path(target).name.startswith("checkpoint-"):
            if count[0] == number:
                print("holding", file=pipe, flush=True)
                time.sleep(600)
            count[0] += 1
        return rename(self, target)

    pathlib.Path.replace = replace


class Child:
    """A fork that trains; its words come through a pipe."""

    def __init__(self, folder: pathlib.Path, hold: int | None = None):
        mine, its = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            status = 1
            try:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                train_here(folder, os.fdopen(its, "w"), hold)
                status = 0
            finally:
                os._exit(status)
        os.close(its)
        self.words = os.fdopen(mine)

    def until(self, word: str) -> str:
        """The line that begins with `word`, once it comes."""
        for line in self.words:
            if line.startswith(word):
                return line
        sys.exit(f"the child ended before it said {word!r}: run it alone to see why")

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self.end()

    def end(self) -> None:
        os.waitpid(self.pid, 0)
        self.words.close()


def finish(folder: pathlib.Path) -> tuple[str, float]:
    """Trains to the end: the checksum of all that came of it, and the seconds from the first step on."""
    child = Child(folder)
    first = child.words.readline()
    began = time.perf_counter()
    said = first if first.startswith("end") else child.until("end")
    child.end()
    return said, time.perf_counter() - began


def interrupt(folder: pathlib.Path, number: int, chance: random.Random, seconds: float) -> str:
    """Starts training and kills it at a moment that it returns in words."""
    if number % 4 == 3:
        hold = chance.randrange(EPOCHS + 1)
        child = Child(folder, hold)
        child.until("holding")
        child.kill()
        return f"inside the writing of checkpoint {hold}"
    moment = chance.uniform(0, seconds)
    child = Child(folder)
    child.until("step")
    time.sleep(moment)
    child.kill()
    return f"{moment:.2f} s after the first step"


def damaged(folder: pathlib.Path) -> list[str]:
    """Files that are not what their names say."""
    import zlib

    checkpoints = list(folder.glob("checkpoint-*.npz"))
    wrong = [path.name for path in checkpoints if f"{zlib.crc32(path.read_bytes()):08x}" not in path.name]
    return wrong + [path.name for path in folder.glob("*new*")] + ["no checkpoint"] * (not checkpoints)


def check(points: int, seed: int) -> int:
    """Kills and continues at `points` moments; returns how many results differ or files are damaged."""
    import course_lib.training.mirrored  # noqa: F401  imports what children need, TensorFlow among it

    chance, wrong = random.Random(seed), 0
    with tempfile.TemporaryDirectory() as top:
        expected, seconds = finish(pathlib.Path(top) / "whole")
        print(f"uninterrupted: {seconds:.2f} s from the first step to the end", flush=True)
        for number in range(points):
            folder = pathlib.Path(top) / str(number)
            moment = interrupt(folder, number, chance, seconds)
            left = sorted(path.name[:16] for path in folder.glob("checkpoint-*"))
            found, _ = finish(folder)
            same, broken = found == expected, damaged(folder)
            wrong += not same or bool(broken)
            print(f"{number:3}  killed {moment}, had {left}: {'identical' if same else 'DIFFERS'} {broken or ''}")
    print(f"{points - wrong} of {points} identical to the uninterrupted run, no file damaged")
    return wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sys.exit(bool(check(options.points, options.seed)))

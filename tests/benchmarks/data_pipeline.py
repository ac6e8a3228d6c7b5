"""A pass over MNIST in batches of 128, against TFDS's own Keras example. MNIST must be prepared; no network.

    python tests/benchmarks/data_pipeline.py [--first 5] [--later 9]

First pass: a fresh process each, from `load` to the last batch, imports not counted: once as on every day (our
loader keeps the decoded arrays), once as on the first day, with nothing kept. Later passes: in one process.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time

import ratios

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
BATCH_SIZE = 128
EXAMPLES = 60_000


def ours():
    """A function that returns the next pass over our batches."""
    from course_lib import datasets

    mnist = datasets.load("mnist", offline=True)
    train = mnist.train.joined(mnist.validation)
    epochs = iter(range(1_000_000))
    return lambda: train.batches(BATCH_SIZE, training=True, epoch=next(epochs))


def theirs():
    """The same for tensorflow.org/datasets/keras_example, step by step."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    def normalize_img(image, label):
        return tf.cast(image, tf.float32) / 255.0, label

    (train, _), info = tfds.load(
        "mnist", split=["train", "test"], shuffle_files=True, as_supervised=True, with_info=True, download=False
    )
    train = train.map(normalize_img, num_parallel_calls=tf.data.AUTOTUNE)
    train = train.cache()
    train = train.shuffle(info.splits["train"].num_examples)
    train = train.batch(BATCH_SIZE)
    train = train.prefetch(tf.data.AUTOTUNE)
    return lambda: train


SIDES = {"ours": ours, "theirs": theirs}


def seconds_of(run) -> float:
    began = time.perf_counter()
    seen = sum(int(labels.shape[0]) for _, labels in run())
    assert seen == EXAMPLES, seen
    return time.perf_counter() - began


def first_pass_here(side: str) -> float:
    from course_lib import startup

    with startup.quiet_start():
        import tensorflow as tf
        import tensorflow_datasets as tfds

        import course_lib.datasets.sources  # noqa: F401

        tf.constant(0)  # TensorFlow has started before the clock does
        tfds.builder("mnist")  # TFDS has imported all of its builders
    return seconds_of(lambda: SIDES[side]()())


def first_pass(side: str) -> float:
    done = subprocess.run([sys.executable, __file__, "--only", side], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return float(done.stdout.splitlines()[-1])


def first_pass_ever(side: str) -> float:
    """The same on a machine where MNIST was prepared, but never loaded by the course."""
    from course_lib import startup

    with startup.quiet_start():
        from course_lib.datasets import reading, sources

        shutil.rmtree(reading._kept_copy(sources.open_builder("mnist"), "train").parent, ignore_errors=True)
    return first_pass(side)


def alternate(count: int, measure) -> dict[str, list[float]]:
    """`count` measurements of each side, taking turns at being first."""
    seconds = {side: [] for side in SIDES}
    for turn in range(count):
        for side in sorted(SIDES, reverse=turn % 2 == 1):
            seconds[side].append(measure(side))
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=5, help="alternations of first passes")
    parser.add_argument("--later", type=int, default=9, help="alternations of later passes")
    parser.add_argument("--only", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(first_pass_here(options.only))
        return
    found = alternate(options.first, first_pass)
    print(ratios.line("first pass, load included", found["ours"], found["theirs"], bar=0.25), flush=True)
    found = alternate(options.first, first_pass_ever)
    print(ratios.line("first pass ever", found["ours"], found["theirs"]), flush=True)
    first_pass_here("ours")  # starts TensorFlow
    passes = {side: make() for side, make in SIDES.items()}
    for side in SIDES:
        seconds_of(passes[side])  # fills the cache
    found = alternate(options.later, lambda side: seconds_of(passes[side]))
    print(ratios.line("later passes", found["ours"], found["theirs"], bar=0.6))


if __name__ == "__main__":
    main()

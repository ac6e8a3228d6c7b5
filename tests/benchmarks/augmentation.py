"""AlexNet's whole augmentation (random crop, flip, PCA color) against gathering batches alone, in images a second.

    python tests/benchmarks/augmentation.py [--alternations 9]

64×64 color images, crops of 56×56, batches of 128; both sides in one process, one pass each in turn.
"""

import argparse
import os
import statistics
import time

import ratios

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
EXAMPLES, SIDE, CROP, BATCH_SIZE = 10_000, 64, 56, 128


def sides():
    import numpy as np

    from course_lib.batching import Split
    from course_lib.datasets import PCAColor, RandomCrop, RandomFlip

    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (EXAMPLES, SIDE, SIDE, 3)).astype("uint8")
    plain = Split(images, generator.integers(0, 10, EXAMPLES))
    augmented = plain.with_transform(RandomCrop(CROP)).with_transform(RandomFlip())
    return augmented.with_transform(PCAColor.of(images[:1000])), plain


def seconds_of(split, epoch: int) -> float:
    began = time.perf_counter()
    for _ in split.batches(BATCH_SIZE, training=True, epoch=epoch):
        pass
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alternations", type=int, default=9)
    count = parser.parse_args().alternations
    augmented, plain = sides()
    pairs = [(seconds_of(augmented, epoch), seconds_of(plain, epoch)) for epoch in range(count + 1)][1:]
    ours, theirs = ([pair[side] for pair in pairs] for side in (0, 1))
    print(ratios.line("augmented / gathered alone", ours, theirs))
    for name, times in (("augmented", ours), ("gathered alone", theirs)):
        print(f"{name:16} {EXAMPLES / statistics.median(times):10,.0f} images a second")


if __name__ == "__main__":
    main()

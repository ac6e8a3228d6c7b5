"""What watching the gradients costs in an epoch of ResNet-20, beside the same epoch unwatched; bar: 5 %.

Run from the checkout: PYTHONPATH=. python tests/benchmarks/gradient_watch.py [images]. Compiling, once, is printed
by itself: it takes the same seconds whatever the length of the training.
"""

import sys
import time

import keras
import numpy as np

from course_lib import models, visualization


class Timed(visualization.GradientWatch):
    """Says how long the first measurement, which compiles, takes."""

    def on_train_batch_begin(self, batch, logs=None):
        began, first = time.perf_counter(), not self._steps
        super().on_train_batch_begin(batch, logs)
        if first:
            self.compiling = time.perf_counter() - began


def main(count: int) -> None:
    random = np.random.default_rng(0)
    images, labels = random.uniform(size=(count, 32, 32, 3)).astype("float32"), np.arange(count) % 10
    model = models.build("resnet20")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    options = {"batch_size": 32, "verbose": 0, "shuffle": False}
    model.fit(images[:64], labels[:64], **options)  # compiles
    began = time.perf_counter()
    model.fit(images, labels, **options)
    plain = time.perf_counter() - began
    watch = Timed(images[:64], labels[:64])
    began = time.perf_counter()
    model.fit(images, labels, callbacks=[watch], **options)
    watched = time.perf_counter() - began - watch.compiling
    record = watch.record
    print(f"epoch of {count} images: {plain:.1f} s plain, {watched:.1f} s watched, ratio {watched / plain:.3f}")
    print(f"measured at steps {record['step'].tolist()}: {record['cost']:.1%} of the time (bar: 5 %)")
    print(f"compiling and the first measurement: {watch.compiling:.1f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2048)

"""What watching the gradients costs in an epoch of ResNet-20, beside the same epoch unwatched; bar: 5 %.

Run from the checkout: PYTHONPATH=. python tests/benchmarks/gradient_watch.py [alternations]. Compiling, once,
is printed by itself: it takes the same seconds whatever the length of the training. Processor time is compared, which
other work on the machine changes less than the clock.
"""

import sys
import time

import keras
import numpy as np
import ratios

from course_lib import models, visualization


class Timed(visualization.GradientWatch):
    """Says how long the first measurement, which compiles, takes."""

    def on_train_batch_begin(self, batch, logs=None):
        began, first = time.process_time(), not self._steps
        super().on_train_batch_begin(batch, logs)
        if first:
            self.compiling = time.process_time() - began


def main(alternations: int, count: int = 4096) -> None:
    random = np.random.default_rng(0)
    images, labels = random.uniform(size=(count, 32, 32, 3)).astype("float32"), np.arange(count) % 10
    model = models.build("resnet20")
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    options = {"batch_size": 32, "verbose": 0, "shuffle": False}
    model.fit(images, labels, **options)  # compiles
    plain, watched = [], []
    for _ in range(alternations):
        began = time.process_time()
        model.fit(images, labels, **options)
        plain.append(time.process_time() - began)
        watch = Timed(images[:64], labels[:64])
        began = time.process_time()
        model.fit(images, labels, callbacks=[watch], **options)
        watched.append(time.process_time() - began - watch.compiling)
        steps, cost = watch.record["step"].tolist(), watch.record["cost"]
        print(f"measured at steps {steps}: {cost:.1%} of the time; compiling took {watch.compiling:.1f} s")
    print(ratios.line(f"epoch of ResNet-20, {count} images", watched, plain, 1.05))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)

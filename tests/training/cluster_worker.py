"""One machine of the cluster in `test_cluster`, which runs this file: trains, and writes down what came of it.

TF_CONFIG=… python cluster_worker.py RUN_DIR [epoch, from 0, in whose middle worker 1 kills itself]
"""

import json
import os
import signal
import sys

import keras
import numpy as np
from keras import layers

import course_lib
from course_lib.batching import Split
from course_lib.training import Recipe, train


def build() -> keras.Model:
    """With BatchNorm, which is synchronized, and without dropout, whose masks no other number of devices repeats."""
    inputs = keras.Input((6, 6, 1))
    x = layers.Conv2D(4, 3, use_bias=False)(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)), name="small")


def jitter(images, draws):
    return images if draws is None else images + draws.uniform(1)[:, :, None, None]


class Die(keras.callbacks.Callback):
    """Ends worker 1 as a power cut would."""

    def __init__(self, epoch: int):
        super().__init__()
        self.when, self.worker = epoch, json.loads(os.environ["TF_CONFIG"])["task"]["index"]

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch, self.worker) == (self.when, 2, 1):
            os.kill(os.getpid(), signal.SIGKILL)


def run_of(run_dir: str, devices: object, callbacks: list):
    generator = np.random.default_rng(0)
    data = Split(generator.integers(0, 256, (53, 6, 6, 1)).astype(np.uint8), generator.integers(0, 3, 53))
    data = data.with_transform(jitter)
    recipe = Recipe("sgd", 0.05, batch_size=9, weight_decay=1e-3, synchronize_batch_norm=True, steps_per_execution=1)
    arguments = {"recipe": recipe, "epochs": 4, "validation": data.take(31), "run_dir": run_dir}
    return train(build, data, devices=devices, callbacks=callbacks, **arguments)


def main(run_dir: str, death: str | None = None) -> None:
    course_lib.setup(multi_worker=True)
    run = run_of(run_dir, "multi_worker", [Die(int(death))] if death else [])
    weights = [weight.tolist() for weight in run.model.get_weights()]
    print("RESULT", json.dumps({"weights": weights, "history": run.history, "rate": run.images_per_second}))


if __name__ == "__main__":
    main(*sys.argv[1:])

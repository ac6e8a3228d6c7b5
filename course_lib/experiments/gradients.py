"""What lets a deep network of dense layers learn: activation, initialization, normalization, skip connections."""

import itertools

import keras
import numpy as np
from keras import layers

from course_lib import datasets
from course_lib.batching import Split
from course_lib.experiments.data import some_digits
from course_lib.experiments.experiment import Experiment, Parts, Setting, data_id, last_validation_error, soonest
from course_lib.training import Recipe

INITIALIZATIONS = {"glorot": "glorot_uniform", "he": "he_normal"}
RECIPE = Recipe(learning_rate=0.02, batch_size=128)  # one for all, so that a cell differs from the next in one thing


def deep(
    *,
    depth: int = 20,
    width: int = 100,
    activation: str = "relu",
    initialization: str | keras.Initializer = "he",
    normalization: bool = False,
    skip: bool = False,
) -> keras.Model:
    """`depth` dense layers from 32×32 pixels to ten logits.

    `skip` adds the input of every two inner ones to their output, with nothing else on that path (He et al. 2016, arXiv
    1603.05027). `initialization` is "glorot", "he", or a Keras initializer without a seed.
    """

    def dense(x, units: int, number: int):
        # one initializer would draw the same numbers for every layer
        start = INITIALIZATIONS[initialization] if isinstance(initialization, str) else initialization.clone()
        return layers.Dense(units, kernel_initializer=start, name=f"dense{number}")(x)

    def activate(x, number: int):
        x = layers.BatchNormalization(name=f"norm{number}")(x) if normalization else x
        return layers.Activation(activation, name=f"{activation}{number}")(x)

    inputs = keras.Input((32, 32, 1))
    x = before = dense(layers.Flatten(name="flatten")(inputs), width, 1)
    for number in range(2, depth):
        x = dense(activate(x, number - 1), width, number)
        if skip and number % 2:
            x = before = layers.Add(name=f"add{number}")([x, before])
    return keras.Model(inputs, dense(activate(x, depth - 1), 10, depth), name="deep")


def sick() -> keras.Model:
    """Ten dense layers, nine with ReLU, that do not learn: the network to repair in lesson 04."""
    keras.utils.set_random_seed(0)
    return deep(depth=10, width=50, initialization=keras.initializers.RandomNormal(stddev=0.01))


def _grid() -> dict[str, Setting]:
    """Each remedy on and off, in all 24 combinations."""
    settings = {}
    for activation, initialization, normalization, skip in itertools.product(
        ("sigmoid", "tanh", "relu"), INITIALIZATIONS, (False, True), (False, True)
    ):
        name = f"{activation}, {initialization}" + ", normalized" * normalization + ", skip" * skip
        options = {
            "activation": activation,
            "initialization": initialization,
            "normalization": normalization,
            "skip": skip,
        }
        settings[name] = Setting(deep, RECIPE, epochs=8, data=some_digits, options=options)
    return settings


@data_id("mnist/framed, 2000 five times")
def two_thousand_digits() -> Parts:
    """MNIST in the 32×32 frame.

    Trained on the first 2,000, five times per epoch; validated on 2,000, tested on 10,000.
    """
    _, validation, test = some_digits()
    images, labels = (np.concatenate(5 * [each[:2_000]]) for each in datasets.load("mnist").train.arrays())
    return Split(images, labels).with_transform(datasets.paper_frame), validation.take(2_000), test


def _patience() -> dict[str, Setting]:
    """Networks of each depth and activation, with each of five learning rates, until 20 % training error."""
    initialization = {"sigmoid": "glorot", "tanh": "glorot", "relu": "he"}
    return {
        f"{activation} {depth}, rate {rate}": Setting(
            deep,
            Recipe(learning_rate=rate, batch_size=100),
            epochs=160,  # 800 passes over the digits
            data=two_thousand_digits,
            options={"depth": depth, "activation": activation, "initialization": start},
            measure_every=40,
            until=0.20,
            group=f"{activation} {depth}",
        )
        for activation, start in initialization.items()
        for depth in (3, 5, 7, 10, 20)
        for rate in (0.005, 0.03, 0.2, 1.0, 5.0)
    }


def _thirty() -> dict[str, Setting]:
    """ReLU at 20 and 30 layers from Glorot's and from He's start, each with four learning rates."""
    return {
        f"{depth} layers, {start}, rate {rate}": Setting(
            deep,
            Recipe(learning_rate=rate, batch_size=128),
            epochs=8,
            data=some_digits,
            options={"depth": depth, "initialization": start},
            measure_every=8,
            group=f"{depth} layers, {start}",
        )
        for depth in (20, 30)
        for start in INITIALIZATIONS
        for rate in (0.005, 0.02, 0.08, 0.32)
    }


EXPERIMENTS = {
    "relu_thirty": Experiment(
        "ReLU, 20 and 30 dense layers on digits, from Glorot's and He's start, each at its best rate of four",
        "22 layers converge from both starts; of 30 only those from He's (He et al. 2015, section 2.2)",
        _thirty(),
        best=last_validation_error,
    ),
    "patience": Experiment(
        "How many passes over 2,000 digits dense networks need, by depth and activation, each at its best rate",
        "deep networks of sigmoids are hard to train from random weights (Glorot and Bengio 2010)",
        _patience(),
        best=soonest(0.20),
    ),
    "activations_depth": Experiment(
        "Twenty dense layers on digits: which of four remedies lets them learn?",
        "with He's initialization 30 layers of ReLU learn, with Glorot's they stall (He et al. 2015, section 2.2)",
        _grid(),
    ),
}

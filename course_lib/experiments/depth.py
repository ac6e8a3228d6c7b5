"""What lets a deep network of dense layers learn: activation, initialization, normalization, skip connections."""

import itertools

import keras
from keras import layers

from course_lib import datasets
from course_lib.experiments.digits import Parts
from course_lib.experiments.experiment import Experiment, Setting, data_id
from course_lib.training import Recipe

INITIALIZATIONS = {"glorot": "glorot_uniform", "he": "he_normal"}
RECIPE = Recipe(learning_rate=0.02, batch_size=128)  # one for all, so that a cell differs from the next in one thing


def deep(
    *,
    depth: int = 20,
    width: int = 100,
    activation: str = "relu",
    initialization: str = "he",
    normalization: bool = False,
    skip: bool = False,
) -> keras.Model:
    """`depth` dense layers from 32×32 pixels to ten logits; `skip` adds the input of every two inner ones to their
    output, with nothing else on that path (He et al. 2016, arXiv 1603.05027)."""

    def dense(x, units: int, number: int):
        return layers.Dense(units, kernel_initializer=INITIALIZATIONS[initialization], name=f"dense{number}")(x)

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


@data_id("mnist/framed, first 20000")
def some_digits() -> Parts:
    """MNIST in the 32×32 frame; trained on the first 20,000, watched on 10,000 of validation, tested on 10,000."""
    mnist = datasets.load("mnist")
    parts = (mnist.train.take(20_000), mnist.validation, mnist.test)
    return tuple(part.with_transform(datasets.paper_frame) for part in parts)


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


EXPERIMENTS = {
    "activations_depth": Experiment(
        "Twenty dense layers on digits: which of four remedies lets them learn?",
        "with He's initialization 30 layers of ReLU learn, with Glorot's they stall (He et al. 2015, section 2.2)",
        _grid(),
    )
}

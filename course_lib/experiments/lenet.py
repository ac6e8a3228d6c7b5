"""The experiments on handwritten digits: LeNet-5 of 1998 and of today, on the whole of MNIST.

Recipes and numbers of epochs were chosen on the 10,000 validation images, training on the other 50,000; the
final runs train on all 60,000 and look at the test images once, after the last epoch.
"""

import keras
import numpy as np
from keras import layers

from course_lib import datasets
from course_lib.batching import Split
from course_lib.experiments.data import some_digits
from course_lib.experiments.experiment import Experiment, Parts, Setting, data_id, last_validation_error
from course_lib.models import lenet5_1998, lenet5_1998_layers
from course_lib.training import Recipe

DISTORTION = datasets.AffineDistortion(shift=2.0, rotation=10.0, scale=0.1, shear=0.2)
PAPER = "LeCun et al. 1998, section III-B"


@data_id("mnist/framed")
def framed() -> Parts:
    """MNIST in the paper's 32×32 frame; trained on all 60,000, tested on 10,000."""
    mnist = datasets.load("mnist")
    everything = mnist.train.joined(mnist.validation)
    return everything.with_transform(datasets.paper_frame), None, mnist.test.with_transform(datasets.paper_frame)


@data_id("mnist/distorted")
def distorted() -> Parts:
    """MNIST in the paper's 32×32 frame, each pass newly distorted.

    Distortions are shifts to 2 pixels, rotations to 10 degrees, scales to 10 %, shears to 0.2. Trained on all 60,000,
    tested on 10,000.
    """
    mnist = datasets.load("mnist")
    everything = mnist.train.joined(mnist.validation).with_transform(DISTORTION)
    return everything.with_transform(datasets.paper_frame), None, mnist.test.with_transform(datasets.paper_frame)


@data_id("mnist/framed, watched")
def watched() -> Parts:
    """MNIST in the paper's 32×32 frame; trained on 50,000, watched on 10,000 of validation, tested on 10,000."""
    mnist = datasets.load("mnist")
    return tuple(split.with_transform(datasets.paper_frame) for split in (mnist.train, mnist.validation, mnist.test))


@data_id("mnist/framed, first 500, validated")
def few() -> Parts:
    """MNIST in the paper's 32×32 frame; trained on the first 500, validated on 10,000, tested on 10,000."""
    train, validation, test = watched()
    return train.take(500), validation, test


@data_id("mnist/framed, first 4000, validated")
def few_thousand() -> Parts:
    """MNIST in the paper's 32×32 frame; trained on the first 4,000, validated on 10,000, tested on 10,000."""
    train, validation, test = watched()
    return train.take(4_000), validation, test


@data_id("mnist/framed, first 500, 10 % wrong")
def few_tenth_wrong() -> Parts:
    """As `few`, with 50 of the 500 training labels replaced by wrong ones."""
    return _with_wrong_labels(0.1)


@data_id("mnist/framed, first 500, 50 % wrong")
def few_half_wrong() -> Parts:
    """As `few`, with 250 of the 500 training labels replaced by wrong ones."""
    return _with_wrong_labels(0.5)


def _with_wrong_labels(share: float) -> Parts:
    mnist = datasets.load("mnist")
    images, labels = mnist.train.take(500).arrays()
    generator = np.random.default_rng(1998)
    wrong = generator.permutation(len(labels))[: round(share * len(labels))]
    labels = labels.copy()
    labels[wrong] = (labels[wrong] + generator.integers(1, 10, len(wrong))) % 10
    return Split(images, labels).with_transform(datasets.paper_frame), *few()[1:]


def lenet5_between(*, partial_c3: bool, trained_subsampling: bool, fixed_codes: bool) -> keras.Model:
    """LeNet-5 between today's and the published one: each of three simplifications made or not.

    All of them squash by 1.7159 tanh(2a/3) and start as the paper says. With all three it is `lenet5_1998`.
    """
    inputs = keras.Input((32, 32, 1))
    x = layers.Conv2D(6, 5, **lenet5_1998.SQUASHED, name="c1")(inputs)  # 28×28×6
    x = _subsampled(x, "s2", trained_subsampling)  # 14×14×6
    if partial_c3:
        x = lenet5_1998_layers.PartialConv2D(lenet5_1998.TABLE_I, 5, name="c3")(x)  # 10×10×16
    else:
        x = layers.Conv2D(16, 5, **lenet5_1998.SQUASHED, name="c3")(x)
    x = _subsampled(x, "s4", trained_subsampling)  # 5×5×16
    x = layers.Conv2D(120, 5, **lenet5_1998.SQUASHED, name="c5")(x)  # 1×1×120
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(84, **lenet5_1998.SQUASHED, name="f6")(x)
    if fixed_codes:
        logits = lenet5_1998_layers.RadialBasis(lenet5_1998.CODES.reshape(10, -1), name="output")(x)
    else:
        logits = layers.Dense(10, kernel_initializer=lenet5_1998_layers.FanInUniform(), name="output")(x)
    return keras.Model(inputs, logits, name="lenet5_between")


def _subsampled(x, name: str, trained: bool):
    if trained:
        return lenet5_1998_layers.Subsampling2D(name=name)(x)
    return layers.AveragePooling2D(2, name=name)(x)


def _between() -> dict[str, Setting]:
    """No simplification undone, each of the three alone, all of them; each with five learning rates.

    Distances to fixed codes give larger gradients than a softmax of logits: with 0.05 such networks diverge.
    """
    steps = ("partial_c3", "trained_subsampling", "fixed_codes")
    undone = {"today's": ()} | {step.replace("_", " "): (step,) for step in steps} | {"all three": steps}
    return {
        f"{name}, rate {rate}": Setting(
            lenet5_between,
            Recipe(learning_rate=rate, schedule="cosine", batch_size=64),
            epochs=15,
            data=some_digits,
            options={step: step in chosen for step in steps},
            measure_every=15,
            group=name,
        )
        for name, chosen in undone.items()
        for rate in ((0.05, 0.02, 0.01, 0.005, 0.002) if "fixed_codes" in chosen else (0.15, 0.05, 0.02, 0.01, 0.002))
    }


def _overfits() -> dict[str, Setting]:
    """The same network and recipe on few digits, on wrong labels, and on all digits."""
    recipe = Recipe(learning_rate=0.05, batch_size=50)
    of_few = {"500 digits": few, "500 digits, 10 % wrong": few_tenth_wrong, "500 digits, 50 % wrong": few_half_wrong}
    settings = {
        name: Setting("lenet5", recipe, epochs=200, data=data, measure_every=5) for name, data in of_few.items()
    }
    settings["50,000 digits"] = Setting("lenet5", recipe, epochs=20, data=watched, measure_every=1)
    return settings


def _width(width: float) -> Setting:
    """The training of exercise e1 of lesson 03, with a part of the units in every layer."""
    recipe = Recipe(learning_rate=0.05, schedule="cosine", batch_size=50)
    return Setting("lenet5", recipe, epochs=4, data=few_thousand, options={"width": width}, measure_every=4)


def _rate(learning_rate: float) -> Setting:
    return Setting("lenet5", Recipe(learning_rate=learning_rate, batch_size=128), epochs=30, data=watched)


class LengthAlone(keras.constraints.Constraint):
    """Lets training change a filter's length and sign, not its direction: after each step the nearest multiple.

    Args:
        filters: `(height, width, channels, filters)`, each of length 1.
    """

    def __init__(self, filters: np.ndarray):
        self.filters = filters

    def __call__(self, kernel):
        """The nearest multiples of the filters."""
        return keras.ops.sum(kernel * self.filters, axis=(0, 1, 2)) * self.filters


EXPERIMENTS = {
    "lenet5": Experiment(
        "Today's LeNet-5 on MNIST, without distortions",
        f"0.95 % for the LeNet-5 of 1998 ({PAPER})",
        {
            "lenet5": Setting(
                "lenet5",
                Recipe(learning_rate=0.05, schedule="cosine", batch_size=64, weight_decay=1e-4),
                epochs=20,
                data=framed,
            )
        },
    ),
    "lenet5_1998": Experiment(
        "LeNet-5 as published on MNIST, without distortions",
        f"0.95 % ({PAPER})",
        {
            "lenet5_1998": Setting(
                "lenet5_1998",
                Recipe(learning_rate=0.001, schedule="cosine", batch_size=32, loss="course_lib>lenet5_map"),
                epochs=20,
                data=framed,
            )
        },
    ),
    "lenet5_distortions": Experiment(
        "Today's LeNet-5 with ReLU and max pooling on MNIST, each pass newly distorted",
        f"0.8 %, 82 errors, for the LeNet-5 of 1998 with distortions ({PAPER} and Figure 8)",
        {
            "relu_max": Setting(
                "lenet5",
                Recipe(learning_rate=0.05, schedule="cosine", batch_size=64, weight_decay=5e-5),
                epochs=45,
                data=distorted,
                options={"activation": "relu", "pooling": "max"},
            )
        },
    ),
    "lenet5_steps": Experiment(
        "LeNet-5 with the three simplifications of today undone one at a time",
        f"0.95 % for the LeNet-5 of 1998 ({PAPER}); the paper measures no step alone",
        _between(),
        best=last_validation_error,
    ),
    "lenet5_overfits": Experiment(
        "Where LeNet-5 does overfit: 500 digits, and wrong labels",
        f"no overfitting was seen with 60,000 digits ({PAPER})",
        _overfits(),
    ),
    "lenet5_widths": Experiment(
        "Today's LeNet-5 with all or half of its units, on 4,000 digits",
        "LeNet-5 is not shrunk; LeNet-1 reaches 1.7 %, LeNet-4 1.1 % (LeCun et al. 1998, Figure 9)",
        {"all units": _width(1.0), "half of the units": _width(0.5)},
    ),
    "lenet5_rates": Experiment(
        "Today's LeNet-5 with three constant learning rates: does the validation error rise?",
        f"the test error is stable after about 10 of 20 passes ({PAPER})",
        {f"rate {rate}": _rate(rate) for rate in (0.01, 0.05, 0.2)},
    ),
}

"""The experiments on handwritten digits: LeNet-5 of 1998 and of today, on the whole of MNIST.

Recipes and numbers of epochs were chosen on the 10,000 validation images, training on the other 50,000; the
final runs train on all 60,000 and look at the test images once, after the last epoch.
"""

import course_lib.models.lenet5_1998  # noqa: F401  registers the paper's losses
from course_lib import datasets
from course_lib.batching import Split
from course_lib.experiments.experiment import Experiment, Setting, data_id
from course_lib.training import Recipe

Parts = tuple[Split, Split | None, Split]
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
    """MNIST in the paper's 32×32 frame, each pass newly distorted: shifts to 2 pixels, rotations to 10 degrees,
    scales to 10 %, shears to 0.2; trained on all 60,000, tested on 10,000."""
    mnist = datasets.load("mnist")
    everything = mnist.train.joined(mnist.validation).with_transform(DISTORTION)
    return everything.with_transform(datasets.paper_frame), None, mnist.test.with_transform(datasets.paper_frame)


@data_id("mnist/framed, watched")
def watched() -> Parts:
    """MNIST in the paper's 32×32 frame; trained on 50,000, watched on 10,000 of validation, tested on 10,000."""
    mnist = datasets.load("mnist")
    return tuple(split.with_transform(datasets.paper_frame) for split in (mnist.train, mnist.validation, mnist.test))


def _rate(learning_rate: float) -> Setting:
    return Setting("lenet5", Recipe(learning_rate=learning_rate, batch_size=128), epochs=30, data=watched)


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
    "lenet5_rates": Experiment(
        "Today's LeNet-5 with three constant learning rates: does the validation error rise?",
        f"the test error is stable after about 10 of 20 passes ({PAPER})",
        {f"rate {rate}": _rate(rate) for rate in (0.01, 0.05, 0.2)},
    ),
}

"""The experiments on handwritten digits: LeNet-5 of 1998 and of today, on the whole of MNIST.

Recipes and numbers of epochs were chosen on the 10,000 validation images, training on the other 50,000; the
final runs train on all 60,000 and look at the test images once, after the last epoch.
"""

import course_lib.models.lenet5_1998  # noqa: F401  registers the paper's losses
from course_lib import datasets
from course_lib.batching import Split
from course_lib.experiments.experiment import Experiment, Setting
from course_lib.training import Recipe

Parts = tuple[Split, Split | None, Split]
DISTORTION = datasets.AffineDistortion(shift=2.0, rotation=10.0, scale=0.1, shear=0.2)
PAPER = "LeCun et al. 1998, section III-B"


def framed() -> Parts:
    """MNIST in the paper's 32×32 frame; trained on all 60,000, tested on 10,000."""
    mnist = datasets.load("mnist")
    everything = mnist.train.joined(mnist.validation)
    return everything.with_transform(datasets.paper_frame), None, mnist.test.with_transform(datasets.paper_frame)


def distorted() -> Parts:
    """MNIST in the paper's 32×32 frame, each pass newly distorted: shifts to 2 pixels, rotations to 10 degrees,
    scales to 10 %, shears to 0.2; trained on all 60,000, tested on 10,000."""
    mnist = datasets.load("mnist")
    everything = mnist.train.joined(mnist.validation).with_transform(DISTORTION)
    return everything.with_transform(datasets.paper_frame), None, mnist.test.with_transform(datasets.paper_frame)


def watched() -> Parts:
    """MNIST in the paper's 32×32 frame; trained on 50,000, watched on 10,000 of validation, tested on 10,000."""
    mnist = datasets.load("mnist")
    return tuple(
        split.with_transform(datasets.paper_frame) for split in (mnist.train, mnist.validation, mnist.test)
    )

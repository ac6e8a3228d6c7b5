"""The experiments of lesson 08: batch size and learning rate together, and what a warm-up changes."""

from course_lib import datasets
from course_lib.experiments.experiment import Experiment, Parts, Setting, data_id
from course_lib.training import Recipe


@data_id("mnist/framed, first 8192")
def digits() -> Parts:
    """MNIST in the 32×32 frame; trained on the first 8,192, validated on 4,000, tested on 10,000."""
    mnist = datasets.load("mnist")
    parts = (mnist.train.take(8_192), mnist.validation.take(4_000), mnist.test)
    return tuple(part.with_transform(datasets.paper_frame) for part in parts)


EXPERIMENTS = {
    "batch_and_rate": Experiment(
        "Today's LeNet-5 with each of four batch sizes and five learning rates",
        "a batch k times as large needs about k times the rate, up to a limit (Goyal et al. 2017, section 2.1)",
        {
            f"batch {batch_size}, rate {rate}": Setting(
                "lenet5",
                Recipe(learning_rate=rate, batch_size=batch_size),
                epochs=16,
                data=digits,
                measure_every=2,
            )
            for batch_size in (32, 128, 512, 2048)
            for rate in (0.01, 0.03, 0.1, 0.3, 1.0)
        },
    ),
    "large_batch_warm_up": Experiment(
        "Batches of 2,048 with a learning rate that rises to its value over the first five epochs",
        "a gradual warm-up mends a large batch: 23.74 % instead of 24.84 % (Goyal et al. 2017, table 1)",
        {
            f"batch 2048, rate {rate}, warm-up": Setting(
                "lenet5",
                Recipe(learning_rate=rate, batch_size=2048, warm_up=5),
                epochs=16,
                data=digits,
                measure_every=2,
            )
            for rate in (0.3, 1.0)
        },
    ),
}

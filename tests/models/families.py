"""Small members of the families, shared by the tests of all networks."""

import keras
import numpy as np

from course_lib import models

# One network of each family.
FAMILIES = (
    "lenet5_1998", "lenet5", "alexnet", "zfnet", "vgg11_lrn", "googlenet", "prelu_net", "resnet18", "resnet20",
    "alexnet_small",
)  # fmt: skip
OPTIONS = {"resnet18": {"shortcut": "A"}, "prelu_net": {"slopes": "channel"}}
LOSSES = {"lenet5_1998": "course_lib>lenet5_map"}


def smallest(name: str) -> keras.Model:
    """Network `name` for the smallest images it takes, an eighth as wide, without dropout, for eight classes."""
    entry = models.CATALOG[name]
    options = OPTIONS.get(name, {}) | ({"dropout": 0.0} if "dropout" in entry.options else {})
    image_shape = (entry.smallest_side, entry.smallest_side, entry.image_shape[-1])
    return models.build(name, image_shape=image_shape, num_classes=8, width=1 / 8, **options)


def images_for(model: keras.Model) -> np.ndarray:
    """Eight pictures of 4×4 blocks of random brightness, float32 from −1 to 1."""
    _, height, width, channels = model.input_shape
    blocks = np.random.default_rng(0).uniform(-1, 1, (8, 4, 4, channels)).astype("float32")
    return blocks[:, np.arange(height) * 4 // height][:, :, np.arange(width) * 4 // width]


def loss_of(name: str):
    """The loss that network `name` is trained with."""
    if name in LOSSES:
        return keras.saving.get_registered_object(LOSSES[name])
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

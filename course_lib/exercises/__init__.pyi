from .handing_in import hand_in, progress
from .lessons import (
    alexnet,
    challenges,
    computer_vision,
    gradients,
    lenet,
    many_gpus,
    own_classifier,
    resnet,
    vgg,
)

__all__ = [
    "alexnet",
    "challenges",
    "computer_vision",
    "gradients",
    "hand_in",
    "lenet",
    "many_gpus",
    "own_classifier",
    "progress",
    "resnet",
    "vgg",
]

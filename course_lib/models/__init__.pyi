from . import (
    alexnet,
    convolutional,
    googlenet,
    lenet5,
    lenet5_1998,
    lenet5_1998_layers,
    neocognitron,
    prelu_net,
    resnet,
    resnet_cifar,
    small,
    summary,
    vgg,
    zfnet,
)
from .catalog import CATALOG, build
from .weights import load_imagenet_weights, preprocess

__all__ = [
    "CATALOG",
    "alexnet",
    "build",
    "convolutional",
    "googlenet",
    "lenet5",
    "lenet5_1998",
    "lenet5_1998_layers",
    "load_imagenet_weights",
    "neocognitron",
    "prelu_net",
    "preprocess",
    "resnet",
    "resnet_cifar",
    "small",
    "summary",
    "vgg",
    "zfnet",
]

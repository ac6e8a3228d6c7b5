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
    small,
    summary,
    vgg,
    zfnet,
)
from .catalog import CATALOG, build
from .pretrained import frozen_features, last_maps, toy_features
from .weights import load_imagenet_weights, preprocess

__all__ = [
    "CATALOG",
    "alexnet",
    "build",
    "convolutional",
    "frozen_features",
    "googlenet",
    "last_maps",
    "lenet5",
    "lenet5_1998",
    "lenet5_1998_layers",
    "load_imagenet_weights",
    "neocognitron",
    "prelu_net",
    "preprocess",
    "resnet",
    "small",
    "summary",
    "toy_features",
    "vgg",
    "zfnet",
]

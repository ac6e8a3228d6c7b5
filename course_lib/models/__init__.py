"""The networks: `models.build(name)` builds one, `models.CATALOG[name]` says what it is.

Each architecture family is a file of its own (`models.lenet5`, ...), and `models.summary` counts any of them
layer by layer. `models.load_imagenet_weights` and `models.preprocess` make those that Keras has ImageNet weights
for ready to use. Importing the package registers the course's own layers with Keras, so that a saved network
(`model.save("mine.keras")`) loads in another process.
"""

import importlib
import importlib.util
import types
from collections.abc import Callable

from course_lib import updates
from course_lib.models import convolutional, lenet5_1998, lenet5_1998_layers, prelu_net, resnet
from course_lib.models.catalog import CATALOG, build

__all__ = ["CATALOG", "build", "load_imagenet_weights", "preprocess"]

REGISTERED = (convolutional, lenet5_1998, lenet5_1998_layers, prelu_net, resnet, updates)  # with Keras, by importing


def __getattr__(name: str) -> types.ModuleType | Callable:
    if name in ("load_imagenet_weights", "preprocess"):
        return getattr(importlib.import_module(f"{__name__}.weights"), name)
    if not name.startswith("_") and importlib.util.find_spec(f"{__name__}.{name}"):
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

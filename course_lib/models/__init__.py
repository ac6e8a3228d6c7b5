"""The networks: `models.build(name)` builds one, `models.CATALOG[name]` says what it is.

Each architecture family is a file of its own (`models.lenet5`, ...), and `models.summary` counts any of them
layer by layer. `models.load_imagenet_weights` and `models.preprocess` make those that Keras has ImageNet weights
for ready to use. Importing the package registers the course's own layers with Keras, so that a saved network
(`model.save("mine.keras")`) loads in another process.
"""

import lazy_loader

from course_lib import updates
from course_lib.models import convolutional, lenet5_1998, lenet5_1998_layers, prelu_net, resnet

REGISTERED = (convolutional, lenet5_1998, lenet5_1998_layers, prelu_net, resnet, updates)  # with Keras, by importing

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

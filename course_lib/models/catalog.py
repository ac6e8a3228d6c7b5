"""The catalog: what networks there are, and `build`, which makes any of them by name.

To add a network, write its family's file with `build(name, *, image_shape, num_classes, width, **options)`,
add one `NetworkInfo` below and its published figures to `data/published/architectures.csv`.
"""

import dataclasses
import importlib
import numbers
from collections.abc import Mapping
from typing import TYPE_CHECKING

from course_lib import common
from course_lib.models.options import ACTIVATIONS, Option, Share

if TYPE_CHECKING:
    import keras


@dataclasses.dataclass(frozen=True)
class NetworkInfo:
    """What is known of a network before it is built."""

    name: str
    title: str
    module: str  # the file of its family in course_lib/models
    image_shape: tuple[int, int, int]  # the paper's (height, width, channels)
    num_classes: int  # the paper's
    smallest_side: int  # pixels; a smaller image leaves some layer nothing to look at
    options: Mapping[str, Option | Share] = dataclasses.field(default_factory=dict)

    @property
    def published(self) -> tuple[dict[str, object], ...]:
        """The network's rows of `data/published/architectures.csv`, one per measurement.

        The first row also holds the counts. Errors are in percent; None stands for a figure not published.
        """
        rows = [row for row in common.published("architectures") if row["name"] == self.name]
        return tuple({column: _value(cell) for column, cell in row.items()} for row in rows)

    @property
    def year(self) -> int:
        """The year of the paper."""
        return self.published[0]["year"]

    @property
    def authors(self) -> str:
        """The authors of the paper."""
        return self.published[0]["authors"]

    @property
    def paper(self) -> str:
        """The paper: its title, where it appeared, and its DOI or arXiv number."""
        return self.published[0]["paper"]


WIDEST = 8  # times the paper's filters; 64 times as many parameters
TRUTHS = (True, False)
DROPOUT = {"dropout": Share(0.5)}
ALEXNET = {
    "initialization": Option("normal", ("normal", "glorot", "he")),
    "activation": Option("relu", ACTIVATIONS),
    "normalization": Option("local_response", ("local_response", "batch", "none")),
    "overlapping_pooling": Option(True, TRUTHS),
    **DROPOUT,
}
VGG_LRN = {"initialization": Option("glorot", ("glorot", "he", "normal")), **DROPOUT}
VGG = VGG_LRN | {"normalization": Option("none", ("none", "batch"))}
SHORTCUTS = ("A", "B", "C")
BIAS = {"convolution_bias": Option(False, TRUTHS)}
CIFAR_DEPTHS = (20, 32, 44, 56, 110)
SMALL_DEPTH = {"depth": Option(20, (8, 14, 20, 26, 32, 44, 56, 110))}  # 6n + 2


def _imagenet(name: str, title: str, module: str, smallest_side: int, options: Mapping, side: int = 224) -> NetworkInfo:
    return NetworkInfo(name, title, module, (side, side, 3), 1000, smallest_side, options)


def _cifar(name: str, title: str, options: Mapping) -> NetworkInfo:
    return NetworkInfo(name, title, "resnet", (32, 32, 3), 10, 4, options)


def _small(name: str, title: str, smallest_side: int, options: Mapping) -> NetworkInfo:
    return NetworkInfo(name, title, "small", (64, 64, 3), 10, smallest_side, options)


def _shortcut(default: str) -> dict[str, Option]:
    return {"shortcut": Option(default, SHORTCUTS)}


_NETWORKS = (
    NetworkInfo("neocognitron", "Neocognitron", "neocognitron", (16, 16, 1), 24, 16),
    NetworkInfo("lenet5_1998", "LeNet-5 as published", "lenet5_1998", (32, 32, 1), 10, 32),
    NetworkInfo(
        name="lenet5",
        title="LeNet-5 as it is built today",
        module="lenet5",
        image_shape=(32, 32, 1),
        num_classes=10,
        smallest_side=16,
        options={"activation": Option("tanh", ACTIVATIONS), "pooling": Option("average", ("average", "max"))},
    ),
    _imagenet("alexnet", "AlexNet, two towers", "alexnet", 67, ALEXNET, side=227),
    _imagenet("alexnet_one_tower", "AlexNet, one tower", "alexnet", 67, ALEXNET, side=227),
    _imagenet("zfnet", "ZFNet", "zfnet", 53, DROPOUT),
    _imagenet("vgg11", "VGG-11, column A", "vgg", 32, VGG),
    _imagenet("vgg11_lrn", "VGG-11, column A-LRN", "vgg", 32, VGG_LRN),
    _imagenet("vgg13", "VGG-13, column B", "vgg", 32, VGG),
    _imagenet("vgg16_1x1", "VGG-16 with 1×1 convolutions, column C", "vgg", 32, VGG),
    _imagenet("vgg16", "VGG-16, column D", "vgg", 32, VGG),
    _imagenet("vgg19", "VGG-19, column E", "vgg", 32, VGG),
    _imagenet("googlenet", "GoogLeNet", "googlenet", 32, {"auxiliary": Option(False, TRUTHS), "dropout": Share(0.4)}),
    _imagenet(
        "prelu_net",
        "PReLU net, model C",
        "prelu_net",
        16,
        {"slopes": Option("shared", ("shared", "channel")), **DROPOUT},
    ),
    *(_imagenet(f"plain{depth}", f"Plain-{depth}", "resnet", 32, BIAS) for depth in (18, 34)),
    *(
        _imagenet(f"resnet{depth}", f"ResNet-{depth}", "resnet", 32, _shortcut("B") | BIAS)
        for depth in (18, 34, 50, 101, 152)
    ),
    *(_cifar(f"plain{depth}", f"Plain-{depth} for CIFAR-10", {}) for depth in CIFAR_DEPTHS),
    *(_cifar(f"resnet{n}", f"ResNet-{n} for CIFAR-10", _shortcut("A")) for n in (*CIFAR_DEPTHS, 1202)),
    _small("cnn_small", "Small convolutional network", 8, {"dropout": Share(0.0)}),
    _small(
        "alexnet_small", "Small AlexNet", 35, ALEXNET | {"initialization": Option("he", ("he", "glorot", "normal"))}
    ),
    _small(
        "vgg_small",
        "Small VGG",
        32,
        VGG | {"depth": Option(16, (11, 13, 16, 19)), "initialization": Option("he", ("he", "glorot", "normal"))},
    ),
    _small("plain_small", "Small plain network", 4, SMALL_DEPTH),
    _small("resnet_small", "Small residual network", 4, SMALL_DEPTH | _shortcut("A")),
)

CATALOG: dict[str, NetworkInfo] = {info.name: info for info in _NETWORKS}


def build(
    name: str,
    *,
    image_shape: tuple[int, int, int] | None = None,
    num_classes: int | None = None,
    width: float = 1.0,
    **options: object,
) -> "keras.Model":
    """The network `name`, freshly initialized; arguments default to the paper's values.

    It maps float images `(batch, height, width, channels)` to logits `(batch, num_classes)`. `width` scales
    the number of filters of its layers. `CATALOG[name].options` lists its options.

    Raises:
        ValueError: an unknown network or option, or a value that the network cannot be built with.
    """
    if not isinstance(name, str) or name not in CATALOG:
        raise common.unknown("network", name, CATALOG)
    info = CATALOG[name]
    if name == "neocognitron":
        raise ValueError(
            "the neocognitron learns without labels and without gradients, so it is no Keras model: "
            "models.neocognitron.Neocognitron() makes one"
        )
    chosen = {option: spec.default for option, spec in info.options.items()}
    for option, value in options.items():
        chosen[option] = _checked_option(info, option, value)
    image_shape = info.image_shape if image_shape is None else image_shape
    num_classes = info.num_classes if num_classes is None else num_classes
    image_shape = common.check_image_shape(image_shape, info.smallest_side)
    common.at_least(2, num_classes=num_classes)
    if isinstance(width, bool) or not isinstance(width, numbers.Real) or not 0 < width <= WIDEST:
        raise ValueError(
            f"width must be a number above 0, {WIDEST} at most: a factor for the number of filters of every layer (1.0 "
            f"is the paper's network), not {width!r}"
        )
    family = importlib.import_module(f"course_lib.models.{info.module}")
    return family.build(name, image_shape=image_shape, num_classes=int(num_classes), width=float(width), **chosen)


def _checked_option(info: NetworkInfo, option: str, value: object) -> object:
    if option == "weights":
        raise ValueError(
            f"build gives {info.name} fresh weights; models.load_imagenet_weights(model) then puts in those of "
            "ImageNet, where there are any"
        )
    if option not in info.options:
        known = ("image_shape", "num_classes", "width", *info.options)
        raise common.unknown(f"option of {info.name}", option, known)
    return info.options[option].checked(f"{option} of {info.name}", value)


def _value(cell: str) -> object:
    """A cell of the table as a number where it is one, and None where it is empty."""
    for convert in (int, float):
        try:
            return convert(cell)
        except ValueError:
            pass
    return cell or None

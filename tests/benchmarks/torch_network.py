"""A Keras network in PyTorch, from the description that `training.py` makes of it: the layers that it knows."""

import torch
from torch import nn
from torch.nn import functional

FUNCTIONS = {"relu": torch.relu, "tanh": torch.tanh, "linear": lambda x: x}


class Network(nn.Module):
    """Built by passing `images`, `(batch, channels, height, width)`, through it once."""

    def __init__(self, layers: list[dict], images: torch.Tensor):
        super().__init__()
        self.layers, self.parts = layers, nn.ModuleDict()
        with torch.no_grad():
            self(images)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        outputs = {}
        for layer in self.layers:
            inputs = [outputs[name] for name in layer["inputs"]] or [images]
            outputs[layer["name"]] = x = self.apply_layer(layer, inputs)
        return x

    def part(self, name: str, make) -> nn.Module:
        if name not in self.parts:
            self.parts[name] = make()
        return self.parts[name]

    def apply_layer(self, layer: dict, inputs: list[torch.Tensor]) -> torch.Tensor:
        x, kind, settings = inputs[0], layer["kind"].split(">")[-1], layer["settings"]
        if kind in ("Conv2D", "GroupedConv2D"):
            return self.convolution(layer["name"], x, settings)
        if kind == "Dense":
            dense = self.part(layer["name"], lambda: nn.Linear(x.shape[1], settings["units"]))
            return FUNCTIONS[settings["activation"]](dense(x))
        if kind == "BatchNormalization":
            make = lambda: nn.BatchNorm2d(x.shape[1], settings["epsilon"], 1 - settings["momentum"])  # noqa: E731
            return self.part(layer["name"], make)(x)
        if kind in ("MaxPooling2D", "AveragePooling2D"):
            pool = functional.max_pool2d if kind.startswith("Max") else functional.avg_pool2d
            return pool(x, settings["pool_size"], settings["strides"])
        if kind == "LocalResponseNormalization":
            size, alpha = settings["size"], settings["alpha"] * settings["size"]
            return functional.local_response_norm(x, size, alpha, settings["beta"], settings["k"])
        if kind == "ShortcutA":
            x = x[:, :, :: settings["stride"], :: settings["stride"]]
            return functional.pad(x, (0, 0, 0, 0, 0, settings["filters"] - x.shape[1]))
        if kind == "Dropout":
            return functional.dropout(x, settings["rate"], self.training)
        simple = {
            "InputLayer": lambda: x,
            "Activation": lambda: FUNCTIONS[settings["activation"]](x),
            "ReLU": lambda: torch.relu(x),
            "Flatten": lambda: x.flatten(1),
            "Add": lambda: inputs[0] + inputs[1],
            "GlobalAveragePooling2D": lambda: x.mean((2, 3)),
        }
        return simple[kind]()

    def convolution(self, name: str, x: torch.Tensor, settings: dict) -> torch.Tensor:
        kernel, strides = settings["kernel_size"], settings["strides"]
        if settings["padding"] == "same":
            missing = [
                max((-(-n // s) - 1) * s + k - n, 0) for n, s, k in zip(x.shape[2:], strides, kernel, strict=True)
            ]
            (up, left), (down, right) = ([n // 2 for n in missing], [n - n // 2 for n in missing])
            x = functional.pad(x, (left, right, up, down))
        arguments = {"groups": settings["groups"], "bias": settings["use_bias"]}
        make = lambda: nn.Conv2d(x.shape[1], settings["filters"], kernel, strides, **arguments)  # noqa: E731
        return FUNCTIONS[settings["activation"]](self.part(name, make)(x))

"""What `train` costs: against bare `model.fit`, PyTorch, two devices, and a checkpoint every epoch.

    python tests/benchmarks/training.py [--networks lenet5 alexnet_small resnet20] [--sides fit PyTorch]
                                        [--alternations 9] [--quick] [--torch PYTHON]

Each side is a process of its own that trains one epoch on the same random images when told to, and is suspended while
another side is measured. A side's first epoch, which compiles, is not counted. PYTHON (or the variable TORCH_PYTHON)
is an interpreter that can import torch, which builds the network from Keras' description of it.
"""

import argparse
import functools
import json
import os
import pathlib
import sys
import tempfile

import ratios
from lenet5_epoch import Turns, Worker, keras_turns, measured, start_tensorflow, torch_version

EXAMPLES = {"lenet5": 40_000, "alexnet_small": 2_000, "vgg_small": 2_000, "resnet20": 1_500}  # an epoch of some seconds
BATCH_SIZE, LEARNING_RATE, MOMENTUM = 128, 0.01, 0.9
BARS = {"fit": 1.03, "PyTorch": 1.0, "two devices": 1.15, "checkpoints": 1.02}


def prepared(network: str, quick: bool):
    """The network's builder, random images that fit it, and the recipe."""
    start_tensorflow()
    import numpy as np

    from course_lib import models
    from course_lib.batching import Split
    from course_lib.training import Recipe

    count = EXAMPLES[network] // (8 if quick else 1)
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (count, *models.build(network).input_shape[1:])).astype(np.uint8)
    data = Split(images, generator.integers(0, 10, count))
    recipe = Recipe(learning_rate=LEARNING_RATE, momentum=MOMENTUM, batch_size=BATCH_SIZE)
    return lambda: models.build(network), data, recipe


def train(turns: Turns, network: str, epochs: int, quick: bool, **arguments) -> None:
    build, data, recipe = prepared(network, quick)
    from course_lib.training import train

    train(build, data, recipe=recipe, epochs=epochs, callbacks=[keras_turns(turns)], progress=False, **arguments)


def two_devices(turns: Turns, network: str, epochs: int, quick: bool) -> None:
    import course_lib

    course_lib.setup(logical_cpus=2)
    train(turns, network, epochs, quick, devices=2)


def checkpoints(turns: Turns, network: str, epochs: int, quick: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        train(turns, network, epochs, quick, run_dir=folder)


def fit(turns: Turns, network: str, epochs: int, quick: bool) -> None:
    """`model.fit` with `train`'s batches and settings, and nothing else."""
    build, data, recipe = prepared(network, quick)
    import keras

    from course_lib.training import train

    at_once = train(build, data, recipe=recipe, epochs=1, progress=False).model.steps_per_execution
    model = build()
    model.compile(
        optimizer=recipe.make_optimizer(epochs, -(-len(data) // BATCH_SIZE)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=at_once,
    )
    batches = data.batches(BATCH_SIZE, training=True)
    model.fit(batches, epochs=epochs, shuffle=False, verbose=0, callbacks=[keras_turns(turns)])


def pytorch(turns: Turns, description: str, epochs: int, _: bool) -> None:
    """In an interpreter with PyTorch and without TensorFlow: `description` is a file that `describe` wrote."""
    import numpy as np
    import torch
    import torch_network

    with np.load(description) as file:
        images = torch.from_numpy(file["images"]).permute(0, 3, 1, 2).contiguous()
        labels = torch.from_numpy(file["labels"])
        model = torch_network.Network(json.loads(str(file["layers"])), images[:2].float())
    assert sum(weights.numel() for weights in model.parameters()) == int(np.load(description)["parameters"])
    optimizer = torch.optim.SGD(model.parameters(), LEARNING_RATE, momentum=MOMENTUM)
    for _ in range(epochs):
        right = torch.zeros((), dtype=torch.int64)
        for batch in torch.randperm(len(labels)).split(BATCH_SIZE):
            logits = model(images[batch].float() / 255)
            loss = torch.nn.functional.cross_entropy(logits, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                right += (logits.argmax(1) == labels[batch]).sum()
        assert torch.isfinite(loss)
        turns.report(right.item() / len(labels))


SIDES = {"train": train, "fit": fit, "two devices": two_devices, "checkpoints": checkpoints, "PyTorch": pytorch}


def describe(network: str, path: str, quick: bool) -> None:
    """Network and data in one file, for an interpreter without TensorFlow."""
    build, data, _ = prepared(network, quick)
    import numpy as np

    model = build()
    layers = []
    for layer in model.get_config()["layers"]:
        inputs = []  # names of the layers whose output it takes
        for node in layer["inbound_nodes"]:
            taken = node["args"][0]
            inputs = [each["config"]["keras_history"][0] for each in (taken if isinstance(taken, list) else [taken])]
        plain = {name: value for name, value in layer["config"].items() if isinstance(value, (int, float, str, tuple))}
        kind = layer["class_name"] or layer["registered_name"]
        layers.append({"kind": kind, "name": layer["config"]["name"], "inputs": inputs, "settings": plain})
    images, labels = data.arrays()
    trained = sum(int(np.prod(weights.shape)) for weights in model.trainable_weights)
    np.savez(path, images=images, labels=labels, layers=json.dumps(layers), parameters=trained)


def measure(network: str, sides: list[str], alternations: int, quick: bool, torch_python: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        description = str(pathlib.Path(folder) / "network.npz")
        pythons = {side: sys.executable for side in ("train", *sides) if side != "PyTorch"}
        if "PyTorch" in sides and torch_python and torch_version(torch_python):
            describe(network, description, quick)
            pythons["PyTorch"] = torch_python
        start = []
        for side, python in pythons.items():
            given = description if side == "PyTorch" else network
            command = ["--network", given, *(["--quick"] if quick else [])]
            start.append(functools.partial(Worker, side, python, alternations + 1, __file__, command))
        workers = {worker.side: worker for worker in measured(start, alternations)}
    mine = workers.pop("train").seconds
    for side, worker in workers.items():
        ours, theirs = (worker.seconds, mine) if side in ("two devices", "checkpoints") else (mine, worker.seconds)
        name = f"{network}: {side} / train" if ours is not mine else f"{network}: train / {side}"
        print(ratios.line(name, ours, theirs, BARS[side]), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=EXAMPLES, default=list(EXAMPLES))
    parser.add_argument("--sides", nargs="+", choices=[*SIDES][1:], default=[*SIDES][1:], help="what to compare with")
    parser.add_argument("--alternations", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="an eighth of the images, two alternations")
    parser.add_argument("--torch", metavar="PYTHON", default=os.environ.get("TORCH_PYTHON"))
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--network", help=argparse.SUPPRESS)
    parser.add_argument("--epochs", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        SIDES[options.side](Turns(), options.network, options.epochs, options.quick)
        return
    for network in options.networks:
        alternations = 2 if options.quick else options.alternations
        measure(network, options.sides, alternations, options.quick, options.torch)
    if "PyTorch" in options.sides and not options.torch:
        print("PyTorch was left out: give --torch PYTHON, an interpreter with torch 2.13.0")


if __name__ == "__main__":
    main()

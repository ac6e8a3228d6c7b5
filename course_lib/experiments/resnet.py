"""The experiments of lesson 07 on residual networks: how depth and shortcuts change training.

Recipes were chosen on validation images; no network was tuned apart from the one that it is compared with, except
where a learning rate is said to be the best of several for each.
"""

import dataclasses
import functools
import itertools

import keras
import numpy as np

from course_lib.experiments.copying import copying_kernel
from course_lib.experiments.data import cifar10, flipped_32, scenes_16
from course_lib.experiments.experiment import Experiment, Setting, recorded, soonest, steps_to
from course_lib.training import Recipe

SIDE_32 = {"image_shape": (32, 32, 3)}


def _depth(families: tuple[str, ...], depths: tuple[int, ...], options: dict, **common) -> dict[str, Setting]:
    return {
        f"{family.removesuffix('_small')}{depth}": Setting(family, options=options | {"depth": depth}, **common)
        for family in families
        for depth in depths
    }


def _lasting(common: dict, epochs: int, schedule: tuple) -> dict:
    """What settings have in common, for another number of epochs."""
    return common | {"recipe": dataclasses.replace(common["recipe"], schedule=schedule), "epochs": epochs}


KINDS = ("plain", "resnet")
DEPTHS = (8, 14, 20, 26, 32)
GOAL = 0.10  # training error
RATES = (0.02, 0.05, 0.125)
SIDE_16 = {"image_shape": (16, 16, 3)}
SHALLOW = SIDE_16 | {"depth": 8}
DEEP = SIDE_16 | {"depth": 32}
IDENTITY = {
    "recipe": Recipe(learning_rate=0.02, batch_size=64, weight_decay=1e-4, warm_up=2.0),
    "data": scenes_16,
    "measure_every": 5,
}


def _depth_steps() -> dict[str, Setting]:
    """Plain and residual networks of each depth, with each learning rate, until 2 % training error or 200 epochs.

    The shallow ones come first, both kinds of each depth: so an unfinished record can be read.

    The rate rises over the first two epochs; the paper (section 4.2) begins its deepest network with a smaller rate.
    """
    return {
        f"{family} {depth}, rate {rate}": Setting(
            f"{family}_small",
            Recipe(learning_rate=rate, batch_size=64, weight_decay=1e-4, warm_up=2.0),
            epochs=200,
            data=scenes_16,
            options=SIDE_16 | {"depth": depth},
            measure_every=10,
            until=0.02,
            group=f"{family} {depth}",
        )
        for depth, family, rate in itertools.product(DEPTHS, KINDS, RATES)
    }


def steps_by_depth(fewest_seeds: int = 1) -> dict[str, dict[int, list[float]]]:
    """Training steps to 10 % training error, of what `depth_steps` has recorded so far, whole or not.

    A depth counts as soon as each learning rate has its seed 0; the rate that was soonest with it is taken.

    Args:
        fewest_seeds: depths with fewer seeds are left out.

    Returns:
        "plain" and "resnet" → layers → one number per seed, infinite where 200 epochs were not enough; empty for a
        kind of which no depth has been recorded.
    """
    try:
        runs = recorded("depth_steps")["runs"]
    except FileNotFoundError:  # nothing is recorded so far
        runs = []
    chosen = EXPERIMENTS["depth_steps"].chosen(runs)
    found: dict[str, dict[int, list[float]]] = {kind: {} for kind in KINDS}
    for kind, depth, rate in itertools.product(KINDS, DEPTHS, RATES):
        name = f"{kind} {depth}, rate {rate}"
        steps = [steps_to(run, GOAL) for run in runs if run["setting"] == name]
        if name in chosen and len(steps) >= fewest_seeds:
            found[kind][depth] = steps
    return found


def copied(source: keras.Model, model: keras.Model) -> None:
    """Gives `model` the weights of an equal network."""
    model.set_weights(source.get_weights())


def deepened(source: keras.Model, model: keras.Model) -> None:
    """Gives a plain network the weights of a shallower one, and makes its additional blocks pass their input on.

    A block's convolutions then copy each map, and their batch normalization undoes itself: scale and offset are the
    deviation and the mean of that map on the training images. The input is not negative, so that ReLU changes nothing.
    """
    kept = {layer.name: layer for layer in source.layers}
    for layer in model.layers:
        if layer.name in kept:
            layer.set_weights(kept[layer.name].get_weights())
    images = scenes_16()[0].batches(500, training=False)
    for stage in (2, 3, 4):
        maps = keras.Model(source.input, kept[f"conv{stage}_block1_out"].output).predict(images, verbose=0)
        mean = maps.mean(axis=(0, 1, 2))
        variance = maps.var(axis=(0, 1, 2))
        for layer in model.layers:
            if layer.name in kept or not layer.name.startswith(f"conv{stage}_"):
                continue
            if layer.name.endswith("_conv"):
                layer.set_weights([copying_kernel(layer.kernel.shape)])
            elif layer.name.endswith("_bn"):
                layer.set_weights([np.sqrt(variance + layer.epsilon), mean, mean, variance])


def deepened_by_zeros(source: keras.Model, model: keras.Model) -> None:
    """Gives a residual network the weights of a shallower one; the last γ of each additional block is 0.

    Those blocks then put out their input, which is not negative: in training, too, since γ = 0 whatever the batch.
    """
    kept = {layer.name: layer for layer in source.layers}
    for layer in model.layers:
        if layer.name in kept:
            layer.set_weights(kept[layer.name].get_weights())
        elif layer.name.endswith("_2_bn"):
            layer.gamma.assign(np.zeros(layer.gamma.shape))


def _depth_identity() -> dict[str, Setting]:
    """A trained plain network, the same made deeper by copying blocks, and controls."""
    plain = functools.partial(Setting, "plain_small", **IDENTITY)
    return {
        "plain 8": plain(epochs=60, options=SHALLOW),
        "plain 8, trained on": plain(epochs=60, options=SHALLOW, start=("plain 8", copied)),
        "plain 32 of plain 8": plain(epochs=60, options=DEEP, start=("plain 8", deepened)),
        "plain 32": plain(epochs=120, options=DEEP),
    }


def _depth_identity_residual() -> dict[str, Setting]:
    """The same with residual networks: a trained one, made deeper by blocks with γ = 0."""
    residual = functools.partial(Setting, "resnet_small", epochs=60, **IDENTITY)
    return {
        "resnet 8": residual(options=SHALLOW),
        "resnet 32 of resnet 8": residual(options=DEEP, start=("resnet 8", deepened_by_zeros)),
    }


TOY_DEPTH = {
    "recipe": Recipe(learning_rate=0.05, schedule=((20, 0.005), (30, 0.0005)), weight_decay=1e-4, batch_size=64),
    "epochs": 40,
    "data": flipped_32,
}

CIFAR10 = {  # 64,000 steps of 128 images, as in the paper's section 4.2, on 45,000 of the 50,000 training images
    "recipe": Recipe(learning_rate=0.1, schedule=((91, 0.01), (136, 0.001)), weight_decay=1e-4, batch_size=128),
    "epochs": 182,
    "data": cifar10,
}

EXPERIMENTS = {
    "depth_steps": Experiment(
        "How many training steps plain and residual networks need, by depth",
        "deep plain networks may have exponentially low convergence rates (He et al. 2016, section 4.1: a conjecture)",
        _depth_steps(),
        best=soonest(GOAL),
    ),
    "depth_identity": Experiment(
        "A deep plain network made of a trained shallow one and blocks that copy their input",
        "by construction a deeper network need not have a higher training error (He et al. 2016, section 1)",
        _depth_identity(),
    ),
    "depth_identity_residual": Experiment(
        "A deep residual network made of a trained shallow one and blocks that add 0",
        "by construction a deeper network need not have a higher training error (He et al. 2016, section 1)",
        _depth_identity_residual(),
    ),
    "depth_toy_scenes": Experiment(
        "Plain and residual networks of three depths on toy scenes",
        "on CIFAR-10 the plain network of 56 layers ends above that of 20, in training too (He et al. 2016, Figure 6)",
        _depth(("plain_small", "resnet_small"), (8, 20, 32), SIDE_32, **TOY_DEPTH),
    ),
    "depth_thrice": Experiment(
        "Plain networks on toy scenes, trained three times as long: is the deeper one only slow?",
        "three times the iterations do not remove the degradation (He et al. 2016, section 4.1, footnote)",
        _depth(("plain_small",), (8, 32), SIDE_32, **_lasting(TOY_DEPTH, 120, ((60, 0.005), (90, 0.0005)))),
        seeds=1,
    ),
    "depth_cifar10": Experiment(
        "Plain and residual networks of two depths on CIFAR-10, by the paper's recipe",
        "test error of ResNet-20 8.75 %, of ResNet-56 6.97 % (He et al. 2016, Table 6)",
        {name: Setting(name, **CIFAR10) for name in ("plain20", "plain56", "resnet20", "resnet56")},
    ),
    "resnet20_cifar10": Experiment(
        "ResNet-20 on CIFAR-10, by the paper's recipe",
        "test error 8.75 % (He et al. 2016, Table 6)",
        {"resnet20": Setting("resnet20", **CIFAR10)},
    ),
    "resnet20_cifar10_short": Experiment(
        "ResNet-20 on CIFAR-10, 1,408 of the paper's 64,000 iterations: what two CPU cores can do",
        "with all 64,000 iterations a test error of 8.75 % (He et al. 2016, Table 6)",
        {"resnet20": Setting("resnet20", **_lasting(CIFAR10, 4, ((2, 0.01), (3, 0.001))))},
        seeds=1,
    ),
}

"""Judges of the answers that are functions in `resnet.toml`."""

import functools
from collections.abc import Callable

import numpy as np

from course_lib.exercises.judges import compare
from course_lib.exercises.judges.deep_networks import filled
from course_lib.exercises.judges.preactivation import preactivation_block  # noqa: F401 (a judge of resnet.toml)
from course_lib.exercises.judges.residual import residual_block  # noqa: F401 (a judge of resnet.toml)

SIDE = 24  # of the images: after two halvings still more than the new layers can shift
SMALL = {"image_shape": (SIDE, SIDE, 1), "num_classes": 10}
DEPTHS = (8, 20)  # of the shallow and of the deep plain network
ONLY_KERNELS = (
    "The new layers copy, and the shared ones have the shallow network's kernels, but not all that its normalizations "
    "know: moving means and variances are weights, too, which `get_weights` has and `trainable_weights` has not."
)
CHANGED = "You changed the shallow network; it gives, the deep one gets."
FLOAT32 = {"rtol": 1e-2, "atol": 1e-3}  # twelve more normalizations, each with its ε


def deepen(function: Callable) -> str | None:
    """The deep plain network from `(shallow, deep)`: it must compute what the shallow one does."""
    images = np.random.default_rng(1).uniform(0, 1, (20, SIDE, SIDE, 1)).astype("float32")
    shallow = _shallow()  # the student's function gets another one, which it may change
    right = np.asarray(shallow(images))
    given = _shallow()
    answer = filled(function, given, _network(DEPTHS[1]))
    if isinstance(answer, str):
        return answer
    if not hasattr(answer, "count_params"):
        return f"Your function returns {type(answer).__name__}; it must return the deep network."
    if not all(map(np.array_equal, given.get_weights(), _trained_weights())):
        return CHANGED
    deep = _network(DEPTHS[1])
    if answer.count_params() != deep.count_params():
        return f"Return the deep network of {DEPTHS[1]} layers, with its weights set."
    maps = np.zeros((3, 3))
    center = np.diag([0, 1, 0])
    corner = np.diag([1, 0, 0])
    plausible = {
        "The new layers still have their random weights.": None,
        "The kernels of the new layers are 0, so they pass on 0: a plain layer without a shortcut.": _diagonal(maps),
        "Your kernels take the mean of the neighborhood: a blur.": _diagonal(maps + 1 / 9),
        "Your kernels add up the whole neighborhood.": _diagonal(maps + 1),
        "The 1 stands in a corner of the kernel, which shifts the maps: put it in the middle.": _diagonal(corner),
        "Each new map is the sum of all maps; only its own map may count.": lambda count: (
            center[..., None, None] * np.ones((count, count))
        ),
        "Each new map is the mean of all maps; only its own map may count.": lambda count: (
            center[..., None, None] * np.ones((count, count)) / count
        ),
    }
    random = deep.get_weights()
    outputs = {reply: np.asarray(_deepened(deep, shallow, kernel)(images)) for reply, kernel in plausible.items()}
    deep.set_weights(random)
    own = _deepened(deep, shallow, _diagonal(center), keep=lambda layer: False)
    outputs["The new layers copy, but the others do not have the shallow network's weights."] = np.asarray(own(images))
    kernels = _deepened(deep, shallow, _diagonal(center), keep=lambda layer: hasattr(layer, "kernel"))
    outputs[ONLY_KERNELS] = np.asarray(kernels(images))
    otherwise = "The deep network does not compute what the shallow one does: compare them behind each block."
    return compare(np.asarray(answer(images)), right, outputs, otherwise, **FLOAT32) or _not_copying(answer, shallow)


def _not_copying(answer, shallow) -> str | None:
    """Whether a new convolution changes what it gets, though others change it back."""
    shared = {layer.name for layer in shallow.layers}
    for layer in answer.layers:
        if layer.name in shared or not hasattr(layer, "kernel"):
            continue
        maps = np.random.default_rng(2).uniform(0, 1, (2, 6, 6, layer.kernel.shape[-2])).astype("float32")
        if not np.allclose(layer(maps), maps, **FLOAT32):
            return (
                f"The outputs are right, but {layer.name} does not put out what it gets: several of your new layers "
                "undo what others do. Each of them must copy by itself."
            )
    return None


def _network(depth: int):
    """A plain network with the same random weights each time it is built."""
    import keras

    from course_lib import models

    keras.utils.set_random_seed(depth)
    return models.build("plain_small", depth=depth, **SMALL)


def _shallow():
    """A shallow plain network whose normalizations know some images, as after training."""
    network = _network(DEPTHS[0])
    network.set_weights(_trained_weights())
    return network


@functools.cache
def _trained_weights() -> list[np.ndarray]:
    network = _network(DEPTHS[0])
    images = np.random.default_rng(0).uniform(0, 1, (50, SIDE, SIDE, 1)).astype("float32")
    for _ in range(20):
        network(images, training=True)
    return network.get_weights()


def _deepened(deep, shallow, kernel_of: Callable | None, keep: Callable = lambda layer: True):
    """`deep`, now with the layers of `shallow` that `keep` says, and with kernels `kernel_of(maps)` in its new ones."""
    kept = {layer.name: layer for layer in shallow.layers}
    for layer in deep.layers:
        if layer.name in kept and keep(layer):
            layer.set_weights(kept[layer.name].get_weights())
        elif layer.name not in kept and layer.name.endswith("_conv") and kernel_of:
            layer.set_weights([kernel_of(layer.kernel.shape[-1])])
    return deep


def _diagonal(window: np.ndarray) -> Callable:
    """Kernels that apply `window` `(3, 3)` to each map by itself."""
    return lambda count: window[..., None, None] * np.eye(count)

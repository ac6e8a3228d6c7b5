"""Outputs of layers and logits, recorded while a network runs."""

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from course_lib.model_checks import leaf_layers, returns_probabilities


@contextlib.contextmanager
def outputs_of(layers: Iterable, watch: Callable | None = None) -> Iterator[list[tuple]]:
    """Collects (layer, output) per call, while a model runs inside the `with` block.

    It also reaches layers of nested models, and builds no second model. Each output is passed to `watch`, for example
    `tape.watch` of a GradientTape.
    """

    def call_and_keep(layer, call, *inputs, **options):
        output = call(*inputs, **options)
        if watch is not None:
            watch(output)
        outputs.append((layer, output))
        return output

    outputs = []
    changed = []
    try:
        for layer in dict.fromkeys(layers):
            listened = functools.partial(call_and_keep, layer, layer.call)
            vars(layer)["call"] = listened  # unseen by Keras, which tracks setattr
            changed.append(layer)
        yield outputs
    finally:
        for layer in changed:
            del vars(layer)["call"]


def only_output(outputs: list[tuple], layer):
    """The output that `outputs_of` collected of one layer, which must have been called once.

    Raises:
        ValueError: the layer is shared, so that it has several outputs, or was not called.
    """
    found = [output for each, output in outputs if each is layer]
    if len(found) != 1:
        raise ValueError(
            f"the layer {layer.name!r} is called {len(found)} times in one run of the network, not once, so there is "
            "no single output of it: give a layer that is called once, or look into the shared part by itself"
        )
    return found[0]


def logits_of(model, run: Callable):
    """The logits of a model: what `run()`, a call of it, returns, or what its final softmax or sigmoid receives.

    The gradient of a probability near 1 vanishes; that of its logit does not.
    """
    if not returns_probabilities(model):
        return run()
    last = leaf_layers(model)[-1]
    received = []
    name = "activation" if hasattr(last, "activation") else "call"  # "call" of the layer Softmax
    function = getattr(last, name)
    kept = vars(last).get(name)

    def listen(inputs, *others, **options):
        received.append(inputs)
        return function(inputs, *others, **options)

    vars(last)[name] = listen  # unseen by Keras, which tracks setattr
    try:
        run()
    finally:
        del vars(last)[name]
        if kept is not None:
            vars(last)[name] = kept
    return received[-1]


def two_classes(logits):
    """Logits `(n, classes)`; of one output z two, −z/2 and z/2, whose softmax is 1 − sigmoid(z) and sigmoid(z)."""
    import keras

    return keras.ops.concatenate([-logits / 2, logits / 2], axis=-1) if logits.shape[-1] == 1 else logits


def weights_of(variable) -> np.ndarray:
    """The present values of a variable as float32; the array does not follow the variable."""
    import keras

    # NumPy 2 warns where it converts a variable of TensorFlow, or bfloat16, itself.
    return keras.ops.convert_to_numpy(keras.ops.cast(keras.ops.copy(variable), "float32"))

"""How functions look into a network while it runs: the outputs of its layers, and its logits."""

import contextlib
from collections.abc import Callable, Iterable, Iterator

from course_lib.model_checks import leaf_layers, returns_probabilities


@contextlib.contextmanager
def outputs_of(layers: Iterable, watch: Callable | None = None) -> Iterator[list[tuple]]:
    """Collects (layer, output), call by call, while a model runs inside the `with` block.

    It does so wherever in nested models the layers are, and builds no second model from their tensors. Each output
    goes to `watch`, such as that of a GradientTape.
    """

    def listened(layer, call) -> Callable:
        def call_and_keep(*inputs, **options):
            output = call(*inputs, **options)
            if watch is not None:
                watch(output)
            outputs.append((layer, output))
            return output

        return call_and_keep

    outputs, changed = [], []
    try:
        for layer in dict.fromkeys(layers):
            vars(layer)["call"] = listened(layer, layer.call)  # unseen by Keras, which tracks setattr
            changed.append(layer)
        yield outputs
    finally:
        for layer in changed:
            del vars(layer)["call"]


def only_output(outputs: list[tuple], layer):
    """What `outputs_of` collected of one layer, which must have been called once.

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
    """The logits of what `run()`, a call of the model, returns: where it ends with softmax or sigmoid, what these get.

    Of a probability near 1 the gradient vanishes; of its logit it does not.
    """
    if not returns_probabilities(model):
        return run()
    last, received = leaf_layers(model)[-1], []
    name = "activation" if hasattr(last, "activation") else "call"  # "call" of the layer Softmax
    function, kept = getattr(last, name), vars(last).get(name)

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

"""What every part must know of a Keras model: whether it is one, which pixels it takes, and what it returns.

A leaf beside `common`: Keras is imported only inside the functions.
"""

import numpy as np

PROBABILITIES = ("softmax", "sigmoid")  # activations whose outputs lie between 0 and 1
WIDEST = 10.0  # a network that scales pixels itself maps 0 to 255 to less than this: 1, 2, or 255 / deviation


def check_model(model: object, what: str = "model") -> None:
    """Checks that `model` is a Keras model.

    Raises:
        ValueError: a run, a name or anything else; the message says what to give instead.
    """
    import keras

    if isinstance(model, keras.Model):
        return
    advice = "give a keras.Model"
    if isinstance(getattr(model, "model", None), keras.Model):
        advice = f"give the model in it: {type(model).__name__.lower()}.model"
    elif isinstance(model, str):
        advice = f"give the network itself: models.build({model!r}), or the model of a run"
    elif isinstance(model, keras.layers.Layer):
        advice = "give the whole model, not one of its layers"
    elif callable(model):
        advice = "give what the function builds: call it"
    raise ValueError(f"{what} must be a keras.Model, not {described(model)}: {advice}")


def described(value: object) -> str:
    """A short description of an argument for an error message: its type, and its value where that is short."""
    text = repr(value)
    kind = type(value).__name__
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{kind} of shape {tuple(value.shape)}"
    if value is None:
        return "None"
    return f"{text} ({kind})" if len(text) <= 40 else f"a {kind}"


def leaf_layers(model) -> list:
    """The layers of a model in order, those of nested models in their place."""
    leaves = []
    for layer in model.layers:
        leaves += leaf_layers(layer) if getattr(layer, "layers", None) else [layer]
    return leaves


def final_activation(model) -> str:
    """The name of the activation that the last layer applies, such as "softmax", "sigmoid" or "linear"."""
    passing = [layer for layer in leaf_layers(model) if not _passes_on(layer)]
    last = passing[-1] if passing else leaf_layers(model)[-1]
    if hasattr(last, "activation"):
        return getattr(last.activation, "__name__", "linear")
    return type(last).__name__.lower()


def final_operation(model) -> str:
    """The same, also where the network ends with an operation that is no layer, such as `keras.ops.softmax`."""
    last = getattr(model, "operations", model.layers)[-1]
    return final_activation(model) if hasattr(last, "weights") else type(last).__name__.lower()


def _passes_on(layer) -> bool:
    """Whether a layer gives its input on as it is, in another shape at most."""
    kind = type(layer).__name__
    if kind == "Activation":
        return getattr(layer.activation, "__name__", "") == "linear"
    return kind in ("Dropout", "Flatten", "Identity", "Permute", "Reshape")


def returns_probabilities(model) -> bool:
    """Whether the network ends with softmax or sigmoid, so that it returns probabilities instead of logits."""
    return final_activation(model) in PROBABILITIES


def scales_pixels(model) -> bool:
    """Whether the network itself scales pixels from 0 to 255, as one that begins with `Rescaling(1 / 255)` does.

    What its first layer with weights receives for a black and for a white image decides, so that normalization,
    arithmetic on the input and nested models count too. False where that cannot be found out.
    """
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or len(shape) != 4:
        return False
    size = [shape[0] or 1, *(side or 64 for side in shape[1:])]
    received = [_received_by_first_weights(model, np.full(size, value, "float32")) for value in (0, 255)]
    if received[0] is None:
        return False
    low = float(np.min(received))
    high = float(np.max(received))
    return low < -WIDEST or high - low <= WIDEST


class _Received(Exception):
    """Ends a forward pass that has reached the layer in question."""


def _received_by_first_weights(model, images) -> np.ndarray | None:
    """What the first layer with weights gets for `images`; a `Normalization` counts as part of the scaling."""
    import keras

    weighted = [layer for layer in leaf_layers(model) if layer.weights and type(layer).__name__ != "Normalization"]
    if not weighted:
        return None
    received = []

    def listen(inputs, *_, **__):
        received.append(keras.ops.convert_to_numpy(keras.ops.cast(inputs, "float32")))
        raise _Received

    vars(weighted[0])["call"] = listen  # unseen by Keras, which tracks setattr
    try:
        model(images, training=False)
    except Exception:  # Keras may wrap _Received in an error of its own
        if not received:
            raise
    finally:
        del vars(weighted[0])["call"]
    return received[0] if received else None

"""The size of the gradient per layer: how it vanishes on the way back (Glorot and Bengio 2010, section 4.2)."""

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib import common
from course_lib.array_checks import array_of
from course_lib.label_checks import class_numbers
from course_lib.model_checks import described, final_activation, leaf_layers
from course_lib.visualization.checks import check_logits, images_for
from course_lib.visualization.curves import plain_log
from course_lib.visualization.inside import logits_of, outputs_of, two_classes
from course_lib.visualization.style import MUTED, given_or_new, style

EXPONENTS = (-16.0, 2.0)  # range of the histograms of log10 |gradient|; zeros count in the first bin
BINS = 36
FLAT = {  # activation function → whether its derivative is 0, or below 5 % of its largest, where the output is y
    "relu": lambda y: y == 0,
    "sigmoid": lambda y: 4 * y * (1 - y) < 0.05,
    "tanh": lambda y: 1 - y**2 < 0.05,
}
LABELS = {"norm": "norm of the gradient", "mean": "mean |gradient|", "update": "update of one step / weights",
          "activation_std": "deviation of the activations", "flat": "share of flat activations"}  # fmt: skip


def gradient_sizes(model, images: np.ndarray, labels: Sequence[int]) -> dict:
    """The gradient of the mean cross-entropy of one batch, layer by layer; the model is not changed.

    The network runs as in training: normalization uses the statistics of the batch, dropout drops. Biases, the
    parameters of normalization and penalties on weights are left out. Needs TensorFlow as the backend of Keras.

    Args:
        model: a network that returns logits, or ends with softmax or sigmoid; a single output stands for two classes.
        images: a batch, scaled as the network takes it.
        labels: `(n,)` whole numbers.

    Returns:
        A dict of "layers", the names of all layers with a trainable kernel, from the input to the output, and float32
        arrays `(layers,)`: the "norm" |∂E/∂w|₂ and the "mean" |∂E/∂w| of the gradient of each kernel, and "weights",
        |w|₂. One step of gradient descent changes the kernel by the share `learning_rate * norm / weights`.

    Raises:
        ValueError: images or labels that do not fit, a model that was never built, that has no trainable kernel,
            several outputs, or several sigmoids, or that is subclassed.
    """
    found = probe(model, *check_batch(model, images, labels))
    return {"layers": found["layers"]} | {name: found[name].numpy() for name in ("norm", "mean", "weights")}


def check_batch(model, images: np.ndarray, labels: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """The batch as arrays, float32 and int64; for the errors see `gradient_sizes`."""
    batch = images_for(model, images)
    classes = check_logits(model, batch)
    check_cross_entropy(model)
    labels = class_numbers("labels", labels, count=len(batch), classes=classes)
    if not kernels_of(model):
        raise ValueError(f"no layer of {model.name!r} has a kernel that is trained")
    return batch, labels


def check_cross_entropy(model) -> None:
    """Checks that the classes of a network exclude each other, as cross-entropy assumes.

    Raises:
        ValueError: several sigmoids, so that several classes may be likely at once.
    """
    if final_activation(model) == "sigmoid" and model.output_shape[-1] > 1:
        raise ValueError(
            f"{model.name!r} ends with {model.output_shape[-1]} sigmoids, so its classes do not exclude each other, "
            "and cross-entropy has no meaning: end it with logits, or with softmax"
        )


def kernels_of(model) -> list[tuple]:
    """Pairs (name of the layer, its trainable kernel), also inside nested models."""
    pairs = [(layer.name, weight) for layer in leaf_layers(model) for weight in layer.trainable_weights]
    return [(name, weight) for name, weight in pairs if weight.name.endswith("kernel")]


def functions_of(model) -> dict:
    """The layers, also inside nested models, that end with ReLU, sigmoid or tanh → the name of that function."""
    named = {
        layer: getattr(getattr(layer, "activation", None), "__name__", type(layer).__name__.lower())
        for layer in leaf_layers(model)
    }
    return {layer: function for layer, function in named.items() if function in FLAT}


def activations_of(outputs: list[tuple], functions: Mapping) -> list[tuple]:
    """(name, output in float32, whether flat there) of what `outputs_of(functions)` collected."""
    import keras

    cast = [(layer, keras.ops.cast(output, "float32")) for layer, output in outputs]
    return [(layer.name, y, FLAT[functions[layer]](y)) for layer, y in cast]


def probe(model, images, labels) -> dict:
    """All that is measured on one batch, as tensors (and lists of names), so that it can be compiled."""
    import keras
    import tensorflow as tf

    def norm(values):
        largest = tf.reduce_max(tf.abs(values))
        return largest * tf.norm(tf.math.divide_no_nan(values, largest))  # so no square of a number becomes 0

    values = {id(variable): tf.convert_to_tensor(variable.value) for variable in model.trainable_variables}
    fixed = [tf.convert_to_tensor(variable.value) for variable in model.non_trainable_variables]
    kernels = [values[id(kernel)] for _, kernel in kernels_of(model)]

    def run():
        return model.stateless_call(list(values.values()), fixed, images, training=True)[0]  # changes no state

    # As in training: without it, small gradients become 0 in half precision.
    scale = 2.0**10 if any(layer.compute_dtype == "float16" for layer in leaf_layers(model)) else 1.0
    functions = functions_of(model)
    with outputs_of(functions) as outputs, tf.GradientTape() as tape:
        tape.watch(kernels)
        logits = two_classes(tf.cast(logits_of(model, run), "float32"))
        losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        error = scale * tf.reduce_mean(losses)
    activations = activations_of(outputs, functions)
    gradients = tape.gradient(error, kernels, unconnected_gradients="zero")
    gradients = [tf.cast(each, "float32") / scale for each in gradients]
    sizes = [tf.abs(each) for each in gradients]
    logs = [tf.math.log(each + 1e-30) / np.log(10) for each in sizes]
    return {
        "layers": [name for name, _ in kernels_of(model)],
        "activations": [name for name, _, _ in activations],
        "norm": tf.stack([norm(each) for each in gradients]),
        "mean": tf.stack([tf.reduce_mean(each) for each in sizes]),
        "weights": tf.stack([norm(tf.cast(each, "float32")) for each in kernels]),
        "histogram": tf.stack([tf.histogram_fixed_width(each, EXPONENTS, BINS) for each in logs]),
        "activation_std": [tf.math.reduce_std(y) for _, y, _ in activations],
        "flat": [tf.reduce_mean(tf.cast(flat, "float32")) for _, _, flat in activations],
    }


@style()
def plot_gradients(sizes: Mapping, value: str = "norm", *, ax=None):
    """The size of the gradient per layer on a logarithmic axis, the input on the left; zeros are drawn at the bottom.

    Args:
        sizes: what `gradient_sizes` returns, or a dict name → that of several networks.
        value: "norm" or "mean".
        ax: the Axes to draw on; by default those of a new figure.

    Raises:
        ValueError: anything that `gradient_sizes` does not return, such as the record of a `GradientWatch`.

    Example:
        >>> ax = visualization.plot_gradients(visualization.gradient_sizes(model, images, labels))
    """
    networks = {"": sizes} if isinstance(sizes, Mapping) and "layers" in sizes else sizes
    _check_sizes(networks, value)
    names = [list(each["layers"]) for each in networks.values()]
    every = np.concatenate([each[value] for each in networks.values()])
    foot = min(every[every > 0], default=1) / 30
    ax = given_or_new(ax)
    for name, each in networks.items():
        ax.plot(range(1, len(each[value]) + 1), np.maximum(each[value], foot), "o-", markersize=5, label=name)
    ax.set(yscale="log", ylabel=LABELS[value], xlabel="layer, counted from the input")
    if every.max() < 3_000 * foot:  # two decades and the foot
        plain_log(ax)
    ax.grid(True, axis="y")
    if (every == 0).any():
        ax.axhline(foot, color=MUTED, linewidth=1, linestyle=":")
        ax.text(1, foot, " zero", transform=ax.get_yaxis_transform(), va="center")
    if names.count(names[0]) == len(names):
        apart = 1 + len(names[0]) // 25
        ax.set_xticks(range(1, len(names[0]) + 1, apart), names[0][::apart], rotation=90)
    else:
        ax.xaxis.get_major_locator().set_params(integer=True)
    if len(networks) > 1:
        ax.legend()
    return ax


def _check_sizes(networks: Mapping, value: str) -> None:
    """Checks that each network has its layers' names and one number per layer."""
    listed = list(networks.values()) if isinstance(networks, Mapping) else []
    if not listed or not all(isinstance(each, Mapping) and "layers" in each for each in listed):
        raise ValueError(
            "sizes must be what gradient_sizes(model, images, labels) returns, or a dict name → that, "
            f"not {described(networks)}"
        )
    for each in listed:
        if value not in ("norm", "mean") or value not in each:
            raise common.unknown("value", value, {"norm", "mean"} & set(each))
        if array_of(value, each[value]).shape != (len(each["layers"]),):
            raise ValueError(
                f"{value!r} must be one number per layer, {len(each['layers'])}, not {np.shape(each[value])}: "
                "plot_gradient_history draws what GradientWatch recorded at several steps"
            )

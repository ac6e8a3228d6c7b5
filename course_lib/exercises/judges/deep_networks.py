"""Judges of the exercises on whole networks in `gradients.toml`: norms of gradients, and a network to repair."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.judges import compare, every_layer, has_layer

FLOAT32 = {"rtol": 1e-3, "atol": 1e-9}  # an answer may be computed in float32
EMPTY = "The gap is still empty: replace the dots."
LAYERS = 10  # of the network to repair
HIGHEST_ERROR = 0.3  # of the repaired network on training digits, within `STEPS` steps
STEPS = 400
LARGEST_NORM = 100.0  # of the first layer's gradient: above, a network that does not learn has exploded
RATES = (0.1, 0.02)  # the second where the first fails: some activations need it
SMALLEST_NORM = 1e-6  # of a gradient that "reaches" a layer of the network to repair


def filled(function: Callable, *arguments: object) -> object:
    """What `function` returns, or a reply where nothing was written yet."""
    try:
        answer = function(*arguments)
    except TypeError as error:
        if "ellipsis" in str(error).lower():
            return EMPTY
        raise
    if answer is ...:
        return EMPTY
    if answer is None:
        return "Your function returns nothing: is it still empty? It needs a return."
    return answer


def layer_norms(function: Callable) -> str | None:
    """The norm of each dense kernel's gradient from `(model, (images, labels))`."""
    import keras

    keras.utils.set_random_seed(0)
    model = _small_network()
    model.layers[1].bias.assign(np.full(7, 0.1))
    generator = np.random.default_rng(1)
    images = generator.normal(size=(6, 5)).astype("float32")
    labels = np.array([0, 2, 1, 0, 1, 2])
    gradients = gradients_of(model, images, labels)
    weights = [np.asarray(kernel) for kernel in _kernels(model)]
    answer = filled(function, model, (images, labels))
    if isinstance(answer, str):
        return answer
    try:
        answer = np.asarray([float(each) for each in answer])
    except (TypeError, ValueError):
        return "It must return one number per dense layer, the norm of its kernel's gradient."
    right = _norms(gradients)
    if len(answer) == 2 * len(right):
        return "You return two numbers per layer: leave the biases out, and take `layer.kernel` alone."
    if answer.shape != right.shape:
        return f"The network has {len(right)} dense layers; you return {len(answer)} numbers."
    plausible = {
        "They run from the output to the input; turn them around.": right[::-1],
        "The error is summed over the images here: take the mean.": len(labels) * right,
        "These are the squares of the norms: take the root.": right**2,
        "These are the norms of the weights; those of their gradients are wanted.": _norms(weights),
        "That is the spectral norm (ord=2); wanted is the root of the sum of all squares.": np.array(
            [np.linalg.norm(each, 2) for each in gradients]
        ),
        "That is the largest entry of each; the norm is the root of the sum of squares.": np.array(
            [np.abs(each).max() for each in gradients]
        ),
        "That is the mean of |∂L/∂W|; the norm is the root of the sum of squares.": np.array(
            [np.abs(each).mean() for each in gradients]
        ),
        "That is the root of the MEAN square; the norm takes the sum.": right
        / np.sqrt([each.size for each in gradients]),
    }
    otherwise = "There is one number per layer, but not the norm. Does your loss take the outputs as logits?"
    return compare(answer, right, plausible, otherwise, **FLOAT32)


def repair(function: Callable) -> str | None:
    """A network that learns, with the norms of the gradients of the broken and of the repaired one."""
    import keras

    images, labels = _digits()
    batch = images[:64], labels[:64]
    keras.utils.set_random_seed(3)  # the same weights at every check
    answer = filled(function, tuple(part.copy() for part in batch))  # what is judged by stays as it is
    if isinstance(answer, str):
        return answer
    if not isinstance(answer, (tuple, list)) or len(answer) != 4:
        return "Hand in four things: return network, norms_of_sick, norms_of_network, layers_reached."
    model, *norms, reached = answer
    if not hasattr(model, "count_params"):
        return f"The first of the four must be the network, not {type(model).__name__}."
    return (
        _not_repaired(model)
        or _no_evidence(model, norms, batch)
        or _wrong_layers(reached, norms[0])
        or _does_not_learn(model, images, labels)
    )


def _not_repaired(model) -> str | None:
    """What is wrong with the shape of a repaired network."""
    if not getattr(model, "inputs", None):
        return "Its layers cannot be told: return a keras.Sequential with an Input, or a functional keras.Model."
    if tuple(model.input_shape[1:]) != (32, 32, 1) or tuple(model.output_shape[1:]) != (10,):
        return f"It must map 32×32×1 to 10 logits; yours maps {model.input_shape[1:]} to {model.output_shape[1:]}."
    count = len(_kernels(model))
    if count < LAYERS:
        return f"Yours has {count} layers with weights. A shallow network learns easily; repair all {LAYERS}."
    if count > LAYERS:
        return f"Yours has {count} layers with weights; {LAYERS} are asked, the one of the logits included."
    if has_layer(model, "Dropout"):
        return "Leave dropout out: with it the norms are others at every call, and none can be compared."
    outputs = np.asarray(model(_digits()[0][:64]))
    if outputs.min() >= 0 and np.allclose(outputs.sum(axis=-1), 1, atol=1e-3):
        return "It must give logits; yours gives probabilities: leave the softmax of the last layer out."
    return None


def _no_evidence(model, norms: list, batch: tuple) -> str | None:
    """What is wrong with the two lists of norms."""
    as_used = _norms(gradients_of(model, *batch, training=False))  # first: training changes the moving statistics
    after, before = (_norms(gradients_of(network, *batch)) for network in (model, sick()))
    try:
        handed_in = [np.asarray([float(each) for each in found]) for found in norms]
    except (TypeError, ValueError):
        return "The second and the third thing must be lists of norms, as layer_norms returns them."
    if handed_in[0].shape != before.shape or handed_in[1].shape != after.shape:
        return f"There must be one norm per layer: {len(before)} of sick(), and {len(after)} of your network."
    if np.allclose(handed_in[0], after, 0.05) and not np.allclose(after, before, 0.5):
        return "The first list must show sick(), the second your network; yours are exchanged, or both of your network."
    if np.abs(np.log10((handed_in[0] + 1e-30) / (before + 1e-30))).max() > 1:
        return "The first list does not show sick(): call layer_norms(sick(), batch)."
    if not np.allclose(handed_in[1], after, 0.05):
        if np.allclose(handed_in[1], as_used, 0.05, 0) and not np.allclose(*handed_in, 1e-3, 0):
            return "Normalization uses the batch's statistics only in training: call `model(images, training=True)`."
        return "The second list does not belong to the network that you return: measure it on this batch, untrained."
    return None


def _wrong_layers(reached, norms_of_sick) -> str | None:
    """What is wrong with the list of those layers of sick() that a gradient reaches."""
    if reached is ... or (isinstance(reached, (list, tuple)) and any(layer is ... for layer in reached)):
        return EMPTY
    try:
        layers = sorted({int(layer) for layer in np.ravel(list(reached))})
    except (TypeError, ValueError):
        return "The fourth thing must be a list of layers of sick(), counted from 1."
    if not all(1 <= layer <= LAYERS for layer in layers):
        return f"The layers are counted from 1 to {LAYERS}; your fourth thing names {', '.join(map(str, layers))}."
    norms = [float(norm) for norm in norms_of_sick]
    right = [number for number, norm in enumerate(norms, 1) if norm > SMALLEST_NORM]
    if layers == right:
        return None
    found = f"your own list goes from {min(norms):.0e} to {max(norms):.0e}"
    if len(layers) == LAYERS:
        return f"You expect a gradient in every layer of sick(); {found}."
    if layers and layers == list(range(layers[0], LAYERS + 1)):
        return (
            f"You expect a gradient in the last layers of sick(); {found}. With small weights the outputs shrink "
            "toward the last layer, too, and a weight's gradient is its input times what comes back (section 3)."
        )
    return f"Layers that get a gradient above {SMALLEST_NORM:g} in sick(): you name {layers or 'none'}; {found}."


def _does_not_learn(model, images: np.ndarray, labels: np.ndarray) -> str | None:
    """What training shows, or None."""
    first = _norms(gradients_of(model, images[:64], labels[:64]))[0]
    error = _lowest_error(model, images, labels)
    if error > HIGHEST_ERROR and first > LARGEST_NORM:
        return f"Its weights start too large: its first layer's gradient has the norm {first:.1g}, and it explodes."
    if error > HIGHEST_ERROR:
        return (
            f"Within {STEPS} steps of SGD, rate {RATES[0]} or {RATES[1]}, it errs on {error:.0%} of the digits; "
            f"at most {HIGHEST_ERROR:.0%} is asked. The gradient of its first layer had the norm {first:.1g}."
        )
    return None


def sick():
    """The network to repair, as `experiments.gradients.sick` builds it."""
    import keras

    def dense(units: int):
        return keras.layers.Dense(units, kernel_initializer=keras.initializers.RandomNormal(stddev=0.01))

    keras.utils.set_random_seed(0)
    inner = [layer for _ in range(LAYERS - 1) for layer in (dense(50), keras.layers.ReLU())]
    return keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Flatten(), *inner, dense(10)])


def gradients_of(model, images: np.ndarray, labels: np.ndarray, *, training: bool = True) -> list[np.ndarray]:
    """The gradient of the mean cross-entropy for each kernel, from the input to the output."""
    import keras
    import tensorflow as tf

    kernels = [kernel.value for kernel in _kernels(model)]
    with tf.GradientTape() as tape:
        logits = model(images, training=training)
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True))
    return [np.asarray(gradient, float) for gradient in tape.gradient(loss, kernels)]


def _norms(arrays: list[np.ndarray]) -> np.ndarray:
    """The norm of each array."""
    return np.array([np.sqrt(np.sum(each.astype(float) ** 2)) for each in arrays])


def _lowest_error(model, images: np.ndarray, labels: np.ndarray) -> float:
    """The lowest training error after an epoch, within `STEPS` steps of gradient descent; NaN counts as wrong.

    Normalization takes the statistics of these images: its moving averages lag behind after so few steps.
    """
    import keras

    start = model.get_weights()
    errors = []
    for rate in RATES:
        model.set_weights(start)
        model.compile(keras.optimizers.SGD(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        for _ in range(max(1, round(STEPS * 100 / len(images)))):
            model.fit(images, labels, batch_size=100, verbose=0, shuffle=False)
            errors.append(float(np.mean(np.argmax(model(images, training=True), axis=1) != labels)))
            if errors[-1] <= HIGHEST_ERROR:
                return errors[-1]
    return min(errors)


def _digits() -> tuple[np.ndarray, np.ndarray]:
    """Training digits in their frame, and their labels."""
    from course_lib import datasets

    split = datasets.load("digits").train
    split = split.take(min(2_000, len(split))).with_transform(datasets.paper_frame)
    return split.prepared(0, len(split)), split.arrays()[1]


def _kernels(model) -> list:
    """The kernels of all layers that have one."""
    return [layer.kernel for layer in every_layer(model) if hasattr(layer, "kernel")]


def _small_network():
    """Three dense layers."""
    import keras

    dense = keras.layers.Dense
    return keras.Sequential([keras.Input((5,)), dense(6, activation="tanh"), dense(7, activation="relu"), dense(3)])

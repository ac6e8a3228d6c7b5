"""Logits of networks that end with probabilities, and of those that have one output."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from course_lib import visualization

IMAGES = np.random.default_rng(3).uniform(size=(5, 8, 8, 1)).astype("float32")
LABELS = np.array([0, 1, 1, 0, 1])


def network(units, *end, **options):
    drawn = {"kernel_initializer": keras.initializers.RandomNormal(0, 1, seed=2)}
    convolution = layers.Conv2D(4, 3, activation="relu", name="c1", **drawn)
    dense = layers.Dense(units, **drawn, **options)
    return keras.Sequential([keras.Input((8, 8, 1)), convolution, layers.Flatten(), dense, *end])


ENDS = {
    "softmax": lambda: network(3, activation="softmax"),
    "Softmax": lambda: network(3, layers.Softmax()),
    "Activation": lambda: network(3, layers.Activation("softmax")),
}
LOOKS = {
    "grad_cam": lambda model: visualization.grad_cam(model, IMAGES, "c1", 1),
    "occlusion": lambda model: visualization.occlusion(model, IMAGES[0], 1, size=3),
    "gradient_sizes": lambda model: visualization.gradient_sizes(model, IMAGES, LABELS)["norm"],
    "error_surface": lambda model: visualization.error_surface(model, IMAGES, LABELS, points=3).losses,
    "squared": lambda model: (
        visualization.error_surface(model, IMAGES, LABELS, points=3, loss="mean_squared_error").losses
    ),
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("end", ENDS)
def test_a_softmax_at_the_end_changes_nothing(end, look):
    """The outputs are saturated: probabilities of nearly 0 and 1, whose gradients vanish."""
    model, logits = ENDS[end](), network(3)
    assert model(IMAGES).numpy().max() > 0.999
    np.testing.assert_allclose(LOOKS[look](model), LOOKS[look](logits), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model(IMAGES).numpy().sum(axis=1), 1, rtol=1e-5)  # it is put back
    assert all("call" not in vars(layer) for layer in model.layers)


@pytest.mark.parametrize("activation", [None, "sigmoid"])
def test_one_output_tells_two_classes_apart(activation):
    model = network(1, activation=activation)
    with tf.GradientTape() as tape:
        outputs = model(IMAGES)
        losses = keras.losses.binary_crossentropy(LABELS[:, None], outputs, from_logits=activation is None)
        loss = tf.reduce_mean(losses)
    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]
    sizes = visualization.gradient_sizes(model, IMAGES, LABELS)
    if activation is None:  # of saturated probabilities the tape's are rounded to 0
        np.testing.assert_allclose(sizes["norm"], [tf.norm(each) for each in tape.gradient(loss, kernels)], rtol=1e-4)
    falls = visualization.occlusion(model, IMAGES[0], 1, size=8, stride=8)
    hidden = np.full((2, 8, 8, 1), IMAGES[0].mean(), "float32")
    chances = model(np.concatenate([IMAGES[:1], hidden])).numpy()[:, 0]
    chances = chances if activation else 1 / (1 + np.exp(-chances))
    assert falls[0, 0] == pytest.approx(chances[0] - chances[1], abs=1e-5)
    np.testing.assert_allclose(visualization.occlusion(model, IMAGES[0], 0, size=8, stride=8), -falls, atol=1e-6)
    with pytest.raises(ValueError, match="labels must be whole numbers from 0 to 1"):
        visualization.gradient_sizes(model, IMAGES, LABELS + 1)
    with pytest.raises(ValueError, match=r"needs a logit per class.*has one output"):
        visualization.error_surface(model, IMAGES, LABELS, points=3)


def test_several_sigmoids_are_no_classes_that_exclude_each_other():
    model = network(3, activation="sigmoid")
    for look in ("gradient_sizes", "error_surface"):
        with pytest.raises(ValueError, match="ends with 3 sigmoids"):
            LOOKS[look](model)
    falls = LOOKS["occlusion"](model)
    assert np.abs(falls).max() <= 1 and visualization.grad_cam(model, IMAGES, "c1", 2).shape == (5, 6, 6)

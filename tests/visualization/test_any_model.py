"""Every helper that looks into a network, on every kind of model: the same weights give the same answers."""

import keras
import numpy as np
import pytest
from keras import layers

from course_lib import visualization

RANDOM = np.random.default_rng(9)
IMAGES = RANDOM.uniform(size=(6, 10, 8, 3)).astype("float32")
LABELS = RANDOM.integers(4, size=6)
SHAPE = (10, 8, 3)
HELPERS = {
    "gradient_sizes": lambda model: visualization.gradient_sizes(model, IMAGES, LABELS)["norm"],
    "count_units": lambda model: visualization.count_units(model, IMAGES)["dead"],
    "kernels": lambda model: visualization.kernels(model, "conv1"),
    "feature_maps": lambda model: visualization.feature_maps(model, IMAGES, ["conv2"])["conv2"],
    "top_patches": lambda model: visualization.top_patches(model, IMAGES, "conv2", range(2), k=3)[0],
    "grad_cam": lambda model: visualization.grad_cam(model, IMAGES, "conv2", 1),
    "occlusion": lambda model: visualization.occlusion(model, IMAGES[0], 3, size=4),
    "effective_receptive_field": lambda model: visualization.effective_receptive_field(model, IMAGES, "conv2"),
    "error_surface": lambda model: visualization.error_surface(model, IMAGES, LABELS, points=3).losses,
    "GradientWatch": lambda model: watched(model),
}


def watched(model) -> np.ndarray:
    """The gradients that a watch sees before the first step of training; the weights are put back."""
    before = model.get_weights()
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    watch = visualization.GradientWatch(IMAGES, LABELS)
    model.fit(IMAGES, LABELS, batch_size=6, verbose=0, callbacks=[watch])
    model.set_weights(before)
    return watch.record["norm"][0]


def stages(dtype=None) -> list[keras.Layer]:
    return [
        layers.Conv2D(5, 3, activation="relu", bias_initializer="normal", dtype=dtype, name="conv1"),
        layers.Conv2D(4, 3, padding="same", activation="tanh", dtype=dtype, name="conv2"),
        layers.MaxPooling2D(2, dtype=dtype, name="pool"),
        layers.Flatten(name="flatten"),
        layers.Dense(4, dtype="float32", name="logits"),
    ]


def functional(dtype=None) -> keras.Model:
    inputs = x = keras.Input(SHAPE)
    for layer in stages(dtype):
        x = layer(x)
    return keras.Model(inputs, x)


def sequential() -> keras.Model:
    return keras.Sequential([keras.Input(SHAPE), *stages()])


def nested() -> keras.Model:
    *first, flatten, logits = stages()
    inputs = keras.Input(SHAPE)
    return keras.Model(inputs, logits(flatten(keras.Sequential([keras.Input(SHAPE), *first], name="inner")(inputs))))


def like(plain: keras.Model, model: keras.Model) -> keras.Model:
    model.set_weights(plain.get_weights())
    return model


@pytest.fixture(scope="module")
def plain():
    keras.utils.set_random_seed(4)
    return functional()


@pytest.fixture(scope="module")
def models(plain, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    made = {"sequential": like(plain, sequential()), "nested": like(plain, nested())}
    made["nested"].save(path)
    made["reloaded"] = keras.models.load_model(path)
    made["mixed_float16"] = like(plain, functional("mixed_float16"))
    return made


@pytest.mark.parametrize("helper", HELPERS)
@pytest.mark.parametrize("kind", ["sequential", "nested", "reloaded", "mixed_float16"])
def test_same_weights_same_answer(plain, models, kind, helper):
    check(HELPERS[helper](models[kind]), HELPERS[helper](plain), 0.03 if kind == "mixed_float16" else 1e-4)


def check(found: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    """Equal to a share of the largest value; one picture in ten may differ where half precision swaps two."""
    assert found.shape == expected.shape and np.isfinite(found).all()
    apart = np.abs(found.astype(float) - expected) > tolerance * max(np.abs(expected).max(), 1)
    assert apart.mean() <= (0.1 if tolerance > 0.01 else 0)


def test_mirrored(two_devices, plain):
    with two_devices.scope():
        mirrored = like(plain, nested())
    for measure in HELPERS.values():
        check(measure(mirrored), measure(plain), 1e-4)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv2 = layers.Conv2D(4, 3, name="conv2")
        self.logits = layers.Dense(4)

    def call(self, x):
        return self.logits(keras.ops.mean(self.conv2(x), (1, 2)))


@pytest.mark.parametrize("helper", sorted({*HELPERS} - {"kernels", "error_surface"}))
def test_a_subclassed_model_gets_a_sentence(helper):
    model = Subclassed()
    model(IMAGES)
    with pytest.raises(ValueError, match="needs a Functional or Sequential model"):
        HELPERS[helper](model)

"""Whatever is no network, no batch for it and no layer of it gets a sentence, from every function alike."""

import types

import keras
import numpy as np
import pytest
from keras import layers

from course_lib import visualization

RANDOM = np.random.default_rng(2)
IMAGES = RANDOM.uniform(size=(4, 8, 8, 3)).astype("float32")
PIXELS = (255 * IMAGES).astype("uint8")
LABELS = np.array([0, 1, 2, 0])
LOOKING = {  # what takes a network and images
    "count_units": lambda model, images: visualization.count_units(model, images)["flat"],
    "error_surface": lambda model, images: visualization.error_surface(model, images, LABELS, points=3).losses,
    "feature_maps": lambda model, images: visualization.feature_maps(model, images, "c1")["c1"],
    "grad_cam": lambda model, images: visualization.grad_cam(model, images, "c1"),
    "gradient_sizes": lambda model, images: visualization.gradient_sizes(model, images, LABELS)["norm"],
    "occlusion": lambda model, images: visualization.occlusion(model, images[0], stride=4),
    "receptive": lambda model, images: visualization.effective_receptive_field(model, images, "c1"),
    "top_patches": lambda model, images: visualization.top_patches(model, images, "c1", [0], k=2)[0],
}
WITH_A_MODEL = {name: lambda model, look=look: look(model, IMAGES) for name, look in LOOKING.items()} | {
    "architecture": visualization.plot_architecture,
    "kernels": lambda model: visualization.kernels(model, "c1"),
    "filters": lambda model: visualization.plot_filters(model, "c1"),
}


def network(*before, **options):
    drawn = {"kernel_initializer": keras.initializers.GlorotUniform(seed=1)}
    convolution = layers.Conv2D(4, 3, activation="relu", bias_initializer="ones", name="c1", **drawn)
    dense = layers.Dense(3, name="out", **drawn)
    return keras.Sequential([keras.Input((8, 8, 3), **options), *before, convolution, layers.Flatten(), dense])


@pytest.fixture(scope="module")
def plain():
    return network()


@pytest.mark.parametrize("look", WITH_A_MODEL)
@pytest.mark.parametrize(
    ("model", "advice"),
    [
        (types.SimpleNamespace(model=network()), "give the model in it"),
        ("lenet5", r"models\.build\('lenet5'\)"),
        (None, "not None"),
        (layers.Dense(2), "not one of its layers"),
        (network, "call it"),
    ],
    ids=["run", "name", "None", "layer", "builder"],
)
def test_what_is_no_model(look, model, advice):
    with pytest.raises(ValueError, match=f"must be a keras.Model.*{advice}"):
        WITH_A_MODEL[look](model)


@pytest.mark.parametrize("look", LOOKING)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: 255 * x, "go from .* to 25.*: scale them as in training"),
        (lambda x: 265 * x - 5, "go from -.* to 2.*: scale them as in training"),
        (lambda x: (5 * x).astype("uint8"), r"in whole numbers \(uint8\)"),
        (lambda x: np.where(x > 0.9, np.nan, x), "go from nan to nan: some hold NaN"),
        (lambda x: x[..., 0], r"takes images of shape \(n, 8, 8, 3\), not .* images\[None\]"),
        (lambda x: [["a.png"]] * 4, "must be an array of numbers, not"),
    ],
    ids=["255", "resized", "uint8", "NaN", "gray", "text"],
)
def test_images_that_do_not_fit(plain, look, change, message):
    with pytest.raises(ValueError, match=message):
        LOOKING[look](plain, change(IMAGES))


@pytest.mark.parametrize("scaled", [lambda x: x > 0.5, lambda x: 4 * x - 2, lambda x: 255 * x - 120])
def test_images_scaled_in_other_ways(plain, scaled):
    """Black and white, centered, and pixels less their mean, as the ImageNet weights take them."""
    assert np.isfinite(visualization.grad_cam(plain, scaled(IMAGES), "c1")).all()


@pytest.mark.parametrize("look", LOOKING)
def test_a_network_that_scales_pixels_takes_them_and_nothing_else(plain, look):
    scaling = network(layers.Rescaling(1 / 255))
    expected, found = LOOKING[look](plain, PIXELS / np.float32(255)), LOOKING[look](scaling, PIXELS)
    factor = 255 if look == "receptive" else 1 / 255 if look == "top_patches" else 1
    np.testing.assert_allclose(factor * found, expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(LOOKING[look](scaling, PIXELS.astype("float32")), found)
    for images in (IMAGES, 255 * (IMAGES - 0.5), 257 * PIXELS.astype("uint16")):
        with pytest.raises(ValueError, match=r"scales pixels itself.*from 0 to 255"):
            LOOKING[look](scaling, images)


def test_images_for_a_network_of_whole_numbers():
    model = network(layers.Rescaling(1 / 255), dtype="uint8")
    expected = visualization.grad_cam(network(layers.Rescaling(1 / 255)), PIXELS, "c1")
    np.testing.assert_allclose(visualization.grad_cam(model, PIXELS, "c1"), expected, rtol=1e-4)
    assert visualization.grad_cam(model, PIXELS, model.layers[0]).shape == (4, 8, 8)  # before any weights
    for look in ("receptive", "top_patches"):
        with pytest.raises(ValueError, match=r"no gradient reaches the pixels.*uint8"):
            LOOKING[look](model, PIXELS)


@pytest.mark.parametrize("look", LOOKING)
def test_a_split_is_no_array(plain, look):
    class Split(list):
        def arrays(self):
            return PIXELS, LABELS

    with pytest.raises(ValueError, match=r"not a Split: take its arrays.*split\.arrays\(\)"):
        LOOKING[look](plain, Split([Split()]))


@pytest.mark.parametrize("look", LOOKING)
def test_a_network_whose_training_diverged(look):
    diverged = network()
    diverged.layers[0].set_weights([np.full((3, 3, 3, 4), np.nan), np.zeros(4)])
    with pytest.raises(ValueError, match="hold NaN or infinite numbers: its training diverged"):
        LOOKING[look](diverged, IMAGES)


def test_a_layer_itself_may_stand_for_its_name(plain):
    layer = plain.get_layer("c1")
    np.testing.assert_array_equal(visualization.kernels(plain, layer), visualization.kernels(plain, "c1"))
    assert [*visualization.feature_maps(plain, IMAGES, [layer, "c1", "out"])] == ["c1", "out"]  # each once
    assert not any("call" in vars(each) for each in plain.layers)
    for name, message in [
        (network().get_layer("c1"), "layer 'c1' is none of"),
        (["c1"], "unknown layer .*Did you mean 'c1'"),
        (None, "unknown layer None"),
    ]:
        with pytest.raises(ValueError, match=message):
            visualization.grad_cam(plain, IMAGES, name)


def test_two_layers_of_one_name():
    inputs = x = keras.Input((8, 8, 3))
    parts = [keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(3, 1, name="conv")], name=name) for name in "ab"]
    for part in parts:
        x = part(x)
    model = keras.Model(inputs, layers.GlobalAveragePooling2D()(x))
    for look in (
        lambda name: visualization.kernels(model, name),
        lambda name: visualization.feature_maps(model, IMAGES, name)["conv"],
        lambda name: visualization.grad_cam(model, IMAGES, name),
    ):
        with pytest.raises(ValueError, match=r"2 layers of .* are named 'conv'"):
            look("conv")
        first, second = (look(part.layers[0]) for part in parts)
        assert (first != second).any()
    with pytest.raises(ValueError, match="two of these layers have one name"):
        visualization.feature_maps(model, IMAGES, [part.layers[0] for part in parts])


def test_a_layer_that_is_called_twice():
    inputs = keras.Input((8, 8, 3))
    shared = layers.Conv2D(3, 3, padding="same", name="c1")
    x = layers.Flatten()(shared(shared(inputs)))
    model = keras.Model(inputs, layers.Dense(3)(x))
    for look in ("feature_maps", "grad_cam", "receptive", "top_patches"):
        with pytest.raises(ValueError, match="'c1' is called 2 times"):
            LOOKING[look](model, IMAGES)
    assert "call" not in vars(shared)


def outputs_of_other_kinds():
    inputs = keras.Input((8, 8, 3))
    maps = layers.Conv2D(3, 3, name="c1")(inputs)
    logits = layers.Dense(3)(layers.Flatten()(maps))
    two = keras.Model([inputs, other := keras.Input((8, 8, 3))], layers.Add()([inputs, other]))
    softmax = keras.ops.softmax(logits)
    return {
        "two outputs": (keras.Model(inputs, [logits, maps]), r"has 2: take one .*model\.outputs\[0\]"),
        "maps": (keras.Model(inputs, maps), "one row of logits per image"),
        "two inputs": (two, "with one input, .* with 2"),
        "a softmax that is no layer": (keras.Model(inputs, softmax), r"end it with keras\.layers\.Softmax\(\)"),
    }


@pytest.mark.parametrize("kind", ["two outputs", "maps", "two inputs", "a softmax that is no layer"])
@pytest.mark.parametrize("look", ["grad_cam", "gradient_sizes", "error_surface"])
def test_networks_of_other_kinds(kind, look):
    model, message = outputs_of_other_kinds()[kind]
    with pytest.raises(ValueError, match=message):
        LOOKING[look](model, IMAGES)
    if kind in ("two outputs", "maps"):  # what needs no logits works
        assert visualization.feature_maps(model, IMAGES, "c1")["c1"].shape == (4, 6, 6, 3)
        assert visualization.effective_receptive_field(model, IMAGES, "c1").max() > 0


@pytest.mark.parametrize("policy", ["float16", "bfloat16"])
@pytest.mark.parametrize("look", LOOKING)
def test_half_precision(plain, policy, look):
    keras.config.set_dtype_policy(policy)
    try:
        half = network()
    finally:
        keras.config.set_dtype_policy("float32")
    half.set_weights(plain.get_weights())
    found, expected = LOOKING[look](half, IMAGES), LOOKING[look](plain, IMAGES)
    if look == "top_patches":
        assert found.shape == expected.shape
    else:
        np.testing.assert_allclose(found, expected, rtol=0.1, atol=0.05 * np.abs(expected).max())

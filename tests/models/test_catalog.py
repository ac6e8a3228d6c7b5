"""`models.build` and `models.CATALOG`: every network builds, learns, keeps its weights, refuses what is wrong."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from course_lib import models

NAMES = sorted(models.CATALOG)
LOSSES = {"lenet5_1998": "course_lib>lenet5_map"}


@pytest.fixture
def mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(before)


def images_for(model):
    """Eight pictures of 4×4 blocks of random brightness."""
    _, height, width, channels = model.input_shape
    blocks = np.random.default_rng(0).uniform(-0.1, 1.175, (8, 4, 4, channels)).astype("float32")
    return blocks[:, np.arange(height) * 4 // height][:, :, np.arange(width) * 4 // width]


def test_importing_the_package_loads_neither_keras_nor_matplotlib():
    check = (
        "import sys; from course_lib import models; models.CATALOG['lenet5'].published; "
        "print(sorted({'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True).stdout == "[]\n"


def test_families_are_attributes():
    assert models.lenet5.build and models.lenet5_1998.build and models.summary.layer_table
    with pytest.raises(AttributeError, match="lenet6"):
        models.lenet6  # noqa: B018


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_the_published_network(name):
    model, entry = models.build(name), models.CATALOG[name]
    assert model.name == name
    assert model.input_shape == (None, *entry.image_shape)
    assert model.output_shape == (None, entry.num_classes)
    trainable = sum(np.prod(weight.shape) for weight in model.trainable_weights)
    assert trainable == entry.published[0]["parameters"]
    assert entry.published[0]["depth"] == sum(bool(layer.weights) for layer in model.layers)


@pytest.mark.parametrize("name", NAMES)
def test_every_published_row_says_its_source(name):
    entry = models.CATALOG[name]
    for row in entry.published:
        assert row["source"]
        assert (row["year"], row["authors"], row["paper"]) == (entry.year, entry.authors, entry.paper)


def test_published_figures_are_numbers():
    plain, distorted = models.CATALOG["lenet5_1998"].published
    assert (plain["parameters"], plain["connections"], plain["test_error"]) == (60_000, 340_908, 0.95)
    assert (distorted["test_error"], distorted["parameters"]) == (0.8, None)


@pytest.mark.parametrize("name", NAMES)
def test_eight_images_are_overfitted(name):
    keras.utils.set_random_seed(1)
    model = models.build(name)
    loss = LOSSES.get(name)
    loss = keras.saving.get_registered_object(loss) if loss else keras.losses.SparseCategoricalCrossentropy(True)
    model.compile(keras.optimizers.Adam(0.003), loss)
    images, labels = images_for(model), np.arange(8)
    losses = model.fit(images, labels, batch_size=8, epochs=60, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.05 * losses[0]
    assert (model.predict(images, verbose=0).argmax(axis=1) == labels).all()


@pytest.mark.parametrize("name", NAMES)
def test_saved_weights_give_the_same_logits(name, tmp_path):
    saved, loaded = models.build(name), models.build(name)
    images = images_for(saved)
    logits = keras.ops.convert_to_numpy(saved(images))
    assert not np.allclose(loaded(images), logits)
    saved.save_weights(tmp_path / "network.weights.h5")
    loaded.load_weights(tmp_path / "network.weights.h5")
    np.testing.assert_array_equal(loaded(images), logits)


@pytest.mark.parametrize("name", NAMES)
def test_configuration_rebuilds_the_network(name):
    model = models.build(name)
    twin = keras.Model.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    np.testing.assert_array_equal(twin(images_for(model)), model(images_for(model)))


@pytest.mark.parametrize("name", NAMES)
def test_mixed_precision_changes_logits_little(name, mixed_precision):
    mixed = models.build(name)
    assert mixed.layers[1].compute_dtype == "float16"
    keras.config.set_dtype_policy("float32")
    full = models.build(name)
    full.set_weights(mixed.get_weights())
    logits = keras.ops.convert_to_numpy(mixed(images_for(mixed)))
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, full(images_for(full)), rtol=0.01, atol=0.01)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [1 / 8, 0.5, 2])
def test_width_and_larger_images(name, width):
    model = models.build(name, image_shape=(37, 32, 3), num_classes=2, width=width)
    assert model.output_shape == (None, 2)
    filters = [model.get_layer(layer).output.shape[-1] for layer in ("c1", "c3", "c5")]
    assert filters == [max(1, round(width * maps)) for maps in (6, 16, 120)]
    assert model.get_layer("f6").output.shape[-1] == (84 if name == "lenet5_1998" else round(width * 84))


def test_options_of_lenet5_reach_its_layers():
    model = models.build("lenet5", activation="relu", pooling="max")
    activations = [model.get_layer(layer).activation for layer in ("c1", "c3", "c5", "f6", "output")]
    assert activations == [keras.activations.relu] * 4 + [keras.activations.linear]
    assert {type(model.get_layer(layer)) for layer in ("s2", "s4")} == {keras.layers.MaxPooling2D}
    assert isinstance(models.build("lenet5").get_layer("s2"), keras.layers.AveragePooling2D)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "lenet_5"}, r"unknown network 'lenet_5'. Did you mean 'lenet5'.* Known: .*lenet5_1998"),
        ({"name": 5}, "unknown network 5"),
        ({"activaton": "relu"}, "unknown option of lenet5 'activaton'. Did you mean 'activation'.*pooling, width"),
        ({"num_clases": 3}, "Did you mean 'num_classes'"),
        ({"activation": "rely"}, "unknown activation of lenet5 'rely'. Did you mean 'relu'.*sigmoid, tanh"),
        ({"pooling": ["max"]}, r"unknown pooling of lenet5 \['max'\]"),
        ({"name": "lenet5_1998", "pooling": "max"}, "unknown option of lenet5_1998 'pooling'"),
        ({"image_shape": (28, 15, 1)}, r"\(28, 15, 1\) is too small .* \(16, 16, 1\)"),
        ({"name": "lenet5_1998", "image_shape": (31, 32, 3)}, r"the smallest that fits is \(32, 32, 3\)"),
        ({"image_shape": (32, 32)}, "three positive whole numbers"),
        ({"image_shape": (32, 32, 0)}, "three positive whole numbers"),
        ({"num_classes": 1}, "num_classes must be a whole number of at least 2, not 1"),
        ({"num_classes": 2.5}, "at least 2, not 2.5"),
        ({"name": "lenet5_1998", "num_classes": 11}, "must be 2 to 10, .* not 11; .*'lenet5'"),
        ({"width": 0}, "width must be a number above 0 .* not 0"),
        ({"width": float("inf")}, "width must be a number above 0 .* not inf"),
        ({"width": "1"}, "width must be a number above 0 .* not '1'"),
    ],
)
def test_wrong_arguments_are_explained(arguments, message):
    with pytest.raises(ValueError, match=message):
        models.build(**{"name": "lenet5", **arguments})


@pytest.mark.parametrize("name", NAMES)
def test_the_smallest_side_is_the_smallest(name):
    entry = models.CATALOG[name]
    options = {option: spec.default for option, spec in entry.options.items()}

    def smallest_map(side):
        try:
            family = getattr(models, entry.module)
            shape = (side, side, entry.image_shape[-1])
            model = family.build(name, image_shape=shape, num_classes=10, width=1, **options)
        except (ValueError, ZeroDivisionError):  # newer Keras refuses a map without pixels, older builds it
            return 0
        return min(min(layer.output.shape[1:]) for layer in model.layers)

    assert smallest_map(entry.smallest_side) > 0
    assert smallest_map(entry.smallest_side - 1) <= 0

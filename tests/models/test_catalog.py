"""`models.build` and `models.CATALOG`: every network builds, learns, keeps its weights, refuses what is wrong."""

import contextlib
import functools
import subprocess
import sys

import keras
import numpy as np
import pytest
from families import FAMILIES, images_for, loss_of, smallest

from course_lib import common, models
from course_lib.training import Recipe

NAMES = sorted(set(models.CATALOG) - {"neocognitron"})  # which is no Keras model


@functools.cache
def kept(name: str) -> keras.Model:
    """One network of each family, which no test changes."""
    return smallest(name)


def logits_of(model: keras.Model) -> np.ndarray:
    """Layer by layer: for eight images, faster than to compile a network first."""
    return keras.ops.convert_to_numpy(model(images_for(model), training=False))


@pytest.fixture
def mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(before)


LOAD = """
import pathlib, sys, keras, numpy as np
from course_lib import models
for name in sys.stdin:  # as soon as each is saved
    path = pathlib.Path(sys.argv[1], f"{name.strip()}.keras")
    model = keras.models.load_model(path)
    kept = np.load(path.with_suffix(".npz"))
    assert np.allclose(model(kept["images"], training=False), kept["logits"], atol=1e-4), path.stem
    assert type(model.optimizer).__name__ == str(kept["optimizer"]), path.stem
    print(path.stem)
"""
OPTIMIZERS = [Recipe(warm_up=1, weight_decay=1e-3), Recipe("adam", 0.1, "cosine", weight_decay=1e-3), Recipe("adamw")]


def test_saved_networks_load_in_another_process(tmp_path):
    """Each network of the catalog, compiled with the optimizers of recipes, after importing `models` alone."""
    names = [name for name in NAMES if name != "resnet1202"]
    command = [sys.executable, "-c", LOAD, str(tmp_path)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    loading = subprocess.Popen(command, **pipes, text=True, cwd=common.ROOT)  # beside this process: on another core
    for number, name in enumerate(names):
        model = smallest(name)
        optimizer = OPTIMIZERS[number % 3].make_optimizer(epochs=2, steps_per_epoch=3)
        model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        images = images_for(model)[:1]
        parts = {"images": images, "logits": model(images, training=False), "optimizer": type(optimizer).__name__}
        np.savez(tmp_path / f"{name}.npz", **parts)
        model.save(tmp_path / f"{name}.keras")
        with contextlib.suppress(BrokenPipeError):  # it has failed, which is said below
            loading.stdin.write(f"{name}\n")
            loading.stdin.flush()
    said, complaints = loading.communicate()
    assert loading.returncode == 0, complaints
    assert said.split() == sorted(names)


def test_families_are_attributes():
    assert models.lenet5.build and models.lenet5_1998.build and models.summary.layer_table
    with pytest.raises(AttributeError, match="lenet6"):
        models.lenet6  # noqa: B018


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


@pytest.mark.parametrize("name", FAMILIES)
def test_eight_images_are_overfitted(name):
    keras.utils.set_random_seed(1)
    model = smallest(name)
    model.compile(keras.optimizers.Adam(0.001), loss_of(name))
    images, labels = images_for(model), np.arange(8)
    losses = []
    while len(losses) < 3 or (losses[-1] >= 0.05 * losses[0] and len(losses) < 1000):
        model.reset_metrics()  # else older versions of Keras return the mean over all steps so far
        losses.append(float(model.train_on_batch(images, labels)))
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.05 * losses[0]


@pytest.mark.parametrize("name", FAMILIES)
def test_saved_weights_give_the_same_logits(name, tmp_path):
    saved, loaded = kept(name), smallest(name)
    logits = logits_of(saved)
    assert not np.allclose(logits_of(loaded), logits)
    saved.save_weights(tmp_path / "network.weights.h5")
    loaded.load_weights(tmp_path / "network.weights.h5")
    np.testing.assert_array_equal(logits_of(loaded), logits)


@pytest.mark.parametrize("name", FAMILIES)
def test_configuration_rebuilds_the_network(name):
    model = kept(name)
    twin = keras.Model.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    np.testing.assert_array_equal(logits_of(twin), logits_of(model))


# ZFNet's first weights are so small that at this width they leave logits of 1e-8, less than float16 resolves.
@pytest.mark.parametrize("name", sorted({*FAMILIES} - {"zfnet"}))
def test_mixed_precision_changes_logits_little(name, mixed_precision):
    mixed = smallest(name)
    assert mixed.layers[1].compute_dtype == "float16"
    keras.config.set_dtype_policy("float32")
    full = smallest(name)
    full.set_weights(mixed.get_weights())
    logits, expected = (logits_of(model) for model in (mixed, full))
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, expected, rtol=0.02, atol=0.02 * np.abs(expected).max())


@pytest.mark.parametrize("name", ["lenet5", "lenet5_1998"])
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
        ({"pooling": ["max"]}, r"pooling of lenet5 must be one of 'average', 'max', not \['max'\]"),
        ({"name": "lenet5_1998", "pooling": "max"}, "unknown option of lenet5_1998 'pooling'"),
        ({"image_shape": (28, 15, 1)}, r"\(28, 15, 1\) is too small .* \(16, 16, 1\)"),
        ({"name": "lenet5_1998", "image_shape": (31, 32, 3)}, r"the smallest that fits is \(32, 32, 3\)"),
        ({"image_shape": (32, 32)}, "three positive whole numbers"),
        ({"image_shape": (32, 32, 0)}, "three positive whole numbers"),
        ({"num_classes": 1}, "num_classes must be a whole number of at least 2, not 1"),
        ({"num_classes": 2.5}, "at least 2, not 2.5"),
        ({"name": "lenet5_1998", "num_classes": 11}, "must be 2 to 10, .* not 11; .*'lenet5'"),
        ({"width": 0}, "width must be a number above 0, .* not 0"),
        ({"width": float("inf")}, "width must be a number above 0, .* not inf"),
        ({"width": 32}, "width must be a number above 0, 8 at most: a factor .* not 32"),
        ({"name": "alexnet", "dropout": 1.0}, "dropout of alexnet must be a number from 0 to below 1, not 1.0"),
        ({"name": "alexnet", "dropout": True}, "below 1, not True"),
        (
            {"name": "alexnet", "overlapping_pooling": 1},
            "overlapping_pooling of alexnet must be one of True, False, not 1",
        ),
        ({"name": "resnet_small", "depth": 21}, "depth of resnet_small must be one of 8, 14, 20, .*110, not 21"),
        ({"name": "resnet_small", "depth": "8"}, "depth of resnet_small must be one of 8, 14, .*, not '8'"),
        ({"name": "plain18", "shortcut": "A"}, "unknown option of plain18 'shortcut'"),
        ({"name": "googlenet", "image_shape": (96, 96, 3), "auxiliary": True}, "at least 224×224 pixels, not .96, 96"),
        ({"name": "alexnet", "image_shape": (64, 64, 3)}, r"the smallest that fits is \(67, 67, 3\)"),
        ({"weights": "imagenet"}, r"lenet5 fresh weights; models\.load_imagenet_weights\(model\) then puts in"),
        ({"image_shape": (3, 32, 40)}, r"as if its channels came first: give .* \(32, 40, 3\)"),
        ({"width": "1"}, "width must be a number above 0, .* not '1'"),
    ],
)
def test_wrong_arguments_are_explained(arguments, message):
    with pytest.raises(ValueError, match=message):
        models.build(**{"name": "lenet5", **arguments})


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.array])
def test_numpys_numbers_are_numbers(kind):
    small = models.build("resnet_small", depth=kind(8), num_classes=np.int64(3), width=np.float32(0.5))
    assert small.output_shape == (None, 3) and len(small.layers) == len(models.build("resnet_small", depth=8).layers)
    assert (
        models.build("lenet5", image_shape=kind([32, 32, 3]) if kind is np.array else [32, 32, 3]).input_shape[3] == 3
    )
    assert models.build("alexnet_small", dropout=np.float32(0.5), overlapping_pooling=np.True_)
    assert models.build("lenet5", activation=np.str_("relu")).get_layer("c1").activation is keras.activations.relu


@pytest.mark.parametrize("name", [*FAMILIES, "cnn_small", "vgg_small", "resnet_small"])
def test_the_smallest_side_is_the_smallest(name):
    """The last map of the smallest images is one pixel. With a pixel less it would be none, or mostly padding."""
    entry = models.CATALOG[name]
    family = getattr(models, entry.module)
    options = {option: spec.default for option, spec in entry.options.items()}

    def last_map(side):
        shape = (side, side, entry.image_shape[-1])
        try:
            model = family.build(name, image_shape=shape, num_classes=10, width=1 / 8, **options)
        except (ValueError, ZeroDivisionError):  # newer Keras refuses a map without pixels, older builds it
            return 0, 0
        maps = [row for row in models.summary.layer_table(model) if len(row["output_shape"]) == 3]
        return maps[-1]["output_shape"][0], maps[-1]["stride"]

    pixels, stride = last_map(entry.smallest_side)
    assert pixels == 1
    assert stride == entry.smallest_side or last_map(entry.smallest_side - 1)[0] <= 0


def test_the_neocognitron_is_listed_but_not_built():
    assert models.CATALOG["neocognitron"].module == "neocognitron"
    with pytest.raises(ValueError, match=r"no Keras model: models.neocognitron.Neocognitron\(\)"):
        models.build("neocognitron")

import warnings

import keras
import numpy as np
import pytest
from keras import layers
from scipy import signal

from course_lib import visualization

IMAGES = np.random.default_rng(1).normal(size=(3, 12, 12, 1)).astype("float32")


def test_feature_maps_against_a_convolution_by_scipy(lenet):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        maps = visualization.feature_maps(lenet, IMAGES, ["s2", "c1", "output"])
    assert list(maps) == ["s2", "c1", "output"]
    kernel, bias = lenet.get_layer("c1").get_weights()
    for number in range(4):
        summed = signal.correlate2d(IMAGES[2, ..., 0], kernel[:, :, 0, number], mode="valid")
        by_hand = np.tanh(summed + bias[number])
        np.testing.assert_allclose(maps["c1"][2, ..., number], by_hand, atol=1e-5)
    np.testing.assert_allclose(maps["s2"], maps["c1"].reshape(3, 4, 2, 4, 2, 4).mean(axis=(2, 4)), atol=1e-6)
    np.testing.assert_allclose(maps["output"], lenet(IMAGES), atol=1e-6)


def test_feature_maps_of_a_functional_model_in_half_precision():
    inputs = keras.Input((4, 4, 2))
    x = layers.Conv2D(3, 1, name="one", dtype="mixed_float16")(inputs)
    model = keras.Model(inputs, layers.GlobalMaxPooling2D(name="two")(x))
    maps = visualization.feature_maps(model, np.ones((1, 4, 4, 2)), "one")
    assert maps["one"].shape == (1, 4, 4, 3) and maps["one"].dtype == np.float32


def test_bad_input(lenet):
    unbuilt = keras.Sequential([layers.Conv2D(2, 3, name="c1")])
    for model, images, names, message in [
        (lenet, IMAGES, ["c4"], "unknown layer 'c4'. Did you mean 'c3' or 'c1'|'c1' or 'c3'"),
        (lenet, IMAGES, [], "name at least one layer"),
        (lenet, IMAGES[0], ["c1"], r"takes images of shape \(n, 12, 12, 1\), not \(12, 12, 1\)"),
        (lenet, IMAGES[:, :8], ["c1"], r"not \(3, 8, 12, 1\)"),
        (lenet, IMAGES[:0], ["c1"], r"not \(0, 12, 12, 1\)"),
        (unbuilt, IMAGES, ["c1"], "was never built: give it a keras.Input, or call it on a batch"),
    ]:
        with pytest.raises(ValueError, match=message):
            visualization.feature_maps(model, images, names)


def test_draw_feature_maps_one_row_and_one_scale_a_layer():
    random = np.random.default_rng(2)
    maps = {
        "wide": random.normal(size=(2, 4, 4, 20)),
        "few": 5 * random.normal(size=(2, 2, 2, 3)),
        "units": random.normal(size=(2, 7)),
        "pixels": random.normal(size=(2, 1, 1, 9)),
        "dead": np.zeros((2, 2, 2, 1)),
    }
    ax = visualization.plot_feature_maps(maps, 1, limit=8)
    shapes = [image.get_array().shape for image in ax.images]
    assert shapes == [(4, 4)] * 8 + [(2, 2)] * 3 + [(1, 7), (1, 9)] + [(2, 2)]
    np.testing.assert_array_equal(ax.images[2].get_array(), maps["wide"][1, ..., 2])
    np.testing.assert_array_equal(ax.images[11].get_array()[0], maps["units"][1])
    largest = np.abs(maps["wide"][1]).max()  # also over the maps that are not shown
    assert {image.get_clim() for image in ax.images[:8]} == {(-largest, largest)}
    assert len({image.get_clim() for image in ax.images}) == 5
    words = [text.get_text() for text in ax.texts]
    numbers = [int(words.pop(words.index(word))) for word in list(words) if word.isdigit()]
    assert numbers == [*range(8), *range(3)]
    assert words[0] == f"wide: the first 8 of 20 maps of 4×4, values up to ±{largest:.2g}"
    assert words[1].startswith("few: 3 maps of 2×2") and words[2].startswith("units: 7 units")
    tops = [image.get_extent()[3] for image in ax.images]
    assert tops == sorted(tops) and len(set(tops)) == 5  # from the top down


@pytest.mark.parametrize(
    ("maps", "index", "message"),
    [
        ({}, 0, "no maps to draw"),
        ({"a": np.zeros((2, 3, 3))}, 0, "must be"),
        ({"a": np.zeros((2, 3, 3, 1))}, 2, "index must be 0 to 1"),
        ({"a": np.zeros((2, 3, 3, 1))}, 1.0, "index must be 0 to 1"),
        ({"a": np.full((2, 3, 3, 1), np.nan)}, 0, "the maps of 'a' must be finite"),
        (np.zeros((2, 3, 3, 1)), 0, "maps must be a dict layer → maps"),
    ],
)
def test_draw_bad_input(maps, index, message):
    with pytest.raises(ValueError, match=message):
        visualization.plot_feature_maps(maps, index)

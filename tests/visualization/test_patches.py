import keras
import numpy as np
import pytest
from keras import layers

from course_lib import models, visualization
from course_lib.models import summary

IMAGES = np.random.default_rng(4).uniform(size=(20, 16, 14, 2)).astype("float32")


def two_layers(padding, strides):
    drawn = keras.initializers.RandomNormal(seed=2)
    return keras.Sequential(
        [
            keras.Input((16, 14, 2)),
            layers.Conv2D(
                5, 3, strides=strides, padding=padding, activation="relu", kernel_initializer=drawn, name="c1"
            ),
            layers.MaxPooling2D(2, strides=1, padding=padding, name="pool"),
            layers.Conv2D(4, 3, padding=padding, use_bias=False, kernel_initializer=drawn, name="c2"),
        ]
    )


@pytest.mark.parametrize(("strides", "field"), [(1, 6), (2, 9)])
def test_a_patch_excites_its_filter_alone_as_it_does_in_the_image(strides, field):
    model = two_layers("valid", strides)
    patches, indices = visualization.top_patches(model, IMAGES, "c2", [3, 0], k=4)
    assert patches.shape == (2, 4, field, field, 2) and indices.shape == (2, 4)
    whole = visualization.feature_maps(model, IMAGES, "c2")["c2"].max(axis=(1, 2))
    small = keras.Sequential([keras.Input((field, field, 2)), *model.layers])
    for filter_number, own, from_images in zip([3, 0], patches, indices, strict=True):
        expected = np.argsort(-whole[:, filter_number])[:4]
        np.testing.assert_array_equal(from_images, expected)
        np.testing.assert_allclose(small(own)[:, 0, 0, filter_number], whole[expected, filter_number], rtol=1e-5)


def test_beyond_the_edge_a_patch_is_zero():
    """With zero padding too, the window lies where the padded convolution looks: here a corner and a center."""
    model = keras.Sequential([keras.Input((5, 5, 1)), layers.Conv2D(1, 3, padding="same", name="c")])
    model.layers[0].set_weights([np.ones((3, 3, 1, 1)), np.zeros(1)])
    images = np.zeros((2, 5, 5, 1))
    images[0, 2, 3], images[1, 4, 4] = 1, 3
    patches, indices = visualization.top_patches(model, images, "c", [0], k=2)
    assert indices.tolist() == [[1, 0]]
    # The first unit that sees the pixel, in reading order, has it at the lower right.
    np.testing.assert_array_equal(patches[0, :, 2, 2, 0], [3, 1])
    assert patches.sum() == 4


@pytest.mark.parametrize("layer", ["conv1_conv", "conv2_block1_out", "conv3_block1_out"])
def test_the_window_is_that_of_the_layer_table_and_all_that_its_unit_sees(layer):
    model = models.build("resnet_small", image_shape=(64, 64, 3), num_classes=3)
    row = next(row for row in summary.layer_table(model) if row["layer"] == layer)
    image, other = np.random.default_rng(0).uniform(size=(2, 64, 64, 3)).astype("float32")
    patch = visualization.top_patches(model, image[None], layer, [1], k=1)[0][0, 0]
    side = len(patch)
    assert patch.shape == (row["receptive_field"], row["receptive_field"], 3)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(image, [(side, side)] * 2 + [(0, 0)]), patch.shape)
    ((top, left),) = np.argwhere((windows[:, :, 0] == patch).all(axis=(2, 3, 4))) - side
    inside = slice(max(top, 0), top + side), slice(max(left, 0), left + side)
    other[inside] = image[inside]  # everything else is another image
    before, after = visualization.feature_maps(model, np.stack([image, other]), layer)[layer][..., 1]
    at = np.unravel_index(before.argmax(), before.shape)
    assert after[at] == pytest.approx(before[at], rel=1e-5)


@pytest.mark.parametrize(("layer", "count"), [("wide", 8), ("narrow", 3)])
def test_of_a_layer_with_few_filters_all_are_taken(layer, count):
    model = keras.Sequential(
        [keras.Input((16, 14, 2)), layers.Conv2D(9, 3, name="wide"), layers.Conv2D(3, 3, name="narrow")]
    )
    assert visualization.top_patches(model, IMAGES, layer, k=1)[1].shape == (count, 1)


def test_bad_input():
    model = two_layers("same", 1)
    with pytest.raises(ValueError, match=r"filters of 'c2' are 0 to 3: name some in a list, .* not \[4\]"):
        visualization.top_patches(model, IMAGES, "c2", [4])
    with pytest.raises(ValueError, match=r"not \[-1\]"):
        visualization.top_patches(model, IMAGES, "c2", [-1])
    with pytest.raises(ValueError, match="k must be a whole number of at least 1"):
        visualization.top_patches(model, IMAGES, "c2", [0], k=0)
    for filters in (3, ["0"], []):
        with pytest.raises(ValueError, match=r"filters of 'c2' are 0 to 3: name some in a list, such as \[0\]"):
            visualization.top_patches(model, IMAGES, "c2", filters)
    with pytest.raises(ValueError, match="k must be at most 20, the number of images, not 21"):
        visualization.top_patches(model, IMAGES, "c2", [0], k=21)
    with pytest.raises(ValueError, match="never built"):
        visualization.top_patches(keras.Sequential([layers.Conv2D(1, 3, name="c")]), IMAGES, "c", [0])
    model.get_layer("c1").set_weights([-np.ones((3, 3, 2, 5)), np.full(5, -99.0)])
    with pytest.raises(ValueError, match="layer 'c1' is silent on noise"):
        visualization.top_patches(model, IMAGES, "c1", [0], k=1)

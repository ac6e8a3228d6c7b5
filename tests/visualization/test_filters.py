import keras
import numpy as np
import pytest
from keras import layers
from scipy import signal

from course_lib import visualization


def test_kernels_are_the_layers_own(lenet):
    kernels = visualization.kernels(lenet, "c3")
    assert kernels.shape == (3, 3, 4, 6) and kernels.dtype == np.float32
    np.testing.assert_array_equal(kernels, lenet.get_layer("c3").get_weights()[0])


def test_kernels_inside_a_nested_model(lenet):
    outer = keras.Sequential([keras.Input((12, 12, 1)), lenet, layers.Dense(2)])
    np.testing.assert_array_equal(visualization.kernels(outer, "c1"), lenet.get_layer("c1").get_weights()[0])


def test_filters_on_one_scale_symmetric_about_zero():
    weights = np.zeros((2, 2, 1, 3))
    weights[0, 1, 0, 0], weights[1, 0, 0, 2] = 0.5, -2.0
    ax = visualization.plot_filters(weights, columns=3)
    drawn = np.asarray(ax.images[0].get_array().filled(np.nan))
    assert ax.images[0].get_clim() == (-2, 2)
    assert drawn[0, 1] == 0.5  # row 0, column 1 of the first filter
    assert drawn[1, 6] == -2  # row 1, column 0 of the third, two tiles of 2 + 1 to the right
    assert [text.get_text() for text in ax.texts] == ["0", "1", "2"]
    bar = next(axes for axes in ax.get_figure().axes if axes is not ax)
    assert bar.get_ylabel() == "weight" and bar.get_ylim() == (-2, 2)


def test_filters_in_color_are_rescaled_together():
    weights = np.zeros((1, 1, 3, 2))
    weights[0, 0, :, 0] = [4, -4, 0]
    weights[0, 0, :, 1] = [2, 0, 0]
    drawn = np.asarray(visualization.plot_filters(weights).images[0].get_array())
    np.testing.assert_allclose(drawn[0, 0], [1, 0, 0.5])
    np.testing.assert_allclose(drawn[0, 2], [0.75, 0.5, 0.5])


def test_filters_of_a_model_on_a_chosen_channel(lenet):
    ax = visualization.plot_filters(lenet, "c3", channel=2)
    np.testing.assert_allclose(
        np.asarray(ax.images[0].get_array())[:3, :3], lenet.get_layer("c3").get_weights()[0][:, :, 2, 0]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layer": "c33"}, "unknown layer 'c33'. Did you mean 'c3'"),
        ({"layer": "output"}, r"layer 'output' \(Dense\) has no convolution kernels; layers that have: c1, c3"),
        ({"layer": "c3"}, "4 input channels: pass channel=0 to 3"),
        ({"layer": "c3", "channel": 4}, "channel must be 0 to 3"),
        ({}, "takes a model and the name of a layer"),
    ],
)
def test_bad_input(lenet, arguments, message):
    with pytest.raises(ValueError, match=message):
        visualization.plot_filters(lenet, **arguments)
    with pytest.raises(ValueError, match=r"not \(3, 3\)"):
        visualization.plot_filters(np.zeros((3, 3)))


def test_kernels_of_other_convolutions_have_the_same_order():
    model = keras.Sequential(
        [
            keras.Input((6, 6, 3)),
            layers.Conv2DTranspose(5, 2, name="transposed"),
            layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise", use_bias=False),
        ]
    )
    transposed = visualization.kernels(model, "transposed")
    assert transposed.shape == (2, 2, 3, 5)
    np.testing.assert_array_equal(transposed[1, 0, 2, 4], model.get_layer("transposed").kernel[1, 0, 4, 2])
    depthwise = visualization.kernels(model, "depthwise")
    assert depthwise.shape == (3, 3, 1, 10)
    images = np.random.default_rng(0).normal(size=(1, 6, 6, 5)).astype("float32")
    maps = model.get_layer("depthwise")(images).numpy()
    by_hand = signal.correlate2d(images[0, ..., 3], depthwise[:, :, 0, 7], mode="valid")  # 2 filters per channel
    np.testing.assert_allclose(maps[0, ..., 7], by_hand, atol=1e-5)


def test_what_has_no_kernels_of_pictures():
    model = keras.Sequential([keras.Input((4, 3)), layers.EinsumDense("abc,bcde->ade", (2, 5), name="einsum")])
    with pytest.raises(ValueError, match=r"'einsum' \(EinsumDense\) has no convolution kernels"):
        visualization.kernels(model, "einsum")
    with pytest.raises(ValueError, match="was never built"):
        visualization.kernels(keras.Sequential([layers.Conv2D(2, 3, name="c")]), "c")
    for weights, message in [
        (np.full((3, 3, 1, 2), np.nan), "kernels must be finite"),
        ([np.zeros((3, 3, 1, 2)), np.zeros(2)], "takes a model and the name of a layer"),
    ]:
        with pytest.raises(ValueError, match=message):
            visualization.plot_filters(weights)

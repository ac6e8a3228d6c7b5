"""Networks as rows of boxes."""

import keras
import pytest
from keras import layers

from course_lib import models, visualization


def test_each_box_says_what_its_layer_does_and_hands_on(lenet):
    ax = visualization.plot_networks({"small": lenet, "pooled": models.build("cnn_small", image_shape=(32, 32, 3))})
    said = [text.get_text() for text in ax.texts]
    assert said[0] == f"small: {lenet.count_params():,} parameters"
    assert {"input\n12×12×1", "convolution\n5×5\n8×8×4", "pooling\n2×2\n4×4×4", "dense\n10"} <= set(said)
    assert sum("parameters" in each for each in said) == 2
    assert len(ax.patches) == 5 + 9  # flatten and dropout have no box


def test_words_and_the_axes_that_are_given(lenet):
    given = visualization.new_axes()
    averaging = keras.Sequential([keras.Input((8, 8, 2)), layers.GlobalAveragePooling2D()])
    ax = visualization.plot_networks({"averaging": averaging}, ax=given)
    assert ax is given and "global\naverage\npooling\n2" in [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("networks", [{}, None, [1]])
def test_no_networks(networks):
    with pytest.raises(ValueError, match="networks must be a dict name → model"):
        visualization.plot_networks(networks)

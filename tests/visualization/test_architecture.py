import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from keras import layers

from course_lib import visualization


def facts(model):
    return [(stage.name, stage.title, stage.operation, stage.window) for stage in visualization.stages(model)]


def test_stages_of_a_chain(lenet):
    assert facts(lenet) == [
        ("input", "1@12×12", "input", None),
        ("c1", "4@8×8", "convolution", (5, 5)),
        ("s2", "4@4×4", "pooling", (2, 2)),
        ("c3", "6@2×2", "convolution", (3, 3)),  # neither the normalization nor flatten is a stage
        ("output", "10", "dense", None),
    ]


class Subsampling2D(layers.Layer):
    kernel_size = (2, 2)

    def call(self, x):
        return x[:, ::2, ::2]


def test_stages_of_other_layers():
    inputs = keras.Input((8, 8, 2))
    x = layers.ZeroPadding2D(1, name="pad")(inputs)
    x = layers.Conv2D(2, 3, padding="same", name="same")(x)  # a stage although the shape stays
    x = layers.ReLU()(x)
    x = Subsampling2D(name="sub")(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    x = layers.Dense(2, name="square")(x)
    assert facts(keras.Model(inputs, x)) == [
        ("input", "2@8×8", "input", None),
        ("pad", "2@10×10", "zero padding", None),
        ("same", "2@10×10", "convolution", (3, 3)),
        ("sub", "2@5×5", "subsampling", (2, 2)),
        ("mean", "2", "global average pooling", None),
        ("square", "2", "dense", None),
    ]


def rectangles(ax):
    """Width and height of each map and bar."""
    filled = [patch for patch in ax.patches if patch.get_alpha() is None]
    return [tuple(np.ptp(patch.get_xy(), axis=0)) for patch in filled]


def test_architecture_is_drawn_to_scale(lenet):
    ax = visualization.architecture(lenet)
    drawn = rectangles(ax)
    assert len(drawn) == 1 + 4 + 4 + 6 + 1  # every map of every stage, and a bar
    side = drawn[0][0]
    pixels = [12] + 4 * [8] + 4 * [4] + 6 * [2]
    np.testing.assert_allclose(drawn[:-1], [[side * count / 12] * 2 for count in pixels])
    assert ax.get_aspect() == 1
    depths = []  # from the back map to the front one
    corners = [patch.get_xy()[0] for patch in ax.patches if patch.get_alpha() is None]
    for first, last in ((1, 4), (5, 8), (9, 14)):
        depths.append(corners[last][0] - corners[first][0])
    np.testing.assert_allclose(np.array(depths) / drawn[-1][1], [0.4, 0.4, 0.6])  # 4, 4 and 6 maps, 10 units
    words = [text.get_text() for text in ax.texts]
    assert "convolution\n5×5" in words and "pooling\n2×2" in words and "4@8×8" in words
    window = next(line for line in ax.lines if len(line.get_xdata()) == 5)
    assert np.ptp(window.get_xdata()) == np.ptp(window.get_ydata()) == pytest.approx(side * 5 / 12)


def test_nothing_written_overlaps():
    sizes = [layers.Conv2D(16, 5), layers.MaxPooling2D(), layers.Conv2D(16, 5), layers.MaxPooling2D()]
    narrow = [layers.Conv2D(120, 5), layers.Flatten(), layers.Dense(84), layers.Dense(10)]
    ax = visualization.architecture(keras.Sequential([keras.Input((32, 32, 1)), *sizes, *narrow]))
    ax.get_figure().canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
    whole = ax.get_figure().bbox
    for index, box in enumerate(boxes):
        assert whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])


def test_given_axes_are_used(lenet):
    ax = visualization.new_axes()
    assert visualization.architecture(lenet, ax=ax) is ax
    assert len(plt.get_fignums()) == 1


def test_bad_input():
    inputs = keras.Input((4, 4, 1))
    branch = layers.Add(name="join")([layers.Conv2D(1, 1)(inputs), inputs])
    for model, message in [
        (keras.Model(inputs, branch), "chain of layers; 'join' joins several branches"),
        (keras.Sequential([layers.Dense(2)]), "takes None"),
        (keras.Sequential([keras.Input((3,)), layers.Dense(2)]), r"takes \(None, 3\)"),
        (keras.Sequential([keras.Input((None, None, 1)), layers.Conv2D(1, 1)]), "of a fixed size"),
    ]:
        with pytest.raises(ValueError, match=message):
            visualization.stages(model)

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from keras import layers

from course_lib import models, visualization
from course_lib.models import googlenet
from course_lib.visualization.architecture_stages import stages


def facts(model):
    return [(stage.name, stage.title, stage.operation, stage.window) for stage in stages(model)]


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
    ax = visualization.plot_architecture(lenet)
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


def check_writing(ax):
    """No text lies on another, and none leaves the figure."""
    ax.get_figure().draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in ax.texts if text.get_text()]
    whole = ax.get_figure().bbox
    for index, (text, box) in enumerate(boxes):
        assert whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1, text
        assert [other for other, theirs in boxes[index + 1 :] if box.overlaps(theirs)] == [], text


def test_nothing_written_overlaps():
    sizes = [layers.Conv2D(16, 5), layers.MaxPooling2D(), layers.Conv2D(16, 5), layers.MaxPooling2D()]
    narrow = [layers.Conv2D(120, 5), layers.Flatten(), layers.Dense(84), layers.Dense(10)]
    check_writing(visualization.plot_architecture(keras.Sequential([keras.Input((32, 32, 1)), *sizes, *narrow])))


NO_KERAS_MODEL, THOUSAND_LAYERS = "neocognitron", "resnet1202"


@pytest.mark.parametrize("name", sorted({*models.CATALOG} - {NO_KERAS_MODEL, THOUSAND_LAYERS}))
def test_every_network_is_legible(name):
    model = models.build(name, width=1 / 4, **({"auxiliary": True} if name == "googlenet" else {}))
    ax = visualization.plot_architecture(model)
    check_writing(ax)
    assert ax.get_figure().get_size_inches()[0] < 11.5  # a laptop shows it at about 1,000 pixels
    assert {stage.name for stage in stages(model)} <= {text.get_text() for text in ax.texts}


def test_resnet152_is_folded_into_its_stages():
    folded = [stage for stage in stages(models.build("resnet152", width=1 / 8)) if stage.branches]
    assert [stage.repeats for stage in folded] == [3, 8, 36, 3]  # Table 1 of He et al. 2016
    assert [stage.name for stage in folded] == ["conv2_block", "conv3_block", "conv4_block", "conv5_block"]
    assert [stage.title for stage in folded] == ["32@56×56", "64@28×28", "128@14×14", "256@7×7"]
    labels = [[operation.label for operation in branch] for branch in folded[2].branches]
    assert labels == [["1×1, 32", "3×3, 32", "1×1, 128"], []]  # and around them the input as it is
    assert [operation.label for operation in folded[2].entrance] == ["1×1, 128"]


def test_googlenet_branches_are_one_stage():
    found = stages(models.build("googlenet", auxiliary=True))
    modules = [stage for stage in found if stage.branches]
    assert [stage.name for stage in modules] == [f"inception_{module}" for module in googlenet.MODULES]
    labels = [[operation.label for operation in branch] for branch in modules[0].branches]
    # Table 1 of Szegedy et al. 2015
    assert labels == [["1×1, 64"], ["1×1, 96", "3×3, 128"], ["1×1, 16", "5×5, 32"], ["pool 3×3", "1×1, 32"]]
    assert found[-1].name == "predictions" and "auxiliary1" not in [stage.name for stage in found]  # one output


def test_convolutions_alike_are_folded_in_long_chains_only():
    def repeats(name, **options):
        return [each.repeats for each in stages(models.build(name, **options)) if each.kind == "convolution"]

    assert repeats("vgg16", width=1 / 8) == [2, 2, 3, 3, 3]
    assert repeats("plain20") == [1, 6, 6, 6]
    assert repeats("alexnet", width=1 / 8) == [1] * 5
    short = [layers.Conv2D(2, 3, padding="same", name=f"block1_conv{number}") for number in (1, 2)]
    found = stages(keras.Sequential([keras.Input((8, 8, 1)), *short]))
    assert [each.name for each in found[1:]] == ["block1_conv1", "block1_conv2"]
    groups = [each.groups for each in stages(models.build("alexnet", width=1 / 8)) if each.window]
    assert groups == [1, 1, 2, 1, 1, 2, 2, 1]  # conv2, conv4 and conv5 have two towers


def test_wide_ranges_are_drawn_as_square_roots():
    sizes = [keras.Input((96, 96, 1)), layers.Conv2D(4, 1), layers.MaxPooling2D(16), layers.Conv2D(16, 1)]
    ax = visualization.plot_architecture(keras.Sequential(sizes))
    drawn = rectangles(ax)
    assert len(drawn) == 1 + 4 + 4 + 16
    np.testing.assert_allclose([width / drawn[0][0] for width, _ in drawn], 5 * [1] + 20 * [(6 / 96) ** 0.5])
    corners = [patch.get_xy()[0] for patch in ax.patches if patch.get_alpha() is None]
    assert (corners[4][0] - corners[1][0]) / (corners[-1][0] - corners[9][0]) == pytest.approx((4 / 16) ** 0.5)
    assert any("square-root scale" in text.get_text() for text in ax.texts)


def test_given_axes_are_used(lenet):
    ax = visualization.new_axes()
    assert visualization.plot_architecture(lenet, ax=ax) is ax
    assert len(plt.get_fignums()) == 1


def test_bad_input():
    inputs = keras.Input((4, 4, 1))
    inner = layers.Add()([layers.Conv2D(1, 1)(inputs), layers.Conv2D(1, 3, padding="same")(inputs)])
    nested = layers.Add(name="join")([layers.Conv2D(1, 1)(inner), inputs])
    again = layers.Conv2D(1, 1, name="again")
    for model, message in [
        (keras.Model(inputs, nested), "branches that merge once are drawn; at 'add[_0-9]*' some merge inside"),
        (
            keras.Model(inputs, layers.Conv2D(1, 1)(again(again(inputs)))),
            "'conv2d[_0-9]*' this one uses a layer a second",
        ),
        (keras.Sequential([inputs, keras.Sequential([layers.Conv2D(1, 1)], name="part")]), "'part' is a model inside"),
        (
            keras.Sequential([inputs, layers.Reshape((4, 4)), layers.Dense(2)]),
            "maps and units, not an output of the shape",
        ),
        (keras.Sequential([layers.Dense(2)]), "takes None"),
        (keras.Sequential([keras.Input((3,)), layers.Dense(2)]), r"takes \(None, 3\)"),
        (keras.Sequential([keras.Input((None, None, 1)), layers.Conv2D(1, 1)]), "of a fixed size"),
    ]:
        with pytest.raises(ValueError, match=message):
            stages(model)


def test_models_of_other_shapes_are_drawn():
    inputs = keras.Input((16, 16, 3))
    summed = layers.Conv2D(4, 3, padding="same")(inputs) + layers.Conv2D(4, 1)(inputs)  # no layer adds them
    maps = layers.Reshape((4, 4, 2))(layers.Dense(32)(layers.Flatten()(summed)))
    further = layers.Dense(2, name="further")(layers.Flatten()(inputs))
    ax = visualization.plot_architecture(keras.Model(inputs, [further, layers.Conv2D(2, 3)(maps)]))
    check_writing(ax)
    texts = {text.get_text() for text in ax.texts}
    assert {"2@2×2", "3×3, 4\n+ 1×1, 4"} <= texts or {"2@2×2", "1×1, 4\n+ 3×3, 4"} <= texts


def test_alexnet_is_two_towers():
    """Figure 2 of Krizhevsky et al. (2012): 48, 128, 192, 192 and 128 maps in each tower."""
    ax = visualization.plot_architecture(models.build("alexnet"))
    check_writing(ax)
    texts = [text.get_text() for text in ax.texts]
    sizes = ["48@55×55", "48@27×27", "128@27×27", "128@13×13", "192@13×13", "192@13×13", "128@13×13", "128@6×6"]
    assert [text for text in texts if "@" in text] == ["3@227×227", *(f"2 × {size}" for size in sizes)]
    assert texts.count("convolution\n3×3\nof both towers") == 1  # conv3
    assert sum(text.endswith("in each tower") for text in texts) == 3  # conv2, conv4, conv5
    fronts = [patch.get_xy() for patch in ax.patches if patch.get_alpha() is None]
    middles = {round(float((corners[0, 1] + corners[2, 1]) / 2), 2) for corners in fronts}
    assert len(middles) > 4  # the two towers of a row lie apart
    windows = [line for line in ax.lines if len(line.get_xdata()) == 5]
    # from the input to both towers; of pool1, conv2, pool2, conv5 and pool5 in each tower; of conv3 in each from both
    assert len(windows) == 2 + 5 * 2 + 4
    one = visualization.plot_architecture(models.build("alexnet_one_tower"))
    assert "96@55×55" in [text.get_text() for text in one.texts]


def test_a_convolution_that_sees_both_towers_is_drawn_so():
    grouped = [layers.Conv2D(4, 3, groups=2, padding="same"), layers.Conv2D(4, 3, padding="same")]
    ax = visualization.plot_architecture(keras.Sequential([keras.Input((8, 8, 2)), *grouped]))
    windows = [line for line in ax.lines if len(line.get_xdata()) == 5]
    assert len(windows) == 2 + 4  # from the input to two towers, and from each of the two to both


def block_texts(name, block):
    model = models.build(name, width=1 / 4)
    ax = visualization.plot_block(model, block)
    check_writing(ax)
    return [text.get_text() for text in ax.texts if text.get_text()]


def test_the_inside_of_a_residual_block():
    """Figures 2 and 5 of He et al. (2016), a quarter as wide."""
    plain = block_texts("plain34", "conv3_block2")
    assert sorted(plain) == ["32@28×28", "32@28×28", "3×3, 32", "3×3, 32", "batch norm, ReLU", "batch norm, ReLU"]
    residual = block_texts("resnet34", "conv3_block2")
    assert sorted(set(residual) - set(plain)) == ["$F(x)$", "$x$", "+", "ReLU", "batch norm", "identity"]
    bottleneck = block_texts("resnet50", "conv3_block1")
    assert {"64@56×56", "1×1, 32, stride 2", "3×3, 32", "1×1, 128", "1×1, 128, stride 2", "128@28×28"} < {*bottleneck}
    assert "identity" not in bottleneck
    assert "shortcut A, 8, stride 2" in block_texts("resnet20", "conv3_block1")


def test_blocks_of_other_networks():
    inception = block_texts("googlenet", "inception_3a")
    assert {"concatenate", "1×1, 24", "3×3, 32", "pooling, 48", "64@28×28"} < {*inception}
    assert {"3×3, 64", "pooling, 64, stride 2"} < {*block_texts("vgg16", "block3")}
    given = visualization.new_axes()
    assert visualization.plot_block(models.build("resnet20"), "conv2_block1", ax=given) is given
    with pytest.raises(ValueError, match=r"unknown block 'conv2_blok1'\. Did you mean 'conv2_block1'"):
        visualization.plot_block(models.build("resnet20"), "conv2_blok1")
    with pytest.raises(ValueError, match="some merge inside another"):
        visualization.plot_block(models.build("resnet20"), "conv2")  # three blocks
    apart = [layers.Conv2D(1, 1, name=name) for name in ("block_1", "other", "block_2")]
    with pytest.raises(ValueError, match="'block' are not one block: they do not follow each other"):
        visualization.plot_block(keras.Sequential([keras.Input((4, 4, 1)), *apart]), "block")

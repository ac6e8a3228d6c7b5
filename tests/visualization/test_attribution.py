import keras
import numpy as np
import pytest
from keras import layers
from scipy import signal

from course_lib import models, visualization
from course_lib.visualization.checks import map_layer
from course_lib.visualization.images import unit_range

RANDOM = np.random.default_rng(5)
IMAGES = RANDOM.uniform(size=(3, 9, 8, 2)).astype("float32")


def inner(dtype=None):
    inputs = keras.Input((9, 8, 2))
    x = layers.Conv2D(4, 3, activation="relu", bias_initializer="normal", dtype=dtype, name="conv1")(inputs)
    x = layers.Conv2D(3, 3, padding="same", activation="relu", dtype=dtype, name="conv2")(x)  # 7×6×3
    return keras.Model(inputs, x, name="inner")


def head(x):
    return layers.Dense(5, dtype="float32", name="logits")(layers.Flatten(name="flatten")(x))


def functional(dtype=None):
    features = inner(dtype)
    return keras.Model(features.input, head(features.output))


def sequential():
    features = inner()
    return keras.Sequential([keras.Input((9, 8, 2)), *features.layers[1:], layers.Flatten(), layers.Dense(5)])


def nested():
    inputs = keras.Input((9, 8, 2))
    return keras.Model(inputs, head(inner()(inputs)))


def reloaded(tmp_path):
    nested().save(tmp_path / "model.keras")
    return keras.models.load_model(tmp_path / "model.keras")


def mirrored():
    import tensorflow as tf

    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        return nested()


@pytest.fixture(scope="module")
def plain():
    keras.utils.set_random_seed(7)
    return functional()


def by_hand(model, image, label):
    """Maps of conv2, and gradients of a logit with respect to them, in NumPy and SciPy."""
    (k1, b1), (k2, b2), (dense, _) = (model.get_layer(name).get_weights() for name in ("conv1", "conv2", "logits"))

    def convolve(x, kernel, bias, mode):
        planes = [[signal.correlate2d(x[..., i], kernel[..., i, o], mode) for i in range(x.shape[-1])]
                  for o in range(kernel.shape[-1])]  # fmt: skip
        return np.stack([sum(each) for each in planes], axis=-1) + bias

    first = np.maximum(convolve(image, k1, b1, "valid"), 0)
    second = np.maximum(convolve(first, k2, b2, "same"), 0)
    return second, dense[:, label].reshape(second.shape)


def test_grad_cam_by_hand(plain):
    labels = [1, 4, 0]
    maps = visualization.grad_cam(plain, IMAGES, "conv2", labels)
    assert maps.dtype == np.float32 and maps.shape == (3, 7, 6)
    for image, label, cam in zip(IMAGES, labels, maps, strict=True):
        units, to_units = by_hand(plain, image, label)
        np.testing.assert_allclose(cam, np.maximum(units @ to_units.mean(axis=(0, 1)), 0), atol=1e-5)
    assert maps.any()


def test_without_a_class_it_is_the_predicted_one(plain):
    predicted = plain(IMAGES).numpy().argmax(axis=1)
    found, expected = (visualization.grad_cam(plain, IMAGES, "conv2", classes) for classes in (None, predicted))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("build", [sequential, nested, reloaded, mirrored, lambda: functional("mixed_float16")])
def test_every_kind_of_model_gives_the_same(plain, build, tmp_path):
    model = build(tmp_path) if build is reloaded else build()
    model.set_weights(plain.get_weights())
    close = {"atol": 1e-6} if model.layers[1].compute_dtype != "float16" else {"atol": 2e-3, "rtol": 0.02}
    for compute in (
        lambda it: visualization.grad_cam(it, IMAGES, "conv2", 2),
        lambda it: visualization.occlusion(it, IMAGES[0], 2),
        lambda it: visualization.effective_receptive_field(it, IMAGES, "conv2"),
        lambda it: visualization.top_patches(it, IMAGES, "conv2", range(3), k=2)[0],
    ):
        np.testing.assert_allclose(compute(model), compute(plain), **close)
    assert "call" not in vars(map_layer(model, "conv2"))


def test_occlusion_against_a_loop(plain):
    found = visualization.occlusion(plain, IMAGES[1], 3, size=3, stride=2)
    assert found.shape == (5, 4)

    def probability(image):
        return keras.ops.convert_to_numpy(keras.ops.softmax(plain(image[None])))[0, 3]

    whole = probability(IMAGES[1])
    for (row, column), fall in np.ndenumerate(found):
        hidden = IMAGES[1].copy()
        for y in range(9):
            for x in range(8):
                if abs(y - 2 * row) <= 1 and abs(x - (2 * column + 1)) <= 1:  # 8 columns: cells of two, 9 rows: nearly
                    hidden[y, x] = IMAGES[1].mean(axis=(0, 1))
        assert fall == pytest.approx(whole - probability(hidden), abs=1e-6)


def test_effective_receptive_field_counts_the_paths():
    """Three 3×3 convolutions of equal weights: as many paths as (1 1 1)∗(1 1 1)∗(1 1 1) says, 49 to the center."""
    convolutions = [layers.Conv2D(1, 3, padding="same", kernel_initializer="ones", name=f"c{n}") for n in (1, 2, 3)]
    model = keras.Sequential([keras.Input((11, 11, 1)), *convolutions])
    found = visualization.effective_receptive_field(model, np.ones((2, 11, 11, 1)), "c3")
    paths = np.convolve(np.convolve([1, 1, 1], [1, 1, 1]), [1, 1, 1])
    np.testing.assert_allclose(found[2:9, 2:9], np.outer(paths, paths), rtol=1e-6)
    assert found[5, 5] == 49 and found[2, 2] == 1 and found.sum() == 27**2
    corner = visualization.effective_receptive_field(model, np.ones((1, 11, 11, 1)), "c3", (0, 10))
    assert corner[0, 10] == 16 and (corner > 0).sum() == 16  # paths over the edge are lost: 2·1 + 2·1 of each axis


def test_bad_input(plain):
    unbuilt = keras.Sequential([layers.Conv2D(2, 3, name="conv2")])
    dense = keras.Sequential([keras.Input((9, 8, 2)), layers.Flatten(name="flat"), layers.Dense(2)])
    cam, field = visualization.grad_cam, visualization.effective_receptive_field
    for compute, arguments, message in [
        (cam, (plain, IMAGES, "conv3"), "unknown layer 'conv3'. Did you mean 'conv[12]' or"),
        (cam, (plain, IMAGES, "logits"), r"'logits' \(Dense\) has no feature maps; layers that have: conv1, conv2$"),
        (cam, (dense, IMAGES, "flat"), "none, the model has no convolutions"),
        (cam, (plain, IMAGES[:, :5], "conv2"), r"takes images of shape \(n, 9, 8, 2\), not \(3, 5, 8, 2\)"),
        (cam, (plain, 255 * IMAGES, "conv2"), "the images go from .* scale them as in training"),
        (cam, (plain, np.full((1, 9, 8, 2), np.nan), "conv2"), "from nan to nan"),
        (cam, (plain, IMAGES, "conv2", 5), "a class must be 0 to 4, one for all images or one each, not 5"),
        (cam, (plain, IMAGES, "conv2", [0, 1]), r"not \[0, 1\]"),
        (cam, (plain, IMAGES, "conv2", -1), "not -1"),
        (visualization.occlusion, (plain, IMAGES), r"images\[0\], not a batch of the shape \(3, 9, 8, 2\)"),
        (field, (unbuilt, IMAGES, "conv2"), "was never built"),
    ]:
        with pytest.raises(ValueError, match=message):
            compute(*arguments)


def test_attribution_is_one_scale_over_the_whole_picture():
    image, values = IMAGES[0, ..., :1], np.array([[0.0, -4.0], [2.0, 1.0]])
    ax = visualization.plot_attribution(image, values, label="fall")
    picture, drawn = ax.images
    np.testing.assert_allclose(picture.get_array(), unit_range(image[None])[0, ..., 0])
    np.testing.assert_array_equal(drawn.get_array(), values)
    assert drawn.get_clim() == (-4, 4) and drawn.get_extent() == picture.get_extent()
    opacity = drawn.to_rgba(values)[..., 3]
    np.testing.assert_allclose(opacity**2, np.abs(values) / 4, atol=0.01)
    assert drawn.get_alpha() is None  # an array would hide the picture under Matplotlib 3.10.0
    bar = next(axes for axes in ax.get_figure().axes if axes is not ax)
    assert bar.get_ylabel() == "fall" and bar.get_ylim() == (-4, 4)


def test_several_attributions_share_a_scale_in_their_row_alone():
    falls = np.array([[[0.0, -4.0]], [[2.0, 1.0]]])
    cams = np.array([[[0.0, 0.5]], [[0.1, 0.2]]])
    axes = visualization.plot_attributions(IMAGES[:2, ..., :1], {"fall": falls, "Grad-CAM": cams}, ["one", "other"])
    assert axes.shape == (3, 2) and [ax.get_title() for ax in axes[0]] == ["one", "other"]
    assert [ax.images[1].get_clim() for ax in axes[1:].ravel()] == [(-4, 4), (-4, 4), (-0.5, 0.5), (-0.5, 0.5)]
    np.testing.assert_array_equal(axes[1, 1].images[1].get_array(), falls[1])
    bars = [ax for ax in axes[0, 0].get_figure().axes if ax not in axes.ravel() and ax.get_visible()]
    assert [(bar.get_ylabel(), bar.get_ylim()) for bar in bars] == [("fall", (-4, 4)), ("Grad-CAM", (0, 0.5))]
    for given in ((IMAGES[:1], {"fall": falls}), (IMAGES[:2], {}), (IMAGES[:2], {"fall": falls}, ["one"])):
        with pytest.raises(ValueError, match=r"one map per image|one title per image|must be a dict"):
            visualization.plot_attributions(*given)


def test_the_images_stand_above_their_maps_as_they_are():
    images = RANDOM.integers(0, 256, (2, 8, 8, 3), np.uint8)
    axes = visualization.plot_attributions(images, {"fall": np.zeros((2, 4, 4))})
    for ax, image in zip(axes[0], images, strict=True):
        np.testing.assert_allclose(ax.images[0].get_array(), image / 255, rtol=1e-6)
    assert not any(ax.patches for ax in axes.ravel())


def test_the_square_that_matters_most_is_outlined_at_its_true_size():
    """Its middle is that of the map's cell, whatever the sign; it may reach beyond the rim of the image."""
    falls = np.array([[[0.0, 1.0], [-4.0, 2.0]], [[3.0, 1.0], [2.0, 0.0]]])
    images = np.full((2, 40, 80, 3), 0.5)
    axes = visualization.plot_attributions(images, {"Grad-CAM": falls, "fall": falls}, squares={"fall": 30})
    assert not any(ax.patches for ax in axes[1])
    for place, (left, top) in enumerate([(20 - 15.5, 30 - 15.5), (20 - 15.5, 10 - 15.5)]):
        for ax in (axes[0, place], axes[2, place]):
            (square,) = ax.patches
            assert (square.get_x(), square.get_y()) == (left, top)
            assert (square.get_width(), square.get_height()) == (30, 30)
    with pytest.raises(ValueError, match="must name values among fall, not Grad-CAM"):
        visualization.plot_attributions(images, {"fall": falls}, squares={"Grad-CAM": 30})


def test_attribution_of_a_gradient_takes_its_largest_channel():
    gradient = RANDOM.normal(size=(9, 8, 2))
    ax = visualization.plot_attribution(IMAGES[0, ..., 0], gradient)
    np.testing.assert_allclose(ax.images[1].get_array(), np.abs(gradient).max(axis=-1), rtol=1e-6)
    assert next(axes for axes in ax.get_figure().axes if axes is not ax).get_ylim()[0] == 0
    with pytest.raises(ValueError, match=r"attribution must be .* not \(4,\)"):
        visualization.plot_attribution(IMAGES[0, ..., 0], np.ones(4))


@pytest.mark.slow
@pytest.mark.parametrize("option", ["size", "stride"])
def test_a_square_larger_than_the_picture(plain, option):
    with pytest.raises(ValueError, match=f"{option} must be 1 to 8, the image's shorter side, not 9"):
        visualization.occlusion(plain, IMAGES[0], **{option: 9})


def test_occlusion_asks_for_many_pictures_at_a_time(monkeypatch):
    """One call for each hidden picture would take ten times as long. A clock would also say what else runs here."""
    model = models.build("cnn_small", image_shape=(64, 64, 3), num_classes=10)
    asked, call = [], model.call
    monkeypatch.setattr(
        model, "call", lambda inputs, *rest, **options: asked.append(len(inputs)) or call(inputs, *rest, **options)
    )
    assert visualization.occlusion(model, RANDOM.uniform(size=(64, 64, 3))).shape == (16, 16)
    assert 257 <= sum(asked) < 262 and len(asked) < 22  # 16 x 16 of them, 16 at a time; a few that find the shapes


def test_attribution_takes_one_map():
    image, maps = RANDOM.uniform(size=(9, 8, 3)), RANDOM.normal(size=(3, 5, 4))
    for attribution, expected in [
        (maps[:1], maps[0]),
        (RANDOM.normal(size=(1, 9, 8, 3)), None),
        (np.ones((9, 8)), np.ones((9, 8))),
    ]:
        drawn = visualization.plot_attribution(image, attribution).images[1].get_array()
        assert drawn.shape == ((9, 8) if expected is None else expected.shape)
        if expected is not None:
            np.testing.assert_allclose(drawn, expected, rtol=1e-6)
    for attribution in (maps, np.ones((4, 3, 3)), np.ones((2, 9, 8, 3))):
        with pytest.raises(ValueError, match=r"attribution must be one map, .*attribution\[0\]"):
            visualization.plot_attribution(image, attribution)
    for arguments, message in [
        ((image, np.full((4, 4), np.nan)), "attribution must be finite"),
        ((image * np.nan, maps[0]), "image must be finite"),
        ((IMAGES[..., :1], maps[0]), r"image must be one image, such as images\[0\]"),
    ]:
        with pytest.raises(ValueError, match=message):
            visualization.plot_attribution(*arguments)


@pytest.mark.parametrize("side", [7, 160])
def test_the_picture_is_seen_below_the_map(side):
    """Under Matplotlib 3.10.0 an array as alpha hid it, where the map had about as many pixels as the figure."""
    stripes, values = np.tile(np.arange(224) // 8 % 2, (224, 1)).astype(float), np.zeros((side, side))
    values[0, 0] = 1
    ax = visualization.plot_attribution(stripes, values)
    ax.figure.canvas.draw()
    box, drawn = ax.get_window_extent(), np.asarray(ax.figure.canvas.buffer_rgba())[..., :3]
    top, bottom = (int(len(drawn) - edge) for edge in (box.y1, box.y0))
    inside = drawn[top + 60 : bottom - 5, int(box.x0) + 60 : int(box.x1) - 5]
    assert inside.std() > 30


@pytest.mark.parametrize("unit", [5, (7, 0), (-1, 0), (1.0, 2.0), (1, 2, 3), "center"])
def test_units_that_are_none(plain, unit):
    with pytest.raises(ValueError, match="unit must be"):
        visualization.effective_receptive_field(plain, IMAGES, "conv2", unit)
    found = visualization.effective_receptive_field(plain, IMAGES, "conv2", np.array([1, 2]))
    np.testing.assert_array_equal(found, visualization.effective_receptive_field(plain, IMAGES, "conv2", (1, 2)))

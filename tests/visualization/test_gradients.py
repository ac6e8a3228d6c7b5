import keras
import numpy as np
import pytest
from keras import layers

from course_lib import visualization

RANDOM = np.random.default_rng(5)
IMAGES = RANDOM.uniform(size=(8, 6, 6, 1)).astype("float32")
LABELS = np.arange(8) % 3


def blocks(dtype=None):
    """The layers of a small network with normalization and dropout, of which none is made twice."""
    return [
        layers.Conv2D(4, 3, activation="sigmoid", name="c1", dtype=dtype),
        layers.BatchNormalization(name="norm", dtype=dtype),
        layers.Flatten(name="flatten", dtype=dtype),
        layers.Dense(5, name="f2", dtype=dtype),
        layers.ReLU(name="relu", dtype=dtype),
        layers.Dropout(0.0, name="drop", dtype=dtype),
        layers.Dense(3, name="output", dtype=dtype),
    ]


def sequential(dtype=None):
    return keras.Sequential([keras.Input((6, 6, 1)), *blocks(dtype)])


def functional():
    x = inputs = keras.Input((6, 6, 1))
    for layer in blocks():
        x = layer(x)
    return keras.Model(inputs, x)


def nested():
    first, *middle, last = blocks()
    inner = keras.Sequential([keras.Input((4, 4, 4)), *middle], name="inner")
    inputs = keras.Input((6, 6, 1))
    return keras.Model(inputs, last(inner(first(inputs))))


def reloaded(tmp_path):
    functional().save(tmp_path / "net.keras")
    return keras.models.load_model(tmp_path / "net.keras")


@pytest.fixture(scope="module")
def weights():
    keras.utils.set_random_seed(11)
    return sequential().get_weights()


def mean_loss(model) -> float:
    logits = np.array(model(IMAGES, training=True), dtype=np.float64)
    return float(np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(8), LABELS]))


def test_gradients_against_finite_differences(weights):
    model = sequential()
    model.set_weights(weights)
    state = [array.copy() for array in model.get_weights()]
    sizes = visualization.gradient_sizes(model, IMAGES, LABELS)
    assert all((old == new).all() for old, new in zip(state, model.get_weights(), strict=True))  # averages too
    assert sizes["layers"] == ["c1", "f2", "output"]
    for number, name in enumerate(sizes["layers"]):
        kernel = model.get_layer(name).kernel
        start, slopes = keras.ops.convert_to_numpy(kernel), []
        for place in np.ndindex(*start.shape):
            losses = []
            for step in (1e-2, -1e-2):
                moved = start.copy()
                moved[place] += step
                kernel.assign(moved)
                losses.append(mean_loss(model))
            slopes.append((losses[0] - losses[1]) / 2e-2)
        kernel.assign(start)
        assert sizes["norm"][number] == pytest.approx(np.linalg.norm(slopes), rel=2e-3)
        assert sizes["mean"][number] == pytest.approx(np.abs(slopes).mean(), rel=2e-3)
        assert sizes["weights"][number] == pytest.approx(np.linalg.norm(start), rel=1e-6)


@pytest.mark.parametrize("kind", ["functional", "nested", "reloaded", "half"])
def test_every_kind_of_model_gives_the_same(kind, weights, tmp_path):
    plain = sequential()
    model = {
        "functional": functional, "nested": nested, "reloaded": lambda: reloaded(tmp_path),
        "half": lambda: sequential("mixed_float16"),
    }[kind]()  # fmt: skip
    for each in (plain, model):
        each.set_weights(weights)
    expected, found = (visualization.gradient_sizes(each, IMAGES, LABELS) for each in (plain, model))
    assert found["layers"] == expected["layers"]
    np.testing.assert_allclose(found["norm"], expected["norm"], rtol=2e-2 if kind == "half" else 1e-4)
    units, known = (visualization.count_units(each, IMAGES, batch_size=3) for each in (model, plain))
    assert units["layers"] == known["layers"] == ["c1", "relu"]
    np.testing.assert_allclose(units["dead"], known["dead"])
    np.testing.assert_allclose(units["flat"], known["flat"], atol=0.02)


def test_small_gradients_survive_half_precision():
    model = keras.Sequential([keras.Input((4,))])
    for number in range(12):
        model.add(layers.Dense(4, activation="sigmoid", name=f"d{number}", dtype="mixed_float16"))
    model.add(layers.Dense(3, name="output", dtype="mixed_float16"))
    assert (visualization.gradient_sizes(model, np.ones((2, 4)), [0, 1])["norm"] > 0).all()


def test_mirrored(two_devices, weights):
    plain = sequential()
    with two_devices.scope():
        model = sequential()
        for each in (plain, model):
            each.set_weights(weights)
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    found, expected = (visualization.gradient_sizes(each, IMAGES, LABELS) for each in (model, plain))
    np.testing.assert_allclose(found["norm"], expected["norm"], rtol=1e-4)
    assert visualization.count_units(model, IMAGES)["layers"] == ["c1", "relu"]
    watch = visualization.GradientWatch(IMAGES, LABELS)
    watch.share = 1e9
    model.fit(IMAGES, LABELS, batch_size=4, epochs=2, verbose=0, callbacks=[watch])
    np.testing.assert_allclose(watch.record["norm"][0], expected["norm"], rtol=1e-4)
    assert watch.record["step"].tolist() == [0, 2, 3] and (watch.record["update"] > 0).all()


@pytest.mark.parametrize(
    "measure", [visualization.gradient_sizes, lambda model, images, _: visualization.count_units(model, images)]
)
def test_models_that_cannot_be_looked_into(measure):
    with pytest.raises(ValueError, match="was never built"):
        measure(keras.Sequential([layers.Dense(2)]), np.ones((1, 2)), [0])


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (IMAGES[:, :5], LABELS, r"takes images of shape \(n, 6, 6, 1\), not \(8, 5, 6, 1\)"),
        (255 * IMAGES, LABELS, "scale them as in training"),
        (np.full_like(IMAGES, np.nan), LABELS, "from nan to nan: some hold NaN"),
        (IMAGES, LABELS[:3], "labels must be 8 whole numbers from 0 to 2"),
        (IMAGES, LABELS + 1, "from 0 to 2"),
        (IMAGES, LABELS + 0.5, "whole numbers"),
    ],
)
def test_bad_batch(images, labels, message):
    with pytest.raises(ValueError, match=message):
        visualization.gradient_sizes(sequential(), images, labels)


def test_a_model_with_two_outputs():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, [layers.Dense(2)(inputs), layers.Dense(2)(inputs)])
    with pytest.raises(ValueError, match=r"needs a model with one output, the logits; .* has 2"):
        visualization.gradient_sizes(model, np.ones((2, 3)), [0, 1])


def test_a_model_without_kernels():
    model = keras.Sequential([keras.Input((3,)), layers.BatchNormalization()])
    with pytest.raises(ValueError, match=r"no layer of .* has a kernel that is trained"):
        visualization.gradient_sizes(model, np.ones((2, 3)), [0, 1])


def test_draw_gradients_several_networks_and_zeros():
    ramp = {"layers": ["a", "b", "c"], "norm": np.array([1e-9, 1e-5, 1e-1]), "mean": np.ones(3)}
    dead = {"layers": ["a", "b", "c"], "norm": np.array([0.0, 0.0, 1.0]), "mean": np.ones(3)}
    ax = visualization.plot_gradients({"ramp": ramp, "dead": dead})
    assert ax.get_yscale() == "log" and [each.get_text() for each in ax.get_xticklabels()] == ["a", "b", "c"]
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), ramp["norm"])
    foot = ax.lines[1].get_ydata()[:2]
    assert (foot > 0).all() and (foot < 1e-9).all() and foot[0] == foot[1]
    assert " zero" in [text.get_text() for text in ax.texts]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["ramp", "dead"]
    longer = {"layers": list("abcd"), "norm": np.ones(4)}
    ax = visualization.plot_gradients({"ramp": ramp, "longer": longer})
    assert not ax.texts
    assert all(tick == round(tick) for tick in ax.get_xticks())  # there is no layer 1.5
    visualization.plot_gradients(dead | {"norm": np.zeros(3)})  # nothing but zeros
    broken = visualization.plot_gradients(ramp | {"norm": np.array([np.nan, 1, 2])})
    np.testing.assert_array_equal(broken.lines[0].get_ydata(), [np.nan, 1, 2])
    assert visualization.plot_gradients(ramp, "mean", ax=ax) is ax


def test_two_parts_with_layers_of_one_name_and_one_layer_used_twice():
    def part(scale):
        start = keras.initializers.Constant(scale)
        return keras.Sequential([keras.Input((3,)), layers.Dense(3, name="d", kernel_initializer=start)])

    x = inputs = keras.Input((3,))
    relu = layers.ReLU(name="relu")
    for scale in (0.1, 0.3):
        x = relu(part(scale)(x))
    model = keras.Model(inputs, x)
    images = np.ones((2, 3))
    found = visualization.gradient_sizes(model, images, [0, 1])
    assert found["layers"] == ["d", "d"]
    np.testing.assert_allclose(found["weights"], [0.3, 0.9], rtol=1e-6)
    assert visualization.count_units(model, images)["layers"] == ["relu", "relu"]
    assert "call" not in vars(relu)  # nothing stays behind in the layer


def test_the_norm_of_gradients_whose_squares_vanish():
    model = keras.Sequential([keras.Input((2,)), layers.Rescaling(1e-25), layers.Dense(2, name="d")])
    found = visualization.gradient_sizes(model, np.ones((1, 2)), [0])
    assert found["norm"][0] == pytest.approx(1e-25, rel=1e-5, abs=0) and found["mean"][0] == pytest.approx(
        5e-26, rel=1e-5, abs=0
    )


@pytest.mark.parametrize(
    ("sizes", "value", "message"),
    [
        ({"layers": ["a"], "norm": np.ones(1), "mean": np.ones(1)}, "update", "unknown value 'update'.*mean, norm"),
        ({"layers": ["a"], "norm": np.ones(1)}, "mean", "unknown value 'mean'"),
        ({}, "norm", "sizes must be what gradient_sizes"),
        ([{"layers": ["a"], "norm": np.ones(1)}], "norm", "sizes must be what gradient_sizes"),
    ],
)
def test_draw_bad_input(sizes, value, message):
    with pytest.raises(ValueError, match=message):
        visualization.plot_gradients(sizes, value)

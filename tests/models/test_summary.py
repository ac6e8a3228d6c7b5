"""`models.summary` against counts by hand, what perturbing single pixels shows, and what TensorFlow keeps."""

import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from course_lib import common, models
from course_lib.models import catalog
from course_lib.models.lenet5_1998_layers import PartialConv2D, Subsampling2D
from course_lib.models.summary import compare, layer_table

RANDOM = np.random.default_rng(0)


def column(rows, key):
    return {row["layer"]: row[key] for row in rows}


def test_lenet5_by_hand():
    rows = layer_table(models.build("lenet5"))
    assert [row["layer"] for row in rows] == ["c1", "s2", "c3", "s4", "flatten", "c5", "f6", "output"]
    multiply_adds = column(rows, "multiply_adds")
    assert multiply_adds == {
        "c1": 28 * 28 * 6 * 25,
        "s2": 0,
        "c3": 10 * 10 * 16 * 150,
        "s4": 0,
        "flatten": 0,
        "c5": 48_000,
        "f6": 10_080,
        "output": 840,
    }
    published = models.CATALOG["lenet5"].published[0]
    assert sum(multiply_adds.values()) == published["multiply_adds"] == 416_520
    assert sum(row["parameters"] for row in rows) == published["parameters"] == 61_706
    assert list(column(rows, "receptive_field").values()) == [5, 6, 14, 16, 32, 32, 32, 32]
    assert list(column(rows, "stride").values()) == [1, 2, 2, 4, 4, 4, 4, 4]
    assert rows[2]["output_shape"] == (10, 10, 16) and rows[2]["kind"] == "Conv2D"


def test_lenet5_1998_has_the_papers_connections():
    rows = layer_table(models.build("lenet5_1998"))
    connections = column(rows, "connections")
    assert connections == {
        "c1": 122_304,
        "s2": 5_880,
        "c3": 151_600,
        "s4": 2_000,
        "c5": 48_120,
        "flatten": 0,
        "f6": 10_164,
        "output": 840,
    }
    assert sum(connections.values()) == models.CATALOG["lenet5_1998"].published[0]["connections"]
    assert sum(row["trainable_parameters"] for row in rows) == 60_000
    assert (rows[-1]["parameters"], rows[-1]["trainable_parameters"]) == (840, 0)
    assert list(column(rows, "receptive_field").values()) == [5, 6, 14, 16, 32, 32, 32, 32]


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv2D(6, 3, groups=3),
        layers.Conv2D(2, (3, 2), strides=2, use_bias=False),
        layers.Conv2D(2, 2, dilation_rate=3),
        layers.DepthwiseConv2D(3, depth_multiplier=2, strides=2),
        layers.AveragePooling2D((3, 2), strides=1),
        layers.GlobalAveragePooling2D(),
        layers.Dense(4),
        PartialConv2D([[0, 2], [1], [0, 1, 2]], 3),
        Subsampling2D(),
    ],
    ids=lambda layer: layer.name,
)
def test_connections_are_the_inputs_that_reach_each_unit(layer):
    shape = (8, 7, 3)
    model = keras.Sequential([keras.Input(shape), layer])
    impulses = np.eye(np.prod(shape), dtype="float32").reshape(-1, *shape)
    responses = model.predict(impulses, verbose=0) - model.predict(np.zeros((1, *shape)), verbose=0)
    reached = int((responses != 0).sum())
    row = layer_table(model)[0]
    has_bias = getattr(layer, "use_bias", hasattr(layer, "bias"))
    assert row["connections"] == reached + has_bias * np.prod(model.output_shape[1:])
    if hasattr(layer, "kernel"):
        assert row["multiply_adds"] == reached


def branching_network(shape):
    inputs = keras.Input(shape)
    x = layers.Conv2D(4, (3, 2), strides=(2, 1), padding="same", name="conv")(inputs)
    x = layers.ZeroPadding2D(1, name="frame")(x)
    x = layers.DepthwiseConv2D(3, dilation_rate=2, name="depthwise")(x)
    narrow = layers.Conv2D(4, 1, groups=2, name="narrow")(x)
    wide = layers.Conv2D(4, 5, padding="same", name="wide")(x)
    x = layers.Concatenate(name="concatenate")([narrow, wide])
    x = layers.AveragePooling2D(3, strides=2, padding="same", name="pool")(x)
    x = layers.BatchNormalization(name="normalize")(x)
    x = layers.Conv2D(3, 3, padding="same", name="last")(x)
    return keras.Model(inputs, layers.Dense(2, name="dense")(layers.Flatten(name="flatten")(x)))


def test_receptive_fields_and_strides_are_what_single_pixels_reach():
    height, width = 64, 52
    model = branching_network((height, width, 1))
    model.set_weights([np.abs(weight) + 0.1 for weight in model.get_weights()])  # so that nothing cancels
    maps = [layer for layer in model.layers[1:] if len(layer.output.shape) == 4]
    watched = keras.Model(model.input, [layer.output for layer in maps])
    bars = np.zeros((height + width, height, width, 1), "float32")  # each image one lit row, or one lit column
    bars[range(height), range(height)] = 1
    bars[range(height, height + width), :, range(width)] = 1
    dark = watched.predict(np.zeros_like(bars[:1]), verbose=0)
    rows = {row["layer"]: row for row in layer_table(model)}
    for layer, lit, unlit in zip(maps, watched.predict(bars, verbose=0), dark, strict=True):
        seen = (abs(lit - unlit) > 1e-4 * abs(unlit)).any(axis=-1)  # oneDNN rounds each batch in its own way
        y, x = seen.shape[1] // 2, seen.shape[2] // 2
        here = [np.flatnonzero(part) for part in np.split(seen[:, y, x], [height])]
        beside = [np.flatnonzero(seen[:height, y + 1, x]), np.flatnonzero(seen[height:, y, x + 1])]
        field = [pixels[-1] - pixels[0] + 1 for pixels in here]
        stride = [after[0] - before[0] for before, after in zip(here, beside, strict=True)]
        row = rows[layer.name]
        assert np.broadcast_to(row["receptive_field"], 2).tolist() == field, layer.name
        assert np.broadcast_to(row["stride"], 2).tolist() == stride, layer.name
    assert rows["conv"]["receptive_field"] == (3, 2) and rows["conv"]["stride"] == (2, 1)
    assert (rows["normalize"]["parameters"], rows["normalize"]["trainable_parameters"]) == (32, 16)


class Pyramid(layers.Layer):
    """The largest value of each whole map, and of each of its quarters."""

    def call(self, maps):
        quarters = layers.MaxPooling2D(maps.shape[1] // 2)(maps)
        return keras.ops.concatenate(
            [keras.ops.max(maps, (1, 2)), keras.ops.reshape(quarters, (-1, 4 * maps.shape[-1]))], axis=1
        )

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 5 * input_shape[-1])


def residual_network(drop=0.3):
    """A projected shortcut, two branches, an auxiliary head, PReLU and a layer that ends the maps."""
    images = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="stem")(images)
    residual = layers.Conv2D(8, 3, 2, padding="same", use_bias=False, name="first")(x)
    residual = layers.ReLU(name="rectify")(layers.BatchNormalization(name="normalize")(residual))
    residual = layers.Conv2D(8, 3, padding="same", groups=2, name="second")(residual)
    residual = layers.BatchNormalization(name="normalize_again")(residual)
    shortcut = layers.Conv2D(8, 1, 2, name="projection")(x)
    x = layers.Activation("relu", name="merged")(layers.Add(name="add")([residual, shortcut]))
    auxiliary = layers.Dense(3, name="auxiliary")(layers.GlobalAveragePooling2D(name="average")(x))
    wide = layers.PReLU(shared_axes=[1, 2], name="prelu")(layers.Conv2D(4, 1, name="wide")(x))
    pooled = layers.MaxPooling2D(3, 1, padding="same", name="pool")(x)
    x = Pyramid(name="pyramid")(layers.Concatenate(name="concatenate")([wide, pooled]))
    x = layers.Dropout(drop, name="dropout")(layers.Dense(6, activation="tanh", name="hidden")(x))
    return keras.Model(images, [layers.Dense(2, name="output")(x), auxiliary])


def test_branches_and_several_outputs_by_hand():
    rows = layer_table(residual_network())
    depths = column(rows, "depth")
    path = ("stem", "first", "second", "add", "merged", "wide", "prelu", "concatenate", "hidden", "output")
    assert [depths[layer] for layer in path] == [1, 2, 3, 3, 3, 4, 4, 4, 5, 6]
    assert depths["projection"] == 2 and depths["pool"] == 3 and depths["auxiliary"] == 4
    multiply_adds = {layer: cost for layer, cost in column(rows, "multiply_adds").items() if cost}
    assert multiply_adds == {
        "stem": 16 * 16 * 4 * 27,
        "first": 8 * 8 * 8 * 36,
        "second": 8 * 8 * 8 * 9 * 4,
        "projection": 8 * 8 * 8 * 4,
        "wide": 8 * 8 * 4 * 8,
        "auxiliary": 24,
        "hidden": 60 * 6,
        "output": 12,
    }
    connections = column(rows, "connections")
    assert connections["add"] == connections["concatenate"] == connections["prelu"] == connections["pyramid"] == 0
    assert connections["pool"] == 8 * 8 * 8 * 9 and connections["average"] == 8 * 8 * 8
    fields = column(rows, "receptive_field")
    assert [fields[layer] for layer in ("stem", "first", "second", "projection", "add")] == [3, 5, 9, 3, 9]
    assert fields["concatenate"] == 9 + 2 * 2 and fields["pyramid"] == 13 + 7 * 2 == fields["output"]
    parameters = column(rows, "trainable_parameters")
    assert (parameters["prelu"], parameters["normalize"], parameters["second"]) == (4, 16, 8 * 36 + 8)


def bytes_tensorflow_keeps(model, batch_size=11):
    """Of what the layers compute for one image, what the gradient of TensorFlow's graph reads the values of."""
    kept = {}

    @tf.function
    def step(images):
        with tf.GradientTape() as tape:
            outputs = model(images, training=True)
        forward = {operation.name for operation in images.graph.get_operations()}
        tape.gradient(outputs, [weight.value for weight in model.trainable_variables])
        for operation in images.graph.get_operations():
            if operation.name in forward or operation.type in ("Shape", "ShapeN", "Size", "Rank"):
                continue
            for tensor in operation.inputs:
                while tensor.op.type in ("Reshape", "Identity"):  # the same values
                    tensor = tensor.op.inputs[0]
                if tensor.op.name in forward and tensor.shape.rank and tensor.shape[0] == batch_size:
                    kept[tensor.name] = tensor.shape.num_elements() // batch_size * tensor.dtype.size
        kept.pop(images.name, None)

    step.get_concrete_function(tf.TensorSpec((batch_size, *model.input_shape[1:])))
    return sum(kept.values())


@pytest.mark.parametrize(
    "model",
    [
        lambda: models.build("lenet5"),
        lambda: models.build("lenet5", activation="relu", pooling="max"),
        lambda: keras.applications.ResNet50(
            weights=None, classifier_activation=None, input_shape=(64, 64, 3), classes=9
        ),
        lambda: keras.applications.DenseNet121(
            weights=None, classifier_activation=None, input_shape=(32, 32, 3), classes=9
        ),
    ],
    ids=["lenet5", "lenet5-relu", "resnet50", "densenet121"],
)
def test_activation_memory_is_what_tensorflow_keeps(model):
    model = model()
    assert sum(row["activation_bytes"] for row in layer_table(model)) == bytes_tensorflow_keeps(model)


def test_activation_memory_by_hand():
    kept = {
        layer: size // 4 for layer, size in column(layer_table(residual_network()), "activation_bytes").items() if size
    }
    maps = 8 * 8 * 8
    assert kept == {
        "stem": 16 * 16 * 4,
        "first": maps,  # for normalize; what that puts out is only rectified
        "rectify": maps,
        "second": maps,
        "merged": maps,
        "average": 8,
        "wide": maps // 2,  # for prelu
        "concatenate": 8 * 8 * 12,
        "pyramid": 60,
        "hidden": 6,
        "dropout": 6,
    }


def test_compare():
    original, today = compare(["lenet5_1998", "lenet5"], batch_size=10)
    assert (original["network"], original["depth"], original["trainable_parameters"]) == ("lenet5_1998", 7, 60_000)
    assert (original["test_error"], original["top5_error"]) == (0.95, None)
    assert original["measured"] == "MNIST, 10,000 test images, trained on 60,000"
    assert original["weight_bytes"] == 4 * 60_840 and original["gradient_bytes"] == 4 * 60_000
    assert (today["depth"], today["multiply_adds"], today["measured"]) == (5, 416_520, None)
    assert today["weight_bytes"] == today["gradient_bytes"] == today["momentum_bytes"] == 4 * 61_706
    assert today["activation_bytes"] == 10 * 32_336
    assert today["memory_bytes"] == 3 * 4 * 61_706 + 10 * 32_336


RECOUNTED = {  # billions of multiply-adds, from the papers' tables by hand
    "vgg16": 15.470,
    "vgg19": 19.632,
    "googlenet": 1.583,  # why the paper says 1.5 is in its note
    "prelu_net": 53.46,
    "plain34": 3.644,
    "resnet18": 1.814,
    "resnet34": 3.664,
    "resnet50": 3.858,
    "resnet101": 7.570,
    "resnet152": 11.282,
}


LARGE = pytest.mark.slow  # 1.3 GB of weights, and as much again to draw them


@pytest.mark.parametrize("name", [pytest.param(name, marks=LARGE if name == "prelu_net" else ()) for name in RECOUNTED])
def test_costs_are_the_published(name):
    (row,) = compare([name])
    published = models.CATALOG[name].published[0]
    assert (row["depth"], row["trainable_parameters"]) == (published["depth"], published["parameters"])
    assert row["multiply_adds"] / 1e9 == pytest.approx(RECOUNTED[name], rel=3e-4)
    assert row["multiply_adds"] == pytest.approx(published["multiply_adds"], rel=0.06 if name == "googlenet" else 0.03)


def test_compare_holds_one_network_at_a_time(monkeypatch):
    build, built = catalog.build, []

    def watched(name):
        assert not any(reference() for reference in built)
        model = build(name)
        built.append(weakref.ref(model.layers[1]))
        return model

    monkeypatch.setattr(catalog, "build", watched)
    gc.disable()
    try:
        compare(["lenet5"] * 3)
    finally:
        gc.enable()
    assert len(built) == 3


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("lenet5", r"not 'lenet5' \(str\): give the network itself: models\.build\('lenet5'\)"),
        (None, "must be a keras.Model, not None"),
        (residual_network, "give what the function builds: call it"),
    ],
)
def test_what_is_no_model(model, message):
    with pytest.raises(ValueError, match=message):
        layer_table(model)


@pytest.mark.parametrize("names", [None, "lenet5", 5])
def test_compare_takes_a_list(names):
    with pytest.raises(ValueError, match=r"names must be a list of networks, such as \['lenet5', .* not .*"):
        compare(names)


def test_compare_refuses():
    with pytest.raises(ValueError, match="unknown network 'lenet'"):
        compare(["lenet5", "lenet"])
    with pytest.raises(ValueError, match="batch_size must be a whole number of at least 1, not 0"):
        compare(["lenet5"], batch_size=0)


def test_sequential_models_grown_layer_by_layer():
    model = keras.Sequential([keras.Input((9, 9, 1))])
    for name in ("one", "two", "three"):
        model.add(layers.Conv2D(2, 3, name=name))
    assert column(layer_table(model), "receptive_field") == {"one": 3, "two": 5, "three": 7}


def test_a_cut_network_is_counted_to_the_cut():
    model = models.build("lenet5")
    assert len(layer_table(keras.Model(model.input, model.get_layer("c3").output))) == 3
    assert len(layer_table(model)) == 8


def images_through(*chain):
    x = inputs = keras.Input((8, 8, 1))
    for step in chain:
        x = step(x)
    return keras.Model(inputs, x)


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


class Doubling(keras.layers.Layer):
    def build(self, input_shape):
        self.factor = self.add_weight(shape=())

    def call(self, inputs):
        return inputs * self.factor


def twice(x):
    layer = layers.Conv2D(1, 3, name="shared")
    return layer(layer(x))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: keras.Sequential([layers.Conv2D(1, 3)]), r"keras.Input\(image_shape\), not Sequential"),
        (Subclassed, "not Subclassed"),
        (lambda: common, "not a module"),
        (lambda: keras.Sequential([keras.Input((784,)), layers.Dense(2)]), r"one fixed size .* not \(None, 784\)"),
        (lambda: keras.Sequential([keras.Input((None, 8, 1)), layers.Conv2D(1, 3)]), "one fixed size"),
        (lambda: images_through(twice), "at the output this one uses a layer a second time"),
        (lambda: images_through(twice, layers.Dense(1, name="last")), "at layer 'last' this one uses a layer"),
        (lambda: images_through(lambda x: x + 1), "operation outside of any layer"),
        (lambda: images_through(images_through(layers.Conv2D(1, 3))), "is a model inside the model"),
        (lambda: images_through(layers.Conv2DTranspose(1, 3, name="up")), r"'up' \(Conv2DTranspose\) costs"),
        (lambda: images_through(Doubling(name="double")), r"multiply_adds\(output_shape\)"),
        (lambda: images_through(layers.UpSampling2D(name="grow")), "give its class kernel_size and strides"),
    ],
)
def test_what_cannot_be_counted_is_said(model, message):
    with pytest.raises(ValueError, match=message):
        layer_table(model())

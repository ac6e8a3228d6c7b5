"""Batch normalization by TensorFlow's fused kernel against Keras' own."""

import numpy as np
import pytest


def pair(**settings):
    """The course's layer and Keras', with the same weights."""
    import keras

    from course_lib.normalization import BatchNormalization

    layers = [kind(**settings) for kind in (BatchNormalization, keras.layers.BatchNormalization)]
    generator = np.random.default_rng(1)
    weights = [generator.uniform(0.5, 2, 3).astype("float32") for _ in range(4)]
    for layer in layers:
        layer.build((None, 5, 4, 3))
        layer.set_weights(weights)
    return layers


def outcome(layer, images, training):
    """Outputs, gradients of a weighted sum of them, and the weights afterwards."""
    import tensorflow as tf

    images = tf.constant(images)
    factors = np.cos(np.arange(images.shape.num_elements())).reshape(images.shape).astype("float32")
    with tf.GradientTape() as tape:
        tape.watch(images)
        outputs = layer(images, training=training)
        total = tf.reduce_sum(outputs**2 * factors)
    gradients = tape.gradient(total, [images, *[each.value for each in layer.trainable_weights]])
    return [each.numpy() for each in (outputs, *gradients)], layer.get_weights()


@pytest.mark.parametrize("size", [(6, 5, 4, 3), (1, 1, 1, 3), (2, 1, 1, 3)], ids=str)
@pytest.mark.parametrize(("training", "trainable"), [(True, True), (False, True), (True, False)])
def test_equals_keras_layer(size, training, trainable):
    ours, keras_own = pair(momentum=0.9, epsilon=1.001e-5)
    ours.trainable = keras_own.trainable = trainable
    images = np.random.default_rng(0).normal(3, 2, size).astype("float32")
    mine, my_weights = outcome(ours, images, training)
    theirs, their_weights = outcome(keras_own, images, training)
    for one, other in zip([*mine, *my_weights], [*theirs, *their_weights], strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-4)


def test_the_fused_kernel_is_used_on_maps_and_only_there():
    import tensorflow as tf

    ours, _ = pair()

    def operations(images, **arguments):
        traced = tf.function(lambda x: ours(x, **arguments)).get_concrete_function(images)
        return {operation.type for operation in traced.graph.get_operations()}

    maps = tf.zeros((2, 5, 4, 3))
    assert "FusedBatchNormV3" in operations(maps, training=True)
    assert "FusedBatchNormV3" in operations(maps, training=False)
    ours.synchronized = True
    assert "FusedBatchNormV3" not in operations(maps, training=True)


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        ({"axis": 1}, (4, 3, 5, 6)),
        ({"scale": False}, (4, 5, 6, 3)),
        ({"dtype": "mixed_float16"}, (4, 5, 6, 3)),
        ({}, (4, 3)),
    ],
)
def test_everything_else_is_keras_own(settings, shape):
    import keras

    from course_lib.normalization import BatchNormalization

    images = np.random.default_rng(0).normal(size=shape).astype("float32")
    for training in (True, False):
        one, other = (
            keras.ops.convert_to_numpy(kind(**settings)(images, training=training))
            for kind in (BatchNormalization, keras.layers.BatchNormalization)
        )
        np.testing.assert_array_equal(one, other)


def test_it_is_saved_and_loaded(tmp_path):
    import keras

    from course_lib.normalization import BatchNormalization

    model = keras.Sequential([keras.Input((5, 4, 3)), BatchNormalization(momentum=0.7)])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[0]) is BatchNormalization
    assert loaded.layers[0].momentum == 0.7

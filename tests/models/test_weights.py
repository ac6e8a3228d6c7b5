"""ImageNet weights: Keras' own network with random weights, its file loaded into ours, the same logits."""

import gc

import keras
import numpy as np
import pytest

from course_lib import models
from course_lib.batching import Split
from course_lib.models import weights
from course_lib.training import Recipe, train

RANDOM = np.random.default_rng(0)


DEPTHS = ("resnet50", "resnet101", "resnet152")


@pytest.fixture(scope="module", params=[*weights.REFERENCES])
def published(request, tmp_path_factory):
    """Keras' network with random weights, and the file of them in the format that it publishes."""
    keras.utils.set_random_seed(5)
    network = weights.REFERENCES[request.param](weights=None, classifier_activation=None)
    for layer in network.layers:
        for weight in layer.weights:
            if weight.name in ("bias", "beta", "moving_mean"):
                weight.assign(RANDOM.normal(scale=0.1, size=weight.shape))
            elif weight.name in ("gamma", "moving_variance"):
                weight.assign(RANDOM.uniform(0.5, 1.5, size=weight.shape))
    path = tmp_path_factory.mktemp("weights") / f"{request.param}.h5"
    network.save(path)
    yield request.param, network, path
    path.unlink()
    keras.backend.clear_session()
    gc.collect()


def logits_of(model, images):
    """Layer by layer: for one image, faster than to compile a network of hundreds of layers."""
    return keras.ops.convert_to_numpy(model(images, training=False))


def test_the_published_file_gives_the_published_logits(published, monkeypatch):
    name, network, path = published
    images = RANDOM.uniform(-100, 100, (1, 224, 224, 3)).astype("float32")
    expected = logits_of(network, images)
    assert np.isfinite(expected).all() and expected.std() > 0
    model = models.build(name)
    models.load_imagenet_weights(model, path)
    np.testing.assert_allclose(logits_of(model, images), expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())
    if name in DEPTHS:
        monkeypatch.setitem(weights.REFERENCES, name, lambda weights: network)  # the file has been read above
        model = models.build(name, convolution_bias=True)
        models.load_imagenet_weights(model, path)
        np.testing.assert_allclose(logits_of(model, images), expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def test_another_head_keeps_its_own_weights(published, capsys, monkeypatch):
    """The short path to fine-tuning: all layers but the last are ImageNet's."""
    name, network, path = published
    monkeypatch.setitem(weights.REFERENCES, name, lambda weights: network)  # the test above reads the file
    model = models.build(name, num_classes=4)
    before = model.layers[-1].get_weights()
    models.load_imagenet_weights(model, path)
    assert (
        "'predictions' keeps its own weights, for 4 classes; all other layers are ImageNet's" in capsys.readouterr().out
    )
    assert all(np.array_equal(*pair) for pair in zip(before, model.layers[-1].get_weights(), strict=True))
    images = RANDOM.uniform(-100, 100, (1, 224, 224, 3)).astype("float32")
    ours, theirs = (keras.Model(each.inputs[0], each.layers[-1].input) for each in (model, network))
    expected = logits_of(theirs, images)
    np.testing.assert_allclose(logits_of(ours, images), expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def test_preprocessing_as_a_transform():
    images = RANDOM.integers(0, 256, (5, 8, 8, 3), dtype="uint8")
    transform = models.preprocess("vgg16")
    split = Split(images, np.arange(5)).with_transform(transform)
    np.testing.assert_allclose(split.prepared(), models.preprocess("vgg16", images), atol=1e-4)
    ((batch, _),) = split.batches(5, training=False)
    np.testing.assert_allclose(batch, models.preprocess("vgg16", images), atol=1e-4)
    assert split.value_range == transform.value_range
    low, high = (models.preprocess("vgg16", np.full((1, 2, 2, 3), value, "uint8")) for value in (0, 255))
    assert transform.value_range[0] <= low.min() and high.max() <= transform.value_range[1]


def test_the_transform_takes_what_preprocess_takes():
    images = RANDOM.integers(0, 256, (2, 4, 5, 3), dtype="uint8")
    for given in (images, images / 255, images.astype("float32") / 255):
        np.testing.assert_allclose(
            models.preprocess("resnet50")(given), models.preprocess("resnet50", images), atol=1e-4
        )
    for wrong in (images.astype("float32"), images[..., :1], images[0]):
        with pytest.raises(ValueError, match="images must"):
            models.preprocess("resnet50")(wrong)


def test_swapped_arguments_and_odd_paths_are_explained():
    with pytest.raises(ValueError, match="give the network's name first, for example 'resnet50', not a ndarray"):
        models.preprocess(np.zeros((1, 4, 4, 3), "uint8"), "resnet50")
    with pytest.raises(ValueError, match="path must be the place of a weight file, not 3"):
        models.load_imagenet_weights(models.build("vgg16", width=1 / 64), 3)


def test_preprocessed_images_train():
    images = RANDOM.integers(0, 256, (8, 32, 32, 3), dtype="uint8")
    data = Split(images, np.arange(8) % 4).with_transform(models.preprocess("vgg16"))

    def build():
        return models.build("vgg16", image_shape=(32, 32, 3), num_classes=4, width=1 / 64)

    run = train(build, data, recipe=Recipe(batch_size=8), epochs=1, validation=data, progress=False)
    assert np.isfinite(run.history["val_loss"][0])
    arrays = models.preprocess("vgg16", images), np.arange(8) % 4
    assert train(build, arrays, recipe=Recipe(batch_size=8), epochs=1, value_range=(-124, 152), progress=False)


@pytest.mark.parametrize("given", ["vgg16", None, keras.layers.Dense(3)])
def test_what_is_no_network_is_explained(given):
    with pytest.raises(ValueError, match=r"model must be a keras.Model, not"):
        models.load_imagenet_weights(given)


def test_preprocessing_by_hand():
    images = RANDOM.integers(0, 256, (2, 4, 5, 3), dtype="uint8")
    kept = images.copy()
    expected = images[..., ::-1].astype("float32") - [103.939, 116.779, 123.68]
    for name in weights.REFERENCES:
        np.testing.assert_allclose(models.preprocess(name, images), expected, atol=1e-4)
    scaled = images / 255
    np.testing.assert_allclose(models.preprocess("vgg16", scaled), expected, atol=1e-4)
    np.testing.assert_array_equal(images, kept)
    np.testing.assert_array_equal(scaled, kept / 255)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((4, 4, 3), "uint8"), r"shape \(batch, height, width, 3\), not \(4, 4, 3\)"),
        (np.zeros((1, 4, 4, 1), "uint8"), r"not \(1, 4, 4, 1\)"),
        (np.full((1, 4, 4, 3), 200.0), "floats from 0 to 1, not float64 from 200 to 200"),
        (np.full((1, 4, 4, 3), np.nan), "not float64 from nan"),
        (np.zeros((1, 4, 4, 3), "int64"), "not int64"),
    ],
)
def test_images_that_do_not_fit_are_explained(images, message):
    with pytest.raises(ValueError, match=message):
        models.preprocess("vgg16", images)


def test_what_cannot_be_loaded_is_explained(tmp_path, monkeypatch):
    small = models.build("resnet50", width=1 / 8)
    with pytest.raises(ValueError, match=r"unknown network with ImageNet weights 'resnet20'. Did you mean .*vgg19"):
        models.load_imagenet_weights(models.build("resnet20"))
    with pytest.raises(ValueError, match=r"unknown network with ImageNet weights 'alexnet'"):
        models.preprocess("alexnet", np.zeros((1, 4, 4, 3), "uint8"))
    with pytest.raises(FileNotFoundError, match=r"no weight file .*nowhere.h5; give the file's place"):
        models.load_imagenet_weights(small, tmp_path / "nowhere.h5")
    wrong = tmp_path / "wrong.h5"
    models.build("lenet5").save(wrong)
    with pytest.raises(ValueError, match=r"wrong.h5 does not hold the weights of keras.applications' resnet50"):
        models.load_imagenet_weights(small, wrong)
    wrong.write_text("no HDF5")
    with pytest.raises(ValueError, match=r"wrong.h5 does not hold the weights"):
        models.load_imagenet_weights(small, wrong)
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    with pytest.raises(FileNotFoundError, match=r"COURSE_OFFLINE=1 forbids to download the weights of resnet50"):
        models.load_imagenet_weights(small)


def test_a_network_of_other_sizes_is_explained(monkeypatch):
    monkeypatch.setitem(weights.REFERENCES, "resnet50", lambda weights: keras.applications.ResNet50(weights=None))
    with pytest.raises(ValueError, match=r"layer 'conv1_conv' of this resnet50 .*models.build\('resnet50'\)"):
        models.load_imagenet_weights(models.build("resnet50", width=1 / 8))


def test_a_failed_download_is_explained(monkeypatch):
    def fails(weights):
        raise Exception("URL fetch failure on https://example.org: None -- no route")

    monkeypatch.delenv("COURSE_OFFLINE", raising=False)
    monkeypatch.setitem(weights.REFERENCES, "vgg16", fails)
    with pytest.raises(
        FileNotFoundError, match=r"the weights of vgg16 could not be downloaded .*give the file's place"
    ):
        models.load_imagenet_weights(models.build("vgg16", width=1 / 64))

"""The real MNIST, where it is here: bit for bit what LeCun, Cortes and Burges published."""

import hashlib

import numpy as np
import pytest
import tensorflow_datasets as tfds

from course_lib import datasets

# Of the published files train-images-idx3-ubyte (unpacked md5 6bbc9ace898e44ae57da46a324031adb) and
# t10k-images-idx3-ubyte (2646ac647ad5339dbf082846283269ea): the md5 of their images in sorted order, because
# TFDS keeps them in another one.
SORTED_MD5 = {"train": "680a3932df1a9d6c1cbe9608b4200538", "test": "3afa7c3a1884c6f4fe831787b4d9d979"}
COUNTS = {
    "train": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    "test": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
}


@pytest.fixture(scope="module")
def parts(mnist):
    return {
        "train": [np.concatenate(pair) for pair in zip(mnist.train.arrays(), mnist.validation.arrays(), strict=True)],
        "test": mnist.test.arrays(),
    }


def test_shapes_and_counts(mnist):
    assert (len(mnist.train), len(mnist.validation), len(mnist.test)) == datasets.DATASETS["mnist"].counts
    assert mnist.image_shape == mnist.train.image_shape == (28, 28, 1)
    assert mnist.train.arrays()[0].dtype == np.uint8 and mnist.train.arrays()[1].dtype == np.int64


@pytest.mark.parametrize("part", ["train", "test"])
def test_images_are_the_published_ones(part, parts):
    images, labels = parts[part]
    assert hashlib.md5(b"".join(sorted(map(bytes, images)))).hexdigest() == SORTED_MD5[part]
    assert np.bincount(labels).tolist() == COUNTS[part]


def test_the_mean_pixel_is_the_published_one(parts):
    assert parts["train"][0].mean() == pytest.approx(33.318421449829934, abs=1e-9)


def test_labels_belong_to_their_images(parts):
    images, labels = parts["train"]
    means = np.array([images[labels == digit].mean(0).ravel() for digit in range(10)])
    nearest = np.argmin([((images[:2000].reshape(2000, -1) - mean) ** 2).sum(1) for mean in means], axis=0)
    assert np.mean(nearest == labels[:2000]) > 0.75  # nearest mean: 0.82 by the literature


def test_the_order_is_tfds_own_and_validation_its_last_10_000(mnist):
    first = tfds.load("mnist", split="train[:500]", as_supervised=True, download=False)
    for index, (image, label) in enumerate(tfds.as_numpy(first)):
        assert np.array_equal(mnist.train.arrays()[0][index], image) and mnist.train.arrays()[1][index] == label
    assert index == 499
    last = tfds.load("mnist", split="train[50000:]", as_supervised=True, download=False)
    labels = np.concatenate(list(tfds.as_numpy(last.map(lambda image, label: label).batch(1000))))
    assert np.array_equal(mnist.validation.arrays()[1], labels)

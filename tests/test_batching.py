"""One pass over labeled images: its order, its content, its random numbers, and what it refuses."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_lib.batching import Draws, Split

COUNT = 103  # a prime: no batch size or shard divides it


def numbered(count: int = COUNT) -> Split:
    """A split whose i-th image is filled with i and whose i-th label is i."""
    images = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 4, 3, 2))
    return Split(images, np.arange(count))


def labels_of(split: Split, batch_size: int = 8, training: bool = True, **arguments) -> np.ndarray:
    batches = split.batches(batch_size, training=training, **arguments)
    return np.concatenate([labels.numpy() for _, labels in batches] or [[]])


def images_by_example(split: Split, batch_size: int, **arguments) -> dict[int, np.ndarray]:
    """Example number → its prepared image, from one training pass."""
    batches = split.batches(batch_size, training=True, **arguments)
    pairs = [(image, label) for images, labels in batches for image, label in zip(images, labels, strict=True)]
    return {int(label): image.numpy() for image, label in pairs}


def jitter(images: tf.Tensor, draws: Draws | None) -> tf.Tensor:
    """A random transform: adds a number of its own to each image."""
    return images if draws is None else images + draws.uniform(1)[:, :, None, None]


def test_training_order_is_a_permutation_of_the_whole_set():
    order = labels_of(numbered())
    assert sorted(order) == list(range(COUNT))
    # A shuffle buffer or a shuffle of batches would leave early examples early.
    first_quarter = labels_of(numbered(200), 10, seed=3)[:50]
    assert first_quarter.max() > 180 and 60 < first_quarter.mean() < 140
    assert np.mean(np.abs(np.diff(order)) == 1) < 0.1  # neighbors are torn apart


def test_order_follows_from_seed_and_epoch_alone():
    split = numbered()
    orders = [tuple(labels_of(split, seed=seed, epoch=epoch)) for seed in range(3) for epoch in range(3)]
    assert len(set(orders)) == 9
    keras.utils.set_random_seed(5)
    assert orders[5] == tuple(labels_of(split, seed=1, epoch=2))  # whatever the global random state
    assert orders[5] == tuple(labels_of(split, batch_size=64, seed=1, epoch=2))  # whatever the batch size


def test_same_arguments_give_the_same_bytes():
    split = numbered().with_transform(jitter)
    batches = split.batches(16, training=True, epoch=4, seed=9)

    def taken(dataset):
        return [(images.numpy().tobytes(), labels.numpy().tobytes()) for images, labels in dataset]

    first = taken(batches)
    assert first == taken(batches) == taken(split.batches(16, training=True, epoch=4, seed=9))
    assert first != taken(split.batches(16, training=True, epoch=4, seed=10))


def test_an_example_is_transformed_alike_in_any_batch_and_shard():
    split = numbered().with_transform(jitter)
    alone = images_by_example(split, 1, seed=2, epoch=1)
    together = images_by_example(split, 50, seed=2, epoch=1)
    sharded = images_by_example(split, 8, seed=2, epoch=1, shard=(1, 2))
    assert len(alone) == len(together) == COUNT and len(sharded) == COUNT // 2
    assert all(np.array_equal(alone[number], image) for number, image in together.items())
    assert all(np.array_equal(alone[number], image) for number, image in sharded.items())
    later = images_by_example(split, 50, seed=2, epoch=2)
    assert not any(np.array_equal(alone[number], later[number]) for number in alone)


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_shards_divide_each_batch(parts):
    """So the machines of a cluster meet the same batches as one machine alone."""
    whole = [labels.numpy() for _, labels in numbered().batches(8, training=True, seed=1)]
    shards = [numbered().batches(8, training=True, seed=1, shard=(part, parts)) for part in range(parts)]
    for batch, *pieces in zip(whole, *shards, strict=True):
        for part, (_, labels) in enumerate(pieces):
            assert np.array_equal(labels, batch[part::parts])


def test_a_shard_of_a_batch_may_be_empty():
    (batch,) = numbered().take(2).batches(8, training=True, shard=(2, 3))
    assert batch[0].shape == (0, 4, 3, 2) and batch[1].shape == (0,)


def test_one_dataset_serves_every_epoch():
    split, epoch = numbered().with_transform(jitter), tf.Variable(0, dtype=tf.int64)
    batches = split.batches(16, training=True, epoch=epoch, seed=9)
    for number in (0, 3, 1):
        epoch.assign(number)
        expected = split.batches(16, training=True, epoch=number, seed=9)
        for (images, labels), (same, alike) in zip(batches, expected, strict=True):
            assert np.array_equal(images, same) and np.array_equal(labels, alike)


def test_the_last_partial_batch_is_kept():
    batches = numbered().batches(20, training=True)
    assert [len(labels) for _, labels in batches] == [20] * 5 + [3]
    assert batches.cardinality() == 6


def test_evaluation_keeps_the_stored_order_and_draws_nothing():
    split = numbered().with_transform(jitter)
    assert np.array_equal(labels_of(split, training=False, epoch=3, seed=4), np.arange(COUNT))
    images = np.concatenate([images for images, _ in split.batches(9, training=False)])
    np.testing.assert_allclose(images, split.arrays()[0] / 255, rtol=1e-6)  # with draws it would lie above
    assert np.array_equal(images, split.prepared())
    assert np.array_equal(images[5:8], split.prepared(5, 8))


def test_uint8_becomes_floats_from_0_to_1_and_floats_stay():
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    ((images, labels),) = Split(levels, [3]).batches(4, training=False)
    assert images.dtype == tf.float32 and labels.dtype == tf.int64
    np.testing.assert_allclose(images.numpy(), levels / 255, rtol=1e-6)
    assert images.numpy().max() == 1
    standardized = np.linspace(-4.9, 4.9, 24).reshape(2, 3, 4, 1)  # float64
    ((images, _),) = Split(standardized, [0, 1]).batches(4, training=True)
    assert images.dtype == tf.float32
    np.testing.assert_allclose(np.sort(images.numpy(), axis=None), standardized.ravel(), rtol=1e-6)


def test_arrays_are_the_stored_ones():
    split = numbered()
    images, labels = split.arrays()
    assert images.dtype == np.uint8 and images.shape == (COUNT, 4, 3, 2) and split.image_shape == (4, 3, 2)
    assert labels.dtype == np.int64 and np.array_equal(labels, np.arange(COUNT))
    assert np.shares_memory(images, split.arrays()[0])  # no copy a call
    assert np.shares_memory(images, split.with_transform(jitter).arrays()[0])  # nor a transform
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0


@pytest.mark.parametrize("images", [np.zeros((2, 4, 4, 2), np.uint8), np.zeros((2, 4, 3, 2), np.float32)])
def test_unlike_splits_are_not_joined(images):
    with pytest.raises(ValueError, match=r"one shape and type can be joined, not .*uint8 \(4, 3, 2\)"):
        Split(np.zeros((2, 4, 3, 2), np.uint8), [0, 1]).joined(Split(images, [0, 1]))


def test_images_beyond_the_end_are_refused():
    assert len(numbered(10).prepared(8, 20)) == 2
    with pytest.raises(ValueError, match="images 0 to 9, and none from 10 up to 20"):
        numbered(10).prepared(10, 20)


def test_take_and_joined():
    first = numbered().with_transform(lambda images: images * 2).take(5)
    both = first.joined(Split(np.full((2, 4, 3, 2), 255, np.uint8), [7, 8]))
    assert len(first) == 5 and len(both) == 7
    assert np.array_equal(both.arrays()[1], [0, 1, 2, 3, 4, 7, 8])
    assert np.array_equal(both.prepared(5)[..., 0], np.full((2, 4, 3), 2.0))  # prepared like the first
    assert len(numbered()) == COUNT
    with pytest.raises(ValueError, match="count must be a whole number of at least 1, not 0"):
        numbered().take(0)


def test_transforms_run_in_order_and_leave_the_original_alone():
    plain = Split(np.full((3, 2, 2, 1), 51, np.uint8), [0, 1, 2])
    framed = plain.with_transform(lambda images: images + 1).with_transform(lambda images: images[:, :1] * 10)
    assert framed.image_shape == (1, 2, 1)
    np.testing.assert_allclose(framed.prepared(), np.full((3, 1, 2, 1), 12.0), rtol=1e-6)
    np.testing.assert_allclose(plain.prepared(), np.full((3, 2, 2, 1), 0.2), rtol=1e-6)


def test_a_transform_gets_draws_only_where_it_asks_for_them():
    split = numbered(6)
    seen = {}

    def one(images):
        return images

    def two(images, draws):
        seen["draws"] = draws
        return images

    images = next(iter(split.with_transform(one).with_transform(two).batches(6, training=True, epoch=5)))[0]
    assert images.shape == (6, 4, 3, 2)
    assert (seen["draws"].seed, seen["draws"].epoch, seen["draws"].stream) == (0, 5, 1)
    list(split.with_transform(two).batches(6, training=False))
    assert seen["draws"] is None
    # A library's function: its second argument has a default, so it is not ours to fill.
    gray = Split(np.zeros((2, 4, 4, 3), np.uint8), [0, 1]).with_transform(tf.image.rgb_to_grayscale)
    assert gray.image_shape == (4, 4, 1) and len(list(gray.batches(2, training=True))) == 1
    with pytest.raises(ValueError, match="a transform is a function of images"):
        split.with_transform("flip")


def test_two_random_transforms_draw_different_numbers():
    (once,) = Split(np.zeros((64, 1, 1, 1), np.uint8), np.arange(64)).with_transform(jitter).batches(64, training=True)
    twice = Split(np.zeros((64, 1, 1, 1), np.uint8), np.arange(64)).with_transform(jitter).with_transform(jitter)
    (both,) = twice.batches(64, training=True)
    second = both[0] - once[0]
    assert np.abs(np.corrcoef(np.ravel(once[0]), np.ravel(second))[0, 1]) < 0.4
    assert not np.any(np.isclose(once[0], second))


class TestUniform:
    """Against what independent uniform numbers do; all bounds are more than five standard errors wide."""

    rows = 20_000

    def drawn(self, count=4, first=0, **changed) -> np.ndarray:
        indices = tf.range(first, first + self.rows, dtype=tf.int64)
        return Draws(**{"seed": 0, "epoch": 0, "indices": indices, **changed}).uniform(count).numpy()

    def test_moments_and_range(self):
        numbers = self.drawn()
        assert numbers.shape == (self.rows, 4) and numbers.dtype == np.float32
        assert 0 <= numbers.min() < 1e-3 and 1 - 1e-3 < numbers.max() < 1
        np.testing.assert_allclose(numbers.mean(0), 1 / 2, atol=0.011)
        np.testing.assert_allclose(numbers.var(0), 1 / 12, atol=0.003)
        counts = np.histogram(numbers, 100, (0, 1))[0]
        chi_squared = np.sum((counts - counts.mean()) ** 2 / counts.mean())
        assert 40 < chi_squared < 180  # 99 degrees of freedom: 99 ± 14
        assert len(np.unique(numbers)) > 0.99 * numbers.size

    @pytest.mark.parametrize("lag", [1, 2, 16, 128])
    def test_neighboring_examples_are_uncorrelated(self, lag):
        numbers = self.drawn()
        for column in range(4):
            assert abs(np.corrcoef(numbers[lag:, column], numbers[:-lag, column])[0, 1]) < 0.04

    def test_columns_are_uncorrelated(self):
        correlations = np.corrcoef(self.drawn(8), rowvar=False)
        assert np.abs(correlations - np.eye(8)).max() < 0.04

    @pytest.mark.parametrize("changed", [{"seed": 1}, {"epoch": 1}, {"stream": 1}, {"seed": 1, "epoch": 1}])
    def test_seeds_epochs_and_streams_are_uncorrelated(self, changed):
        numbers, others = self.drawn(), self.drawn(**changed)
        for column in range(4):
            for other in range(4):
                assert abs(np.corrcoef(numbers[:, column], others[:, other])[0, 1]) < 0.04
        assert np.mean(numbers == others) < 0.001

    def test_swapped_seed_and_epoch_differ(self):
        assert not np.allclose(self.drawn(seed=1, epoch=2), self.drawn(seed=2, epoch=1))

    def test_a_number_depends_on_its_example_and_column_alone(self):
        numbers = self.drawn()
        np.testing.assert_array_equal(self.drawn(first=5)[:-5], numbers[5:])
        np.testing.assert_array_equal(self.drawn(count=7)[:, :4], numbers)


IMAGES = np.zeros((3, 4, 4, 1), np.uint8)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (
            IMAGES[0],
            [0, 1, 2, 3],
            r"\(n, height, width, channels\), not \(4, 4, 1\): one image is a batch as images\[None\]",
        ),
        (IMAGES[:0], [], r"must be images of at least 1 pixel, but .* \(0, 4, 4, 1\)"),
        (IMAGES.astype(np.int32), [0, 1, 2], "uint8 .* or floating point, not int32"),
        (IMAGES + 255.0, [0, 1, 2], "between -5 and 5 .* these go from 255 to 255: pass them as uint8, or scale"),
        (IMAGES - 5.5, [0, 1, 2], "these go from -5.5 to -5.5"),
        (IMAGES + np.nan, [0, 1, 2], "3 of 3 images hold NaN .*, the first is image 0"),
        (IMAGES + np.inf, [0, 1, 2], "3 of 3 images hold infinite values, the first is image 0"),
        (IMAGES > 0, [0, 1, 2], r"not bool: add .astype\('float32'\)"),
        (IMAGES, [0, 1], "labels must be 3 whole numbers from 0 on, one per image, not 2"),
        (IMAGES, np.eye(3), r"one whole number per image, not of the shape \(3, 3\)"),
        (IMAGES, [0.0, 1.5, 2.0], "labels must be whole numbers from 0 on, one class per image, but there is 1.5"),
        (IMAGES, ["cat", "dog", "cat"], "labels are text: give class numbers, for example np.unique"),
        (IMAGES, np.eye(3, dtype=int), r"of one-hot labels, .* take .argmax\(axis=-1\)"),
        (IMAGES + np.uint8(1), [0, 1, 2], "nothing but 0 and 1, .* multiply them by 255"),
        (IMAGES[..., 0], [0, 1, 2], r"not \(3, 4, 4\): for gray images without channels give images\[..., None\]"),
    ],
)
def test_bad_arrays_are_refused(images, labels, message):
    with pytest.raises(ValueError, match=message):
        Split(images, labels)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1, not 0"),
        ({"batch_size": 2.5}, "batch_size must be a whole number of at least 1, not 2.5"),
        ({"epoch": -1}, "epoch must be a whole number of at least 0, not -1"),
        ({"seed": -1}, "seed must be a whole number of at least 0, not -1"),
        ({"shard": (2, 2)}, r"0 <= i < n, not \(2, 2\)"),
        ({"shard": (0, 0)}, r"0 <= i < n, not \(0, 0\)"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        numbered(3).batches(**{"batch_size": 2, "training": True, **arguments})


def test_a_column_of_labels_is_taken():
    """As `keras.datasets.cifar10` has it."""
    assert np.array_equal(Split(IMAGES, np.array([[2], [0], [1]], np.uint8)).arrays()[1], [2, 0, 1])


def test_a_declared_range_is_kept_and_held():
    pixels = np.linspace(0, 255, 48).reshape(3, 4, 4, 1)
    split = Split(pixels, [0, 1, 2], value_range=(0, 255))
    np.testing.assert_allclose(split.prepared(), pixels, rtol=1e-6)
    assert split.value_range == split.take(2).value_range == (0, 255)
    assert Split(IMAGES, [0, 1, 2]).value_range is None
    with pytest.raises(ValueError, match=r"these go from 0 to 255: the declared value_range is \(0, 100\)"):
        Split(pixels, [0, 1, 2], value_range=(0, 100))
    with pytest.raises(ValueError, match=r"value_range must be a pair .* not \(255, 0\)"):
        Split(pixels, [0, 1, 2], value_range=(255, 0))


def test_a_transform_declares_its_range():
    def doubled(images):
        return 510 * images

    assert Split(IMAGES, [0, 1, 2]).with_transform(doubled, value_range=(0, 510)).value_range == (0, 510)
    doubled.value_range = (-1, 600)
    assert Split(IMAGES, [0, 1, 2]).with_transform(doubled).value_range == (-1, 600)


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (lambda split: next(iter(split)), r"is no pair of arrays: write images, labels = split.arrays\(\)"),
        (lambda split: split[0], r"has no items: images, labels = split.arrays\(\)"),
        (lambda split: split.joined(split.arrays()), "only another split can be joined to a split, not a tuple"),
        (lambda split: split.batches(2, training=True, shard=1), r"shard must be \(i, n\) .*, not 1"),
        (lambda split: split.batches(2, training=True, seed=2**64), r"seed must be below 2\*\*63"),
    ],
)
def test_what_a_split_is_not(use, said):
    with pytest.raises((TypeError, ValueError), match=said):
        use(numbered())


def test_a_split_says_what_it_is():
    assert repr(numbered()) == "<Split: 103 uint8 images (4, 3, 2), labels 0 to 102>"


GENERATOR = np.random.default_rng(0)


def flip_layer() -> keras.layers.Layer:
    return keras.layers.RandomFlip()


def flipping():
    """A Keras layer hidden in a function."""
    layer = flip_layer()
    return lambda images: layer(images, training=True)


def rotations() -> keras.Model:
    return keras.Sequential([keras.layers.RandomRotation(0.1)])


class Shift:
    """A transform with a state: a class is no transform, its object is."""

    def __call__(self, images, draws):
        return images


@pytest.mark.parametrize(
    ("transform", "message"),
    {
        "NumPy's numbers": (lambda images: images * np.random.uniform(), "NumPy's or Python's random numbers"),  # noqa: NPY002
        "a generator's": (lambda images: images + GENERATOR.uniform(), "NumPy's or Python's random numbers"),
        "only in training": (
            lambda images, draws: images if draws is None else images + GENERATOR.uniform(),
            "NumPy's or Python's random numbers",
        ),
        "TensorFlow's numbers": (lambda images: images + tf.random.uniform([]), "also in evaluation, and that no seed"),
        "tf.image": (tf.image.random_flip_left_right, "also in evaluation, and that no seed repeats"),
        "TensorFlow's in training": (
            lambda images, draws: images if draws is None else images + tf.random.normal([]),
            "draws random numbers that no seed repeats",
        ),
        "a Keras layer": (flip_layer, "'random_flip.*' draws random numbers of its own"),
        "Keras layers": (rotations, "draws random numbers of its own"),
        "a Keras layer in a function": (
            flipping,
            "also in evaluation, and that no seed repeats",
        ),
        "a class": (Shift, r"Shift is a class: write Shift\(…\) with brackets"),
        "nothing returned": (lambda images: None, "returns nothing: it must return the images"),
        "a number": (lambda images: 3, "returns a int"),
        "a mean": (lambda images: tf.reduce_mean(images), r"makes float32 of shape \(\) of one image"),
        "whole numbers": (lambda images: tf.cast(images * 255, tf.uint8), "makes uint8 of shape"),
        "one channel lost": (lambda images: images[..., 0], r"makes float32 of shape \(1, 4, 4\)"),
        "NumPy alone": (lambda images: tf.constant(images.numpy()), "in a graph, with .* must be written with TensorF"),
        "three arguments": (lambda images, draws, labels: images, r"takes \(images, draws, labels\)"),
    }.values(),
)
def test_transforms_that_could_not_be_repeated_are_refused(transform, message):
    if transform in (flip_layer, flipping, rotations):  # made here: Keras starts TensorFlow
        transform = transform()
    with pytest.raises(ValueError, match=message):
        Split(IMAGES, [0, 1, 2]).with_transform(transform)


@pytest.mark.parametrize("kind", ["object", "function", "scaling", "resizing", "branches"])
def test_transforms_that_can_be_repeated_are_taken(kind):
    made = {"object": Shift, "function": lambda: jitter, "scaling": lambda: keras.layers.Rescaling(2.0),
            "resizing": lambda: keras.layers.Resizing(2, 2), "branches": lambda: tf.image.rot90}  # fmt: skip
    transform = made[kind]()
    assert Split(IMAGES, [0, 1, 2]).with_transform(transform).prepared().shape[::3] == (3, 1)

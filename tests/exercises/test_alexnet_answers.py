"""The answers of lesson 05, each found by another way, and its judges met with right and wrong functions."""

import dataclasses
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from answers import near
from keras import layers

from course_lib import common, datasets, exercises, models
from course_lib.draws import Draws
from course_lib.exercises.judges import alexnet as judges
from course_lib.experiments.filters import FORMED, forming_alexnet


@pytest.fixture(scope="module")
def rows():
    return {row["layer"]: row for row in models.summary.layer_table(models.build("alexnet"))}


class TestAlexnetsAnswersAreTheNetworks:
    """The answers of lesson 05, counted from the network itself or found another way."""

    def test_parameters_of_a_convolution(self):
        layer = layers.Conv2D(16, 3)
        layer.build((None, 10, 10, 8))
        w2 = exercises.alexnet.w2
        assert w2.right == layer.count_params() and layer.kernel.shape.num_elements() in w2.wrong

    def test_more_images_bring_the_error_down(self):
        from course_lib import experiments

        errors = experiments.errors("training_set_size")
        assert max(errors["2000"]) < min(errors["500"]) and exercises.alexnet.w3.right == "B"

    def test_layers_with_parameters(self, rows):
        learned = [name for name, row in rows.items() if row["trainable_parameters"]]
        pooling = [name for name, row in rows.items() if row["kind"] == "MaxPooling2D"]
        q4 = exercises.alexnet.q4
        assert q4.right == len(learned)
        assert {len(learned) + len(pooling), sum(name.startswith("fc") for name in learned)} <= set(q4.wrong)

    def test_uses_of_a_weight(self, rows):
        height, width, filters = rows["conv1"]["output_shape"]
        weights = rows["conv1"]["trainable_parameters"] - filters
        q5 = exercises.alexnet.q5
        assert q5.right == height * width == rows["conv1"]["multiply_adds"] // weights
        assert {height, filters, height * width * filters} <= set(q5.wrong)

    def test_cuts_of_an_image(self):
        image = np.arange(64 * 64).reshape(64, 64)  # every pixel its own value
        cuts = [image[top : top + 56, left : left + 56] for top in range(9) for left in range(9)]
        different = {cut.tobytes() for cut in cuts} | {cut[:, ::-1].tobytes() for cut in cuts}
        assert exercises.alexnet.q11.right == len(different)
        assert {8 * 8 * 2, len(cuts), 8 * 8, 2 * 8, 2 * 9} <= set(exercises.alexnet.q11.wrong)

    def test_guessing(self):
        named = list(itertools.combinations(range(10), 5))
        near(exercises.alexnet.q10, np.mean([3 not in each for each in named]))

    def test_a_finer_grid(self, rows):
        finer = layers.Conv2D(96, 11, strides=2)
        height, width = finer.compute_output_shape((1, 227, 227, 3))[1:3]
        e1 = exercises.alexnet.e1
        near(e1, height * width / np.prod(rows["conv1"]["output_shape"][:2]))
        assert abs(e1.right - 4) > e1.tolerance
        assert abs(e1.right - 3.9) < e1.tolerance  # rounded to one place

    def test_dropout_alone_hides_a_small_clear_part(self):
        """What lesson 05 says behind p15, with the transforms put to the images in their order."""
        images, labels = datasets.load("toy_scenes/quick").train.take(2_000).arrays()
        pixels, draws = tf.cast(images, tf.float32) / 255, Draws(0, 0, tf.range(2_000, dtype=tf.int64))
        steps = datasets.RandomCrop(56), datasets.RandomFlip(), datasets.PCAColor.of(images[:500])
        network = forming_alexnet()
        network.load_weights(FORMED / "model.weights.h5")

        def correct(pixels, dropout=False):
            said = [network(4 * part - 2, training=dropout) for part in tf.split(pixels, 8)]
            return np.argmax(np.concatenate(said), axis=1) == labels

        def augmented(seed):
            found = pixels
            for stream, step in enumerate(steps):
                found = step(found, dataclasses.replace(draws, seed=seed, stream=stream))
            return found

        plain = correct(steps[0](pixels, None))
        on = {
            "dropout": [correct(steps[0](pixels, None), dropout=True) for _ in range(5)],
            "augmentation": [correct(augmented(seed)) for seed in range(5)],
        }
        change = {name: plain - np.mean(each, axis=0) for name, each in on.items()}
        clear = {name: 2 * each.std() / np.sqrt(2_000) for name, each in change.items()}
        assert clear["dropout"] < change["dropout"].mean() < 0.016  # about one point
        assert abs(change["augmentation"].mean()) < clear["augmentation"]
        lesson = (common.ROOT / "lessons" / "05_alexnet.ipynb").read_text(encoding="utf-8")
        assert "dropout hides a small, clear part (about one point), augmentation none that can be told" in lesson
        assert "p15 · no guess given | outcome A" in lesson


CONV = ((96, 11, 4, 1), (256, 5, 1, 2), (384, 3, 1, 1), (384, 3, 1, 2), (256, 3, 1, 2))


def assembled(
    changes=(), *, pool=(3, 2), units=(4096, 4096, 1000), side=227, bias=True, padding="same", pools=(0, 1, 4)
):
    """A builder of AlexNet with zeros for weights; `changes` are (number of a convolution, its other numbers)."""
    rows = [dict(changes).get(number, row) for number, row in enumerate(CONV, start=1)]

    def build():
        x = inputs = keras.Input((side, side, 3))
        for place, (filters, size, strides, groups) in enumerate(rows):
            fitting = {"groups": groups, "padding": padding if place else "valid", "kernel_initializer": "zeros"}
            x = layers.Conv2D(filters, size, strides, activation="relu", **fitting)(x)
            x = layers.MaxPooling2D(pool[0], strides=pool[1])(x) if place in pools else x
        x = layers.Flatten()(x)
        for count in units:
            x = layers.Dense(count, kernel_initializer="zeros", use_bias=bias)(x)
        return keras.Model(inputs, x)

    return build


def with_gaps():
    x = inputs = keras.Input((227, 227, 3))
    x = layers.Conv2D(96, 11, strides=..., activation="relu")(x)
    return keras.Model(inputs, x)


class TestAssemble:
    def test_right(self):
        assert exercises.alexnet.q1.reply(assembled()).startswith("→ Right")

    def test_right_as_a_network_within_another(self):
        built = assembled()()
        again = keras.Sequential([keras.Input((227, 227, 3)), built])
        assert judges.assemble(lambda: again) is None

    def test_the_courses_own_network_is_right(self):
        assert judges.assemble(lambda: models.build("alexnet")) is None

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (assembled({2: (256, 5, 1, 1)}), "conv2 sees both towers"),
            (assembled({4: (384, 3, 1, 1)}), "conv4 sees both towers"),
            (assembled({3: (384, 3, 1, 2)}), "conv3 is one of the layers that see everything"),
            (assembled({5: (384, 3, 1, 2)}), "conv5 has 256 filters; yours has 384"),
            (assembled({1: (96, 11, 5, 1)}), "conv1 has 4 pixels per step; yours has 5"),
            (assembled({2: (256, 3, 1, 2)}), "conv2 has 5 pixels per side of a filter; yours has 3"),
            (assembled(pool=(2, 2)), "do not overlap"),
            (assembled(pool=(3, 3)), "stand 2 pixels apart; yours 3"),
            (assembled(pool=(4, 2)), "has 3×3 pixels; yours has 4×4"),
            (assembled(units=(4096, 4096, 10)), "1,000; yours has 10"),
            (assembled(units=(4096, 1000, 1000)), "yours have 4,096, 1,000, 1,000"),
            (assembled(units=(4096, 1000)), "5 convolutions, 3 pooling and 3 dense layers; yours has 5, 3 and 2"),
            (assembled(side=224), "images of 227×227×3; yours takes (224, 224, 3)"),
            (assembled(padding="valid"), "conv2 has the padding 'valid'"),
            (assembled(bias=False), "is there a bias everywhere?"),
            (with_gaps, "A gap is still open"),
            (lambda: None, "returns NoneType, not a network"),
            (5, "q1 expects a function without arguments"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.alexnet.q1.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said, said

    def test_a_network_is_no_function(self):
        network = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
        assert "give the function that builds it" in judges.assemble(network)


def in_training(change):
    """A function of (images, draws) that is `change` in training and leaves images as they are in evaluation."""
    return lambda images, draws: images if draws is None else change(images, draws)


def per_image(numbers):
    """`(batch, 1)` beside images."""
    return numbers[:, :, None, None]


def chain(*steps):
    """One transform after the other, each with random numbers of its own."""

    def change(images, draws):
        for stream, step in enumerate(steps):
            mine = dataclasses.replace(draws, stream=stream) if isinstance(draws, Draws) else draws
            images = step(images, mine)
        return images

    return in_training(change)


def affine(**bounds):
    return datasets.AffineDistortion(**{"shift": 0.0, "rotation": 0.0, "scale": 0.0, "shear": 0.0, **bounds})


def covered(size, *, fill=0.5, at_random=True):
    """A square of one color, at random or in the middle."""

    def change(images, draws):
        room = images.shape[1] - size
        first = draws.uniform(2) * (room + 1) if at_random else 0 * draws.uniform(2) + room / 2
        first, pixels = tf.cast(first, tf.int32), tf.range(images.shape[1])
        rows, columns = (tf.logical_and(pixels >= each, pixels < each + size) for each in (first[:, :1], first[:, 1:]))
        color = fill + 0.1 * per_image(draws.uniform(1))
        return tf.where((rows[:, :, None] & columns[:, None])[..., None], color, images)

    return in_training(change)


def cut(size):
    """A random window, enlarged to the size of the image."""

    def change(images, draws):
        side = images.shape[1]
        first = draws.uniform(2) * (side - size) / (side - 1)
        boxes = tf.concat([first, first + (size - 1) / (side - 1)], axis=1)
        return tf.image.crop_and_resize(images, boxes, tf.range(tf.shape(images)[0]), (side, side))

    return in_training(change)


def sometimes(change, share=0.5):
    """`change` where a random number is below `share`."""
    return in_training(
        lambda images, draws: tf.where(per_image(draws.uniform(1)) < share, change(images, draws), images)
    )


def following(images, _draws=None):
    """To each image the next one of the batch."""
    return tf.roll(images, -1, axis=0)


def grain(images, draws):
    return tf.reshape(draws.uniform(int(np.prod(images.shape[1:]))), tf.shape(images))


def shuffled(images, draws):
    order = tf.argsort(draws.uniform(images.shape[1] * images.shape[2]), axis=1)
    return tf.reshape(tf.gather(tf.reshape(images, (-1, order.shape[1], 3)), order, batch_dims=1), tf.shape(images))


def reflected_shift(images, draws):
    """Up to 4 pixels sideways; what comes in is a mirror image."""
    framed = tf.pad(images, [[0, 0], [0, 0], [4, 4], [0, 0]], "REFLECT")
    columns = tf.cast(draws.uniform(1) * 9, tf.int32) + tf.range(images.shape[2])
    return tf.gather(framed, columns, axis=2, batch_dims=1)


def alike(images, draws):
    return images * (0.7 + 0.3 * per_image(draws.uniform(1))[:1])


FLIP = datasets.RandomFlip()
light = in_training(lambda images, draws: tf.clip_by_value(images * (0.6 + 0.8 * per_image(draws.uniform(1))), 0, 1))
tint = in_training(lambda images, draws: tf.clip_by_value(images + 0.4 * (draws.uniform(3)[:, None, None] - 0.5), 0, 1))
contrast = in_training(
    lambda images, draws: tf.clip_by_value(0.5 + (images - 0.5) * (0.5 + per_image(draws.uniform(1))), 0, 1)
)
noise = in_training(lambda images, draws: tf.clip_by_value(images + 0.4 * (grain(images, draws) - 0.5), 0, 1))
one_pixel = sometimes(lambda images, draws: tf.roll(images, 1, axis=2))
RIGHT = {
    "light": light,
    "darker": in_training(lambda images, draws: images * (0.3 + 0.3 * per_image(draws.uniform(1)))),
    "gamma": in_training(lambda images, draws: images ** (0.5 + 1.5 * per_image(draws.uniform(1)))),
    "contrast": contrast,
    "tint": tint,
    "gray, sometimes": sometimes(lambda images, _: tf.reduce_mean(images, -1, keepdims=True) + tf.zeros_like(images)),
    "noise": noise,
    "now and then": sometimes(lambda images, _: 0.7 * images, share=0.1),
    "one pixel and tint": chain(one_pixel, tint),
    "flip and light": chain(FLIP, light),
    "flip and one pixel": chain(FLIP, one_pixel),
    "flip and two pixels": chain(FLIP, datasets.RandomCrop(32, padding=2)),
    "flip, then four pixels": chain(FLIP, datasets.RandomCrop(32, padding=4)),
    "the lesson's mild": chain(datasets.RandomCrop(32, padding=4), FLIP),
    "three pixels": in_training(datasets.RandomCrop(32, padding=3)),
    "four pixels": in_training(datasets.RandomCrop(32, padding=4)),
    "four pixels, reflected": in_training(reflected_shift),
    "turned": in_training(affine(rotation=30.0)),
    "another size": in_training(affine(scale=0.3)),
    "sheared": in_training(affine(shear=0.3)),
    "flip, turn and light": chain(FLIP, affine(rotation=10.0), light),
    "a window of 24": cut(24),
    "a small square": covered(8),
    "a black square of a quarter": covered(16, fill=0.0),
}
MIXED = "Images change places, are mixed or share a number"
HIDDEN = "nearly all of the middle, where the object stands, is hidden or cut off"
TURNED = "lie on their sides or stand on their heads"
FAINT = "Little is left of some images"
INVISIBLE = "No pixel changes by more than 1 of 255 levels"
AXES = "It fits one image, not a batch of 12"
WRONG = {
    "nothing": (lambda images, draws: images, "Nothing changes in training"),
    "unwritten": (lambda images, draws: None, "returns nothing"),
    "no evaluation": (lambda images, draws: images * per_image(draws.uniform(1)), "In evaluation draws is None"),
    "in evaluation, too": (lambda images, draws: images * 0.5, "It changes images in evaluation too"),
    "beyond 1": (in_training(lambda images, draws: images * 3 * per_image(draws.uniform(1))), "clip them to 0…1"),
    "no numbers": (in_training(lambda images, draws: images / (0 * draws.uniform(1)[0, 0])), "do you divide by 0?"),
    "smaller": (in_training(lambda images, draws: images[:, 2:] + 0 * draws.uniform(1)[0, 0]), "keep the size"),
    "all alike": (in_training(lambda images, draws: 0.5 * images), "Two equal images"),
    "one number": (in_training(alike), "Two equal images"),
    "each epoch alike": (in_training(following), "Every epoch brings the same images"),
    "flip": (sometimes(lambda images, _: images[:, :, ::-1]), "That is AlexNet's own flip"),
    "flip and next to nothing": (
        chain(FLIP, lambda images, draws: images * (1 - 1e-4 * per_image(draws.uniform(1)))),
        "That is AlexNet's own flip",
    ),
    "next to nothing": (
        in_training(lambda images, draws: images * (1 - 1e-4 * per_image(draws.uniform(1)))),
        INVISIBLE,
    ),
    "half a level": (in_training(lambda images, draws: images * (1 - per_image(draws.uniform(1)) / 512)), INVISIBLE),
    "on its head": (sometimes(lambda images, _: images[:, ::-1]), TURNED),
    "half a turn": (sometimes(lambda images, _: images[:, ::-1, ::-1]), TURNED),
    "on its head, in another light": (chain(sometimes(lambda images, _: images[:, ::-1]), light), TURNED),
    "on its head, shifted": (
        chain(sometimes(lambda images, _: images[:, ::-1]), datasets.RandomCrop(32, padding=4)),
        TURNED,
    ),
    "on its side": (sometimes(lambda images, _: tf.image.rot90(images)), TURNED),
    "exchanged": (in_training(lambda images, draws: tf.gather(images, tf.argsort(draws.uniform(1)[:, 0]))), MIXED),
    "one in ten exchanged": (sometimes(following, share=0.1), MIXED),
    "the next one's upper half": (
        sometimes(lambda images, _: tf.concat([following(images)[:, :16], images[:, 16:]], axis=1)),
        MIXED,
    ),
    "a blend with the next": (
        in_training(lambda images, draws: images + 0.5 * per_image(draws.uniform(1)) * (following(images) - images)),
        MIXED,
    ),
    "the mean of the batch": (
        in_training(
            lambda images, draws: tf.clip_by_value(
                (images - tf.reduce_mean(images)) * (0.5 + per_image(draws.uniform(1))) + tf.reduce_mean(images), 0, 1
            )
        ),
        MIXED,
    ),
    "one in ten black": (sometimes(lambda images, _: 0 * images, share=0.1), FAINT),
    "dark": (in_training(lambda images, draws: images * per_image(draws.uniform(1))), FAINT),
    "nearly noise": (in_training(lambda images, draws: 0.03 * images + 0.97 * grain(images, draws)), FAINT),
    "one color": (in_training(lambda images, draws: draws.uniform(3)[:, None, None] + 0 * images), FAINT),
    "pixels shuffled": (in_training(shuffled), FAINT),
    "a gray square on 84 %": (covered(29, at_random=False), HIDDEN),
    "a gray square on 82 %, at random": (covered(29), HIDDEN),
    "a black square of 24 in the middle": (covered(24, fill=0.0, at_random=False), HIDDEN),
    "three quarters hidden": (
        in_training(
            lambda images, draws: tf.where(
                tf.range(32)[None, None, :, None] < 24, 0.1 * per_image(draws.uniform(1)), images
            )
        ),
        HIDDEN,
    ),
    "a window of 8": (cut(8), HIDDEN),
    "one number on two axes": (in_training(lambda images, draws: images * draws.uniform(1)), AXES),
    "one number on three axes": (in_training(lambda images, draws: images * draws.uniform(1)[:, None]), AXES),
    "three numbers on three axes": (in_training(lambda images, draws: images * draws.uniform(3)[:, None]), AXES),
    "numbers of NumPy": (
        lambda images, draws: images + np.random.default_rng().uniform(0, 0.1),
        "It does not fit into training",
    ),
    "no draws": (lambda images: images, "Your function stopped with TypeError"),
}


class TestAugment:
    @pytest.mark.parametrize("function", RIGHT.values(), ids=RIGHT)
    def test_right(self, function):
        assert exercises.alexnet.q2.reply(function).startswith("→ Right")

    @pytest.mark.parametrize(("function", "reply"), WRONG.values(), ids=WRONG)
    def test_wrong(self, function, reply):
        said = exercises.alexnet.q2.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said, said


def divisor(maps, *, low=2, high=2, k=2.0, alpha=1e-4, beta=0.75, square=2):
    """The paper's section 3.3; other arguments are mistakes."""
    near = [maps[..., max(0, c - low) : c + high + 1] for c in range(maps.shape[-1])]
    sums = np.stack([(each**square).sum(axis=-1) for each in near], axis=-1)
    return (k + alpha * sums) ** beta


def normalized(maps, **mistakes):
    return maps / divisor(maps, **mistakes)


def added(maps):
    """The values, not squared, of each map's neighborhood."""
    return np.stack([maps[..., max(0, c - 2) : c + 3].sum(axis=-1) for c in range(maps.shape[-1])], axis=-1)


def slices_from_below_zero(maps):
    near = [(maps[..., c - 2 : c + 3] ** 2).sum(axis=-1) for c in range(maps.shape[-1])]
    return maps / (2 + 1e-4 * np.stack(near, axis=-1)) ** 0.75


def in_place(maps):
    for c in range(maps.shape[-1]):
        maps[..., c] /= (2 + 1e-4 * (maps[..., max(0, c - 2) : c + 3] ** 2).sum(axis=-1)) ** 0.75
    return maps


class TestResponseNormalization:
    def test_right(self):
        from course_lib.models.convolutional import LocalResponseNormalization

        assert exercises.alexnet.q6.reply(normalized).startswith("→ Right")
        layer = LocalResponseNormalization()
        assert judges.response_normalization(lambda maps: layer(maps[None].astype("float32"))[0].numpy()) is None

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda maps: maps, "Nothing has changed yet"),
            (lambda maps: None, "returns nothing"),
            (lambda maps: maps * divisor(maps), "divide by it"),
            (lambda maps: normalized(maps, square=1), "The squares are missing"),
            (lambda maps: normalized(maps, low=0, high=0), "Only the map itself"),
            (lambda maps: normalized(maps, low=1, high=1), "one map too narrow"),
            (lambda maps: normalized(maps, low=5, high=5), "reaches five maps to each side"),
            (lambda maps: normalized(maps, k=1), "The constant k = 2"),
            (lambda maps: normalized(maps, beta=1), "The exponent is missing"),
            (lambda maps: normalized(maps, alpha=1e-4 / 5), "divide α by n"),
            (lambda maps: np.moveaxis(normalized(np.moveaxis(maps, 1, 2)), 1, 2), "is that of a pixel"),
            (
                lambda maps: maps / (2 + 1e-4 * sum(np.roll(maps, s, 2) ** 2 for s in range(-2, 3))) ** 0.75,
                "wraps around",
            ),
            (lambda maps: normalized(maps, high=1), "it is c + 3"),
            (slices_from_below_zero, "the slice is empty"),
            (lambda maps: maps / (2 + 1e-4 * added(maps) ** 2) ** 0.75, "You square the sum"),
            (in_place, "already: write into a new array"),
            (lambda maps: maps[..., 0], "keep the shape"),
            (lambda maps: maps / 3, "the numbers are not"),
        ],
    )
    def test_wrong(self, function, reply):
        said = exercises.alexnet.q6.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said, said


def dropout_of_keras(values, rate, random):
    kept = random >= rate
    return np.where(kept, values / (1 - rate), 0)


class TestDropout:
    @pytest.mark.parametrize(
        "function",
        [dropout_of_keras, lambda v, p, r: v * (r >= p) / (1 - p), lambda v, p, r: v / (1 - p) - v * (r < p) / (1 - p)],
    )
    def test_right(self, function):
        assert exercises.alexnet.q8.reply(function).startswith("→ Right")

    def test_the_mean_is_kept(self):
        values, random = np.ones(100_000), np.random.default_rng(1).random(100_000)
        assert dropout_of_keras(values, 0.3, random).mean() == pytest.approx(1, abs=0.02)

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (lambda v, p, r: v * (r >= p) * 1.25, "right for a rate of 0.2, not for one of 0.6"),
            (lambda v, p, r: v * (r >= 0.2) / (1 - p), "right for a rate of 0.2, not for one of 0.6"),
            (lambda v, p, r: v * (r >= p), "divide by 1 − rate."),
            (lambda v, p, r: v * (1 - p), "That is the paper's testing"),
            (lambda v, p, r: v * (r < p) / p, "You kept the share"),
            (lambda v, p, r: v * (r >= p) / p, "not by rate"),
            (lambda v, p, r: v * (r >= p) * (1 - p), "must grow, not shrink"),
            (lambda v, p, r: v * (r < 1 - p) / (1 - p), "those BELOW rate"),
            (lambda v, p, r: v[r >= p], "came out: dropped values are 0, not gone"),
            (lambda v, p, r: v, "0% are 0 and should be "),
            (lambda v, p, r: v / (r - r), "are 0 and should be "),
            (lambda v, p, r: None, "returns nothing"),
            (lambda v: v, "Your function stopped with TypeError"),
            (0.5, "q8 expects a function of (values, rate, random)"),
        ],
    )
    @pytest.mark.filterwarnings("ignore:divide by zero")
    def test_wrong(self, function, reply):
        said = exercises.alexnet.q8.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said

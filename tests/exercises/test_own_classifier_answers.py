"""The questions of lesson 09: what is computed in them is so, and the judges tell right from wrong functions."""

import dataclasses

import keras
import numpy as np
import pytest
from PIL import Image, ImageOps
from scipy import stats

from course_lib import datasets, exercises
from course_lib.datasets import toy_photos, toy_scenes
from course_lib.exercises.solutions import own_classifier

ASK = exercises.own_classifier


def softmax(logits):
    return keras.ops.convert_to_numpy(keras.ops.softmax(logits))


def in_order(probabilities, class_names):
    return {class_names[k]: float(probabilities[k]) for k in np.argsort(-probabilities)}


def predicted(path, classifier, class_names, scale=1 / 255, shift=0.0, fit="crop"):
    photo = datasets.read_photo(path, classifier.input_shape[1], fit)
    return in_order(softmax(classifier(photo[None] * np.float32(scale) + np.float32(shift))[0]), class_names)


class TestPredict:
    def test_the_lessons_line_is_right(self):
        assert ASK.q1.reply(predicted).startswith("→ Right.")

    @pytest.mark.parametrize("fit", ["crop", "pad"])
    def test_it_is_right_with_either_setting_of_the_lesson(self, fit, monkeypatch):
        assert ASK.q1.reply(lambda *given: predicted(*given, fit=fit)).startswith("→ Right.")
        monkeypatch.setattr(own_classifier, "FIT", fit)
        assert ASK.q1.reply(own_classifier.predict).startswith("→ Right.")
        assert ", FIT)" in ASK.q1.solution_code()

    def test_another_way_is_right_too(self):
        """Through `predict`, with a batch that `expand_dims` makes, and a softmax by hand."""

        def other(path, classifier, class_names):
            photo = datasets.read_photo(path, 32).astype("float32") / 255
            logits = classifier.predict(np.expand_dims(photo, 0), verbose=0).ravel().astype(float)
            shares = np.exp(logits) / np.exp(logits).sum()
            return dict(sorted(zip(class_names, shares, strict=True), key=lambda pair: pair[1], reverse=True))

        assert ASK.q1.reply(other).startswith("→ Right.")

    def test_each_mistake_is_told_what_it_is(self):
        def on_its_side(path, classifier, class_names):
            photo = np.asarray(ImageOps.fit(Image.open(path), (32, 32)))
            return in_order(softmax(classifier(photo[None] / np.float32(255))[0]), class_names)

        def mirrored(path, classifier, class_names):
            photo = datasets.read_photo(path, 32)[:, ::-1]
            return in_order(softmax(classifier(photo[None] / np.float32(255))[0]), class_names)

        def logits(path, classifier, class_names):
            photo = datasets.read_photo(path, 32)
            return in_order(np.asarray(classifier(photo[None] / np.float32(255))[0]), class_names)

        def names_sorted(path, classifier, class_names):
            return dict(zip(class_names, sorted(predicted(path, classifier, class_names).values())[::-1], strict=True))

        def twice(path, classifier, class_names):
            found = predicted(path, classifier, class_names)
            return in_order(softmax(np.array([found[name] for name in class_names])), class_names)

        def without_batch(path, classifier, class_names):
            return in_order(softmax(classifier(datasets.read_photo(path, 32) / np.float32(255))[0]), class_names)

        replies = {
            lambda *given: predicted(*given, scale=1): "from 0 to 255",
            lambda *given: predicted(*given, scale=2 / 255, shift=-1): "from −1 to 1",
            on_its_side: "on its side",
            mirrored: "those of another photo",
            logits: "Is the softmax missing",
            names_sorted: "belong to other classes",
            twice: "softmax is taken twice",
            without_batch: "Your function stopped with",
            lambda *given: max(predicted(*given)): "yours is a str",
            lambda *given: dict.fromkeys(given[2], 1 / 3): "still to be written",
            lambda *given: {f"class {k}": 1 / 3 for k in range(3)}: "keys must be the class names",
            lambda *given: dict(reversed(predicted(*given).items())): "All right but the order",
        }
        for function, said in replies.items():
            reply = ASK.q1.reply(function)
            assert reply.startswith("→ Not yet.") and said in reply, reply


def whole_bursts(bursts, share, seed):
    numbers = np.unique(bursts)
    chosen = np.random.default_rng(seed).permutation(numbers)[: round(share * len(numbers))]
    return np.isin(bursts, chosen)


def whole_bursts_by_draws(bursts, share, seed):
    """Each burst draws a number; those with the smallest are put aside."""
    numbers, which = np.unique(bursts, return_inverse=True)
    drawn = np.random.RandomState(seed).rand(len(numbers))
    return (drawn <= np.sort(drawn)[int(share * len(numbers)) - 1])[which]


class TestKeepTogether:
    @pytest.mark.parametrize("function", [whole_bursts, whole_bursts_by_draws])
    def test_whole_bursts_are_right(self, function):
        assert ASK.e1.reply(function).startswith("→ Right.")

    @pytest.mark.parametrize(
        ("function", "said"),
        [
            (lambda bursts, share, seed: np.random.default_rng(seed).random(len(bursts)) < share, "is divided"),
            (lambda bursts, share, seed: np.arange(len(bursts)) < share * len(bursts), "is divided"),
            (lambda bursts, share, seed: bursts < 103, "Every seed gives the same bursts"),
            (lambda bursts, share, seed: ~whole_bursts(bursts, share, seed), "9 of 12 bursts"),
            (lambda bursts, share, seed: np.flatnonzero(whole_bursts(bursts, share, seed)), "np.isin"),
            (
                lambda bursts, share, seed: np.isin(bursts, np.random.default_rng().permutation(np.unique(bursts))[:3]),
                "default_rng",
            ),
            (lambda bursts, share, seed: whole_bursts(bursts, 0.5, seed), "yours put 6 to 6 aside"),
            (lambda bursts, share, seed: None, "yours is object"),
        ],
    )
    def test_each_wrong_rule_is_told_what_it_is(self, function, said):
        reply = ASK.e1.reply(function)
        assert reply.startswith("→ Not yet.") and said in reply, reply


def counts(first, second):
    return int(np.sum(first & ~second)), int(np.sum(~first & second))


def right(first, second):
    one, other = counts(first, second)
    return stats.binomtest(one, one + other).pvalue if one + other else 1.0


def by_hand(first, second):
    """The same without `binomtest`, and the two classifiers the other way round."""
    few, many = sorted(counts(np.array(first), np.array(second)))
    tail = sum(stats.binom.pmf(k, few + many, 0.5) for k in range(few + 1))
    return np.array(min(1.0, 2 * tail))


def stops_where_they_agree(first, second):
    if not any(counts(first, second)):
        raise ValueError("no picture tells them apart")
    return right(first, second)


@pytest.mark.parametrize("function", [right, by_hand])
def test_a_right_comparison_is_accepted(function):
    assert ASK.e2.reply(function).startswith("→ Right.")


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda a, b: stats.binomtest(counts(a, b)[0], sum(counts(a, b)), alternative="greater").pvalue, "one side"),
        (lambda a, b: stats.binomtest(counts(a, b)[0], len(a)).pvalue, "All photos"),
        (lambda a, b: a.mean() - b.mean(), "the lead"),
        (lambda a, b: stats.fisher_exact([[a.sum(), (~a).sum()], [b.sum(), (~b).sum()]]).pvalue, "two separate tests"),
        (lambda a, b: stats.binomtest(int(a.sum()), int(a.sum() + b.sum())).pvalue, "Both right counts for both"),
        (lambda a, b: a & b, "shape (45,)"),
        (lambda a, b: 0.5, "it gave 0.5"),
        (lambda a, b: None, "returns nothing yet"),
        (stops_where_they_agree, "ValueError: no picture tells them apart"),
        (lambda a, b: 0.0, "it gave 0"),
    ],
)
def test_each_wrong_comparison_is_told_what_it_is(function, said):
    reply = ASK.e2.reply(function)
    assert reply.startswith("→ Not yet.") and said in reply


def by_turns(first):
    """Each class in all five places, one after the other."""
    places = toy_scenes.BACKGROUNDS
    return [dataclasses.replace(scene, background=places[k % 5]) for k, scene in enumerate(first)]


def drawn_anew(first):
    return toy_photos.sample(len(first) // 3, seed=99, usual=0)


def exchanged(first):
    """Every class in the usual place of the next."""
    places = dict(zip(toy_photos.CLASSES, ("room", "lake", "yard"), strict=True))
    return [dataclasses.replace(scene, background=places[scene.class_name]) for scene in first]


def lit_by_class(first):
    light = dict(zip(toy_photos.CLASSES, (0.3, 0.7, 1.2), strict=True))
    return [dataclasses.replace(scene, light_strength=light[scene.class_name]) for scene in by_turns(first)]


class TestSecondCollection:
    @pytest.mark.parametrize("function", [by_turns, drawn_anew])
    def test_places_for_all_are_right(self, function):
        assert ASK.e4.reply(function).startswith("→ Right.")
        assert ASK.e4.points == 6

    @pytest.mark.parametrize(
        ("function", "said"),
        [
            (lambda first: first, "still tells the class"),
            (lambda first: toy_photos.sample(len(first) // 3, seed=7), "still tells the class"),
            (exchanged, "The usual places are gone, but new ones tell the class"),
            (lambda first: first + by_turns(first), "are more than the 180"),
            (lambda first: by_turns(first)[::9], "are few"),
            (lambda first: by_turns(first)[:120], "Each class must be about a third"),
            (lit_by_class, "light_strength tells the class"),
            (lambda first: toy_photos.photograph(first[:3]), "A list of scenes is asked for"),
            (lambda first: None, "yours is a NoneType"),
        ],
    )
    def test_each_wrong_collection_is_told_what_it_is(self, function, said):
        reply = ASK.e4.reply(function)
        assert reply.startswith("→ Not yet.") and said in reply, reply


def test_numbers_of_the_questions():
    assert ASK.w2.right == 160 / 5
    one_less, half = stats.norm.ppf(0.975) * np.sqrt(0.9 * 0.1 / np.array([ASK.e3.right - 1, ASK.e3.right]))
    assert half <= 0.03 < one_less  # the fewest photos that are enough
    assert set(ASK.e3.wrong) == {100, 196, 1067, 1537, 20}

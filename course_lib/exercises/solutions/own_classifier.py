"""Right functions of lesson 09, and what they use of the lesson."""

import dataclasses

import keras
import numpy as np
from scipy import stats

from course_lib import datasets
from course_lib.datasets import toy_scenes

FIT = "crop"  # the lesson's setting; "pad" is the other one


def predict(path, classifier, class_names):
    """Class name → probability for the photo in the file `path`, the most likely class first."""
    photo = datasets.read_photo(path, classifier.input_shape[1], FIT)
    logits = classifier(photo[None] / np.float32(255))[0]
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    return {class_names[place]: float(probabilities[place]) for place in np.argsort(-probabilities)}


def keep_together(bursts, share, seed):
    """True for each photo that is for the test: the share `share` of the bursts, drawn at random, whole."""
    numbers = np.unique(bursts)
    drawn = np.random.default_rng(seed).permutation(numbers)
    return np.isin(bursts, drawn[: round(share * len(numbers))])


def paired_p(first, second):
    """How often a fair coin would split the photos on which the two differ as unevenly, or more so."""
    one = int(np.sum(first & ~second))
    other = int(np.sum(~first & second))
    return stats.binomtest(one, one + other).pvalue if one + other else 1.0


def second_collection(first):
    """The same objects, each class in all five places by turns."""
    places = toy_scenes.BACKGROUNDS
    return [dataclasses.replace(scene, background=places[k % 5]) for k, scene in enumerate(first)]

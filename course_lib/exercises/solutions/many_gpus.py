"""Right functions of lesson 08."""

import keras
import tensorflow as tf

from course_lib import training


def all_reduce(gradients):
    """`gradients[device][weight]` is an array; every device gets the list of the means over the devices."""
    means = [sum(each) / len(each) for each in zip(*gradients)]  # noqa: B905
    return [means for device in gradients]


def local_gradients(model, parts):
    """`parts` holds (images, labels) of each device. One list of gradients per device, to be added up."""
    count = sum(len(labels) for _, labels in parts)
    found = []
    for images, labels in parts:
        with tf.GradientTape() as tape:
            losses = keras.losses.sparse_categorical_crossentropy(labels, model(images), from_logits=True)
            loss = tf.reduce_sum(losses) / count
        found.append(tape.gradient(loss, model.trainable_variables))
    return found


def bottleneck(data, one, two, whole):
    """'input', 'overlap', 'small step' or 'none', the first line of the checklist that applies."""
    if data > two:
        return "input"
    if whole > 1.2 * max(data, two):
        return "overlap"
    return "small step" if two > 0.75 * one else "none"


def recipe_for(devices):
    """Any number of devices with 32 images each."""
    warm_up = 5 if devices > 1 else 0
    return training.Recipe(learning_rate=0.02 * devices, batch_size=32 * devices, warm_up=warm_up)

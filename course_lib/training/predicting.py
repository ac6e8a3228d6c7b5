"""What a network returns for many images, with a line that says how far it is."""

import sys

import keras
import numpy as np
import tqdm

from course_lib import common, model_checks
from course_lib.array_checks import check_shape

WAIT = 2  # seconds before the progress bar appears


def predict(model: keras.Model, images: np.ndarray, *, batch_size: int = 32) -> np.ndarray:
    """What `model` returns for images `(n, height, width, channels)`: logits or features, `(n, …)`, float32.

    Images of type uint8 are divided by 255, as a split does it; others are taken as they are. After two seconds a
    progress bar appears.

    Raises:
        ValueError: no network, images of another shape, or a batch size below 1.
    """
    model_checks.check_model(model)
    images = np.asarray(images)
    check_shape(images)
    common.at_least(1, batch_size=batch_size)
    returned = []
    with tqdm.tqdm(
        total=len(images), desc="predicting", unit=" images", delay=WAIT, leave=False, file=sys.stdout
    ) as bar:
        for start in range(0, len(images), batch_size):
            batch = images[start : start + batch_size]
            if batch.dtype == np.uint8:
                batch = batch / np.float32(255)
            returned.append(keras.ops.convert_to_numpy(model(batch, training=False)))
            bar.update(len(batch))
    return np.concatenate(returned)

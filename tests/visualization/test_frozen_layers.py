"""Frozen layers with a new last layer: what is drawn is counted from the models."""

import keras
import pytest

from course_lib import models, visualization


def last(features, classes=3):
    return keras.Sequential([keras.Input((features,)), keras.layers.Dense(classes)])


def test_the_boxes_and_the_bar_are_counted():
    frozen = models.toy_features(160)
    ax = visualization.plot_frozen(frozen, last(1024))
    said = [text.get_text() for text in ax.texts]
    kept = frozen.count_params()
    assert {"160×160×3\nnumbers", f"{kept:,}\nparameters", "1,024\nnumbers", "3,075\nparameters", "3\nnumbers"} <= set(
        said
    )
    assert f"trained: {3075 / (kept + 3075):.2%}" in said
    frozen_part, trained_part = (patch.get_path().get_extents().width for patch in ax.patches[-2:])
    assert trained_part / (frozen_part + trained_part) == pytest.approx(3075 / (kept + 3075))


def test_what_does_not_fit_together():
    given = visualization.new_axes()
    assert visualization.plot_frozen(models.toy_features(32), last(1024), ax=given) is given
    with pytest.raises(ValueError, match="fit it to what these frozen layers return"):
        visualization.plot_frozen(models.toy_features(32), last(10))
    with pytest.raises(ValueError, match="give a keras"):
        visualization.plot_frozen(models.toy_features(32), 3)

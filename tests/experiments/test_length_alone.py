"""What lesson 03 lets a network learn about filters that are given."""

import keras
import numpy as np

from course_lib import experiments


def test_training_may_change_the_length_of_a_filter_alone():
    """`keras` 3.13, which Colab has, takes no plain function as a constraint."""
    filters = np.random.default_rng(0).normal(size=(5, 5, 1, 3)).astype("float32")
    filters /= np.sqrt((filters**2).sum(axis=(0, 1, 2)))
    kept = experiments.LengthAlone(filters)
    assert isinstance(kept, keras.constraints.Constraint)
    for factor in (3, -0.5):
        np.testing.assert_allclose(kept(factor * filters), factor * filters, atol=1e-6)
    across = np.zeros_like(filters)  # orthogonal to each filter: nothing of it is left
    across[0, 0], across[0, 1] = filters[0, 1], -filters[0, 0]
    np.testing.assert_allclose(kept(2 * filters + across), 2 * filters, atol=1e-6)

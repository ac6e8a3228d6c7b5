"""Right functions of lesson 07."""

import numpy as np


def projected_block(x, w1, w2, ws):
    """A dense residual block whose output is wider than its input."""
    f = np.maximum(x @ w1, 0) @ w2
    return np.maximum(x @ ws + f, 0)

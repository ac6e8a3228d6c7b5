"""Figures: functions named `plot_…` draw and return the Axes, the others compute and return arrays.

Every `plot_` function takes `ax=None`, an Axes to draw on. A lesson ends a figure with `show(ax, caption)`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

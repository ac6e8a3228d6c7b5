"""Training: one call that turns a builder, data and a recipe into a run that can be kept."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

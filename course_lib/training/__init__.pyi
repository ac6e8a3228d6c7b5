from .callbacks import Stopped
from .linear import last_layer
from .predicting import predict
from .recipe import Recipe
from .run import Run
from .trainer import last_run, train

__all__ = ["Recipe", "Run", "Stopped", "last_layer", "last_run", "predict", "train"]

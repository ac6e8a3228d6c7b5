from .recipe import Recipe
from .run import Run
from .stopping import Stopped
from .trainer import last_run, train

__all__ = ["Recipe", "Run", "Stopped", "last_run", "train"]

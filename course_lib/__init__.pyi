from . import challenge, datasets, exercises, experiments, models, training, visualization
from .startup import profile, setup

__all__ = [
    "challenge", "datasets", "exercises", "experiments", "models", "profile", "setup", "training", "visualization",
]  # fmt: skip

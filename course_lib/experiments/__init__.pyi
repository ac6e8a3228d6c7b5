from .experiment import Experiment, Setting, both_errors, compared, data_id, errors, identity, other_errors, recorded
from .filters import neighbor_correlation, watched
from .measuring import linear_error, linear_errors, rise
from .registry import EXPERIMENTS
from .repeated_training import FixedLengthSGD, RepeatedTraining

__all__ = [
    "EXPERIMENTS",
    "Experiment",
    "FixedLengthSGD",
    "RepeatedTraining",
    "Setting",
    "both_errors",
    "compared",
    "data_id",
    "errors",
    "identity",
    "linear_error",
    "linear_errors",
    "neighbor_correlation",
    "other_errors",
    "recorded",
    "rise",
    "watched",
]

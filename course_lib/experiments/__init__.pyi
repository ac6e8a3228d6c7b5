from .copying import learn_to_copy, without_block
from .experiment import (
    Experiment,
    Setting,
    both_errors,
    compared,
    data_id,
    errors,
    identity,
    other_errors,
    recorded,
    steps_to,
)
from .filters import neighbor_correlation, watched
from .lenet import LengthAlone
from .measuring import linear_error, linear_errors, rise
from .registry import EXPERIMENTS
from .repeated_training import FixedLengthSGD, RepeatedTraining, redraw
from .resnet import steps_by_depth
from .shortcuts import frozen_photos, lost_by_moving, record_frozen_photos, shortcut_from

__all__ = [
    "EXPERIMENTS",
    "Experiment",
    "FixedLengthSGD",
    "LengthAlone",
    "RepeatedTraining",
    "Setting",
    "both_errors",
    "compared",
    "data_id",
    "errors",
    "frozen_photos",
    "identity",
    "learn_to_copy",
    "linear_error",
    "linear_errors",
    "lost_by_moving",
    "neighbor_correlation",
    "other_errors",
    "record_frozen_photos",
    "recorded",
    "redraw",
    "rise",
    "shortcut_from",
    "steps_by_depth",
    "steps_to",
    "watched",
    "without_block",
]

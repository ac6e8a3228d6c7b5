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
from .measuring import linear_error, linear_errors, rise
from .registry import EXPERIMENTS
from .repeated_training import FixedLengthSGD, RepeatedTraining, redraw
<<<<<<< HEAD
from .resnet import steps_by_depth
=======
from .shortcuts import frozen_photos, lost_by_moving, record_frozen_photos, shortcut_from
>>>>>>> ab37edf562734b9bd6d23e1e0173cbbca73c3af8

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
<<<<<<< HEAD
    "steps_by_depth",
=======
    "shortcut_from",
>>>>>>> ab37edf562734b9bd6d23e1e0173cbbca73c3af8
    "steps_to",
    "watched",
    "without_block",
]

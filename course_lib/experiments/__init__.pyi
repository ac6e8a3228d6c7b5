from .catalog import EXPERIMENTS
from .experiment import Experiment, Setting, data_id, identity, recorded

__all__ = ["EXPERIMENTS", "Experiment", "Setting", "data_id", "identity", "recorded"]

"""All experiments by name."""

from course_lib.experiments import depth, digits

EXPERIMENTS = {**digits.EXPERIMENTS, **depth.EXPERIMENTS}

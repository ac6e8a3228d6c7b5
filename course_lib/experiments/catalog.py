"""All experiments by name."""

from course_lib.experiments import digits, scenes

EXPERIMENTS = digits.EXPERIMENTS | scenes.EXPERIMENTS

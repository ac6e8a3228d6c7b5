"""All experiments by name."""

from course_lib.experiments import deeper, depth, digits, scenes

EXPERIMENTS = digits.EXPERIMENTS | scenes.EXPERIMENTS | depth.EXPERIMENTS | deeper.EXPERIMENTS

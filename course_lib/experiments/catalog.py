"""All experiments by name."""

from course_lib.experiments import deeper, depth, digits, own_classifier, scenes

EXPERIMENTS = (
    digits.EXPERIMENTS | scenes.EXPERIMENTS | depth.EXPERIMENTS | deeper.EXPERIMENTS | own_classifier.EXPERIMENTS
)

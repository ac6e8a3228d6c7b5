"""All experiments by name; each file holds those of one lesson."""

from course_lib.experiments import (
    alexnet,
    challenges,
    computer_vision,
    filters,
    gradients,
    lenet,
    many_gpus,
    own_classifier,
    resnet,
    vgg,
)

EXPERIMENTS = (
    computer_vision.EXPERIMENTS
    | challenges.EXPERIMENTS
    | lenet.EXPERIMENTS
    | gradients.EXPERIMENTS
    | alexnet.EXPERIMENTS
    | filters.EXPERIMENTS
    | vgg.EXPERIMENTS
    | resnet.EXPERIMENTS
    | many_gpus.EXPERIMENTS
    | own_classifier.EXPERIMENTS
)

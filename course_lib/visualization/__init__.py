"""Figures: functions that compute return arrays; functions that draw take `ax=None` and return the Axes.

Nothing here loads Matplotlib, Keras or scikit-learn before a function that needs it is called. The functions
are imported by name, not on first use, because several share the name of their module: once anything had
imported `course_lib.visualization.curves`, a late look-up of `curves` would find the module.
"""

from course_lib import common
from course_lib.visualization.activations import activation, draw_activation
from course_lib.visualization.architecture import architecture, stages
from course_lib.visualization.attribution import effective_receptive_field, grad_cam, input_gradient, occlusion, overlay
from course_lib.visualization.capacity import capacity, cost, memory, winners
from course_lib.visualization.chain import chain, draw_chain
from course_lib.visualization.confusion import confusion, confusion_matrix, most_confused
from course_lib.visualization.convolution import convolution_step, convolve
from course_lib.visualization.curves import curves
from course_lib.visualization.descent import animate_descent, draw_descent
from course_lib.visualization.error_surface import ErrorSurface, draw_error_surface, error_surface
from course_lib.visualization.explore import explore
from course_lib.visualization.feature_maps import draw_feature_maps, feature_maps
from course_lib.visualization.features import maximize_activation, top_patches
from course_lib.visualization.filters import filters, kernels
from course_lib.visualization.gradient_history import count_units, draw_gradient_history
from course_lib.visualization.gradients import draw_gradients, gradient_sizes
from course_lib.visualization.images import images, montage
from course_lib.visualization.mistakes import Mistakes, find_mistakes, mistakes, nearest_training_images
from course_lib.visualization.predictions import accuracy_by, draw_accuracy_by, top5
from course_lib.visualization.show import show
from course_lib.visualization.style import PALETTE, new_axes, style

__all__ = [
    "PALETTE",
    "ErrorSurface",
    "GradientWatch",
    "LiveCurves",
    "Mistakes",
    "accuracy_by",
    "activation",
    "animate_descent",
    "architecture",
    "capacity",
    "chain",
    "confusion",
    "confusion_matrix",
    "convolution_step",
    "convolve",
    "cost",
    "count_units",
    "curves",
    "draw_accuracy_by",
    "draw_activation",
    "draw_chain",
    "draw_descent",
    "draw_error_surface",
    "draw_feature_maps",
    "draw_gradient_history",
    "draw_gradients",
    "effective_receptive_field",
    "error_surface",
    "explore",
    "feature_maps",
    "filters",
    "find_mistakes",
    "grad_cam",
    "gradient_sizes",
    "images",
    "input_gradient",
    "kernels",
    "maximize_activation",
    "memory",
    "mistakes",
    "montage",
    "most_confused",
    "nearest_training_images",
    "new_axes",
    "occlusion",
    "overlay",
    "show",
    "stages",
    "style",
    "top5",
    "top_patches",
    "winners",
]  # fmt: skip

# Callbacks: their base class needs Keras.
__getattr__ = common.lazily(__name__, {"GradientWatch": "gradient_watch", "LiveCurves": "live_curves"})


def __dir__() -> list[str]:
    return __all__

"""Figures: functions that compute return arrays; functions that draw take `ax=None` and return the Axes.

Nothing here loads Matplotlib, Keras or scikit-learn before a function that needs it is called. The functions
are imported by name, not on first use, because several share the name of their module: once anything had
imported `course_lib.visualization.curves`, a late look-up of `curves` would find the module.
"""

from course_lib.visualization.architecture import architecture, stages
from course_lib.visualization.attribution import effective_receptive_field, grad_cam, input_gradient, occlusion, overlay
from course_lib.visualization.capacity import capacity, cost, memory, winners
from course_lib.visualization.confusion import confusion, confusion_matrix, most_confused
from course_lib.visualization.convolution import convolution_step, convolve
from course_lib.visualization.curves import curves
from course_lib.visualization.error_surface import ErrorSurface, draw_error_surface, error_surface
from course_lib.visualization.explore import explore
from course_lib.visualization.feature_maps import draw_feature_maps, feature_maps
from course_lib.visualization.features import maximize_activation, top_patches
from course_lib.visualization.filters import filters, kernels
from course_lib.visualization.images import images, montage
from course_lib.visualization.mistakes import Mistakes, find_mistakes, mistakes, nearest_training_images
from course_lib.visualization.predictions import accuracy_by, draw_accuracy_by, top5
from course_lib.visualization.show import show
from course_lib.visualization.style import PALETTE, new_axes, style

__all__ = [
    "PALETTE", "ErrorSurface", "LiveCurves", "Mistakes", "accuracy_by", "architecture", "capacity", "confusion",
    "confusion_matrix", "convolution_step", "convolve", "cost", "curves", "draw_accuracy_by", "draw_error_surface",
    "draw_feature_maps", "effective_receptive_field", "error_surface", "explore", "feature_maps", "filters",
    "find_mistakes", "grad_cam", "images", "input_gradient", "kernels", "maximize_activation", "memory", "mistakes",
    "montage", "most_confused", "nearest_training_images", "new_axes", "occlusion", "overlay", "show", "stages",
    "style", "top5", "top_patches", "winners",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name == "LiveCurves":  # a Keras callback: its base class needs Keras
        from course_lib.visualization.live_curves import LiveCurves

        return LiveCurves
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

from .accuracies import accuracy_with_interval, clear_winner, plot_accuracies, plot_confidence, wilson_interval
from .activations import activation, plot_activation
from .architecture import plot_architecture
from .architecture_block import plot_block
from .attribution import effective_receptive_field, grad_cam, occlusion
from .attribution_drawing import plot_attribution, plot_attributions
from .bars import median_and_range, plot_bar_panels, plot_bars, plot_dots
from .by_layer import plot_by_layer, plot_layer_histograms
from .by_setting import fits_in_words, growth_fits, growth_in_words, plot_grid, plot_waiting
from .capacity import plot_capacity, plot_cost, plot_memory, plot_winners
from .confusion import confusion_matrix, most_confused, plot_confusion
from .convolution import convolve, plot_convolution_step, plot_pooling
from .curves import plot_curves, plot_race
from .descent import animate_descent, plot_descent
from .display import show
from .filters import kernels, plot_filters
from .frozen_layers import plot_frozen
from .gradient_history import count_units, plot_gradient_history
from .gradient_watch import GradientWatch
from .gradients import gradient_sizes, plot_gradients
from .images import montage, plot_images
from .leaderboard import plot_ladder, plot_leaderboard, plot_vote
from .lines import plot_lines
from .live_curves import LiveCurves
from .loss_surface import error_surface, plot_error_surface
from .maps import feature_maps, plot_feature_maps
from .measured import both_changes, clearly_lowest, in_every_seed, plot_measured
from .mistakes import distance_to_class, find_mistakes, nearest_training_images, plot_mistakes
from .network_rows import plot_networks
from .panels import plot_panels
from .parallel import plot_parallelism, plot_parts, plot_ring, plot_speedup, ring_turns, speedup, weight_distance
from .patches import top_patches
from .predictions import accuracy_by, plot_accuracy_by, plot_top5
from .sigmoid_chain import chain, plot_chain
from .signed import plot_connections, plot_signed
from .sliders import explore
from .stacks import plot_filter, plot_padding, plot_paths
from .style import PALETTE, new_axes
from .tables import show_table
from .timeline import plot_timeline
from .uploading import upload

__all__ = [
    "PALETTE",
    "GradientWatch",
    "LiveCurves",
    "accuracy_by",
    "accuracy_with_interval",
    "activation",
    "animate_descent",
    "both_changes",
    "chain",
    "clear_winner",
    "clearly_lowest",
    "confusion_matrix",
    "convolve",
    "count_units",
    "distance_to_class",
    "effective_receptive_field",
    "error_surface",
    "explore",
    "feature_maps",
    "find_mistakes",
    "fits_in_words",
    "grad_cam",
    "gradient_sizes",
    "growth_fits",
    "growth_in_words",
    "in_every_seed",
    "kernels",
    "median_and_range",
    "montage",
    "most_confused",
    "nearest_training_images",
    "new_axes",
    "occlusion",
    "plot_accuracies",
    "plot_accuracy_by",
    "plot_activation",
    "plot_architecture",
    "plot_attribution",
    "plot_attributions",
    "plot_bar_panels",
    "plot_bars",
    "plot_block",
    "plot_by_layer",
    "plot_capacity",
    "plot_chain",
    "plot_confidence",
    "plot_confusion",
    "plot_connections",
    "plot_convolution_step",
    "plot_cost",
    "plot_curves",
    "plot_descent",
    "plot_dots",
    "plot_error_surface",
    "plot_feature_maps",
    "plot_filter",
    "plot_filters",
    "plot_frozen",
    "plot_gradient_history",
    "plot_gradients",
    "plot_grid",
    "plot_images",
    "plot_ladder",
    "plot_layer_histograms",
    "plot_leaderboard",
    "plot_lines",
    "plot_measured",
    "plot_memory",
    "plot_mistakes",
    "plot_networks",
    "plot_padding",
    "plot_panels",
    "plot_parallelism",
    "plot_parts",
    "plot_paths",
    "plot_pooling",
    "plot_race",
    "plot_ring",
    "plot_signed",
    "plot_speedup",
    "plot_timeline",
    "plot_top5",
    "plot_vote",
    "plot_waiting",
    "plot_winners",
    "ring_turns",
    "show",
    "show_table",
    "speedup",
    "top_patches",
    "upload",
    "weight_distance",
    "wilson_interval",
]

"""Every figure of the library on one page, to be looked at: `python tests/visualization/test_gallery.py page.html`."""

import base64
import functools
import html
import sys

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from course_lib import challenge, common, experiments, models
from course_lib import visualization as vis
from course_lib.datasets import toy_scenes
from course_lib.training import Recipe, train
from course_lib.visualization.display import figure_of, png

LARGEST = 250_000  # bytes of a PNG


@functools.cache
def trained():
    """A small network after a few seconds on toy scenes, what a watch recorded meanwhile, and its pictures."""
    scenes = toy_scenes.sample(360, seed=1, tilt=0.0, distractors=0, occlusion=0.0)
    rendered = toy_scenes.render(scenes, 32)
    build = functools.partial(models.build, "cnn_small", image_shape=(32, 32, 3), num_classes=10)
    images = rendered.images / np.float32(255)
    watch = vis.GradientWatch(images[:64], rendered.labels[:64])
    recipe = Recipe("adam", 2e-3, batch_size=30)
    data = images[:300], rendered.labels[:300]
    run = train(build, data, recipe=recipe, epochs=8, callbacks=[watch], progress=False)
    return run, watch, images, rendered.labels, np.array([scene.azimuth for scene in scenes])


def figures():
    """(title, Axes) of one figure after the other."""
    yield from networks()
    yield from small_ideas()
    yield from one_network()
    yield from recorded()


def networks():
    winners = common.published("imagenet_winners")
    for name in ("lenet5", "alexnet", "vgg16", "resnet_small"):
        yield f"plot_architecture {name}", vis.plot_architecture(models.build(name))
    yield "plot_networks", vis.plot_networks({name: models.build(name) for name in ("lenet5", "cnn_small")})
    last = keras.Sequential([keras.Input((1024,)), keras.layers.Dense(3)])
    yield "plot_frozen", vis.plot_frozen(models.toy_features(), last)
    axes = vis.new_axes(10.5, 4.2, columns=3)
    for ax, name in zip(axes, ("plain34", "resnet34", "resnet50"), strict=True):
        vis.plot_block(models.build(name), "conv3_block2", ax=ax).set_title(name)
    yield "plot_block", axes
    rows = models.summary.layer_table(models.build("alexnet"))
    yield "plot_capacity", vis.plot_capacity(rows)
    yield "plot_memory", vis.plot_memory(rows)
    yield "plot_cost", vis.plot_cost(models.summary.compare(("alexnet", "vgg16", "googlenet", "resnet50")))
    yield "plot_winners", vis.plot_winners(winners, "alexnet")


def small_ideas():
    for name in ("sigmoid", "ReLU"):
        yield f"plot_activation {name}", vis.plot_activation(name, bias=1.0)
    yield "plot_chain", vis.plot_chain(vis.chain([1.5, -0.8, 1.2, 0.9], [0.1, 0.0, -0.2, 0.3], x=0.7, target=1.0))
    costs = {"steep": lambda w: w**2, "flat": lambda w: w**2 / 10}
    paths = {"steep": 0.8 ** np.arange(9), "flat": 0.98 ** np.arange(9)}
    axes = vis.new_axes(9, 2.8, columns=3)
    for ax, step in zip(axes, (0, 3, 8), strict=True):
        vis.plot_descent(costs, paths, step, ax=ax)
    yield "plot_descent", axes
    image, sobel = trained()[2][0].mean(axis=-1), np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    yield "plot_convolution_step", vis.plot_convolution_step(image[:12, :12], sobel, 3, 4)
    yield "plot_convolution_step in numbers", vis.plot_convolution_step(np.eye(5), sobel, 1, 1)
    yield "plot_pooling", vis.plot_pooling(vis.convolve(image[:10, :10], sobel))
    yield "plot_panels", vis.plot_panels({"picture": trained()[2][0], "gray": image, "map": vis.convolve(image, sobel)})
    squares = {"unit": np.ones((1, 1)), "pixels": 9 * np.ones((3, 3))}
    yield "plot_paths", vis.plot_paths(squares, {"a": np.eye(3), "b": np.ones((3, 3))})
    yield "plot_filter", vis.plot_filter(trained()[2][0], np.random.default_rng(0).normal(size=(3, 3, 3)), 9, 9)
    yield "plot_padding", vis.plot_padding(2)
    yield "plot_timeline", vis.plot_timeline(common.published("timeline"))
    yield "plot_lines", vis.plot_lines({"few": [9, 4, 1], "many": [3, 2, 1]}, [10, 100, 1_000], "x", "y", log=True)
    lines = [("ours", "team", 0.46, 0.41), ("Nearest mean", "baseline", 0.17, 0.15)]
    board = pd.DataFrame(lines, columns=["team", "kind", "public", "private"])
    yield "plot_leaderboard", vis.plot_leaderboard(board, 250)
    generator = np.random.default_rng(0)
    answers, labels = generator.integers(4, size=(60, 80)), generator.integers(4, size=80)
    right = (answers == labels).mean(axis=1)
    yield "plot_vote", vis.plot_vote(answers, labels, right > 0.25)
    yield "plot_ladder", vis.plot_ladder(right, challenge.ladder(right, 0.05))
    layers = ["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"]
    axes = vis.new_axes(9, 4.4, columns=2)
    vis.plot_parallelism("batch", layers, ax=axes[0])
    vis.plot_parallelism("network", layers, ("conv3", "fc6", "fc7", "fc8"), ax=axes[1])
    yield "plot_parallelism", axes
    yield "plot_parts", vis.plot_parts([3, 1, -2, 4], (3, 1), "gradient of one weight")
    yield "plot_ring", vis.plot_ring([np.ones((3, 3)), np.ones((3, 3)) + np.eye(3), np.ones((3, 3)) + 2 * np.eye(3)])
    yield "plot_speedup", vis.plot_speedup({"a": (0.2, 1e8), "b": (0.02, 2e8)}, measured={"a paper": (4, 3.75)})
    ramps = 0.25 ** np.arange(10)[::-1] * np.array([[1], [1.5], [0.7]])
    yield "plot_by_layer", vis.plot_by_layer({"sigmoid": ramps, "ReLU": np.ones((3, 10))}, "norm of the gradient")
    drawn = np.random.default_rng(0).normal(size=4000)
    spreads = {name: {f"layer {n}": drawn * size**n for n in (1, 5, 10)} for name, size in (("2/n", 1), ("1/n", 0.7))}
    yield "plot_layer_histograms", vis.plot_layer_histograms(spreads, "output", limits=(-3, 3))
    errors = {"sigmoid": {"plain": [89, 90, 88], "skip": [8, 8, 9]}, "ReLU": {"plain": [20, 7, 17], "skip": [4, 4, 5]}}
    yield "plot_bar_panels", vis.plot_bar_panels({"error in %": errors, "other error in %": errors})
    yield "plot_grid", vis.plot_grid(errors, "validation error in %", limits=(0, 100))
    steps = {"sigmoid": {3: [140, 120], 5: [700, np.inf], 6: 2 * [np.inf]}, "ReLU": {3: [40, 40], 6: [60, 80]}}
    yield "plot_waiting", vis.plot_waiting(steps, 1_000, "layers", "steps")
    race = {"ReLU": [[60, 30, 20], [70, 40, 24]], "tanh": [[80, 60, 45, 30, 25], [80, 70, 60, 50, 40]]}
    yield "plot_race", vis.plot_race(race, 25, "training error in %")
    yield "plot_signed", vis.plot_signed({"image": image - image.mean(), "map": vis.convolve(image, sobel)})
    yield "plot_connections", vis.plot_connections(models.lenet5_1998.TABLE_I)


def one_network():
    run, watch, images, labels, azimuths = trained()
    names, new = toy_scenes.CLASS_NAMES, slice(300, 360)
    logits = run.model.predict(images, verbose=0)
    yield "plot_curves", vis.plot_curves(run.history)
    yield "plot_images", vis.plot_images(images[:8], labels[:8], logits[:8].argmax(axis=1), names)
    yield "plot_top5", vis.plot_top5(images[new][:4], logits[new][:4], labels[new][:4], names)
    matrix = vis.confusion_matrix(labels[new], logits[new].argmax(axis=1), 10)
    yield "plot_confusion", vis.plot_confusion(matrix, names)
    found = vis.find_mistakes(logits[new], labels[new])
    yield (
        "plot_mistakes",
        vis.plot_mistakes(images[new], found, class_names=names, limit=6, train=(images[:300], labels[:300])),
    )
    right = logits[new].argmax(axis=1) == labels[new]
    yield "plot_accuracy_by", vis.plot_accuracy_by({"network": vis.accuracy_by(azimuths[new], right, 4)}, "azimuth")
    yield "plot_filters", vis.plot_filters(run.model, "conv1")
    yield "plot_feature_maps", vis.plot_feature_maps(vis.feature_maps(run.model, images[:1], ["conv1", "conv2", "fc4"]))
    patches, _ = vis.top_patches(run.model, images, "conv2", range(3), k=5)
    yield "plot_images of top_patches", vis.plot_images(patches.reshape(-1, *patches.shape[2:]), columns=5)
    maps = {
        "grad_cam": vis.grad_cam(run.model, images[:1], "conv3")[0],
        "occlusion": vis.occlusion(run.model, images[0]),
        "effective_receptive_field": vis.effective_receptive_field(run.model, images[:8], "conv3"),
    }
    for name, attribution in maps.items():
        yield f"plot_attribution of {name}", vis.plot_attribution(images[0], attribution, label=name)
    yield "plot_attributions", vis.plot_attributions(images[:1], {name: [each] for name, each in maps.items()}, ["one"])
    yield "plot_gradients", vis.plot_gradients(vis.gradient_sizes(run.model, images[:64], labels[:64]))
    yield "plot_gradient_history", vis.plot_gradient_history(watch.record)
    layer = watch.record["layers"][0]
    yield "plot_gradient_history of one layer", vis.plot_gradient_history(watch.record, layer=layer)
    surface = vis.error_surface(run.model, images[:100], labels[:100], points=9)
    yield "plot_error_surface", vis.plot_error_surface(surface)
    yield "plot_error_surface three_d", vis.plot_error_surface(surface, three_d=True)


def recorded():
    record = experiments.recorded("lenet5_rates")
    runs = {name: [run["history"] for run in record["runs"] if run["setting"] == name] for name in record["settings"]}
    yield "plot_measured", vis.plot_measured(experiments.compared("lenet5_overfits"), "loss", skip=1)
    steps = vis.plot_measured(
        experiments.compared("lenet5_overfits"), "error", over="step", log=True, training=False, skip=1
    )
    yield "plot_measured over steps", steps
    yield "plot_curves of seeds", vis.plot_curves(runs, "loss", log=True)
    last = {name: [100 * history["loss"][-1] for history in histories] for name, histories in runs.items()}
    yield "plot_bars", vis.plot_bars(last, "loss after the last epoch, in hundredths", lines={"a line": 2.0})
    right = np.arange(20) < 17
    yield "plot_accuracies", vis.plot_accuracies({"test photos": np.tile(right, 3), "another phone": ~right})
    confidence = {"known": np.linspace(0.6, 1, 40), "unknown": np.linspace(0.4, 0.95, 30)}
    yield "plot_confidence", vis.plot_confidence(confidence)
    pairs = {name: {"training": values, "test": np.add(values, 1)} for name, values in last.items()}
    yield "plot_dots", vis.plot_dots(last, "loss after the last epoch, in hundredths", log=True)
    yield "plot_bars of two errors", vis.plot_bars(pairs, "error in %")


@pytest.fixture(scope="module")
def gallery():
    keras.utils.set_random_seed(0)
    drawn = {}
    for title, axes in figures():
        figure = figure_of(axes)
        drawn[title] = png(figure)
        plt.close(figure)
    return drawn


def test_every_function_that_draws_is_in_the_gallery(gallery):
    drawing = {name for name in vis.__all__ if name.startswith("plot_")}
    assert drawing == {title.split()[0] for title in gallery}


def test_no_figure_is_too_large(gallery):
    assert {title: len(picture) for title, picture in gallery.items() if len(picture) > LARGEST} == {}


def page(drawn: dict[str, bytes]) -> str:
    """The figures under their titles, in two columns: on a light ground, and on a dark one."""
    tiles = "".join(
        f'<h2>{html.escape(title)}</h2><p class="light">{picture}</p><p class="dark">{picture}</p>'
        for title, data in drawn.items()
        for picture in [f'<img src="data:image/png;base64,{base64.b64encode(data).decode()}">']
    )
    style = "p{padding:2em;margin:0}.light{background:#fff}.dark{background:#111}img{max-width:100%}"
    return f"<!doctype html><title>Every figure of the kit</title><style>{style}</style>{tiles}"


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(page(gallery.__wrapped__()))

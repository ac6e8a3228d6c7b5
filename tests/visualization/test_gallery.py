"""Every figure of the library on one page, to be looked at: `python tests/visualization/test_gallery.py page.html`."""

import base64
import functools
import html
import inspect
import sys

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_lib import common, experiments, models
from course_lib import visualization as vis
from course_lib.datasets import toy_scenes
from course_lib.training import Recipe, train
from course_lib.visualization.show import figure_of, png

LARGEST = 250_000  # bytes of a PNG
COMPUTED = {  # return arrays, rows, text or a page of JavaScript, and draw nothing
    *("accuracy_by", "activation", "animate_descent", "chain", "confusion_matrix", "convolve", "count_units"),
    *("effective_receptive_field", "error_surface", "explore", "feature_maps", "find_mistakes", "grad_cam"),
    *("gradient_sizes", "input_gradient", "kernels", "maximize_activation", "montage", "most_confused"),
    *("nearest_training_images", "new_axes", "occlusion", "show", "stages", "style", "top_patches"),
}


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
        yield f"architecture {name}", vis.architecture(models.build(name))
    rows = models.summary.layer_table(models.build("alexnet"))
    yield "capacity", vis.capacity(rows)
    yield "memory", vis.memory(rows)
    yield "cost", vis.cost(models.summary.compare(("alexnet", "vgg16", "googlenet", "resnet50")))
    yield "winners", vis.winners(winners, "alexnet")


def small_ideas():
    for name in ("sigmoid", "ReLU"):
        yield f"draw_activation {name}", vis.draw_activation(name, bias=1.0)
    yield "draw_chain", vis.draw_chain(vis.chain([1.5, -0.8, 1.2, 0.9], [0.1, 0.0, -0.2, 0.3], x=0.7, target=1.0))
    costs = {"steep": lambda w: w**2, "flat": lambda w: w**2 / 10}
    paths = {"steep": 0.8 ** np.arange(9), "flat": 0.98 ** np.arange(9)}
    axes = vis.new_axes(9, 2.8, columns=3)
    for ax, step in zip(axes, (0, 3, 8), strict=True):
        vis.draw_descent(costs, paths, step, ax=ax)
    yield "draw_descent", axes
    image, sobel = trained()[2][0].mean(axis=-1), np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    yield "convolution_step", vis.convolution_step(image[:12, :12], sobel, 3, 4)


def one_network():
    run, watch, images, labels, azimuths = trained()
    names, new = toy_scenes.CLASS_NAMES, slice(300, 360)
    logits = run.model.predict(images, verbose=0)
    yield "curves", vis.curves(run.history)
    yield "images", vis.images(images[:8], labels[:8], logits[:8].argmax(axis=1), names)
    yield "top5", vis.top5(images[new][:4], logits[new][:4], labels[new][:4], names)
    matrix = vis.confusion_matrix(labels[new], logits[new].argmax(axis=1), 10)
    yield "confusion", vis.confusion(matrix, names)
    found = vis.find_mistakes(logits[new], labels[new])
    yield "mistakes", vis.mistakes(images[new], found, class_names=names, limit=6, train=(images[:300], labels[:300]))
    right = logits[new].argmax(axis=1) == labels[new]
    yield "draw_accuracy_by", vis.draw_accuracy_by({"network": vis.accuracy_by(azimuths[new], right, 4)}, "azimuth")
    yield "filters", vis.filters(run.model, "conv1")
    yield "draw_feature_maps", vis.draw_feature_maps(vis.feature_maps(run.model, images[:1], ["conv1", "conv2", "fc4"]))
    patches, _ = vis.top_patches(run.model, images, "conv2", range(3), k=5)
    yield "images of top_patches", vis.images(patches.reshape(-1, *patches.shape[2:]), columns=5)
    yield "images of maximize_activation", vis.images(vis.maximize_activation(run.model, "conv3", range(4)))
    maps = {
        "input_gradient": vis.input_gradient(run.model, images[:1])[0],
        "grad_cam": vis.grad_cam(run.model, images[:1], "conv3")[0],
        "occlusion": vis.occlusion(run.model, images[0]),
        "effective_receptive_field": vis.effective_receptive_field(run.model, images[:8], "conv3"),
    }
    for name, attribution in maps.items():
        yield f"overlay of {name}", vis.overlay(images[0], attribution, label=name)
    yield "draw_gradients", vis.draw_gradients(vis.gradient_sizes(run.model, images[:64], labels[:64]))
    yield "draw_gradient_history", vis.draw_gradient_history(watch.record)
    layer = watch.record["layers"][0]
    yield "draw_gradient_history of one layer", vis.draw_gradient_history(watch.record, layer=layer)
    surface = vis.error_surface(run.model, images[:100], labels[:100], points=9)
    yield "draw_error_surface", vis.draw_error_surface(surface)
    yield "draw_error_surface three_d", vis.draw_error_surface(surface, three_d=True)


def recorded():
    record = experiments.recorded("lenet5_rates")
    runs = {name: [run["history"] for run in record["runs"] if run["setting"] == name] for name in record["settings"]}
    yield "curves of seeds", vis.curves(runs, "loss", log=True)


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
    functions = {name for name in vis.__all__ if inspect.isfunction(getattr(vis, name))}
    assert functions - COMPUTED <= {title.split()[0] for title in gallery}


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

"""The strip of results at the top of README.md and of the web site: `python tests/visualization/readme_picture.py`.

All three pictures are drawn by the kit: rendered scenes, what a network that ships with the course looks at, a slice
through its loss, and a recorded experiment. It takes half a minute.
"""

import io

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from course_lib import common, experiments, training
from course_lib import visualization as vis
from course_lib.datasets import toy_scenes
from course_lib.experiments import own_classifier
from course_lib.visualization.display import figure_of, png

PICTURE = common.ROOT / "data" / "pictures" / "results.png"
HEIGHT, GAP = 360, 30  # pixels
SETTING = experiments.EXPERIMENTS["seven_classes"].settings["cnn_small"]
SHOWN = ("airplane", "snowman", "mushroom")


def figures():
    """The Axes of one figure after the other, from left to right."""
    model = training.Run.load(own_classifier.KEPT, SETTING.build()).model
    yield looked_at(model)
    data = own_classifier.first_scenes()["first 300 scenes"]
    surface = vis.error_surface(model, data.prepared(0, 100), data.arrays()[1][:100], points=25)
    yield vis.plot_error_surface(surface, three_d=True)
    errors = experiments.errors("depth_toy_scenes")
    names = {name: name.replace("plain", "plain ").replace("resnet", "residual ") for name in errors}
    named = {names[name]: values for name, values in errors.items()}
    yield vis.plot_bars(named, "test error in %, by number of layers", highlight=["residual 20", "residual 32"])


def looked_at(model):
    """Scenes, and below each one what hiding a part of it costs the network's confidence."""
    scenes = toy_scenes.scenes_of("test", quick=True)
    chosen = [next(scene for scene in scenes if scene.class_name == name) for name in SHOWN]
    large, small = (toy_scenes.render(chosen, size).images for size in (160, 32))
    axes = vis.new_axes(6.6, 4.6, rows=2, columns=len(SHOWN))
    for number, name in enumerate(SHOWN):
        axes[0, number].imshow(large[number])
        axes[0, number].set(title=name, xticks=[], yticks=[])
        seen = (small[number] / np.float32(255) - 0.5) * 4  # as the network takes it, from -2 to 2
        vis.plot_attribution(large[number], vis.occlusion(model, seen, size=8, stride=2), ax=axes[1, number])
    for bar in set(axes[0, 0].figure.axes) - set(axes.ravel()):
        bar.remove()  # the scales, one per picture
    return axes


def strip(pictures: list[bytes]) -> Image.Image:
    """The pictures side by side, all as high."""
    drawn = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures]
    scaled = [
        each.resize((round(each.width * HEIGHT / each.height), HEIGHT), Image.Resampling.LANCZOS) for each in drawn
    ]
    joined = Image.new("RGB", (sum(each.width + GAP for each in scaled) - GAP, HEIGHT), "white")
    left = 0
    for each in scaled:
        joined.paste(each, (left, 0))
        left += each.width + GAP
    return joined


if __name__ == "__main__":
    found = []
    for shown in figures():
        found.append(png(figure_of(shown)))
        plt.close(figure_of(shown))
    strip(found).quantize(256, dither=Image.Dither.NONE).save(PICTURE, "PNG", optimize=True)

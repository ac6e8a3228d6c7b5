"""The toy scenes as a TFDS set: rendered once, then stored, split and read as every other set."""

import contextlib
import dataclasses
import io
import json
import sys

import tqdm

from course_lib.datasets.tfds_import import import_tfds
from course_lib.datasets.toy_scenes.renderer import render
from course_lib.datasets.toy_scenes.scene import CLASS_NAMES, SEEDS, scenes_of

tfds = import_tfds()

AT_ONCE = 250  # pictures that wait in memory to be written
SIZES = (64, 32, 96)  # pixels a side; the first is the usual one


@dataclasses.dataclass
class Config(tfds.core.BuilderConfig):
    """`size` pixels a side; `quick`: 2,600 pictures, not 16,000."""

    size: int = 64
    quick: bool = False


class ToyScenes(tfds.core.GeneratorBasedBuilder):
    """toy_scenes, toy_scenes/32, toy_scenes/96, toy_scenes/quick, toy_scenes/quick32, toy_scenes/quick96."""

    VERSION = tfds.core.Version("1.0.0")  # raised whenever a picture changes, so that kept ones are not used
    BUILDER_CONFIGS = [  # noqa: RUF012  TFDS's own form
        *(Config(name=f"{size}", size=size) for size in SIZES),
        *(Config(name="quick" if size == 64 else f"quick{size}", size=size, quick=True) for size in SIZES),
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        size = self.builder_config.size
        features = {
            "image": tfds.features.Image(shape=(size, size, 3), encoding_format="png"),
            "label": tfds.features.ClassLabel(names=CLASS_NAMES),
            "scene": tfds.features.Text(),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description="Ten everyday things in five places, rendered; `scene` holds a picture's parameters as JSON.",
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("image", "label"),
            disable_shuffling=True,  # stored in the order of `scenes_of`
        )

    def download_and_prepare(self, **options) -> None:
        """Renders the set with one bar: TFDS's own, and its lines about a download, would stay in a notebook."""
        self._screen = sys.stdout
        tfds.disable_progress_bar()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                super().download_and_prepare(**options)
        finally:
            tfds.enable_progress_bar()

    def _split_generators(self, dl_manager) -> dict:
        return {split: self._generate_examples(split) for split in SEEDS}

    def _generate_examples(self, split: str):
        scenes = scenes_of(split, self.builder_config.quick)
        title = f"toy_scenes {split}"
        with tqdm.tqdm(desc=title, total=len(scenes), unit=" images", leave=False, file=self._screen) as progress:
            for first in range(0, len(scenes), AT_ONCE):
                some = scenes[first : first + AT_ONCE]
                images = render(some, self.builder_config.size).images
                for index, (scene, image) in enumerate(zip(some, images, strict=True), first):
                    yield index, {"image": image, "label": scene.label, "scene": json.dumps(dataclasses.asdict(scene))}
                    progress.update()

"""The data sets that the lessons use: their contents, sources, licences and download sizes."""

import dataclasses
import pathlib

from course_lib.batching import Split
from course_lib.datasets import toy_scenes

DIGITS = tuple("0123456789")


@dataclasses.dataclass(frozen=True)
class ImageDataset:
    """A data set in three splits: train on `train`, choose on `validation`, report the error on `test`.

    `notes` says what was left out, scaled or doubled in a folder of pictures: each sentence with all its files.
    `paths` has the files of each part of such a folder, in the order of the images.
    """

    name: str
    image_shape: tuple[int, int, int]  # (height, width, channels)
    class_names: tuple[str, ...]
    train: Split
    validation: Split
    test: Split
    notes: dict[str, list[str]] = dataclasses.field(default_factory=dict, repr=False)
    paths: dict[str, list[pathlib.Path]] = dataclasses.field(default_factory=dict, repr=False)

    def __getitem__(self, part: object) -> None:
        raise ValueError(
            f"a data set has its parts by name, data.train, data.validation, data.test, not data[{part!r}]"
        )

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return len(self.class_names)


@dataclasses.dataclass(frozen=True)
class DatasetInfo:
    """What is known of a set before it is loaded. Counts are (training, validation, test) examples."""

    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    counts: tuple[int, int, int]
    source: str
    licence: str
    download_mb: float  # 0: ships with the course or with scikit-learn
    config: str = ""  # which of the configurations that TFDS knows
    files: tuple[str, ...] = ()  # which of the builder's files are downloaded; empty: all


DATASETS = {
    "mnist": DatasetInfo(
        image_shape=(28, 28, 1),
        class_names=DIGITS,
        counts=(50_000, 10_000, 10_000),  # the last 10,000 of the 60,000 are for validation
        source="LeCun, Cortes, Burges: The MNIST database of handwritten digits, 1998",
        licence="CC BY-SA 3.0",
        download_mb=11.6,
    ),
    "cifar10": DatasetInfo(
        image_shape=(32, 32, 3),
        class_names=(
            *("airplane", "automobile", "bird", "cat", "deer"),
            *("dog", "frog", "horse", "ship", "truck"),
        ),
        counts=(45_000, 5_000, 10_000),
        source="Krizhevsky: Learning multiple layers of features from tiny images, 2009",
        licence="not stated by its author",
        download_mb=162.2,
    ),
    "imagenette": DatasetInfo(
        image_shape=(160, 160, 3),
        class_names=(
            *("tench", "English springer", "cassette player", "chain saw", "church"),
            *("French horn", "garbage truck", "gas pump", "golf ball", "parachute"),
        ),
        counts=(8_522, 947, 3_925),  # its "validation" is the test set here: it has no third part
        source="Howard: Imagenette, ten classes of ImageNet, 2019",
        licence="ImageNet's terms: research and teaching",
        download_mb=94.2,
        config="160px-v2",
        files=("imagenette2-160.tgz",),
    ),
    "toy_scenes": DatasetInfo(
        image_shape=(64, 64, 3),
        class_names=toy_scenes.CLASS_NAMES,
        counts=tuple(toy_scenes.COUNTS.values()),
        source="rendered by this course, see course_lib.datasets.toy_scenes",
        licence="CC BY 4.0",
        download_mb=0,
        config="64",
    ),
    "uci_digits": DatasetInfo(
        image_shape=(28, 28, 1),
        class_names=DIGITS,
        counts=(1_200, 200, 397),
        source="Alpaydin, Kaynak: Optical recognition of handwritten digits (UCI, 1998), in scikit-learn",
        licence="CC BY 4.0",
        download_mb=0,
    ),
}

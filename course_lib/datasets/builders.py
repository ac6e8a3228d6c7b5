"""The builders of TensorFlow Datasets (TFDS): opening one by name, and whether its folder is whole."""

import dataclasses
import os
import pathlib
import re

from course_lib import common
from course_lib.datasets.dataset_info import DATASETS, DatasetInfo
from course_lib.datasets.errors import DamagedDataError, UnknownSetError, UnusableTfdsError
from course_lib.datasets.tfds_import import import_tfds

CONFIG = r"[\w.\-]*[a-zA-Z_][\w.\-]*|\d+"  # with a letter, or a whole number: 3.0.1 is a version
VERSION = r"\d+\.[\d*]+\.[\d*]+"
FORM = re.compile(rf"([\w\- ]+)(?:/({CONFIG}))?(?:[:/]({VERSION}))?")


@dataclasses.dataclass(frozen=True)
class SetName:
    """A data set's name in its parts, as in `set/config:version`."""

    set: str
    config: str = ""
    version: str = ""

    @property
    def info(self) -> DatasetInfo | None:
        """What `DATASETS` says of this set, of any version; None where it is not in it."""
        info = DATASETS.get(self.set)
        return info if info and self.config in ("", info.config) else None

    @property
    def plain(self) -> str:
        """The name without the version; for a set in `DATASETS` its name there."""
        return f"{self.set}/{self.config}" if self.config and not self.info else self.set

    @property
    def tfds(self) -> str:
        """What TFDS calls it."""
        config = self.config or (self.info.config if self.info else "")
        return self.set + (f"/{config}" if config else "") + (f":{self.version}" if self.version else "")


def parsed(name: object) -> SetName | None:
    """The parts of a name, None if it is no name. Sets in `DATASETS` are found however they are spelled: "CIFAR-10"."""
    match = FORM.fullmatch(name.strip()) if isinstance(name, str) else None
    if match is None:
        return None
    known = {_letters(each): each for each in (*DATASETS, "digits")}
    set_name, config, version = match.groups(default="")
    return SetName(known.get(_letters(set_name), set_name), config, version)


def open_builder(name: str, data_dir: str | os.PathLike | None = None):
    """TFDS's builder of `name`; nothing is read or downloaded yet, and no connection is opened.

    Raises:
        UnknownSetError: no set has that name.
        UnusableTfdsError: TFDS cannot be imported.
        DamagedDataError: the set's folder does not read.
        ValueError: the set has no such configuration or version, or `data_dir` is no folder for all sets.
    """
    wanted = parsed(name)
    if wanted is None or not re.fullmatch(r"\w+", wanted.set):
        raise _unknown(name)
    _check_data_dir(data_dir, wanted.set)
    tfds = import_tfds()
    if wanted.set == "toy_scenes":
        from course_lib.datasets.toy_scenes import builder  # noqa: F401  TFDS then knows it
    try:
        return tfds.builder(wanted.tfds, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError:
        raise _unknown(name) from None
    except Exception as error:
        raise _refusal(wanted, data_dir, error) from error


def folder_damage(builder) -> DamagedDataError | None:
    """What is wrong with the builder's data folder, or None where it is whole or not there at all."""
    folder = builder.data_path
    if not folder.exists():
        return None
    if not builder.is_prepared():
        return DamagedDataError(folder, "is half-written: it has no dataset_info.json", builder.name)
    for split in builder.info.splits.values():
        for path in split.filepaths:
            if not path.exists():
                return DamagedDataError(folder, f"is damaged: {path.name} is missing", builder.name)
    return None


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _unknown(name: object) -> UnknownSetError:
    if not isinstance(name, str):
        return UnknownSetError(f"load takes one name, a string such as 'mnist', or a folder's path, not {name!r}")
    try:
        others = import_tfds().list_builders(with_community_datasets=False)  # those would be asked for in the cloud
    except UnusableTfdsError:
        others = []
    known = common.unknown("data set", name, [*DATASETS, "digits"], others)
    return UnknownSetError(
        f"{known} There is no folder of that name here either: pictures of your own are loaded by their folder's "
        "path, such as './pictures'."
    )


def _check_data_dir(data_dir: object, set_name: str) -> None:
    if data_dir is None:
        return
    if not isinstance(data_dir, (str, os.PathLike)) or "://" in str(data_dir):
        raise ValueError(f"data_dir must be a folder on this machine, or None for the usual one, not {data_dir!r}")
    folder = pathlib.Path(data_dir).expanduser()
    below = ["*/dataset_info.json", "*/*/dataset_info.json"] if folder.name == set_name else []
    if any(any(folder.glob(pattern)) for pattern in ("dataset_info.json", *below)):
        raise ValueError(f"data_dir must be the folder that holds all sets; {folder} holds one: give the one above it")


def _refusal(wanted: SetName, data_dir: str | os.PathLike | None, error: Exception) -> ValueError:
    """In our words what TFDS refuses to open."""
    from google.protobuf import json_format

    if isinstance(error, json_format.ParseError):  # TFDS reads it here already
        root = data_dir or os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
        folder = os.path.join(os.path.expanduser(root), wanted.set)
        return DamagedDataError(folder, "is damaged: its dataset_info.json does not read", wanted.set)
    known = import_tfds().builder_cls(wanted.set)
    if wanted.config and not known.builder_configs:
        return ValueError(f"{wanted.set} has no configurations: load it without {wanted.config!r}")
    if wanted.config and wanted.config not in known.builder_configs:
        return common.unknown(f"configuration of {wanted.set}", wanted.config, known.builder_configs)
    versions = [str(each) for each in (known.VERSION, *known.SUPPORTED_VERSIONS) if each]
    if wanted.version and versions and wanted.version not in versions:
        return ValueError(f"{wanted.set} has no version {wanted.version}, but {', '.join(versions)}")
    first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return ValueError(f"{wanted.tfds} cannot be opened: {first_line}")

"""What there is to look at: data sets by name, split once and for all, and transforms for their images."""

from course_lib import common

_HOMES = {
    "CATALOG": "catalog",
    "ImageDataset": "catalog",
    "load": "sources",
    "status": "inventory",
    "digits_status": "inventory",
    "Split": "course_lib.batching",
    "AffineDistortion": "transforms",
    "PCAColor": "augmentation",
    "RandomCrop": "augmentation",
    "RandomFlip": "augmentation",
    "paper_frame": "transforms",
}
__all__ = sorted(_HOMES)
__getattr__ = common.lazily(__name__, _HOMES)

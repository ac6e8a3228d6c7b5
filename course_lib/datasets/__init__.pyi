from . import toy_scenes
from .augmentation import PCAColor, RandomCrop, RandomFlip
from .catalog import CATALOG, ImageDataset, Split
from .inventory import digits_status, status
from .sources import load
from .transforms import AffineDistortion, paper_frame

__all__ = [
    "CATALOG",
    "AffineDistortion",
    "ImageDataset",
    "PCAColor",
    "RandomCrop",
    "RandomFlip",
    "Split",
    "digits_status",
    "load",
    "paper_frame",
    "status",
    "toy_scenes",
]

from . import squares, toy_photos, toy_scenes
from .augmentation import PCAColor, RandomCrop, RandomFlip
from .dataset_info import DATASETS, ImageDataset, Split
from .folder import read_folder
from .inventory import digits_status, status
from .pictures import read_photo
from .sources import load
from .transforms import AffineDistortion, paper_frame

__all__ = [
    "DATASETS",
    "AffineDistortion",
    "ImageDataset",
    "PCAColor",
    "RandomCrop",
    "RandomFlip",
    "Split",
    "digits_status",
    "load",
    "paper_frame",
    "read_folder",
    "read_photo",
    "squares",
    "status",
    "toy_photos",
    "toy_scenes",
]

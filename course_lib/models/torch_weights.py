"""Weights out of a PyTorch file of the format before 1.6, read without PyTorch and without running code of the file."""

import collections
import os
import pickle

import numpy as np

STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def read_torch_weights(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Name → array of each tensor in the file of a `state_dict`.

    The file holds pickles: three of headers, one of names with references to storages, one of the storages' keys; then
    per storage its length and its numbers.

    Raises:
        pickle.UnpicklingError: the file asks for anything but tensors of float32 or int64.
    """
    with open(path, "rb") as file:
        for _ in range(3):
            _Tensors(file).load()
        tensors = _Tensors(file).load()
        storages = {}
        for key in _Tensors(file).load():
            count = int(np.fromfile(file, "<i8", 1)[0])
            kind = next(tensor.kind for tensor in tensors.values() if tensor.key == key)
            storages[key] = np.fromfile(file, kind, count)
    return {name: tensor.array(storages[tensor.key]) for name, tensor in tensors.items()}


class _Tensor:
    """Which part of which storage a tensor is."""

    def __init__(self, storage: tuple, offset: int, shape: tuple, strides: tuple, *_):
        _, self.kind, self.key, *_ = storage
        self.offset = offset
        self.shape = shape
        self.strides = strides

    def array(self, numbers: np.ndarray) -> np.ndarray:
        strides = [numbers.itemsize * stride for stride in self.strides]
        view = np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, strides)
        return np.ascontiguousarray(view).reshape(self.shape)


class _Tensors(pickle.Unpickler):
    """Knows tensors, their storages and ordered dicts, and nothing else."""

    def find_class(self, module: str, name: str):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Tensor
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise pickle.UnpicklingError(f"a file of weights has no use for {module}.{name}")

    def persistent_load(self, pid: tuple) -> tuple:
        return pid

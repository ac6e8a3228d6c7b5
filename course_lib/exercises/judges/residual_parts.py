"""What the judges of residual blocks share: the parts of a student's block, and what they make of signed maps."""

import dataclasses

import numpy as np

from course_lib.exercises.judges import every_layer, has_layer
from course_lib.exercises.judges.stacks import convolved

FLOAT32 = {"rtol": 1e-3, "atol": 1e-4}  # a network computes in float32
SHAPE = (6, 6, 4)  # of the maps that come in
MAPS = SHAPE[-1]
OFFSETS = np.array([0.5, -0.5, 0.5, -0.5])  # of the last normalization, so that F(x) is these numbers
BOTH = (OFFSETS, np.array([-0.3, 0.4, 0.2, -0.6]))  # of two; with none, a normalization and a ReLU could change places
SCALED = "Leave each normalization its scale and its offset: `BatchNormalization()` as it is."


@dataclasses.dataclass
class Parts:
    """The layers of a residual block: those of F from its input to its sum, and those on the shortcut, if any."""

    convolutions: list
    inner: object
    last: object
    projection: object = None
    projected: object = None

    def norms(self) -> list:
        """All normalizations."""
        return [self.inner, self.last, *([self.projected] if self.projected else [])]

    def residual(self, x: np.ndarray, strides: int) -> np.ndarray:
        """F(x), by arithmetic."""
        first, second = (np.asarray(layer.kernel) for layer in self.convolutions)
        begin = strides - 1  # Keras puts the one row of zeros that it needs below, and the one column on the right
        f = normalized(convolved(x, first)[:, begin::strides, begin::strides], self.inner)
        return normalized(convolved(relu(f), second), self.last)

    def shortcut(self, x: np.ndarray, strides: int) -> np.ndarray:
        """What is led around F, by arithmetic."""
        if self.projection is None:
            return x
        return normalized(x[:, ::strides, ::strides] @ self.kernel(), self.projected)

    def kernel(self) -> np.ndarray:
        """The numbers of the 1×1 convolution `(maps in, maps out)`."""
        return np.asarray(self.projection.kernel)[0, 0]


def parts_of(model, *, projects: bool) -> Parts | str:
    """The parts of a block that has the right number of parameters, or what is wrong with them."""
    convolutions = layers_of(model, "Conv2D")
    norms = layers_of(model, "BatchNormalization")
    sizes = sorted(layer.kernel_size[0] for layer in convolutions)
    wanted = [1, 3, 3] if projects else [3, 3]
    if sizes != wanted or len(norms) != len(wanted):
        asked, found = (", ".join(f"{size}×{size}" for size in each) or "none" for each in (wanted, sizes))
        return (
            f"convolutions of {asked} and {len(wanted)} normalizations are wanted; found are convolutions of {found}, "
            f"and {len(norms)} normalizations. (Layer classes of your own hide what is in them.)"
        )
    if any(layer.use_bias or layer.groups != 1 for layer in convolutions):
        return "no convolution has a bias, or groups; what stands behind each is a normalization."
    if any(norm.beta is None or norm.gamma is None for norm in norms):
        return SCALED
    added = _added(model, norms)
    ones, threes = ([layer for layer in convolutions if layer.kernel_size[0] == size] for size in (1, 3))
    projected = [norm for norm in added if any(_depends(model, norms, norm, layer) for layer in ones)]
    if len(added) != 1 + projects or len(projected) != projects:
        return f"what is added must be F(x), normalized, and {'x, projected and normalized' if projects else 'x'}."
    (inner,) = (norm for norm in norms if norm not in added)
    (last,) = (norm for norm in added if norm not in projected)
    return Parts(threes, inner, last, *ones, *projected)


def _added(model, norms: list) -> list:
    """The normalizations whose offsets reach the output though every scale is 0: only the sum follows them."""
    reach = []
    usual = _put_out(model, norms)
    for norm in norms:
        outputs = [_put_out(model, norms, offset=(norm, offset)) for offset in (0.5, 2)]
        if not all(np.allclose(each, usual, **FLOAT32) for each in outputs):
            reach.append(norm)
    return reach


def _depends(model, norms: list, norm, convolution) -> bool:
    """Whether `norm` passes on what `convolution` puts out."""
    before = np.asarray(convolution.kernel)
    usual = _put_out(model, norms, scaled=norm)
    convolution.kernel.assign(-2 * before)
    changed = _put_out(model, norms, scaled=norm)
    convolution.kernel.assign(before)
    return not np.allclose(usual, changed, **FLOAT32)


def _put_out(model, norms: list, *, scaled=None, offset: tuple = (None, 1)) -> np.ndarray:
    """The outputs for signed maps, where every scale but that of `scaled` is 0 and every offset but one is 1."""
    for norm in norms:
        set_norm(norm, float(norm is scaled), offset[1] if norm is offset[0] else 1)
    return np.asarray(model(signed_maps()))


def set_norm(norm, scale: float, offsets: float | np.ndarray) -> None:
    """Gives a normalization one scale, and offsets that are repeated as often as it has maps."""
    maps = norm.gamma.shape[0]
    norm.gamma.assign(np.full(maps, scale))
    norm.beta.assign(np.resize(offsets, maps))


def normalized(x: np.ndarray, norm) -> np.ndarray:
    """What a normalization that never saw a batch makes of `x`."""
    return x / np.sqrt(1 + norm.epsilon) * np.asarray(norm.gamma) + np.asarray(norm.beta)


def relu(x: np.ndarray) -> np.ndarray:
    """The larger of 0 and each number."""
    return np.maximum(x, 0)


def signed_maps() -> np.ndarray:
    """Two examples of `SHAPE` with numbers of both signs."""
    return np.random.default_rng(0).normal(size=(2, *SHAPE)).astype("float32")


def layers_of(model, kind: str) -> list:
    """The layers of one kind from the input to the output."""
    return [layer for layer in every_layer(model) if type(layer).__name__ == kind]


def noisy(model) -> str | None:
    """The reply where a layer of the block is random in training, which its outputs do not show."""
    if has_layer(model, "Dropout", "Noise"):
        return "Dropout or noise stands in your block; this network has none."
    return None


def shape_of(shape: tuple[int, ...]) -> str:
    """A shape in words: "6×6×4"."""
    return "×".join(map(str, shape))


def output_of(model) -> str:
    """The shape of an output of `model`."""
    return str(tuple(model.output_shape[1:]))

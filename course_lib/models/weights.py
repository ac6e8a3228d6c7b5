"""Weights trained on ImageNet, as `keras.applications` publishes them, for the networks of the same layers."""

import os
import pathlib

import keras
import numpy as np

from course_lib import common, model_checks

REFERENCES = {
    "vgg16": keras.applications.VGG16,
    "vgg19": keras.applications.VGG19,
    "resnet50": keras.applications.ResNet50,
    "resnet101": keras.applications.ResNet101,
    "resnet152": keras.applications.ResNet152,
}
PREPROCESSING = {
    "vgg16": keras.applications.vgg16.preprocess_input,
    "vgg19": keras.applications.vgg19.preprocess_input,
    **dict.fromkeys(("resnet50", "resnet101", "resnet152"), keras.applications.resnet.preprocess_input),
}


def load_imagenet_weights(model: keras.Model, path: str | os.PathLike | None = None) -> None:
    """Loads the ImageNet weights of the network of the same name in `keras.applications` into `model`.

    A network with another number of classes keeps its own last layer as it was initialized, and a line is printed:
    `models.build("resnet50", num_classes=4)` is then ready for fine-tuning. `path` is a weight file of that network;
    without one Keras downloads its own, checks its hash and keeps it. Where a ResNet was built without
    `convolution_bias`, the biases go into the means of its batch normalizations, which changes no output.

    Raises:
        ValueError: a network that Keras has no weights for, one of other sizes, or a file of another network.
        FileNotFoundError: no such file, or none given and no way to download it.
    """
    model_checks.check_model(model)
    reference = _reference(model.name, path)
    theirs = {layer.name: layer.get_weights() for layer in reference.layers if layer.weights}
    ours = {layer.name: layer for layer in model.layers if layer.weights}
    for name, layer in ours.items():
        if name.endswith("_conv") and not layer.use_bias and len(theirs[name]) == 2:
            kernel, bias = theirs[name]
            normalization = name.removesuffix("conv") + "bn"
            gamma, beta, mean, variance = theirs[normalization]
            theirs[name] = [kernel]
            theirs[normalization] = [gamma, beta, mean - bias, variance]
    *_, head = ours
    other_classes = model.output_shape[-1] != reference.output_shape[-1]
    taken = [name for name in ours if not (other_classes and name == head)]
    for name in taken:
        mine = [tuple(weight.shape) for weight in ours[name].weights]
        its = [weight.shape for weight in theirs[name]]
        if mine != its:
            raise ValueError(
                f"layer {name!r} of this {model.name} has weights of the shapes {mine}, the ImageNet weights {its}: "
                f"build it as models.build({model.name!r}), with another num_classes if you like"
            )
    for name in taken:
        ours[name].set_weights(theirs[name])
    if other_classes:
        print(f"{head!r} keeps its own weights, for {model.output_shape[-1]} classes; all other layers are ImageNet's")


class Preprocessing:
    """Images as the ImageNet weights of a network expect them: blue, green, red, each less its mean.

    `preprocess(name)` makes one, for `split.with_transform`. It takes uint8 from 0 to 255 or floats from 0 to 1, an
    array or a tensor `(batch, height, width, 3)`, and returns float32 within `value_range`.
    """

    value_range = (-124.0, 152.0)

    def __init__(self, name: str):
        _check_known(name)
        self.name = name

    def __call__(self, images):
        """The images as the network's ImageNet weights expect them, float32."""
        symbolic = not hasattr(images, "numpy") and not isinstance(images, np.ndarray)
        if not symbolic:  # else a split or a network hands it on, and its values are not known yet
            images = np.asarray(images)
        if len(getattr(images, "shape", ())) != 4 or images.shape[-1] != 3 or 0 in images.shape:
            raise ValueError(f"images must have the shape (batch, height, width, 3), not {np.shape(images)}")
        if symbolic:
            return PREPROCESSING[self.name](255 * images)
        if images.dtype == np.uint8:
            return PREPROCESSING[self.name](images.astype("float32"))
        if np.issubdtype(images.dtype, np.floating) and images.min() >= 0 and images.max() <= 1:
            return PREPROCESSING[self.name](255 * images.astype("float32"))
        raise ValueError(
            "images must be uint8 from 0 to 255 or floats from 0 to 1, not "
            f"{images.dtype} from {images.min():g} to {images.max():g}"
        )


def preprocess(name: str, images: np.ndarray | None = None) -> np.ndarray | Preprocessing:
    """`images` as the ImageNet weights of network `name` expect them: blue, green, red, each less its mean.

    Takes uint8 images from 0 to 255 or floats from 0 to 1, `(batch, height, width, 3)`, an array or a tensor, and
    returns float32 of about −124 to 152. The networks were trained on 224×224 pixels; this does not resize. Without
    images it returns a transform: `split.with_transform(models.preprocess("resnet50"))`.

    Raises:
        ValueError: a network that Keras has no weights for, or images of another shape, type or range.
    """
    make = Preprocessing(name)
    return make if images is None else make(images if hasattr(images, "dtype") else np.asarray(images))


def _check_known(name: str) -> None:
    if not isinstance(name, str):
        raise ValueError(f"give the network's name first, for example 'resnet50', not a {type(name).__name__}")
    if name not in REFERENCES:
        raise common.unknown("network with ImageNet weights", name, REFERENCES)


def _reference(name: str, path: str | os.PathLike | None) -> keras.Model:
    """The namesake in `keras.applications` with its weights."""
    _check_known(name)
    advice = f"give the file's place: load_imagenet_weights(model, path), with Keras' weight file of {name}"
    if path is None:
        if common.offline():
            raise FileNotFoundError(f"COURSE_OFFLINE=1 forbids to download the weights of {name}; {advice}")
        try:
            return REFERENCES[name](weights="imagenet")
        except Exception as error:  # Keras raises a bare Exception where there is no network
            raise FileNotFoundError(f"the weights of {name} could not be downloaded ({error}); {advice}") from error
    if not isinstance(path, (str, os.PathLike)):
        raise ValueError(f"path must be the place of a weight file, not {path!r}; {advice}")
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no weight file {path}; {advice}")
    try:
        return REFERENCES[name](weights=str(path))
    except (ValueError, OSError) as error:
        raise ValueError(f"{path.name} does not hold the weights of keras.applications' {name}: {error}") from error

"""A network as the list of stages that `architecture` draws, read from the model's own graph of layers."""

import dataclasses
import itertools
import os
import re
from collections.abc import Iterator

from course_lib.model_checks import check_model
from course_lib.visualization.checks import has_kernels

ARRANGES = ("Flatten", "Reshape", "ZeroPadding2D")  # they neither compute nor pick
LONGEST = 14  # stages; in a longer list, convolutions alike that follow each other become one stage


@dataclasses.dataclass(frozen=True)
class Stage:
    """What one layer, or a run of blocks alike, puts out, and how it made that of the stage before."""

    name: str
    shape: tuple[int, ...]  # (height, width, maps), or (units,)
    kind: str  # "input", "convolution", "pooling" or "dense": what the layer belongs to
    operation: str  # the same, or the class of a layer that Keras does not have, in words; of a block: its join
    window: tuple[int, int] | None = None  # the kernel or pooling window, in pixels of the stage before
    groups: int = 1  # of a convolution: parts of the maps that do not see each other
    repeats: int = 1  # how many layers or blocks alike follow each other
    branches: tuple[tuple["Stage", ...], ...] = ()  # of a block; a shortcut comes last, and has none if an identity
    entrance: tuple["Stage", ...] = ()  # of a run: the first block's shortcut where only the others' is an identity
    heads: tuple[tuple["Stage", ...], ...] = ()  # further outputs that begin here, as auxiliary classifiers do

    @property
    def title(self) -> str:
        """For example "6@28×28", as in the paper, or "84"."""
        if len(self.shape) == 1:
            return str(self.shape[0])
        height, width, maps = self.shape
        return f"{maps}@{height}×{width}"

    @property
    def label(self) -> str:
        """How a block names it: "3×3, 64", "pool 3×3" or "dense 10"."""
        if self.window is None:
            return f"{self.operation} {self.shape[-1]}"
        size = "{}×{}".format(*self.window)
        if self.kind == "convolution":
            return f"{size}, {self.shape[-1]}"
        return f"pool {size}" if self.operation == "pooling" else self.operation


def stages(model) -> list[Stage]:
    """The input and every layer that computes something new or changes the shape, in order.

    Branches that part and meet again are one stage, a block; blocks alike that follow each other are one, too.

    Raises:
        ValueError: no Keras model, or one that was never built, does not take images, holds another model, uses a
            layer twice, has branches within branches, or a layer that puts out neither maps nor units.
    """
    check_model(model)
    shape = getattr(model, "input_shape", None) if model.built else None
    if not isinstance(shape, tuple) or len(shape) != 4 or None in shape[1:]:
        raise ValueError(
            "architecture draws a built Functional or Sequential model that takes images "
            f"(height, width, channels) of a fixed size; {model.name!r} takes {shape}"
        )
    sources, outputs = _graph(model)
    trunk = max((_lineage(output, sources) for output in outputs), key=len)
    heads = [_path(output, {None, *trunk}, sources) for output in outputs]

    def begun(block: list) -> tuple[tuple[Stage, ...], ...]:
        return tuple(head for end, path in heads if end in block and (head := _computing(path)))

    found, start = [Stage("input", shape[1:], "input", "input", heads=begun([None]))], None
    for block in _blocks(trunk, sources):
        last = block[-1]
        if len(sources[last]) > 1:
            found.append(_block(block, [_path(source, {start}, sources)[1] for source in sources[last]]))
        else:
            found.extend(_computing(block))
        found[-1] = dataclasses.replace(found[-1], heads=found[-1].heads + begun(block))
        start = last
    return _folded(found)


def _graph(model) -> tuple[dict, list]:
    """The sources of each layer, in the order of computation, and the layers of the outputs; None is the input."""
    import keras

    order = [layer for layer in getattr(model, "operations", model.layers) if type(layer).__name__ != "InputLayer"]
    for layer in order:
        if isinstance(layer, keras.Model):
            raise ValueError(f"{layer.name!r} is a model inside of {model.name!r}: draw each of them by itself")
    if isinstance(model, keras.Sequential):  # its tensors do not say: it calls its layers anew with each `add`
        return {None: [], **{layer: [before] for before, layer in itertools.pairwise([None, *order])}}, order[-1:]
    sources, made = {None: []}, {id(model.inputs[0]): None}
    for layer in order:
        inputs = keras.tree.flatten(layer.input)
        if any(id(tensor) not in made for tensor in inputs):
            raise ValueError(
                "architecture draws models that use each of their layers once; "
                f"at {layer.name!r} this one uses a layer a second time, or a layer of another model"
            )
        sources[layer] = [made[id(tensor)] for tensor in inputs]
        made.update({id(tensor): layer for tensor in keras.tree.flatten(layer.output)})
    return sources, [made[id(tensor)] for tensor in model.outputs]


def _lineage(layer, sources: dict) -> list:
    """A layer and all that it depends on, in the order of computation."""
    needed = {layer}
    for each in reversed(sources):
        if each in needed:
            needed.update(sources[each])
    return [each for each in sources if each in needed and each is not None]


def _blocks(trunk: list, sources: dict) -> Iterator[list]:
    """The trunk, cut behind each layer that all paths run through: where it is a chain, a block is one layer."""
    last_use = {source: position for position, layer in enumerate(trunk) for source in sources[layer]}
    block, furthest = [], last_use.get(None, 0)
    for position, layer in enumerate(trunk):
        block.append(layer)
        if furthest <= position:  # nothing before this layer is used behind it
            yield block
            block = []
        furthest = max(furthest, last_use.get(layer, 0))


def _path(layer, ends: set, sources: dict) -> tuple[object, list]:
    """The one of `ends` that a branch begins behind, and the branch's layers up to `layer`."""
    path = []
    while layer not in ends:
        if len(sources[layer]) > 1:
            raise ValueError(f"architecture draws branches that meet once; at {layer.name!r} some meet inside another")
        path.insert(0, layer)
        layer = sources[layer][0]
    return layer, path


def _computing(path: list) -> tuple[Stage, ...]:
    """The layers of a path that compute something new or change the shape."""
    found = []
    for layer in path:
        if type(layer).__name__ in ARRANGES:
            continue
        before, output = (tuple(getattr(tensor, "shape", ())[1:]) for tensor in (layer.input, layer.output))
        if len(output) not in (1, 3):
            raise ValueError(f"architecture draws maps and units, not the {output} that {layer.name!r} puts out")
        window = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
        if window is not None or hasattr(layer, "units") or output != before:
            operation = _operation(layer, window)
            picks = len(output) == 3 or operation.endswith("pooling")
            kind = "convolution" if has_kernels(layer) else "pooling" if picks else "dense"
            groups = getattr(layer, "groups", 1) if window else 1  # a normalization's groups are others
            found.append(Stage(layer.name, output, kind, operation, window and tuple(window), groups))
    return tuple(found)


def _block(block: list, paths: list[list]) -> Stage:
    """Parallel paths that meet in the last layer of a block."""
    name, shape = _common_name([layer.name for layer in block]), tuple(block[-1].output.shape[1:])
    operation, branches = _operation(block[-1]), [_computing(path) for path in paths]
    if operation == "add":  # the shortcut last
        branches.sort(key=len, reverse=True)
    return Stage(name, shape, "convolution", operation, branches=tuple(branches))


def _folded(found: list[Stage]) -> list[Stage]:
    """The stages, each run of blocks alike as one, and in a long list each run of convolutions alike."""

    def alike(stage: Stage) -> tuple:
        if stage.branches:
            compared = stage.branches[:1] if stage.operation == "add" else stage.branches
            return stage.operation, stage.shape, [[each.label for each in branch] for branch in compared]
        if stage.kind == "convolution" and len(found) > LONGEST:
            return stage.operation, stage.shape, stage.window, stage.groups, stage.name.split("_")[0]
        return (stage.name,)

    return [_merged(list(run)) for _, run in itertools.groupby(found, alike)]


def _merged(run: list[Stage]) -> Stage:
    """A run of stages alike as one."""
    first, last = run[0], run[-1]
    name = _common_name([stage.name for stage in run])
    entrance = first.branches[-1] if len(run) > 1 and first.branches and not last.branches[-1] else ()
    heads = sum((stage.heads for stage in run), ())
    return dataclasses.replace(last, name=name, repeats=len(run), entrance=entrance, heads=heads)


def _common_name(names: list[str]) -> str:
    """What the names of several layers begin with, or the last of them."""
    return os.path.commonprefix(names).rstrip("_") or names[-1]  # noqa: RUF071 (letter by letter is meant)


def _operation(layer, window: tuple[int, int] | None = None) -> str:
    """What a layer does: "Conv2D" is a convolution, "MaxPooling2D" pooling, "Subsampling2D" subsampling."""
    name = type(layer).__name__.removesuffix("2D")
    for ending, word in (("Conv", "convolution"), ("Pooling", "pooling")):
        if window and name.endswith(ending):
            return word
    return re.sub(r"[A-Z](?=[a-z])", lambda letter: letter[0].lower(), re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))

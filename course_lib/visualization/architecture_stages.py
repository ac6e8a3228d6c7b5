"""A network as the list of stages that `plot_architecture` draws, read from the model's own graph of layers."""

import dataclasses
import itertools
import os
import re
from collections.abc import Iterator

from course_lib.model_checks import check_model
from course_lib.visualization.checks import has_kernels

ARRANGES = ("Flatten", "Reshape", "ZeroPadding2D")  # layers that neither compute nor select
LONGEST = 14  # stages; in a longer list, equal convolutions that follow each other become one stage


@dataclasses.dataclass(frozen=True)
class Stage:
    """The output of one layer, or of a run of equal layers or blocks, and the operation that made it."""

    name: str
    shape: tuple[int, ...]  # (height, width, maps), or (units,)
    kind: str  # "input", "convolution", "pooling" or "dense"
    operation: str  # the kind, or the class of a layer that Keras does not have, in words; of a block: its merge
    window: tuple[int, int] | None = None  # the kernel or pooling window, in pixels of the stage before
    groups: int = 1  # of a convolution
    repeats: int = 1  # how many equal layers or blocks follow each other
    branches: tuple[tuple["Stage", ...], ...] = ()  # of a block; a shortcut comes last, and is empty if an identity
    entrance: tuple["Stage", ...] = ()  # of a run: the first block's shortcut where only the others' is an identity

    @property
    def title(self) -> str:
        """For example "6@28×28", as in the paper, or "84"."""
        if len(self.shape) == 1:
            return str(self.shape[0])
        height, width, maps = self.shape
        return f"{maps}@{height}×{width}"

    @property
    def label(self) -> str:
        """The short form inside a block: "3×3, 64", "pool 3×3" or "dense 10"."""
        if self.window is None:
            return f"{self.operation} {self.shape[-1]}"
        size = "{}×{}".format(*self.window)
        if self.kind == "convolution":
            return f"{size}, {self.shape[-1]}"
        return f"pool {size}" if self.operation == "pooling" else self.operation


def stages(model) -> list[Stage]:
    """The input and every layer that computes something new or changes the shape, in order.

    Branches that fork and merge again are one stage, a block; equal blocks that follow each other are one, too. Of
    several outputs the deepest is followed.

    Raises:
        ValueError: no Keras model, or one that was never built, does not take images, holds another model, uses a
            layer twice, has branches within branches, or a layer whose output is neither maps nor units.
    """
    check_model(model)
    shape = getattr(model, "input_shape", None) if model.built else None
    if not isinstance(shape, tuple) or len(shape) != 4 or None in shape[1:]:
        raise ValueError(
            "plot_architecture draws a built Functional or Sequential model that takes images "
            f"(height, width, channels) of a fixed size; {model.name!r} takes {shape}"
        )
    sources, outputs = graph_of(model)
    trunk = max((_ancestors(output, sources) for output in outputs), key=len)
    found = [Stage("input", shape[1:], "input", "input")]
    start = None
    for block in _blocks(trunk, sources):
        last = block[-1]
        if len(sources[last]) > 1:
            found.append(_block(block, [path_to(source, {start}, sources) for source in sources[last]]))
        else:
            found.extend(_computing(block))
        start = last
    return _folded(found)


def graph_of(model) -> tuple[dict, list]:
    """The sources of each layer, in the order of computation, and the layers of the outputs; None is the input."""
    import keras

    order = [layer for layer in getattr(model, "operations", model.layers) if type(layer).__name__ != "InputLayer"]
    for layer in order:
        if isinstance(layer, keras.Model):
            raise ValueError(f"{layer.name!r} is a model inside of {model.name!r}: draw each of them by itself")
    if isinstance(model, keras.Sequential):  # its tensors do not tell: each `add` calls its layers anew
        return {None: [], **{layer: [before] for before, layer in itertools.pairwise([None, *order])}}, order[-1:]
    sources = {None: []}
    made = {id(model.inputs[0]): None}
    for layer in order:
        inputs = keras.tree.flatten(layer.input)
        if any(id(tensor) not in made for tensor in inputs):
            raise ValueError(
                "plot_architecture draws models that use each of their layers once; "
                f"at {layer.name!r} this one uses a layer a second time, or a layer of another model"
            )
        sources[layer] = [made[id(tensor)] for tensor in inputs]
        made.update({id(tensor): layer for tensor in keras.tree.flatten(layer.output)})
    return sources, [made[id(tensor)] for tensor in model.outputs]


def path_to(layer, starts: set, sources: dict) -> list:
    """The layers of a branch, from behind one of `starts` up to `layer`."""
    path = []
    while layer not in starts:
        if len(sources[layer]) > 1:
            raise ValueError(f"only branches that merge once are drawn; at {layer.name!r} some merge inside another")
        path.insert(0, layer)
        layer = sources[layer][0]
    return path


def operation_of(layer) -> str:
    """What a layer does, in words: "convolution" of a Conv2D, "pooling" of a MaxPooling2D, else its class."""
    name = type(layer).__name__.removesuffix("2D")
    for ending, word in (("Conv", "convolution"), ("Pooling", "pooling")):
        if window_of(layer) and name.endswith(ending):
            return word
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.sub(r"[A-Z](?=[a-z])", lambda letter: letter[0].lower(), words)


def window_of(layer) -> tuple[int, int] | None:
    """The kernel or pooling window of a layer."""
    window = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    return None if window is None else tuple(window)


def _ancestors(layer, sources: dict) -> list:
    """A layer and all that it depends on, in the order of computation."""
    needed = {layer}
    for each in reversed(sources):
        if each in needed:
            needed.update(sources[each])
    return [each for each in sources if each in needed and each is not None]


def _blocks(trunk: list, sources: dict) -> Iterator[list]:
    """The trunk, cut behind each layer that all paths run through: where it is a chain, a block is one layer."""
    last_use = {source: position for position, layer in enumerate(trunk) for source in sources[layer]}
    block = []
    furthest = last_use.get(None, 0)
    for position, layer in enumerate(trunk):
        block.append(layer)
        if furthest <= position:  # nothing before this layer is used behind it
            yield block
            block = []
        furthest = max(furthest, last_use.get(layer, 0))


def _computing(path: list) -> tuple[Stage, ...]:
    """The layers of a path that compute something new or change the shape."""
    found = []
    for layer in path:
        if type(layer).__name__ in ARRANGES:
            continue
        before, output = (tuple(getattr(tensor, "shape", ())[1:]) for tensor in (layer.input, layer.output))
        if len(output) not in (1, 3):
            raise ValueError(
                f"plot_architecture draws maps and units, not an output of the shape {output}, as {layer.name!r} has it"
            )
        window = window_of(layer)
        if window is not None or hasattr(layer, "units") or output != before:
            operation = operation_of(layer)
            selects = len(output) == 3 or operation.endswith("pooling")
            kind = "convolution" if has_kernels(layer) else "pooling" if selects else "dense"
            groups = getattr(layer, "groups", 1) if window else 1  # a normalization's groups are others
            found.append(Stage(layer.name, output, kind, operation, window, groups))
    return tuple(found)


def _block(block: list, paths: list[list]) -> Stage:
    """Parallel paths that merge in the last layer of a block."""
    name = _common_name([layer.name for layer in block])
    operation = operation_of(block[-1])
    branches = [_computing(path) for path in paths]
    if operation == "add":  # the shortcut last
        branches.sort(key=len, reverse=True)
    return Stage(name, tuple(block[-1].output.shape[1:]), "convolution", operation, branches=tuple(branches))


def _folded(found: list[Stage]) -> list[Stage]:
    """The stages, each run of equal blocks as one, and in a long list each run of equal convolutions."""

    def alike(stage: Stage) -> tuple:
        if stage.branches:
            compared = stage.branches[:1] if stage.operation == "add" else stage.branches
            return stage.operation, stage.shape, [[each.label for each in branch] for branch in compared]
        if stage.kind == "convolution" and len(found) > LONGEST:
            return stage.operation, stage.shape, stage.window, stage.groups, stage.name.split("_")[0]
        return (stage.name,)

    return [_merged(list(run)) for _, run in itertools.groupby(found, alike)]


def _merged(run: list[Stage]) -> Stage:
    """A run of equal stages as one."""
    first = run[0]
    last = run[-1]
    entrance = ()
    if len(run) > 1 and first.branches and not last.branches[-1]:
        entrance = first.branches[-1]
    name = _common_name([stage.name for stage in run])
    return dataclasses.replace(last, name=name, repeats=len(run), entrance=entrance)


def _common_name(names: list[str]) -> str:
    """What the names of several layers begin with, or the last of them."""
    return os.path.commonprefix(names).rstrip("_") or names[-1]  # noqa: RUF071 (letter by letter is meant)

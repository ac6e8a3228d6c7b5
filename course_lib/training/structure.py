"""What identifies a network: its layers, their settings and how they connect, but not their names.

Keras numbers the names of layers within a process (`conv2d`, `conv2d_1`), so the same builder gives other names the
second time. Settings at their default are left out: a later version of Keras may add some.
"""

import functools
import inspect
import json
import zlib

import keras

UNIMPORTANT = ("module", "registered_name", "build_config", "compile_config")


def layer_digests(model: keras.Model) -> list[str]:
    """One text per layer, in order: its class, and a checksum of its settings, shapes of weights and inputs."""
    objects = list(getattr(model, "operations", model.layers))
    numbers = {each.name: number for number, each in enumerate(objects)}
    try:
        config = model.get_config()
    except (NotImplementedError, TypeError):  # a layer of the student's own that does not describe itself
        config = {}
    wired = {each["name"]: each["inbound_nodes"] for each in config.get("layers", []) if "inbound_nodes" in each}
    digests = []
    for each in objects:
        described = [_settings(each), _simplified(wired.get(each.name, []), numbers)]
        digests.append(f"{type(each).__name__} {_checksum(described)}")
    ends = _simplified(config.get("output_layers", []), numbers)
    return [*digests, f"outputs {_checksum(ends)}"]


def difference(kept: list[str], wanted: list[str]) -> str:
    """The first difference between two networks' digests, in words; "" where there is none."""
    for number, (there, here) in enumerate(zip(kept, wanted, strict=False), start=1):
        if there == here:
            continue
        was = there.split()[0]
        now = here.split()[0]
        if was != now:
            return f"layer {number} is a {was} there and a {now} here"
        return f"layer {number}, a {now}, has other settings, weights or inputs here"
    if len(kept) != len(wanted):
        return f"it has {len(kept) - 1} layers there and {len(wanted) - 1} here"
    return ""


def _settings(layer) -> object:
    """A layer's settings that are not at their default, and the shapes of its weights."""
    shapes = [list(weight.shape) for weight in getattr(layer, "weights", ())]
    if getattr(layer, "layers", None) and isinstance(layer, keras.Model):
        return [layer_digests(layer), layer.trainable]
    try:
        config = dict(layer.get_config())
    except (NotImplementedError, TypeError):
        return shapes
    config.pop("name", None)
    if isinstance(layer, keras.layers.Lambda):
        config["function"] = _code(layer.function)  # serialized, it holds the name of the notebook's cell
    defaults = _defaults(type(layer))
    given = {key: value for key, value in config.items() if value is not None and value != defaults.get(key, _settings)}
    return [_simplified(given, {}), shapes]


@functools.cache
def _defaults(kind: type) -> dict[str, object]:
    """The default of each argument of a class and of the classes that it inherits from."""
    defaults = {}
    for each in reversed(kind.__mro__):
        if "__init__" in vars(each) and each is not object:
            parameters = inspect.signature(each.__init__).parameters.values()
            defaults |= {one.name: one.default for one in parameters if one.default is not one.empty}
    return defaults


def _simplified(value: object, numbers: dict[str, int]) -> object:
    """A configuration without the names that Keras gives: layers by their number, in inner layers no names."""
    if isinstance(value, dict):
        if "keras_history" in value:
            name, *position = value["keras_history"]
            return [numbers.get(name), *position]
        inner = "trainable" in value or "dtype" in value  # of a layer inside a layer
        kept = {key: each for key, each in value.items() if key not in UNIMPORTANT and not (inner and key == "name")}
        return {key: _simplified(each, numbers) for key, each in kept.items() if each is not None}
    if isinstance(value, (list, tuple)):
        if value and isinstance(value[0], str) and value[0] in numbers:
            return [numbers[value[0]], *value[1:]]
        return [_simplified(each, numbers) for each in value]
    return value


def _code(function: object) -> object:
    code = getattr(function, "__code__", None)
    if code is None:
        return repr(type(function))
    constants = [each for each in code.co_consts if isinstance(each, (int, float, str, bool, tuple, type(None)))]
    return [code.co_code.hex(), repr(constants), repr(code.co_names)]


def _checksum(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return f"{zlib.crc32(text.encode()):08x}"

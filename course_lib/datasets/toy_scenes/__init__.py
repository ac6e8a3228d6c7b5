"""Toy scenes: a miniature ImageNet that is rendered here, in which each thing that makes vision hard is a knob.

Ten classes built of simple solids stand in one of five places. `sample` draws scenes, `render` shows them,
`clip` lets one move; `datasets.load("toy_scenes")` is the set made of them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

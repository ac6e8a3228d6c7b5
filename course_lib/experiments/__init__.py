"""The recorded runs behind the lessons: each a name, and all that is needed to make it again."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

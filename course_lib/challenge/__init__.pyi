from .client import connect
from .ladder_rule import ladder
from .serving import local

__all__ = ["connect", "ladder", "local"]

from .client import connect
from .serving import local

__all__ = ["connect", "local"]

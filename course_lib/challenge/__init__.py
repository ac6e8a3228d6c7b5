"""A dataset challenge with hidden labels: an evaluation server, a leaderboard, and the teams' side of both.

`local("toy_scenes")` holds one inside a notebook, `connect(url)` joins one that somebody else holds,
`python -m course_lib challenge serve toy_scenes --data DIR` holds one for a class.
"""

from course_lib import common

_HOMES = {"connect": "client", "local": "serving"}
__all__ = sorted(_HOMES)
__getattr__ = common.lazily(__name__, _HOMES)

"""A dataset challenge with hidden labels: an evaluation server, a leaderboard, and the teams' side of both.

`local("toy_scenes")` holds one inside a notebook, `connect(url)` joins one that somebody else holds,
`python -m course_lib challenge serve toy_scenes --data DIR` holds one for a class.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""Questions that check, hint and explain: `exercises.lenet.q1` shows a card, `exercises.lenet.q1.check(8)` answers.

The questions of a lesson are in one TOML file, where an instructor can change a text or foresee another wrong
answer. Answers that are functions are judged in `judges/`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""Who looks at this notebook: a person at a front end, or a program that only runs it."""

import os
import sys

from course_lib import common


def live() -> bool:
    """Whether a person can answer: the front end that runs this cell also accepts `input()`.

    JupyterLab, Jupyter Notebook, VS Code and Colab do. nbclient, nbconvert and nbval, which run and save lessons, say
    in each request that they do not. `COURSE_SAVING=1` says so for every front end.
    """
    if os.environ.get("COURSE_SAVING", "") not in ("", "0") or not common.in_notebook():
        return False
    if in_colab():
        return True
    from IPython import get_ipython

    request = get_ipython().get_parent() or {}
    return bool(request.get("content", {}).get("allow_stdin"))


def in_colab() -> bool:
    """Whether this kernel is Colab's."""
    return "google.colab" in sys.modules

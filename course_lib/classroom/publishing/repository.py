"""The name of the course's repository: where it stands, and how it is set in one go.

It is kept in pyproject.toml. Setup cells clone it, and each lesson's badge opens the lesson in Colab. As long as the
name is the one that the course came with, no badge is shown: it would lead nowhere.
"""

import pathlib
import re
import tomllib

from course_lib import common

UNSET = "your_organization/how-computers-see"
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[\w.-]{1,100}")
HOST = "https://github.com/"
PROJECT = "pyproject.toml"
BADGE = (
    "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
    "(https://colab.research.google.com/github/{name}/blob/main/lessons/{file})"
)
COLAB = re.compile(  # of a setup cell: what fetches the course in Colab, with its imports
    r'(?:^import (?:os|subprocess|sys)\n)*\n*^if "google\.colab" in sys\.modules:.*\n(?:(?:[ \t].*)?\n)+', re.MULTILINE
)
BADGE_IN_FILE = re.compile(r' *"\[!\[Open in Colab\]\([^"]*\\n",\n *"\\n",\n')
PROMISE_IN_FILE = re.compile(r'(?<=\\n",\n)(?P<indent> *)"\*\*(?:[^"\\]|\\.)*?\*\*\\n",\n *"\\n",\n')


def current(root: pathlib.Path = common.ROOT) -> str:
    """The name as owner/name; "" as long as it is the one that the course came with."""
    project = tomllib.loads((root / PROJECT).read_text(encoding="utf-8"))["project"]
    name = project["urls"]["Repository"].removeprefix(HOST)
    return "" if name == UNSET else name


def colab_address(name: str, file: str) -> str:
    """Where Colab opens a lesson of the repository `name`."""
    return f"https://colab.research.google.com/github/{name}/blob/main/lessons/{file}"


def without_colab(source: str) -> str:
    """A setup cell without the lines that fetch the course in Colab: they lead nowhere while no name is set."""
    return COLAB.sub("", source)


def set_name(name: str, root: pathlib.Path = common.ROOT) -> list[pathlib.Path]:
    """Writes the repository's name where it stands; returns the files that changed.

    Args:
        name: owner/name, or "" to take the name and the badges out again.
        root: the checkout.

    Raises:
        ValueError: `name` is no name of a repository on GitHub.
    """
    if name and not NAME.fullmatch(name):
        raise ValueError(
            f"the repository must be named owner/name, for example octocat/how-computers-see, not {name!r}"
        )
    old = current(root) or UNSET
    new = name or UNSET
    lessons = sorted((root / "lessons").glob("*.ipynb"))
    changed = []
    for path in [root / PROJECT, *lessons]:
        before = path.read_text(encoding="utf-8")
        after = re.sub(rf"(?<=github\.com/){re.escape(old)}(?![\w-])", new, before)
        if path in lessons:
            after = with_badge(after, name, path.name)
        if after != before:
            path.write_text(after, encoding="utf-8", newline="\n")
            changed.append(path)
    return changed


def with_badge(text: str, name: str, file: str) -> str:
    """The text of a notebook's file with the badge of the repository `name` under its promise, or without a badge."""
    text = BADGE_IN_FILE.sub("", text, count=1)
    if not name:
        return text
    line = BADGE.format(name=name, file=file)

    def add(promise: re.Match) -> str:
        indent = promise["indent"]
        return f'{promise[0]}{indent}"{line}\\n",\n{indent}"\\n",\n'

    return PROMISE_IN_FILE.sub(add, text, count=1)

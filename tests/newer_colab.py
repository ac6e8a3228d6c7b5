"""What changed in Colab since `data/colab-constraints.txt` was written: `python tests/newer_colab.py FILE`.

FILE is a newer list as Colab publishes it (pip-freeze.txt of github.com/googlecolab/backend-info). Prints one line
per package of the course that changed; the exit status is 1 where one did.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OURS = ROOT / "data" / "colab-constraints.txt"
REQUIREMENTS = ROOT / "requirements.txt"


def normalized(name: str) -> str:
    """A package's name as pip compares names: "Array_Record" and "array-record" are one."""
    return re.sub(r"[-_.]+", "-", name).lower()


def names(text: str) -> set[str]:
    """The packages that a requirements file names."""
    return {normalized(name) for name in re.findall(r"^[A-Za-z][\w.-]*", text, re.MULTILINE)}


def versions(text: str) -> dict[str, str]:
    """Each package of a list with its version, or with the address that it was installed from."""
    found = re.findall(r"^([A-Za-z][\w.-]*) ?(?:==|@) ?(\S+)", text, re.MULTILINE)
    return {normalized(name): version for name, version in found}


def changes(newer: str) -> list[str]:
    """One line per package of ours that has another version in `newer` or is missing, or that is new and needed."""
    ours, theirs = versions(OURS.read_text(encoding="utf-8")), versions(newer)
    lines = [
        f"{name} {version} -> {theirs.get(name, 'not in the list any more')}"
        for name, version in ours.items()
        if theirs.get(name) != version
    ]
    needed = names(REQUIREMENTS.read_text(encoding="utf-8"))
    return lines + [f"{name} {theirs[name]} is new there" for name in sorted(needed & theirs.keys() - ours.keys())]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = changes(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    print("\n".join(found) or f"Nothing changed since {OURS.name}.")
    sys.exit(1 if found else 0)

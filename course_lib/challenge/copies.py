"""A challenge's folder as a whole: whether it is sound, and a copy of it."""

import hashlib
import pathlib
import secrets
import shutil

from course_lib.challenge.making import DATABASE, describe, opened


def check(folder: pathlib.Path) -> None:
    """Reads every file of the challenge once. Raises ValueError where one is missing or damaged."""
    _check_images(folder)
    with opened(folder) as store:
        store.database.check()


def backup(folder: pathlib.Path, target: pathlib.Path) -> None:
    """Copies the challenge, while it is served or not, to a new folder that can be served in its place.

    Raises:
        ValueError: there is something at `target`, or a file of the challenge is damaged.
    """
    if target.exists():
        raise ValueError(f"{target} is there already. Name a new folder.")
    check_outside(folder, target, "folder")
    _check_images(folder)
    unfinished = target.with_name(f"{target.name}.unfinished-{secrets.token_hex(4)}")
    try:
        with opened(folder, reading=True) as store:
            (unfinished / "public").mkdir(parents=True)
            for name in ("challenge.json", *(f"{part}.npz" for part in store.about["files"])):
                shutil.copy2(folder / "public" / name, unfinished / "public")
            (unfinished / "private").mkdir(mode=0o700)
            shutil.copy2(folder / "private" / "labels.npz", unfinished / "private")
            store.database.copy_to(unfinished / "private" / DATABASE)
        check(unfinished)
        unfinished.replace(target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def check_outside(folder: pathlib.Path, target: pathlib.Path, kind: str) -> None:
    """Raises ValueError where a private copy would lie in the challenge itself, or take the place of a file of it."""
    if folder.resolve() in target.resolve().parents:
        raise ValueError(f"{target} lies in {folder} itself. Name a {kind} elsewhere, best on another disk.")


def _check_images(folder: pathlib.Path) -> None:
    for part, sha256 in describe(folder)["files"].items():
        path = folder / "public" / f"{part}.npz"
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            raise ValueError(f"{path} is missing or damaged. Put it back from the newest folder of `backup`.")

"""The folders that runs are kept in: where they are, and whether a run may be written there."""

import pathlib
from os import PathLike

from PIL import Image


def folder_of(path: object) -> pathlib.Path:
    """A folder's path; "~" is the home folder.

    Raises:
        ValueError: no path.
    """
    if not isinstance(path, (str, PathLike)) or not str(path).strip():
        raise ValueError(f"a run's folder must be a path such as 'runs/mine', not {path!r}")
    return pathlib.Path(path).expanduser()


def refuse_pictures(folder: pathlib.Path) -> None:
    """Raises ValueError where a folder without a run holds pictures, or folders of pictures: it is somebody's data."""
    known = Image.registered_extensions()
    for path in [*folder.glob("*.*"), *folder.glob("*/*.*")]:
        if path.suffix.lower() in known and not path.name.startswith("."):
            raise ValueError(
                f"{folder} holds pictures ({path.relative_to(folder)}), and a run would lie among them: choose another "
                "folder"
            )


def writable(path: str | PathLike) -> pathlib.Path:
    """The folder `path`, made if need be, once it is known that files can be written there.

    Raises:
        ValueError: they cannot; the message says why.
    """
    folder = folder_of(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".can-write").touch()
        (folder / ".can-write").unlink()
    except OSError as error:
        raise ValueError(f"{str(folder)!r} cannot be written ({error.strerror}): choose another folder") from error
    return folder

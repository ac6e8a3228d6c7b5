"""The tokens of a team's computer: one file each, made once, never half written, for one server and challenge alone."""

import contextlib
import hashlib
import os
import pathlib
import secrets

from course_lib.challenge.rules import TOKEN


def folder(token_dir: object) -> pathlib.Path:
    """The folder that keeps the tokens. Raises ValueError where it cannot be one."""
    path = os.path.expanduser(token_dir) if isinstance(token_dir, (str, os.PathLike)) else None
    if not path or os.path.isfile(path):
        raise ValueError(f"token_dir must be a folder, which keeps the teams' tokens, not {token_dir!r}")
    return pathlib.Path(path)


def kept(token_dir: pathlib.Path, url: str, challenge: str, team: str, typed: str = "") -> str:
    """The team's token for the challenge at this address, made where there is none.

    A server that only claims to be this challenge, at another address, is sent another token. The first edition's files
    are named without an address: such a token, of the team as it was `typed`, is for the address that asks first.

    Raises:
        ValueError: the folder cannot keep it.
    """
    path = token_dir / _name(f"{url} {challenge} {team.casefold()}")
    old = token_dir / _name(f"{challenge} {typed.lower()}")
    try:
        if not _whole(path) and _whole(old):
            with contextlib.suppress(FileNotFoundError):  # another notebook was first
                old.replace(path)
        return _kept(path)
    except OSError as error:
        raise ValueError(
            f"The team's token cannot be kept in {token_dir} ({error.strerror}). "
            "Name a folder of your own: connect(url, token_dir=...)."
        ) from error


def _name(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _kept(path: pathlib.Path) -> str:
    if token := _whole(path):
        return token
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32))  # kept before it is sent: without it the team could not come back
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(unfinished)  # unless another notebook was first: both are the same team
    except OSError:
        if not _whole(path):  # cut short, or on a disk without such links
            unfinished.replace(path)
    unfinished.unlink(missing_ok=True)
    return path.read_text(encoding="ascii")


def _whole(path: pathlib.Path) -> str:
    """The token in the file, "" where there is none or half of one."""
    text = path.read_text(encoding="ascii", errors="replace") if path.is_file() else ""
    return text if TOKEN.fullmatch(text) else ""

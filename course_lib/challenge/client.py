"""A team's side of a challenge: get the images, enter a team, send predictions, read the leaderboard.

Every request may be repeated: a lost answer is asked for again, and nothing counts twice.
"""

import dataclasses
import hashlib
import http.client
import io
import json
import os
import pathlib
import re
import secrets
import time
from urllib import error, parse, request

import numpy as np

from course_lib import common
from course_lib.challenge import predictions as forms
from course_lib.challenge.store import check_note, check_team

PAUSES = (0.2, 1.0, 3.0, 6.0)  # seconds before a request is sent again: a server that is started anew needs them


@dataclasses.dataclass(frozen=True)
class ChallengeData:
    """What the teams get: images uint8 `(n, height, width, channels)`, labels int64 `(n,)`, none for the test."""

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    test_images: np.ndarray
    class_names: tuple[str, ...]

    def __repr__(self) -> str:
        parts = {"training": self.train[0], "validation": self.validation[0], "test": self.test_images}
        sizes = ", ".join(f"{len(images):,} {part}" for part, images in parts.items())
        shape = "×".join(map(str, self.test_images.shape[1:]))
        return f"<challenge data: {sizes} images of {shape}, {len(self.class_names)} classes>"


@dataclasses.dataclass(frozen=True)
class Receipt:
    """The answer to a submission; scores are shares of the public half, from 0 to 1."""

    public: float
    public_top5: float | None
    rank: int
    left_today: int
    counted: bool  # False: the same predictions had been sent before

    def __str__(self) -> str:
        top5 = "" if self.public_top5 is None else f" (top-5 {self.public_top5:.1%})"
        again = "" if self.counted else " The same predictions were here before: they count once."
        return f"public accuracy {self.public:.1%}{top5}, rank {self.rank}, {self.left_today} left today.{again}"


def connect(url: str, *, token_dir: str | os.PathLike = "~/.course_lib/challenges") -> "Client":
    """A connection to the challenge at `url`, the address that the instructor gave.

    `token_dir` keeps the teams' tokens, each in a file that only this user can read.

    Raises:
        ValueError: not an address, nobody answers there, it is no challenge, offline work forbids it, or `token_dir`
            is no folder.
    """
    return Client(_address(url), _token_folder(token_dir))


class Client:
    """One team's connection; see `connect`. `about` holds what everybody may know of the challenge."""

    def __init__(self, parts: parse.SplitResult, token_dir: pathlib.Path):
        if common.offline() and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError(f"COURSE_OFFLINE forbids to connect to {parts.hostname}; challenge.local() works offline.")
        self.url, self.team, self._token = f"{parts.scheme}://{parts.netloc}", None, ""
        self._opener = request.build_opener(request.ProxyHandler({}))  # the server is in the same room
        try:
            self.about = json.loads(self._send("api/challenge"))
            self._id, self._token_dir = self.about["id"], token_dir
        except (json.JSONDecodeError, TypeError, KeyError):
            raise ValueError(f"what answers at {self.url} is no challenge; is the address right?") from None

    def __repr__(self) -> str:
        return f"<challenge {self.about['name']} at {self.url}, {f'team {self.team}' if self.team else 'no team yet'}>"

    def download(self) -> ChallengeData:
        """Training and validation images with their labels, and the test images; each file's hash is checked.

        Raises:
            ValueError: a file arrived damaged, or the server is gone.
        """
        arrays = {}
        for part, sha256 in self.about["files"].items():
            content = self._send(f"files/{part}.npz")
            if hashlib.sha256(content).hexdigest() != sha256:
                raise ValueError(f"{part}.npz arrived damaged, {len(content):,} bytes long. Try again.")
            with np.load(io.BytesIO(content)) as stored:
                arrays[part] = {name: stored[name] for name in stored}
        pairs = [(arrays[part]["images"], arrays[part]["labels"]) for part in ("train", "validation")]
        return ChallengeData(*pairs, arrays["test"]["images"], tuple(self.about["class_names"]))

    def register(self, team: str) -> "Client":
        """Enters the team and keeps its token, so that the same call finds it again later; returns this client.

        Raises:
            ValueError: a name that cannot be used or is taken, or a folder that cannot keep the token.
        """
        check_team(team)
        path = self._token_dir / hashlib.sha256(f"{self._id} {team.lower()}".encode()).hexdigest()
        try:
            token = _kept_token(path)
        except OSError as error:
            raise ValueError(
                f"The team's token cannot be kept in {path.parent} ({error.strerror}). "
                "Name a folder of your own: connect(url, token_dir=...)."
            ) from error
        self._send("api/teams", b"", team=team, token=token)
        self.team, self._token = team, token
        return self

    def submit(self, predictions: object, note: str = "") -> Receipt:
        """Sends predictions for all test images; the same ones sent twice count once.

        Args:
            predictions: class indices `(n,)`, scores `(n, num_classes)` of any range (then top-5 counts too), or
                the path of a CSV file in Kaggle's form (`id,label`).
            note: a few words for the leaderboard.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: no team is registered, or the server refuses: the message says why.
        """
        if self.team is None:
            raise ValueError('register a team first: client.register("our name")')
        check_note(note)
        sizes = self.about["test_images"], len(self.about["class_names"])
        body, form = _encode(predictions, sizes)
        if len(body) > forms.largest(*sizes):
            raise ValueError(f"{len(body):,} bytes are too many for {sizes[0]} predictions; is it the right file?")
        answer = self._send("api/submissions", body, form, self._token, team=self.team, note=note)
        return Receipt(**json.loads(answer))

    def leaderboard(self):
        """The leaderboard as a pandas table, best first; private scores once the instructor has revealed them."""
        import pandas

        lines = json.loads(self._send("api/leaderboard"))["lines"]
        types = {"rank": "Int64", "team": str, "kind": str, "public": float, "public_top5": float, "submissions": int}
        types |= {"note": str, "private": float, "private_rank": "Int64"}
        return pandas.DataFrame(lines, columns=list(types)).astype(types)

    def _send(self, path: str, body: bytes | None = None, form: str = "", token: str = "", **query: str) -> bytes:
        """The answer's body; a request that gets no answer is sent again after each pause."""
        url = f"{self.url}/{path}?{parse.urlencode(query)}"
        asked = request.Request(url, body, {"Content-Type": form, "Authorization": f"Bearer {token}"})
        for pause in (*PAUSES, None):
            try:
                with self._opener.open(asked, timeout=30) as answer:  # seconds
                    return answer.read()
            except error.HTTPError as refused:
                raise ValueError(_sentence(refused)) from refused
            except (OSError, http.client.HTTPException) as silence:
                if pause is None:
                    raise ValueError(f"no answer from {self.url} ({silence}). Is the server running?") from silence
                time.sleep(pause)


def _address(url: object) -> parse.SplitResult:
    """The parts of a challenge's address."""
    try:
        parts = parse.urlsplit(url if "//" in url else f"http://{url}")
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        if known and parts.hostname.encode("idna").isascii() and not re.search(r"\s", parts.netloc):
            return parts
    except (TypeError, ValueError):  # no text, or one with brackets, a port or a name that cannot be
        pass
    raise ValueError(f"{url!r} is no address of a challenge; one looks like http://192.168.0.10:8899")


def _token_folder(token_dir: object) -> pathlib.Path:
    folder = os.path.expanduser(token_dir) if isinstance(token_dir, (str, os.PathLike)) else None
    if folder is None or os.path.isfile(folder):
        raise ValueError(f"token_dir must be a folder, which keeps the teams' tokens, not {token_dir!r}")
    return pathlib.Path(folder)


def _kept_token(path: pathlib.Path) -> str:
    """The token in the file, made where there is none."""
    if not path.is_file():  # kept before it is sent: a name whose token is lost could never be used again
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
    return path.read_text(encoding="ascii")


def _content(path: str | os.PathLike) -> bytes:
    """What is in the file of predictions."""
    try:
        return pathlib.Path(path).read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"there is no file {str(path)!r} in {pathlib.Path.cwd()}; name the CSV file to send"
        ) from None
    except (OSError, ValueError):  # a folder, a file of others, or no path at all
        raise ValueError(f"{str(path)!r} is no file that can be read; name the CSV file to send") from None


def _encode(predictions: object, sizes: tuple[int, int]) -> tuple[bytes, str]:
    """The body and its form; what is in it is for the server to judge."""
    if isinstance(predictions, (str, os.PathLike)):
        return _content(predictions), "text/csv"
    try:
        values = np.asarray(predictions)
    except ValueError:
        raise ValueError(
            f"predictions must be one array; the rows of this {type(predictions).__name__} differ"
        ) from None
    if values.ndim == 1:
        lines = ["id,label", *(f"{index},{value}" for index, value in enumerate(values))]
        return "\n".join(lines).encode(), "text/csv"
    if values.shape != sizes or values.dtype.kind not in "iuf":
        what = f"{values.dtype} of shape {values.shape}"
        raise ValueError(f"predictions must be {sizes[0]} class indices or scores of shape {sizes}, not {what}")
    return values.astype("<f4").tobytes(), forms.SCORES


def _sentence(refused: error.HTTPError) -> str:
    answer = refused.read()
    known = answer.startswith(b'{"error"')
    return json.loads(answer)["error"] if known else f"{refused.url} answers {refused.code}; is the address right?"

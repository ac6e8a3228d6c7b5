"""A team's side of a challenge: get the images, enter a team, send predictions, read the leaderboard.

Every request may be repeated: a lost answer is asked for again and nothing counts twice.
"""

import dataclasses
import hashlib
import http.client
import io
import json
import os
import pathlib
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request

import numpy as np

from course_lib import common
from course_lib.challenge.predictions import SCORES, largest

TOKENS = pathlib.Path("~/.course_lib/challenges")
PATIENCE = 30.0  # seconds for one answer
PAUSES = (0.2, 1.0, 3.0)  # seconds before a request is sent again: a server that is started anew needs them
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclasses.dataclass(frozen=True)
class ChallengeData:
    """What the teams get: images uint8 `(n, height, width, channels)`, labels int64 `(n,)`, no labels for the test."""

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    test_images: np.ndarray
    class_names: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Receipt:
    """The answer to a submission: shares of the public half, from 0 to 1, and what is left."""

    public: float
    public_top5: float | None
    rank: int
    left_today: int
    counted: bool  # False: the same predictions had been sent before

    def __str__(self) -> str:
        top5 = "" if self.public_top5 is None else f" (top-5 {self.public_top5:.0%})"
        again = "" if self.counted else " These predictions were here before, so they count once."
        return f"public accuracy {self.public:.0%}{top5}, rank {self.rank}, {self.left_today} left today.{again}"


def connect(url: str, *, token_dir: str | os.PathLike = TOKENS) -> "Client":
    """A connection to the challenge at `url`, the address that the instructor gave.

    `token_dir` keeps the teams' tokens, each in a file that only this user can read.

    Raises:
        ValueError: not an address, nobody answers there, or it is no challenge.
    """
    return Client(url, pathlib.Path(token_dir).expanduser())


class Client:
    """One team's connection; see `connect`. `about` holds what everybody may know of the challenge."""

    def __init__(self, url: str, token_dir: pathlib.Path):
        parts = urllib.parse.urlsplit(url if "//" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a challenge; one looks like http://192.168.0.10:8899")
        if common.offline() and parts.hostname not in LOOPBACK:
            raise ValueError(f"COURSE_OFFLINE forbids to connect to {parts.hostname}; challenge.local works offline.")
        self.url = f"{parts.scheme}://{parts.netloc}"
        self.team: str | None = None
        self._token = ""
        # No proxy: the server stands in the same room.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.about = self._ask("api/challenge")
        self._token_dir = token_dir / self.about["id"]

    def __repr__(self) -> str:
        return f"<challenge {self.about['name']} at {self.url}, {f'team {self.team}' if self.team else 'no team yet'}>"

    def download(self) -> ChallengeData:
        """Training and validation images with their labels, and the test images; each file's hash is checked.

        Raises:
            ValueError: a file arrived damaged, or the server is gone.
        """
        arrays = {}
        for part, file in self.about["files"].items():
            content = self._send(f"files/{part}.npz")
            if hashlib.sha256(content).hexdigest() != file["sha256"]:
                raise ValueError(f"{part}.npz arrived damaged ({len(content)} of {file['bytes']} bytes). Try again.")
            with np.load(io.BytesIO(content)) as stored:
                arrays[part] = {name: stored[name] for name in stored}
        pairs = [(arrays[part]["images"], arrays[part]["labels"]) for part in ("train", "validation")]
        return ChallengeData(*pairs, arrays["test"]["images"], tuple(self.about["class_names"]))

    def register(self, team: str) -> "Client":
        """Enters the team and keeps its token, so that the same call finds it again later; returns this client.

        Raises:
            ValueError: a name that cannot be used or is taken.
        """
        path = self._token_dir / (hashlib.sha256(team.lower().encode()).hexdigest()[:16] + ".token")
        token = path.read_text(encoding="ascii").strip() if path.is_file() else secrets.token_urlsafe(32)
        known = path.is_file()
        if not known:  # kept first: a name whose token is lost could never be used again
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(token)
        try:
            self._ask("api/teams", json.dumps({"team": team, "token": token}).encode())
        except ValueError as error:
            if not known and isinstance(error.__cause__, urllib.error.HTTPError):  # refused, so there is no such team
                path.unlink()
            raise
        self.team, self._token = team, token
        return self

    def submit(self, predictions: object, note: str = "") -> Receipt:
        """Sends predictions for all test images; the same ones sent twice count once.

        Args:
            predictions: class indices `(n,)`, scores `(n, num_classes)` of any range (then top-5 counts too), or
                the path of a CSV file in Kaggle's form (`id,label`).
            note: a few words for the leaderboard.

        Raises:
            ValueError: no team is registered, or the server refuses: the message says why.
        """
        if self.team is None:
            raise ValueError('register a team first: client.register("our name")')
        body, form = self._encode(predictions)
        most = largest(self.about["test_images"], len(self.about["class_names"]))
        if len(body) > most:
            raise ValueError(f"{len(body):,} bytes are too many for {self.about['test_images']} predictions.")
        query = urllib.parse.urlencode({"team": self.team, "note": note})
        headers = {"Content-Type": form, "Authorization": f"Bearer {self._token}"}
        return Receipt(**self._ask(f"api/submissions?{query}", body, headers))

    def leaderboard(self):
        """The leaderboard as a pandas table, best first; private scores once the instructor has revealed them."""
        import pandas

        columns = ["rank", "team", "kind", "public", "public_top5", "submissions", "note", "private", "private_rank"]
        table = pandas.DataFrame(self._ask("api/leaderboard"), columns=columns)
        return table.astype({"rank": "Int64", "private_rank": "Int64", "public_top5": float, "private": float})

    def _encode(self, predictions: object) -> tuple[bytes, str]:
        if isinstance(predictions, (str, os.PathLike)):
            return pathlib.Path(predictions).read_bytes(), "text/csv"
        values = np.asarray(predictions)
        if values.ndim == 1:
            return "\n".join(["id,label", *(f"{index},{value}" for index, value in enumerate(values))]).encode(), "text/csv"
        shape = (self.about["test_images"], len(self.about["class_names"]))
        if values.shape != shape or not np.issubdtype(values.dtype, np.number):
            raise ValueError(
                f"predictions must be {shape[0]} class indices, or scores of shape {shape}; "
                f"{values.dtype} of shape {values.shape} came in"
            )
        return values.astype("<f4").tobytes(), SCORES

    def _ask(self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None):
        try:
            return json.loads(self._send(path, body, headers))
        except json.JSONDecodeError:
            raise ValueError(f"what answers at {self.url} is no challenge; is the address right?") from None

    def _send(self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
        """The answer's body; a request without an answer is sent again after each pause."""
        for pause in (*PAUSES, None):
            request = urllib.request.Request(f"{self.url}/{path}", body, headers or {})
            try:
                with self._opener.open(request, timeout=PATIENCE) as answer:
                    return answer.read()
            except urllib.error.HTTPError as error:
                raise ValueError(_reason(error)) from error
            except (OSError, http.client.HTTPException) as error:
                if pause is None:
                    reason = getattr(error, "reason", error) or type(error).__name__
                    raise ValueError(f"no answer from {self.url}: {reason}. Is the server running?") from error
                time.sleep(pause)


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return json.loads(error.read())["error"]
    except (ValueError, TypeError, KeyError, OSError):
        return f"{error.url} answers {error.code} {error.reason}; is the address right?"

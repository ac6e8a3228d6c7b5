"""A team's side of a challenge: get the images, enter a team, send predictions, read the leaderboard.

Every request may be repeated: a lost answer is asked for again, and nothing counts twice.
"""

import dataclasses
import hashlib
import io
import os
import pathlib
import zipfile
from urllib import parse

import numpy as np

from course_lib import common
from course_lib.challenge import asking, rules, tokens
from course_lib.challenge import predictions as forms


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
    """The answer to a submission; scores are accuracies on the public half, from 0 to 1."""

    public: float
    public_top5: float | None
    rank: int
    left_today: int
    counted: bool  # False: the same predictions had been sent before
    left_in_all: int | None = None  # None: the days alone have a limit

    def __str__(self) -> str:
        top5 = "" if self.public_top5 is None else f" (top-5 {self.public_top5:.1%})"
        in_all = "" if self.left_in_all is None else f", {self.left_in_all} in all"
        again = "" if self.counted else " The same predictions were here before: they count once."
        return (
            f"public accuracy {self.public:.1%}{top5}, rank {self.rank}, {self.left_today} left today{in_all}.{again}"
        )


def connect(url: str, *, token_dir: str | os.PathLike = "~/.course_lib/challenges") -> "Client":
    """A connection to the challenge at `url`, the address that the instructor gave.

    `token_dir` keeps the teams' tokens, each in a file that only this user can read.

    Raises:
        ValueError: not an address, nobody answers there, it is no challenge, offline work forbids it, or `token_dir`
            is no folder.
    """
    return Client(asking.address(url), tokens.folder(token_dir))


class Client:
    """One team's connection; see `connect`. `about` holds what everybody may know of the challenge."""

    def __init__(self, parts: parse.SplitResult, token_dir: pathlib.Path):
        if common.offline() and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError(f"COURSE_OFFLINE forbids to connect to {parts.hostname}; challenge.local() works offline.")
        self.url = f"{parts.scheme}://{parts.netloc}"
        self.team: str | None = None
        self.shown_as: str | None = None  # the team's name on the board
        self._token = ""
        self._token_dir = token_dir
        self._asker = asking.Asker(self.url)
        about = self._asker.first("api/challenge")
        try:
            self.about = asking.fields(about, id=str, name=str, files=dict, class_names=list, test_images=int)
        except ValueError:
            raise ValueError(f"what answers at {self.url} is no challenge; is the address right?") from None
        self._id = self.about["id"]

    def __repr__(self) -> str:
        return f"<challenge {self.about['name']} at {self.url}, {f'team {self.team}' if self.team else 'no team yet'}>"

    def download(self) -> ChallengeData:
        """Training and validation images with their labels, and the test images; each file's hash is checked.

        Raises:
            ValueError: a file arrived damaged, or the server is gone.
        """
        train, validation = (self._file(part, "images", "labels") for part in ("train", "validation"))
        (test,) = self._file("test", "images")
        return ChallengeData(train, validation, test, tuple(self.about["class_names"]))

    def register(self, team: str, code: str = "") -> "Client":
        """Enters the team and keeps a token, so that the same call finds it again later; returns this client.

        Args:
            team: the team's name.
            code: what is on the slip from the instructor, where the challenge is entered with codes. Every computer
                of the team gives it once.

        Raises:
            ValueError: a name or code that cannot be used, a name that is taken, or no place to keep the token.
        """
        name = rules.team_name(team)
        code = rules.code_text(code)
        address = self.url.replace("//localhost", "//127.0.0.1")  # two names of one server
        token = tokens.kept(self._token_dir, address, self._id, name, typed=team)
        answer = asking.fields(
            self._asker.send("api/teams", code.encode(), token=token, team=name), team=str, shown_as=str
        )
        self.team = answer["team"]
        self.shown_as = answer["shown_as"]
        self._token = token
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
        note = rules.note_text(note)
        sizes = self.about["test_images"], len(self.about["class_names"])
        body, form = _encode(predictions, sizes)
        if len(body) > forms.largest(*sizes):
            raise ValueError(f"{len(body):,} bytes are too many for {sizes[0]} predictions; is it the right file?")
        answer = asking.fields(
            self._asker.send("api/submissions", body, form, self._token, team=self.team, note=note),
            public=float,
            rank=int,
            left_today=int,
            counted=bool,
        )
        return Receipt(**{field.name: answer.get(field.name) for field in dataclasses.fields(Receipt)})

    def leaderboard(self):
        """The leaderboard as a pandas table, best first; private scores once the instructor has revealed them.

        Where the board shows pseudonyms, your own team stands here with its name.
        """
        import pandas

        who = {"team": self.team, "token": self._token} if self.team else {}
        lines = asking.fields(self._asker.send("api/leaderboard", **who), lines=list)["lines"]
        types = {"rank": "Int64", "team": str, "kind": str, "public": float, "public_top5": float, "submissions": int}
        types |= {"note": str, "private": float, "private_rank": "Int64"}
        return pandas.DataFrame(lines, columns=list(types)).astype(types)

    def _file(self, part: str, *names: str) -> tuple[np.ndarray, ...]:
        """The arrays of these names in a file of the challenge."""
        content = self._asker.send(f"files/{part}.npz", token=self._token)
        if hashlib.sha256(content).hexdigest() != self.about["files"].get(part):
            raise ValueError(f"{part}.npz arrived damaged, {len(content):,} bytes long. Try again.")
        try:
            with np.load(io.BytesIO(content)) as stored:
                return tuple(stored[name] for name in names)
        except (ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile):
            raise ValueError(f"{part}.npz is no file of a challenge; is the address right?") from None


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
        return "\n".join(lines).encode(errors="replace"), "text/csv"
    if values.shape != sizes or values.dtype.kind not in "iuf":
        what = f"{values.dtype} of shape {values.shape}"
        raise ValueError(f"predictions must be {sizes[0]} class indices or scores of shape {sizes}, not {what}")
    if np.isfinite(values).all():  # else the server says what is wrong with them
        values = _ranks(values)
    return values.astype("<f4").tobytes(), forms.SCORES


def _ranks(scores: np.ndarray) -> np.ndarray:
    """Whole numbers in the order of each row's scores, of equal ones the first best: the form holds them exactly."""
    classes = scores.shape[1]
    order = np.argsort(-scores.astype(float), axis=1, kind="stable")
    ranks = np.empty(scores.shape)
    np.put_along_axis(ranks, order, np.arange(classes, 0, -1.0)[None, :], axis=1)
    return ranks

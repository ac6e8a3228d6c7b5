"""What must outlast the server: teams, submissions, and the scores of both halves, in one SQLite file.

A submission is answered once it is on disk (WAL, synchronous FULL), so killing the server loses no answered one.
"""

import hashlib
import hmac
import pathlib
import re
import sqlite3
import time

import numpy as np

TEAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,29}")
TEAM_RULE = "1 to 30 letters (a to z), digits, blanks, dots, hyphens or underscores, the first a letter or digit"
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")  # 256 bits, as `secrets.token_urlsafe(32)` writes them
MOST_TEAMS, NOTE_LENGTH = 1000, 80
SCHEMA = pathlib.Path(__file__).with_name("schema.sql")
FORMULA = ("=", "+", "-", "@")  # how a formula starts in the spreadsheet that opens an export
DECIMALS = 2  # of public scores: an answer then says less than 7 bits about 250 labels with 830


class RefusedError(ValueError):
    """A request that breaks a rule; `status` is HTTP's code for it."""

    def __init__(self, status: int, reason: str):
        super().__init__(reason)
        self.status = status


def check_team(team: object) -> None:
    """Raises RefusedError where `team` cannot be a team's name."""
    if not isinstance(team, str) or not TEAM.fullmatch(team):
        shown = repr(team[:40] if isinstance(team, str) else team)
        raise RefusedError(400, f"The team name {shown} cannot be used: take {TEAM_RULE}.")


def check_note(note: object) -> None:
    """Raises RefusedError where `note` cannot be a submission's note."""
    if isinstance(note, str) and len(note) <= NOTE_LENGTH and note.isprintable() and not note.startswith(FORMULA):
        return
    came = f"{len(note):,} characters" if isinstance(note, str) else repr(note)
    raise RefusedError(
        400,
        f"A note is a line of at most {NOTE_LENGTH} characters that starts with no sign, such as =; this is {came}.",
    )


class Store:
    """The challenge's memory.

    Args:
        path: the SQLite file, made where there is none.
        labels: `(n,)` int64, the truth.
        public: `(n,)` bool, which of them the public score counts.
        daily_limit: submissions a team may make between two midnights of this machine.
    """

    def __init__(self, path: pathlib.Path, labels: np.ndarray, public: np.ndarray, daily_limit: int):
        self.labels, self.public, self.daily_limit = labels, public, daily_limit
        self._database = sqlite3.connect(path, timeout=30, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        self._database.executescript(SCHEMA.read_text(encoding="utf-8"))

    def close(self) -> None:
        self._database.close()

    def register(self, team: str, token: str) -> None:
        """Enters a team; the same name with the same token once more changes nothing.

        Raises:
            RefusedError: a name or token of another form, a name that is taken, or too many teams.
        """
        check_team(team)
        if not TOKEN.fullmatch(token):
            raise RefusedError(400, "A token is 43 characters long, as secrets.token_urlsafe(32) makes it.")
        room = f"(SELECT count(*) FROM teams) < {MOST_TEAMS}"
        self._all(
            f"INSERT OR IGNORE INTO teams (name, kind, token) SELECT ?, 'team', ? WHERE {room}", team, _hash(token)
        )
        if not self.owns(team, token):
            raise RefusedError(
                409, f"The team name {team!r} is taken, or there are {MOST_TEAMS} teams. Try another one."
            )

    def owns(self, team: str, token: str) -> bool:
        """Whether the token is the team's; it takes as long where there is no such team."""
        rows = self._all("SELECT token FROM teams WHERE name = ? AND kind = 'team'", team)
        return hmac.compare_digest(rows[0]["token"] if rows else bytes(32), _hash(token))

    def submit(self, team: str, ranked: np.ndarray, note: str = "") -> dict[str, object]:
        """Scores a submission and keeps it; the same predictions once more are answered, but not kept again.

        Args:
            ranked: predicted classes, best first, `(n, 1)` or `(n, 5)` int64.

        Raises:
            RefusedError: the team is gone, the day's limit is reached, the challenge is over, or the note is unfit.
        """
        check_note(note)
        row = self.score(ranked) | {"digest": hashlib.sha256(ranked.astype("<i8").tobytes()).digest(), "note": note}
        with self._database as database:
            database.execute("BEGIN IMMEDIATE")
            if not (teams := self._all("SELECT id FROM teams WHERE name = ?", team)):
                raise RefusedError(401, "This team is no longer in the challenge. Ask the instructor.")
            number, midnight = teams[0]["id"], time.mktime((*time.localtime()[:3], 0, 0, 0, 0, 0, -1))
            today = self._all("SELECT id FROM submissions WHERE team = ? AND at >= ?", number, midnight)
            left = self.daily_limit - len(today)
            known = self._all("SELECT id FROM submissions WHERE team = ? AND digest = ?", number, row["digest"])
            if not known:
                if self.revealed():
                    raise RefusedError(409, "The challenge is over: the private half has been revealed.")
                if left <= 0:
                    raise RefusedError(429, f"Today's {self.daily_limit} submissions are used up. Go on tomorrow.")
                self._insert("submissions", row | {"team": number, "at": time.time()})
        rank = next(line["rank"] for line in self.leaderboard() if line["team"].lower() == team.lower())
        answer = {"public": row["public"], "public_top5": row.get("public_top5"), "rank": rank}
        return answer | {"left_today": left - (not known), "counted": not known}

    def enter(self, name: str, kind: str, scores: dict[str, float]) -> None:
        """Puts a line that is no team on the board: `kind` is "baseline" or "human"."""
        team = self._insert("teams", {"name": name, "kind": kind})
        self._insert("submissions", scores | {"team": team, "at": time.time(), "digest": b"", "note": ""})

    def score(self, ranked: np.ndarray) -> dict[str, float]:
        """The shares of both halves that are right: public ones rounded, top-5 where five classes are ranked."""
        hits = {"": ranked[:, 0] == self.labels}
        if ranked.shape[1] > 1:
            hits["_top5"] = (ranked == self.labels[:, None]).any(1)
        public = {f"public{top}": round(float(hit[self.public].mean()), DECIMALS) for top, hit in hits.items()}
        return public | {f"private{top}": float(hit[~self.public].mean()) for top, hit in hits.items()}

    def leaderboard(self, private: bool = False) -> list[dict[str, object]]:
        """All lines, best first; equal scores share a rank. Until `reveal` only `private` shows the private half."""
        lines = [dict(row) for row in self._all("SELECT * FROM standings")]
        shown = private or self.revealed()
        return [{name: line[name] if shown or "private" not in name else None for name in line} for line in lines]

    def revealed(self) -> bool:
        """Whether the private half is open, and the challenge over."""
        return bool(self._all("SELECT at FROM revealed"))

    def reveal(self) -> None:
        """Opens the private half for good: no submission is taken from now on."""
        self._insert("revealed", {"at": time.time()})

    def remove(self, team: str) -> None:
        """Takes a team and its submissions out. Raises RefusedError where there is none of this name."""
        if not self._all("DELETE FROM teams WHERE name = ? AND kind = 'team' RETURNING id", team):
            raise RefusedError(404, f"There is no team {team!r}. `status` lists them.")

    def submissions(self) -> list[dict[str, object]]:
        """Every submission of a team with all its scores, oldest first: what the instructor exports."""
        return [dict(row) for row in self._all("SELECT * FROM sent")]

    def _all(self, query: str, *values: object) -> list[sqlite3.Row]:
        return self._database.execute(query, values).fetchall()

    def _insert(self, table: str, row: dict[str, object]) -> int:
        fields, places = ", ".join(row), ", ".join("?" * len(row))
        return self._database.execute(f"INSERT INTO {table} ({fields}) VALUES ({places})", [*row.values()]).lastrowid


def _hash(token: str) -> bytes:
    """SHA-256: enough for 256 random bits, which nobody guesses one after the other."""
    return hashlib.sha256(token.encode()).digest()

"""What must outlast the server: teams, submissions, and the two halves' scores, in one SQLite file.

A submission is answered once it is on disk (WAL, synchronous FULL), so killing the server loses no answered one.
"""

import contextlib
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
MOST_TEAMS = 1000
NOTE_LENGTH = 80
SCHEMA = """
CREATE TABLE IF NOT EXISTS teams (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, kind TEXT NOT NULL, token BLOB);
CREATE TABLE IF NOT EXISTS submissions (
    id INTEGER PRIMARY KEY, team INTEGER NOT NULL REFERENCES teams ON DELETE CASCADE, at REAL NOT NULL,
    digest BLOB NOT NULL, note TEXT NOT NULL, public REAL NOT NULL, private REAL NOT NULL,
    public_top5 REAL, private_top5 REAL, UNIQUE (team, digest));
CREATE TABLE IF NOT EXISTS revealed (at REAL NOT NULL);
"""
# Each team stands with the first of its best submissions, by the public half.
STANDINGS = """
SELECT name AS team, kind, public, public_top5, private, private_top5, note, at, submissions FROM (
    SELECT *, count(*) OVER (PARTITION BY team) AS submissions,
        row_number() OVER (PARTITION BY team ORDER BY public DESC, at, id) AS place FROM submissions
) AS best JOIN teams ON teams.id = best.team WHERE place = 1 ORDER BY public DESC, at, best.id
"""


class RefusedError(ValueError):
    """A request that breaks a rule; `status` is HTTP's code for it."""

    def __init__(self, status: int, reason: str):
        super().__init__(reason)
        self.status = status


class Store:
    """The challenge's memory.

    Args:
        path: the SQLite file, made where there is none.
        labels: `(n,)` int64, the truth; `public`: `(n,)` bool, which of them the public score counts.
        daily_limit: submissions a team may make between two midnights of this machine.
        decimals: what public scores are rounded to, so that an answer says little about single labels.
    """

    def __init__(self, path: pathlib.Path, labels: np.ndarray, public: np.ndarray, daily_limit: int, decimals: int):
        self.labels, self.public, self.daily_limit, self.decimals = labels, public, daily_limit, decimals
        self._database = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._database.row_factory = sqlite3.Row
        for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._database.execute(f"PRAGMA {setting}")
        self._database.executescript(SCHEMA)

    def close(self) -> None:
        self._database.close()

    @contextlib.contextmanager
    def _transaction(self):
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def register(self, team: str, token: str) -> None:
        """Enters a team; the same name with the same token once more changes nothing.

        Raises:
            RefusedError: a name or token of another form, a name that is taken, or too many teams.
        """
        if not TEAM.fullmatch(team):
            raise RefusedError(400, f"The team name {team[:40]!r} cannot be used: take {TEAM_RULE}.")
        if not TOKEN.fullmatch(token):
            raise RefusedError(400, "A token is 43 characters long, as secrets.token_urlsafe(32) makes it.")
        with self._transaction() as database:
            row = database.execute("SELECT kind, token FROM teams WHERE name = ?", [team]).fetchone()
            if row and row["kind"] == "team" and hmac.compare_digest(row["token"], _hash(token)):
                return
            if row:
                raise RefusedError(409, f"The team name {team!r} is taken. Take another one.")
            if database.execute("SELECT count(*) FROM teams").fetchone()[0] >= MOST_TEAMS:
                raise RefusedError(403, f"There are {MOST_TEAMS} teams already, and room for no more.")
            database.execute("INSERT INTO teams (name, kind, token) VALUES (?, 'team', ?)", [team, _hash(token)])

    def authenticate(self, team: str, token: str) -> None:
        """Raises RefusedError unless the token is the team's; it takes as long where there is no such team."""
        row = self._database.execute("SELECT token FROM teams WHERE name = ? AND kind = 'team'", [team]).fetchone()
        known = row["token"] if row else bytes(32)
        if not hmac.compare_digest(known, _hash(token)) or row is None:
            raise RefusedError(401, "Team and token do not belong together. Register first: client.register(team).")

    def submit(self, team: str, ranked: np.ndarray, note: str = "") -> dict[str, object]:
        """Scores a submission and keeps it; one with the same predictions as an earlier one is answered as that was.

        Args:
            ranked: predicted classes, best first, `(n, 1)` or `(n, 5)` int64.

        Raises:
            RefusedError: the team is gone, the day's limit is reached, the challenge is over, or the note is unfit.
        """
        if len(note) > NOTE_LENGTH or not (note.isprintable()):
            raise RefusedError(400, f"A note is one line of at most {NOTE_LENGTH} characters.")
        digest = hashlib.sha256(repr(ranked.shape).encode() + ranked.astype("<i8").tobytes()).digest()
        scores = self._scores(ranked)
        now = time.time()
        with self._transaction() as database:
            row = database.execute("SELECT id FROM teams WHERE name = ?", [team]).fetchone()
            if row is None:
                raise RefusedError(401, "This team is no longer in the challenge. Ask the instructor.")
            earlier = "SELECT public, public_top5 FROM submissions WHERE team = ? AND digest = ?"
            known = database.execute(earlier, [row["id"], digest]).fetchone()
            left = self.daily_limit - self._today(row["id"], now)
            if known is None:
                self._check_open(left)
                values = [row["id"], now, digest, note, *scores.values()]
                fields = f"team, at, digest, note, {', '.join(scores)}"
                database.execute(f"INSERT INTO submissions ({fields}) VALUES (?{', ?' * 7})", values)
        standing = next(each for each in self.leaderboard() if each["team"].lower() == team.lower())
        return {
            "public": scores["public"],
            "public_top5": scores["public_top5"],
            "rank": standing["rank"],
            "left_today": left - (known is None),
            "counted": known is None,
        }

    def enter(self, name: str, kind: str, scores: dict[str, float]) -> None:
        """Puts a line that is no team on the board (`kind`: "baseline" or "human"), in place of the last of its name."""
        with self._transaction() as database:
            database.execute("DELETE FROM teams WHERE name = ? AND kind = ?", [name, kind])
            team = database.execute("INSERT INTO teams (name, kind) VALUES (?, ?)", [name, kind]).lastrowid
            fields = "team, at, digest, note, public, private"
            values = [team, time.time(), b"", "", scores["public"], scores["private"]]
            database.execute(f"INSERT INTO submissions ({fields}) VALUES (?, ?, ?, ?, ?, ?)", values)

    def leaderboard(self, private: bool = False) -> list[dict[str, object]]:
        """All lines, best first; equal scores share a rank, which only teams have.

        Private scores are None until `reveal`, unless `private` asks for them.
        """
        rows = [dict(row) for row in self._database.execute(STANDINGS)]
        revealed = private or self.revealed()
        for score, rank in (("public", "rank"), ("private", "private_rank")):
            teams = [row[score] for row in rows if row["kind"] == "team"]
            for row in rows:
                place = 1 + sum(other > row[score] for other in teams) if row["kind"] == "team" else None
                row[rank] = place if revealed or score == "public" else None
        if not revealed:
            for row in rows:
                row["private"] = row["private_top5"] = None
        return rows

    def revealed(self) -> bool:
        """Whether the private half is open, and the challenge over."""
        return self._database.execute("SELECT count(*) FROM revealed").fetchone()[0] > 0

    def reveal(self) -> None:
        """Opens the private half for good: no submission is taken from now on."""
        with self._transaction() as database:
            database.execute("INSERT INTO revealed VALUES (?)", [time.time()])

    def remove(self, team: str) -> None:
        """Takes a team and its submissions out. Raises RefusedError where there is none of this name."""
        with self._transaction() as database:
            if not database.execute("DELETE FROM teams WHERE name = ? AND kind = 'team'", [team]).rowcount:
                raise RefusedError(404, f"There is no team {team!r}. `status` lists them.")

    def submissions(self) -> list[dict[str, object]]:
        """Every submission with all its scores, oldest first: what the instructor exports."""
        fields = "name AS team, kind, at, public, private, public_top5, private_top5, note"
        query = f"SELECT {fields} FROM submissions JOIN teams ON teams.id = team ORDER BY submissions.id"
        return [dict(row) for row in self._database.execute(query)]

    def version(self) -> tuple[int, int]:
        """A value that changes whenever this or another process has changed the file."""
        return self._database.execute("PRAGMA data_version").fetchone()[0], self._database.total_changes

    def _today(self, team: int, now: float) -> int:
        midnight = time.mktime((*time.localtime(now)[:3], 0, 0, 0, 0, 0, -1))
        query = "SELECT count(*) FROM submissions WHERE team = ? AND at >= ?"
        return self._database.execute(query, [team, midnight]).fetchone()[0]

    def _check_open(self, left: int) -> None:
        if self.revealed():
            raise RefusedError(409, "The challenge is over: the private half has been revealed.")
        if left <= 0:
            raise RefusedError(429, f"Today's {self.daily_limit} submissions are used up. Tomorrow there are new ones.")

    def _scores(self, ranked: np.ndarray) -> dict[str, float | None]:
        hits = ranked == self.labels[:, None]
        top1, top5 = hits[:, 0], hits.any(1)
        five = ranked.shape[1] > 1
        return {
            "public": round(float(top1[self.public].mean()), self.decimals),
            "private": float(top1[~self.public].mean()),
            "public_top5": round(float(top5[self.public].mean()), self.decimals) if five else None,
            "private_top5": float(top5[~self.public].mean()) if five else None,
        }


def _hash(token: str) -> bytes:
    """SHA-256: enough for 256 random bits, which nobody guesses one after the other."""
    return hashlib.sha256(token.encode()).digest()

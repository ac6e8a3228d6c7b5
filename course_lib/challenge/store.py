"""What the teams sent and how it scores: rules, both halves, ranks. Only the server and the instructor see it."""

import hashlib
import pathlib
import time

import numpy as np

from course_lib.challenge import rules
from course_lib.challenge.database import PATIENCE, Database
from course_lib.challenge.rules import RefusedError
from course_lib.challenge.teams import Teams

PRIVATE = ("private", "private_top5", "private_rank")


class Store:
    """The memory of a challenge.

    Args:
        path: the SQLite file.
        labels: `(n,)` int64, the true labels.
        public: `(n,)` bool, which of them the public score counts.
        about: the challenge's rules: `daily_limit` and `total_limit` (submissions per team between two midnights of
            this machine, and in all; None: no limit), `score_levels`, `entry`, `pseudonyms`.
        patience: seconds to wait while another program writes.
        reading: whether nothing will be written.

    Raises:
        ValueError: see `database.Database`.
    """

    def __init__(
        self,
        path: pathlib.Path,
        labels: np.ndarray,
        public: np.ndarray,
        about: dict,
        patience: float = PATIENCE,
        reading: bool = False,
    ):
        self.labels = labels
        self.public = public
        self.about = about
        self.database = Database(path, patience, reading)
        self.teams = Teams(self.database, about["entry"], about["pseudonyms"])

    def close(self) -> None:
        """Closes the database."""
        self.database.close()

    def submit(self, team: int, ranked: np.ndarray, note: str = "", token: str | None = None) -> dict[str, object]:
        """Scores a submission and keeps it; the same predictions once more are answered, but not kept again.

        Args:
            team: its number.
            ranked: predicted classes, best first, `(n, 1)` or `(n, 5)` int64.
            note: the team's own words about it, for the leaderboard.
            token: what must still be one of the team's when this is kept; None: no such condition.

        Raises:
            RefusedError: the team or its token is gone, a limit is reached, all is over, or the note is unfit.
        """
        row = self.score(ranked) | {"digest": _digest(ranked), "top1": _digest(ranked[:, :1])}
        row["note"] = rules.note_text(note)
        with self.database.transaction():
            if not self.database.all("SELECT id FROM teams WHERE id = ?", team):
                raise RefusedError(401, "This team is no longer in the challenge. Ask the instructor.")
            if token is not None and not self.teams.holds(team, token):
                raise RefusedError(401, "This computer was shut out meanwhile. Join again with the team's new code.")
            known = self.database.all("SELECT id FROM submissions WHERE team = ? AND digest = ?", team, row["digest"])
            if not known:
                self._check_room(team)
                self.database.insert("submissions", row | {"team": team, "at": time.time()})
        left_today, left_in_all = self.left(team)
        return {
            "public": row["public"],
            "public_top5": row.get("public_top5"),
            "rank": self.database.all("SELECT rank FROM standings WHERE id = ?", team)[0]["rank"],
            "left_today": left_today,
            "left_in_all": left_in_all,
            "counted": not known,
        }

    def left(self, team: int) -> tuple[int, int | None]:
        """How many submissions the team may still make today, and in all (None: no limit)."""
        begin, end = _today()
        query = "SELECT count(*), count(CASE WHEN at >= ? AND at < ? THEN 1 END) FROM submissions WHERE team = ?"
        sent, today = self.database.all(query, begin, end, team)[0]
        left_today = max(0, self.about["daily_limit"] - today)
        if self.about["total_limit"] is None:
            return left_today, None
        left_in_all = max(0, self.about["total_limit"] - sent)
        return min(left_today, left_in_all), left_in_all

    def enter(self, name: str, kind: str, scores: dict[str, float]) -> None:
        """Puts a line that is no team on the board: `kind` is "baseline" or "human"."""
        with self.database.transaction():
            team = self.teams.add(name, kind)
            row = scores | {"team": team, "at": time.time(), "digest": b"", "note": ""}
            self.database.insert("submissions", row)

    def score(self, ranked: np.ndarray) -> dict[str, float]:
        """Accuracies on both halves, from 0 to 1: public ones rounded, top-5 where five classes are ranked."""
        hits = {"": ranked[:, 0] == self.labels}
        if ranked.shape[1] > 1:
            hits["_top5"] = (ranked == self.labels[:, None]).any(1)
        levels = self.about["score_levels"]
        public = {f"public{top}": round(float(hit[self.public].mean()) * levels) / levels for top, hit in hits.items()}
        return public | {f"private{top}": float(hit[~self.public].mean()) for top, hit in hits.items()}

    def standings(self) -> list[dict[str, object]]:
        """All lines with the private half, best first, for the instructor; equal scores share a rank."""
        return [dict(row) | {"team": row["name"]} for row in self.database.all("SELECT * FROM standings")]

    def leaderboard(self) -> list[dict[str, object]]:
        """All lines as everybody may see them: no private score before `reveal`, pseudonyms where there are any."""
        revealed = self.revealed()
        lines = self.standings()
        for line in lines:
            line["team"] = line["pseudonym"] or line["name"]
            for name in PRIVATE:
                line[name] = line[name] if revealed else None
        return lines

    def revealed(self) -> bool:
        """Whether the private half is open, and the challenge over."""
        return bool(self.database.all("SELECT at FROM revealed"))

    def reveal(self) -> None:
        """Opens the private half for good: no submission is taken from now on."""
        self.database.insert("revealed", {"at": time.time()})

    def submissions(self) -> list[dict[str, object]]:
        """Every submission of a team with all its scores, oldest first: what the instructor exports."""
        return [dict(row) for row in self.database.all("SELECT * FROM sent")]

    def renamed(self) -> list[tuple[str, str]]:
        """What teams were called in an older version, and what they are called now."""
        return self.database.all("SELECT old_names.name, teams.name FROM old_names JOIN teams ON teams.id = team")

    def newest(self) -> float:
        """When the newest submission came, in seconds since 1970; 0 where there is none."""
        return self.database.all("SELECT coalesce(max(at), 0) FROM submissions")[0][0]

    def _check_room(self, team: int) -> None:
        """Raises RefusedError where the team may send no more."""
        if self.revealed():
            raise RefusedError(409, "The challenge is over: the private half has been revealed.")
        left_today, left_in_all = self.left(team)
        if left_in_all == 0:
            raise RefusedError(429, f"All {self.about['total_limit']} submissions of your team are used up.")
        if left_today == 0:
            raise RefusedError(429, f"Today's {self.about['daily_limit']} submissions are used up. Go on tomorrow.")


def _digest(ranked: np.ndarray) -> bytes:
    return hashlib.sha256(ranked.astype("<i8").tobytes()).digest()


def _today() -> tuple[float, float]:
    """The midnights before and after now, in seconds since 1970."""
    year, month, day = time.localtime()[:3]
    return time.mktime((year, month, day, 0, 0, 0, 0, 0, -1)), time.mktime((year, month, day + 1, 0, 0, 0, 0, 0, -1))

"""Who takes part: teams, the codes they join with, and a token for each of their computers.

In a class every team gets a code from the instructor, on paper: whoever has no code cannot enter, and nobody enters
twice. With open entry, for a demonstration, the first to give a name has it.
"""

import hashlib
import hmac
import sqlite3
from collections.abc import Iterable

from course_lib.challenge import pseudonyms, rules
from course_lib.challenge.database import Database
from course_lib.challenge.lookalikes import keys
from course_lib.challenge.rules import RefusedError
from course_lib.challenge.withdrawing import withdraw

OPEN = "open"  # how teams enter
CODES = "codes"
MOST_OPEN = 100  # teams where entry is open; with codes there are as many as codes
MOST_CODES = 1000
MOST_COMPUTERS = 60  # tokens of a team: three notebooks in Colab make three new ones on each of twenty days


class Teams:
    """The teams of a challenge.

    Args:
        database: where they are kept.
        entry: `CODES` or `OPEN`.
        pseudonyms: whether each team gets a pseudonym for the board.
    """

    def __init__(self, database: Database, entry: str, pseudonyms: bool):
        self.database = database
        self.entry = entry
        self.pseudonyms = pseudonyms

    def register(self, team: str, token: str, code: str = "") -> dict[str, str]:
        """Enters a team, or one more computer of it; the same request once more changes nothing.

        Returns:
            The team's name as it is kept, and as the board shows it.

        Raises:
            RefusedError: a name, code or token that does not fit, a name that is taken, or too many teams.
        """
        name = rules.team_name(team)
        code = rules.code_text(code)
        if not rules.TOKEN.fullmatch(token):
            raise RefusedError(400, "A token is 43 characters long, as secrets.token_urlsafe(32) makes it.")
        with self.database.transaction():
            number = self.owner(name, token) or self._renamed(token)
            if number is None:
                number = self._by_code(name, code) if code else self._without_code(name)
                self._add_token(number, token)
            row = self.database.all("SELECT name, pseudonym FROM teams WHERE id = ?", number)[0]
        return {"team": row["name"], "shown_as": row["pseudonym"] or row["name"]}

    def owner(self, team: str, token: str) -> int | None:
        """The team's number, if the token is one of its own; it takes as long where there is no such team."""
        number = self.find(team)
        return number if self.holds(number, token) else None

    def holds(self, team: int | None, token: str) -> bool:
        """Whether the token is one of the team's."""
        rows = self.database.all("SELECT hash FROM tokens WHERE team = ?", team)
        hashes = [row["hash"] for row in rows] or [bytes(32)]
        return any([hmac.compare_digest(kept, _hash(token)) for kept in hashes])  # all of them: it takes as long

    def of_token(self, token: str) -> int | None:
        """The number of the team whose token this is."""
        rows = self.database.all("SELECT team FROM tokens WHERE hash = ?", _hash(token))
        return rows[0]["team"] if rows else None

    def find(self, team: str) -> int | None:
        """The number of the team of this name or pseudonym, in whatever case it is written."""
        try:
            spelled, _ = keys(rules.team_name(team))
        except RefusedError:
            return None
        rows = self.database.all("SELECT team FROM looks WHERE look = ?", spelled)
        return rows[0]["team"] if rows else None

    def add(self, name: str, kind: str = "team", reserved: Iterable[str] = ()) -> int:
        """A new line of the board; of a team no name or pseudonym of another team may look like it.

        `reserved` holds names that teams will have: none becomes a pseudonym.

        Raises:
            RefusedError: the name is taken.
        """
        number = self.database.insert("teams", {"name": name, "kind": kind})
        for look in set(keys(name)) if kind == "team" else ():
            try:
                self.database.insert("looks", {"look": look, "team": number})
            except sqlite3.IntegrityError:
                raise RefusedError(409, self._taken(name, look)) from None
        if self.pseudonyms and kind == "team":
            pseudonyms.give(self.database, number, reserved=reserved)
        return number

    def add_code(self, team: int | None = None) -> str:
        """A new code: for this team, or for the first that uses it."""
        code = rules.new_code()
        self.database.insert("codes", {"code": code, "team": team})
        return code

    def add_codes(self, more: int) -> None:
        """So many new codes, all of them or none.

        Raises:
            RefusedError: there would be too many.
        """
        with self.database.transaction():
            count = self.database.all("SELECT count(*) FROM codes")[0][0]
            if count + more > MOST_CODES:
                raise RefusedError(
                    409, f"There are {count} codes, and at most {MOST_CODES:,} can be: {more:,} more are too many."
                )
            for _ in range(more):
                self.add_code()

    def withdraw_codes(self, codes: list[str]) -> None:
        """Ends codes with which nobody has joined, all of them or none.

        Raises:
            RefusedError: a code that is not known, or that is a team's.
        """
        with self.database.transaction():
            teams = {row["code"]: row["team"] for row in self.codes()}
            for code in map(rules.code_text, codes):
                if code not in teams:
                    raise RefusedError(404, f"There is no code {code}. `codes` lists them.")
                if teams[code]:
                    raise RefusedError(
                        409, f"{code} is the code of the team {teams[code]!r}: `reset` gives it another one."
                    )
                self.database.all("DELETE FROM codes WHERE code = ?", code)

    def codes(self) -> list[dict[str, object]]:
        """Every code with its team, None where it is for any, and whether a computer has joined with it."""
        query = (
            "SELECT code, name AS team, EXISTS (SELECT 1 FROM tokens WHERE tokens.team = codes.team) AS used "
            "FROM codes LEFT JOIN teams ON teams.id = codes.team ORDER BY codes.rowid"
        )
        return [dict(row) for row in self.database.all(query)]

    def all(self) -> list[dict[str, object]]:
        """Every team in the order of its entry, with what it sent and from how many computers it did."""
        query = (
            "SELECT name AS team, pseudonym, sent AS submissions, (SELECT count(*) FROM tokens WHERE team = teams.id) "
            "AS computers FROM teams WHERE kind = 'team' ORDER BY id"
        )
        return [dict(row) for row in self.database.all(query)]

    def named(self, names: list[str]) -> list[str]:
        """The teams' own names, of these names or pseudonyms. Raises RefusedError as `remove` does."""
        query = "SELECT name FROM teams WHERE id = ?"
        return [self.database.all(query, number)[0]["name"] for number in self._numbers(names)]

    def remove(self, names: list[str]) -> None:
        """Takes teams out with all they sent, and their codes with them; all of them or none.

        Raises:
            RefusedError: there is none of a name.
        """
        with self.database.transaction():
            for number in self._numbers(names):
                self.database.all("DELETE FROM teams WHERE id = ?", number)

    def reset(self, name: str, since: float | None = None) -> str:
        """Shuts out every computer of a team; returns the new code with which it joins again.

        Its submissions are kept; those `since` a time, in seconds since 1970, are withdrawn: they stay in the export
        and count no more.

        Raises:
            RefusedError: there is none of this name.
        """
        with self.database.transaction():
            (number,) = self._numbers([name])
            if since is not None:
                withdraw(self.database, number, since)
            self.database.all("DELETE FROM tokens WHERE team = ?", number)
            self.database.all("DELETE FROM codes WHERE team = ?", number)
            return self.add_code(number)

    def _numbers(self, names: list[str]) -> list[int]:
        """The teams of these names or pseudonyms."""
        found = {name: self.find(name) for name in names}
        missing = [repr(name) for name, number in found.items() if number is None]
        if missing:
            raise RefusedError(404, f"There is no team {', '.join(missing)}. `status` lists them.")
        return [*dict.fromkeys(found.values())]

    def _renamed(self, token: str) -> int | None:
        """The team whose token this is, where an older version called it otherwise."""
        team = self.of_token(token)
        return team if self.database.all("SELECT team FROM old_names WHERE team = ?", team) else None

    def _by_code(self, name: str, code: str) -> int:
        rows = self.database.all("SELECT team FROM codes WHERE code = ?", code)
        if not rows:
            raise RefusedError(403, f"The code {code} is not known here. Type it as it stands on your slip.")
        number = rows[0]["team"]
        if number is None:
            number = self.add(name)
            self.database.all("UPDATE codes SET team = ? WHERE code = ?", number, code)
        own = self.database.all("SELECT name FROM teams WHERE id = ?", number)[0]["name"]
        if set(keys(own)).isdisjoint(keys(name)):
            raise RefusedError(409, f"The code {code} belongs to the team {own!r}: register with that name.")
        return number

    def _without_code(self, name: str) -> int:
        present = self.find(name)
        if self.entry == CODES:
            tell = present and not self.pseudonyms  # behind which it is nobody's business who takes part
            known = f"This computer is not known to the team {name!r}. Add" if tell else "Teams enter with"
            again = "It is needed once per computer, and once more if the server's address has changed."
            raise RefusedError(
                403,
                f'{known} the code on the slip from your instructor: register("our name", code="K7QF-2MXD"). {again}',
            )
        count = self.database.all("SELECT count(*) FROM teams WHERE kind = 'team'")[0][0]
        if not present and count >= MOST_OPEN:
            raise RefusedError(409, f"There are {count} teams, and there is room for no more. Ask the instructor.")
        return self.add(name)

    def _add_token(self, team: int, token: str) -> None:
        count = self.database.all("SELECT count(*) FROM tokens WHERE team = ?", team)[0][0]
        if count >= MOST_COMPUTERS:  # none that works gives way: whoever has seen the code could shut out the team
            raise RefusedError(
                409, f"{count} computers have joined this team, and no more can. Ask the instructor for `reset`."
            )
        try:
            self.database.insert("tokens", {"hash": _hash(token), "team": team})
        except sqlite3.IntegrityError:
            raise RefusedError(409, "This token belongs to another team. Make a new one.") from None

    def _taken(self, name: str, look: str) -> str:
        query = "SELECT name FROM looks JOIN teams ON teams.id = looks.team WHERE look = ?"
        other = self.database.all(query, look)[0]["name"]
        shown = "another one" if self.pseudonyms else repr(other)
        what = "is taken" if other == name else f"looks like {shown}, which is taken"
        return f"The team name {name!r} {what}. Take another one; if it is yours, ask the instructor for `reset`."


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()  # enough for 256 random bits, which nobody guesses

"""The SQLite file of a challenge: made once, migrated, copied, and its errors as sentences.

What is answered is on disk (WAL, synchronous FULL), so killing the server loses no answered submission.
"""

import contextlib
import os
import pathlib
import re
import sqlite3
import tempfile
from collections.abc import Iterator

from course_lib.challenge import pseudonyms
from course_lib.challenge.lookalikes import keys
from course_lib.challenge.rules import NAME_LENGTH, RefusedError, allowed_name

VERSION = 3  # the first edition wrote none, which reads as 0
HERE = pathlib.Path(__file__).parent
PATIENCE = 0.25  # seconds that the server waits for another program's lock: it answers nobody meanwhile
BUSY = (
    503,
    "The server is busy: another program is writing to the challenge. Try again in a moment.",
    "Another program holds the lock of {path}: submissions are refused until it lets go.",
)
FULL = (
    507,
    "The server cannot write to its disk, which may be full. Nothing of this request was kept: tell the instructor.",
    "The disk of {path} is full or failing. Free some space: what was answered is kept, the rest is refused.",
)
LOCKED_AWAY = (
    503,
    "The server may not write to the challenge. Nothing of this request was kept: tell the instructor.",
    "{path} or its folder cannot be opened for writing. Give yourself the right to write there.",
)
DAMAGED = (
    503,
    "The memory of the challenge is damaged. Tell the instructor.",
    "{path} is damaged. Stop the server, and go on with the newest folder that `backup` made.",
)
ANSWERS = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_IOERR: FULL,
    sqlite3.SQLITE_READONLY: LOCKED_AWAY,
    sqlite3.SQLITE_PERM: LOCKED_AWAY,
    sqlite3.SQLITE_CANTOPEN: LOCKED_AWAY,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
}


def statements(name: str) -> list[str]:
    """The statements of an SQL file of this folder, each whole, triggers too."""
    found = [""]
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        found[-1] += line + "\n"
        if sqlite3.complete_statement(found[-1]):
            found.append("")
    return found


RECOUNT = (
    "UPDATE teams SET sent = (SELECT count(*) FROM submissions WHERE team = teams.id), "
    "best = (SELECT id FROM submissions WHERE team = teams.id ORDER BY public DESC, id LIMIT 1)"
)
FROM_SECOND_EDITION = (
    *(statement for statement in statements("schema.sql") if re.search("TABLE (withdrawn|old_names)", statement)),
    *statements("views.sql"),
)
FROM_FIRST_EDITION = (
    "DROP VIEW IF EXISTS standings",
    "DROP VIEW IF EXISTS sent",
    "ALTER TABLE teams RENAME TO old_teams",
    "ALTER TABLE submissions RENAME TO old_submissions",
    *(statement for statement in statements("schema.sql") if "CREATE TABLE revealed" not in statement),
    "INSERT INTO teams (id, name, kind) SELECT id, name, kind FROM old_teams ORDER BY id",
    "INSERT INTO tokens (hash, team) SELECT token, id FROM old_teams WHERE token IS NOT NULL",
    "INSERT INTO submissions (id, team, at, digest, note, public, private, public_top5, private_top5, top1) "
    "SELECT id, team, at, digest, note, public, private, public_top5, private_top5, "
    "CASE WHEN public_top5 IS NULL THEN digest END FROM old_submissions ORDER BY id",
    "DROP TABLE old_submissions",
    "DROP TABLE old_teams",
    RECOUNT,
    *statements("views.sql"),
)


def create(path: pathlib.Path) -> None:
    """Makes an empty database."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection, connection:
        connection.execute("BEGIN IMMEDIATE")
        for statement in (*statements("schema.sql"), *statements("views.sql")):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _connection(path: pathlib.Path, patience: float) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=patience, isolation_level=None)


def _in_memory(path: pathlib.Path) -> sqlite3.Connection:
    """A copy in memory: SQLite can read a WAL database only where it may write beside it."""
    memory = sqlite3.connect(":memory:", isolation_level=None)
    with tempfile.TemporaryDirectory() as folder:
        for part in (path, path.with_name(f"{path.name}-wal")):
            if part.is_file():
                (pathlib.Path(folder) / part.name).write_bytes(part.read_bytes())
        with contextlib.closing(_connection(pathlib.Path(folder) / path.name, PATIENCE)) as copy:
            copy.backup(memory)
    return memory


class Database:
    """An open database; it serves the thread that opened it.

    Args:
        path: a file that `create`, or an earlier version of it, has made.
        patience: seconds to wait where another program is writing.
        reading: whether nothing will be written, so that a folder that may only be read will do.

    Raises:
        ValueError: the file is missing, empty, damaged, no challenge's, or of a newer version.
    """

    def __init__(self, path: pathlib.Path, patience: float = PATIENCE, reading: bool = False):
        self.path = path
        if not path.is_file() or not path.stat().st_size:
            raise ValueError(
                f"{path} is missing or empty, and with it every team and submission. "
                "Put it back, with its -wal file if there is one, or serve the newest folder that `backup` made."
            )
        with self._in_sentences():
            copied = reading and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))
            self._connection = _in_memory(path) if copied else _connection(path, patience)
            self._connection.row_factory = sqlite3.Row
            try:
                self._open(keep_old=not copied)
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Closes the file; no query can follow."""
        self._connection.close()

    def all(self, query: str, *values: object) -> list[sqlite3.Row]:
        """All rows of a query. Raises RefusedError, from 500 on, where the file cannot be read or written."""
        with self._in_sentences():
            return self._connection.execute(query, values).fetchall()

    def insert(self, table: str, row: dict[str, object]) -> int:
        """The number of a new row. Raises RefusedError as `all` does, and sqlite3.IntegrityError."""
        fields = ", ".join(row)
        places = ", ".join("?" * len(row))
        with self._in_sentences():
            return self._connection.execute(
                f"INSERT INTO {table} ({fields}) VALUES ({places})", [*row.values()]
            ).lastrowid

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written in the `with` block, or nothing."""
        with self._in_sentences(), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield

    def state(self) -> tuple[int, int]:
        """Another value whenever anything was written, by this program or by another one."""
        return self.all("PRAGMA data_version")[0][0], self._connection.total_changes

    def check(self) -> None:
        """Reads the whole file. Raises RefusedError where it is damaged."""
        found = self.all("PRAGMA quick_check(1)")[0][0]
        if found != "ok":
            raise RefusedError(503, DAMAGED[1], DAMAGED[2].format(path=self.path))

    def settle(self) -> None:
        """Moves what is in the -wal file into the database file, so that a copy of that file alone lacks nothing."""
        self.all("PRAGMA wal_checkpoint(PASSIVE)")

    def copy_to(self, path: pathlib.Path) -> None:
        """Writes a copy, complete even while others write."""
        with self._in_sentences(path), contextlib.closing(sqlite3.connect(path)) as copy:
            self._connection.backup(copy)

    def _open(self, keep_old: bool) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise ValueError(f"{self.path} was written by a newer version of this course. Update the course here.")
        if version < VERSION:
            self._migrate(keep_old)
        for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._connection.execute(f"PRAGMA {setting}")

    def _migrate(self, keep_old: bool) -> None:
        """From an earlier edition's tables to today's; the old file stays as it is, or is kept beside the new one."""
        tables = {
            row["name"] for row in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        if not {"teams", "submissions", "revealed"} <= tables:
            raise ValueError(f"{self.path} is no challenge's database. Serve the newest folder that `backup` made.")
        if keep_old:
            self.copy_to(self.path.with_name(f"{self.path.stem}-before-version-{VERSION}.sqlite"))
        with self.transaction():
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version == VERSION:  # another program was first
                return
            for statement in FROM_FIRST_EDITION if version < 2 else FROM_SECOND_EDITION:
                self._connection.execute(statement)
            for row in self.all("SELECT id, name, pseudonym FROM teams WHERE kind = 'team' ORDER BY id"):
                if version < 2:
                    self._rename_apart(row["id"], row["name"])
                elif row["pseudonym"]:
                    pseudonyms.give(self, row["id"], row["pseudonym"])
            self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def _rename_apart(self, team: int, name: str) -> None:
        """Makes the team's name one that is allowed, with a number where an older team's looks like it."""
        number = 1
        plain = allowed_name(name, f"Team {team}")
        shown = plain
        while self.all("SELECT team FROM looks WHERE look IN (?, ?)", *keys(shown)):
            number += 1
            shown = f"{plain[: NAME_LENGTH - 3]} {number}"
        self.all("UPDATE teams SET name = ? WHERE id = ?", shown, team)
        if shown != name:
            self.insert("old_names", {"team": team, "name": name})
        for look in set(keys(shown)):
            self.insert("looks", {"look": look, "team": team})

    @contextlib.contextmanager
    def _in_sentences(self, written: pathlib.Path | None = None) -> Iterator[None]:
        """Raises RefusedError for what is wrong with the file or its disk; mistakes in a query stay as they are.

        `written` is the file that is written, where that is another one.
        """
        try:
            yield
        except sqlite3.Error as error:
            answer = ANSWERS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
            if answer is None:
                raise
            status, reason, told = answer
            path = written if written and answer in (FULL, LOCKED_AWAY) else self.path
            raise RefusedError(status, reason, told.format(path=path), retry=int(answer is BUSY)) from error

"""Submissions that somebody else sent in a team's name: out of the count, but kept for the export."""

import time

from course_lib.challenge.database import RECOUNT, Database

CHOSEN = "FROM submissions WHERE team = ? AND at >= ?"
KEPT = "team, at, note, public, private, public_top5, private_top5, top1"


def sent_since(database: Database, team: int, since: float) -> int:
    """How many submissions of the team came at this time, in seconds since 1970, or later."""
    return database.all(f"SELECT count(*) {CHOSEN}", team, since)[0][0]


def withdraw(database: Database, team: int, since: float) -> None:
    """Withdraws these submissions, within the caller's transaction."""
    query = f"INSERT INTO withdrawn ({KEPT}, withdrawn) SELECT {KEPT}, ? {CHOSEN}"
    database.all(query, time.time(), team, since)
    database.all(f"DELETE {CHOSEN}", team, since)
    database.all(f"{RECOUNT} WHERE id = ?", team)

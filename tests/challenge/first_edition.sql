PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;

CREATE TABLE IF NOT EXISTS teams (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    kind TEXT NOT NULL CHECK (kind IN ('team', 'baseline', 'human')),
    token BLOB -- SHA-256; only teams have one
);

CREATE TABLE IF NOT EXISTS submissions (
    id INTEGER PRIMARY KEY,
    team INTEGER NOT NULL REFERENCES teams ON DELETE CASCADE,
    at REAL NOT NULL, -- seconds since 1970
    digest BLOB NOT NULL, -- SHA-256 of the predictions
    note TEXT NOT NULL,
    public REAL NOT NULL,
    private REAL NOT NULL,
    public_top5 REAL,
    private_top5 REAL,
    UNIQUE (team, digest)
);

CREATE TABLE IF NOT EXISTS revealed (at REAL NOT NULL);

-- Each line stands with the first of its best submissions by the public half; only teams have a rank.
CREATE VIEW IF NOT EXISTS standings AS
SELECT
    name AS team, kind, public, public_top5, private, private_top5, note, submissions,
    strftime('%H:%M', at, 'unixepoch', 'localtime') AS time,
    CASE kind WHEN 'team' THEN rank() OVER (PARTITION BY kind ORDER BY public DESC) END AS rank,
    CASE kind WHEN 'team' THEN rank() OVER (PARTITION BY kind ORDER BY private DESC) END AS private_rank
FROM (
    SELECT
        *,
        count(*) OVER (PARTITION BY team) AS submissions,
        row_number() OVER (PARTITION BY team ORDER BY public DESC, id) AS place
    FROM submissions
) AS best JOIN teams ON teams.id = best.team
WHERE place = 1
ORDER BY public DESC, best.id;

CREATE VIEW IF NOT EXISTS sent AS
SELECT name AS team, datetime(at, 'unixepoch', 'localtime') AS at, public, private, public_top5, private_top5, note
FROM submissions JOIN teams ON teams.id = team
WHERE kind = 'team'
ORDER BY submissions.id;

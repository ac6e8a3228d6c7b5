-- The tables of version 2; `database.py` says how older ones become these. Views and triggers: views.sql.

CREATE TABLE teams (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('team', 'baseline', 'human')),
    pseudonym TEXT UNIQUE, -- NULL where the board shows names
    sent INTEGER NOT NULL DEFAULT 0, -- submissions so far
    best INTEGER -- the first of its best submissions by the public half
);

-- How a team's name is spelled and how it looks: two teams share neither.
CREATE TABLE looks (look TEXT PRIMARY KEY, team INTEGER NOT NULL REFERENCES teams ON DELETE CASCADE);

-- What a team joins with; NULL: nobody has used it yet.
CREATE TABLE codes (code TEXT PRIMARY KEY, team INTEGER REFERENCES teams ON DELETE CASCADE);

-- SHA-256 of the tokens, one per computer of the team.
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    team INTEGER NOT NULL REFERENCES teams ON DELETE CASCADE
);
CREATE INDEX tokens_of_team ON tokens (team);

CREATE TABLE submissions (
    id INTEGER PRIMARY KEY,
    team INTEGER NOT NULL REFERENCES teams ON DELETE CASCADE,
    at REAL NOT NULL, -- seconds since 1970
    digest BLOB NOT NULL, -- SHA-256 of the predictions
    note TEXT NOT NULL,
    public REAL NOT NULL,
    private REAL NOT NULL,
    public_top5 REAL,
    private_top5 REAL,
    top1 BLOB, -- SHA-256 of the predicted classes alone, the same whichever form they were sent in
    UNIQUE (team, digest)
);
CREATE INDEX submissions_by_answer ON submissions (top1);

CREATE TABLE revealed (at REAL NOT NULL);
-- Made anew whenever the tables change.

DROP VIEW IF EXISTS standings;
DROP VIEW IF EXISTS sent;
DROP TRIGGER IF EXISTS counted;

-- Each team's best submission is known when it arrives, so that the board needs one row per team.
CREATE TRIGGER counted AFTER INSERT ON submissions BEGIN
    UPDATE teams SET
        sent = sent + 1,
        best = CASE WHEN (SELECT public FROM submissions WHERE id = teams.best) >= NEW.public THEN best ELSE NEW.id END
    WHERE id = NEW.team;
END;

-- Only teams have a rank; equal scores share it.
CREATE VIEW standings AS
SELECT
    teams.id, name, pseudonym, kind, public, public_top5, private, private_top5, note, sent AS submissions,
    strftime('%H:%M', at, 'unixepoch', 'localtime') AS time,
    CASE kind WHEN 'team' THEN rank() OVER (PARTITION BY kind ORDER BY public DESC) END AS rank,
    CASE kind WHEN 'team' THEN rank() OVER (PARTITION BY kind ORDER BY private DESC) END AS private_rank
FROM teams JOIN submissions ON submissions.id = teams.best
ORDER BY public DESC, submissions.id;

-- same_as: the other teams that sent the same predicted classes.
CREATE VIEW sent AS
SELECT
    name AS team, pseudonym, datetime(at, 'unixepoch', 'localtime') AS at, public, private, public_top5, private_top5,
    coalesce((
        SELECT group_concat(other.name, ', ')
        FROM (SELECT DISTINCT team FROM submissions AS equal WHERE equal.top1 = mine.top1 AND equal.team <> mine.team)
            AS equal JOIN teams AS other ON other.id = equal.team AND other.kind = 'team'
    ), '') AS same_as,
    note
FROM submissions AS mine JOIN teams ON teams.id = mine.team
WHERE kind = 'team'
ORDER BY mine.id;

-- The tables of version 3; `database.py` says how older ones become these. Views and triggers: views.sql.

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

-- Submissions that `reset --since` took out of the count: as above, and when they were withdrawn.
CREATE TABLE withdrawn (
    team INTEGER NOT NULL REFERENCES teams ON DELETE CASCADE,
    at REAL NOT NULL,
    note TEXT NOT NULL,
    public REAL NOT NULL,
    private REAL NOT NULL,
    public_top5 REAL,
    private_top5 REAL,
    top1 BLOB,
    withdrawn REAL NOT NULL
);

-- What teams of an older version were called, where their names are others now.
CREATE TABLE old_names (team INTEGER PRIMARY KEY REFERENCES teams ON DELETE CASCADE, name TEXT NOT NULL);

CREATE TABLE revealed (at REAL NOT NULL);

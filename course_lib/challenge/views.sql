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
    note,
    coalesce(datetime(withdrawn, 'unixepoch', 'localtime'), '') AS withdrawn
FROM (
    SELECT id, team, at, public, private, public_top5, private_top5, top1, note, NULL AS withdrawn FROM submissions
    UNION ALL
    SELECT 0, team, at, public, private, public_top5, private_top5, top1, note, withdrawn FROM withdrawn
) AS mine JOIN teams ON teams.id = mine.team
WHERE kind = 'team'
ORDER BY mine.at, mine.id;

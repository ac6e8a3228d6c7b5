"""Scores, ranks and rules, against scores and ranks counted here."""

import hashlib
import math
import sqlite3

import numpy as np
import pytest
from arena import TOKEN, set_clock, truth

from course_lib.challenge import making, teams
from course_lib.challenge.rules import RefusedError


@pytest.fixture
def folder(make):
    return make(test_images=500, human=0.9, daily_limit=3)


@pytest.fixture
def memory(folder):
    with making.opened(folder) as opened:
        yield opened


def token_of(team: str) -> str:
    return hashlib.sha256(team.lower().encode()).hexdigest()[:43]


def enter(memory, team: str, ranked: np.ndarray, note: str = "") -> dict:
    memory.teams.register(team, token_of(team))
    return memory.submit(memory.teams.find(team), ranked, note)


def guesses(seed: int, columns: int = 1) -> np.ndarray:
    return np.argsort(np.random.RandomState(seed).random_sample((500, 10)), axis=1)[:, :columns]


def test_halves_are_as_large_of_every_class_and_drawn_anew(make, folder, tmp_path):
    labels, public = truth(folder)
    assert public.sum() == 250
    assert all(public[labels == label].sum() == 25 for label in range(10))
    making.make(tmp_path / "second", "random", test_images=500)
    assert (truth(tmp_path / "second")[1] != public).sum() > 100


@pytest.mark.parametrize("columns", [1, 5])
def test_scores_are_shares_of_each_half(memory, folder, columns):
    labels, public = truth(folder)
    ranked = guesses(0, columns)
    answer = enter(memory, "A", ranked)
    (row,) = memory.submissions()
    top1 = [ranked[index, 0] == labels[index] for index in range(500)]
    top5 = [labels[index] in ranked[index] for index in range(500)]
    assert answer["public"] == round(sum(hit for hit, half in zip(top1, public, strict=True) if half) / 250, 2)
    assert row["private"] == sum(hit for hit, half in zip(top1, public, strict=True) if not half) / 250
    if columns == 1:
        assert answer["public_top5"] is None and row["private_top5"] is None
    else:
        assert answer["public_top5"] == round(sum(np.array(top5)[public]) / 250, 2)
        assert row["private_top5"] == sum(np.array(top5)[~public]) / 250


@pytest.mark.parametrize(("public", "classes"), [(100, 2), (100, 10), (125, 3), (250, 10), (1000, 10), (5000, 2)])
def test_all_answers_to_a_team_hold_less_than_the_labels(public, classes):
    """Whatever is sent: an answer has so many values, and the labels of the public half so many bits."""
    values = making.score_levels(public) + 1
    if classes > 5:
        values *= values  # top-5 beside top-1
    assert math.log2(values) * making.most_submissions(public, classes) <= 0.5 * public * math.log2(classes)
    assert public / making.score_levels(public) >= 2.4  # pictures per step


@pytest.mark.parametrize("count", [200, 500])
def test_one_more_right_label_is_mostly_not_seen(local, count):
    server = local(test_images=count)
    labels, public = truth(server.folder)
    client = server.connect().register("A")
    guess = (labels + 1) % 10
    scores = []
    for index in np.flatnonzero(public)[:5]:
        guess[index] = labels[index]
        scores.append(client.submit(guess).public)
    assert len(set(scores)) <= 3  # five pictures more


def test_equal_scores_share_a_rank_and_only_teams_have_one(memory, folder):
    labels, public = truth(folder)
    for team, wrong in (("A", 100), ("B", 50), ("C", 50), ("D", 200)):
        ranked = labels[:, None].copy()
        places = np.random.RandomState(ord(team)).permutation(np.flatnonzero(public))[:wrong]
        ranked[places] = (ranked[places] + 1) % 10
        enter(memory, team, ranked)
    lines = memory.leaderboard()
    ranks = {line["team"]: line["rank"] for line in lines if line["kind"] == "team"}
    assert ranks == {"B": 1, "C": 1, "A": 3, "D": 4}
    assert {line["kind"] for line in lines if line["rank"] is None} == {"baseline", "human"}
    assert [line["public"] for line in lines] == sorted((line["public"] for line in lines), reverse=True)


def test_a_team_stands_with_its_best_public_submission(memory, folder):
    labels, public = truth(folder)
    better = np.where(public, labels, (labels + 1) % 10)[:, None]
    worse = np.where(public, (labels + 1) % 10, labels)[:, None]
    assert enter(memory, "A", worse)["public"] == 0
    assert enter(memory, "A", better, "the better one")["public"] == 1
    assert enter(memory, "A", guesses(0))["public"] < 1
    memory.reveal()
    line = next(line for line in memory.leaderboard() if line["team"] == "A")
    assert (line["public"], line["private"], line["note"], line["submissions"]) == (1, 0, "the better one", 3)


def test_the_same_predictions_count_once_and_cost_nothing(memory):
    first = enter(memory, "A", guesses(0))
    again = enter(memory, "a", guesses(0))  # names differ in more than capitals
    assert (first["counted"], again["counted"]) == (True, False)
    assert first["left_today"] == again["left_today"] == 2
    assert first["public"] == again["public"] and len(memory.submissions()) == 1
    assert enter(memory, "B", guesses(0))["counted"]  # another team's is its own


def test_the_day_has_its_limit_and_ends_at_midnight(memory, monkeypatch):
    assert memory.about["total_limit"] == 9  # three days of three
    assert [enter(memory, "A", guesses(seed))["left_today"] for seed in range(3)] == [2, 1, 0]
    with pytest.raises(RefusedError, match="3 submissions are used up") as refused:
        enter(memory, "A", guesses(3))
    assert refused.value.status == 429 and len(memory.submissions()) == 3
    assert enter(memory, "A", guesses(1))["counted"] is False  # a repeated request is answered all the same
    set_clock(monkeypatch, days=1)
    assert enter(memory, "A", guesses(3))["left_today"] == 2


def test_equal_submissions_of_different_teams_are_told_in_whatever_form(memory):
    enter(memory, "A", guesses(0, 5))
    enter(memory, "B", guesses(0, 1))
    enter(memory, "C", guesses(1, 1))
    enter(memory, "A", guesses(0, 1))
    same = [(row["team"], row["same_as"]) for row in memory.submissions()]
    assert same == [("A", "B"), ("B", "A"), ("C", ""), ("A", "B")]


def test_the_private_half_is_seen_after_reveal_and_nothing_is_taken_then(memory):
    enter(memory, "A", guesses(0, 5))
    hidden = [{name: line[name] for name in line if "private" in name} for line in memory.leaderboard()]
    assert all(value is None for line in hidden for value in line.values())
    assert all(line["private"] is not None for line in memory.standings())
    memory.reveal()
    assert all(line["private"] is not None for line in memory.leaderboard())
    with pytest.raises(RefusedError, match="over") as refused:
        enter(memory, "A", guesses(1))
    assert refused.value.status == 409


def test_a_name_belongs_to_its_token(memory, folder):
    memory.teams.register("Team A", TOKEN)
    memory.teams.register("team a", TOKEN)
    assert memory.teams.owner("Team A", TOKEN)
    with pytest.raises(RefusedError, match="taken"):
        memory.teams.register("TEAM A", "b" * 43)
    for team, token in (("Team A", "b" * 43), ("Team B", TOKEN), ("Team A", ""), ("Human (measured)", "")):
        assert not memory.teams.owner(team, token)
    database = sqlite3.connect(folder / "private" / making.DATABASE)
    assert TOKEN.encode() not in b"".join(path.read_bytes() for path in (folder / "private").iterdir())
    assert database.execute("SELECT count(*) FROM teams WHERE kind = 'team'").fetchone() == (1,)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


def test_tokens_are_compared_in_constant_time(memory, monkeypatch):
    compared = []
    memory.teams.register("known", TOKEN)
    monkeypatch.setattr(teams.hmac, "compare_digest", lambda *pair: bool(compared.append([len(x) for x in pair])))
    for team in ("known", "unknown"):
        memory.teams.owner(team, TOKEN)
    assert compared == [[32, 32], [32, 32]]


def test_a_removed_team_is_gone_with_all_it_sent(memory):
    for number, team in enumerate("ABC"):
        enter(memory, team, guesses(number))
    gone = memory.teams.find("A")
    memory.teams.remove(["A", "C"])
    assert [row["team"] for row in memory.submissions()] == ["B"]
    with pytest.raises(RefusedError, match="no longer"):
        memory.submit(gone, guesses(2))
    with pytest.raises(RefusedError, match=r"no team 'Constant \(one class\)'"):
        memory.teams.remove(["B", "Constant (one class)"])
    assert memory.teams.find("B")  # all or none
    memory.teams.register("A", "b" * 43)

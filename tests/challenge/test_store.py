"""Scores, ranks and rules, against scores and ranks counted here."""

import math
import sqlite3

import numpy as np
import pytest
from arena import truth

from course_lib.challenge import making, store
from course_lib.challenge.store import RefusedError

TOKEN = "a" * 43


@pytest.fixture
def folder(make):
    return make(test_images=500, human=0.9, daily_limit=3)


@pytest.fixture
def memory(folder):
    with making.opened(folder) as opened:
        yield opened


def enter(memory, team: str, ranked: np.ndarray, note: str = "") -> dict:
    memory.register(team, TOKEN)
    return memory.submit(team, ranked, note)


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


def test_a_day_of_answers_says_little_about_the_labels():
    """An answer is one of 101 values; 250 labels of ten classes hold 830 bits."""
    assert 10 * math.log2(10**store.DECIMALS + 1) < 0.1 * 250 * math.log2(10)


def test_one_more_right_label_is_mostly_not_seen(memory, folder):
    labels, public = truth(folder)
    ranked = (labels[:, None] + 1) % 10
    scores = []
    for index in np.flatnonzero(public)[:5]:
        ranked[index] = labels[index]
        scores.append(memory.score(ranked)["public"])
    assert len(set(scores)) <= 3  # five steps of 0.4 percent


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
    memory.reveal()
    line = next(line for line in memory.leaderboard() if line["team"] == "A")
    assert (line["public"], line["private"], line["note"], line["submissions"]) == (1, 0, "the better one", 2)


def test_the_same_predictions_count_once_and_cost_nothing(memory):
    first = enter(memory, "A", guesses(0))
    again = enter(memory, "a", guesses(0))  # names differ in more than capitals
    assert (first["counted"], again["counted"]) == (True, False)
    assert first["left_today"] == again["left_today"] == 2
    assert first["public"] == again["public"] and len(memory.submissions()) == 1
    assert enter(memory, "B", guesses(0))["counted"]  # another team's is its own


def test_the_day_has_its_limit_and_ends_at_midnight(memory, monkeypatch):
    assert [enter(memory, "A", guesses(seed))["left_today"] for seed in range(3)] == [2, 1, 0]
    with pytest.raises(RefusedError, match="3 submissions are used up") as refused:
        enter(memory, "A", guesses(3))
    assert refused.value.status == 429 and len(memory.submissions()) == 3
    assert enter(memory, "A", guesses(1))["counted"] is False  # a repeated request is answered all the same
    now = store.time.localtime()
    tomorrow = store.time.mktime((now.tm_year, now.tm_mon, now.tm_mday + 1, 0, 0, 1, 0, 0, -1))
    monkeypatch.setattr(store.time, "time", lambda: tomorrow)
    monkeypatch.setattr(store.time, "localtime", lambda now=tomorrow, local=store.time.localtime: local(now))
    assert enter(memory, "A", guesses(3))["left_today"] == 2


def test_the_private_half_is_seen_after_reveal_and_nothing_is_taken_then(memory):
    enter(memory, "A", guesses(0, 5))
    hidden = [{name: line[name] for name in line if "private" in name} for line in memory.leaderboard()]
    assert all(value is None for line in hidden for value in line.values())
    assert all(line["private"] is not None for line in memory.leaderboard(private=True))
    memory.reveal()
    assert all(line["private"] is not None for line in memory.leaderboard())
    with pytest.raises(RefusedError, match="over") as refused:
        enter(memory, "A", guesses(1))
    assert refused.value.status == 409


@pytest.mark.parametrize(
    "name", ["", " A", "_A", "A" * 31, "A\n", "Ä", "<b>", "a/b", "a'b", "Human (measured)", "A\u202eB", "=A"]
)
def test_team_names_keep_to_the_pattern(memory, name):
    with pytest.raises(RefusedError, match="cannot be used") as refused:
        memory.register(name, TOKEN)
    assert refused.value.status == 400


@pytest.mark.parametrize("note", ["x" * 81, "two\nlines", "bell\a", "=1+1", "@sum", "right\u202eto left"])
def test_notes_are_one_line_that_a_spreadsheet_shows(memory, note):
    with pytest.raises(RefusedError, match="note"):
        enter(memory, "A", guesses(0), note)
    assert memory.submissions() == []


def test_a_name_belongs_to_its_token(memory, folder):
    memory.register("Team A", TOKEN)
    memory.register("team a", TOKEN)
    assert memory.owns("Team A", TOKEN)
    with pytest.raises(RefusedError, match="taken"):
        memory.register("TEAM A", "b" * 43)
    for team, token in (("Team A", "b" * 43), ("Team B", TOKEN), ("Team A", ""), ("Human (measured)", "")):
        assert not memory.owns(team, token)
    database = sqlite3.connect(folder / "private" / making.DATABASE)
    assert TOKEN.encode() not in b"".join(path.read_bytes() for path in (folder / "private").iterdir())
    assert database.execute("SELECT count(*) FROM teams WHERE kind = 'team'").fetchone() == (1,)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


def test_tokens_are_compared_in_constant_time(memory, monkeypatch):
    compared = []
    memory.register("known", TOKEN)
    monkeypatch.setattr(store.hmac, "compare_digest", lambda *pair: bool(compared.append([len(x) for x in pair])))
    for team in ("known", "unknown"):
        memory.owns(team, TOKEN)
    assert compared == [[32, 32], [32, 32]]


def test_there_is_room_for_so_many_teams(memory, monkeypatch):
    monkeypatch.setattr(store, "MOST_TEAMS", 4)  # three lines are no teams
    memory.register("A", TOKEN)
    with pytest.raises(RefusedError, match="there are 4 teams"):
        memory.register("B", TOKEN)
    memory.register("A", TOKEN)


def test_a_removed_team_is_gone_with_all_it_sent(memory):
    enter(memory, "A", guesses(0))
    enter(memory, "B", guesses(1))
    memory.remove("A")
    assert [row["team"] for row in memory.submissions()] == ["B"]
    with pytest.raises(RefusedError, match="no longer"):
        memory.submit("A", guesses(2))
    with pytest.raises(RefusedError, match="no team"):
        memory.remove("Constant (one class)")
    memory.register("A", "b" * 43)

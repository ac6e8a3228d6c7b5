"""Who may enter, over HTTP: one team per code, however often and with whatever name somebody tries."""

import concurrent.futures
import csv
import datetime
import io
import json
import re
import secrets

import numpy as np
import pytest
from arena import TOKEN, ask, register

from course_lib import challenge
from course_lib.__main__ import main
from course_lib.challenge import making, papers, pseudonyms, serving, teams
from course_lib.challenge.rules import RefusedError


def codes(folder) -> list[str]:
    with making.opened(folder) as store:
        return [row["code"] for row in store.teams.codes()]


def names(folder) -> list[str]:
    with making.opened(folder) as store:
        return [row["team"] for row in store.teams.all()]


def run(capsys, command: str, folder, *more: str) -> str:
    assert main(["challenge", command, "--data", str(folder), *more]) == 0
    return capsys.readouterr().out


def test_one_student_cannot_be_fifty_teams_and_the_class_enters_meanwhile(local):
    """The student has one code, tries fifty names with it, fifty without, and fifty with codes that were made up."""
    server = local(codes=11)
    mine, *others = codes(server.folder)

    def cheat(number: int) -> list[int]:
        tried = (mine, "", "2345-6789")
        return [register(server, f"cheat {number}", code, token=secrets.token_urlsafe(32))[0] for code in tried]

    def honest(number: int) -> int:
        return register(server, f"honest {number}", others[number], token=secrets.token_urlsafe(32))[0]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        tried = pool.map(cheat, range(50))
        entered = list(pool.map(honest, range(10)))
        statuses = [status for three in tried for status in three]
    assert entered == [200] * 10
    assert sorted(statuses) == [200] + [403] * 100 + [409] * 49
    assert len(names(server.folder)) == 11


def test_three_computers_of_a_team_join_with_one_code(local, tmp_path):
    server = local(codes=2)
    code, other = codes(server.folder)
    computers = [challenge.connect(server.url, token_dir=tmp_path / str(number)) for number in range(3)]
    for computer, name in zip(computers, ("Rockets", "rockets ", "ROCKETS"), strict=True):
        assert computer.register(name, code=code.lower()).team == "Rockets"
    receipts = [computer.submit(np.full(200, number)) for number, computer in enumerate(computers)]
    assert [receipt.left_today for receipt in receipts] == [9, 8, 7]  # one team, one limit
    assert computers[0].register("Rockets").team == "Rockets"  # this computer is known by now
    stranger = challenge.connect(server.url, token_dir=tmp_path / "stranger")
    with pytest.raises(ValueError, match=r"not known to the team 'Rockets'\. Add the code"):
        stranger.register("Rockets")
    with pytest.raises(ValueError, match="belongs to the team 'Rockets': register with that name"):
        stranger.register("Comets", code=code)
    with pytest.raises(ValueError, match="'R0CKETS' looks like 'Rockets', which is taken"):
        stranger.register("R0CKETS", code=other)
    with pytest.raises(ValueError, match="Teams enter with the code on the slip"):
        stranger.register("Comets")
    with pytest.raises(ValueError, match="The code 2222-2222 is not known here"):
        stranger.register("Comets", code="22222222")
    assert stranger.register("Comets", code=other).team == "Comets"


def predictions(seed: int) -> bytes:
    labels = np.random.RandomState(seed).randint(10, size=200)
    return "\n".join(["id,label", *(f"{index},{label}" for index, label in enumerate(labels))]).encode()


def submit(server, team: str, seed: int, token: str) -> int:
    return ask(server, "POST", f"/api/submissions?team={team}", predictions(seed), token=token)[0]


def test_no_computer_of_a_team_gives_way_to_another(local, monkeypatch, capsys):
    """Whoever has seen the slip joins with as many as there may be."""
    monkeypatch.setattr(teams, "MOST_COMPUTERS", 3)
    server = local(codes=1)
    (code,) = codes(server.folder)
    answers = [register(server, "A", code, token=f"{number:043}") for number in range(5)]
    assert [status for status, _ in answers] == [200] * 3 + [409] * 2
    assert answers[-1][1]["error"].startswith("3 computers have joined this team, and no more can. Ask the instructor")
    assert submit(server, "A", 0, "0" * 43) == 200
    run(capsys, "reset", server.folder, "A")
    assert register(server, "A", codes(server.folder)[0], token="0" * 43)[0] == 200


def test_what_a_thief_sent_is_withdrawn_and_the_limits_are_the_teams_again(local, monkeypatch, capsys):
    server = local(codes=1, daily_limit=3)
    (code,) = codes(server.folder)
    mine, thief = "m" * 43, "t" * 43
    for token in (mine, thief):
        assert register(server, "A", code, token=token)[0] == 200
    assert submit(server, "A", 0, mine) == 200
    since = datetime.datetime.now().isoformat()
    assert [submit(server, "A", seed, thief) for seed in (1, 2, 3)] == [200, 200, 429]
    assert submit(server, "A", 4, mine) == 429
    arguments = ["challenge", "reset", "--data", str(server.folder), "A", "--since"]
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    assert main([*arguments, since]) == 1
    assert "2 submissions of A since 20" in capsys.readouterr().err
    for wrong in ("yesterday", "2999-01-01", ""):
        assert main([*arguments, wrong, "--yes"]) == 1
        assert "--since must be a time that is over, such as" in capsys.readouterr().err
    assert submit(server, "A", 4, mine) == 429  # nothing was changed
    assert main([*arguments, since, "--yes"]) == 0
    capsys.readouterr()
    assert submit(server, "A", 5, thief) == 401
    assert register(server, "A", codes(server.folder)[0], token=mine)[0] == 200
    assert [submit(server, "A", seed, mine) for seed in (0, 1, 4, 5)] == [200, 200, 200, 429]  # the first, once more
    rows = list(csv.DictReader(io.StringIO(run(capsys, "export", server.folder))))
    assert [bool(row["withdrawn"]) for row in rows] == [False, True, True, False, False]
    assert run(capsys, "status", server.folder).startswith("random: open, 3 submissions")
    best = max(float(row["public"]) for row in rows if not row["withdrawn"])
    lines = json.loads(ask(server, "GET", "/api/leaderboard")[2])["lines"]
    assert [(line["public"], line["submissions"]) for line in lines if line["kind"] == "team"] == [(best, 3)]


def test_a_submission_that_waits_while_its_computer_is_shut_out_is_not_kept(make):
    with making.opened(make(codes=1)) as store:
        store.teams.register("A", TOKEN, store.teams.codes()[0]["code"])
        number = store.teams.owner("A", TOKEN)
        store.teams.reset("A", since=0.0)
        with pytest.raises(RefusedError, match="was shut out meanwhile"):
            store.submit(number, np.zeros((200, 1), int), token=TOKEN)
        assert store.submissions() == []


def test_a_taken_name_and_a_full_challenge_are_told_apart(local, monkeypatch):
    monkeypatch.setattr(teams, "MOST_OPEN", 2)
    server = local()
    assert register(server, "AIice")[0] == 200
    status, answer = register(server, "Alice", token="b" * 43)
    assert status == 409 and "looks like 'AIice', which is taken" in answer["error"]
    assert register(server, "Bob", token="c" * 43)[0] == 200
    status, answer = register(server, "Carol", token="d" * 43)
    assert status == 409 and "There are 2 teams, and there is room for no more" in answer["error"]
    assert register(server, "AIice")[0] == 200  # once more, the same


def test_names_in_any_script_stand_on_the_board(local):
    server = local()
    for name in ("किरण दल", "团队 7", "فريق"):
        server.connect().register(name).submit(np.zeros(200, int), "नोट")
        assert f'<bdi class="name">{name}</bdi>' in ask(server, "GET", "/board")[2].decode()
    for name in ("فـريق", "فَریق", "团队 ７"):
        status, answer = register(server, name, token="b" * 43)
        assert status == 409 and answer["error"].startswith("The team name "), name


def test_status_lists_every_team_and_the_codes_that_are_left(make, capsys):
    folder = make(codes=3)
    with making.opened(folder) as store:
        for team, code in zip("AB", codes(folder), strict=False):
            store.teams.register(team, team * 43, code)
        store.submit(store.teams.find("B"), np.zeros((200, 1), int))
    text = run(capsys, "status", folder)
    rows = {row[10:40].strip(): row[40:].split() for row in text.splitlines()[2:-1]}
    assert rows["A"] == ["–", "–", "0", "1"] and rows["B"][2:] == ["1", "1"]
    assert text.splitlines()[-1] == "1 of 3 codes are not used yet."


def test_several_teams_are_removed_and_their_codes_with_them(local, capsys):
    server = local(codes=4)
    used = codes(server.folder)
    for team, code in zip("ABC", used, strict=False):
        assert register(server, team, code, token=team * 43)[0] == 200
    assert run(capsys, "remove", server.folder, "A", "c", "a", "--yes").startswith("A, C are out.")
    assert names(server.folder) == ["B"]
    assert register(server, "A2", used[0])[0] == 403  # not by the back door
    assert ask(server, "POST", "/api/submissions?team=A", b"x", token="A" * 43)[0] == 401
    assert len(run(capsys, "codes", server.folder, "--more", "2").splitlines()) == 4
    assert register(server, "A2", codes(server.folder)[-1])[0] == 200


def test_a_lost_slip_is_withdrawn_unless_a_team_has_it(local, capsys):
    server = local(codes=3)
    mine, lost, left = codes(server.folder)
    assert register(server, "A", mine)[0] == 200
    for wrong, said in [(mine, "is the code of the team 'A': `reset`"), ("ZZZZ-ZZZ2", "There is no code ZZZZ-ZZZ2")]:
        assert main(["challenge", "codes", "--data", str(server.folder), "--withdraw", lost, wrong]) == 1
        assert said in capsys.readouterr().err
    assert codes(server.folder) == [mine, lost, left]  # all or none
    assert run(capsys, "codes", server.folder, "--withdraw", lost.lower()).split() == [mine, "A", left]
    statuses = [register(server, "B", code, token=secrets.token_urlsafe(32))[0] for code in (lost, left)]
    assert statuses == [403, 200]


@pytest.mark.parametrize("options", [{}, {"codes": 1}])
def test_reset_shuts_out_who_holds_a_stolen_token(local, tmp_path, capsys, options):
    server = local(**options)
    code = codes(server.folder)[0] if options else ""
    thief = server.connect().register("Rockets", code=code)
    thief.submit(np.zeros(200, int))
    told = run(capsys, "reset", server.folder, "rockets")
    new = re.search(r'code="(.{9})"', told).group(1)
    with pytest.raises(ValueError, match="do not belong together"):
        thief.submit(np.ones(200, int))
    if code:
        with pytest.raises(ValueError, match="is not known here"):
            thief.register("Rockets", code=code)
    team = challenge.connect(server.url, token_dir=tmp_path / "new").register("Rockets", code=new)
    assert team.submit(np.zeros(200, int)).counted is False  # what it sent is still there


def test_a_roster_gives_each_team_its_code(local, tmp_path, capsys):
    path = tmp_path / "teams.csv"
    for separator in ",;\t":
        path.write_text("room,team\n1,Rockets\n2, किरण दल \n".replace(",", separator), encoding="utf-8-sig")
        assert papers.roster(path) == ["Rockets", "किरण दल"]
    server = local(roster=papers.roster(path))
    with making.opened(server.folder) as store:
        by_team = {row["team"]: row["code"] for row in store.teams.codes()}
    assert list(by_team) == ["Rockets", "किरण दल"]
    status, answer = register(server, "Comets", by_team["Rockets"])
    assert status == 409 and "belongs to the team 'Rockets'" in answer["error"]
    assert "2 of 2 codes are not used yet." in run(capsys, "status", server.folder)
    assert register(server, "किरण दल", by_team["किरण दल"])[0] == 200
    assert "1 of 2 codes are not used yet." in run(capsys, "status", server.folder)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("team\nAlice\nAIice\n", "names 'Alice' and 'AIice', which look alike"),
        ("team\nAlice\n<b>\n", "teams.csv, line 3: The team name '<b>' cannot be used"),
        ("name\nAlice\n", "no rows with a column team"),
        ("", "no rows with a column team"),
        ("team\n\xe9\n".encode("latin-1"), "not UTF-8"),
        ('team\n"' + "x" * 200_000, "is no CSV file (field larger than"),
        ("\n".join(["team", *map(str, range(10_000, 11_001))]), "teams of a roster must be at most 1,000, not 1,001"),
    ],
)
def test_a_roster_that_cannot_be(tmp_path, text, sentence, capsys):
    path = tmp_path / "teams.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    folder = tmp_path / "new"
    arguments = ["challenge", "serve", "toy_scenes", "--data", str(folder), "--port", "0", "--roster", str(path)]
    assert main(arguments) == 1
    assert sentence in capsys.readouterr().err and not folder.exists()


def test_serve_makes_codes_and_a_sheet_unless_entry_is_open(random_images, tmp_path, monkeypatch, capsys):
    async def at_once(*_) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(serving, "serve", at_once)
    for name, options, count in (("class", [], 40), ("few", ["--codes", "3"], 3), ("demo", ["--open"], 0)):
        folder = tmp_path / name
        arguments = ["challenge", "serve", "random", "--data", str(folder), "--port", "0", *options]
        assert main(arguments) == 0
        told = capsys.readouterr().out
        sheet = folder / papers.SHEET
        assert sheet.exists() == bool(count) == ("cut it up" in told) and ("Entry is open" in told) != bool(count)
        assert making.describe(folder)["entry"] == ("codes" if count else "open")
        if count:
            page = sheet.read_text(encoding="utf-8")
            assert all(page.count(code) == 2 for code in codes(folder)) and page.count("<li>") == count
            assert sheet.stat().st_mode & 0o077 == 0
        assert main([*arguments, "--daily-limit", "99"]) == 0
        assert "daily_limit stays 10" in capsys.readouterr().out


def test_the_sheet_follows_the_codes(make, serve, capsys):
    server = serve(make(codes=2))
    sheet = server.folder / papers.SHEET

    def on_sheet() -> list[str]:
        page = sheet.read_text(encoding="utf-8")
        assert page.count(f'connect("{server.url}")') == page.count("<li>")
        return re.findall(r"<b>(.{9})</b>", page)

    assert ask(server, "GET", "/")[0] == 200  # by now the sheet is written
    assert on_sheet() == codes(server.folder)
    run(capsys, "codes", server.folder, "--more", "1")
    assert on_sheet() == codes(server.folder) and len(on_sheet()) == 3
    register(server, "A", on_sheet()[0])
    old = on_sheet()[0]
    run(capsys, "reset", server.folder, "A")
    assert on_sheet() == codes(server.folder) and old not in on_sheet()
    run(capsys, "remove", server.folder, "A", "--yes")
    assert on_sheet() == codes(server.folder) and len(on_sheet()) == 2


def test_the_instructor_may_give_the_pseudonym(local, capsys):
    server = local(pseudonyms=True)
    wall = server.connect().register("Rockets").shown_as
    assert "Rockets joins again by" in run(capsys, "reset", server.folder, wall.lower())
    with pytest.raises(ValueError, match="looks like another one, which is taken"):
        server.connect().register(wall.replace(" ", "-"))  # what another team is called on the board
    assert "Rockets is out" in run(capsys, "remove", server.folder, wall, "--yes")
    assert server.connect().register(wall).team == wall  # it is free again


def test_no_teams_name_becomes_a_pseudonym(local, monkeypatch):
    """Of four pseudonyms the roster names one."""
    monkeypatch.setattr(pseudonyms, "COLORS", ["Amber", "Jade"])
    monkeypatch.setattr(pseudonyms, "ANIMALS", ["Fox", "Owl"])
    monkeypatch.setattr(pseudonyms, "_pairs", pseudonyms._pairs.__wrapped__)
    server = local(pseudonyms=True, roster=["Rockets", "Comets", "jade fox"])
    with making.opened(server.folder) as store:
        shown = {row["pseudonym"] for row in store.teams.all()}
    assert shown == {"Amber Fox", "Amber Owl", "Jade Owl"}


def test_nobody_is_told_which_names_take_part_behind_pseudonyms(local):
    server = local(pseudonyms=True, codes=2)
    mine, other = codes(server.folder)
    register(server, "Rockets", mine)
    told = register(server, "R0ckets", other, token="b" * 43)[1]["error"]
    assert "'R0ckets' looks like another one" in told and "Rockets" not in told
    answers = [register(server, team, token="b" * 43) for team in ("Rockets", "Comets")]
    assert answers[0] == answers[1] and answers[0][0] == 403


def test_localhost_is_the_same_computer(local, tmp_path):
    server = local(codes=1)
    challenge.connect(server.url, token_dir=tmp_path).register("A", code=codes(server.folder)[0])
    address = server.url.replace("127.0.0.1", "localhost")
    for typed in (address, f" {address.upper()}/board "):
        assert challenge.connect(typed, token_dir=tmp_path).register("A").team == "A"


def test_pseudonyms_hide_names_from_all_others(local, capsys, tmp_path):
    server = local(pseudonyms=True)
    mine, other = (
        challenge.connect(server.url, token_dir=tmp_path / name).register(name) for name in ("Rockets", "Comets")
    )
    mine.submit(np.zeros(200, int))
    other.submit(np.ones(200, int))
    assert mine.shown_as != "Rockets" and len(mine.shown_as.split()) == 2
    boards = [client.leaderboard() for client in (mine, other)]
    own, others = (set(table["team"][table["kind"] == "team"]) for table in boards)
    assert own == {"Rockets", other.shown_as} and others == {"Comets", mine.shown_as}
    seen = ask(server, "GET", "/")[2] + ask(server, "GET", "/api/leaderboard")[2]
    assert b"Rockets" not in seen and mine.shown_as.encode() in seen
    assert ask(server, "GET", "/api/leaderboard?team=Rockets")[2].count(b"Rockets") == 0  # without its token
    assert "Rockets" in run(capsys, "status", server.folder)
    rows = list(csv.DictReader(io.StringIO(run(capsys, "export", server.folder))))
    assert [(row["team"], row["pseudonym"]) for row in rows] == [
        *(("Rockets", mine.shown_as), ("Comets", other.shown_as))
    ]


def test_a_token_of_another_form_is_refused(local):
    server = local()
    status, answer = register(server, "A", token=TOKEN[:-1])
    assert status == 400 and "43 characters" in answer["error"]

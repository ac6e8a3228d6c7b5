"""The instructor's commands, as they are typed."""

import csv
import io
import os
import socket
import subprocess
import sys

import numpy as np
import pandas
import pytest
from arena import ask, teams

from course_lib import common
from course_lib.__main__ import main
from course_lib.challenge import making, papers, starting


@pytest.fixture
def played(local, tmp_path):
    """Two teams have sent three submissions."""
    server = local(human=0.93)
    first, second = teams(server.url, 2, tmp_path / "tokens")
    first.submit(np.zeros(200, int), "zeros")
    first.submit(np.ones(200, int))
    second.submit(np.arange(200) % 10)
    return server


def run(capsys, command: str, server, *more: str) -> str:
    assert main(["challenge", command, "--data", str(server.folder), *more]) == 0
    return capsys.readouterr().out


def test_status_shows_both_halves_to_the_instructor(played, capsys):
    text = run(capsys, "status", played)
    assert text.startswith("random: open, 3 submissions")
    rows = {row[10:40].strip(): row[40:].split() for row in text.splitlines()[2:]}
    assert rows["Human (measured)"] == ["93.0%", "93.0%", "1"]
    assert rows["team 0"] == ["8.0%", "10.0%", "2", "1"]
    assert set(rows) == {"Human (measured)", "team 0", "team 1", "Constant (one class)", "Nearest mean (of pixels)"}


def test_reveal_is_seen_by_the_running_server(played, capsys):
    client = played.connect()
    assert client.leaderboard()["private"].isna().all()
    assert run(capsys, "reveal", played, "--yes").startswith("random: over, revealed, 3 submissions")
    assert client.leaderboard()["private"].notna().all()


def test_export_is_a_csv_of_every_submission(played, capsys):
    rows = list(csv.DictReader(io.StringIO(run(capsys, "export", played))))
    assert [(row["team"], row["note"]) for row in rows] == [("team 0", "zeros"), ("team 0", ""), ("team 1", "")]
    assert all(0 <= float(row["private"]) <= 1 and row["public_top5"] == "" and row["at"][:2] == "20" for row in rows)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["status", "--data", "nowhere"], "nowhere holds no challenge"),
        (["export", "--data", "{folder}", "--output", "nowhere/x.csv"], "nowhere/x.csv cannot be found or made. Name"),
        (["export", "--data", "{folder}", "--output", "."], ". cannot be opened (Is a directory)."),
        (["codes", "--data", "{folder}", "--more", "100000"], "at most 1,000 can be: 100,000 more are too many."),
        (["codes", "--data", "{folder}", "--more", "-3"], "--more must be a whole number of at least 0, not -3"),
        (["remove", "--data", "{folder}", "Team Z"], "no team 'Team Z'"),
        (["reset", "--data", "{folder}", "\udcff\udcfe"], r"There is no team '\udcff\udcfe'. `status` lists them."),
        (["serve", "mnist", "--data", "{folder}", "--port", "0"], "holds the challenge 'random'"),
        (
            ["serve", "random", "--data", "{folder}", "--port", "{taken}"],
            "in use by another program. Name another one with --port",
        ),
        (["serve", "random", "--data", "{folder}", "--port", "-5"], "--port must be a whole number from 0 to 65535"),
        (["serve", "random", "--data", "{folder}", "--port", "99999"], "--port must be a whole number from 0 to 65535"),
        (["serve", "random", "--data", "{folder}", "--host", "nonsense.invalid"], "is no address of this machine"),
        (["serve", "random", "--data", __file__, "--port", "0"], "test_command.py is a file"),
        (["serve", "random", "--data", __file__ + "/below", "--port", "0"], "test_command.py is a file"),
    ],
)
def test_mistakes_end_with_a_sentence(make, capfd, arguments, sentence):
    folder = make()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        filled = [each.format(folder=folder, taken=taken.getsockname()[1]) for each in arguments]
        assert main(["challenge", *filled]) == 1
    error = capfd.readouterr().err
    assert sentence in error and "Traceback" not in error


def test_codes_are_made_all_or_none(make, monkeypatch):
    folder = make(codes=2)
    made = iter(["2222-2222", "3333-3333"])
    monkeypatch.setattr("course_lib.challenge.rules.new_code", lambda: next(made))
    with making.opened(folder) as store:
        with pytest.raises(StopIteration):
            store.teams.add_codes(3)
        assert len(store.teams.codes()) == 2


@pytest.mark.parametrize("command", [["reveal"], ["remove", "team 0", "team 1"]])
@pytest.mark.parametrize(("typed", "status"), [("yes\n", 0), ("\n", 1), ("", 1), ("no\n", 1)])
def test_what_cannot_be_undone_is_asked_first(played, monkeypatch, capsys, command, typed, status):
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert main(["challenge", command[0], "--data", str(played.folder), *command[1:]]) == status
    asked = capsys.readouterr().err
    assert "for good" in asked and ("Nothing was changed" in asked) == bool(status)
    assert command == ["reveal"] or "deletes team 0, team 1 and 3 submissions" in asked
    with making.opened(played.folder) as store:
        kept = not store.revealed() and len(store.submissions()) == 3
    assert kept == bool(status)


def test_the_address_for_the_class_is_printed(make, monkeypatch, capsys):
    async def at_once(*_) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(starting.serving, "serve", at_once)
    monkeypatch.setattr(starting, "_address", lambda: "192.168.0.10")
    folder = make()
    assert main(["challenge", "serve", "random", "--data", str(folder), "--host", "0.0.0.0", "--port", "0"]) == 0
    told = capsys.readouterr().out
    assert "http://192.168.0.10:" in told and "Only this machine" not in told
    assert main(["challenge", "serve", "random", "--data", str(folder), "--port", "0"]) == 0
    told = capsys.readouterr().out
    assert "http://127.0.0.1:" in told and "Only this machine reaches this address" in told


@pytest.fixture
def dangerous(local, tmp_path):
    """A class whose names and notes a spreadsheet would compute or turn into something else."""
    server = local()
    notes = ("😀 नोट", 'x;"=1+1;y', "x, -2", "1e3", 'a"b')
    for number, (team, note) in enumerate(zip(("None", "1e3", "SEPT2", "फल", "1-2"), notes, strict=True)):
        server.connect().register(team).submit(np.full(200, number % 2), note)
    return server


def test_an_export_holds_whatever_the_console_can_show(dangerous, tmp_path):
    """Code page 1252, as on Windows, knows neither emoji nor Devanagari."""
    program = "import sys; from course_lib.__main__ import main; "
    program += "sys.exit(max(main(['challenge', *command.split()]) for command in sys.argv[1:]))"
    commands = ("status --data {0}", "export --data {0} --output {1}", "export --data {0}")
    typed = [command.format(dangerous.folder, tmp_path / "all.csv") for command in commands]
    environment = os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-c", program, *typed], cwd=common.ROOT, env=environment, capture_output=True
    )
    assert done.returncode == 0 and done.stderr == b""
    status, mark, exported = done.stdout.partition(b'"team"')
    assert b"SEPT2" in status
    rows = list(csv.DictReader(io.StringIO((mark + exported).decode("utf-8"))))
    assert rows[0]["note"] == "😀 नोट" and len(rows) == 5
    assert (tmp_path / "all.csv").read_bytes().startswith('\ufeff"team"'.encode())  # Excel reads UTF-8 by that mark


def test_no_spreadsheet_executes_or_misreads_an_export(dangerous, capsys):
    text = run(capsys, "export", dangerous)
    table = pandas.read_csv(io.StringIO(text))
    assert table["team"].tolist() == ["'None", "'1e3", "'SEPT2", "फल", "'1-2"]
    assert table["note"].tolist() == ["😀 नोट", "x;\"'=1+1;y", "x, '-2", "'1e3", 'a"b']
    assert table["same_as"].tolist()[:2] == ["SEPT2, 1-2", "फल"]
    for separator in ",;\t|":
        for row in csv.reader(io.StringIO(text), delimiter=separator):
            assert not any(cell.strip().startswith(tuple("=+-@＝")) for cell in row)
    assert all(line.startswith('"') and line.endswith('"') for line in text.splitlines())


def test_who_reads_an_export_may_stop(played):
    command = [sys.executable, "-m", "course_lib", "challenge", "export", "--data", str(played.folder)]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, cwd=common.ROOT, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_folder_is_served_once(make, serve, capsys):
    server = serve(make(codes=1))
    assert ask(server, "GET", "/")[0] == 200  # by now the sheet is written
    sheet = (server.folder / papers.SHEET).read_bytes()
    assert main(["challenge", "serve", "random", "--data", str(server.folder), "--port", "0"]) == 1
    assert "is served already, by another program. Stop that one first." in capsys.readouterr().err
    assert (server.folder / papers.SHEET).read_bytes() == sheet
    server.kill()
    server.start()  # a server that was killed leaves no lock


def test_the_same_command_serves_again_without_the_roster(make, monkeypatch, capsys):
    async def at_once(*_) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("course_lib.challenge.serving.serve", at_once)
    folder = make(roster=["Rockets"])
    arguments = ["serve", "random", "--data", str(folder), "--port", "0", "--roster", "moved.csv"]
    assert main(["challenge", *arguments]) == 0
    assert "The codes stay as they are" in capsys.readouterr().out


@pytest.mark.parametrize(
    "cell",
    [
        "(5)",
        "$5",
        "€ 5",
        "<NA>",
        "#N/A N/A",
        "#REF!",
        "a;﹣1",
        "﹦1",
        'a;"=1+1;b',
        '"=1',
        'x" ;""@a',
        "−5",
        "July 4",
        "½",
    ],
)
def test_a_cell_that_means_something_else_to_a_spreadsheet(cell):
    assert papers.harmless(cell).replace("'", "") == cell != papers.harmless(cell)


def test_an_export_names_teams_that_sent_the_same(played, capsys):
    played.connect().register("copier").submit(np.arange(200) % 10)
    rows = list(csv.DictReader(io.StringIO(run(capsys, "export", played))))
    assert [(row["team"], row["same_as"]) for row in rows][2:] == [("team 1", "copier"), ("copier", "team 1")]


@pytest.mark.parametrize(
    ("options", "remark"),
    [
        (["--daily-limit", "7"], "daily_limit stays 10: it was fixed when the challenge was made."),
        (["--total-limit", "99"], "total_limit stays 17: it was fixed when the challenge was made."),
        (["--test-images", "300"], "test_images stays 200: it was fixed when the challenge was made."),
        (["--human", "0.9"], "human stays None: it was fixed when the challenge was made."),
        (["--pseudonyms"], "pseudonyms stays False: it was fixed when the challenge was made."),
        (["--codes", "5"], "entry stays 'open': it was fixed when the challenge was made."),
        ([], ""),
    ],
)
def test_options_that_come_too_late_are_told(make, monkeypatch, capsys, options, remark):
    async def at_once(*_) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("course_lib.challenge.serving.serve", at_once)
    assert main(["challenge", "serve", "random", "--data", str(make()), "--port", "0", *options]) == 0
    told = capsys.readouterr().out
    assert remark in told and ("stays" in told) == bool(remark)
    assert "not encrypted" in told


def test_quick_that_comes_too_late_is_told(random_images, tmp_path, monkeypatch, capsys):
    async def at_once(*_) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("course_lib.challenge.serving.serve", at_once)
    for number in (300, 500):
        folder = tmp_path / f"{number}"
        making.make(folder, "toy_scenes", test_images=number)
        assert main(["challenge", "serve", "toy_scenes", "--quick", "--data", str(folder), "--port", "0"]) == 0
        assert ("test_images stays 300" in capsys.readouterr().out) == (number == 300)
